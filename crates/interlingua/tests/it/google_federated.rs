//! Identities of other services, which are exchanged for tokens of Google, and service accounts that are acted as.

use std::fs;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::google::{Folder, ask, client, form, header, hello, token, url};
use crate::script::{Said, Script};

const POOL: &str = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/x";
const ACT: &str = "https://iamcredentials.test/v1/projects/-/serviceAccounts/a@p:generateAccessToken";

/// Credentials of an identity whose token is at a place.
fn external(place: &Value, more: &Value) -> String {
    let mut all = json!({
        "type": "external_account", "audience": POOL, "token_url": "https://sts.test/v1/token",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt", "credential_source": place,
    });
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    all.to_string()
}

fn with(script: &Arc<Script>, text: &str) -> (interlingua::Client, Folder) {
    let folder = Folder::new("key.json", text);
    (client(script, &[("GOOGLE_APPLICATION_CREDENTIALS", &folder.path("key.json"))]), folder)
}

fn acted() -> Said {
    Said::ok(r#"{"accessToken":"acted","expireTime":"2099-01-01T00:00:00Z"}"#)
}

#[tokio::test]
async fn a_token_in_a_file_is_exchanged() {
    let folder = Folder::new("subject", "sub-ject\n");
    let script = Script::answers([token("federated", 3600), hello(), hello()]);
    let (client, _folder) = with(&script, &external(&json!({ "file": folder.path("subject") }), &json!({})));
    for _ in 0..2 {
        client.send(&ask()).await.unwrap();
    }
    assert_eq!(url(&script, 0), "https://sts.test/v1/token");
    assert_eq!(
        form(&script, 0),
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange\
         &audience=%2F%2Fiam.googleapis.com%2Fprojects%2F1%2Flocations%2Fglobal%2FworkloadIdentityPools%2Fp%2Fproviders%2Fx\
         &scope=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fcloud-platform\
         &requested_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token\
         &subject_token=sub-ject&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt"
    );
    assert_eq!(header(&script, 2, "authorization").as_deref(), Some("Bearer federated"));
    assert_eq!(script.count(), 3, "the token is kept");
}

#[tokio::test]
async fn a_token_at_an_address_is_exchanged_and_an_account_acted_as() {
    let place = json!({ "url": "http://169.254.169.254/metadata/identity/oauth2/token?resource=x",
        "headers": { "Metadata": "True" },
        "format": { "type": "json", "subject_token_field_name": "access_token" } });
    let more = json!({ "service_account_impersonation_url": ACT,
        "service_account_impersonation": { "token_lifetime_seconds": 900 },
        "client_id": "workforce", "client_secret": "s", "workforce_pool_user_project": "p1" });
    let subject = Said::ok(r#"{"access_token":"azure-token","expires_in":"3599"}"#);
    let script = Script::answers([subject, token("federated", 3600), acted(), hello()]);
    let (client, _folder) = with(&script, &external(&place, &more));
    client.send(&ask()).await.unwrap();
    assert_eq!(header(&script, 0, "metadata").as_deref(), Some("True"));
    assert!(form(&script, 1).contains("subject_token=azure-token&"));
    assert!(form(&script, 1).ends_with("&options=%7B%22userProject%22%3A%22p1%22%7D"));
    assert_eq!(header(&script, 1, "authorization").as_deref(), Some("Basic d29ya2ZvcmNlOnM="));
    assert_eq!(url(&script, 2), ACT);
    assert_eq!(header(&script, 2, "authorization").as_deref(), Some("Bearer federated"));
    let asked = json!({ "scope": ["https://www.googleapis.com/auth/cloud-platform"], "lifetime": "900s" });
    assert_eq!(script.body(2), asked);
    assert_eq!(header(&script, 3, "authorization").as_deref(), Some("Bearer acted"));
}

#[tokio::test]
async fn a_user_acts_as_a_service_account() {
    let text = json!({ "type": "impersonated_service_account", "service_account_impersonation_url": ACT,
        "delegates": ["d@p"],
        "source_credentials": { "type": "authorized_user", "client_id": "i", "client_secret": "s", "refresh_token": "r" } });
    let script = Script::answers([token("user", 3600), acted(), hello()]);
    let (client, _folder) = with(&script, &text.to_string());
    client.send(&ask()).await.unwrap();
    assert_eq!(url(&script, 0), "https://oauth2.googleapis.com/token");
    assert_eq!(header(&script, 1, "authorization").as_deref(), Some("Bearer user"));
    assert_eq!(
        (script.body(1)["lifetime"].as_str(), script.body(1)["delegates"][0].as_str()),
        (Some("3600s"), Some("d@p"))
    );
    assert_eq!(header(&script, 2, "authorization").as_deref(), Some("Bearer acted"));
}

#[tokio::test]
async fn what_fails_is_told_without_a_token() {
    let folder = Folder::new("subject", "sub-ject");
    let file = json!({ "file": folder.path("subject") });
    let json_of = |name: &str| json!({ "file": folder.path("subject"), "format": { "type": "json", "subject_token_field_name": name } });
    fs::write(folder.path("empty"), "\n").unwrap();
    let act = json!({ "service_account_impersonation_url": ACT });
    for (text, said, words) in [
        (
            external(&file, &json!({})),
            vec![Said::status(400, "sub-ject")],
            "is not taken: the service answers 400",
        ),
        (
            external(&json_of("id_token"), &json!({})),
            vec![],
            "has a token in JSON without the field `id_token`",
        ),
        (external(&json!({ "file": folder.path("empty") }), &json!({})), vec![], "has an empty token"),
        (external(&json!({ "file": "/gone" }), &json!({})), vec![], "has a token in /gone"),
        (
            external(&json!({ "url": "http://id.test/" }), &json!({})),
            vec![Said::status(500, "")],
            "that answers 500",
        ),
        (
            external(&json!({ "environment_id": "aws1" }), &json!({})),
            vec![],
            "from `aws1`, which is not supported",
        ),
        (
            external(&json!({ "executable": { "command": "x" } }), &json!({})),
            vec![],
            "from a program or a certificate",
        ),
        (external(&file, &json!({ "token_url": "http://sts.test/" })), vec![], "would be asked without TLS"),
        (
            external(&file, &act),
            vec![token("federated", 3600), Said::status(403, "federated")],
            "may not act as its service account: the service answers 403",
        ),
        (
            external(&file, &json!({ "service_account_impersonation_url": "http://evil.test/" })),
            vec![token("federated", 3600)],
            "would be asked without TLS",
        ),
    ] {
        let count = said.len();
        let script = Script::answers(said);
        let (client, _folder) = with(&script, &text);
        let error = client.send(&ask()).await.unwrap_err();
        assert!(error.message().contains(words), "{words}: {error}");
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("sub-ject") && !shown.contains("federated"), "{shown}");
        assert_eq!(script.count(), count, "{words}");
    }
}
