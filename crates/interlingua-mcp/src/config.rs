use std::path::Path;

use interlingua::Secret;
use serde_json::{Map, Value};

use crate::{McpError, McpServer};

/// The servers of a file in the format that MCP programs share.
///
/// ```json
/// {"mcpServers": {
///   "files": {"command": "npx", "args": ["-y", "@modelcontextprotocol/server-filesystem", "."]},
///   "issues": {"url": "https://example.com/mcp", "headers": {"Authorization": "Bearer ${ISSUES_TOKEN}"}},
///   "old": {"command": "old-server", "env": {"LEVEL": "${LEVEL:-info}"}, "cwd": "/srv", "disabled": true}
/// }}
/// ```
///
/// `${NAME}` stands for a variable of the environment in any text but names, `${NAME:-text}` has a text for when it is
/// not set. Fields that other programs know are passed over.
///
/// ```
/// use interlingua_mcp::McpConfig;
///
/// let config = McpConfig::parse(r#"{"mcpServers": {"files": {"command": "npx", "args": ["-y", "files"]}}}"#)?;
/// assert_eq!(config.servers()[0].name(), "files");
/// # Ok::<(), interlingua_mcp::McpError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct McpConfig {
    servers: Vec<McpServer>,
}

impl McpConfig {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read or something in it is wrong; the error names the file and the place.
    pub fn read(path: &Path) -> Result<Self, McpError> {
        let named = |error| match error {
            McpError::Config { path: place, problem, .. } => {
                McpError::Config { file: Some(path.to_owned()), path: place, problem }
            }
            other => other,
        };
        let text = std::fs::read_to_string(path)
            .map_err(|error| named(wrong("", format!("cannot be read: {error}"))))?;
        Self::parse(&text).map_err(named)
    }

    /// Reads the text of such a file, with the environment of the process.
    ///
    /// # Errors
    /// When something in it is wrong; the error names the place.
    pub fn parse(text: &str) -> Result<Self, McpError> {
        Self::parse_with(text, |name| std::env::var(name).ok())
    }

    /// Reads the text of such a file, with variables from anywhere.
    ///
    /// # Errors
    /// When something in it is wrong; the error names the place.
    pub fn parse_with(text: &str, lookup: impl Fn(&str) -> Option<String>) -> Result<Self, McpError> {
        let file: Value =
            serde_json::from_str(text).map_err(|error| wrong("", format!("is no JSON: {error}")))?;
        let servers = file.get("mcpServers").ok_or_else(|| wrong("", "has no `mcpServers`"))?;
        let top = Place { path: "mcpServers".into(), lookup: &lookup };
        let mut config = Self::default();
        for (name, entry) in top.object(servers)? {
            let place = top.field(name);
            let entry = place.object(entry)?;
            if !matches!(entry.get("disabled"), Some(Value::Bool(true))) {
                config.servers.push(place.server(name, entry)?);
            }
        }
        Ok(config)
    }

    /// The servers that are not disabled, in the order of the file.
    pub fn servers(&self) -> &[McpServer] {
        &self.servers
    }
}

/// A place in the file, for what is read there.
struct Place<'a> {
    path: String,
    lookup: &'a dyn Fn(&str) -> Option<String>,
}

