//! What is known of models, and what is counted, guarded and priced by it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use interlingua::catalog::Catalog;
use interlingua::wire::{Listing, Provider};
use interlingua::{
    Client, ContextGuard, ErrorKind, ModelCache, Options, Protocol, Request, TokenCount, Transport,
    WarningKind,
};

use crate::script::{Said, Script, Turn};
use crate::server::whole_hello;

const KNOWN: &str = "interlingua models 1\ndate 2026-11-28\nsource by hand\n[test]\n\
    small\tchat\t100\t50\ttools\ti2 o10 r0.2; flex i1 o5\n\
    drawer\timage\t\t\t\t\n";

fn catalog() -> Catalog {
    Catalog::parse(KNOWN).unwrap()
}

fn client(script: &Arc<Script>) -> Client {
    script.builder().catalog(catalog()).build().unwrap()
}

#[tokio::test]
async fn an_answer_has_its_price() {
    let script = Script::answers([Said::ok(whole_hello()), Said::ok(whole_hello()), Said::ok(flex())]);
    let client = client(&script);
    let response = client.send(&Request::new("test/small").user("hi")).await.unwrap();
    assert_eq!(client.cost(&response).unwrap().total().to_string(), "0.000034");
    let other = client.send(&Request::new("test/unheard-of").user("hi")).await.unwrap();
    assert_eq!(client.cost(&other), None);
    let cheaper = client.send(&Request::new("test/small").user("hi")).await.unwrap();
    assert_eq!(client.cost(&cheaper).unwrap().total().to_string(), "0.000017");
}

fn flex() -> String {
    whole_hello().replacen('{', r#"{"service_tier":"flex","#, 1)
}

#[tokio::test]
async fn a_prompt_that_is_too_long_is_told_of_or_refused() {
    let script = Script::answers([Said::ok(whole_hello()), Said::ok(whole_hello()), Said::ok(whole_hello())]);
    let client = client(&script);
    let long = Request::new("test/small").user("word ".repeat(200));
    let answer = client.send_with(&long, &Options::default().strict(true)).await.unwrap();
    let warning = &answer.meta.warnings[0];
    assert_eq!((warning.kind, &*warning.setting), (WarningKind::Adjusted, "messages"));
    assert!(warning.detail.contains("about 254 tokens") && warning.detail.contains("takes 100"), "{warning}");

    let refuse = Options::default().context_guard(ContextGuard::Refuse);
    let error = client.send_with(&long, &refuse).await.unwrap_err();
    assert_eq!((error.kind(), error.model()), (ErrorKind::ContextOverflow, Some("small")));
    assert_eq!(script.count(), 1, "nothing was sent");

    let off = Options::default().context_guard(ContextGuard::Off);
    assert!(client.send_with(&long, &off).await.unwrap().meta.warnings.is_empty());
    // Many bytes and few tokens: a picture.
    let short = Request::new("test/small").user("x".repeat(150));
    assert!(client.send_with(&short, &refuse).await.unwrap().meta.warnings.is_empty());
}

#[tokio::test]
async fn tokens_are_counted_where_the_provider_counts() {
    let script = Script::answers([
        Said::ok(r#"{"input_tokens":588}"#),
        Said::ok(r#"{"object":"response.input_tokens","input_tokens":12}"#),
        Said::status(
            400,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"no sk-ant-1"}}"#,
        ),
        Said::ok("{}"),
    ]);
    let client = script.builder().key("anthropic", "sk-ant-1").key("openai", "sk-2").build().unwrap();
    let asked =
        |model: &str| Request::new(model).system("Be terse.").user("hi").max_output(5).temperature(0.1);
    assert_eq!(
        client.count_tokens(&asked("anthropic/claude-opus-4-6")).await.unwrap(),
        TokenCount::Exact(588)
    );
    script.with_sent(0, |request| {
        assert_eq!(request.uri().path(), "/v1/messages/count_tokens");
        assert_eq!(request.headers()["x-api-key"], "sk-ant-1");
        assert!(request.headers().contains_key("anthropic-version"));
    });
    let body = script.body(0);
    assert_eq!(
        (body.get("max_tokens"), body.get("temperature"), &body["model"]),
        (None, None, &"claude-opus-4-6".into())
    );
    assert_eq!(client.count_tokens(&asked("openai/gpt-6-sol")).await.unwrap(), TokenCount::Exact(12));
    script.with_sent(1, |request| assert_eq!(request.uri().path(), "/v1/responses/input_tokens"));
    assert_eq!(script.body(1).get("store"), None);
    let refused = client.count_tokens(&asked("anthropic/claude-opus-4-6")).await.unwrap_err();
    assert_eq!((refused.kind(), refused.provider()), (ErrorKind::InvalidRequest, Some("anthropic")));
    assert!(!refused.to_string().contains("sk-ant-1"), "{refused}");
    let silent = client.count_tokens(&asked("anthropic/claude-opus-4-6")).await.unwrap_err();
    assert_eq!(silent.kind(), ErrorKind::Protocol);
    let estimate = client.count_tokens(&asked("test/any")).await.unwrap();
    assert_eq!((estimate.is_exact(), estimate.tokens()), (false, asked("any").estimate_tokens()));
}

/// A folder that goes when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("interlingua-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn listing(script: &Arc<Script>, root: &str) -> Client {
    let mut row = Provider::new("test", Protocol::OpenaiChat, format!("https://{root}/v1"));
    row.models = Some(Listing::new("/models"));
    let transport = Arc::clone(script) as Arc<dyn Transport>;
    let builder = Client::builder().env(|_| None).provider(row).key("test", "sk-test-1").transport(transport);
    builder.retry(interlingua::RetryPolicy::default().retries(0)).catalog(catalog()).build().unwrap()
}

