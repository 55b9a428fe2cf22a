use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Something that was asked for or received and could not be expressed as it was meant.
///
/// In strict mode the same finding is an [`Error`](crate::Error) before anything is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Warning {
    /// What happened to it.
    pub kind: WarningKind,
    /// Which setting or part it is about, as a path into the request or the response: `sampling.top_k`.
    pub setting: Cow<'static, str>,
    /// Why, and what was done instead.
    pub detail: Cow<'static, str>,
}

/// What happened to the thing a [`Warning`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WarningKind {
    /// A setting was left out.
    Ignored,
    /// A setting or a part was replaced by something near to it.
    Adjusted,
    /// A part of the conversation was left out.
    Dropped,
    /// A setting or a part was sent as it is, although the model is known not to take it.
    Doubtful,
}

impl Warning {
    /// A setting that was left out.
    pub fn ignored(setting: impl Into<Cow<'static, str>>, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: WarningKind::Ignored, setting: setting.into(), detail: detail.into() }
    }

    /// A setting or part that was replaced by something near to it.
    pub fn adjusted(setting: impl Into<Cow<'static, str>>, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: WarningKind::Adjusted, setting: setting.into(), detail: detail.into() }
    }

    /// A setting or part that was sent as it is, although the model is known not to take it.
    pub fn doubtful(setting: impl Into<Cow<'static, str>>, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: WarningKind::Doubtful, setting: setting.into(), detail: detail.into() }
    }

    /// A part of the conversation that was left out.
    pub fn dropped(setting: impl Into<Cow<'static, str>>, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: WarningKind::Dropped, setting: setting.into(), detail: detail.into() }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match self.kind {
            WarningKind::Ignored => "ignored",
            WarningKind::Adjusted => "adjusted",
            WarningKind::Dropped => "dropped",
            WarningKind::Doubtful => "doubtful",
        };
        write!(f, "{verb} {}: {}", self.setting, self.detail)
    }
}
