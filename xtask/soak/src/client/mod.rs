//! The conversations, and what is watched while they run.

mod check;
mod conversation;
mod peer;
mod turn;
mod watch;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use interlingua::layer::{Budget, CircuitBreaker, Concurrency, RateLimit};
use interlingua::wire::{Auth, Limits, Protocol, Provider};
use interlingua::{Client, ClientBuilder, RetryPolicy, Timeouts};
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::ledger::Ledger;
use crate::options::Options;
use crate::process;
use crate::report::{Left, Report};
use conversation::Conversation;
use peer::Peer;
use watch::Watch;

/// Most retries of one call.
pub(super) const RETRIES: u32 = 3;
/// Between two pieces of an answer: more than a busy machine makes anyone wait, so that only a stall takes as long.
const IDLE: Duration = Duration::from_secs(12);
/// For the head of an answer.
const HEAD: Duration = Duration::from_secs(15);
/// Most bytes of a line and of an answer.
const LIMITS: Limits = Limits::new(2 << 20, 2 << 20);
/// How long tasks and sockets may take to go away after the client.
const FAREWELL: Duration = Duration::from_secs(10);

/// What all conversations share.
#[derive(Debug)]
pub(super) struct Shared {
    client: Client,
    seed: u64,
    end: Instant,
    ledger: Arc<Mutex<Ledger>>,
}

impl Shared {
    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts a server, holds the conversations, and takes stock.
pub(crate) fn drive(options: &Options) -> Result<Report, String> {
    let peer = Peer::start(options.seed)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| format!("no runtime: {error}"))?;
    let mut report = runtime.block_on(soak(options, &peer.url()))?;
    report.counts = peer.finish()?;
    Ok(report)
}

async fn soak(options: &Options, url: &str) -> Result<Report, String> {
    let begun = Instant::now();
    let mut tasks = Left { before: alive(), ..Left::default() };
    let mut files = Left { before: open(), ..Left::default() };
    let ledger = Arc::new(Mutex::new(Ledger::default()));
    let budget = Budget::new();
    let mut builder = builder(url, &ledger);
    if options.layers {
        builder = layered(builder, &budget);
    }
    let client = builder.build().map_err(|error| format!("no client: {error}"))?;
    let end = begun + options.time;
    let shared = Arc::new(Shared { client, seed: options.seed, end, ledger: Arc::clone(&ledger) });
    let mut conversations = JoinSet::new();
    for slot in 0..options.conversations {
        conversations.spawn(Conversation::new(Arc::clone(&shared), slot).hold());
    }
    let watch = Watch::until(end, &shared).await;
    (tasks.peak, files.peak) = (watch.tasks, watch.files);
    while let Some(ended) = conversations.join_next().await {
        ended.map_err(|error| format!("a conversation broke: {error}"))?;
    }
    drop(shared);
    let left = Instant::now() + FAREWELL;
    while (alive() > tasks.before || open() > files.before) && Instant::now() < left {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    (tasks.after, files.after) = (alive(), open());
    let ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let (memory, processor) = (watch.memory(), process::processor());
    let (options, counts, time) = (*options, crate::server::Counts::default(), begun.elapsed());
    let charged = options.layers.then(|| budget.spent().calls);
    Ok(Report { options, ledger, charged, counts, memory, tasks, files, processor, time })
}

/// A client that knows the server by three names, one for each protocol.
fn builder(url: &str, ledger: &Arc<Mutex<Ledger>>) -> ClientBuilder {
    let told = Arc::clone(ledger);
    let pauses = (Duration::from_millis(20), Duration::from_millis(200));
    let mut builder = Client::builder()
        .env(|_| None)
        .limits(LIMITS)
        .timeouts(Timeouts::default().connect(HEAD).first_byte(HEAD).idle(IDLE))
        .retry(RetryPolicy::default().retries(RETRIES).pauses(pauses.0, pauses.1))
        .on_retry(move |_| told.lock().unwrap_or_else(PoisonError::into_inner).told += 1);
    for protocol in Protocol::ALL {
        let below = match protocol {
            Protocol::OpenaiChat | Protocol::OpenaiResponses => "/v1",
            Protocol::Ollama => "/api",
            _ => "",
        };
        let mut row = Provider::new(protocol.id(), protocol, format!("{url}{below}"));
        row.auth = Auth::None;
        builder = builder.provider(row);
    }
    builder
}

/// Layers that watch every call and change none.
fn layered(builder: ClientBuilder, budget: &Budget) -> ClientBuilder {
    builder
        .layer(budget.clone())
        .layer(CircuitBreaker::new().failures(u32::MAX))
        .layer(RateLimit::new().requests(u64::MAX).learn(false))
        .layer(Concurrency::new(usize::MAX))
}

fn alive() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

fn open() -> usize {
    process::open_files().unwrap_or_default()
}
