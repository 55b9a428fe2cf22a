//! Gets answers: sends the conversation, shows what comes, runs tools, until the model is done.

use interlingua::wire::Mode;
use interlingua::{Client, Finish, FinishReason, Meta, Options, Output, Request, Response};

use crate::args::Ask;
use crate::conversation::Conversation;
use crate::exit::{Exit, Failure, Result};
use crate::render::{self, Printer, Style};
use crate::settings::Settings;
use crate::terminal::Terminal;
use crate::tools::{Outcome, Tools};

/// Most answers to one question; each one but the last calls tools.
const MOST_TURNS: usize = 32;

/// A model, and how it is talked to.
pub(crate) struct Session {
    /// Who is asked, as `provider/model`.
    pub(crate) model: String,
    /// The knobs.
    pub(crate) settings: Settings,
    client: Client,
    tools: Tools,
    options: Options,
    style: Style,
    streamed: bool,
}

impl Session {
    /// A session with a model.
    pub(crate) fn new(client: Client, model: String, settings: Settings, tools: Tools, ask: &Ask) -> Self {
        let style = Style::of(ask);
        let options = Options::default().raw(ask.raw).strict(ask.strict);
        Self { model, settings, client, tools, options, style, streamed: !ask.no_stream }
    }

    /// The client.
    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }

    /// The HTTP request that would be sent.
    ///
    /// # Errors
    /// When no request can be made of the conversation.
    pub(crate) fn dry_run(&self, conversation: &Conversation, terminal: &mut Terminal) -> Result<()> {
        let mode = if self.streamed { Mode::Stream } else { Mode::Whole };
        let prepared = self.client.prepare(&self.request(conversation), mode, &self.options)?;
        for warning in &prepared.warnings {
            terminal.warn(&warning.to_string());
        }
        terminal.answer(&prepared.to_string())?;
        Ok(terminal.end_answer()?)
    }

    /// Answers the last question of the conversation, and says how the answer ended.
    ///
    /// When the future is dropped, [`Conversation::settle`] makes the conversation sound again.
    ///
    /// # Errors
    /// When an answer cannot be had; what had come of it is kept in the conversation.
    pub(crate) async fn answer(
        &mut self,
        conversation: &mut Conversation,
        terminal: &mut Terminal,
    ) -> Result<Finish> {
        for _ in 0..MOST_TURNS {
            let response = self.turn(conversation, terminal).await?;
            let finish = response.finish.clone().unwrap_or_else(|| Finish::new(FinishReason::Other));
            let calls: Vec<_> = if finish.reason == FinishReason::Length {
                Vec::new()
            } else {
                response.tool_calls().cloned().collect()
            };
            let goes_on = !calls.is_empty() || finish.reason == FinishReason::Paused;
            conversation.answer(response.message, calls);
            self.run_tools(conversation, terminal).await?;
            if !goes_on {
                return Ok(finish);
            }
            if self.style == Style::Text {
                terminal.end_answer()?;
            }
        }
        Err(Failure::new(Exit::Unfinished, format!("stopped after {MOST_TURNS} answers with tool calls")))
    }

    async fn turn(&self, conversation: &mut Conversation, terminal: &mut Terminal) -> Result<Response> {
        let request = self.request(conversation);
        let mut printer = Printer::new(self.style);
        let mode = if self.streamed { Mode::Stream } else { Mode::Whole };
        conversation.begin(self.client.events_with(&request, mode, &self.options).await?);
        while let Some(events) = conversation.running() {
            let Some(event) = events.next().await else { break };
            match event {
                Ok(event) => printer.event(&event, terminal)?,
                Err(error) => return Err(cut(&self.client, error, conversation, terminal)),
            }
        }
        let Some(events) = conversation.end() else {
            return Err(Failure::new(Exit::Other, "the answer was taken away"));
        };
        report(&self.client, events.meta(), &events.response(), terminal);
        Ok(events.into_response().await?)
    }

    async fn run_tools(&mut self, conversation: &mut Conversation, terminal: &mut Terminal) -> Result<()> {
        while let Some(call) = conversation.next_call() {
            match self.tools.call(&call, terminal).await {
                Outcome::Result(result) => {
                    render::tool_result(&result, self.style, terminal)?;
                    conversation.result(result);
                }
                Outcome::Stopped => return Err(interrupted()),
            }
        }
        Ok(())
    }

    fn request(&self, conversation: &Conversation) -> Request {
        self.settings.request(&self.model, conversation.messages(), self.tools.definitions())
    }
}

/// An answer that breaks off: its beginning stays.
fn cut(
    client: &Client,
    error: interlingua::Error,
    conversation: &mut Conversation,
    terminal: &mut Terminal,
) -> Failure {
    if let Some(events) = conversation.end() {
        report(client, events.meta(), &events.response(), terminal);
        conversation.keep(events.message());
    }
    error.into()
}

/// The failure of an answer that the user stopped.
pub(crate) fn interrupted() -> Failure {
    Failure::new(Exit::Interrupted, "interrupted")
}

/// What to say of an end that is not the usual one.
pub(crate) fn unusual(finish: &Finish) -> Option<String> {
    let raw = finish.raw.as_deref().map(|raw| format!(" (`{raw}`)")).unwrap_or_default();
    let words = match finish.reason {
        FinishReason::Stop => return None,
        FinishReason::Length => "the answer is cut: the output limit is reached; --max-tokens sets it",
        FinishReason::Filtered => "the answer was cut by the provider's content filter",
        FinishReason::Refused => "the model refused to answer",
        FinishReason::Paused => "the provider paused the answer",
        FinishReason::ToolUse => "the answer ends with a call of a tool that was not offered",
        _ => "the answer ended in an unusual way",
    };
    Some(format!("{words}{raw}"))
}

/// Details of a call, for those who asked for them.
fn report(client: &Client, meta: &Meta, response: &Response, terminal: &mut Terminal) {
    let timings = &meta.timings;
    let seconds = |time: Option<std::time::Duration>| time.map(|time| format!("{:.2} s", time.as_secs_f64()));
    let reasoning = response.message.parts.iter().filter(|part| matches!(part, Output::Reasoning(_))).count();
    let facts = [
        ("first byte", seconds(timings.first_byte)),
        ("first token", seconds(timings.first_token)),
        ("total", seconds(timings.total)),
        ("answered by", response.model.clone()),
        ("tokens in", response.usage.input.map(|tokens| tokens.to_string())),
        ("from cache", response.usage.cache_read.map(|tokens| tokens.to_string())),
        ("tokens out", response.usage.output.map(|tokens| tokens.to_string())),
        ("of reasoning", response.usage.reasoning.map(|tokens| tokens.to_string())),
        ("cost", client.cost(response).map(|cost| format!("${}", cost.total().rounded(6)))),
        ("reasoning parts", Some(reasoning).filter(|count| *count > 0).map(|count| count.to_string())),
        ("finish", response.finish.as_ref().map(|finish| finish.reason.as_str().to_owned())),
        ("request", meta.request_id.clone()),
    ];
    let known = facts.iter().filter_map(|(name, value)| Some(format!("{name} {}", value.as_ref()?)));
    terminal.detail(&known.collect::<Vec<_>>().join(", "));
}
