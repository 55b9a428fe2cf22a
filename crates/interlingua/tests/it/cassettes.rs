//! Cassettes: what is played is what was recorded, and no key is in the file.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use interlingua::{
    Body, BoxFuture, Cassette, Client, ClientBuilder, Error, ErrorKind, Request, Timeouts, Timing, Transport,
    Unrecorded,
};
use proptest::prelude::*;
use tokio::time::Instant;

use crate::script::{Piece, Said, Script, Turn};

/// A file that is removed at the end.
struct Temporary(PathBuf);

impl Temporary {
    fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Self(std::env::temp_dir().join(format!("interlingua-cassette-{}-{number}.jsonl", std::process::id())))
    }

    fn text(&self) -> String {
        std::fs::read_to_string(&self.0).unwrap()
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A key that can be told from everything else.
const CANARY: &str = "sk-canary/7f3a+9\"e2==";

const STREAM: [&str; 3] = [
    "data: {\"choices\":[{\"delta\":{\"content\":\"Hel\"}}]}\n\nda",
    "ta: {\"choices\":[{\"delta\":{\"content\":\"lo\"},\"finish_reason\":\"stop\"}]}\n\n",
    "data: [DONE]\n\n",
];

fn streamed() -> Said {
    let wait = || Piece::Wait(Duration::from_millis(250));
    let [first, second, third] = STREAM.map(|text| Piece::Text(text.into()));
    Said::ok("")
        .header("content-type", "text/event-stream")
        .header("x-request-id", "r-1")
        .then(first)
        .then(wait())
        .then(second)
        .then(wait())
        .then(third)
}

fn whole(text: &str) -> Said {
    Said::ok(format!(r#"{{"choices":[{{"message":{{"content":"{text}"}},"finish_reason":"stop"}}]}}"#))
}

fn client(script: &Arc<Script>, cassette: Cassette) -> Client {
    with(script.builder(), cassette)
}

fn with(builder: ClientBuilder, cassette: Cassette) -> Client {
    builder.transport(Arc::new(cassette)).build().unwrap()
}

fn silent() -> Arc<Script> {
    Script::answers([])
}

fn ask(text: &str) -> Request {
    Request::new("test/m").user(text)
}

fn post(url: &str, body: &str) -> http::Request<Bytes> {
    http::Request::post(url).body(Bytes::from(body.to_owned())).unwrap()
}

/// What a transport answers, piece by piece.
async fn read(transport: &dyn Transport, call: http::Request<Bytes>) -> (u16, Vec<String>, Option<Error>) {
    let answer = transport.send(call, Timeouts::default()).await.unwrap();
    let status = answer.status().as_u16();
    let (mut pieces, mut failure, mut body) = (Vec::new(), None, answer.into_body());
    while let Some(chunk) = body.chunk().await {
        match chunk {
            Ok(bytes) => pieces.push(String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) => failure = Some(error),
        }
    }
    (status, pieces, failure)
}

#[tokio::test(start_paused = true)]
async fn what_is_played_is_what_came_with_its_pauses_when_they_are_wanted() {
    let file = Temporary::new();
    let script = Script::answers([streamed()]);
    let recording = client(&script, Cassette::record(&file.0, Arc::clone(&script) as _).unwrap());
    let told = recording.stream(&ask("hi")).await.unwrap().into_answer().await.unwrap();
    assert_eq!(told.response.text(), "Hello");
    let cases = [(Timing::None, 0), (Timing::Original, 500), (Timing::Scaled(0.5), 250)];
    for (timing, expected) in cases {
        let client = client(&silent(), Cassette::replay(&file.0).unwrap().timing(timing));
        let begun = Instant::now();
        let answer = client.stream(&ask("hi")).await.unwrap().into_answer().await.unwrap();
        assert_eq!(answer.response, told.response);
        assert_eq!(answer.meta.request_id.as_deref(), Some("r-1"));
        // The finish is handed out at its marker, which is the last piece.
        assert_eq!(begun.elapsed().as_millis(), expected, "{timing:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn pieces_keep_their_bounds_also_those_that_are_no_text() {
    let file = Temporary::new();
    let script = Script::answers([streamed().then(Piece::Break)]);
    let recorder = Cassette::record(&file.0, script as _).unwrap();
    let told = read(&recorder, post("http://a.test/x?b=c", "{}")).await;
    let played = read(&Cassette::replay(&file.0).unwrap(), post("http://a.test/x?b=c", "{ }")).await;
    assert_eq!((played.0, &played.1), (told.0, &told.1));
    let broken = played.2.unwrap();
    assert_eq!((broken.kind(), broken.message()), (ErrorKind::Truncated, "cut"));
    assert!(file.text().starts_with("{\"cassette\":1}\n"), "{}", file.text());
}

#[tokio::test]
async fn each_recording_is_played_once_in_order_and_again_only_when_that_is_wanted() {
    let file = Temporary::new();
    let script = Script::answers([whole("one"), whole("two"), whole("other")]);
    let recording = client(&script, Cassette::record(&file.0, Arc::clone(&script) as _).unwrap());
    for question in ["hi", "hi", "ho"] {
        recording.send(&ask(question)).await.unwrap();
    }
    let playing = client(&silent(), Cassette::replay(&file.0).unwrap());
    for (question, expected) in [("ho", "other"), ("hi", "one"), ("hi", "two")] {
        assert_eq!(playing.send(&ask(question)).await.unwrap().text(), expected);
    }
    let error = playing.send(&ask("hi")).await.unwrap_err();
    assert!(
        error.message().contains("any more: line 3 was played")
            || error.message().contains("line 2 was played"),
        "{error}"
    );
    let again = client(&silent(), Cassette::replay(&file.0).unwrap().reuse(true));
    for expected in ["one", "two", "two", "two"] {
        assert_eq!(again.send(&ask("hi")).await.unwrap().text(), expected);
    }
}

#[tokio::test]
async fn what_is_not_recorded_is_an_error_that_says_what_differs() {
    let file = Temporary::new();
    let script = Script::answers([whole("a"), whole("b")]);
    let recording = client(&script, Cassette::record(&file.0, Arc::clone(&script) as _).unwrap());
    recording.send(&ask("What is the capital of France?")).await.unwrap();
    recording.send(&ask("Why?").max_output(9)).await.unwrap();
    let error =
        client(&silent(), Cassette::replay(&file.0).unwrap()).send(&ask("Why not?")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    let unrecorded = Unrecorded::of(&error).unwrap();
    assert_eq!((unrecorded.recordings, unrecorded.nearest), (2, Some(2)));
    assert_eq!(
        unrecorded.differences,
        [r#"body.messages[0].content is `"Why not?"`, recorded is `"What is the capital of France?"`"#]
    );
    assert!(error.message().contains("is not on the cassette"), "{error}");
    let longer = client(&silent(), Cassette::replay(&file.0).unwrap()).send(&ask("Why?")).await.unwrap_err();
    let all = &Unrecorded::of(&longer).unwrap().differences;
    assert!(all.len() == 1, "{all:?}");
    let empty = Temporary::new();
    Cassette::record(&empty.0, silent() as _).unwrap();
    let error = client(&silent(), Cassette::replay(&empty.0).unwrap()).send(&ask("hi")).await.unwrap_err();
    assert!(error.message().ends_with("which is empty: record it first"), "{error}");
}

#[tokio::test]
async fn auto_plays_what_is_there_and_records_what_is_not() {
    let file = Temporary::new();
    for (answers, asked) in [(vec![whole("one")], 1), (vec![], 0), (vec![whole("two")], 1)] {
        let script = Script::answers(answers);
        let client = client(&script, Cassette::auto(&file.0, Arc::clone(&script) as _).unwrap());
        assert_eq!(client.send(&ask("hi")).await.unwrap().text(), "one");
        if asked == 1 && script.count() == 0 {
            assert_eq!(
                client.send(&ask("hi")).await.unwrap().text(),
                "two",
                "a second time is a second answer"
            );
        }
        assert_eq!(script.count(), asked);
    }
    assert_eq!(Cassette::replay(&file.0).unwrap().left(), 2);
}

#[tokio::test]
async fn a_call_without_an_answer_is_not_recorded_and_one_that_is_dropped_is_as_far_as_it_was_read() {
    let file = Temporary::new();
    let script = Script::new([Turn::Fail(ErrorKind::Connect), Turn::Answer(streamed())]);
    let cassette = Cassette::record(&file.0, script as _).unwrap();
    let call = || post("http://a.test/x", "{}");
    assert!(cassette.send(call(), Timeouts::default()).await.is_err());
    let mut body: Body = cassette.send(call(), Timeouts::default()).await.unwrap().into_body();
    while body.chunk().await.unwrap().unwrap().is_empty() {}
    drop(body);
    let (_, pieces, failure) = read(&Cassette::replay(&file.0).unwrap(), call()).await;
    assert_eq!(pieces.concat(), STREAM[0]);
    assert!(failure.unwrap().message().contains("nobody read on"));
    assert_eq!(file.text().lines().count(), 2);
}

/// Every spelling of the key that a file could hold.
fn shows(text: &str) -> Vec<String> {
    let json = serde_json::Value::from(CANARY).to_string().trim_matches('"').to_owned();
    let twice = serde_json::Value::from(&*json).to_string().trim_matches('"').to_owned();
    let spellings =
        [CANARY.to_owned(), json, twice, "sk-canary".to_owned(), "7f3a".to_owned(), "9%22e2".to_owned()];
    spellings.into_iter().filter(|word| text.contains(word)).collect()
}

#[tokio::test]
async fn no_byte_of_a_key_is_in_the_file() {
    let file = Temporary::new();
    let escaped = serde_json::Value::from(CANARY).to_string();
    let (front, back) = escaped.split_at(9);
    let echo = Said::status(401, format!("{{\"error\":{{\"message\":\"no such key: {}", &front[1..]))
        .header("x-echo", "sk-canary/7f3a+9\"e2==")
        .header("set-cookie", "id=sk-canary/7f3a")
        .then(Piece::Text(format!("{}\"}}}}", &back[..back.len() - 1])));
    let cassette = Cassette::record(&file.0, Script::answers([echo]) as _).unwrap();
    let call = http::Request::post("http://user:sk-canary7f3a@a.test/v1/x?key=sk-canary%2F7f3a%2B9%22e2%3D%3D&a=sk-canary%2F7f3a%2B9%22e2%3D%3D&b=c")
        .header("authorization", format!("Bearer {CANARY}"))
        .header("x-api-key", CANARY)
        .header("cookie", format!("a=b; session={CANARY}"))
        .header("x-own-version", CANARY)
        .header("content-type", "application/json")
        .body(Bytes::from(serde_json::json!({"text": format!("my key is {CANARY}"), "client_secret": "sk-canary"}).to_string()))
        .unwrap();
    let told = read(&cassette, call).await;
    assert!(told.1.concat().contains("sk-canary"), "the caller gets what came");
    assert_eq!(shows(&file.text()), [""; 0], "{}", file.text());
    assert!(file.text().contains("my key is [secret]"), "{}", file.text());
    let other = http::Request::post("http://a.test:81/v1/x?key=none&a=***&b=c")
        .header("x-own-version", "[secret]")
        .header("content-type", "application/json")
        .body(Bytes::from(r#"{"client_secret":"other","text":"my key is [secret]"}"#))
        .unwrap();
    let played = read(&Cassette::replay(&file.0).unwrap(), other).await;
    assert_eq!(played.0, 401);
    let lengths = |pieces: &[String]| pieces.iter().map(String::len).collect::<Vec<_>>();
    assert_eq!(lengths(&played.1), lengths(&told.1), "pieces keep their lengths");
}

#[tokio::test]
async fn credentials_that_are_asked_for_are_not_in_the_file_either() {
    let file = Temporary::new();
    let answers = [
        Said::ok("{\"access_token\": \"sk-canary-1\", \"expires_in\": 3599}"),
        Said::ok("<A><SecretAccessKey>sk-canary-2</SecretAccessKey><Expiration>2026</Expiration></A>"),
        Said::ok("sk-canary-3".repeat(5)),
    ];
    let cassette = Cassette::record(&file.0, Script::answers(answers) as _).unwrap();
    let form = |url: &str, body: &str| {
        let mut call = post(url, body);
        call.headers_mut().insert("content-type", "application/x-www-form-urlencoded".parse().unwrap());
        call
    };
    let calls = || {
        [
            form("http://login.test/oauth", "grant_type=x&assertion=sk-canary-0&scope=a"),
            form("http://sts.test/", "Action=AssumeRole&Version=1"),
            http::Request::put("http://169.254.169.254/latest/api/token").body(Bytes::new()).unwrap(),
        ]
    };
    for call in calls() {
        read(&cassette, call).await;
    }
    assert_eq!(shows(&file.text()), [""; 0], "{}", file.text());
    assert!(file.text().contains("3599") && file.text().contains("2026") && file.text().contains("&scope=a"));
    let replay = Cassette::replay(&file.0).unwrap();
    for call in calls() {
        assert_eq!(read(&replay, call).await.0, 200);
    }
    assert_eq!(replay.left(), 0);
}

#[tokio::test]
async fn what_a_model_says_of_keys_is_kept() {
    let file = Temporary::new();
    let said = r#"{"text":"api_key=os.getenv()","password":"hunter"}"#;
    let cassette = Cassette::record(&file.0, Script::answers([Said::ok(said)]) as _).unwrap();
    read(&cassette, post("http://a.test/x", "{}")).await;
    let played = read(&Cassette::replay(&file.0).unwrap(), post("http://a.test/x", "{}")).await;
    assert_eq!(played.1.concat(), said);
}

#[tokio::test]
async fn a_file_that_cannot_be_played_is_told_with_its_line() {
    let file = Temporary::new();
    let cases = [
        ("", "line 1 is not"),
        ("{\"cassette\":9}\n", "version 9 is not known"),
        ("{\"cassette\":1}\nnonsense\n", "line 2 is no recording"),
    ];
    for (text, expected) in cases {
        std::fs::write(&file.0, text).unwrap();
        let error = Cassette::replay(&file.0).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(
            error.message().contains(expected) && error.message().contains("interlingua-cassette"),
            "{error}"
        );
    }
    let absent = Cassette::replay(Path::new("/nowhere/at/all.jsonl")).unwrap_err();
    assert_eq!(absent.kind(), ErrorKind::Io);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any body, in any pieces, comes back as it was, and a key in it is in no file.
    #[test]
    fn any_bytes_come_back(pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..40), 0..8)) {
        let file = Temporary::new();
        let sent = pieces.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let played = runtime.block_on(async {
            let cassette = Cassette::record(&file.0, Arc::new(Bare("identity", sent)) as _).unwrap();
            read(&cassette, post("http://a.test/x", "")).await;
            let replay = Cassette::replay(&file.0).unwrap();
            let mut body = replay.send(post("http://a.test/x", ""), Timeouts::default()).await.unwrap().into_body();
            let mut all = Vec::new();
            while let Some(chunk) = body.chunk().await {
                all.push(chunk.unwrap().to_vec());
            }
            all
        });
        prop_assert_eq!(played, pieces);
    }
}

/// Answers with bytes, packed or not.
#[derive(Debug)]
struct Bare(&'static str, Vec<Vec<u8>>);

impl Transport for Bare {
    fn send(
        &self,
        _: http::Request<Bytes>,
        _: Timeouts,
    ) -> BoxFuture<'_, Result<http::Response<Body>, Error>> {
        let pieces: Vec<_> = self.1.iter().map(|piece| Ok(Bytes::from(piece.clone()))).collect();
        let body = Body::from_stream(futures_util::stream::iter(pieces));
        let answer = http::Response::builder().header("content-encoding", self.0).body(body).unwrap();
        Box::pin(async move { Ok(answer) })
    }
}

#[tokio::test]
async fn a_packed_answer_is_kept_unpacked_and_its_key_masked() {
    let file = Temporary::new();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(format!("no such key: {CANARY}, sorry").as_bytes()).unwrap();
    let packed = encoder.finish().unwrap();
    let (front, back) = packed.split_at(packed.len() / 2);
    let cassette =
        Cassette::record(&file.0, Arc::new(Bare("gzip", vec![front.to_vec(), back.to_vec()])) as _).unwrap();
    let mut call = post("http://a.test/x", "");
    call.headers_mut().insert("x-api-key", CANARY.parse().unwrap());
    let answer = cassette.send(call, Timeouts::default()).await.unwrap();
    assert_eq!(answer.headers()["content-encoding"], "gzip", "the caller gets what came");
    let mut body = answer.into_body();
    while let Some(chunk) = body.chunk().await {
        chunk.unwrap();
    }
    assert_eq!(shows(&file.text()), [""; 0], "{}", file.text());
    assert!(!file.text().contains("gzip"), "{}", file.text());
    let (_, pieces, _) = read(&Cassette::replay(&file.0).unwrap(), post("http://a.test/x", "")).await;
    assert_eq!(pieces.concat(), format!("no such key: {}, sorry", "*".repeat(CANARY.len())));
}
