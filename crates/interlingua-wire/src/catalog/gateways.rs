//! Those who pass requests on to other services.

use interlingua_model::Effort;

use super::families;
use super::row::{Row, in_header, row, unsupported, words};
use crate::openai_chat::{CacheMarks, ReasoningEcho, ReasoningSwitch};
use crate::provider::Kind;

pub(super) fn rows() -> Vec<Row> {
    let mut rows = vec![
        openrouter(),
        huggingface(),
        vercel(),
        cloudflare(),
        github_copilot(),
        github_models(),
        opencode_zen(),
        opencode_go(),
        litellm(),
    ];
    rows.extend(plain_gateways());
    rows.extend(wide_gateways());
    rows
}

fn gateway(id: &'static str, name: &'static str) -> Row {
    row(Kind::Gateway, id, name)
}

fn openrouter() -> Row {
    gateway("openrouter", "OpenRouter")
        .root("https://openrouter.ai/api/v1")
        .chat("https://openrouter.ai/api/v1")
        .recorded()
        .responses("https://openrouter.ai/api/v1")
        .recorded()
        .anthropic("https://openrouter.ai/api")
        .default_model("openrouter/auto")
        .speaks_anthropic(families::claude_elsewhere)
        .families(families::claude())
        .keys(&["OPENROUTER_API_KEY"])
        .models("/models")
        .speaks_chat(|chat| {
            chat.reasoning = ReasoningSwitch::ReasoningObject;
            chat.reasoning_echo = ReasoningEcho::Details;
            chat.effort_words = words(&[
                (Effort::None, "none"),
                (Effort::Minimal, "minimal"),
                (Effort::Low, "low"),
                (Effort::Medium, "medium"),
                (Effort::High, "high"),
                (Effort::XHigh, "xhigh"),
                (Effort::Max, "xhigh"),
            ]);
            chat.cache_marks = CacheMarks::CacheControl;
            chat.verbosity = true;
        })
        .note("models are named vendor/model; the headers HTTP-Referer and X-Title name an application")
}

fn huggingface() -> Row {
    gateway("huggingface", "Hugging Face Router")
        .aliases(&["hf"])
        .chat("https://router.huggingface.co/v1")
        .recorded()
        .responses("https://router.huggingface.co/v1")
        .keys(&["HF_TOKEN", "HUGGINGFACE_API_KEY"])
        .models("/models")
        .note("a model may end in :provider or :fastest")
}

fn vercel() -> Row {
    gateway("vercel-ai-gateway", "Vercel AI Gateway")
        .aliases(&["vercel"])
        .root("https://ai-gateway.vercel.sh/v1")
        .chat("https://ai-gateway.vercel.sh/v1")
        .responses("https://ai-gateway.vercel.sh/v1")
        .anthropic("https://ai-gateway.vercel.sh")
        .speaks_anthropic(families::claude_elsewhere)
        .families(families::claude())
        .keys(&["AI_GATEWAY_API_KEY", "VERCEL_AI_GATEWAY_API_KEY", "VERCEL_OIDC_TOKEN"])
        .models("/models")
        .families(families::openai_at_gateways())
}

fn cloudflare() -> Row {
    gateway("cloudflare-ai-gateway", "Cloudflare AI Gateway")
        .root("https://gateway.ai.cloudflare.com/v1/{account_id}/{gateway_id}")
        .chat("https://gateway.ai.cloudflare.com/v1/{account_id}/{gateway_id}/compat")
        .responses("https://gateway.ai.cloudflare.com/v1/{account_id}/{gateway_id}/openai")
        .anthropic("https://gateway.ai.cloudflare.com/v1/{account_id}/{gateway_id}/anthropic")
        .speaks_anthropic(families::claude_elsewhere)
        .families(families::claude())
        .keys(&["CLOUDFLARE_API_KEY", "CLOUDFLARE_API_TOKEN"])
        .variable("account_id", &["CLOUDFLARE_ACCOUNT_ID"])
        .variable("gateway_id", &["CLOUDFLARE_GATEWAY_ID"])
        .or("default")
        .families(families::openai_at_gateways())
        .note("a gateway with a lock of its own wants the header cf-aig-authorization")
}

fn github_copilot() -> Row {
    gateway("github-copilot", "GitHub Copilot")
        .aliases(&["copilot"])
        .chat("https://api.individual.githubcopilot.com")
        .recorded()
        .responses("https://api.individual.githubcopilot.com")
        .recorded()
        .anthropic("https://api.individual.githubcopilot.com")
        .auth(unsupported("a login exchanged for a token"))
        .speaks_anthropic(families::claude_elsewhere)
        .families(families::claude())
        .keys(&["COPILOT_GITHUB_TOKEN"])
        .models("https://api.githubcopilot.com/models")
        .families(families::openai_at_gateways())
        .note("which protocol a model speaks differs; the terms of the subscription apply")
}