impl Place<'_> {
    fn server(&self, name: &str, entry: &Map<String, Value>) -> Result<McpServer, McpError> {
        if name.is_empty() {
            return Err(self.wrong("a server needs a name"));
        }
        let kind = entry.get("type").map(|kind| self.field("type").text(kind)).transpose()?;
        match kind.as_deref() {
            None | Some("stdio" | "http" | "streamable-http" | "streamableHttp" | "streamable_http") => {}
            Some("sse") => {
                return Err(self.field("type").wrong(
                    "the transport `sse` was given up by the protocol: use the server's `http` address",
                ));
            }
            Some(other) => {
                return Err(self.field("type").wrong(format!("`{other}` is neither `stdio` nor `http`")));
            }
        }
        match (entry.get("command"), entry.get("url")) {
            (Some(_), Some(_)) => Err(self.wrong("has both a `command` and a `url`")),
            (Some(command), None) => self.command(name, command, entry),
            (None, Some(url)) => self.http(name, url, entry),
            (None, None) => Err(self.wrong("needs a `command` or a `url`")),
        }
    }

    fn command(
        &self,
        name: &str,
        command: &Value,
        entry: &Map<String, Value>,
    ) -> Result<McpServer, McpError> {
        let program = self.field("command").text(command)?;
        if program.trim().is_empty() {
            return Err(self.field("command").wrong("is empty"));
        }
        let mut server = McpServer::command(name, program);
        if let Some(args) = entry.get("args") {
            let place = self.field("args");
            let list = args.as_array().ok_or_else(|| place.wrong("is no list"))?;
            for (number, argument) in list.iter().enumerate() {
                server = server.args([place.item(number).text(argument)?]);
            }
        }
        if let Some(env) = entry.get("env") {
            let place = self.field("env");
            for (variable, value) in place.object(env)? {
                server = server.env(variable, place.field(variable).text(value)?);
            }
        }
        match entry.get("cwd") {
            Some(folder) => Ok(server.cwd(self.field("cwd").text(folder)?)),
            None => Ok(server),
        }
    }

    fn http(&self, name: &str, url: &Value, entry: &Map<String, Value>) -> Result<McpServer, McpError> {
        let place = self.field("url");
        let url = place.text(url)?;
        let is_address = url
            .parse::<http::Uri>()
            .is_ok_and(|uri| uri.host().is_some() && matches!(uri.scheme_str(), Some("http" | "https")));
        if !is_address {
            return Err(place.wrong("is no address with http:// or https://"));
        }
        let mut server = McpServer::http(name, url);
        if let Some(headers) = entry.get("headers") {
            let place = self.field("headers");
            for (header, value) in place.object(headers)? {
                let place = place.field(header);
                let value = Secret::new(place.text(value)?);
                server = server.header(header, value).map_err(|error| match error {
                    McpError::Config { problem, .. } => place.wrong(problem),
                    other => other,
                })?;
            }
        }
        Ok(server)
    }

    fn object<'v>(&self, value: &'v Value) -> Result<&'v Map<String, Value>, McpError> {
        value.as_object().ok_or_else(|| self.wrong("is no object"))
    }

    /// A string, with its variables put in.
    fn text(&self, value: &Value) -> Result<String, McpError> {
        let text = value.as_str().ok_or_else(|| self.wrong("is no string"))?;
        let (mut told, mut rest) = (String::new(), text);
        while let Some((before, from)) = rest.split_once("${") {
            let (variable, after) =
                from.split_once('}').ok_or_else(|| self.wrong("has a `${` without its `}`"))?;
            told.push_str(before);
            told.push_str(&self.variable(variable)?);
            rest = after;
        }
        Ok(told + rest)
    }

    fn variable(&self, text: &str) -> Result<String, McpError> {
        let (name, otherwise) = match text.split_once(":-") {
            Some((name, otherwise)) => (name, Some(otherwise.to_owned())),
            None => (text, None),
        };
        let name = name.strip_prefix("env:").unwrap_or(name);
        (self.lookup)(name)
            .or(otherwise)
            .ok_or_else(|| self.wrong(format!("the variable `{name}` is not set")))
    }

    fn field(&self, name: &str) -> Self {
        Self { path: format!("{}.{name}", self.path), lookup: self.lookup }
    }

    fn item(&self, number: usize) -> Self {
        Self { path: format!("{}[{number}]", self.path), lookup: self.lookup }
    }

    fn wrong(&self, problem: impl Into<String>) -> McpError {
        wrong(&self.path, problem)
    }
}

fn wrong(path: &str, problem: impl Into<String>) -> McpError {
    McpError::Config { file: None, path: path.to_owned(), problem: problem.into() }
}
