use crate::{Mode, percent};

/// The path of a call. A model may be an ARN, whose colons and slashes must not be those of the path.
pub(super) fn of(model: &str, mode: Mode) -> String {
    let operation = match mode {
        Mode::Stream => "converse-stream",
        Mode::Whole => "converse",
    };
    format!("/model/{}/{operation}", percent::encoded(model))
}

/// What a path asks of which model.
pub(super) fn read(path: &str) -> Option<(String, Mode)> {
    let path = path.split('?').next().unwrap_or(path);
    let (rest, operation) = path.rsplit_once('/')?;
    let mode = match operation {
        "converse-stream" => Mode::Stream,
        "converse" => Mode::Whole,
        _ => return None,
    };
    let (_, model) = rest.split_once("/model/")?;
    Some((percent::decoded(model)?, mode)).filter(|(model, _)| !model.is_empty())
}
