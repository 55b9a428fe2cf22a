//! What a model is known not to take, told before it is asked.
//!
//! The families of a row know better than the catalogue: what one of them speaks of is theirs, and what a codec has warned of
//! already is settled. Where the catalogue knows nothing, nothing is said.

use interlingua_catalog::{Model, Trait};
use interlingua_model::{
    Content, Effort, Format, Input, Media, MediaKind, Message, Request, ToolChoice, ToolMode, Warning,
};
use interlingua_wire::Provider;

use crate::client::Inner;
use crate::route::Route;

/// Something that a request may ask for and a model may not be able to do.
struct Doubt {
    /// The setting or part that asks for it.
    setting: &'static str,
    what: Trait,
    is_asked: fn(&Request) -> bool,
    /// The fields of dialects in which families speak of it.
    fields: &'static [&'static str],
    why: &'static str,
}

/// Where families speak of reasoning, in all dialects.
const REASONING: [&str; 11] = [
    "effort",
    "effort_words",
    "efforts",
    "encrypted_reasoning",
    "reasoning",
    "reasoning_off",
    "reasoning_summary",
    "thinking",
    "thinking_budget",
    "thinking_levels",
    "thinking_off",
];

const DOUBTS: [Doubt; 9] = [
    Doubt {
        setting: "tools",
        what: Trait::Tools,
        is_asked: |request| !request.tools.is_empty(),
        fields: &["tools"],
        why: "the model is known not to call tools",
    },
    Doubt {
        setting: "tool_choice",
        what: Trait::ForcedTools,
        is_asked: |request| request.tool_choice.as_ref().is_some_and(is_forced),
        fields: &["tools", "tool_choice", "forced_tool_choice"],
        why: "the model is known not to be forced to call a tool",
    },
    Doubt {
        setting: "format",
        what: Trait::Schema,
        is_asked: |request| matches!(request.format, Some(Format::Schema(_))),
        fields: &["json_schema", "schema", "format"],
        why: "the model is known not to keep to a schema",
    },
    Doubt {
        setting: "effort",
        what: Trait::Reasoning,
        is_asked: |request| request.effort.is_some_and(|effort| effort != Effort::None),
        fields: &REASONING,
        why: "the model is known not to reason",
    },
    Doubt {
        setting: "sampling",
        what: Trait::Sampling,
        is_asked: |request| request.sampling.temperature.is_some() || request.sampling.top_p.is_some(),
        fields: &["sampling"],
        why: "the model is known to take neither temperature nor top-p",
    },
    Doubt {
        setting: "messages",
        what: Trait::Images,
        is_asked: |request| any_media(request, |media| media.kind() == MediaKind::Image),
        fields: &["images", "media"],
        why: "the model is known to take no pictures",
    },
    Doubt {
        setting: "messages",
        what: Trait::Audio,
        is_asked: |request| any_media(request, |media| media.kind() == MediaKind::Audio),
        fields: &["audio", "media"],
        why: "the model is known to take no sound",
    },
    Doubt {
        setting: "messages",
        what: Trait::Video,
        is_asked: |request| any_media(request, |media| media.kind() == MediaKind::Video),
        fields: &["video", "media"],
        why: "the model is known to take no video",
    },
    Doubt {
        setting: "messages",
        what: Trait::Pdf,
        is_asked: |request| any_media(request, |media| media.mime == "application/pdf"),
        fields: &["documents", "files", "media"],
        why: "the model is known to take no PDF files",
    },
];

/// What of a request its model is known not to take. `settled` is what was warned of already.
pub(crate) fn doubts(
    inner: &Inner,
    provider: &Provider,
    route: &Route,
    request: &Request,
    settled: &[Warning],
) -> Vec<Warning> {
    let Some(model) = route.known(inner) else { return Vec::new() };
    let is_open = |setting: &str, fields: &[&str]| {
        let is_settled = settled.iter().any(|warning| warning.setting.starts_with(setting));
        !is_settled && !provider.family_says(route.protocol, &route.model, fields)
    };
    let cannot = DOUBTS.iter().filter(|doubt| model.can(doubt.what) == Some(false));
    let cannot = cannot.filter(|doubt| (doubt.is_asked)(request) && is_open(doubt.setting, doubt.fields));
    let mut found: Vec<Warning> = cannot.map(|doubt| Warning::doubtful(doubt.setting, doubt.why)).collect();
    found.extend(too_much(model, request).filter(|_| is_open("max_output", &["max_output"])));
    found.extend(unheard_of(model, request).filter(|_| is_open("effort", &REASONING)));
    found
}

/// An answer that is longer than the model can give.
fn too_much(model: &Model, request: &Request) -> Option<Warning> {
    let (asked, most) = (u64::from(request.max_output?), model.output?);
    (asked > most).then(|| {
        let detail = format!("{asked} tokens are asked for, and the model is known to give {most} at most");
        Warning::doubtful("max_output", detail)
    })
}

/// A level of effort that the model does not know, although it reasons.
fn unheard_of(model: &Model, request: &Request) -> Option<Warning> {
    let effort = request.effort?;
    let is_unknown = model.can(Trait::Reasoning) != Some(false) && model.knows_effort(effort) == Some(false);
    is_unknown.then(|| Warning::doubtful("effort", "the model is known not to have this level"))
}

fn is_forced(choice: &ToolChoice) -> bool {
    matches!(
        choice,
        ToolChoice::Required | ToolChoice::Tool(_) | ToolChoice::Allowed { mode: ToolMode::Required, .. }
    )
}

/// Whether a user shows something of a kind, or a tool does.
fn any_media(request: &Request, is_meant: impl Fn(&Media) -> bool) -> bool {
    let parts = request.messages.iter().filter_map(|message| match message {
        Message::User(user) => Some(user.parts.iter()),
        _ => None,
    });
    parts.flatten().any(|part| match part {
        Input::Media(media) => is_meant(media),
        Input::ToolResult(result) => {
            result.content.iter().any(|content| matches!(content, Content::Media(media) if is_meant(media)))
        }
        _ => false,
    })
}
