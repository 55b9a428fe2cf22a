use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use interlingua::{ToolCall, ToolContext, ToolOutput, Toolbox};
use rmcp::service::Subscription;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::mirror::Mirror;
use crate::session::{Service, Session};
use crate::{McpError, McpServer, content, text};

/// A connection to a server. Clones share it; it ends when the last of them is dropped, and its tools leave the boxes
/// into which they were put.
///
/// A connection that breaks off is made anew in the background; what is called meanwhile fails with a clear error.
#[derive(Clone)]
pub struct McpClient(pub(crate) Arc<Shared>);

pub(crate) struct Shared {
    server: McpServer,
    link: Mutex<Link>,
    mirrors: Mutex<Vec<Mirror>>,
    stop: watch::Sender<bool>,
    keeper: Mutex<Option<JoinHandle<()>>>,
}

enum Link {
    Up(Arc<Session>),
    /// Why not.
    Down(String),
}

/// A connection that was up for so long may break off as often as one that is new.
const STABLE: Duration = Duration::from_secs(60);
/// The longest pause before a connection is tried anew.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

impl McpClient {
    pub(crate) async fn connect(server: McpServer) -> Result<Self, McpError> {
        let changed = Arc::new(Notify::new());
        let (session, service) = Session::open(&server, &changed).await?;
        let (stop, stopped) = watch::channel(false);
        let shared = Arc::new(Shared {
            server,
            link: Mutex::new(Link::Up(Arc::clone(&session))),
            mirrors: Mutex::default(),
            stop,
            keeper: Mutex::default(),
        });
        let keeper = Keeper { client: Arc::downgrade(&shared), changed, stopped, tries: 0 };
        *lock(&shared.keeper) = Some(tokio::spawn(keeper.keep(session, service)));
        Ok(Self(shared))
    }

    /// The name of the server.
    pub fn name(&self) -> &str {
        &self.0.server.name
    }

    /// The revision of the protocol that both speak, such as `2026-07-28`; `None` while there is no connection.
    pub fn protocol(&self) -> Option<String> {
        let info = self.0.session().ok()?.info()?;
        Some(info.protocol_version.as_str().to_owned())
    }

    /// What the server says about its use, for the instructions of a model. It is a stranger's text: control characters
    /// are taken out and it is cut at 8 KiB, but nothing says that it is true.
    pub fn instructions(&self) -> Option<String> {
        let info = self.0.session().ok()?.info()?;
        info.instructions.as_ref().map(|told| text::clean(told, text::DESCRIPTION))
    }

    /// Puts the server's tools into a box as `server__tool`, and says how many they are. When the server's list changes,
    /// the box does.
    ///
    /// Names keep to what every provider takes: letters, digits, `_` and `-`, at most 64, each but once.
    ///
    /// # Errors
    /// When the server does not tell its tools.
    pub async fn tools_into(&self, toolbox: &Toolbox) -> Result<usize, McpError> {
        let tools = self.0.session()?.tools().await?;
        let mut mirror = Mirror::new(toolbox);
        let count = mirror.show(&self.0.server, &Arc::downgrade(&self.0), tools);
        lock(&self.0.mirrors).push(mirror);
        Ok(count)
    }

    /// Ends the connection, and waits until a program that was started for it has ended.
    pub async fn close(self) {
        self.0.stop.send_replace(true);
        let keeper = lock(&self.0.keeper).take();
        if let Some(keeper) = keeper {
            let _ = keeper.await;
        }
        self.0.set(Link::Down("it was closed".into()));
    }
}

impl Shared {
    pub(crate) fn session(&self) -> Result<Arc<Session>, McpError> {
        match &*lock(&self.link) {
            Link::Up(session) => Ok(Arc::clone(session)),
            Link::Down(reason) => Err(McpError::connection(&self.server.name, reason.clone())),
        }
    }

    pub(crate) const fn output_limit(&self) -> usize {
        self.server.rules.output
    }

    /// Runs a call of a model; whatever goes wrong is told to it.
    pub(crate) async fn run(&self, tool: &str, call: &ToolCall, context: ToolContext) -> ToolOutput {
        let arguments = match content::arguments(&call.input) {
            Ok(arguments) => arguments,
            Err(problem) => return ToolOutput::error(problem),
        };
        let called = match self.session() {
            Ok(session) => session.call(tool, arguments, context).await,
            Err(error) => Err(error),
        };
        match called {
            Ok(result) => content::output(result, self.server.rules.output),
            Err(error) => ToolOutput::error(error.to_string()),
        }
    }

