use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use interlingua::{BoxFuture, Client, HttpTransport, Secret, Transport};
use rmcp::model::{
    ClientCapabilities, ElicitationCapability, FormElicitationCapability, RootsCapabilities,
    SamplingCapability, UrlElicitationCapability,
};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::elicit::{Ask, Elicitation, ElicitationAnswer};
use crate::sample::Sampler;
use crate::{McpClient, McpError, McpLogin};

/// A server: how it is reached, and what it may do.
///
/// ```no_run
/// use interlingua::Toolbox;
/// use interlingua_mcp::McpServer;
///
/// # async fn example() -> Result<(), interlingua_mcp::McpError> {
/// let files = McpServer::command("files", "npx")
///     .args(["-y", "@modelcontextprotocol/server-filesystem", "."])
///     .on_log(|line| eprintln!("files: {line}"))
///     .connect()
///     .await?;
/// let tools = Toolbox::new();
/// files.tools_into(&tools).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct McpServer {
    pub(crate) name: String,
    pub(crate) reach: Reach,
    pub(crate) rules: Rules,
}

/// How a server is reached.
#[derive(Clone)]
pub(crate) enum Reach {
    Command(Command),
    Http(Http),
    Pipe(Dial),
}

/// A program to start.
#[derive(Clone)]
pub(crate) struct Command {
    pub(crate) program: OsString,
    pub(crate) args: Vec<OsString>,
    pub(crate) env: BTreeMap<String, Secret>,
    pub(crate) cwd: Option<PathBuf>,
}

/// An address to talk to.
#[derive(Clone)]
pub(crate) struct Http {
    pub(crate) url: String,
    pub(crate) headers: HeaderMap,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) login: Option<Box<McpLogin>>,
}

/// What is allowed, and how long things may take.
#[derive(Clone)]
pub(crate) struct Rules {
    pub(crate) connect: Duration,
    pub(crate) call: Duration,
    pub(crate) output: usize,
    pub(crate) restarts: u32,
    pub(crate) trusted: bool,
    pub(crate) log: Option<Log>,
    pub(crate) elicit: Option<Ask>,
    /// Addresses of folders.
    pub(crate) roots: Vec<String>,
    pub(crate) sampler: Option<Sampler>,
}

pub(crate) type Log = Arc<dyn Fn(&str) + Send + Sync>;
pub(crate) type Dial = Arc<dyn Fn() -> BoxFuture<'static, io::Result<Pipe>> + Send + Sync>;
/// What is read from a server, and what is written to it.
pub(crate) type Pipe = (Box<dyn AsyncRead + Send + Unpin>, Box<dyn AsyncWrite + Send + Unpin>);

impl McpServer {
    /// A program that speaks MCP on its standard streams.
    ///
    /// It sees no environment but what [`McpServer::env`] says and a few variables that programs need: `PATH`, `HOME`,
    /// the user's name, the language, the folder for temporary files. It is ended when the client is dropped: its
    /// standard input is closed, and two seconds later it is killed.
    pub fn command(name: impl Into<String>, program: impl Into<OsString>) -> Self {
        let command = Command { program: program.into(), args: Vec::new(), env: BTreeMap::new(), cwd: None };
        Self::new(name, Reach::Command(command))
    }

    /// A server at an address, spoken to over streamable HTTP.
    pub fn http(name: impl Into<String>, url: impl Into<String>) -> Self {
        let transport = Arc::new(HttpTransport::new());
        Self::new(
            name,
            Reach::Http(Http { url: url.into(), headers: HeaderMap::new(), transport, login: None }),
        )
    }

    /// A server at the other end of any pipe. `dial` makes a pipe each time that a connection is wanted: what is read
    /// from the server, and what is written to it.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
    /// use interlingua::{FunctionTool, Handler, Json, Toolbox};
    /// use interlingua_mcp::{McpServer, ToolServer};
    ///
    /// let definition = FunctionTool::new("now", "The time.", Json::object());
    /// let server = ToolServer::new(&Toolbox::new().add(Handler::new(definition, |_call| async { "12:00" })));
    /// let client = McpServer::pipe("clock", move || {
    ///     let (near, far) = tokio::io::duplex(1024);
    ///     let server = server.clone();
    ///     tokio::spawn(async move {
    ///         let (input, output) = tokio::io::split(far);
    ///         server.serve(input, output).await
    ///     });
    ///     std::future::ready(Ok(tokio::io::split(near)))
    /// });
    /// let client = client.connect().await?;
    /// let tools = Toolbox::new();
    /// client.tools_into(&tools).await?;
    /// assert_eq!(tools.definitions()[0].name(), "clock__now");
    /// # Ok::<(), interlingua_mcp::McpError>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn pipe<F, T, R, W>(name: impl Into<String>, dial: F) -> Self
    where
        F: Fn() -> T + Send + Sync + 'static,
        T: Future<Output = io::Result<(R, W)>> + Send + 'static,
        R: AsyncRead + Send + Unpin + 'static,
        W: AsyncWrite + Send + Unpin + 'static,
    {
        let dial: Dial = Arc::new(move || {
            let dialing = dial();
            Box::pin(async move {
                let (input, output) = dialing.await?;
                Ok((Box::new(input) as _, Box::new(output) as _))
            })
        });
        Self::new(name, Reach::Pipe(dial))
    }

