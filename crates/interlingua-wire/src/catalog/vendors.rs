//! Those who serve the models they make.

use interlingua_model::{Effort, FinishReason};
use serde_json::json;

use super::families;
use super::row::{Row, after_last, field, in_header, row, unsupported, words};
use crate::openai_chat::{
    CacheMarks, Dialect, EndUser, FileParts, ReasoningEcho, ReasoningSwitch, RequiredWord, Seed, ToolCallIds,
};
use crate::openai_responses;
use crate::provider::{Auth, Family, Kind};

pub(super) fn rows() -> Vec<Row> {
    let mut rows = vec![openai(), anthropic(), google(), mistral(), codestral(), xai()];
    rows.extend(deepseek());
    rows.extend(moonshot());
    rows.extend(glm());
    rows.extend(qwen());
    rows.extend(minimax());
    rows.extend(chinese());
    rows.extend(smaller());
    rows.extend([perplexity(), meta()]);
    rows
}

fn vendor(id: &'static str, name: &'static str) -> Row {
    row(Kind::Vendor, id, name)
}

fn openai() -> Row {
    vendor("openai", "OpenAI")
        .responses("https://api.openai.com/v1")
        .recorded()
        .chat("https://api.openai.com/v1")
        .recorded()
        .default_model("gpt-5.6-luna")
        .keys(&["OPENAI_API_KEY"])
        .base_url_env(&["OPENAI_BASE_URL"])
        .models("/models")
        .speaks_chat(|chat| *chat = Dialect::openai())
        .speaks_responses(|responses| *responses = openai_responses::Dialect::openai())
        .families(families::openai())
        .note(
            "Responses is preferred: on Chat Completions the 5.4, 5.6 and 6 families refuse tools together with \
             reasoning",
        )
}

fn anthropic() -> Row {
    vendor("anthropic", "Anthropic")
        .aliases(&["claude"])
        .anthropic("https://api.anthropic.com")
        .recorded()
        .auth(in_header("x-api-key"))
        .default_model("claude-sonnet-5")
        .speaks_anthropic(families::newest_claude)
        .families(families::claude())
        .keys(&["ANTHROPIC_API_KEY"])
        .key_as("ANTHROPIC_AUTH_TOKEN", Auth::Bearer)
        .base_url_env(&["ANTHROPIC_BASE_URL"])
        .models("/v1/models?limit=1000")
        .listing(|listing| {
            listing.headers.push(crate::provider::Header::new("anthropic-version", "2023-06-01"));
            listing.page = Some(after_last());
        })
}

fn google() -> Row {
    vendor("google", "Google Gemini API (AI Studio)")
        .aliases(&["gemini"])
        .root("https://generativelanguage.googleapis.com")
        .chat("https://generativelanguage.googleapis.com/v1beta/openai")
        .with_auth(Auth::Bearer)
        .recorded()
        .auth(in_header("x-goog-api-key"))
        .default_model("gemini-flash-latest")
        .keys(&["GEMINI_API_KEY", "GOOGLE_API_KEY"])
        .base_url_env(&["GOOGLE_GEMINI_BASE_URL"])
        .models_in("/v1beta/models?pageSize=1000", "models", "name")
        .listing(|listing| {
            listing.prefix = "models/".into();
            listing.page = Some(crate::provider::Page::new("nextPageToken", "pageToken"));
        })
        .speaks_chat(|chat| {
            chat.top_k = false;
            chat.files = FileParts::Refused;
            chat.end_user = EndUser::Refused;
        })
        .note("a wrong key is refused with status 400")
}

