//! Model families that several rows share.

use interlingua_model::Effort;
use serde_json::json;

use super::row::{ANTHROPIC, CHAT, RESPONSES};
use crate::anthropic;
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
        Family::new(["gpt-5.4*", "gpt-5.6*", "gpt-6*"]).chat(&json!({ "effort_with_tools": false })),
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

/// Messages as the newest models of Claude take them, which is what a model that no family knows is taken for.
///
/// Source: the capability table of the vendor's Models API and of its SDKs.
pub(super) fn newest_claude(dialect: &mut anthropic::Dialect) {
    dialect.max_output = 128_000;
    dialect.sampling = false;
    dialect.thinking_budget = false;
}

/// The same through a service that only knows the first version of the protocol.
pub(super) fn claude_elsewhere(dialect: &mut anthropic::Dialect) {
    newest_claude(dialect);
    dialect.version = anthropic::Version::V2023;
}

/// Messages as services take them whose own models speak it for the sake of Claude's clients.
pub(super) fn like_claude(dialect: &mut anthropic::Dialect) {
    dialect.version = anthropic::Version::V2023;
    dialect.max_output = 32_000;
    dialect.adaptive_thinking = false;
    dialect.efforts = Vec::new();
    dialect.system_anywhere = false;
    dialect.schema = false;
    dialect.cache = false;
    dialect.strict_tools = false;
}

/// The same for a program at home, whose contexts are small.
pub(super) fn like_claude_at_home(dialect: &mut anthropic::Dialect) {
    like_claude(dialect);
    dialect.max_output = 8192;
}

/// What the models of Claude take, from the oldest to the newest, under the names of all clouds.
pub(super) fn claude() -> Vec<Family> {
    let mut families = claude_before_4_6();
    families.extend(claude_from_4_6());
    families
}

fn claude_before_4_6() -> Vec<Family> {
    let budgets = json!({
        "sampling": true,
        "adaptive_thinking": false,
        "thinking_budget": true,
        "efforts": [],
        "system_anywhere": false
    });
    let unbound = json!({ "schema": false, "strict_tools": false });
    vec![
        Family::new(["*claude-3*"])
            .anthropic(&budgets)
            .anthropic(&unbound)
            .anthropic(&json!({ "max_output": 4096, "thinking_budget": false })),
        Family::new(["*claude-3?5*"]).anthropic(&json!({ "max_output": 8192 })),
        Family::new(["*claude-3?7*"]).anthropic(&json!({ "max_output": 64_000, "thinking_budget": true })),
        Family::new(["*sonnet-4", "*sonnet-4-0", "*sonnet-4-20*", "*sonnet-4@*"])
            .anthropic(&budgets)
            .anthropic(&unbound)
            .anthropic(&json!({ "max_output": 64_000 })),
        Family::new(["*opus-4", "*opus-4-0", "*opus-4-20*", "*opus-4@*"])
            .anthropic(&budgets)
            .anthropic(&unbound)
            .anthropic(&json!({ "max_output": 32_000 })),
        Family::new(["*opus-4?1*"]).anthropic(&budgets).anthropic(&json!({ "max_output": 32_000 })),
        Family::new(["*sonnet-4?5*", "*opus-4?5*", "*haiku-4?5*"])
            .anthropic(&budgets)
            .anthropic(&json!({ "max_output": 64_000 })),
        Family::new(["*opus-4?5*"])
            .anthropic(&json!({ "efforts": [Effort::Low, Effort::Medium, Effort::High] })),
    ]
}

fn claude_from_4_6() -> Vec<Family> {
    let bound = json!({ "thinking_off": false, "forced_tool_choice": false });
    vec![
        Family::new(["*opus-4?6*", "*sonnet-4?6*"]).anthropic(&json!({
            "sampling": true,
            "thinking_budget": true,
            "efforts": [Effort::Low, Effort::Medium, Effort::High, Effort::Max],
            "system_anywhere": false
        })),
        // Sonnet 5 answers instructions between the turns with 200 and ignores them.
        Family::new(["*opus-4?7*", "*sonnet-5*"]).anthropic(&json!({ "system_anywhere": false })),
        Family::new(["*opus-5*"]).anthropic(&json!({ "thinking_budget": true })),
        Family::new(["*fable-5*", "*mythos-5*"]).anthropic(&json!({ "thinking_off": false })),
        Family::new([
            "*fable-5?1",
            "*fable-5?1-*",
            "*fable-5?2",
            "*fable-5?2-*",
            "*mythos-5?1",
            "*mythos-5?1-*",
        ])
        .anthropic(&bound),
        Family::new(["*sonnet-5?5*", "*opus-5?5*"])
            .anthropic(&bound)
            .anthropic(&json!({ "thinking_budget": false, "system_anywhere": true })),
    ]
}
