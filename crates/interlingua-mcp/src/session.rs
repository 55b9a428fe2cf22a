//! One connection to a server, and the requests on it.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use interlingua::ToolContext;
use rmcp::model::{
    CallToolRequest, CallToolRequestParams, CallToolResult, ClientRequest, InputResponses, ListToolsRequest,
    PaginatedRequestParams, ProtocolVersion, RequestOptionalParam, ServerPeerInfo, ServerResult,
    SubscriptionFilter, Tool,
};
use rmcp::service::{
    ClientInitializeError, ClientLifecycleMode, ClientServiceExt as _, Peer, PeerRequestOptions,
    RequestHandle, RoleClient, RunningService, ServiceError, Subscription,
};
use rmcp::transport::async_rw::AsyncRwTransport;
use rmcp::transport::streamable_http_client::{
    StreamableHttpClientTransport, StreamableHttpClientTransportConfig,
};
use serde_json::{Map, Value};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use crate::answers::{Answers, Waiting};
use crate::child::ChildTransport;
use crate::server::{Command, Reach, Rules};
use crate::{McpError, McpServer, text};

/// Most pages of a list, and most entries together.
const PAGES: usize = 100;
const ENTRIES: usize = 1000;
/// How often a server may ask back before it answers.
const ROUNDS: u32 = 10;

/// Why a server that is gone does not answer.
const ENDED: &str = "it ended before it answered";

pub(crate) type Service = RunningService<RoleClient, Answers>;

/// A connection.
pub(crate) struct Session {
    server: String,
    /// Where it was found.
    from: McpServer,
    rules: Rules,
    peer: Peer<RoleClient>,
    answers: Answers,
}

impl Session {
    /// Connects and finds a common version of the protocol.
    pub(crate) async fn open(
        server: &McpServer,
        changed: &Arc<Notify>,
    ) -> Result<(Arc<Self>, Service), McpError> {
        let answers = Answers::new(server.rules.clone(), Arc::clone(changed));
        let service = started(server, answers.clone()).await?;
        let (peer, rules) = (service.peer().clone(), server.rules.clone());
        Ok((
            Arc::new(Self { server: server.name.clone(), from: server.clone(), rules, peer, answers }),
            service,
        ))
    }

    /// What the server said of itself.
    pub(crate) fn info(&self) -> Option<Arc<ServerPeerInfo>> {
        self.peer.peer_info()
    }

    /// All tools, in the server's order.
    pub(crate) async fn tools(&self) -> Result<Vec<Tool>, McpError> {
        let has_tools = self.info().is_none_or(|info| info.capabilities.tools.is_some());
        if !has_tools {
            return Ok(Vec::new());
        }
        let ask = |page| ClientRequest::ListToolsRequest(ListToolsRequest { params: page, ..optional() });
        self.pages(ask, |result| match result {
            ServerResult::ListToolsResult(list) => Some((list.tools, list.next_cursor)),
            _ => None,
        })
        .await
    }