fn mistral_chat(chat: &mut Dialect) {
    chat.seed = Seed::RandomSeed;
    chat.tool_result_name = true;
    chat.prefix = true;
    chat.tool_call_ids = ToolCallIds::Alphanumeric9;
    chat.reasoning_echo = ReasoningEcho::ThinkingChunks;
    chat.effort_words = words(&[(Effort::None, "none"), (Effort::High, "high")]);
    // Unknown fields are a 422, and usage comes with the last chunk without being asked for.
    chat.stream_usage = false;
    chat.end_user = EndUser::Refused;
    chat.files = FileParts::DocumentUrl;
    chat.metadata = true;
    chat.prompt_cache_key = true;
    chat.max_temperature = Some(1.5);
}

fn mistral() -> Row {
    vendor("mistral", "Mistral AI")
        .chat("https://api.mistral.ai/v1")
        .recorded()
        .default_model("mistral-small-latest")
        .keys(&["MISTRAL_API_KEY"])
        .models("/models")
        .speaks_chat(mistral_chat)
        .note("regional hosts: https://api.eu.mistral.ai/v1, https://api.us.mistral.ai/v1")
}

fn codestral() -> Row {
    vendor("codestral", "Mistral Codestral")
        .chat("https://codestral.mistral.ai/v1")
        .keys(&["CODESTRAL_API_KEY"])
        .models("/models")
        .speaks_chat(mistral_chat)
}

fn xai() -> Row {
    let unswitchable = ["grok-code*", "grok-4", "grok-4-0709", "grok-4-fast*", "grok-4-1-fast*"];
    vendor("xai", "xAI")
        .aliases(&["grok"])
        .responses("https://api.x.ai/v1")
        .recorded()
        .chat("https://api.x.ai/v1")
        .recorded()
        .default_model("grok-4.3")
        .keys(&["XAI_API_KEY"])
        .models("/models")
        .speaks_chat(|chat| chat.top_k = false)
        // Its own search of X comes back as calls of custom tools that it has already run.
        .speaks_responses(|responses| responses.hosted_custom_calls = true)
        .families([
            Family::new(["grok-3-mini*", "grok-4*", "grok-5*", "grok-code*"])
                .chat(&json!({ "penalties": false, "stop_limit": 0 })),
            Family::new(["grok-3-mini*"]).both(&json!({ "effort_words": { "low": "low", "high": "high" } })),
            Family::new(unswitchable)
                .chat(&json!({ "reasoning": "refused" }))
                .responses(&json!({ "effort": false })),
        ])
}

fn deepseek_chat(chat: &mut Dialect) {
    chat.reasoning = ReasoningSwitch::ThinkingType;
    chat.reasoning_echo = ReasoningEcho::ReasoningContent;
    chat.reasoning_echo_empty = true;
    chat.strict = false;
    chat.json_schema = false;
    chat.top_k = false;
    // Any part but text is refused as an unknown variant.
    chat.images = false;
    chat.audio = false;
    chat.files = FileParts::Refused;
}

fn deepseek() -> [Row; 2] {
    let main = vendor("deepseek", "DeepSeek")
        .chat("https://api.deepseek.com")
        .recorded()
        .anthropic("https://api.deepseek.com/anthropic")
        .responses("https://api.deepseek.com")
        .recorded()
        .default_model("deepseek-v4-flash")
        .speaks_anthropic(families::like_claude)
        .keys(&["DEEPSEEK_API_KEY"])
        .models("/models")
        .speaks_chat(deepseek_chat);
    let beta = vendor("deepseek-beta", "DeepSeek (beta features)")
        .chat("https://api.deepseek.com/beta")
        .keys(&["DEEPSEEK_API_KEY"])
        .models("https://api.deepseek.com/models")
        .speaks_chat(|chat| {
            deepseek_chat(chat);
            chat.strict = true;
            chat.prefix = true;
        })
        .note("strict tools and prefix messages");
    [main, beta]
}

fn moonshot_chat(chat: &mut Dialect) {
    chat.reasoning = ReasoningSwitch::ThinkingType;
    chat.reasoning_echo = ReasoningEcho::ReasoningContent;
    chat.tool_choice.required = RequiredWord::Refused;
    chat.strict = false;
    chat.max_temperature = Some(1.0);
    chat.audio = false;
    chat.files = FileParts::Refused;
    chat.video = true;
}

