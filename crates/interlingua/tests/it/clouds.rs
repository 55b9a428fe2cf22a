//! Services of clouds that are reached by data of their rows alone.

use std::sync::Arc;

use interlingua::{Client, ErrorKind, Options, Request};

use crate::script::{Said, Script};
use crate::server::whole_hello;

type Env = &'static [(&'static str, &'static str)];

fn client(script: &Arc<Script>, variables: Env) -> Client {
    let lookup =
        |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    script.builder().env(lookup).build().unwrap()
}

fn header(script: &Script, at: usize, name: &str) -> Option<String> {
    script
        .with_sent(at, |request| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned()))
}

fn url(script: &Script, at: usize) -> String {
    script.with_sent(at, |request| request.uri().to_string())
}

const AZURE: Env = &[
    ("AZURE_OPENAI_RESOURCE", "mine"),
    ("OPENAI_API_VERSION", "2024-10-21"),
    ("AZURE_OPENAI_API_KEY", "azure-key"),
];

#[tokio::test]
async fn a_deployment_is_asked_with_its_key_and_a_version() {
    let script = Script::answers([Said::ok(whole_hello()), Said::ok(whole_hello())]);
    let ask = Request::new("azure-deployments/my gpt").user("hi");
    client(&script, AZURE).send(&ask).await.unwrap();
    let path = "https://mine.openai.azure.com/openai/deployments/my%20gpt/chat/completions";
    assert_eq!(url(&script, 0), format!("{path}?api-version=2024-10-21"));
    assert_eq!(header(&script, 0, "api-key").as_deref(), Some("azure-key"));

    // The address of a call replaces the root and nothing else.
    let elsewhere = Options::default().key("k").base_url("https://proxy.test");
    client(&script, AZURE).send_with(&ask, &elsewhere).await.unwrap();
    assert!(url(&script, 1).starts_with("https://proxy.test/openai/deployments/my%20gpt/chat"));
}

#[tokio::test]
async fn a_deployment_may_have_another_name_than_its_model() {
    let script = Script::answers([Said::ok(whole_hello())]);
    let variables = &[
        ("AZURE_OPENAI_ENDPOINT", "https://mine.openai.azure.com/"),
        ("AZURE_OPENAI_DEPLOYMENT", "prod"),
        ("OPENAI_API_VERSION", "v"),
        ("AZURE_OPENAI_AD_TOKEN", "entra"),
    ];
    let ask = Request::new("azure-deployments/o3-mini").user("hi").temperature(0.5);
    let response = client(&script, variables).send_with(&ask, &Options::default()).await.unwrap();
    assert!(url(&script, 0).contains("/deployments/prod/chat/completions?api-version=v"));
    assert_eq!(header(&script, 0, "authorization").as_deref(), Some("Bearer entra"));
    assert_eq!(header(&script, 0, "api-key"), None);
    assert!(script.body(0).get("temperature").is_none(), "the model is known by its own name");
    assert_eq!(response.response.warnings.len(), 1, "{:?}", response.response.warnings);
}

#[tokio::test]
async fn what_a_deployment_lacks_is_named() {
    let script = Script::answers([]);
    let ask = Request::new("azure-deployments/gpt").user("hi");
    for (variables, words) in [
        (&AZURE[..1], "needs its version: set OPENAI_API_VERSION or AZURE_OPENAI_API_VERSION"),
        (&AZURE[1..], "needs its resource: set AZURE_OPENAI_RESOURCE or AZURE_RESOURCE_NAME"),
        (&AZURE[..2], "there is no key for `azure-openai-deployments`: set AZURE_OPENAI_API_KEY"),
    ] {
        let error = client(&script, variables).send(&ask).await.unwrap_err();
        assert!(error.message().contains(words), "{error}");
    }
}

const ENTRA: Env = &[
    ("AZURE_TENANT_ID", "tenant-1"),
    ("AZURE_CLIENT_ID", "app-1"),
    ("AZURE_CLIENT_SECRET", "s3cret~"),
    ("AZURE_OPENAI_RESOURCE", "mine"),
    ("OPENAI_API_VERSION", "v"),
];

#[tokio::test]
async fn a_secret_of_an_application_is_exchanged_with_entra() {
    let token = r#"{"token_type":"Bearer","expires_in":3599,"access_token":"entra-token"}"#;
    let script = Script::answers([Said::ok(token), Said::ok(whole_hello())]);
    client(&script, ENTRA).send(&Request::new("azure-deployments/gpt").user("hi")).await.unwrap();
    assert_eq!(url(&script, 0), "https://login.microsoftonline.com/tenant-1/oauth2/v2.0/token");
    script.with_sent(0, |login| {
        assert_eq!(
            login.body(),
            "grant_type=client_credentials&client_id=app-1&client_secret=s3cret~&scope=https%3A%2F%2Fcognitiveservices.azure.com%2F.default"
        );
    });
    assert_eq!(header(&script, 1, "authorization").as_deref(), Some("Bearer entra-token"));

    let script = Script::answers([]);
    let error = client(&script, &ENTRA[1..])
        .send(&Request::new("azure-deployments/gpt").user("hi"))
        .await
        .unwrap_err();
    assert!(
        error.message().contains("set AZURE_TENANT_ID") && !error.message().contains("s3cret"),
        "{error}"
    );
}

