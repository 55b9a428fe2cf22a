use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// What goes wrong with a server or its configuration.
///
/// ```
/// use interlingua_mcp::{McpConfig, McpError};
///
/// let error = McpConfig::parse(r#"{"mcpServers": {"files": {"args": []}}}"#).unwrap_err();
/// assert!(matches!(error, McpError::Config { .. }));
/// assert_eq!(error.to_string(), "mcpServers.files: needs a `command` or a `url`");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum McpError {
    /// A configuration cannot be used.
    Config {
        /// The file it came from, if any.
        file: Option<PathBuf>,
        /// Where in it: `mcpServers.files.args`; empty for the whole of it.
        path: String,
        /// What is wrong there.
        problem: String,
    },
    /// There is no connection, or it broke off.
    Connection {
        /// The name of the server.
        server: String,
        /// Why.
        reason: String,
    },
    /// The server did not answer in time.
    Timeout {
        /// The name of the server.
        server: String,
        /// How long was waited.
        after: Duration,
    },
    /// The server refused the request.
    Refused {
        /// The name of the server.
        server: String,
        /// The code of JSON-RPC.
        code: i32,
        /// What it says, cleaned of control characters and cut.
        message: String,
    },
    /// The server said what the protocol does not allow, or more than is taken from it.
    Protocol {
        /// The name of the server.
        server: String,
        /// What.
        problem: String,
    },
}

impl McpError {
    pub(crate) fn connection(server: &str, reason: impl Into<String>) -> Self {
        Self::Connection { server: server.to_owned(), reason: reason.into() }
    }

    pub(crate) fn protocol(server: &str, problem: impl Into<String>) -> Self {
        Self::Protocol { server: server.to_owned(), problem: problem.into() }
    }
}

impl fmt::Display for McpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config { file, path, problem } => {
                if let Some(file) = file {
                    write!(f, "{}: ", file.display())?;
                }
                if !path.is_empty() {
                    write!(f, "{path}: ")?;
                }
                f.write_str(problem)
            }
            Self::Connection { server, reason } => {
                write!(f, "the MCP server `{server}` is not connected: {reason}")
            }
            Self::Timeout { server, after } => {
                write!(f, "the MCP server `{server}` did not answer within {after:?}")
            }
            Self::Refused { server, code, message } => {
                write!(f, "the MCP server `{server}` refused: {message} ({code})")
            }
            Self::Protocol { server, problem } => write!(f, "the MCP server `{server}` {problem}"),
        }
    }
}

impl std::error::Error for McpError {}
