//! A server's question to a model of ours, where the program allows it.
#![expect(deprecated, reason = "servers of the era of sessions sample for years to come")]

use interlingua::{Assistant, Client, Content, FinishReason, Message, Request, Response, User};
use rmcp::model::{
    ContentBlock, CreateMessageRequestParams, CreateMessageResult, ErrorData, Role, SamplingMessage,
    SamplingMessageContentBlock,
};

use crate::{content, text};

/// A model that a server may ask.
#[derive(Clone)]
pub(crate) struct Sampler {
    pub(crate) client: Client,
    pub(crate) model: String,
}

impl Sampler {
    /// Asks the model. The server's wishes about the model and about context of other servers are not heeded.
    pub(crate) async fn answer(
        &self,
        wanted: CreateMessageRequestParams,
    ) -> Result<CreateMessageResult, ErrorData> {
        let request = request(&self.model, wanted)?;
        match self.client.send(&request).await {
            Ok(response) => Ok(result(&response, &self.model)),
            Err(error) => {
                let told = text::line(&error.to_string(), text::MESSAGE);
                Err(ErrorData::internal_error(format!("the model did not answer: {told}"), None))
            }
        }
    }
}

fn request(model: &str, wanted: CreateMessageRequestParams) -> Result<Request, ErrorData> {
    let mut request = Request::new(model).max_output(wanted.max_tokens.max(1));
    if let Some(system) = wanted.system_prompt {
        request = request.system(system);
    }
    for message in wanted.messages {
        request.messages.push(said(message)?);
    }
    request.sampling.temperature = wanted.temperature.map(f64::from);
    request.sampling.stop = wanted.stop_sequences.unwrap_or_default();
    Ok(request)
}

fn said(message: SamplingMessage) -> Result<Message, ErrorData> {
    let parts: Result<Vec<_>, _> = message.content.into_vec().into_iter().map(part).collect();
    let parts = parts?.into_iter();
    Ok(match message.role {
        Role::User => Message::User(User::new(parts.map(content::input).collect())),
        Role::Assistant => Message::Assistant(Assistant::new(parts.map(content::said).collect())),
    })
}

fn part(block: SamplingMessageContentBlock) -> Result<Content, ErrorData> {
    let block = match block {
        SamplingMessageContentBlock::Text(text) => ContentBlock::Text(text),
        SamplingMessageContentBlock::Image(image) => ContentBlock::Image(image),
        SamplingMessageContentBlock::Audio(audio) => ContentBlock::Audio(audio),
        _ => return Err(ErrorData::invalid_params("tools are not offered to servers", None)),
    };
    Ok(content::part(block))
}

fn result(response: &Response, model: &str) -> CreateMessageResult {
    let model = response.model.clone().unwrap_or_else(|| model.to_owned());
    let result = CreateMessageResult::new(SamplingMessage::assistant_text(response.text()), model);
    match response.finish.as_ref().map(|finish| finish.reason) {
        Some(FinishReason::Stop) => result.with_stop_reason(CreateMessageResult::STOP_REASON_END_TURN),
        Some(FinishReason::Length) => result.with_stop_reason(CreateMessageResult::STOP_REASON_END_MAX_TOKEN),
        Some(other) => result.with_stop_reason(other.as_str()),
        None => result,
    }
}
