//! Makes the call of one case, and says what came of it and what must never be.

use std::error::Error as StdError;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use interlingua::{
    Answer, Client, Delta, Error, Event, Events, Limits, Mode, Options, Request, Response, Retry, RetryPolicy,
};
use tokio::time::timeout;

use super::case::{Case, KEY, Outcome, Said, Scene, reply};
use super::phrasebook::{Phrasebook, WORDS};
use crate::server::Server;

/// Longest time of one case.
const PATIENCE: Duration = Duration::from_secs(10);

/// Most bytes that a server may get rid of where a limit of 1 MiB holds; sockets buffer some.
const WRITTEN: usize = 16 << 20;

/// Most bytes of an error's body that are kept.
const KEPT: usize = 64 << 10;

/// What came of a case, and what is wrong with it.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) cell: String,
    pub(crate) faults: Vec<String>,
}

/// Makes the call of a case in one protocol.
pub(crate) async fn try_case(case: &Case, book: &Phrasebook) -> Verdict {
    let answer = book.whole();
    let elsewhere = Server::start(move |_| reply("200 OK", "", &answer)).await;
    let scene = Scene { book, written: Arc::default(), elsewhere: &elsewhere.url() };
    let steps = (case.steps)(&scene);
    let server = Server::start(move |_| steps.clone()).await;
    let mut heard = Heard::default();
    let asked = timeout(PATIENCE, heard.ask(&client(case, book, &server), case.mode)).await;
    let outcome = asked.map_or(Outcome::Hangs, |asked| heard.outcome(asked));
    let mut faults = heard.faults;
    let expected = case.expected(book.protocol);
    if outcome != *expected {
        faults.push(format!("{} instead of {}", shown(&outcome), shown(expected)));
    }
    faults.extend(leaks(&heard.texts, &[&server, &elsewhere]));
    faults.extend(flooded(&server, &scene.written).await);
    Verdict { cell: outcome.cell(&case.right), faults }
}

fn client(case: &Case, book: &Phrasebook, server: &Server) -> Client {
    let builder = Client::builder().env(|_| None).provider(server.row_of(book.protocol)).key("test", KEY);
    let builder = builder.retry(RetryPolicy::never()).limits(Limits::new(1 << 20, 1 << 20));
    (case.settings)(builder).build().unwrap()
}

/// Everything that a caller gets to see, as text, and what is wrong with it.
#[derive(Debug, Default)]
struct Heard {
    texts: Vec<String>,
    faults: Vec<String>,
}

impl Heard {
    async fn ask(&mut self, client: &Client, mode: Mode) -> Result<Response, Error> {
        let request = Request::new("test/m").user("hi");
        let mut events = client.events_with(&request, mode, &Options::default()).await?;
        let read = self.read(&mut events, mode).await;
        self.texts.push(format!("{events:?} {:?} {:#?}", events.meta(), events.meta()));
        read?;
        let Answer { response, meta, .. } = events.into_answer().await?;
        self.texts.push(format!("{meta:?}"));
        Ok(response)
    }

    async fn read(&mut self, events: &mut Events, mode: Mode) -> Result<(), Error> {
        let mut pieces = Vec::new();
        while let Some(event) = events.next().await {
            if let Event::Delta { delta: Delta::Text(piece), .. } = event? {
                pieces.push(piece.to_string());
            }
        }
        // Protocols that say the text once more at its end would hide a piece that was lost.
        let is_streamed = mode == Mode::Stream && pieces.len() > 1 && !pieces.concat().contains('\u{fffd}');
        if is_streamed && pieces != WORDS {
            self.faults.push(format!("the pieces are {pieces:?}"));
        }
        Ok(())
    }

    fn outcome(&mut self, asked: Result<Response, Error>) -> Outcome {
        let error = match asked {
            Ok(response) => {
                if response.finish.is_none() {
                    self.faults.push("an answer without a finish".to_owned());
                }
                if response.text().contains('\u{fffd}') && response.warnings.is_empty() {
                    self.faults.push("a character was replaced in silence".to_owned());
                }
                return Outcome::Says(Said::of(&response));
            }
            Err(error) => error,
        };
        self.look_at(&error);
        let retry = match error.retry() {
            Retry::After(pause) => Some(pause),
            _ => None,
        };
        let kept = error.partial().map(Said::of).unwrap_or_default();
        Outcome::Fails { kind: error.kind(), retry, kept }
    }

    fn look_at(&mut self, error: &Error) {
        self.texts.push(format!("{error} {error:?} {error:#?} {:?}", error.partial()));
        let mut cause = error.source();
        while let Some(inner) = cause {
            self.texts.push(format!("{inner} {inner:?}"));
            cause = inner.source();
        }
        if error.message().is_empty() || error.to_string().contains(|c: char| c.is_control()) {
            self.faults.push(format!("the message is no line: {error}"));
        }
        if error.message().len() > 8 << 10 {
            self.faults.push(format!("the message has {} bytes", error.message().len()));
        }
        if error.body().is_some_and(|body| body.len() > KEPT) {
            self.faults
                .push(format!("{} bytes of the body are kept", error.body().unwrap_or_default().len()));
        }
        if (error.provider(), error.model()) != (Some("test"), Some("m")) {
            self.faults.push(format!("the error does not say whose it is: {error}"));
        }
    }
}

/// The key was sent to the server that is its own, and is seen nowhere else.
fn leaks(texts: &[String], [own, other]: &[&Server; 2]) -> Vec<String> {
    let mut faults = Vec::new();
    if own.received().iter().any(|received| !received.head.contains(KEY)) {
        faults.push("the key was not sent".to_owned());
    }
    if other.received().iter().any(|received| received.head.contains("sk-") || received.body.contains("sk-"))
    {
        faults.push("the key went to another host".to_owned());
    }
    for text in texts.iter().filter(|text| text.contains(KEY)) {
        faults.push(format!("the key is shown: {}", brief(text)));
    }
    faults
}

/// A flood was stopped: the connection is closed, and little was taken.
async fn flooded(server: &Server, written: &AtomicUsize) -> Option<String> {
    if written.load(Ordering::SeqCst) == 0 {
        return None;
    }
    if timeout(PATIENCE, server.left()).await.is_err() {
        return Some("the connection of a flood stays open".to_owned());
    }
    let written = written.load(Ordering::SeqCst);
    (written >= WRITTEN).then(|| format!("{written} bytes were taken"))
}

fn shown(outcome: &Outcome) -> String {
    brief(&format!("{outcome:?}"))
}

pub(crate) fn brief(text: &str) -> String {
    let short: String = text.chars().take(400).collect();
    if short.len() < text.len() { format!("{short}… ({} bytes)", text.len()) } else { short }
}