const SAP: Env = &[
    ("AICORE_BASE_URL", "https://api.ai.prod.example/v2"),
    ("AICORE_AUTH_URL", "https://me.authentication.example"),
    ("AICORE_CLIENT_ID", "sb-1!b2|aicore!b3"),
    ("AICORE_CLIENT_SECRET", "sap-secret="),
    ("AICORE_RESOURCE_GROUP", "team"),
];

#[tokio::test]
async fn a_deployment_of_sap_is_asked_with_a_token_and_its_group() {
    let token = || Said::ok(r#"{"access_token":"sap-token","expires_in":43199}"#);
    let list = r#"{"count":1,"resources":[{"id":"d1","status":"RUNNING"}]}"#;
    let script = Script::answers([token(), Said::ok(whole_hello()), Said::ok(list)]);
    let client = client(&script, SAP);
    client.send(&Request::new("sap-ai-core/d1").user("hi")).await.unwrap();
    assert_eq!(url(&script, 0), "https://me.authentication.example/oauth/token");
    script.with_sent(0, |login| {
        assert_eq!(
            login.body(),
            "grant_type=client_credentials&client_id=sb-1%21b2%7Caicore%21b3&client_secret=sap-secret%3D"
        );
    });
    let deployments = "https://api.ai.prod.example/v2/inference/deployments";
    assert_eq!(url(&script, 1), format!("{deployments}/d1/chat/completions?api-version=2024-10-21"));
    assert_eq!(header(&script, 1, "authorization").as_deref(), Some("Bearer sap-token"));
    assert_eq!(header(&script, 1, "ai-resource-group").as_deref(), Some("team"));
    assert_eq!(client.models("sap").await.unwrap()[0].id, "d1");
    assert_eq!(url(&script, 2), "https://api.ai.prod.example/v2/lm/deployments?status=RUNNING");

    let refused = Script::answers([Said::status(401, r#"{"error":"bad sap-secret="}"#)]);
    let error = self::client(&refused, SAP).send(&Request::new("sap/d1").user("hi")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Authentication);
    assert!(!format!("{error} {error:?}").contains("sap-secret"), "{error:?}");
}

const PLATFORM: Env = &[
    ("AWS_REGION", "eu-west-1"),
    ("ANTHROPIC_AWS_WORKSPACE_ID", "ws-1"),
    ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI"),
    ("ANTHROPIC_AWS_API_KEY", "platform-key"),
];
const MESSAGE: &str = r#"{"type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"Hello."}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":2}}"#;

#[tokio::test]
async fn a_key_of_the_platform_on_aws_goes_before_credentials_and_in_its_own_header() {
    let script = Script::answers([Said::ok(MESSAGE), Said::ok(MESSAGE)]);
    let ask = Request::new("claude-platform-aws/claude-opus-5-5").user("hi");
    client(&script, PLATFORM).send(&ask).await.unwrap();
    let given = Options::default().key("given-key");
    client(&script, &PLATFORM[..4]).send_with(&ask, &given).await.unwrap();
    for (at, key) in [(0, "platform-key"), (1, "given-key")] {
        assert_eq!(header(&script, at, "x-api-key").as_deref(), Some(key));
        assert_eq!(header(&script, at, "authorization"), None);
        assert_eq!(header(&script, at, "anthropic-workspace-id").as_deref(), Some("ws-1"));
    }
}

#[cfg(feature = "aws")]
#[tokio::test]
async fn the_platform_on_aws_takes_signed_calls() {
    let script = Script::answers([Said::ok(MESSAGE), Said::ok(r#"{"data":[{"id":"m"}],"has_more":false}"#)]);
    let client = client(&script, &PLATFORM[..4]);
    let ask = Request::new("claude-platform-aws/claude-opus-5-5").user("hi");
    client.send(&ask).await.unwrap();
    client.models("claude-platform-aws").await.unwrap();
    for at in [0, 1] {
        let signature = header(&script, at, "authorization").unwrap();
        assert!(signature.contains("/eu-west-1/aws-external-anthropic/aws4_request"), "{signature}");
        assert!(signature.contains("anthropic-workspace-id"), "the workspace is signed: {signature}");
        assert_eq!(header(&script, at, "x-api-key"), None);
    }
    assert_eq!(url(&script, 0), "https://aws-external-anthropic.eu-west-1.api.aws/v1/messages");
}

#[cfg(not(feature = "aws"))]
#[tokio::test]
async fn the_platform_on_aws_says_what_to_build() {
    let script = Script::answers([]);
    let ask = Request::new("claude-platform-aws/claude-opus-5-5").user("hi");
    let error = client(&script, &PLATFORM[..4]).send(&ask).await.unwrap_err();
    assert!(error.message().contains("feature `aws`"), "{error}");
}
