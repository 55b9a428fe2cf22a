//! The table of providers: sound in itself, equal to its page, and equal to what is known of the services.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use interlingua_model::{Effort, FunctionTool, Json, Request};
use interlingua_wire::openai_chat::{MaxTokens, ReasoningSwitch, SystemRole};
use interlingua_wire::{
    Auth, Kind, Mode, Protocol, Provider, anthropic, catalog, openai_chat, openai_responses, with_model,
};
use serde::Deserialize;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A folder beside the repository, or `None` where it is absent, which is said aloud.
fn shared(name: &str) -> Option<PathBuf> {
    let corpus = std::env::var_os("INTERLINGUA_CORPUS").map(PathBuf::from);
    let folder = corpus.and_then(|corpus| corpus.parent().map(Path::to_path_buf));
    let path = folder.unwrap_or_else(|| repository().join("../shared")).join(name);
    let found = path.exists();
    if !found {
        eprintln!("skipped: {} absent", path.display());
    }
    found.then_some(path)
}

#[test]
fn every_row_is_sound() {
    for provider in catalog::all() {
        provider.check().unwrap();
        assert!(!provider.name.is_empty(), "{} has no name", provider.id);
        let text = serde_json::to_string(provider).unwrap();
        let back: Provider = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(&back, provider, "a row changes on its way through a file");
        let spoken: BTreeSet<_> = provider.endpoints.iter().map(|endpoint| endpoint.protocol).collect();
        assert_eq!(spoken.len(), provider.endpoints.len(), "{} names a protocol twice", provider.id);
        let plain = matches!(provider.auth, Auth::None | Auth::Google | Auth::Unsupported(_))
            || provider.kind == Kind::Local;
        assert!(plain || !provider.keys.is_empty(), "{} names no variable for its key", provider.id);
        let encrypted = provider.endpoints.iter().all(|endpoint| endpoint.base_url.starts_with("https://"));
        let own = provider.kind == Kind::Local || provider.id == "litellm-proxy";
        assert!(encrypted || own, "{} sends keys in the clear", provider.id);
    }
}

#[test]
fn every_word_means_one_provider() {
    let mut seen = BTreeMap::new();
    for provider in catalog::all() {
        for word in std::iter::once(&provider.id).chain(&provider.aliases) {
            assert_eq!(seen.insert(word.clone(), provider.id.clone()), None, "`{word}` means two providers");
            assert_eq!(catalog::find(word).unwrap().id, provider.id);
        }
    }
    assert!(catalog::find("no-such-provider").is_none());
}

#[test]
fn unknown_words_get_suggestions() {
    assert_eq!(catalog::suggest("opnai")[0], "openai");
    assert_eq!(catalog::suggest("deepsek")[0], "deepseek");
    assert_eq!(catalog::suggest("Claud")[0], "anthropic");
    assert!(catalog::suggest("zzzzzzzz").is_empty());
}

#[test]
fn every_patch_of_a_family_fits() {
    for provider in catalog::all() {
        for family in &provider.families {
            for pattern in &family.models {
                let model = pattern.replace('*', "-x").replace('?', ".");
                assert!(family.matches(&model), "{}: {pattern}", provider.id);
                provider.dialect::<openai_chat::Dialect>(&model).unwrap();
                provider.dialect::<openai_responses::Dialect>(&model).unwrap();
                provider.dialect::<anthropic::Dialect>(&model).unwrap();
            }
        }
    }
}

#[test]
fn every_codec_is_made() {
    for provider in catalog::all() {
        for endpoint in &provider.endpoints {
            let codec = provider.codec(endpoint.protocol, "any-model").unwrap();
            assert_eq!(codec.protocol(), endpoint.protocol);
        }
    }
    assert!(catalog::find("mistral").unwrap().codec(Protocol::Anthropic, "any-model").is_err());
}

