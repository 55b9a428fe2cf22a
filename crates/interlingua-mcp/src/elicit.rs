use std::sync::Arc;

use interlingua::{BoxFuture, Json};
use rmcp::model::{ElicitRequestParams, ElicitResult, ElicitationAction};

use crate::text;

/// What a server wants to know from the user.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Elicitation {
    /// Fields to fill in. Nobody should be asked for a secret this way.
    Form {
        /// What it says about it, cleaned and cut.
        message: String,
        /// The schema of the fields: an object of texts, numbers, yes or no, and choices.
        schema: Json,
    },
    /// An address to open in a browser, after the user has seen and approved it.
    Url {
        /// What it says about it, cleaned and cut.
        message: String,
        /// The address, which begins with `http://` or `https://`.
        url: String,
    },
}

/// What the user says to an [`Elicitation`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ElicitationAnswer {
    /// Yes, with the fields of the form; an address needs none ([`Json::object`]).
    Accept(Json),
    /// No.
    Decline,
    /// Neither: the user went away.
    Cancel,
}

/// Asks the user.
pub(crate) type Ask = Arc<dyn Fn(Elicitation) -> BoxFuture<'static, ElicitationAnswer> + Send + Sync>;

/// Asks, and declines what cannot be asked.
pub(crate) async fn elicit(ask: Option<&Ask>, wanted: ElicitRequestParams) -> ElicitResult {
    let declined = || ElicitResult::new(ElicitationAction::Decline);
    let (Some(ask), Some(question)) = (ask, question(wanted)) else { return declined() };
    match ask(question).await {
        ElicitationAnswer::Accept(fields) => match fields.to_value() {
            Ok(fields) => ElicitResult::new(ElicitationAction::Accept).with_content(fields),
            Err(_) => declined(),
        },
        ElicitationAnswer::Decline => declined(),
        ElicitationAnswer::Cancel => ElicitResult::new(ElicitationAction::Cancel),
    }
}

fn question(wanted: ElicitRequestParams) -> Option<Elicitation> {
    match wanted {
        ElicitRequestParams::FormElicitationParams { message, requested_schema, .. } => {
            let schema = Json::of(&requested_schema).ok()?;
            Some(Elicitation::Form { message: text::clean(&message, text::DESCRIPTION), schema })
        }
        ElicitRequestParams::UrlElicitationParams { message, url, .. } => {
            let is_address = url.starts_with("https://") || url.starts_with("http://");
            let is_clean = text::line(&url, text::DESCRIPTION) == url;
            (is_address && is_clean)
                .then(|| Elicitation::Url { message: text::clean(&message, text::DESCRIPTION), url })
        }
        _ => None,
    }
}
