//! Those who serve models that others make.

use interlingua_model::FinishReason;
use serde_json::json;

use super::row::{Row, row};
use crate::openai_chat::{
    Dialect, EndUser, FileParts, MaxTokens, ReasoningDisplay, ReasoningEcho, ReasoningSwitch,
};
use crate::provider::{Family, Kind};

pub(super) fn rows() -> Vec<Row> {
    let mut rows = vec![groq(), together(), fireworks(), cerebras(), nvidia()];
    rows.extend(plain_hosts());
    rows.extend(more_plain_hosts());
    rows.extend(special_hosts());
    rows
}

fn groq() -> Row {
    row(Kind::Host, "groq", "Groq")
        .chat("https://api.groq.com/openai/v1")
        .recorded()
        .responses("https://api.groq.com/openai/v1")
        .default_model("openai/gpt-oss-120b")
        .keys(&["GROQ_API_KEY"])
        .models("/models")
        .speaks_chat(|chat| {
            // Unknown fields of messages are refused.
            chat.reasoning_echo = ReasoningEcho::Never;
            chat.reasoning_display = ReasoningDisplay::IncludeReasoning;
            chat.logprobs = false;
            chat.top_k = false;
            chat.service_tier = true;
            chat.audio = false;
            chat.files = FileParts::Refused;
            chat.max_tokens = MaxTokens::MaxCompletionTokens;
        })
        .families([
            Family::new(["openai/gpt-oss*"])
                .chat(&json!({ "effort_words": { "low": "low", "medium": "medium", "high": "high" } })),
            Family::new(["qwen/*"]).chat(&json!({ "effort_words": { "none": "none", "medium": "default" } })),
        ])
}

