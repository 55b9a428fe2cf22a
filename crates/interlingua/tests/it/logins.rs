//! Keys that are exchanged for tokens.

use std::sync::Arc;

use interlingua::{Client, ErrorKind, Request, Transport};

use crate::script::{Said, Script, Turn};
use crate::server::whole_hello;

const ROW: &str = r#"{
    "id": "house",
    "endpoints": [{ "protocol": "openai_chat", "base_url": "https://house.test/v1" }],
    "auth": { "exchange": {
        "url": "https://login.{region}.test/token",
        "headers": [{ "name": "x-id", "value": "{id}" }, { "name": "authorization", "value": "Basic {key}" }],
        "form": [{ "name": "grant", "value": "urn:key" }, { "name": "key", "value": "{key}" }],
        "token": "access_token", "expires": "expires_in"
    } },
    "keys": ["HOUSE_KEY"],
    "variables": [{ "name": "region", "env": ["HOUSE_REGION"], "default": "north" }],
    "models": { "url": "/models" }
}"#;

fn client(script: &Arc<Script>) -> Client {
    let transport = Arc::clone(script) as Arc<dyn Transport>;
    let env = |name: &str| (name == "HOUSE_KEY").then(|| "key/1+2".to_owned());
    let builder =
        Client::builder().env(env).provider(serde_json::from_str(ROW).unwrap()).transport(transport);
    builder.retry(interlingua::RetryPolicy::default().retries(0)).build().unwrap()
}

fn token(word: &str, seconds: u32) -> Said {
    Said::ok(format!(r#"{{"access_token":"{word}","expires_in":{seconds}}}"#))
}

fn authorization(script: &Script, at: usize) -> String {
    script.with_sent(at, |request| request.headers()["authorization"].to_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_key_is_exchanged_once_and_again_before_the_token_ends() {
    let script = Script::answers([
        token("first", 3600),
        Said::ok(whole_hello()),
        Said::ok(whole_hello()),
        Said::ok(r#"{"data":[{"id":"m"}]}"#),
    ]);
    let client = client(&script);
    let ask = Request::new("house/m").user("hi");
    client.send(&ask).await.unwrap();
    client.send(&ask).await.unwrap();
    client.models("house").await.unwrap();
    assert_eq!(script.count(), 4, "one login for all calls");
    script.with_sent(0, |login| {
        assert_eq!(login.uri(), "https://login.north.test/token");
        assert_eq!(login.method(), "POST");
        assert_eq!(login.body(), "grant=urn%3Akey&key=key%2F1%2B2");
        assert_eq!(login.headers()["authorization"], "Basic key/1+2");
        assert!(login.headers()["authorization"].is_sensitive());
        assert_eq!(login.headers()["x-id"].len(), 36);
    });
    for call in 1..4 {
        assert_eq!(authorization(&script, call), "Bearer first");
    }

    let script = Script::answers([
        token("short", 30),
        Said::ok(whole_hello()),
        token("next", 30),
        Said::ok(whole_hello()),
    ]);
    let client = self::client(&script);
    client.send(&ask).await.unwrap();
    client.send(&ask).await.unwrap();
    assert_eq!(
        (authorization(&script, 1), authorization(&script, 3)),
        ("Bearer short".to_owned(), "Bearer next".to_owned())
    );
}

#[tokio::test]
async fn a_login_that_fails_is_told_without_the_key() {
    let ask = Request::new("house/m").user("hi");
    for (turn, kind, word) in [
        (Turn::Answer(Said::status(401, "no key/1+2")), ErrorKind::Authentication, "401"),
        (Turn::Answer(Said::status(503, "later")), ErrorKind::Server, "503"),
        (Turn::Answer(Said::ok(r#"{"access_token":"t-secret"}"#)), ErrorKind::Protocol, "expires_in"),
        (Turn::Fail(ErrorKind::Connect), ErrorKind::Connect, "login"),
    ] {
        let script = Script::new([turn]);
        let error = client(&script).send(&ask).await.unwrap_err();
        assert_eq!((error.kind(), error.provider()), (kind, Some("house")), "{error}");
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(word) && shown.contains("house"), "{shown}");
        assert!(!shown.contains("key/1") && !shown.contains("t-secret"), "{shown}");
    }
}

#[tokio::test]
async fn a_dry_run_logs_in_nowhere() {
    let script = Script::answers([]);
    let prepared = client(&script).prepare(
        &Request::new("house/m").user("hi"),
        interlingua::Mode::Whole,
        &interlingua::Options::default(),
    );
    assert!(prepared.unwrap().to_string().contains("authorization: Bearer ***"));
}
