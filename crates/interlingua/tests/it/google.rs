//! Calls with tokens of Google Cloud, and where those come from.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use interlingua::{Client, ErrorKind, KeyStatus, Mode, Options, Request};

use crate::script::{Said, Script};

const KEY: &str = include_str!("google_test_key.txt");
const ANSWER: &str =
    r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"Hello."}]},"finishReason":"STOP"}]}"#;

pub(crate) fn ask() -> Request {
    Request::new("google-vertex/gemini-3-flash").user("hi")
}

pub(crate) fn hello() -> Said {
    Said::ok(ANSWER)
}

pub(crate) fn token(name: &str, seconds: u64) -> Said {
    Said::ok(format!(r#"{{"access_token":"{name}","expires_in":{seconds},"token_type":"Bearer"}}"#))
}

/// A folder with one file, which is gone at the end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str, text: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::SeqCst);
        let folder = std::env::temp_dir().join(format!("interlingua-google-{}-{number}", std::process::id()));
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        Self(folder)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).to_string_lossy().into_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn client(script: &Arc<Script>, more: &[(&str, &str)]) -> Client {
    let mut variables: BTreeMap<String, String> =
        more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    variables.insert("GOOGLE_CLOUD_PROJECT".to_owned(), "p".to_owned());
    variables.insert("GOOGLE_CLOUD_LOCATION".to_owned(), "europe-west1".to_owned());
    script.builder().env(move |name| variables.get(name).cloned()).build().unwrap()
}

pub(crate) fn header(script: &Script, at: usize, name: &str) -> Option<String> {
    script
        .with_sent(at, |request| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned()))
}

pub(crate) fn url(script: &Script, at: usize) -> String {
    script.with_sent(at, |request| request.uri().to_string())
}

pub(crate) fn form(script: &Script, at: usize) -> String {
    script.with_sent(at, |request| String::from_utf8(request.body().to_vec()).unwrap())
}

fn account(service: &str) -> String {
    let key = format!("-----BEGIN PRIVATE KEY-----\n{KEY}-----END PRIVATE KEY-----\n");
    serde_json::json!({ "type": "service_account", "client_email": "a@p.iam.example", "private_key_id": "k1",
        "private_key": key, "token_uri": service })
    .to_string()
}

#[tokio::test]
async fn a_service_account_gets_a_token_which_is_kept_and_renewed() {
    let folder = Folder::new("key.json", &account("https://oauth2.test/token"));
    let path = folder.path("key.json");
    let script = Script::answers([token("one", 3600), hello(), hello()]);
    let google = client(&script, &[("GOOGLE_APPLICATION_CREDENTIALS", &path)]);
    assert_eq!(
        google.key_status("google-vertex"),
        KeyStatus::Present { from: "env GOOGLE_APPLICATION_CREDENTIALS".to_owned() }
    );
    assert_eq!(google.send(&ask()).await.unwrap().text(), "Hello.");
    google.send(&ask()).await.unwrap();
    assert_eq!(url(&script, 0), "https://oauth2.test/token");
    assert!(
        form(&script, 0)
            .starts_with("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=ey")
    );
    let place = "https://europe-west1-aiplatform.googleapis.com/v1beta1/projects/p/locations/europe-west1/publishers/google/models/gemini-3-flash:generateContent";
    assert_eq!(url(&script, 1), place);
    for at in [1, 2] {
        assert_eq!(header(&script, at, "authorization").as_deref(), Some("Bearer one"));
    }
    let script = Script::answers([
        token("one", 60),
        hello(),
        token("two", 60),
        hello(),
        Said::status(500, ""),
        hello(),
    ]);
    let google = client(&script, &[("GOOGLE_APPLICATION_CREDENTIALS", &path)]);
    for _ in 0..3 {
        google.send(&ask()).await.unwrap();
    }
    let sent: Vec<_> = [1, 3, 5].iter().map(|at| header(&script, *at, "authorization").unwrap()).collect();
    assert_eq!(
        sent,
        ["Bearer one", "Bearer two", "Bearer two"],
        "what is still good serves when nothing newer can be had"
    );
}

