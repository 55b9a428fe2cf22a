//! What the client answers when a server asks or tells something.
#![expect(
    deprecated,
    reason = "servers of the era of sessions log, sample and ask for roots for years to come"
)]

use std::collections::HashMap;
use std::sync::Arc;

use interlingua::{Progress, ToolContext};
use rmcp::ClientHandler;
use rmcp::model::{
    ClientConfig, Implementation, LoggingMessageNotificationParam, ProgressNotificationParam, ProgressToken,
};
use rmcp::service::{NotificationContext, RoleClient};
use tokio::sync::{Mutex, Notify};

use crate::server::Rules;
use crate::text;

/// The client's side of one connection.
#[derive(Clone)]
pub(crate) struct Answers(Arc<Inner>);

struct Inner {
    rules: Rules,
    /// Told when the list of tools is another.
    changed: Arc<Notify>,
    /// The requests under way, by the token under which their progress is told.
    waiting: Mutex<HashMap<ProgressToken, Waiting>>,
}

/// A request under way.
pub(crate) struct Waiting {
    pub(crate) context: ToolContext,
    /// Told when the server gave a sign of life.
    pub(crate) stirred: Arc<Notify>,
}

impl Answers {
    pub(crate) fn new(rules: Rules, changed: Arc<Notify>) -> Self {
        Self(Arc::new(Inner { rules, changed, waiting: Mutex::default() }))
    }

    /// Locked while a request is sent, so that no report of progress comes before its token is known.
    pub(crate) fn waiting(&self) -> &Mutex<HashMap<ProgressToken, Waiting>> {
        &self.0.waiting
    }
}

impl ClientHandler for Answers {
    fn get_info(&self) -> ClientConfig {
        let mut client = Implementation::new("interlingua", env!("CARGO_PKG_VERSION"));
        client.title = Some("Interlingua".into());
        ClientConfig::new(self.0.rules.capabilities(), client)
    }

    async fn on_progress(&self, told: ProgressNotificationParam, _: NotificationContext<RoleClient>) {
        let waiting = self.0.waiting.lock().await;
        let Some(request) = waiting.get(&told.progress_token) else { return };
        let mut progress = Progress::new(text::line(&told.message.unwrap_or_default(), text::MESSAGE));
        progress.done = Some(told.progress);
        progress.total = told.total;
        request.context.progress(progress);
        request.stirred.notify_one();
    }

    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.0.changed.notify_one();
    }

    async fn on_logging_message(
        &self,
        told: LoggingMessageNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        let said = told.data.as_str().map_or_else(|| told.data.to_string(), str::to_owned);
        self.0.rules.log(&text::line(&said, text::MESSAGE));
    }
}
