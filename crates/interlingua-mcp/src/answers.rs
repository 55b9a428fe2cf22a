//! What the client answers when a server asks or tells something.
#![expect(
    deprecated,
    reason = "servers of the era of sessions log, sample and ask for roots for years to come"
)]

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use interlingua::{Progress, ToolContext};
use rmcp::ClientHandler;
use rmcp::model::{
    ClientConfig, CreateMessageRequestMethod, CreateMessageRequestParams, CreateMessageResult,
    ElicitRequestParams, ElicitResult, ErrorData, Implementation, InputRequest, InputRequests,
    InputResponses, ListRootsResult, LoggingMessageNotificationParam, ProgressNotificationParam,
    ProgressToken, Root,
};
use rmcp::service::{NotificationContext, RequestContext, RoleClient};
use serde_json::Value;
use tokio::sync::{Mutex, Notify};

use crate::server::Rules;
use crate::{elicit, text};

/// The client's side of one connection.
#[derive(Clone)]
pub(crate) struct Answers(Arc<Inner>);

struct Inner {
    rules: Rules,
    /// Told when the list of tools is another.
    changed: Arc<Notify>,
    /// The requests under way, by the token under which their progress is told.
    waiting: Mutex<HashMap<ProgressToken, Waiting>>,
    /// How many questions of the server wait for an answer of ours.
    asking: AtomicUsize,
}

/// A request under way.
pub(crate) struct Waiting {
    pub(crate) context: ToolContext,
    /// Told when the server gave a sign of life.
    pub(crate) stirred: Arc<Notify>,
}

impl Answers {
    pub(crate) fn new(rules: Rules, changed: Arc<Notify>) -> Self {
        Self(Arc::new(Inner { rules, changed, waiting: Mutex::default(), asking: AtomicUsize::new(0) }))
    }

    /// Locked while a request is sent, so that no report of progress comes before its token is known.
    pub(crate) fn waiting(&self) -> &Mutex<HashMap<ProgressToken, Waiting>> {
        &self.0.waiting
    }

    /// Whether the server waits for an answer of ours.
    pub(crate) fn is_asking(&self) -> bool {
        self.0.asking.load(Ordering::Relaxed) > 0
    }

    /// The answers to what a server of the stateless era wants to know before it answers.
    pub(crate) async fn all(&self, questions: InputRequests) -> InputResponses {
        let mut answers = InputResponses::new();
        for (key, question) in questions {
            if let Some(answer) = self.answer(question).await {
                answers.insert(key, answer);
            }
        }
        answers
    }

    async fn answer(&self, question: InputRequest) -> Option<Value> {
        match question {
            InputRequest::Elicitation(wanted) => serde_json::to_value(self.elicit(wanted.params).await).ok(),
            InputRequest::CreateMessage(wanted) => {
                serde_json::to_value(self.sample(wanted.params).await.ok()?).ok()
            }
            InputRequest::ListRoots(_) => serde_json::to_value(self.roots()).ok(),
            _ => None,
        }
    }

    async fn elicit(&self, wanted: ElicitRequestParams) -> ElicitResult {
        let _asking = Asking::new(self);
        elicit::elicit(self.0.rules.elicit.as_ref(), wanted).await
    }

    async fn sample(&self, wanted: CreateMessageRequestParams) -> Result<CreateMessageResult, ErrorData> {
        let _asking = Asking::new(self);
        match &self.0.rules.sampler {
            Some(sampler) => sampler.answer(wanted).await,
            None => Err(ErrorData::method_not_found::<CreateMessageRequestMethod>()),
        }
    }

    fn roots(&self) -> ListRootsResult {
        ListRootsResult::new(self.0.rules.roots.iter().map(Root::new).collect())
    }
}

/// A question of the server that is being answered.
struct Asking(Answers);

impl Asking {
    fn new(answers: &Answers) -> Self {
        answers.0.asking.fetch_add(1, Ordering::Relaxed);
        Self(answers.clone())
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        let inner = &self.0.0;
        inner.asking.fetch_sub(1, Ordering::Relaxed);
        // The time of the requests begins anew.
        if let Ok(waiting) = inner.waiting.try_lock() {
            waiting.values().for_each(|request| request.stirred.notify_one());
        }
    }
}

impl ClientHandler for Answers {
    fn get_info(&self) -> ClientConfig {
        let mut client = Implementation::new("interlingua", env!("CARGO_PKG_VERSION"));
        client.title = Some("Interlingua".into());
        ClientConfig::new(self.0.rules.capabilities(), client)
    }

    async fn create_message(
        &self,
        wanted: CreateMessageRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<CreateMessageResult, ErrorData> {
        self.sample(wanted).await
    }

    async fn create_elicitation(
        &self,
        wanted: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        Ok(self.elicit(wanted).await)
    }

    async fn list_roots(&self, _: RequestContext<RoleClient>) -> Result<ListRootsResult, ErrorData> {
        Ok(self.roots())
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
