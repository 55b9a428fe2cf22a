use interlingua::{Progress, Tool, ToolCall, Toolbox};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ErrorData, Implementation, ListToolsResult,
    PaginatedRequestParams, ProgressNotificationParam, ProgressToken, ServerCapabilities, ServerConfig,
    ToolAnnotations,
};
use rmcp::service::{Peer, RequestContext, RoleServer};
use rmcp::transport::async_rw::AsyncRwTransport;
use rmcp::{ServerHandler, ServiceExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;

use crate::{McpError, content};

/// Serves tools of this program to MCP clients, in both eras of the protocol.
///
/// Reports of progress are passed on, and a call that the client cancels is dropped. See [`McpServer::pipe`] for an
/// example.
///
/// [`McpServer::pipe`]: crate::McpServer::pipe
#[derive(Debug, Clone)]
pub struct ToolServer {
    toolbox: Toolbox,
    name: String,
    version: String,
    instructions: Option<String>,
}

impl ToolServer {
    /// A server of the tools in a box. What is added and removed later is seen when a client asks for the list again.
    /// Only function tools are served, since MCP knows no others.
    pub fn new(toolbox: &Toolbox) -> Self {
        Self {
            toolbox: toolbox.clone(),
            name: "interlingua".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            instructions: None,
        }
    }

    /// Sets the name and the version that clients are told.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>, version: impl Into<String>) -> Self {
        self.name = name.into();
        self.version = version.into();
        self
    }

    /// Sets what clients are told about the use of the tools.
    #[must_use]
    pub fn instructions(mut self, instructions: impl Into<String>) -> Self {
        self.instructions = Some(instructions.into());
        self
    }

    /// Serves one client on the standard streams, until it closes them. Nothing else may write to standard output
    /// meanwhile.
    ///
    /// # Errors
    /// When the client does not speak the protocol.
    pub async fn serve_stdio(self) -> Result<(), McpError> {
        self.serve(tokio::io::stdin(), tokio::io::stdout()).await
    }

    /// Serves one client on any pipe, until it closes it.
    ///
    /// # Errors
    /// When the client does not speak the protocol.
    pub async fn serve<R, W>(self, input: R, output: W) -> Result<(), McpError>
    where
        R: AsyncRead + Send + Unpin + 'static,
        W: AsyncWrite + Send + Unpin + 'static,
    {
        let name = self.name.clone();
        let transport = AsyncRwTransport::new(input, output);
        let failed = |reason: String| McpError::connection(&name, reason);
        let service = ServiceExt::serve(self, transport).await.map_err(|error| failed(error.to_string()))?;
        service.waiting().await.map(drop).map_err(|error| failed(error.to_string()))
    }

    fn tools(&self) -> Vec<rmcp::model::Tool> {
        let definitions = self.toolbox.definitions().into_iter();
        definitions.filter_map(|definition| self.tool(definition)).collect()
    }

    fn tool(&self, definition: Tool) -> Option<rmcp::model::Tool> {
        let Tool::Function(function) = definition else { return None };
        let handler = self.toolbox.get(&function.name)?;
        let mut tool = rmcp::model::Tool::default();
        let mut schema: serde_json::Map<_, _> = function.input.parse().ok()?;
        // The protocol wants the word even of tools that take nothing.
        schema.entry("type").or_insert_with(|| "object".into());
        tool.input_schema = schema.into();
        tool.name = function.name.into();
        tool.description = function.description.map(Into::into);
        if handler.is_idempotent() {
            tool.annotations = Some(ToolAnnotations::new().idempotent(true));
        }
        Some(tool)
    }

    /// Runs a call and passes its progress on.
    async fn run(
        &self,
        call: &ToolCall,
        client: &Peer<RoleServer>,
        token: Option<ProgressToken>,
    ) -> CallToolResult {
        let (sender, mut reports) = mpsc::channel(64);
        let mut running = std::pin::pin!(self.toolbox.call_with(call, move |progress| {
            let _ = sender.try_send(progress);
        }));
        let mut told = Told { client, token, count: 0.0 };
        let result = loop {
            tokio::select! {
                biased;
                Some(progress) = reports.recv() => told.pass_on(progress).await,
                result = &mut running => break result,
            }
        };
        // What was told at the very end.
        while let Ok(progress) = reports.try_recv() {
            told.pass_on(progress).await;
        }
        let mut answer = CallToolResult::default();
        answer.content = result.content.into_iter().map(content::block).collect();
        answer.is_error = Some(result.is_error);
        answer
    }
}

impl ServerHandler for ToolServer {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder().enable_tools().build();
        let mut config = ServerConfig::new(capabilities);
        config.server_info = Implementation::new(self.name.clone(), self.version.clone());
        config.instructions.clone_from(&self.instructions);
        config
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.tools()))
    }

    async fn call_tool(
        &self,
        params: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        if self.toolbox.get(&params.name).is_none() {
            return Err(ErrorData::invalid_params(format!("there is no tool `{}`", params.name), None));
        }
        let arguments = serde_json::Value::Object(params.arguments.unwrap_or_default());
        let call = ToolCall::new(context.id.to_string(), params.name, arguments.into());
        let token = context.meta.get_progress_token();
        tokio::select! {
            biased;
            () = context.ct.cancelled() => Err(ErrorData::internal_error("cancelled", None)),
            result = self.run(&call, &context.peer, token) => Ok(result.into()),
        }
    }
}

/// The reports of progress of one call.
struct Told<'a> {
    client: &'a Peer<RoleServer>,
    /// Where they go; a client that gives none wants none.
    token: Option<ProgressToken>,
    count: f64,
}

impl Told<'_> {
    async fn pass_on(&mut self, progress: Progress) {
        self.count += 1.0;
        let Some(token) = self.token.clone() else { return };
        let mut told = ProgressNotificationParam::new(token, progress.done.unwrap_or(self.count));
        told.total = progress.total;
        told.message = Some(progress.message).filter(|message| !message.is_empty());
        // A client that is gone is noticed elsewhere.
        let _ = self.client.notify_progress(told).await;
    }
}