fn github_models() -> Row {
    gateway("github-models", "GitHub Models")
        .chat("https://models.github.ai/inference")
        .keys(&["GITHUB_TOKEN", "GITHUB_API_KEY"])
        .models_in("https://models.github.ai/catalog/models", "", "id")
        .header("accept", "application/vnd.github+json")
        .families(families::openai_at_gateways())
        .note("models are named publisher/model")
}

fn opencode_zen() -> Row {
    gateway("opencode-zen", "OpenCode Zen")
        .aliases(&["opencode"])
        .root("https://opencode.ai/zen/v1")
        .chat("https://opencode.ai/zen/v1")
        .responses("https://opencode.ai/zen/v1")
        .anthropic("https://opencode.ai/zen")
        .with_auth(in_header("x-api-key"))
        .speaks_anthropic(families::claude_elsewhere)
        .families(families::claude())
        .keys(&["OPENCODE_API_KEY"])
        .models("/models")
        .families(families::opencode())
        .families(families::openai_at_gateways())
}

fn opencode_go() -> Row {
    gateway("opencode-go", "OpenCode Go")
        .root("https://opencode.ai/zen/go/v1")
        .chat("https://opencode.ai/zen/go/v1")
        .anthropic("https://opencode.ai/zen/go")
        .with_auth(in_header("x-api-key"))
        .speaks_anthropic(families::like_claude)
        .keys(&["OPENCODE_API_KEY"])
        .models("/models")
        .families(families::opencode_go())
}

fn litellm() -> Row {
    gateway("litellm-proxy", "LiteLLM proxy")
        .aliases(&["litellm"])
        .chat("http://localhost:4000")
        .responses("http://localhost:4000")
        .anthropic("http://localhost:4000")
        .speaks_anthropic(families::claude_elsewhere)
        .families(families::claude())
        .keys(&["LITELLM_API_KEY", "LITELLM_PROXY_API_KEY"])
        .base_url_env(&["LITELLM_PROXY_API_BASE"])
        .models("/v1/models")
        .speaks_chat(|chat| chat.empty_tools = true)
}

/// A gateway that speaks Chat Completions with a bearer key and lists its models in the usual place.
fn plain(id: &'static str, name: &'static str, base_url: &'static str, keys: &'static [&'static str]) -> Row {
    gateway(id, name).chat(base_url).keys(keys).models("/models")
}

fn plain_gateways() -> Vec<Row> {
    let reasoners = families::openai_at_gateways;
    vec![
        plain("helicone", "Helicone AI Gateway", "https://ai-gateway.helicone.ai/v1", &["HELICONE_API_KEY"])
            .families(reasoners()),
        plain("nano-gpt", "NanoGPT", "https://nano-gpt.com/api/v1", &["NANOGPT_API_KEY"]),
        plain("aimlapi", "AI/ML API", "https://api.aimlapi.com/v1", &["AIML_API_KEY", "AIMLAPI_KEY"]),
        plain("cometapi", "CometAPI", "https://api.cometapi.com/v1", &["COMETAPI_KEY", "COMETAPI_API_KEY"]),
        plain("edenai", "Eden AI", "https://api.edenai.run/v3", &["EDENAI_API_KEY"]).families(reasoners()),
        plain("requesty", "Requesty", "https://router.requesty.ai/v1", &["REQUESTY_API_KEY"])
            .families(reasoners()),
        gateway("assemblyai", "AssemblyAI LLM Gateway")
            .chat("https://llm-gateway.assemblyai.com/v1")
            .keys(&["ASSEMBLYAI_API_KEY"]),
        plain("publicai", "Public AI", "https://api.publicai.co/v1", &["PUBLICAI_API_KEY"])
            .speaks_chat(|chat| chat.string_content = true),
    ]
}

fn wide_gateways() -> [Row; 3] {
    [
        plain("poe", "Poe", "https://api.poe.com/v1", &["POE_API_KEY"]).responses("https://api.poe.com/v1"),
        plain("aihubmix", "AIHubMix", "https://aihubmix.com/v1", &["AIHUBMIX_API_KEY"])
            .root("https://aihubmix.com/v1")
            .responses("https://aihubmix.com/v1")
            .anthropic("https://aihubmix.com")
            .speaks_anthropic(families::claude_elsewhere)
            .families(families::claude())
            .families(families::openai_at_gateways()),
        plain("cortecs", "Cortecs", "https://api.cortecs.ai/v1", &["CORTECS_API_KEY"])
            .root("https://api.cortecs.ai/v1")
            .responses("https://api.cortecs.ai/v1")
            .anthropic("https://api.cortecs.ai")
            .speaks_anthropic(families::claude_elsewhere)
            .families(families::claude())
            .families(families::openai_at_gateways()),
    ]
}