/// A host that speaks Chat Completions with a bearer key and lists its models in the usual place.
fn host(id: &'static str, name: &'static str, base_url: &'static str, keys: &'static [&'static str]) -> Row {
    row(Kind::Host, id, name).chat(base_url).keys(keys).models("/models")
}

fn together() -> Row {
    host(
        "together",
        "Together AI",
        "https://api.together.ai/v1",
        &["TOGETHER_API_KEY", "TOGETHER_AI_API_KEY"],
    )
    .default_model("openai/gpt-oss-120b")
    .recorded()
    .speaks_chat(|chat| {
        chat.reasoning = ReasoningSwitch::ReasoningEnabled;
        chat.strict = false;
        chat.finish_words.insert("eos".to_owned(), FinishReason::Stop);
    })
}

fn fireworks() -> Row {
    row(Kind::Host, "fireworks", "Fireworks AI")
        .root("https://api.fireworks.ai/inference/v1")
        .chat("https://api.fireworks.ai/inference/v1")
        .responses("https://api.fireworks.ai/inference/v1")
        .anthropic("https://api.fireworks.ai/inference")
        .speaks_anthropic(super::families::like_claude)
        .keys(&["FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY"])
        .models("/models")
        .note("models are named accounts/fireworks/models/…")
}

fn cerebras() -> Row {
    host("cerebras", "Cerebras", "https://api.cerebras.ai/v1", &["CEREBRAS_API_KEY"])
        .default_model("gpt-oss-120b")
        .recorded()
        .speaks_chat(|chat| {
            chat.max_tokens = MaxTokens::MaxCompletionTokens;
            chat.penalties = false;
            chat.top_k = false;
            chat.audio = false;
            chat.files = FileParts::Refused;
        })
}

fn nvidia() -> Row {
    host(
        "nvidia",
        "NVIDIA NIM",
        "https://integrate.api.nvidia.com/v1",
        &["NVIDIA_API_KEY", "NVIDIA_NIM_API_KEY"],
    )
    .aliases(&["nim"])
    .speaks_chat(|chat| {
        // Which fields a model takes differs, and the others are refused.
        chat.reasoning = ReasoningSwitch::ChatTemplateEnableThinking;
        chat.parallel_tool_calls = false;
        chat.end_user = EndUser::Refused;
        chat.top_k = false;
    })
    .families([Family::new(["deepseek-ai/*"]).chat(&json!({ "reasoning": "chat_template_thinking" }))])
}

fn plain_hosts() -> Vec<Row> {
    vec![
        host("sambanova", "SambaNova", "https://api.sambanova.ai/v1", &["SAMBANOVA_API_KEY"])
            .note("some models take messages of plain text only"),
        host(
            "deepinfra",
            "DeepInfra",
            "https://api.deepinfra.com/v1/openai",
            &["DEEPINFRA_API_KEY", "DEEPINFRA_TOKEN"],
        ),
        host("baseten", "Baseten", "https://inference.baseten.co/v1", &["BASETEN_API_KEY"]).recorded(),
        host("novita", "Novita AI", "https://api.novita.ai/v3/openai", &["NOVITA_API_KEY"]),
        host(
            "nebius",
            "Nebius AI Studio / Token Factory",
            "https://api.studio.nebius.ai/v1",
            &["NEBIUS_API_KEY"],
        )
        .note("newer host: https://api.tokenfactory.nebius.com/v1"),
        host("hyperbolic", "Hyperbolic", "https://api.hyperbolic.xyz/v1", &["HYPERBOLIC_API_KEY"]),
        host("lambda", "Lambda", "https://api.lambda.ai/v1", &["LAMBDA_API_KEY"]),
        host(
            "friendli",
            "FriendliAI",
            "https://api.friendli.ai/serverless/v1",
            &["FRIENDLI_TOKEN", "FRIENDLIAI_API_KEY"],
        ),
        host(
            "featherless",
            "Featherless AI",
            "https://api.featherless.ai/v1",
            &["FEATHERLESS_API_KEY", "FEATHERLESS_AI_API_KEY"],
        ),
        host("nscale", "Nscale", "https://inference.api.nscale.com/v1", &["NSCALE_API_KEY"]),
        host(
            "ovhcloud",
            "OVHcloud AI Endpoints",
            "https://oai.endpoints.kepler.ai.cloud.ovh.net/v1",
            &["OVHCLOUD_API_KEY", "OVH_AI_ENDPOINTS_ACCESS_TOKEN"],
        ),
        host("scaleway", "Scaleway Generative APIs", "https://api.scaleway.ai/v1", &["SCW_SECRET_KEY"]),
    ]
}

fn more_plain_hosts() -> Vec<Row> {
    vec![
        host("crusoe", "Crusoe", "https://api.inference.crusoecloud.com/v1", &["CRUSOE_API_KEY"]).recorded(),
        host("gmi", "GMI Cloud", "https://api.gmi-serving.com/v1", &["GMI_API_KEY"]),
        host("chutes", "Chutes", "https://llm.chutes.ai/v1", &["CHUTES_API_KEY"]),
        host("synthetic", "Synthetic", "https://api.synthetic.new/openai/v1", &["SYNTHETIC_API_KEY"]),
        host("venice", "Venice AI", "https://api.venice.ai/api/v1", &["VENICE_API_KEY", "VENICE_AI_API_KEY"])
            .recorded(),
        host("wandb", "W&B Inference", "https://api.inference.wandb.ai/v1", &["WANDB_API_KEY"])
            .note("the header OpenAI-Project names team/project"),
        host(
            "clarifai",
            "Clarifai",
            "https://api.clarifai.com/v2/ext/openai/v1",
            &["CLARIFAI_API_KEY", "CLARIFAI_PAT"],
        ),
        host("modelscope", "ModelScope", "https://api-inference.modelscope.cn/v1", &["MODELSCOPE_API_KEY"]),
        host("siliconflow", "SiliconFlow", "https://api.siliconflow.cn/v1", &["SILICONFLOW_API_KEY"])
            .speaks_chat(|chat| chat.reasoning = ReasoningSwitch::EnableThinking)
            .note("international host, not verified: https://api.siliconflow.com/v1"),
        host(
            "digitalocean",
            "DigitalOcean Gradient",
            "https://inference.do-ai.run/v1",
            &["GRADIENT_AI_API_KEY", "DIGITALOCEAN_INFERENCE_KEY"],
        ),
    ]
}

fn special_hosts() -> [Row; 3] {
    let careful = |chat: &mut Dialect| chat.end_user = EndUser::Refused;
    [
        host("parasail", "Parasail", "https://api.parasail.io/v1", &["PARASAIL_API_KEY"])
            .responses("https://api.parasail.io/v1"),
        row(Kind::Host, "heroku", "Heroku Managed Inference")
            .chat("https://us.inference.heroku.com/v1")
            .recorded()
            .keys(&["HEROKU_API_KEY", "INFERENCE_KEY"])
            .base_url_env(&["HEROKU_API_BASE", "INFERENCE_URL"])
            .speaks_chat(careful)
            .unverified(),
        row(Kind::Host, "cloudflare-workers-ai", "Cloudflare Workers AI")
            .aliases(&["workers-ai"])
            .chat("https://api.cloudflare.com/client/v4/accounts/{account_id}/ai/v1")
            .keys(&["CLOUDFLARE_API_KEY", "CLOUDFLARE_API_TOKEN"])
            .variable("account_id", &["CLOUDFLARE_ACCOUNT_ID"])
            .note("the header x-session-affinity keeps a conversation on one machine, for its cache"),
    ]
}