fn moonshot_families() -> [Family; 2] {
    let k3 = json!({ "reasoning": "effort", "effort_words": { "low": "low", "high": "high", "max": "max" } });
    [Family::new(["kimi-k3*"]).chat(&k3), Family::new(["*thinking*"]).chat(&json!({ "sampling": "refused" }))]
}

fn moonshot() -> [Row; 3] {
    let world = vendor("moonshot", "Moonshot AI (Kimi)")
        .aliases(&["kimi", "moonshotai"])
        .chat("https://api.moonshot.ai/v1")
        .anthropic("https://api.moonshot.ai/anthropic")
        .speaks_anthropic(families::like_claude)
        .keys(&["MOONSHOT_API_KEY"])
        .models("/models")
        .speaks_chat(moonshot_chat)
        .families(moonshot_families())
        .note("keys belong to one region: see moonshot-cn");
    let china = vendor("moonshot-cn", "Moonshot AI (China)")
        .chat("https://api.moonshot.cn/v1")
        .keys(&["MOONSHOT_API_KEY"])
        .models("/models")
        .speaks_chat(moonshot_chat)
        .families(moonshot_families());
    let coding = vendor("kimi-coding", "Kimi for Coding")
        .root("https://api.kimi.com/coding")
        .anthropic("https://api.kimi.com/coding")
        .chat("https://api.kimi.com/coding/v1")
        .auth(in_header("x-api-key"))
        .speaks_anthropic(families::like_claude)
        .keys(&["KIMI_API_KEY"])
        .models("/v1/models")
        .speaks_chat(moonshot_chat);
    [world, china, coding]
}

fn glm_chat(chat: &mut Dialect) {
    chat.reasoning = ReasoningSwitch::ThinkingType;
    chat.tool_choice.none = false;
    chat.tool_choice.required = RequiredWord::Refused;
    chat.tool_choice.named = false;
    chat.strict = false;
    chat.json_schema = false;
    chat.top_k = false;
    chat.max_temperature = Some(1.0);
    // Without it the arguments of a call come in one piece at the end.
    chat.body.extend([field("tool_stream", json!(true))]);
    chat.finish_words.insert("sensitive".to_owned(), FinishReason::Filtered);
    chat.finish_words.insert("network_error".to_owned(), FinishReason::Other);
}

fn glm() -> [Row; 3] {
    let world = vendor("zai", "Z.ai (GLM)")
        .aliases(&["glm", "z-ai"])
        .chat("https://api.z.ai/api/paas/v4")
        .recorded()
        .anthropic("https://api.z.ai/api/anthropic")
        .speaks_anthropic(families::like_claude)
        .keys(&["ZAI_API_KEY"])
        .models("/models")
        .speaks_chat(glm_chat);
    let coding = vendor("zai-coding", "Z.ai (coding plan)")
        .chat("https://api.z.ai/api/coding/paas/v4")
        .recorded()
        .keys(&["ZAI_API_KEY"])
        .models("/models")
        .speaks_chat(glm_chat);
    let china = vendor("bigmodel", "Zhipu BigModel")
        .aliases(&["zhipu", "zhipuai"])
        .chat("https://open.bigmodel.cn/api/paas/v4")
        .keys(&["BIGMODEL_API_KEY", "ZHIPUAI_API_KEY"])
        .models("/models")
        .speaks_chat(glm_chat);
    [world, coding, china]
}

fn qwen_chat(chat: &mut Dialect) {
    chat.reasoning = ReasoningSwitch::EnableThinking;
    chat.cache_marks = CacheMarks::CacheControl;
    chat.files = FileParts::Refused;
    chat.video = true;
}