#[tokio::test]
async fn a_list_is_kept_merged_and_asked_for_anew() {
    let folder = Folder::new("models");
    let list =
        |id: &str| Said::ok(format!(r#"{{"data":[{{"id":"{id}","context_length":77}},{{"id":"small"}}]}}"#));
    let script = Script::new([
        Turn::Answer(list("one")),
        Turn::Answer(list("two")),
        Turn::Fail(ErrorKind::Connect),
        Turn::Answer(list("three")),
    ]);
    let client = listing(&script, "api.test");
    let day = ModelCache::new(&folder.0, Duration::from_secs(86_400));
    let names =
        |list: &interlingua::ModelList| list.models.iter().map(|model| model.id.clone()).collect::<Vec<_>>();

    let first = day.list(&client, "test").await.unwrap();
    assert_eq!((names(&first), first.age), (vec!["one".to_owned(), "small".to_owned()], None));
    assert_eq!((first.models[0].context(), first.models[0].known.is_none()), (Some(77), true));
    assert_eq!((first.models[1].context(), first.models[1].output()), (Some(100), Some(50)));
    let again = day.list(&client, "test").await.unwrap();
    assert_eq!((names(&again), script.count()), (names(&first), 1), "it comes from the disk");
    assert!(again.age.is_some() && again.models == first.models);

    let now = ModelCache::new(&folder.0, Duration::ZERO);
    std::fs::write(folder.0.join("other.json"), "{").unwrap();
    let shelf = std::fs::read_to_string(folder.0.join("test.json")).unwrap();
    assert!(!shelf.contains("sk-test-1"), "{shelf}");
    let mut old: serde_json::Value = serde_json::from_str(&shelf).unwrap();
    old["asked"] = 1.into();
    let old = old.to_string();
    std::fs::write(folder.0.join("test.json"), &old).unwrap();
    assert_eq!(names(&now.list(&client, "test").await.unwrap())[0], "two");
    std::fs::write(folder.0.join("test.json"), &old).unwrap();
    let stale = now.list(&client, "test").await.unwrap();
    assert_eq!(
        (names(&stale)[0].as_str(), stale.trouble.map(|error| error.kind())),
        ("one", Some(ErrorKind::Connect))
    );

    let moved = listing(&script, "elsewhere.test");
    assert_eq!(
        names(&day.list(&moved, "test").await.unwrap())[0],
        "three",
        "another address has another list"
    );
}

#[tokio::test]
async fn a_provider_without_a_list_has_the_models_that_are_known() {
    let script = Script::answers([]);
    let client = client(&script);
    let list = client.list_models("test").await.unwrap();
    assert_eq!(list.models.len(), 1, "what is not for conversations is left out");
    assert_eq!((list.models[0].id.as_str(), list.models[0].told.is_none()), ("small", true));
    let row = Provider::new("bare", Protocol::OpenaiChat, "https://bare.test");
    let bare = Client::builder().env(|_| None).provider(row).build().unwrap();
    assert_eq!(bare.list_models("bare").await.unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(bare.known_models("nobody").unwrap_err().kind(), ErrorKind::Configuration);
}
