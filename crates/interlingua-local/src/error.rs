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
        match error.kind() {
            io::ErrorKind::NotFound => {
                let advice = "check the path, or fetch the default model with `il models pull`";
                Self { kind: ErrorKind::NotFound, message: format!("there is no such file; {advice}") }
            }
            _ => Self { kind: ErrorKind::Io, message: format!("the model file cannot be read: {error}") },
        }
    }
}

impl From<Error> for interlingua_model::Error {
    fn from(error: Error) -> Self {
        Self::new(error.kind, error.message)
    }
}

/// The figures of a conversation that does not fit into a model's context; the source of that error.
///
/// ```
/// use std::error::Error as _;
///
/// fn too_many(error: &interlingua_model::Error) -> Option<usize> {
///     let figures = error.source()?.downcast_ref::<interlingua_local::ContextOverflow>()?;
///     Some(figures.input + 1 - figures.context)
/// }
/// # assert_eq!(too_many(&interlingua_model::Error::new(interlingua_model::ErrorKind::Model, "other")), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContextOverflow {
    /// Tokens of the conversation as the model would read it.
    pub input: usize,
    /// Tokens that the context holds, conversation and answer together.
    pub context: usize,
}

impl fmt::Display for ContextOverflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { input, context } = self;
        write!(f, "the conversation has {input} tokens and the model's context holds {context}")
    }
}

impl std::error::Error for ContextOverflow {}