#[test]
fn families_change_what_they_say() {
    use interlingua_wire::openai_chat::{AutomaticCache, CacheMarks, SamplingRule};

    let openai = catalog::find("openai").unwrap();
    let of = |model| openai.dialect::<openai_chat::Dialect>(model).unwrap();
    assert_eq!(of("gpt-4o-mini").reasoning, ReasoningSwitch::Refused);
    assert_eq!(of("gpt-4o-mini").sampling, SamplingRule::Accepted);
    assert_eq!(of("o4-mini").sampling, SamplingRule::Refused);
    assert_eq!(of("gpt-5-nano").automatic_cache, AutomaticCache::Retention);
    assert_eq!(of("gpt-5.1").sampling, SamplingRule::WithoutReasoning);
    assert_eq!(of("gpt-5.6-luna").cache_marks, CacheMarks::Breakpoint);
    assert_eq!(of("gpt-6-sol").sampling, SamplingRule::Refused);
    assert_eq!(openai.protocol_for("gpt-6-sol").unwrap(), Protocol::OpenaiResponses);
    assert_eq!(openai.protocol_for("gpt-4o-audio-preview").unwrap(), Protocol::OpenaiChat);
    assert_eq!(openai.protocol_for("unheard-of").unwrap(), Protocol::OpenaiResponses);

    let azure = catalog::find("azure").unwrap();
    assert_eq!(
        azure.dialect::<openai_chat::Dialect>("gpt-5.1").unwrap().automatic_cache,
        AutomaticCache::Refused
    );
    assert_eq!(azure.protocol_for("deepseek-v3.1").unwrap(), Protocol::OpenaiChat);
}