    fn new(name: impl Into<String>, reach: Reach) -> Self {
        Self { name: name.into(), reach, rules: Rules::default() }
    }

    /// The name: the prefix of its tools, and what errors call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Adds arguments of the program. Nothing happens to a server that is no program.
    #[must_use]
    pub fn args<T: Into<OsString>>(mut self, args: impl IntoIterator<Item = T>) -> Self {
        if let Reach::Command(command) = &mut self.reach {
            command.args.extend(args.into_iter().map(Into::into));
        }
        self
    }

    /// Sets a variable of the program's environment. Nothing happens to a server that is no program.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<Secret>) -> Self {
        if let Reach::Command(command) = &mut self.reach {
            command.env.insert(name.into(), value.into());
        }
        self
    }

    /// Sets the folder in which the program runs. Nothing happens to a server that is no program.
    #[must_use]
    pub fn cwd(mut self, folder: impl Into<PathBuf>) -> Self {
        if let Reach::Command(command) = &mut self.reach {
            command.cwd = Some(folder.into());
        }
        self
    }

    /// Sets a header of every request; its value is never shown. Nothing happens to a server that has no address.
    ///
    /// # Errors
    /// When that is no header, or one that the protocol itself sets.
    pub fn header(mut self, name: &str, value: impl Into<Secret>) -> Result<Self, McpError> {
        let (name, value) = header(name, &value.into()).map_err(|problem| McpError::Config {
            file: None,
            path: format!("{}: header `{name}`", self.name),
            problem,
        })?;
        if let Reach::Http(http) = &mut self.reach {
            http.headers.insert(name, value);
        }
        Ok(self)
    }

    /// Sets the bearer token of every request.
    ///
    /// # Errors
    /// When it holds characters that no token has.
    pub fn bearer(self, token: &Secret) -> Result<Self, McpError> {
        self.header("authorization", format!("Bearer {}", token.expose()))
    }

    /// Logs in by OAuth when the server wants a token; a token that is set as a header goes first. Nothing happens to a
    /// server that has no address.
    #[must_use]
    pub fn login(mut self, login: McpLogin) -> Self {
        if let Reach::Http(http) = &mut self.reach {
            http.login = Some(Box::new(login.apart()));
        }
        self
    }

    /// Sets who carries the requests, in place of a [`HttpTransport`] of its own. Nothing happens to a server that has
    /// no address.
    #[must_use]
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        if let Reach::Http(http) = &mut self.reach {
            http.transport = transport;
        }
        self
    }

    /// Whether somebody is logging in right now.
    pub(crate) fn is_logging_in(&self) -> bool {
        matches!(&self.reach, Reach::Http(Http { login: Some(login), .. }) if login.is_waiting())
    }

    /// Sets the longest time until the server has answered the first request; 30 s by default. A server of before the
    /// revision 2026-07-28 that is silent about what it does not know takes 10 s of it.
    #[must_use]
    pub const fn connect_timeout(mut self, time: Duration) -> Self {
        self.rules.connect = time;
        self
    }

    /// Sets how long the server may be silent about a request; 60 s by default. A report of progress begins it anew.
    #[must_use]
    pub const fn call_timeout(mut self, time: Duration) -> Self {
        self.rules.call = time;
        self
    }

    /// Sets the most bytes of text that are taken from one result; 1 MiB by default. The rest is cut, visibly.
    #[must_use]
    pub const fn output_limit(mut self, bytes: usize) -> Self {
        self.rules.output = bytes;
        self
    }

    /// Sets how many times in a row a connection that broke off is tried anew, after pauses of 1 s, 2 s, 4 s and so on
    /// up to 30 s; 5 by default.
    #[must_use]
    pub const fn restarts(mut self, times: u32) -> Self {
        self.rules.restarts = times;
        self
    }

    /// Believes what the server says about its tools: those that it calls read-only or idempotent may run twice, and
    /// without being asked for where a [`Runner`](interlingua::Runner) asks only about the others. Off by default.
    #[must_use]
    pub const fn trusted(mut self, trusted: bool) -> Self {
        self.rules.trusted = trusted;
        self
    }

    /// Hears what happens beside the calls, a line each: what the program writes to its standard error, what the server
    /// logs, tools that are left out, connections that break off. Nothing of it is printed otherwise.
    #[must_use]
    pub fn on_log(mut self, hear: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.rules.log = Some(Arc::new(hear));
        self
    }

    /// Lets the server ask the user something. Without it, everything is declined.
    #[must_use]
    pub fn on_elicitation<F, T>(mut self, ask: F) -> Self
    where
        F: Fn(Elicitation) -> T + Send + Sync + 'static,
        T: Future<Output = ElicitationAnswer> + Send + 'static,
    {
        self.rules.elicit = Some(Arc::new(move |wanted| Box::pin(ask(wanted))));
        self
    }

    /// Tells the server of a folder in which it may work, if it asks. That is a request and keeps nobody out. Relative
    /// paths are those of the working directory of now.
    #[must_use]
    pub fn root(mut self, folder: impl AsRef<Path>) -> Self {
        let folder = folder.as_ref();
        let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        self.rules.roots.push(file_uri(&folder));
        self
    }

    /// Lets the server ask a model at the program's cost, as often as it likes. Which model is the program's choice, not
    /// the server's. Without it, nothing is answered.
    #[must_use]
    pub fn sampling(mut self, client: &Client, model: impl Into<String>) -> Self {
        self.rules.sampler = Some(Sampler { client: client.clone(), model: model.into() });
        self
    }

    /// Connects, in whichever era of the protocol the server lives: the stateless one since 2026-07-28, or the one of
    /// sessions before.
    ///
    /// # Errors
    /// When the program cannot be started, nobody is at the address, or no common version is found in time.
    pub async fn connect(&self) -> Result<McpClient, McpError> {
        McpClient::connect(self.clone()).await
    }
}