fn qwen() -> [Row; 3] {
    let world = vendor("dashscope", "Alibaba DashScope / Qwen (international)")
        .aliases(&["qwen", "alibaba"])
        .chat("https://dashscope-intl.aliyuncs.com/compatible-mode/v1")
        .recorded()
        .keys(&["DASHSCOPE_API_KEY", "ALIBABA_API_KEY"])
        .models("/models")
        .speaks_chat(qwen_chat)
        .note("keys belong to one region: see dashscope-cn and dashscope-us");
    let china = vendor("dashscope-cn", "Alibaba DashScope (China)")
        .chat("https://dashscope.aliyuncs.com/compatible-mode/v1")
        .recorded()
        .keys(&["DASHSCOPE_API_KEY"])
        .models("/models")
        .speaks_chat(qwen_chat);
    let states = vendor("dashscope-us", "Alibaba DashScope (US)")
        .chat("https://dashscope-us.aliyuncs.com/compatible-mode/v1")
        .recorded()
        .keys(&["DASHSCOPE_API_KEY"])
        .models("/models")
        .speaks_chat(qwen_chat);
    [world, china, states]
}

fn minimax_chat(chat: &mut Dialect) {
    // The models think whenever they like; without the split the thoughts stand in the text.
    chat.body.extend([field("reasoning_split", json!(true))]);
    chat.reasoning = ReasoningSwitch::Refused;
    chat.reasoning_echo = ReasoningEcho::Details;
    chat.max_temperature = Some(1.0);
    chat.audio = false;
    chat.files = FileParts::Refused;
}

fn minimax() -> [Row; 2] {
    let world = vendor("minimax", "MiniMax")
        .chat("https://api.minimax.io/v1")
        .recorded()
        .anthropic("https://api.minimax.io/anthropic")
        .default_model("MiniMax-M2.7")
        .speaks_anthropic(|dialect| {
            families::like_claude(dialect);
            dialect.cache = true;
        })
        .keys(&["MINIMAX_API_KEY"])
        .speaks_chat(minimax_chat)
        .note("keys belong to one region: see minimax-cn");
    let china = vendor("minimax-cn", "MiniMax (China)")
        .chat("https://api.minimaxi.com/v1")
        .anthropic("https://api.minimaxi.com/anthropic")
        .speaks_anthropic(|dialect| {
            families::like_claude(dialect);
            dialect.cache = true;
        })
        .keys(&["MINIMAX_CN_API_KEY", "MINIMAX_API_KEY"])
        .speaks_chat(minimax_chat);
    [world, china]
}

fn chinese() -> Vec<Row> {
    let switched = |chat: &mut Dialect| chat.reasoning = ReasoningSwitch::ThinkingType;
    vec![
        vendor("xiaomi", "Xiaomi MiMo")
            .aliases(&["mimo"])
            .chat("https://api.xiaomimimo.com/v1")
            .recorded()
            .anthropic("https://api.xiaomimimo.com/anthropic")
            .default_model("mimo-v2.5")
            .speaks_anthropic(families::like_claude)
            .keys(&["XIAOMI_API_KEY", "XIAOMI_MIMO_API_KEY"])
            .models("/models")
            .speaks_chat(|chat| {
                chat.reasoning = ReasoningSwitch::ThinkingType;
                chat.reasoning_echo = ReasoningEcho::ReasoningContent;
                chat.files = FileParts::Refused;
                chat.video = true;
            })
            .note("subscriptions have hosts of their own: token-plan-cn, -ams and -sgp.xiaomimimo.com"),
        vendor("volcengine", "Volcengine Ark (Doubao)")
            .aliases(&["ark", "doubao"])
            .chat("https://ark.cn-beijing.volces.com/api/v3")
            .responses("https://ark.cn-beijing.volces.com/api/v3")
            .keys(&["ARK_API_KEY", "VOLCENGINE_API_KEY"])
            .speaks_chat(switched)
            .note("the model may be the id of an endpoint, ep-…"),
        vendor("byteplus", "BytePlus ModelArk")
            .chat("https://ark.ap-southeast.bytepluses.com/api/v3")
            .responses("https://ark.ap-southeast.bytepluses.com/api/v3")
            .keys(&["ARK_API_KEY", "BYTEPLUS_API_KEY"])
            .speaks_chat(switched),
        vendor("tencent", "Tencent TokenHub")
            .chat("https://tokenhub-intl.tencentcloudmaas.com/v1")
            .keys(&["TENCENT_API_KEY"])
            .models("/models"),
        vendor("hunyuan", "Tencent Hunyuan")
            .chat("https://api.hunyuan.cloud.tencent.com/v1")
            .keys(&["HUNYUAN_API_KEY"])
            .models("/models"),
        vendor("ernie", "Baidu Qianfan (ERNIE)")
            .aliases(&["qianfan", "baidu"])
            .chat("https://qianfan.baidubce.com/v2")
            .keys(&["QIANFAN_API_KEY", "ERNIE_API_KEY"])
            .models("/models"),
        vendor("stepfun", "StepFun")
            .chat("https://api.stepfun.com/v1")
            .keys(&["STEPFUN_API_KEY"])
            .models("/models")
            .unverified(),
    ]
}