/// A request that turns every knob.
fn full(model: &str) -> Request {
    let schema = Json::new(r#"{"type":"object","properties":{}}"#).unwrap();
    let mut request = Request::new(model)
        .system("Be brief.")
        .user("hi")
        .tool(FunctionTool::new("look", "Looks.", schema))
        .max_output(900)
        .temperature(0.5)
        .effort(Effort::High);
    request.sampling.seed = Some(7);
    request.sampling.top_k = Some(5);
    request.sampling.stop = vec!["END".to_owned()];
    request
}

fn body(provider: &str, protocol: Protocol, model: &str) -> (serde_json::Value, Vec<String>) {
    let codec = catalog::find(provider).unwrap().codec(protocol, model).unwrap();
    let encoded = codec.encode(&full(model), Mode::Stream).unwrap();
    let warnings = encoded.warnings.iter().map(|warning| warning.setting.to_string()).collect();
    (serde_json::from_slice(&encoded.call.body).unwrap(), warnings)
}

#[test]
fn every_row_writes_a_body() {
    for provider in catalog::all() {
        let patterns = provider.families.iter().flat_map(|family| &family.models);
        let models = patterns.map(|pattern| pattern.replace('*', "x").replace('?', "-"));
        for model in models.chain(["any-model".to_owned()]) {
            for endpoint in &provider.endpoints {
                let codec = provider.codec(endpoint.protocol, &model).unwrap();
                let call = codec.encode(&full(&model), Mode::Stream).unwrap().call;
                let body: serde_json::Value = serde_json::from_slice(&call.body).unwrap();
                // Some protocols have the model in the path.
                let is_named =
                    body["model"] == model.as_str() || call.path.replace("%40", "@").contains(&model);
                assert!(is_named, "{} {} {body}", provider.id, call.path);
            }
        }
    }
}

#[test]
fn quirks_reach_the_body() {
    let chat = Protocol::OpenaiChat;
    let (mistral, _) = body("mistral", chat, "mistral-small");
    assert_eq!((&mistral["random_seed"], &mistral["seed"]), (&7.into(), &serde_json::Value::Null));
    assert_eq!(mistral["max_tokens"], 900);
    let (openai, warnings) = body("openai", chat, "gpt-6-sol");
    assert_eq!(openai["max_completion_tokens"], 900);
    assert_eq!((openai.get("temperature"), openai.get("stop")), (None, None));
    assert!(warnings.iter().any(|setting| setting.contains("temperature")), "{warnings:?}");
    assert_eq!(openai["reasoning_effort"], "none", "tools and reasoning do not go together here");
    assert!(warnings.iter().any(|setting| setting == "effort"), "{warnings:?}");
    let (perplexity, warnings) = body("perplexity", chat, "sonar");
    assert_eq!(perplexity.get("tools"), None);
    assert!(warnings.iter().any(|setting| setting == "tools"), "{warnings:?}");
    let (zai, _) = body("zai", chat, "glm-5");
    assert_eq!((&zai["tool_stream"], &zai["thinking"]["type"]), (&true.into(), &"enabled".into()));
    assert_eq!(body("dashscope", chat, "qwen3-max").0["enable_thinking"], true);
    assert_eq!(body("openrouter", chat, "x/y").0["reasoning"]["effort"], "high");
    assert_eq!(body("vllm", chat, "x").0["chat_template_kwargs"]["enable_thinking"], true);
    let (claude, _) = body("anthropic", Protocol::Anthropic, "claude-opus-5-5");
    assert_eq!(claude.get("temperature"), None);
    let (old, _) = body("anthropic", Protocol::Anthropic, "claude-3-5-haiku-20241022");
    assert_eq!(old["temperature"], 0.5);
}

/// The capability table of the vendor: model, most output, sampling, thinking off, budget, forced tool choice.
#[test]
fn publishers_are_asked_in_their_own_words() {
    let sent = |model: &str| {
        let (body, _) = body("amazon-bedrock", Protocol::Bedrock, model);
        (body["additionalModelRequestFields"].clone(), body["inferenceConfig"].clone())
    };
    let thinking = |kind: &str| serde_json::json!({ "type": kind });
    let (fields, config) = sent("us.anthropic.claude-opus-5-20260301-v1:0");
    assert_eq!(
        (&fields["thinking"], &fields["output_config"]["effort"]),
        (&thinking("adaptive"), &"high".into())
    );
    assert_eq!((config.get("temperature"), fields.get("top_k")), (None, None));
    let (fields, _) = sent("eu.anthropic.claude-sonnet-4-5-20250929-v1:0");
    assert_eq!(fields["thinking"]["type"], "enabled");
    let (fields, config) = sent("anthropic.claude-3-haiku-20240307-v1:0");
    assert_eq!((fields, &config["temperature"]), (serde_json::json!({ "top_k": 5 }), &0.5.into()));
    let (fields, config) = sent("global.amazon.nova-2-lite-v1:0");
    assert_eq!(fields["reasoningConfig"]["maxReasoningEffort"], "high");
    assert_eq!((&fields["inferenceConfig"]["topK"], config.get("maxTokens")), (&5.into(), None));
    let (fields, _) = sent("openai.gpt-oss-120b-1:0");
    assert_eq!(fields, serde_json::json!({ "reasoning_effort": "high" }));
    let row = catalog::find("bedrock").unwrap();
    assert_eq!(row.protocol_for("openai.gpt-oss-120b-1:0").unwrap(), Protocol::OpenaiChat);
    assert_eq!(
        row.protocol_for("arn:aws:bedrock:eu-west-1:1:inference-profile/x").unwrap(),
        Protocol::Bedrock
    );
}

#[test]
fn claude_takes_what_its_table_says() {
    let anthropic = catalog::find("anthropic").unwrap();
    let table = [
        ("claude-sonnet-5-5", 128_000, false, false, false, false),
        ("claude-opus-5-5-20261101", 128_000, false, false, false, false),
        ("claude-haiku-5-5", 128_000, false, true, false, true),
        ("claude-fable-5-1", 128_000, false, false, false, false),
        ("claude-mythos-5-1", 128_000, false, false, false, false),
        ("claude-fable-5", 128_000, false, false, false, true),
        ("claude-opus-5", 128_000, false, true, true, true),
        ("claude-opus-4-8", 128_000, false, true, false, true),
        ("claude-sonnet-5", 128_000, false, true, false, true),
        ("claude-opus-4-6", 128_000, true, true, true, true),
        ("claude-haiku-4-5-20251001", 64_000, true, true, true, true),
        ("claude-opus-4-1-20250805", 32_000, true, true, true, true),
        ("claude-opus-4-20250514", 32_000, true, true, true, true),
        ("claude-3-5-sonnet-20241022", 8192, true, true, false, true),
        ("claude-of-tomorrow", 128_000, false, true, false, true),
    ];
    for (model, output, sampling, off, budget, forced) in table {
        let found: anthropic::Dialect = anthropic.dialect(model).unwrap();
        let found = (
            found.max_output,
            found.sampling,
            found.thinking_off,
            found.thinking_budget,
            found.forced_tool_choice,
        );
        assert_eq!(found, (output, sampling, off, budget, forced), "{model}");
    }
    let mantle = catalog::find("bedrock-mantle").unwrap();
    assert!(
        !mantle
            .dialect::<anthropic::Dialect>("anthropic.claude-sonnet-4-5-20250929-v1:0")
            .unwrap()
            .adaptive_thinking
    );
    assert_eq!(mantle.protocol_for("anthropic.claude-opus-5").unwrap(), Protocol::Anthropic);
    assert_eq!(mantle.protocol_for("google.gemma-3-4b-it").unwrap(), Protocol::OpenaiChat);
    let openrouter = catalog::find("openrouter").unwrap();
    assert_eq!(
        openrouter.dialect::<anthropic::Dialect>("anthropic/claude-opus-4.5").unwrap().max_output,
        64_000
    );
}

#[test]
fn urls_are_filled_and_moved() {
    let none = |_: &str| None;
    let set = |pairs: &'static [(&'static str, &'static str)]| {
        move |name: &str| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    };
    let url = |id: &str, protocol, root, lookup: &dyn Fn(&str) -> Option<String>| {
        catalog::find(id).unwrap().base_url(protocol, root, lookup)
    };
    let (chat, anthropic) = (Protocol::OpenaiChat, Protocol::Anthropic);
    assert_eq!(url("ollama", chat, None, &none).unwrap(), "http://localhost:11434/v1");
    assert_eq!(url("ollama", chat, None, &set(&[("OLLAMA_HOST", "box")])).unwrap(), "http://box:11434/v1");
    assert_eq!(url("ollama", anthropic, Some("https://box/"), &none).unwrap(), "https://box");
    assert_eq!(url("lm-studio", anthropic, Some("http://box:1/v1"), &none).unwrap(), "http://box:1");
    assert_eq!(url("deepseek", anthropic, Some("http://proxy"), &none).unwrap(), "http://proxy/anthropic");
    let host = set(&[("DATABRICKS_HOST", "https://dbc-1.cloud.example/")]);
    assert_eq!(
        url("databricks", chat, None, &host).unwrap(),
        "https://dbc-1.cloud.example/serving-endpoints"
    );
    let endpoint = set(&[("AZURE_OPENAI_ENDPOINT", "https://mine.openai.azure.com/")]);
    assert_eq!(url("azure", chat, None, &endpoint).unwrap(), "https://mine.openai.azure.com/openai/v1");
    let missing = url("azure", chat, None, &none).unwrap_err();
    assert!(missing.message().contains("AZURE_OPENAI_RESOURCE"), "{missing}");
    let foreign = url("mistral", anthropic, None, &none).unwrap_err();
    assert!(foreign.message().contains("only openai_chat"), "{foreign}");

    let models = |id: &str, lookup: &dyn Fn(&str) -> Option<String>| {
        catalog::find(id).unwrap().models_url(None, lookup).unwrap()
    };
    assert_eq!(models("ollama", &none).as_deref(), Some("http://localhost:11434/api/tags"));
    assert_eq!(models("azure", &endpoint).as_deref(), Some("https://mine.openai.azure.com/openai/v1/models"));
    assert_eq!(models("minimax", &none), None);
}

