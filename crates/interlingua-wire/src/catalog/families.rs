//! Model families that several rows share.

use serde_json::json;

use super::row::{ANTHROPIC, CHAT, RESPONSES};
use crate::provider::Family;

/// What the models of `OpenAI` refuse, from the oldest to the newest, on `OpenAI`'s own host.
///
/// Sources: the vendor's SDK types and error texts in recorded answers.
pub(super) fn openai() -> Vec<Family> {
    let mut families = openai_elsewhere();
    families.extend([
        Family::new(["gpt-3.5*", "gpt-4*", "chatgpt-4o*", "gpt-audio*", "o1*", "o3*", "o4*"])
            .both(&json!({ "automatic_cache": "refused", "cache_marks": "refused" })),
        // Explicit marks and cache options came with 5.6; before it there is only the retention.
        Family::new([
            "gpt-4.1*", "gpt-5", "gpt-5-*", "gpt-5.1*", "gpt-5.2*", "gpt-5.3*", "gpt-5.4*", "gpt-5.5*",
        ])
        .both(&json!({ "automatic_cache": "retention", "cache_marks": "refused" })),
    ]);
    families
}

/// The same without the fields for prompt caches, which other hosts of these models refuse.
pub(super) fn openai_elsewhere() -> Vec<Family> {
    let plain = json!({ "system_role": "system", "verbosity": false });
    let unreasoning = json!({ "effort": false, "reasoning_summary": false, "encrypted_reasoning": false });
    let reasoner = json!({ "stop_limit": 0, "penalties": false });
    vec![
        Family::new(["gpt-3.5*", "gpt-4*", "chatgpt-4o*", "gpt-audio*"])
            .both(&plain)
            .chat(&json!({ "reasoning": "refused" }))
            .responses(&unreasoning),
        Family::new(["o1*", "o3*", "o4*"])
            .both(&json!({ "sampling": "refused", "logprobs": false, "verbosity": false }))
            .both(&json!({ "effort_words": { "low": "low", "medium": "medium", "high": "high" } }))
            .chat(&reasoner),
        Family::new(["gpt-5", "gpt-5-*"])
            .both(&json!({ "sampling": "refused", "logprobs": false }))
            .both(&json!({
                "effort_words": { "minimal": "minimal", "low": "low", "medium": "medium", "high": "high" }
            }))
            .chat(&reasoner),
        Family::new(["gpt-5.*"])
            .both(&json!({ "sampling": "without_reasoning", "logprobs": false }))
            .both(&json!({ "effort_words": { "none": "none", "low": "low", "medium": "medium", "high": "high" } }))
            .chat(&reasoner),
        Family::new(["gpt-5.2*", "gpt-5.3*", "gpt-5.4*", "gpt-5.5*", "gpt-5.6*"])
            .both(&json!({ "effort_words": { "xhigh": "xhigh" } })),
        Family::new(["gpt-6*"])
            .both(&json!({ "sampling": "refused", "logprobs": false }))
            .both(&json!({
                "effort_words": { "low": "low", "medium": "medium", "high": "high", "xhigh": "xhigh", "max": "max" }
            }))
            .chat(&reasoner),
        Family::new(["gpt-6-sol*", "gpt-6-luna*", "gpt-6.1-terra*"])
            .both(&json!({ "effort_words": { "none": "none" } })),
        Family::new(["gpt-5*-chat*"])
            .both(&json!({ "sampling": "accepted" }))
            .chat(&json!({ "reasoning": "refused" }))
            .responses(&unreasoning),
        Family::new(["gpt-audio*", "gpt-4o-audio*", "gpt-4o-mini-audio*"])
            .in_protocol(CHAT)
            .chat(&json!({ "json_schema": false, "json_object": false })),
        Family::new(["*-search-preview*", "gpt-5-search-api*"])
            .in_protocol(CHAT)
            .chat(&json!({ "sampling": "refused" })),
    ]
}

/// What gateways that pass fields on as they are must be told about reasoning models of `OpenAI`.
pub(super) fn openai_at_gateways() -> [Family; 1] {
    let models = ["gpt-5*", "gpt-6*", "o1*", "o3*", "o4*", "openai/gpt-5*", "openai/gpt-6*", "openai/o*"];
    [Family::new(models).chat(&json!({ "max_tokens": "max_completion_tokens" }))]
}

/// Which protocol the models of `OpenCode`'s gateway speak.
pub(super) fn opencode() -> [Family; 2] {
    [Family::new(["claude*"]).in_protocol(ANTHROPIC), Family::new(["gpt*"]).in_protocol(RESPONSES)]
}

/// The same for its subscription.
pub(super) fn opencode_go() -> [Family; 1] {
    [Family::new(["minimax*"]).in_protocol(ANTHROPIC)]
}