    /// Calls a tool.
    pub(crate) async fn call(
        &self,
        tool: &str,
        arguments: Map<String, Value>,
        context: ToolContext,
    ) -> Result<CallToolResult, McpError> {
        let ask = |responses, state| {
            let mut params = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments.clone());
            (params.input_responses, params.request_state) = (responses, state);
            ClientRequest::CallToolRequest(CallToolRequest::new(params))
        };
        match self.rounds(ask, &context).await? {
            ServerResult::CallToolResult(result) => Ok(result),
            ServerResult::EmptyResult(_) => Ok(CallToolResult::default()),
            _ => Err(self.unexpected()),
        }
    }

    /// Asks to be told of changes, where a server of the stateless era has to be asked; others tell unasked.
    pub(crate) async fn listen(&self) -> Option<Subscription> {
        let info = self.info().filter(|info| !info.protocol_version.has_initialize())?;
        info.capabilities.tools.as_ref()?.list_changed.filter(|told| *told)?;
        let wanted = SubscriptionFilter::builder().tools_list_changed().build();
        timeout(self.rules.connect, self.peer.listen(wanted)).await.ok()?.ok()
    }

    /// Asks again as often as the server first wants to know something from us.
    pub(crate) async fn rounds(
        &self,
        ask: impl Fn(Option<InputResponses>, Option<String>) -> ClientRequest,
        context: &ToolContext,
    ) -> Result<ServerResult, McpError> {
        let (mut responses, mut state) = (None, None);
        for round in 0..ROUNDS {
            let request = ask(responses.take(), state.take());
            match self.request(request, context.clone()).await? {
                ServerResult::InputRequiredResult(wanted) => {
                    state = wanted.request_state;
                    match wanted.input_requests {
                        Some(questions) => responses = Some(self.answers.all(questions).await),
                        // It only wants to be asked again.
                        None => sleep(Duration::from_millis(100) * round).await,
                    }
                }
                result => return Ok(result),
            }
        }
        Err(McpError::protocol(&self.server, format!("asked back more than {ROUNDS} times")))
    }

    /// Everything that a list has, page by page.
    pub(crate) async fn pages<T>(
        &self,
        ask: impl Fn(Option<PaginatedRequestParams>) -> ClientRequest,
        read: impl Fn(ServerResult) -> Option<(Vec<T>, Option<String>)>,
    ) -> Result<Vec<T>, McpError> {
        let (mut all, mut cursor) = (Vec::new(), None::<String>);
        for _ in 0..PAGES {
            let page = cursor.map(|cursor| PaginatedRequestParams::default().with_cursor(Some(cursor)));
            let result = self.request(ask(page), ToolContext::default()).await?;
            let (entries, next) = read(result).ok_or_else(|| self.unexpected())?;
            all.extend(entries);
            cursor = next;
            if cursor.is_none() || all.len() > ENTRIES {
                break;
            }
        }
        if all.len() > ENTRIES || cursor.is_some() {
            self.rules
                .log(&format!("the list of the MCP server `{}` is cut at {ENTRIES} entries", self.server));
            all.truncate(ENTRIES);
        }
        Ok(all)
    }

    /// Sends a request and waits for its result. Dropping the future tells the server that nobody waits any more.
    pub(crate) async fn request(
        &self,
        request: ClientRequest,
        context: ToolContext,
    ) -> Result<ServerResult, McpError> {
        let stirred = Arc::new(Notify::new());
        let mut pending = {
            let mut waiting = self.answers.waiting().lock().await;
            let sent = self.peer.send_cancellable_request(request, PeerRequestOptions::no_options()).await;
            let handle = sent.map_err(|error| self.failed(error))?;
            let told = Waiting { context, stirred: Arc::clone(&stirred) };
            waiting.insert(handle.progress_token.clone(), told);
            Pending { handle: Some(handle), answers: self.answers.clone() }
        };
        let result = loop {
            tokio::select! {
                biased;
                result = pending.result() => break result,
                () = stirred.notified() => {}
                () = sleep(self.rules.call) => {
                    // A user who thinks about a question of the server, or logs in, keeps it waiting, not the other way round.
                    if !self.answers.is_asking() && !self.from.is_logging_in() {
                        return Err(McpError::Timeout { server: self.server.clone(), after: self.rules.call });
                    }
                }
            }
        };
        pending.done().await;
        result.map_err(|error| self.failed(error))
    }

    fn failed(&self, error: ServiceError) -> McpError {
        match error {
            ServiceError::McpError(error) => McpError::Refused {
                server: self.server.clone(),
                code: error.code.0,
                message: text::line(&error.message, text::MESSAGE),
            },
            ServiceError::TransportSend(error) => {
                McpError::connection(&self.server, transport_reason(error.error.as_ref()))
            }
            ServiceError::TransportClosed => McpError::connection(&self.server, "the connection was closed"),
            ServiceError::Cancelled { .. } => McpError::protocol(&self.server, "gave the request up"),
            _ => self.unexpected(),
        }
    }

    pub(crate) fn unexpected(&self) -> McpError {
        McpError::protocol(&self.server, "answered with something else than was asked for")
    }
}

/// A request that is under way.
struct Pending {
    handle: Option<RequestHandle<RoleClient>>,
    answers: Answers,
}

impl Pending {
    async fn result(&mut self) -> Result<ServerResult, ServiceError> {
        let Some(handle) = &mut self.handle else { return Err(ServiceError::TransportClosed) };
        (&mut handle.rx).await.unwrap_or(Err(ServiceError::TransportClosed))
    }