/// The row, the protocol, what is set, and the address.
type Filled = (&'static str, Protocol, &'static [(&'static str, &'static str)], &'static str);

/// Addresses that hang on more than one variable.
const FILLED: [Filled; 8] = [
    (
        "azure-deployments",
        Protocol::OpenaiChat,
        &[("AZURE_OPENAI_RESOURCE", "mine"), ("OPENAI_API_VERSION", "2024-10-21")],
        "https://mine.openai.azure.com/openai/deployments/my%20gpt?api-version=2024-10-21",
    ),
    (
        "azure-deployments",
        Protocol::OpenaiChat,
        &[
            ("AZURE_OPENAI_ENDPOINT", "https://mine.openai.azure.com/openai/"),
            ("AZURE_OPENAI_DEPLOYMENT", "d"),
            ("AZURE_API_VERSION", "v"),
        ],
        "https://mine.openai.azure.com/openai/deployments/d?api-version=v",
    ),
    (
        "sap-ai-core",
        Protocol::OpenaiChat,
        &[("AICORE_BASE_URL", "https://api.example/v2")],
        "https://api.example/v2/inference/deployments/my%20gpt?api-version=2024-10-21",
    ),
    (
        "vertex",
        Protocol::GeminiInteractions,
        &[("GOOGLE_CLOUD_PROJECT", "p"), ("GOOGLE_CLOUD_LOCATION", "global")],
        "https://aiplatform.googleapis.com/v1beta1/projects/p/locations/global",
    ),
    (
        "vertex",
        Protocol::GeminiInteractions,
        &[("GOOGLE_CLOUD_PROJECT", "p"), ("GOOGLE_CLOUD_LOCATION", "eu")],
        "https://aiplatform.eu.rep.googleapis.com/v1beta1/projects/p/locations/eu",
    ),
    (
        "vertex",
        Protocol::OpenaiChat,
        &[("GOOGLE_CLOUD_PROJECT", "p"), ("GOOGLE_CLOUD_LOCATION", "us-east5")],
        "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5/endpoints/openapi",
    ),
    (
        "bedrock",
        Protocol::Bedrock,
        &[("AWS_REGION", "cn-north-1")],
        "https://bedrock-runtime.cn-north-1.amazonaws.com.cn",
    ),
    (
        "bedrock",
        Protocol::Bedrock,
        &[("AWS_REGION", "eu-west-1")],
        "https://bedrock-runtime.eu-west-1.amazonaws.com",
    ),
];

#[test]
fn urls_hang_on_variables() {
    for (id, protocol, set, expected) in FILLED {
        let lookup =
            |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        let url = catalog::find(id).unwrap().base_url(protocol, None, &lookup).unwrap();
        assert_eq!(with_model(url, "my gpt"), expected);
    }
    let sap = |_: &str| Some("https://me.authentication.example/oauth/token".to_owned());
    let token = catalog::find("sap").unwrap().filled("{token}", &sap).unwrap();
    assert_eq!(token, "https://me.authentication.example/oauth/token");
}

#[test]
fn keys_are_sent_as_their_variable_and_endpoint_say() {
    let auth = |id: &str, protocol, variable| {
        catalog::find(id).unwrap().auth_for(protocol, variable).cloned().map_err(|error| error.to_string())
    };
    let anthropic = Protocol::Anthropic;
    assert_eq!(auth("anthropic", anthropic, Some("ANTHROPIC_API_KEY")), Ok(Auth::Header("x-api-key".into())));
    assert_eq!(auth("anthropic", anthropic, Some("ANTHROPIC_AUTH_TOKEN")), Ok(Auth::Bearer));
    assert_eq!(auth("google", Protocol::OpenaiChat, None), Ok(Auth::Bearer));
    assert_eq!(
        catalog::find("google").unwrap().listing_auth(None).unwrap(),
        &Auth::Header("x-goog-api-key".into())
    );
    let mut moon = Provider::new("moon", Protocol::OpenaiChat, "https://moon.test");
    moon.auth = Auth::Unsupported("a handshake".into());
    let refused = moon.auth_for(Protocol::OpenaiChat, None).unwrap_err();
    assert!(refused.message().contains("a handshake, which is not supported yet"), "{refused}");
    assert!(matches!(auth("gigachat", Protocol::OpenaiChat, None), Ok(Auth::Exchange(_))));
    assert!(!catalog::find("ollama").unwrap().needs_key() && catalog::find("openai").unwrap().needs_key());
    assert!(
        catalog::find("ollama").unwrap().is_local() && !catalog::find("ollama-cloud").unwrap().is_local()
    );
}

#[test]
fn the_page_is_the_table() {
    let path = repository().join("docs/providers.md");
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(&path, catalog::page()).unwrap();
        return;
    }
    let page = fs::read_to_string(&path).unwrap_or_default();
    assert!(page == catalog::page(), "docs/providers.md is stale: run with UPDATE_EXPECTED=1");
}

