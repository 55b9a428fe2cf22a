//! What servers offer beside tools: resources and prompts.

use interlingua::{Assistant, Input, Message, ToolContext, User};
use rmcp::model::{
    ClientRequest, GetPromptRequest, GetPromptRequestParams, ListPromptsRequest,
    ListResourceTemplatesRequest, ListResourcesRequest, Prompt, PromptMessage, ReadResourceRequest,
    ReadResourceRequestParams, Resource, ResourceTemplate, Role, ServerResult,
};
use serde_json::{Map, Value};

use crate::session::optional;
use crate::{McpClient, McpError, content, text};

/// A resource of a server, or a template of some; its texts are cleaned and cut.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct McpResource {
    /// Its address, or a template of it by RFC 6570, as the server wrote it.
    pub uri: String,
    /// Its name.
    pub name: String,
    /// What it is.
    pub description: Option<String>,
    /// Its MIME type.
    pub mime: Option<String>,
    /// How many bytes it has.
    pub size: Option<u64>,
}

/// A prompt of a server; its texts are cleaned and cut.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct McpPrompt {
    /// Its name, as the server wrote it.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// What it takes.
    pub arguments: Vec<McpArgument>,
}

/// What a prompt takes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct McpArgument {
    /// Its name.
    pub name: String,
    /// What it is.
    pub description: Option<String>,
    /// Whether the prompt cannot do without it.
    pub required: bool,
}

impl McpClient {
    /// The resources, in the server's order; none where the server has no such thing.
    ///
    /// # Errors
    /// When the server does not tell them.
    pub async fn resources(&self) -> Result<Vec<McpResource>, McpError> {
        let session = self.0.session()?;
        if session.info().is_some_and(|info| info.capabilities.resources.is_none()) {
            return Ok(Vec::new());
        }
        let ask =
            |page| ClientRequest::ListResourcesRequest(ListResourcesRequest { params: page, ..optional() });
        let list = session.pages(ask, |result| match result {
            ServerResult::ListResourcesResult(list) => Some((list.resources, list.next_cursor)),
            _ => None,
        });
        Ok(list.await?.into_iter().map(McpResource::from).collect())
    }

    /// The templates of resources, in the server's order; none where the server has no such thing.
    ///
    /// # Errors
    /// When the server does not tell them.
    pub async fn resource_templates(&self) -> Result<Vec<McpResource>, McpError> {
        let session = self.0.session()?;
        if session.info().is_some_and(|info| info.capabilities.resources.is_none()) {
            return Ok(Vec::new());
        }
        let ask = |page| {
            let request = ListResourceTemplatesRequest { params: page, ..optional() };
            ClientRequest::ListResourceTemplatesRequest(request)
        };
        let list = session.pages(ask, |result| match result {
            ServerResult::ListResourceTemplatesResult(list) => {
                Some((list.resource_templates, list.next_cursor))
            }
            _ => None,
        });
        Ok(list.await?.into_iter().map(McpResource::from).collect())
    }

    /// What a resource holds, as parts of a user's message: text as text, bytes as media.
    ///
    /// # Errors
    /// When the server does not give it.
    pub async fn read(&self, uri: &str) -> Result<Vec<Input>, McpError> {
        let session = self.0.session()?;
        let ask = |responses, state| {
            let mut params = ReadResourceRequestParams::new(uri);
            (params.input_responses, params.request_state) = (responses, state);
            ClientRequest::ReadResourceRequest(ReadResourceRequest::new(params))
        };
        let ServerResult::ReadResourceResult(result) = session.rounds(ask, &ToolContext::default()).await?
        else {
            return Err(session.unexpected());
        };
        let parts = result.contents.into_iter().map(content::contents).collect();
        let parts = content::limited(parts, self.0.output_limit());
        Ok(parts.into_iter().map(content::input).collect())
    }

    /// The prompts, in the server's order; none where the server has no such thing.
    ///
    /// # Errors
    /// When the server does not tell them.
    pub async fn prompts(&self) -> Result<Vec<McpPrompt>, McpError> {
        let session = self.0.session()?;
        if session.info().is_some_and(|info| info.capabilities.prompts.is_none()) {
            return Ok(Vec::new());
        }
        let ask = |page| ClientRequest::ListPromptsRequest(ListPromptsRequest { params: page, ..optional() });
        let list = session.pages(ask, |result| match result {
            ServerResult::ListPromptsResult(list) => Some((list.prompts, list.next_cursor)),
            _ => None,
        });
        Ok(list.await?.into_iter().map(McpPrompt::from).collect())
    }

    /// The messages that a prompt makes of its arguments.
    ///
    /// # Errors
    /// When the server does not know the prompt, or wants other arguments.
    pub async fn prompt<'a>(
        &self,
        name: &str,
        arguments: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Vec<Message>, McpError> {
        let session = self.0.session()?;
        let arguments = arguments.into_iter().map(|(name, value)| (name.to_owned(), Value::from(value)));
        let arguments: Map<String, Value> = arguments.collect();
        let ask = |responses, state| {
            let mut params = GetPromptRequestParams::new(name).with_arguments(arguments.clone());
            (params.input_responses, params.request_state) = (responses, state);
            ClientRequest::GetPromptRequest(GetPromptRequest::new(params))
        };
        match session.rounds(ask, &ToolContext::default()).await? {
            ServerResult::GetPromptResult(result) => Ok(result.messages.into_iter().map(message).collect()),
            _ => Err(session.unexpected()),
        }
    }
}

fn message(said: PromptMessage) -> Message {
    let part = content::part(said.content);
    match said.role {
        Role::User => Message::User(User::new(vec![content::input(part)])),
        Role::Assistant => Message::Assistant(Assistant::new(vec![content::said(part)])),
    }
}

impl From<Resource> for McpResource {
    fn from(resource: Resource) -> Self {
        Self {
            uri: resource.uri,
            name: text::line(&resource.name, text::MESSAGE),
            description: resource.description.as_deref().map(described),
            mime: resource.mime_type.map(|mime| text::line(&mime, text::NAME)),
            size: resource.size,
        }
    }
}

impl From<ResourceTemplate> for McpResource {
    fn from(template: ResourceTemplate) -> Self {
        Self {
            uri: template.uri_template,
            name: text::line(&template.name, text::MESSAGE),
            description: template.description.as_deref().map(described),
            mime: template.mime_type.map(|mime| text::line(&mime, text::NAME)),
            size: None,
        }
    }
}

impl From<Prompt> for McpPrompt {
    fn from(prompt: Prompt) -> Self {
        let arguments = prompt.arguments.unwrap_or_default().into_iter().map(|argument| McpArgument {
            name: argument.name,
            description: argument.description.as_deref().map(described),
            required: argument.required.unwrap_or_default(),
        });
        Self {
            name: prompt.name,
            description: prompt.description.as_deref().map(described),
            arguments: arguments.collect(),
        }
    }
}

fn described(told: &str) -> String {
    text::clean(told, text::DESCRIPTION)
}
