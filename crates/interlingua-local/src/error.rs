use std::{fmt, io};

use interlingua_model::ErrorKind;

/// Why a model file cannot be used; becomes the project's error at the door.
#[derive(Debug)]
pub(crate) struct Error {
    kind: ErrorKind,
    message: String,
}

impl Error {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Model, message: message.into() }
    }

    pub(crate) fn damaged(what: impl fmt::Display) -> Self {
        Self::new(format!("the model file is damaged: {what}; fetch it again"))
    }

    pub(crate) fn truncated(length: u64, wanted: Option<u64>) -> Self {
        let wanted = wanted.map_or_else(String::new, |wanted| format!(" of at least {wanted}"));
        Self::new(format!("the model file is cut: it ends after {length} bytes{wanted}; fetch it again"))
    }

    pub(crate) fn not_gguf() -> Self {
        Self::new("the file is not a GGUF model; give the path of a .gguf file")
    }

    pub(crate) fn missing(key: &str) -> Self {
        Self::new(format!("the model file does not say `{key}`; it is no chat model or was converted badly"))
    }

    pub(crate) fn unsupported_architecture(name: &str) -> Self {
        let known: Vec<_> = crate::shape::Family::ALL.iter().map(|(name, _)| *name).collect();
        Self::new(format!("the model is of the architecture {name}; supported are {}", known.join(", ")))
    }

    pub(crate) fn unsupported_format(number: u32, tensor: &str) -> Self {
        Self::new(format!(
            "tensor {tensor} has the format {number}, which is not supported; use a Q4_K_M, Q8_0 or F16 file"
        ))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self { kind: ErrorKind::Io, message: format!("the model file cannot be read: {error}") }
    }
}

impl From<Error> for interlingua_model::Error {
    fn from(error: Error) -> Self {
        Self::new(error.kind, error.message)
    }
}
