//! Cloud platforms with accounts of their own.

use serde_json::json;

use super::families;
use super::row::{ANTHROPIC, CHAT, Row, after_last, in_header, row, unsupported};
use crate::openai_chat::{AutomaticCache, CacheMarks, Dialect, EndUser, ReasoningEcho, ReasoningSwitch};
use crate::openai_responses;
use crate::provider::{Auth, Family, Header, Kind};

pub(super) fn rows() -> Vec<Row> {
    vec![
        vertex(),
        claude_on_google_cloud(),
        bedrock(),
        bedrock_mantle(),
        claude_platform_aws(),
        azure_openai(),
        azure_foundry_claude(),
        azure_ai(),
        snowflake(),
        databricks(),
        watsonx(),
        oci(),
    ]
}

fn cloud(id: &'static str, name: &'static str) -> Row {
    row(Kind::Cloud, id, name)
}

const GOOGLE_LOGIN: &str = "a Google access token";

fn vertex() -> Row {
    cloud("google-vertex", "Google Vertex AI / Gemini Enterprise Agent Platform")
        .aliases(&["vertex", "vertex-ai"])
        .root("https://{location}-aiplatform.googleapis.com")
        .chat("https://{location}-aiplatform.googleapis.com/v1/projects/{project}/locations/{location}/endpoints/openapi")
        .responses("https://{host}/v1/projects/{project}/locations/{location}/publishers/openai/v1")
        .auth(unsupported(GOOGLE_LOGIN))
        .base_url_env(&["GOOGLE_VERTEX_BASE_URL"])
        .variable("location", &["GOOGLE_CLOUD_LOCATION"])
        .variable("project", &["GOOGLE_CLOUD_PROJECT"])
        .variable("host", &[])
        .or("aiplatform.googleapis.com")
        .models_in("/v1beta1/publishers/google/models", "publisherModels", "name")
        .listing(|listing| listing.prefix = "publishers/google/models/".into())
        .note("the location `global` has the host aiplatform.googleapis.com")
}

fn claude_on_google_cloud() -> Row {
    cloud("claude-on-google-cloud", "Claude on Google Cloud (Anthropic-operated)")
        .anthropic(
            "https://claude.googleapis.com/v1/projects/{project}/locations/{location}/workspaces/{workspace}/invoke",
        )
        .speaks_anthropic(families::newest_claude)
        .families(families::claude())
        .auth(unsupported(GOOGLE_LOGIN))
        .variable("project", &["GOOGLE_CLOUD_PROJECT"])
        .variable("location", &["GOOGLE_CLOUD_LOCATION"])
        .variable("workspace", &["ANTHROPIC_WORKSPACE_ID"])
        .models("/v1/models?limit=1000")
        .listing(|listing| listing.page = Some(after_last()))
}

fn bedrock() -> Row {
    cloud("amazon-bedrock", "Amazon Bedrock Runtime")
        .aliases(&["bedrock"])
        .root("https://bedrock-runtime.{region}.amazonaws.com")
        .chat("https://bedrock-runtime.{region}.amazonaws.com/openai/v1")
        .recorded()
        .responses("https://bedrock-runtime.{region}.amazonaws.com/openai/v1")
        .keys(&["AWS_BEARER_TOKEN_BEDROCK"])
        .base_url_env(&["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"])
        .variable("region", &["AWS_REGION", "AWS_DEFAULT_REGION"])
        .models_in("https://bedrock.{region}.amazonaws.com/foundation-models", "modelSummaries", "modelId")
        .speaks_chat(|chat| chat.top_k = false)
        .note("with a Bedrock API key; the models of OpenAI only")
}

fn bedrock_mantle() -> Row {
    cloud("bedrock-mantle", "Amazon Bedrock Mantle")
        .root("https://bedrock-mantle.{region}.api.aws")
        .anthropic("https://bedrock-mantle.{region}.api.aws/anthropic")
        .chat("https://bedrock-mantle.{region}.api.aws/v1")
        .recorded()
        .responses("https://bedrock-mantle.{region}.api.aws/openai/v1")
        .recorded()
        .speaks_anthropic(families::claude_elsewhere)
        .families(families::claude())
        .keys(&["AWS_BEARER_TOKEN_BEDROCK"])
        .variable("region", &["AWS_REGION", "AWS_DEFAULT_REGION"])
        .models("/v1/models")
        .speaks_chat(|chat| chat.top_k = false)
        .families([Family::new(["*"]).in_protocol(CHAT), Family::new(["*claude*"]).in_protocol(ANTHROPIC)])
        .note("with a Bedrock API key")
}

fn claude_platform_aws() -> Row {
    cloud("claude-platform-aws", "Claude Platform on AWS")
        .anthropic("https://aws-external-anthropic.{region}.api.aws")
        .auth(in_header("x-api-key"))
        .speaks_anthropic(families::newest_claude)
        .families(families::claude())
        .keys(&["ANTHROPIC_AWS_API_KEY"])
        .variable("region", &["AWS_REGION", "AWS_DEFAULT_REGION"])
        .variable("workspace", &["ANTHROPIC_AWS_WORKSPACE_ID"])
        .header("anthropic-workspace-id", "{workspace}")
        .models("/v1/models?limit=1000")
        .listing(|listing| {
            listing.headers.push(Header::new("anthropic-version", "2023-06-01"));
            listing.page = Some(after_last());
        })
}

