//! Calls signed with AWS credentials, and where those are found.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use interlingua::wire::{Auth, Key, Listing, Protocol, Provider, Variable};
use interlingua::{Client, ClientBuilder, ErrorKind, KeyStatus, Mode, Options, Request};

use crate::script::{Said, Script};
use crate::server::{Server, answer};

pub(crate) const ANSWER: &str = r#"{"output":{"message":{"role":"assistant","content":[{"text":"Hello."}]}},"stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":2,"totalTokens":3}}"#;
const KEYS: [(&str, &str); 3] = [
    ("AWS_REGION", "eu-west-1"),
    ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI"),
];
/// The sign of an instance's or container's own key.
const ROLE: &str = r#"{"Code":"Success","AccessKeyId":"ASIAROLE","SecretAccessKey":"s3cret","Token":"t0ken","Expiration":"WHEN"}"#;

pub(crate) fn ask() -> Request {
    Request::new("amazon-bedrock/us.amazon.nova-lite-v1:0").user("hi")
}

pub(crate) fn hello() -> Said {
    Said::ok(ANSWER)
}

/// Credentials that last for so long.
pub(crate) fn role(seconds: u64) -> Said {
    let expires = SystemTime::now() + Duration::from_secs(seconds);
    let since = expires.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis();
    Said::ok(ROLE.replace("\"WHEN\"", &since.to_string()))
}

pub(crate) fn env<'e>(variables: impl IntoIterator<Item = (&'e str, &'e str)>) -> BTreeMap<String, String> {
    variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

pub(crate) fn client(script: &Arc<Script>, variables: BTreeMap<String, String>) -> Client {
    with(script.builder(), variables).build().unwrap()
}

fn with(builder: ClientBuilder, variables: BTreeMap<String, String>) -> ClientBuilder {
    builder.env(move |name| variables.get(name).cloned())
}

pub(crate) fn header(script: &Script, at: usize, name: &str) -> Option<String> {
    script
        .with_sent(at, |request| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned()))
}

pub(crate) fn url(script: &Script, at: usize) -> String {
    script.with_sent(at, |request| request.uri().to_string())
}

/// A folder of a user, which is gone at the end.
pub(crate) struct Home(pub(crate) PathBuf);