/// A vendor that speaks Chat Completions with a bearer key and lists its models in the usual place.
fn plain(id: &'static str, name: &'static str, base_url: &'static str, keys: &'static [&'static str]) -> Row {
    vendor(id, name).chat(base_url).keys(keys).models("/models")
}

fn smaller() -> Vec<Row> {
    vec![
        plain("ai21", "AI21", "https://api.ai21.com/studio/v1", &["AI21_API_KEY"]),
        plain("meta-llama", "Llama API", "https://api.llama.com/compat/v1", &["LLAMA_API_KEY"])
            .speaks_chat(|chat| chat.json_object = false),
        plain("amazon-nova", "Amazon Nova API", "https://api.nova.amazon.com/v1", &["AMAZON_NOVA_API_KEY"]),
        plain("inception", "Inception Labs", "https://api.inceptionlabs.ai/v1", &["INCEPTION_API_KEY"])
            .recorded(),
        plain("reka", "Reka", "https://api.reka.ai/v1", &["REKA_API_KEY"]),
        plain("sarvam", "Sarvam AI", "https://api.sarvam.ai/v1", &["SARVAM_API_KEY"])
            .auth(in_header("api-subscription-key")),
        plain(
            "gigachat",
            "GigaChat",
            "https://gigachat.devices.sberbank.ru/api/v1",
            &["GIGACHAT_API_KEY", "GIGACHAT_CREDENTIALS"],
        )
        .auth(unsupported("a key exchanged for a token of 30 minutes"))
        .note("functions instead of tools"),
        vendor("v0", "Vercel v0").chat("https://api.v0.dev/v1").keys(&["V0_API_KEY"]),
        plain("morph", "Morph", "https://api.morphllm.com/v1", &["MORPH_API_KEY"])
            .speaks_chat(|chat| chat.tools = false),
        plain("cognition", "Cognition", "https://api.cognition.ai/v1", &["COGNITION_API_KEY"]),
    ]
}

fn perplexity() -> Row {
    vendor("perplexity", "Perplexity")
        .chat("https://api.perplexity.ai")
        .recorded()
        .default_model("sonar")
        .keys(&["PERPLEXITY_API_KEY", "PERPLEXITYAI_API_KEY"])
        .speaks_chat(|chat| {
            chat.tools = false;
            chat.json_object = false;
            chat.audio = false;
        })
        .note("user and assistant messages must alternate")
}

fn meta() -> Row {
    vendor("meta", "Meta Model API")
        .root("https://api.meta.ai/v1")
        .chat("https://api.meta.ai/v1")
        .responses("https://api.meta.ai/v1")
        .anthropic("https://api.meta.ai")
        .speaks_anthropic(families::like_claude)
        .keys(&["META_API_KEY"])
        .models("/models")
}
