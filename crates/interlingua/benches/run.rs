//! What a turn of a run costs beside the call of the model that it makes: `cargo bench -p interlingua --bench run`.
//!
//! The model is in the process and answers at once with one call, of which there are twenty tools. `asked` makes the calls of the model
//! alone, `run` drives a run of as many turns, with the tool and its checks. Their difference, divided by the turns, is the cost of
//! the runner.
#![expect(clippy::unwrap_used, reason = "a benchmark may fail")]

use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use futures_util::stream;
use interlingua::wire::Mode;
use interlingua::{
    Backend, BoxFuture, BoxStream, Client, Error, Event, Finish, FinishReason, FunctionTool, Handler, Json,
    ModelInfo, Options, Output, Request, Run, RunLimits, Runner, Start, ToolCall, Toolbox,
};
use tokio::runtime::{Builder, Runtime};

const TURNS: u32 = 100;
const SCHEMA: &str = r#"{"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer"}},"required":["city"]}"#;

fn main() {
    divan::main();
}

#[derive(Debug)]
struct Caller;

impl Backend for Caller {
    fn stream(
        &self,
        _: Request,
    ) -> BoxFuture<'static, Result<BoxStream<'static, Result<Event, Error>>, Error>> {
        let call = ToolCall::new("c1", "tool_7", Json::from_text(r#"{"city":"Paris","days":3}"#));
        let events = [
            Event::start(Start::new(None, None)),
            Event::open(0, Output::ToolCall(call)),
            Event::close(0),
            Event::finish(Finish::new(FinishReason::ToolUse)),
        ];
        Box::pin(async move { Ok(Box::pin(stream::iter(events.map(Ok))) as BoxStream<'static, _>) })
    }

    fn models(&self) -> BoxFuture<'static, Result<Vec<ModelInfo>, Error>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

fn tools() -> Toolbox {
    let tool = |number: u32| {
        let definition =
            FunctionTool::new(format!("tool_{number}"), "Does something.", Json::from_text(SCHEMA));
        Handler::new(definition, |_| async { "done" })
    };
    (0..20).map(tool).collect()
}

fn prepared() -> (Runtime, Client) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let client = Client::builder().env(|_| None).backend("caller", Arc::new(Caller)).build().unwrap();
    (runtime, client)
}

#[divan::bench]
fn asked(bencher: Bencher<'_, '_>) {
    let (runtime, client) = prepared();
    let mut request = Request::new("caller/m").user("hi");
    request.tools = tools().definitions();
    bencher.counter(ItemsCount::new(TURNS)).bench_local(|| {
        runtime.block_on(async {
            for _ in 0..TURNS {
                let mut events =
                    client.events_with(&request, Mode::Stream, &Options::default()).await.unwrap();
                while let Some(event) = events.next().await {
                    event.unwrap();
                }
                events.into_response().await.unwrap();
            }
        });
    });
}

#[divan::bench]
fn run(bencher: Bencher<'_, '_>) {
    let (runtime, client) = prepared();
    let runner = Runner::new(&client).tools(&tools());
    bencher.counter(ItemsCount::new(TURNS)).bench_local(|| {
        runtime.block_on(async {
            let request = Request::new("caller/m").user("hi");
            let run = Run::new(request).with_limits(RunLimits::default().turns(TURNS));
            let mut running = runner.start(run);
            while running.next().await.is_some() {}
            assert_eq!(running.run().turns(), TURNS);
        });
    });
}
