use crate::{Mode, percent};

use super::CallForm;

/// The path of a call.
pub(super) fn of(form: CallForm, model: &str, mode: Mode) -> String {
    let stream = mode == Mode::Stream;
    match form {
        CallForm::Messages => "/v1/messages".to_owned(),
        CallForm::Invoke => {
            let operation = if stream { "invoke-with-response-stream" } else { "invoke" };
            format!("/model/{}/{operation}", percent::encoded(model))
        }
        CallForm::RawPredict => {
            let operation = if stream { "streamRawPredict" } else { "rawPredict" };
            // The names of older models have a date behind an `@`, which may stand in a path as it is.
            format!("/models/{}:{operation}", percent::encoded(model).replace("%40", "@"))
        }
    }
}

/// What a path asks of which model, where it tells.
pub(super) fn read(form: CallForm, path: &str) -> Option<(String, Mode)> {
    let path = path.split('?').next().unwrap_or(path);
    let (model, operation) = match form {
        CallForm::Messages => return None,
        CallForm::Invoke => path.rsplit_once("/model/")?.1.rsplit_once('/')?,
        CallForm::RawPredict => path.rsplit_once("/models/")?.1.rsplit_once(':')?,
    };
    let mode = match operation {
        "invoke-with-response-stream" | "streamRawPredict" => Mode::Stream,
        "invoke" | "rawPredict" => Mode::Whole,
        _ => return None,
    };
    Some((percent::decoded(model)?, mode))
}