#[derive(Deserialize)]
struct Facts {
    provider: Vec<Fact>,
}

#[derive(Deserialize)]
struct Fact {
    id: String,
    name: String,
    kind: String,
    base_url: String,
    protocols: Vec<String>,
    auth: String,
    env: Vec<String>,
    #[serde(default)]
    base_url_env: Vec<String>,
    models_endpoint: String,
    #[serde(default)]
    endpoints: Vec<FactEndpoint>,
    verified: bool,
    max_tokens_field: Option<String>,
    thinking_format: Option<String>,
    supports_strict: Option<bool>,
    supports_developer_role: Option<bool>,
    supports_tools: Option<bool>,
}

#[derive(Deserialize)]
struct FactEndpoint {
    protocol: String,
    base_url: String,
}

/// Base URLs in which the table knows better, and why.
const OTHER_BASE_URLS: [(&str, &str); 14] = [
    ("google-vertex gemini-generate", "the host hangs on the location"),
    ("google-vertex openai-chat", "the host hangs on the location"),
    ("google-vertex anthropic-messages", "the model and the operation are the codec's"),
    (
        "google-vertex gemini-interactions",
        "the project and the location stand in the path, as in the vendor's SDK",
    ),
    ("amazon-bedrock bedrock-converse", "the domain hangs on the region"),
    ("amazon-bedrock bedrock-invoke", "the domain hangs on the region"),
    ("amazon-bedrock openai-chat", "the domain hangs on the region"),
    ("amazon-bedrock openai-responses", "the domain hangs on the region"),
    ("azure-openai openai-chat", "the path without a deployment serves both protocols, as recordings show"),
    ("azure-ai openai-chat", "the path wants its api-version, as recordings show"),
    ("snowflake openai-chat", "the path is /cortex/v1, as recordings show"),
    ("oci openai-chat", "the paths of OpenAI lie below /openai/v1, as in the vendor's client"),
    ("databricks anthropic-messages", "the path is /serving-endpoints/anthropic"),
    ("watsonx openai-chat", "the path is /ml/v1, as recordings show"),
];