#[tokio::test]
async fn claude_is_asked_with_the_same_token() {
    let folder = Folder::new("key.json", &account("https://oauth2.test/token"));
    let said = r#"{"id":"m","type":"message","role":"assistant","content":[{"type":"text","text":"Hi."}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}"#;
    let script = Script::answers([token("one", 3600), Said::ok(said)]);
    let google = client(&script, &[("GOOGLE_APPLICATION_CREDENTIALS", &folder.path("key.json"))]);
    let request = Request::new("google-vertex/claude-sonnet-4-5@20250929").user("hi");
    assert_eq!(google.send(&request).await.unwrap().text(), "Hi.");
    let place = "https://europe-west1-aiplatform.googleapis.com/v1/projects/p/locations/europe-west1/publishers/anthropic/models/claude-sonnet-4-5@20250929:rawPredict";
    assert_eq!(url(&script, 1), place);
    assert_eq!(header(&script, 1, "authorization").as_deref(), Some("Bearer one"));
    assert_eq!(script.body(1)["anthropic_version"], "vertex-2023-10-16");
}

#[tokio::test]
async fn a_login_of_gcloud_gets_a_token() {
    let login =
        r#"{"type":"authorized_user","client_id":"id","client_secret":"se/cret","refresh_token":"re+fresh"}"#;
    let folder = Folder::new(".config/gcloud/application_default_credentials.json", login);
    let script = Script::answers([token("user", 3600), hello()]);
    client(&script, &[("HOME", &folder.path(""))]).send(&ask()).await.unwrap();
    assert_eq!(url(&script, 0), "https://oauth2.googleapis.com/token");
    assert_eq!(
        form(&script, 0),
        "grant_type=refresh_token&client_id=id&client_secret=se%2Fcret&refresh_token=re%2Bfresh"
    );
    assert_eq!(header(&script, 1, "authorization").as_deref(), Some("Bearer user"));
}

#[tokio::test]
async fn a_machine_gets_a_token() {
    let script = Script::answers([token("machine", 3600), hello()]);
    client(&script, &[]).send(&ask()).await.unwrap();
    let place = "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token";
    assert_eq!(url(&script, 0), place);
    assert_eq!(header(&script, 0, "metadata-flavor").as_deref(), Some("Google"));
    assert_eq!(header(&script, 1, "authorization").as_deref(), Some("Bearer machine"));
}

#[tokio::test]
async fn without_credentials_every_place_says_why() {
    let script = Script::answers([Said::status(404, "")]);
    let error = client(&script, &[]).send(&ask()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Authentication);
    for words in [
        "GOOGLE_APPLICATION_CREDENTIALS is not set",
        "there is no login of gcloud",
        "its metadata service answers 404",
    ] {
        assert!(error.message().contains(words), "{words}: {error}");
    }
    let refused = |text: &str| Folder::new("key.json", text);
    let secret = account("http://evil.test/token");
    for (text, words) in [
        ("{", "holds no credentials"),
        (r#"{"type":"gdch_service_account"}"#, "of the kind `gdch_service_account`, which is not supported"),
        (r#"{"type":"service_account","private_key":"x"}"#, "holds no private key"),
        (&secret, "would be asked without TLS"),
    ] {
        let folder = refused(text);
        let script = Script::answers([]);
        let google = client(&script, &[("GOOGLE_APPLICATION_CREDENTIALS", &folder.path("key.json"))]);
        let error = google.send(&ask()).await.unwrap_err();
        assert!(error.message().contains(words), "{words}: {error}");
        assert_eq!(script.count(), 0);
    }
    let folder = refused(&account("https://oauth2.test/token"));
    let script = Script::answers([Said::status(400, r#"{"error":"invalid_grant","secret":"x"}"#)]);
    let google = client(&script, &[("GOOGLE_APPLICATION_CREDENTIALS", &folder.path("key.json"))]);
    let error = google.send(&ask()).await.unwrap_err();
    assert!(error.message().contains("is not taken: the service answers 400"), "{error}");
}

#[tokio::test]
async fn a_token_goes_to_no_other_host_and_is_not_shown() {
    let script = Script::answers([]);
    let google = client(&script, &[]);
    let elsewhere = Options::default().base_url("https://vertex.evil.test");
    let error = google.send_with(&ask(), &elsewhere).await.unwrap_err();
    assert!(
        error.kind() == ErrorKind::Configuration && error.message().contains("Google credentials"),
        "{error}"
    );
    let prepared = google.prepare(&ask(), Mode::Stream, &Options::default()).unwrap();
    assert_eq!(prepared.headers["authorization"], "Bearer ***");
    let missing = KeyStatus::Missing { expected: vec!["GOOGLE_APPLICATION_CREDENTIALS".to_owned()] };
    assert_eq!(google.key_status("google-vertex"), missing);
    assert_eq!(script.count(), 0);
}