    /// Brings the boxes up to date.
    async fn refresh(self: Arc<Self>, session: &Session) {
        if lock(&self.mirrors).is_empty() {
            return;
        }
        match session.tools().await {
            Ok(tools) => {
                let client = Arc::downgrade(&self);
                for mirror in lock(&self.mirrors).iter_mut() {
                    mirror.show(&self.server, &client, tools.clone());
                }
            }
            Err(error) => self.server.rules.log(&error.to_string()),
        }
    }

    fn set(&self, link: Link) {
        *lock(&self.link) = link;
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(keeper) = lock(&self.keeper).take() {
            keeper.abort();
        }
        for mirror in lock(&self.mirrors).iter_mut() {
            mirror.clear();
        }
    }
}

/// Watches over a connection in the background.
struct Keeper {
    client: Weak<Shared>,
    changed: Arc<Notify>,
    stopped: watch::Receiver<bool>,
    /// How many times in a row a connection was tried anew.
    tries: u32,
}

impl Keeper {
    async fn keep(mut self, mut session: Arc<Session>, mut service: Service) {
        loop {
            let since = Instant::now();
            if self.watch(&session, service).await {
                return;
            }
            if since.elapsed() >= STABLE {
                self.tries = 0;
            }
            let Some(next) = self.reopen().await else { return };
            (session, service) = next;
            self.refresh(&session).await;
        }
    }

    /// Until the connection ends; says whether it was meant to.
    async fn watch(&mut self, session: &Session, service: Service) -> bool {
        let end = service.cancellation_token();
        let mut ended = pin!(service.waiting());
        let mut subscription = tokio::select! {
            subscription = session.listen() => subscription,
            () = stop(&mut self.stopped) => None,
        };
        loop {
            tokio::select! {
                biased;
                () = stop(&mut self.stopped) => {
                    end.cancel();
                    let _ = ended.await;
                    return true;
                }
                _ = &mut ended => return false,
                () = self.changed.notified() => {}
                () = heard(&mut subscription) => {}
            }
            self.refresh(session).await;
        }
    }

    async fn refresh(&mut self, session: &Session) {
        let Some(client) = self.client.upgrade() else { return };
        tokio::select! {
            () = client.refresh(session) => {}
            () = stop(&mut self.stopped) => {}
        }
    }

    /// A new connection, unless it was tried too often.
    async fn reopen(&mut self) -> Option<(Arc<Session>, Service)> {
        let mut reason = "the connection broke off".to_owned();
        loop {
            let client = self.client.upgrade()?;
            let server = client.server.clone();
            if self.tries >= server.rules.restarts {
                let told = format!("{reason}; it was tried anew {} times", self.tries);
                server.rules.log(&told);
                client.set(Link::Down(told));
                return None;
            }
            client.set(Link::Down(format!("{reason}; it is tried anew, call again later")));
            drop(client);
            let pause = Duration::from_secs(1 << self.tries.min(5)).min(LONGEST_PAUSE);
            self.tries += 1;
            let opened = tokio::select! {
                () = stop(&mut self.stopped) => return None,
                opened = async { sleep(pause).await; Session::open(&server, &self.changed).await } => opened,
            };
            match opened {
                Ok((session, service)) => {
                    self.client.upgrade()?.set(Link::Up(Arc::clone(&session)));
                    return Some((session, service));
                }
                Err(McpError::Connection { reason: told, .. }) => reason = told,
                Err(error) => reason = error.to_string(),
            }
        }
    }
}

async fn stop(stopped: &mut watch::Receiver<bool>) {
    // The sender is part of the client, and the keeper is ended when that is dropped.
    if stopped.wait_for(|stopped| *stopped).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Until a server of the stateless era tells of a change, or that it tells no more.
async fn heard(subscription: &mut Option<Subscription>) {
    let Some(listening) = subscription else { return std::future::pending().await };
    if !matches!(listening.next().await, Ok(Some(_))) {
        *subscription = None;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for McpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("McpClient").field(&self.0.server).finish()
    }
}