/// Rows that prefer another protocol than the collection does, and why.
const OTHER_PREFERENCES: [(&str, &str); 1] =
    [("google", "what is said in an interaction is kept unless the request says otherwise")];

/// Variables that belong to a way to log in which is no key of the row.
const OTHER_LOGINS: [&str; 8] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "GOOGLE_APPLICATION_CREDENTIALS",
    // The key of the express mode, which is a row of its own.
    "GOOGLE_API_KEY",
    "OCI_CONFIG_FILE",
    "WATSONX_PROJECT_ID",
];

#[test]
fn the_table_says_what_is_known() {
    let Some(path) = shared("facts/providers.toml") else { return };
    let facts: Facts = toml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let mut wrong = Vec::new();
    let mut compared = 0;
    for fact in
        facts.provider.iter().filter(|fact| fact.protocols.iter().any(|name| protocol(name).is_some()))
    {
        let Some(row) = catalog::find(&fact.id) else {
            wrong.push(format!("{}: no row", fact.id));
            continue;
        };
        compared += 1;
        let mut expect = |what: &str, holds: bool| {
            if !holds {
                wrong.push(format!("{}: {what}", fact.id));
            }
        };
        expect("id is an alias only", row.id == fact.id);
        expect("name", row.name == fact.name);
        expect("kind", format!("{:?}", row.kind).to_lowercase() == fact.kind);
        expect("verified", row.verified == fact.verified);
        expect("auth", same_auth(&row.auth, &fact.auth));
        expect("env", same_env(row, fact));
        expect(
            "base_url_env",
            fact.base_url_env.iter().all(|name| row.base_url_env.iter().any(|own| own == name)),
        );
        let preferred_here = OTHER_PREFERENCES.iter().any(|(id, _)| *id == row.id);
        expect("preferred protocol", preferred_here || preferred_of(fact, row) == preferred(row));
        expect("models endpoint", same_models(row, fact));
        expect("dialect", same_dialect(row, fact));
        for (protocol, base_url) in expected_endpoints(fact) {
            expect(&format!("no endpoint {protocol} {base_url}"), is_spoken(protocol, &base_url));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared > 90, "only {compared} rows compared");
}

fn protocol(name: &str) -> Option<Protocol> {
    match name {
        "openai-chat" => Some(Protocol::OpenaiChat),
        "openai-responses" => Some(Protocol::OpenaiResponses),
        // Of the models that are invoked in their own words, those of Claude speak Messages.
        "anthropic-messages" | "bedrock-invoke" => Some(Protocol::Anthropic),
        "cohere-v2" => Some(Protocol::Cohere),
        "bedrock-converse" => Some(Protocol::Bedrock),
        "gemini-generate" | "gemini" => Some(Protocol::Gemini),
        "ollama" | "ollama-chat" => Some(Protocol::Ollama),
        "gemini-interactions" => Some(Protocol::GeminiInteractions),
        _ => None,
    }
}

fn preferred_of(fact: &Fact, row: &Provider) -> Option<Protocol> {
    let mut known = fact.protocols.iter().filter_map(|name| protocol(name));
    known.find(|protocol| row.endpoint(*protocol).is_ok())
}

fn preferred(row: &Provider) -> Option<Protocol> {
    row.endpoints.first().map(|endpoint| endpoint.protocol)
}

fn same_auth(row: &Auth, fact: &str) -> bool {
    let known = |word: &str| match word {
        "bearer" => Some(Auth::Bearer),
        "none" => Some(Auth::None),
        "google-oauth" => Some(Auth::Google),
        "x-api-key" | "api-key" | "x-goog-api-key" => Some(Auth::Header(word.to_owned().into())),
        word => {
            let header = word.strip_prefix("header:").map(|name| Auth::Header(name.to_owned().into()));
            header.or_else(|| Some(Auth::Sigv4(word.strip_prefix("sigv4:")?.to_owned().into())))
        }
    };
    if fact == "none|bearer" {
        return *row == Auth::NoneOrBearer;
    }
    let mut ways = fact.split('|').filter_map(known).peekable();
    if ways.peek().is_none() {
        return matches!(row, Auth::Exchange(_) | Auth::Oracle | Auth::Unsupported(_));
    }
    ways.any(|way| way == *row)
}

/// Every variable has a place, and those for keys stand in the same order.
fn same_env(row: &Provider, fact: &Fact) -> bool {
    let keys: Vec<&str> = row.key_vars().filter(|name| fact.env.iter().any(|known| known == name)).collect();
    let order: Vec<&str> = fact.env.iter().map(String::as_str).filter(|name| keys.contains(name)).collect();
    let elsewhere = row.variables.iter().flat_map(|variable| &variable.env).chain(&row.base_url_env);
    let elsewhere: Vec<_> = elsewhere.collect();
    let placed = |name: &String| {
        let login = OTHER_LOGINS.contains(&name.as_str()) || matches!(row.auth, Auth::Unsupported(_));
        login || keys.contains(&name.as_str()) || elsewhere.iter().any(|known| *known == name)
    };
    keys == order && fact.env.iter().all(placed)
}

fn expected_endpoints(fact: &Fact) -> Vec<(Protocol, String)> {
    let mut expected = Vec::new();
    for name in &fact.protocols {
        let excepted = OTHER_BASE_URLS.iter().any(|(key, _)| *key == format!("{} {name}", fact.id));
        let Some(protocol) = protocol(name).filter(|_| !excepted) else { continue };
        let mut own = fact.endpoints.iter().filter(|endpoint| endpoint.protocol == *name).peekable();
        if own.peek().is_none() {
            // The path of Messages begins with /v1 itself.
            let base = if protocol == Protocol::Anthropic {
                fact.base_url.trim_end_matches("/v1")
            } else {
                &fact.base_url
            };
            expected.push((protocol, base.to_owned()));
        }
        // Where the model stands in the address, the codec writes it.
        let base = |url: &str| url.trim_end_matches("/models/{model}").to_owned();
        expected.extend(own.map(|endpoint| (protocol, base(&endpoint.base_url))));
    }
    expected
}

fn is_spoken(protocol: Protocol, base_url: &str) -> bool {
    let mut endpoints = catalog::all().flat_map(|row| &row.endpoints);
    endpoints.any(|endpoint| endpoint.protocol == protocol && endpoint.base_url == base_url)
}

fn same_models(row: &Provider, fact: &Fact) -> bool {
    let Some(listing) = &row.models else { return fact.models_endpoint.is_empty() || fact.id == "watsonx" };
    let row_root = if row.root.is_empty() { &row.endpoints[0].base_url } else { &row.root };
    let whole = |root: &str, path: &str| {
        let path = path.split('?').next().unwrap();
        if path.contains("://") { path.to_owned() } else { format!("{root}{path}") }
    };
    // Databricks lists its models beside the folder of its endpoints; the hosts of the others hang on a variable.
    matches!(&*fact.id, "databricks" | "google-vertex" | "amazon-bedrock")
        || whole(row_root, &listing.url) == whole(&fact.base_url, &fact.models_endpoint)
}

fn same_dialect(row: &Provider, fact: &Fact) -> bool {
    let chat: openai_chat::Dialect = row.dialect("any").unwrap();
    let tokens = fact.max_tokens_field.as_deref().is_none_or(|field| match field {
        "max_tokens" => chat.max_tokens == MaxTokens::MaxTokens,
        _ => chat.max_tokens == MaxTokens::MaxCompletionTokens,
    });
    let thinking = fact.thinking_format.as_deref().is_none_or(|format| {
        chat.reasoning
            == match format {
                "deepseek" | "zai" => ReasoningSwitch::ThinkingType,
                "qwen" => ReasoningSwitch::EnableThinking,
                "qwen-chat-template" => ReasoningSwitch::ChatTemplateEnableThinking,
                "openrouter" => ReasoningSwitch::ReasoningObject,
                "together" => ReasoningSwitch::ReasoningEnabled,
                other => panic!("unheard-of way to switch reasoning: {other}"),
            }
    });
    let strict = fact.supports_strict.is_none_or(|supported| supported == chat.strict);
    let role = fact.supports_developer_role != Some(false) || chat.system_role == SystemRole::System;
    let tools = fact.supports_tools.is_none_or(|supported| supported == chat.tools);
    tokens && thinking && strict && role && tools
}

#[derive(Deserialize)]
struct Recording {
    protocol: String,
    provider: String,
    status: u16,
}

/// The rows that a name in the collection of recordings stands for, where it is not the id of the row.
fn rows_of(name: &str) -> Vec<&str> {
    match name {
        "azure" => vec!["azure-openai", "azure-foundry-claude", "azure-ai"],
        "bedrock-openai" => vec!["amazon-bedrock", "bedrock-mantle"],
        "dashscope" => vec!["dashscope", "dashscope-cn", "dashscope-us"],
        "llamacpp" => vec!["llama-cpp"],
        "lmstudio" => vec!["lm-studio"],
        "zhipu" => vec!["zai", "zai-coding"],
        other => catalog::find(other).iter().map(|row| &*row.id).collect(),
    }
}

#[test]
fn recorded_means_that_there_are_recordings() {
    let Some(path) = shared("corpus/index.jsonl") else { return };
    let index = fs::read_to_string(path).unwrap();
    let recordings = index.lines().map(|line| serde_json::from_str::<Recording>(line).unwrap());
    let seen: BTreeSet<(Protocol, String)> = recordings
        .filter(|recording| (200..300).contains(&recording.status))
        .filter_map(|recording| Some((protocol(&recording.protocol)?, recording.provider)))
        .collect();
    let marked = |protocol: Protocol, id: &str| {
        let endpoint = catalog::find(id).and_then(|row| row.endpoint(protocol).ok());
        endpoint.is_some_and(|endpoint| endpoint.recorded)
    };
    for (protocol, name) in &seen {
        let rows = rows_of(name);
        let spoken =
            rows.iter().any(|id| catalog::find(id).is_some_and(|row| row.endpoint(*protocol).is_ok()));
        assert!(!spoken || rows.iter().any(|id| marked(*protocol, id)), "{name} is recorded in {protocol}");
    }
    counted(&index);
    for row in catalog::all() {
        for endpoint in row.endpoints.iter().filter(|endpoint| endpoint.recorded) {
            let found = seen.iter().any(|(protocol, name)| {
                *protocol == endpoint.protocol && (rows_of(name).contains(&&*row.id))
            });
            assert!(found, "no recording of {} in {}", row.id, endpoint.protocol);
        }
    }
}

/// How many answers of each recorded service there are, as the page says it.
fn counted(index: &str) {
    let recordings = index.lines().map(|line| serde_json::from_str::<Recording>(line).unwrap());
    let mut counts: BTreeMap<(Protocol, String), usize> = BTreeMap::new();
    for recording in recordings.filter(|recording| (200..300).contains(&recording.status)) {
        if let Some(protocol) = protocol(&recording.protocol) {
            *counts.entry((protocol, recording.provider)).or_default() += 1;
        }
    }
    let mut lines = String::new();
    for row in catalog::all() {
        for endpoint in row.endpoints.iter().filter(|endpoint| endpoint.recorded) {
            let own = counts.iter().filter(|((protocol, name), _)| {
                *protocol == endpoint.protocol && rows_of(name).contains(&&*row.id)
            });
            let count: usize = own.map(|(_, count)| count).sum();
            let _ = writeln!(lines, "{} {} {count}", row.id, endpoint.protocol);
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog/recordings.txt");
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(&path, &lines).unwrap();
        return;
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == lines, "catalog/recordings.txt is stale: run twice with UPDATE_EXPECTED=1");
}

/// Words that code outside the table may say although they are ids of rows, and why.
const ALLOWED: [(&str, &str); 10] = [
    ("openai", "the name of two protocols"),
    ("anthropic", "the name of a protocol"),
    ("cohere", "the name of a protocol"),
    ("ollama", "the name of a protocol"),
    ("bedrock", "the name of a protocol"),
    ("gemini", "the name of a protocol"),
    ("google", "google.rpc is a package of the wire"),
    ("groq", "x_groq is a field of the wire"),
    ("meta", "a word of its own"),
    ("jan", "a month"),
];

#[test]
fn only_the_table_names_vendors() {
    let words: BTreeSet<String> = catalog::all()
        .flat_map(|row| std::iter::once(&row.id).chain(&row.aliases))
        .map(ToString::to_string)
        .filter(|word| word.len() > 2 && !ALLOWED.iter().any(|(allowed, _)| allowed == word))
        .collect();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut named = Vec::new();
    let mut files = 0;
    for path in sources(&source) {
        files += 1;
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        for line in code.lines().map(|line| line.split("//").next().unwrap().to_lowercase()) {
            let tokens = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
            let found = tokens.filter(|token| words.contains(*token));
            named.extend(found.map(|word| format!("{}: {word}", path.display())));
        }
    }
    assert!(named.is_empty(), "vendors outside the table:\n{}", named.join("\n"));
    assert!(files > 15, "only {files} files were read");
}

/// The source files outside the table.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().unwrap() != "catalog" {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}
