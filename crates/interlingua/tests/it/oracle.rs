//! Calls signed for Oracle Cloud with the key of a profile.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use interlingua::{Client, ErrorKind, KeyStatus, Mode, Options, Request};

use crate::script::{Said, Script};
use crate::server::whole_hello;

const KEY: &str = include_str!("google_test_key.txt");

/// A folder of a user, which is gone at the end.
struct Home(PathBuf);

impl Home {
    fn new(config: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::SeqCst);
        let home =
            Self(std::env::temp_dir().join(format!("interlingua-oci-{}-{number}", std::process::id())));
        fs::create_dir_all(home.0.join(".oci")).unwrap();
        home.write("config", config);
        home.write(
            "key.pem",
            &format!("-----BEGIN PRIVATE KEY-----\n{KEY}-----END PRIVATE KEY-----\nOCI_API_KEY\n"),
        );
        home
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(".oci").join(name), text).unwrap();
    }

    fn client(&self, script: &Arc<Script>, more: &'static [(&'static str, &'static str)]) -> Client {
        let home = self.0.to_string_lossy().into_owned();
        let lookup = move |name: &str| match name {
            "HOME" => Some(home.clone()),
            name => more.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()),
        };
        script.builder().env(lookup).build().unwrap()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const CONFIG: &str = "# mine\n[DEFAULT]\nuser=ocid1.user.oc1..u\nfingerprint=20:3b\ntenancy=ocid1.tenancy.oc1..t\n\
                      region=us-chicago-1\nkey_file=~/.oci/key.pem\n\n[SESSION]\nregion = eu-frankfurt-1\n\
                      security_token_file = ~/.oci/token\n";

fn ask() -> Request {
    Request::new("oci/meta.llama-4").user("hi")
}

fn header(script: &Script, at: usize, name: &str) -> Option<String> {
    script
        .with_sent(at, |request| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned()))
}

#[tokio::test]
async fn a_call_is_signed_as_the_user_of_the_profile() {
    let home = Home::new(CONFIG);
    let script = Script::answers([Said::ok(whole_hello())]);
    let client = home.client(&script, &[]);
    assert!(matches!(client.key_status("oci"), KeyStatus::Present { from } if from.ends_with(".oci/config")));
    client.send(&ask()).await.unwrap();
    let place = "https://inference.generativeai.us-chicago-1.oci.oraclecloud.com/openai/v1/chat/completions";
    assert_eq!(script.with_sent(0, |request| request.uri().to_string()), place);
    let signature = header(&script, 0, "authorization").unwrap();
    assert!(
        signature.starts_with(
            "Signature version=\"1\",headers=\"date (request-target) host content-length content-type x-content-sha256\",\
             keyId=\"ocid1.tenancy.oc1..t/ocid1.user.oc1..u/20:3b\",algorithm=\"rsa-sha256\",signature=\""
        ),
        "{signature}"
    );
    assert_eq!(header(&script, 0, "opc-compartment-id").as_deref(), Some("ocid1.tenancy.oc1..t"));
    assert_eq!(header(&script, 0, "compartmentid").as_deref(), Some("ocid1.tenancy.oc1..t"));
    let length = script.with_sent(0, |request| request.body().len());
    assert_eq!(header(&script, 0, "content-length"), Some(length.to_string()));
}

#[tokio::test]
async fn a_token_of_a_login_takes_the_place_of_the_user_and_is_read_anew() {
    let home = Home::new(CONFIG);
    home.write("token", "first-token\n");
    let busy = Said::status(429, r#"{"error":{"message":"not second-token"}}"#);
    let script = Script::answers([Said::ok(whole_hello()), busy]);
    let client = home.client(&script, &[("OCI_CONFIG_PROFILE", "SESSION"), ("OCI_COMPARTMENT_ID", "c1")]);
    client.send(&ask()).await.unwrap();
    home.write("token", "second-token\n");
    let once = Options::default().retry(interlingua::RetryPolicy::default().retries(0));
    let error = client.send_with(&ask(), &once).await.unwrap_err();
    for (at, token) in [(0, "first-token"), (1, "second-token")] {
        let signature = header(&script, at, "authorization").unwrap();
        assert!(signature.contains(&format!("keyId=\"ST${token}\"")), "{signature}");
        assert_eq!(header(&script, at, "opc-compartment-id").as_deref(), Some("c1"));
    }
    assert!(script.with_sent(0, |request| request.uri().to_string()).contains("eu-frankfurt-1"));
    assert!(!format!("{error} {error:?}").contains("second-token"), "{error:?}");
}

#[tokio::test]
async fn a_key_of_the_service_goes_before_the_profile() {
    let home = Home::new(CONFIG);
    let script = Script::answers([Said::ok(whole_hello()), Said::ok(whole_hello())]);
    home.client(&script, &[("OCI_GENAI_API_KEY", "sk-oci")]).send(&ask()).await.unwrap();
    home.client(&script, &[]).send_with(&ask(), &Options::default().key("given")).await.unwrap();
    assert_eq!(header(&script, 0, "authorization").as_deref(), Some("Bearer sk-oci"));
    assert_eq!(header(&script, 1, "authorization").as_deref(), Some("Bearer given"));
    let prepared = home.client(&script, &[]).prepare(&ask(), Mode::Whole, &Options::default()).unwrap();
    assert_eq!(prepared.headers["authorization"], "***");
}

#[tokio::test]
async fn what_a_profile_lacks_is_told() {
    let script = Script::answers([]);
    let region = &[("OCI_REGION", "us-chicago-1")];
    for (config, words) in [
        ("[OTHER]\nuser = u\n", "there is no profile `DEFAULT`"),
        ("[DEFAULT]\nuser = u\nfingerprint = f\n", "the profile `DEFAULT` names no tenancy"),
        ("[DEFAULT]\nuser = u\nfingerprint = f\ntenancy = t\n", "names no key_file"),
        ("[DEFAULT]\nuser = u\nfingerprint = f\ntenancy = t\nkey_file = ~/.oci/gone.pem\n", "gone.pem"),
        (
            "[DEFAULT]\nuser = u\nfingerprint = f\ntenancy = t\nkey_file = ~/.oci/config\n",
            "holds no private key",
        ),
        ("[DEFAULT]\nkey_file = k\nsecurity_token_file = ~/.oci/none\n", "run `oci session authenticate`"),
    ] {
        let error = Home::new(config).client(&script, region).send(&ask()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Authentication);
        assert!(error.message().contains(words), "{words}: {error}");
        assert!(error.message().ends_with("or set OCI_GENAI_API_KEY"), "{error}");
    }
    let home = Home::new(CONFIG);
    home.write(
        "key.pem",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nQUJD\n-----END ENCRYPTED PRIVATE KEY-----\n",
    );
    let error = home.client(&script, &[]).send(&ask()).await.unwrap_err();
    assert!(error.message().contains("holds a key behind a pass phrase"), "{error}");
    let elsewhere = Options::default().base_url("https://oci.evil.test");
    let error = Home::new(CONFIG).client(&script, &[]).send_with(&ask(), &elsewhere).await.unwrap_err();
    assert!(error.message().contains("(Oracle Cloud credentials) is not meant for"), "{error}");
    assert_eq!(script.count(), 0);
}