    async fn done(mut self) {
        if let Some(handle) = self.handle.take() {
            self.answers.waiting().lock().await.remove(&handle.progress_token);
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let (Some(handle), Ok(runtime)) = (self.handle.take(), tokio::runtime::Handle::try_current()) else {
            return;
        };
        let answers = self.answers.clone();
        runtime.spawn(async move {
            answers.waiting().lock().await.remove(&handle.progress_token);
            let _ = handle.cancel(Some("nobody waits for the result any more".into())).await;
        });
    }
}

/// Starts in time. While somebody logs in, the time stands still.
async fn started(server: &McpServer, answers: Answers) -> Result<Service, McpError> {
    let (after, mut starting) = (server.rules.connect, pin!(start(server, answers)));
    loop {
        match timeout(after, &mut starting).await {
            Ok(started) => return started,
            Err(_) if server.is_logging_in() => {}
            Err(_) => return Err(McpError::Timeout { server: server.name.clone(), after }),
        }
    }
}

async fn start(server: &McpServer, answers: Answers) -> Result<Service, McpError> {
    let failed = |reason: String| McpError::connection(&server.name, reason);
    match &server.reach {
        Reach::Command(command) => {
            let (transport, words) = ChildTransport::start(command, &server.rules)
                .map_err(|error| failed(not_started(command, &error)))?;
            let started = answers.serve_with_lifecycle(transport, eras()).await;
            match started {
                Ok(service) => Ok(service),
                Err(error) => Err(failed(reason(&error) + &words.told().await)),
            }
        }
        Reach::Http(http) => {
            let config = StreamableHttpClientTransportConfig::with_uri(http.url.as_str());
            let transport = StreamableHttpClientTransport::with_client(http.clone(), config);
            let started = answers.serve_with_lifecycle(transport, eras()).await;
            started.map_err(|error| failed(reason(&error)))
        }
        Reach::Pipe(dial) => {
            let (input, output) = dial().await.map_err(|error| failed(error.to_string()))?;
            let transport = AsyncRwTransport::new(input, output);
            let started = answers.serve_with_lifecycle(transport, eras()).await;
            started.map_err(|error| failed(reason(&error)))
        }
    }
}

/// First the stateless era is tried, then that of sessions.
fn eras() -> ClientLifecycleMode {
    ClientLifecycleMode::Auto {
        preferred_versions: vec![ProtocolVersion::LATEST],
        legacy_version: Some(ProtocolVersion::LATEST_WITH_INITIALIZE),
    }
}

fn not_started(command: &Command, error: &io::Error) -> String {
    let program = command.program.display();
    if error.kind() == io::ErrorKind::NotFound {
        return match &command.cwd {
            Some(folder) if !folder.is_dir() => format!("there is no folder {}", folder.display()),
            _ => format!("the program `{program}` was not found"),
        };
    }
    format!("the program `{program}` could not be started: {error}")
}

fn reason(error: &ClientInitializeError) -> String {
    let told = match error {
        ClientInitializeError::ConnectionClosed(_) => ENDED.into(),
        ClientInitializeError::TransportError { error, .. } => transport_reason(error.error.as_ref()),
        ClientInitializeError::LegacyFallbackFailed { fallback, .. } => reason(fallback),
        ClientInitializeError::NoCompatibleProtocolVersion { server_supported, .. } => {
            format!("it speaks none of the known versions, but {server_supported:?}")
        }
        other => other.to_string(),
    };
    text::line(&told, text::MESSAGE)
}

fn transport_reason(error: &(dyn std::error::Error + Send + Sync + 'static)) -> String {
    use rmcp::transport::streamable_http_client::StreamableHttpError;
    if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
        return ENDED.into();
    }
    match error.downcast_ref::<StreamableHttpError<interlingua::Error>>() {
        Some(StreamableHttpError::AuthRequired(_)) => {
            "it wants authorization (HTTP 401): log in (OAuth) or set another token in its headers".into()
        }
        Some(StreamableHttpError::InsufficientScope(_)) => "the token does not suffice (HTTP 403)".into(),
        Some(StreamableHttpError::Client(error)) => text::line(&error.to_string(), text::MESSAGE),
        _ => text::line(&error.to_string(), text::MESSAGE),
    }
}

pub(crate) fn optional<M: Default>() -> RequestOptionalParam<M, PaginatedRequestParams> {
    RequestOptionalParam {
        method: M::default(),
        params: None,
        extensions: rmcp::model::Extensions::default(),
    }
}