fn azure_openai() -> Row {
    let guests = ["deepseek*", "grok*", "llama*", "meta-*", "mistral*", "phi*", "kimi*", "mai-*", "qwen*"];
    cloud("azure-openai", "Azure OpenAI / Foundry")
        .aliases(&["azure"])
        .root("https://{resource}.openai.azure.com")
        .responses("https://{resource}.openai.azure.com/openai/v1")
        .recorded()
        .chat("https://{resource}.openai.azure.com/openai/v1")
        .recorded()
        .auth(in_header("api-key"))
        .keys(&["AZURE_OPENAI_API_KEY", "AZURE_API_KEY"])
        .key_as("AZURE_OPENAI_AD_TOKEN", Auth::Bearer)
        .base_url_env(&["AZURE_OPENAI_ENDPOINT"])
        .variable("resource", &["AZURE_OPENAI_RESOURCE", "AZURE_RESOURCE_NAME"])
        .models("/openai/v1/models")
        .speaks_chat(|chat| {
            *chat = Dialect::openai();
            chat.cache_marks = CacheMarks::Refused;
            chat.automatic_cache = AutomaticCache::Refused;
            chat.end_user = EndUser::User;
        })
        .speaks_responses(|responses| {
            *responses = openai_responses::Dialect::openai();
            responses.cache_marks = openai_responses::CacheMarks::Refused;
            responses.automatic_cache = openai_responses::AutomaticCache::Refused;
            responses.end_user = openai_responses::EndUser::User;
        })
        .families(families::openai_elsewhere())
        .families([Family::new(guests).in_protocol(CHAT).chat(&json!({
            "max_tokens": "max_tokens",
            "system_role": "system",
            "custom_tools": false,
            "metadata": false,
            "verbosity": false,
            "prompt_cache_key": false,
            "service_tier": false
        }))])
        .note("the model is the name of the deployment")
}

fn azure_foundry_claude() -> Row {
    cloud("azure-foundry-claude", "Claude in Microsoft Foundry")
        .anthropic("https://{resource}.services.ai.azure.com/anthropic")
        .recorded()
        .auth(in_header("x-api-key"))
        .speaks_anthropic(families::newest_claude)
        .families(families::claude())
        .keys(&["ANTHROPIC_FOUNDRY_API_KEY"])
        .base_url_env(&["ANTHROPIC_FOUNDRY_BASE_URL"])
        .variable("resource", &["ANTHROPIC_FOUNDRY_RESOURCE"])
        .models("/v1/models?limit=1000")
        .listing(|listing| {
            listing.headers.push(Header::new("anthropic-version", "2023-06-01"));
            listing.page = Some(after_last());
        })
}

fn azure_ai() -> Row {
    cloud("azure-ai", "Azure AI model inference")
        .chat("https://{resource}.services.ai.azure.com/models?api-version=2024-05-01-preview")
        .recorded()
        .auth(in_header("api-key"))
        .keys(&["AZURE_AI_API_KEY"])
        .base_url_env(&["AZURE_AI_API_BASE"])
        .variable("resource", &["AZURE_AI_RESOURCE", "AZURE_RESOURCE_NAME"])
        .speaks_chat(|chat| chat.top_k = false)
}

fn snowflake() -> Row {
    cloud("snowflake", "Snowflake Cortex")
        .root("https://{account}.snowflakecomputing.com/api/v2")
        .chat("https://{account}.snowflakecomputing.com/api/v2/cortex/v1")
        .recorded()
        .keys(&["SNOWFLAKE_JWT", "SNOWFLAKE_PAT"])
        .variable("account", &["SNOWFLAKE_ACCOUNT"])
        .speaks_chat(|chat| {
            chat.reasoning = ReasoningSwitch::ReasoningObject;
            chat.reasoning_echo = ReasoningEcho::Details;
        })
}

fn databricks() -> Row {
    cloud("databricks", "Databricks Model Serving")
        .root("https://{host}")
        .chat("https://{host}/serving-endpoints")
        .responses("https://{host}/serving-endpoints")
        .anthropic("https://{host}/serving-endpoints/anthropic")
        .speaks_anthropic(families::claude_elsewhere)
        .families(families::claude())
        .keys(&["DATABRICKS_TOKEN"])
        .variable("host", &["DATABRICKS_HOST"])
        .models_in("/api/2.0/serving-endpoints", "endpoints", "name")
}

fn watsonx() -> Row {
    cloud("watsonx", "IBM watsonx.ai")
        .root("https://{region}.ml.cloud.ibm.com")
        .chat("https://{region}.ml.cloud.ibm.com/ml/v1")
        .recorded()
        .auth(unsupported("an IBM IAM token exchanged for the key"))
        .keys(&["WATSONX_API_KEY"])
        .base_url_env(&["WATSONX_URL"])
        .variable("region", &["WATSONX_REGION"])
        .or("us-south")
        .unverified()
        .note("the project's id goes into the body")
}

fn oci() -> Row {
    cloud("oci", "Oracle Cloud Generative AI")
        .chat("https://inference.generativeai.{region}.oci.oraclecloud.com")
        .auth(unsupported("requests signed in Oracle's way"))
        .variable("region", &["OCI_REGION"])
}
