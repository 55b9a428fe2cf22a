//! How answers end.

use interlingua_model::{Finish, FinishReason};

/// The reasons that are numbered alike by all services; some answer with numbers.
const NUMBERED: [(u64, &str); 5] =
    [(1, "STOP"), (2, "MAX_TOKENS"), (3, "SAFETY"), (4, "RECITATION"), (5, "OTHER")];

/// The word for a reason that was given as a number.
pub(super) fn word_of(number: u64) -> String {
    let known = NUMBERED.iter().find(|(known, _)| *known == number);
    known.map_or_else(|| number.to_string(), |(_, word)| (*word).to_owned())
}

/// What a word means. There is none for tool calls: an answer that stops and has called waits for the results.
pub(super) fn reason_of(word: &str, has_calls: bool) -> FinishReason {
    match word {
        "STOP" if has_calls => FinishReason::ToolUse,
        "STOP" => FinishReason::Stop,
        "MAX_TOKENS" => FinishReason::Length,
        "SAFETY"
        | "RECITATION"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION"
        | "MODEL_ARMOR" => FinishReason::Filtered,
        // The answer goes on when the same request is sent with the token that came along.
        "CONTINUATION" => FinishReason::Paused,
        _ => FinishReason::Other,
    }
}

/// The protocol's word for an end.
#[cfg(feature = "server")]
pub(super) fn word(finish: &Finish) -> String {
    if let Some(raw) = finish.raw.as_ref().filter(|raw| is_own(raw, finish.reason)) {
        return raw.clone();
    }
    let word = match finish.reason {
        FinishReason::Stop | FinishReason::ToolUse => "STOP",
        FinishReason::Length => "MAX_TOKENS",
        FinishReason::Filtered | FinishReason::Refused => "SAFETY",
        _ => "OTHER",
    };
    word.to_owned()
}

/// Whether a provider's word means the same here.
#[cfg(feature = "server")]
fn is_own(raw: &str, reason: FinishReason) -> bool {
    let is_word = raw.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    is_word && !raw.is_empty() && reason_of(raw, reason == FinishReason::ToolUse) == reason
}