impl Home {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::SeqCst);
        let folder = std::env::temp_dir().join(format!("interlingua-aws-{}-{number}", std::process::id()));
        for (name, text) in files {
            let path = folder.join(".aws").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self(folder)
    }

    pub(crate) fn env(&self, more: &[(&str, &str)]) -> BTreeMap<String, String> {
        let mut variables = env(more.iter().copied());
        variables.insert("HOME".to_owned(), self.0.to_string_lossy().into_owned());
        variables
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn a_call_is_signed_for_its_host_region_and_service() {
    let script = Script::answers([hello()]);
    let mut variables = env(KEYS);
    variables.insert("AWS_SESSION_TOKEN".to_owned(), "TOKENEXAMPLE".to_owned());
    let client = client(&script, variables);
    assert_eq!(client.key_status("bedrock"), KeyStatus::Present { from: "env AWS_ACCESS_KEY_ID".to_owned() });
    assert_eq!(client.send(&ask()).await.unwrap().text(), "Hello.");
    let host = "https://bedrock-runtime.eu-west-1.amazonaws.com";
    assert_eq!(url(&script, 0), format!("{host}/model/us.amazon.nova-lite-v1%3A0/converse"));
    let signature = header(&script, 0, "authorization").unwrap();
    assert!(signature.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"), "{signature}");
    assert!(signature.contains("/eu-west-1/bedrock/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token,"), "{signature}");
    assert_eq!(header(&script, 0, "x-amz-security-token").as_deref(), Some("TOKENEXAMPLE"));
    assert_eq!(header(&script, 0, "accept").as_deref(), Some("application/json"));
}

#[tokio::test]
async fn a_call_that_is_made_again_is_signed_again_and_a_token_that_comes_back_is_hidden() {
    let busy = || Said::status(503, r#"{"message":"no TOKENEXAMPLE here"}"#);
    let script = Script::answers([busy(), hello(), busy(), busy(), busy()]);
    let mut variables = env(KEYS);
    variables.insert("AWS_SESSION_TOKEN".to_owned(), "TOKENEXAMPLE".to_owned());
    let client = with(script.builder(), variables).build().unwrap();
    client.send(&ask()).await.unwrap();
    for at in [0, 1] {
        assert!(header(&script, at, "authorization").unwrap().contains("Signature="));
    }
    let error = client.send(&ask()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Overloaded);
    assert!(!format!("{error} {error:?}").contains("TOKENEXAMPLE"), "{error:?}");
}

#[tokio::test]
async fn a_key_goes_before_credentials() {
    let script = Script::answers([hello(), hello()]);
    let mut variables = env(KEYS);
    variables.insert("AWS_BEARER_TOKEN_BEDROCK".to_owned(), "bedrock-key".to_owned());
    client(&script, variables).send(&ask()).await.unwrap();
    assert_eq!(header(&script, 0, "authorization").as_deref(), Some("Bearer bedrock-key"));
    let given = with(script.builder(), env(KEYS)).key("bedrock", "given-key").build().unwrap();
    given.send(&ask()).await.unwrap();
    assert_eq!(header(&script, 1, "authorization").as_deref(), Some("Bearer given-key"));
}

#[tokio::test]
async fn credentials_go_to_no_other_host() {
    let script = Script::answers([]);
    let client = client(&script, env(KEYS));
    let elsewhere = Options::default().base_url("https://bedrock.evil.test");
    let error = client.send_with(&ask(), &elsewhere).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.message().contains("AWS credentials"), "{error}");
    assert_eq!(script.count(), 0);
}

#[tokio::test]
async fn what_would_be_sent_shows_no_signature() {
    let script = Script::answers([]);
    let prepared = client(&script, env([("AWS_REGION", "eu-west-1")]));
    let prepared = prepared.prepare(&ask(), Mode::Stream, &Options::default()).unwrap();
    assert!(prepared.url.ends_with("/converse-stream"), "{}", prepared.url);
    assert_eq!(prepared.headers["authorization"], "***");
    assert_eq!(prepared.headers["accept"], "application/vnd.amazon.eventstream");
}

#[tokio::test]
async fn a_list_of_models_is_signed_page_by_page() {
    let server = Server::start(|_| answer("200 OK", "", r#"{"data":[{"id":"m"}]}"#)).await;
    let mut row = Provider::new("test", Protocol::Bedrock, server.url());
    row.auth = Auth::Sigv4("bedrock".into());
    row.keys = vec![Key::new("TEST_KEY")];
    row.variables = vec![Variable::new("region", ["AWS_REGION"])];
    row.models = Some(Listing::new("/foundation-models"));
    let client = with(Client::builder(), env(KEYS)).provider(row).build().unwrap();
    assert_eq!(client.models("test").await.unwrap()[0].id, "m");
    let received = server.received();
    let signature = received[0].header("authorization").unwrap();
    assert!(
        signature.contains("/eu-west-1/bedrock/aws4_request, SignedHeaders=host;x-amz-date,"),
        "{signature}"
    );
}

#[tokio::test]
async fn a_profile_gives_key_and_region() {
    let config =
        "[default]\nregion = us-west-2 # home\n\n[profile work]\nregion=eu-north-1\nsso = \n  nested = 1\n";
    let keys = "# keys\n[default]\naws_access_key_id = AKIDDEFAULT\naws_secret_access_key = s\n[work]\naws_access_key_id=AKIDWORK\naws_secret_access_key=s\naws_session_token=t\n";
    let home = Home::new(&[("config", config), ("credentials", keys)]);
    for (profile, id, region) in
        [(None, "AKIDDEFAULT", "us-west-2"), (Some("work"), "AKIDWORK", "eu-north-1")]
    {
        let script = Script::answers([hello()]);
        let more: Vec<_> = profile.map(|name| ("AWS_PROFILE", name)).into_iter().collect();
        client(&script, home.env(&more)).send(&ask()).await.unwrap();
        let signature = header(&script, 0, "authorization").unwrap();
        assert!(signature.contains(&format!("Credential={id}/")), "{signature}");
        assert!(url(&script, 0).contains(&format!("bedrock-runtime.{region}.amazonaws.com")));
    }
    // A variable goes before the profile, whichever of the two that there are.
    let script = Script::answers([hello()]);
    client(&script, home.env(&[("AWS_DEFAULT_REGION", "ap-south-1")])).send(&ask()).await.unwrap();
    assert!(url(&script, 0).contains("ap-south-1"));
}

#[tokio::test]
async fn a_program_of_a_profile_gives_credentials() {
    let print = "[default]\nregion = eu-west-1\ncredential_process = echo '{\"Version\":1,\"AccessKeyId\":\"AKIDPRINTED\",\"SecretAccessKey\":\"s\",\"SessionToken\":\"t\",\"Expiration\":\"2099-01-01T00:00:00Z\"}'\n";
    let home = Home::new(&[("config", print)]);
    let script = Script::answers([hello()]);
    client(&script, home.env(&[])).send(&ask()).await.unwrap();
    assert!(header(&script, 0, "authorization").unwrap().contains("AKIDPRINTED"));

    let fails =
        Home::new(&[("config", "[default]\nregion = eu-west-1\ncredential_process = echo secret; exit 3\n")]);
    let error = client(&script, fails.env(&[])).send(&ask()).await.unwrap_err();
    assert!(
        error.message().contains("the profile `default` has a credential_process that failed"),
        "{error}"
    );
    assert!(!error.message().contains("secret"), "{error}");
}

#[tokio::test]
async fn a_login_gives_the_credentials_of_a_role() {
    let config = "[profile dev]\nregion = eu-west-1\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Dev\n[sso-session corp]\nsso_region = us-east-1\nsso_start_url = https://corp.example/start\n";
    // The file is named after the SHA-1 of `corp`.
    let name = "sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";
    let login = r#"{"startUrl":"https://corp.example/start","accessToken":"sso-token","expiresAt":"2099-01-01T00:00:00Z"}"#;
    let home = Home::new(&[("config", config), (name, login)]);
    let given = r#"{"roleCredentials":{"accessKeyId":"ASIASSO","secretAccessKey":"s","sessionToken":"t","expiration":4070908800000}}"#;
    let script = Script::answers([Said::ok(given), hello(), hello()]);
    let client_of = |home: &Home| client(&script, home.env(&[("AWS_PROFILE", "dev")]));
    let dev = client_of(&home);
    dev.send(&ask()).await.unwrap();
    dev.send(&ask()).await.unwrap();
    assert_eq!(
        url(&script, 0),
        "https://portal.sso.us-east-1.amazonaws.com/federation/credentials?role_name=Dev&account_id=123456789012"
    );
    assert_eq!(header(&script, 0, "x-amz-sso_bearer_token").as_deref(), Some("sso-token"));
    assert!(header(&script, 2, "authorization").unwrap().contains("ASIASSO"));
    assert_eq!(script.count(), 3, "the credentials are kept");

    let stale = login.replace("2099", "2001");
    for (files, words) in [
        (vec![("config", config), (name, stale.as_str())], "no longer logged in"),
        (vec![("config", config)], "is not logged in: run `aws sso login`"),
    ] {
        let error = client_of(&Home::new(&files)).send(&ask()).await.unwrap_err();
        assert!(error.message().contains(words) && !error.message().contains("sso-token"), "{error}");
    }
}

#[tokio::test]
async fn a_container_gives_credentials_that_are_renewed_before_they_expire() {
    let home = Home::new(&[("token", "pod-token\n")]);
    let token = home.0.join(".aws/token").to_string_lossy().into_owned();
    let more = [
        ("AWS_REGION", "eu-west-1"),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials"),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token.as_str()),
    ];
    let script = Script::answers([role(60), hello(), role(3600), hello(), hello()]);
    let pod = client(&script, home.env(&more));
    for _ in 0..3 {
        pod.send(&ask()).await.unwrap();
    }
    assert_eq!(url(&script, 0), "http://169.254.170.23/v1/credentials");
    assert_eq!(header(&script, 0, "authorization").as_deref(), Some("pod-token"));
    let places: Vec<bool> = (0..5).map(|at| url(&script, at).contains("/credentials")).collect();
    assert_eq!(places, [true, false, true, false, false], "asked again shortly before the end, not later");
    assert!(header(&script, 4, "authorization").unwrap().contains("ASIAROLE"));

    // What is still good for a minute serves when nothing newer can be had.
    let script = Script::answers([role(60), hello(), Said::status(500, ""), hello()]);
    let pod = client(&script, home.env(&more));
    pod.send(&ask()).await.unwrap();
    pod.send(&ask()).await.unwrap();
    assert!(header(&script, 3, "authorization").unwrap().contains("ASIAROLE"));
}

#[tokio::test]
async fn a_task_is_asked_on_its_own_address_and_others_only_with_tls() {
    let script = Script::answers([role(3600), hello()]);
    let task = [("AWS_REGION", "eu-west-1"), ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/x")];
    client(&script, env(task)).send(&ask()).await.unwrap();
    assert_eq!(url(&script, 0), "http://169.254.170.2/v2/x");
    let evil = [("AWS_REGION", "eu-west-1"), ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://evil.test/x")];
    let error = client(&script, env(evil)).send(&ask()).await.unwrap_err();
    assert!(error.message().contains("would be asked at evil.test without TLS"), "{error}");
}

#[tokio::test]
async fn a_machine_gives_credentials_by_the_second_version_of_its_service() {
    let script = Script::answers([Said::ok("imds-token"), Said::ok("my-role\n"), role(3600), hello()]);
    client(&script, env([("AWS_REGION", "eu-west-1")])).send(&ask()).await.unwrap();
    let asked: Vec<String> =
        (0..3).map(|at| script.with_sent(at, |call| format!("{} {}", call.method(), call.uri()))).collect();
    assert_eq!(
        asked,
        [
            "PUT http://169.254.169.254/latest/api/token",
            "GET http://169.254.169.254/latest/meta-data/iam/security-credentials/",
            "GET http://169.254.169.254/latest/meta-data/iam/security-credentials/my-role",
        ]
    );
    assert_eq!(header(&script, 2, "x-aws-ec2-metadata-token").as_deref(), Some("imds-token"));
    assert!(header(&script, 3, "authorization").unwrap().contains("ASIAROLE"));
}

#[tokio::test]
async fn without_credentials_every_place_says_why() {
    let script = Script::answers([]);
    let variables = [("AWS_REGION", "eu-west-1"), ("AWS_EC2_METADATA_DISABLED", "true")];
    let error = client(&script, env(variables)).send(&ask()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Authentication);
    for words in [
        "AWS_ACCESS_KEY_ID is not set",
        "there is no profile `default`",
        "this is no container",
        "AWS_EC2_METADATA_DISABLED is set",
        "or set AWS_BEARER_TOKEN_BEDROCK",
    ] {
        assert!(error.message().contains(words), "{words}: {error}");
    }
    // A profile that is asked for and is not there ends the search.
    let named = [("AWS_REGION", "eu-west-1"), ("AWS_PROFILE", "gone")];
    let error = client(&script, env(named)).send(&ask()).await.unwrap_err();
    assert!(error.message().contains("there is no profile `gone`"), "{error}");
    assert!(!error.message().contains("container"), "{error}");
    let error = client(&script, env([])).send(&ask()).await.unwrap_err();
    assert!(error.message().contains("needs its region: set AWS_REGION"), "{error}");
    assert_eq!(script.count(), 0);
}
