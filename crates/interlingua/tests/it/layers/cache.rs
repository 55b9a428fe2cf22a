//! The very same is not asked twice.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use interlingua::layer::{Cache, Notice};
use interlingua::{Answer, Client, Event, Json, Mode, Options, Request, RunLimits, Toolbox};
use serde_json::json;
use tokio::time::advance;

use super::stand::{Act, Stand, word};
use crate::script::{Said, Script};
use crate::server::{hello, text_frame, whole_hello};

fn ask() -> Request {
    Request::new("test/m").user("hi")
}

async fn answer(client: &Client, request: &Request, mode: Mode) -> Answer {
    client.events_with(request, mode, &Options::default()).await.unwrap().into_answer().await.unwrap()
}

fn names(answer: &Answer) -> Vec<&'static str> {
    answer.meta.notices.iter().map(Notice::name).collect()
}

/// A folder that goes when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let folder = std::env::temp_dir().join(format!("interlingua-cache-{}-{number}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        Self(folder)
    }

    fn files(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(&self.0).into_iter().flatten();
        entries.map(|entry| entry.unwrap().path()).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn events(client: &Client, mode: Mode) -> Vec<Event> {
    let mut events = client.events_with(&ask(), mode, &Options::default()).await.unwrap();
    let mut all = Vec::new();
    while let Some(event) = events.next().await {
        all.push(event.unwrap());
    }
    all
}

#[tokio::test(start_paused = true)]
async fn a_hit_is_the_same_events_in_either_mode() {
    let folder = Folder::new();
    for cache in [Cache::memory(1 << 20), Cache::disk(&folder.0, 1 << 20)] {
        let script = Script::answers([Said::ok(hello()).header("x-request-id", "r-1")]);
        let client = script.builder().layer(cache).build().unwrap();
        let first = events(&client, Mode::Stream).await;
        assert!(first.len() > 5, "{first:?}");
        for mode in [Mode::Stream, Mode::Whole] {
            assert_eq!(events(&client, mode).await, first);
        }
        let hit = answer(&client, &ask(), Mode::Stream).await;
        assert_eq!(names(&hit), ["cache_hit"]);
        assert!(hit.meta.is_cached() && hit.meta.status.is_none());
        assert_eq!((hit.response.usage.input, hit.meta.request_id.as_deref()), (Some(7), Some("r-1")));
        assert_eq!(hit.response.message.origin.as_ref().unwrap().protocol, "openai_chat");
        assert_eq!(script.count(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn the_smallest_difference_is_another_question() {
    let ask = || Request::new("a/m").user("hi");
    let stand = Stand::new(|_, _| word("x", 0, 0));
    let client = stand.builder().layer(Cache::memory(1 << 20)).build().unwrap();
    let others = [
        ask(),
        Request::new("b/m").user("hi"),
        Request::new("a/n").user("hi"),
        Request::new("a/m").user("hi "),
        ask().temperature(0.0),
        ask().max_output(9),
        ask().system("Be terse."),
    ];
    for round in 0..2 {
        for request in &others {
            let answer = answer(&client, request, Mode::Whole).await;
            let expected: &[_] = if round == 0 { &["cache_miss", "cache_stored"] } else { &["cache_hit"] };
            assert_eq!(names(&answer), expected, "{request:?}");
        }
    }
    let calls = stand.count();
    let options = [
        Options::default().body_field("top_k", Json::from_text("1")),
        Options::default().header("x-beta", "1").unwrap(),
        Options::default().base_url("https://elsewhere.test"),
        Options::default().strict(true),
    ];
    for (at, options) in options.iter().enumerate() {
        client.send_with(&ask(), options).await.unwrap();
        assert_eq!(stand.count(), calls + at + 1, "{options:?}");
    }
    let calls = stand.count();
    client.send_with(&ask(), &Options::default().key("sk-other")).await.unwrap();
    let secret = Options::default().header("authorization", "Bearer sk-1").unwrap();
    client.send_with(&ask(), &secret).await.unwrap();
    assert_eq!(stand.count(), calls, "keys are no part of a question");
    client.send_with(&ask(), &Options::default().raw(true)).await.unwrap();
    client.send_with(&ask(), &Options::default().raw(true)).await.unwrap();
    assert_eq!(stand.count(), calls + 2, "frames come from the provider");
}

#[tokio::test(start_paused = true)]
async fn an_alias_asks_the_same_and_answers_grow_old() {
    let script = Script::answers((0..3).map(|_| Said::ok(
        r#"{"type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}"#,
    )));
    let cache = Cache::memory(1 << 20).fresh(Duration::from_secs(100));
    let client = script.builder().key("anthropic", "sk-ant").layer(cache).build().unwrap();
    answer(&client, &Request::new("anthropic/m").user("hi"), Mode::Whole).await;
    advance(Duration::from_secs(99)).await;
    let hit = answer(&client, &Request::new("claude/m").user("hi"), Mode::Whole).await;
    let [Notice::CacheHit { age, .. }] = hit.meta.notices.as_slice() else {
        panic!("{:?}", hit.meta.notices)
    };
    assert_eq!(age.as_secs(), 99);
    advance(Duration::from_secs(1)).await;
    let miss = answer(&client, &Request::new("claude/m").user("hi"), Mode::Whole).await;
    assert_eq!(names(&miss), ["cache_miss", "cache_stored"]);
}

#[tokio::test(start_paused = true)]
async fn only_whole_answers_are_kept() {
    let cut = whole_hello().replace("\"stop\"", "\"length\"");
    let script = Script::answers([
        Said::status(500, ""),
        Said::ok(text_frame("Hel")),
        Said::ok(cut),
        Said::ok(hello()),
        Said::ok(hello()),
    ]);
    let retry = interlingua::RetryPolicy::never();
    let client = script.builder().retry(retry).layer(Cache::memory(1 << 20)).build().unwrap();
    client.send(&ask()).await.unwrap_err();
    client.stream(&ask()).await.unwrap().into_response().await.unwrap_err();
    client.send(&ask()).await.unwrap();
    let mut given_up = client.stream(&ask()).await.unwrap();
    given_up.next().await.unwrap().unwrap();
    drop(given_up);
    client.send(&ask()).await.unwrap();
    assert_eq!(script.count(), 5);
    client.send(&ask()).await.unwrap();
    assert_eq!(script.count(), 5);
}

#[tokio::test(start_paused = true)]
async fn memory_is_bounded_and_large_answers_pass() {
    let stand = Stand::new(|_, request| match request.model.as_str() {
        "large" => (0..100).map(|_| Act::Say("x")).chain([Act::Finish]).collect(),
        _ => word("x", 0, 0),
    });
    let client = stand.builder().layer(Cache::memory(4096)).build().unwrap();
    let large = Request::new("a/large").user("hi");
    for _ in 0..2 {
        assert_eq!(names(&answer(&client, &large, Mode::Whole).await), ["cache_miss"]);
    }
    let small = |number| Request::new(format!("a/{number}")).user("hi");
    for number in 0..20 {
        answer(&client, &small(number), Mode::Whole).await;
    }
    let hits = async |number| answer(&client, &small(number), Mode::Whole).await.meta.is_cached();
    assert!(hits(19).await && !hits(0).await);
}

#[tokio::test(start_paused = true)]
async fn who_wants_none_says_so() {
    let stand = Stand::new(|_, _| word("x", 0, 0));
    let cache = Cache::memory(1 << 20).only_deterministic();
    let client = stand.builder().layer(cache).build().unwrap();
    let ask = || Request::new("a/m").user("hi");
    let mut seeded = ask();
    seeded.sampling.seed = Some(7);
    for (request, calls) in
        [(ask(), 2), (ask().temperature(0.5), 4), (ask().temperature(0.0), 5), (seeded, 6)]
    {
        client.send(&request).await.unwrap();
        client.send(&request).await.unwrap();
        assert_eq!(stand.count(), calls, "{request:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn files_are_private_whole_and_of_one_version() {
    let folder = Folder::new();
    let stand = Stand::new(|_, _| word("x", 0, 0));
    let ask = |number| Request::new(format!("a/{number}")).user("a secret");
    let client = || stand.builder().layer(Cache::disk(&folder.0, 1 << 20)).build().unwrap();
    client().send(&ask(0)).await.unwrap();
    client().send(&ask(0)).await.unwrap();
    assert_eq!(stand.count(), 1, "another program finds it");
    let [file] = &folder.files()[..] else { panic!("{:?}", folder.files()) };
    let text = std::fs::read_to_string(file).unwrap();
    assert!(!text.contains("a secret"), "what was asked is not written: {text}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(file), mode(&folder.0)), (0o600, 0o700));
    }
    for broken in [text.replace("\"interlingua\":1", "\"interlingua\":9"), text[..text.len() / 2].to_owned()]
    {
        std::fs::write(file, broken).unwrap();
        let calls = stand.count();
        client().send(&ask(0)).await.unwrap();
        assert_eq!(stand.count(), calls + 1);
        client().send(&ask(0)).await.unwrap();
        assert_eq!(stand.count(), calls + 1, "it is written anew");
    }
    std::fs::write(folder.0.join("notes.txt"), "mine").unwrap();
    let tight = stand.builder().layer(Cache::disk(&folder.0, 8_000)).build().unwrap();
    for number in 1..34 {
        tight.send(&ask(number)).await.unwrap();
    }
    let length: u64 = folder.files().iter().map(|file| std::fs::metadata(file).unwrap().len()).sum();
    assert!(length <= 8_000 && folder.0.join("notes.txt").exists(), "{length}");
}

#[tokio::test(start_paused = true)]
async fn a_folder_that_cannot_be_written_is_no_error() {
    let folder = Folder::new();
    std::fs::write(&folder.0, "a file").unwrap();
    let stand = Stand::new(|_, _| word("x", 0, 0));
    let client = stand.builder().layer(Cache::disk(folder.0.join("in"), 1 << 20)).build().unwrap();
    for _ in 0..2 {
        let answer = answer(&client, &Request::new("a/m").user("hi"), Mode::Whole).await;
        assert_eq!(names(&answer), ["cache_miss"]);
    }
    std::fs::remove_file(&folder.0).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_run_finds_its_turns_and_runs_its_tools() {
    let calls = json!([{"id": "a", "type": "function", "function": {"name": "gone", "arguments": "{}"}}]);
    let message = json!({"role": "assistant", "content": null, "tool_calls": calls});
    let first = json!({"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]});
    let script = Script::answers([Said::ok(first.to_string()), Said::ok(whole_hello())]);
    let client = script.builder().layer(Cache::memory(1 << 20)).build().unwrap();
    for _ in 0..2 {
        let run = client.run(ask(), &Toolbox::new(), RunLimits::default()).await.unwrap();
        assert_eq!((run.text().as_str(), run.turns()), ("Hello, wörld", 2));
    }
    assert_eq!(script.count(), 2);
}