impl Rules {
    pub(crate) fn capabilities(&self) -> ClientCapabilities {
        let mut capabilities = ClientCapabilities::default();
        if self.elicit.is_some() {
            let forms = FormElicitationCapability::default();
            let urls = UrlElicitationCapability::default();
            capabilities.elicitation = Some(ElicitationCapability::new().with_form(forms).with_url(urls));
        }
        capabilities.roots = (!self.roots.is_empty()).then(RootsCapabilities::default);
        capabilities.sampling = self.sampler.as_ref().map(|_| SamplingCapability::default());
        capabilities
    }

    pub(crate) fn log(&self, line: &str) {
        if let Some(log) = &self.log {
            log(line);
        }
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            call: Duration::from_secs(60),
            output: 1 << 20,
            restarts: 5,
            trusted: false,
            log: None,
            elicit: None,
            roots: Vec::new(),
            sampler: None,
        }
    }
}

/// A path as an address, by RFC 8089.
fn file_uri(path: &Path) -> String {
    let path = path.to_string_lossy().replace('\\', "/");
    let mut uri = if path.starts_with('/') { "file://".to_owned() } else { "file:///".to_owned() };
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~:".contains(&byte) {
            uri.push(byte.into());
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

/// Headers that the protocol sets.
const RESERVED: [&str; 5] =
    ["accept", "content-type", "last-event-id", "mcp-protocol-version", "mcp-session-id"];

fn header(name: &str, value: &Secret) -> Result<(HeaderName, HeaderValue), String> {
    let name =
        HeaderName::from_bytes(name.as_bytes()).map_err(|_| "is not the name of a header".to_owned())?;
    if RESERVED.contains(&name.as_str()) {
        return Err("is set by the protocol itself".into());
    }
    let mut value = HeaderValue::from_str(value.expose())
        .map_err(|_| "has a value with characters that no header has".to_owned())?;
    value.set_sensitive(true);
    Ok((name, value))
}

impl fmt::Debug for McpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("McpServer");
        shown.field("name", &self.name);
        match &self.reach {
            Reach::Command(command) => {
                shown.field("program", &command.program).field("env", &command.env.keys())
            }
            Reach::Http(http) => shown.field("headers", &http.headers.keys()),
            Reach::Pipe(_) => shown.field("pipe", &true),
        };
        shown.finish_non_exhaustive()
    }
}
