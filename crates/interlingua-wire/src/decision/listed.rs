//! Questions as a list, beside Responses.

use interlingua_model::{Error, Json, Request};
use serde_json::value::RawValue;

use super::{Answer, Answered, Asked, Decided, Kind, Question, Value, usage};
use crate::draft::{Draft, array};
use crate::openai_responses::OpenaiResponses;
use crate::{Call, Codec, Encoded, Mode, Object};

/// The fields of a request to Responses that say what the questions are about.
const ABOUT: [&str; 2] = ["instructions", "input"];

pub(super) fn encode(asked: &Asked) -> Result<Encoded, Error> {
    let mut request = Request::new(&asked.model);
    request.messages.clone_from(&asked.input);
    let encoded = OpenaiResponses::default().encode(&request, Mode::Whole)?;
    let body = Object::from_slice(&encoded.call.body).unwrap_or_default();
    let mut written = Draft::default().text("model", &asked.model).set("input", input(&body));
    written = written.maybe("prompt_cache_key", asked.cache_key.as_deref());
    written = written.maybe("safety_identifier", asked.end_user.as_deref());
    let questions: Vec<Json> = asked.questions.iter().map(question).collect();
    let written = written.set("questions", array(&questions));
    Ok(Encoded::new(Call::post("/decisions", written.body()), encoded.warnings))
}

/// The items of the input, instructions first; one plain text of a user stands for itself.
fn input(body: &Object<'_>) -> Json {
    let [instructions, input] = ABOUT.map(|name| body.get(name));
    let items: Vec<&RawValue> =
        input.and_then(|input| serde_json::from_str(input.get()).ok()).unwrap_or_default();
    let leading = instructions
        .filter(|text| text.get() != "null")
        .map(|text| Draft::of("message").text("role", "developer").set("content", Json::from(text)).json());
    if let ([only], None) = (items.as_slice(), &leading)
        && let Some(text) = plain(only)
    {
        return Json::string(&text);
    }
    match input {
        Some(text) if items.is_empty() && leading.is_none() => Json::from(text),
        _ => array(&leading.into_iter().chain(items.into_iter().map(Json::from)).collect::<Vec<_>>()),
    }
}

fn plain(item: &RawValue) -> Option<String> {
    let item = Object::parse(item.get()).ok()?;
    if item.peek("role") != Some("user") {
        return None;
    }
    if let Some(text) = item.peek::<String>("content") {
        return Some(text);
    }
    let parts: Vec<Object<'_>> = item.peek("content")?;
    match parts.as_slice() {
        [part] if part.iter().count() == 2 => part.peek("text"),
        _ => None,
    }
}

fn question(question: &Question) -> Json {
    let kind = match question.kind {
        Kind::Predicate => "predicate",
        Kind::Choice(_) => "choice",
        Kind::Score(_) => "score",
    };
    let written = Draft::of(kind).text("instructions", &question.instructions);
    let written = match &question.kind {
        Kind::Predicate => written,
        Kind::Choice(choices) => {
            let choices = choices.iter().map(|choice| {
                let written = Draft::default().set("value", value(&choice.value));
                written.maybe("description", choice.description.as_deref()).json()
            });
            written.set("choices", array(&choices.collect::<Vec<_>>()))
        }
        Kind::Score(levels) => {
            let levels = levels.iter().map(|level| {
                let written = Draft::default().text("label", &level.label);
                written.maybe("description", level.description.as_deref()).json()
            });
            written.set("levels", array(&levels.collect::<Vec<_>>()))
        }
    };
    written.maybe("name", question.name.as_deref()).json()
}

fn value(value: &Value) -> Json {
    match value {
        Value::Text(text) => Json::string(text),
        Value::Truth(truth) => Json::from_text(truth.to_string()),
    }
}

pub(super) fn decode(asked: &Asked, answer: &Object<'_>) -> Decided {
    let answers: Vec<&RawValue> = answer.peek("answers").unwrap_or_default();
    let mut decided =
        Decided { model: answer.peek("model"), usage: usage(answer.get("usage")), ..Decided::default() };
    for (number, question) in asked.questions.iter().enumerate() {
        let answered = answers.get(number).map_or(Answered::Missing, |raw| answered(raw));
        decided.answers.push(Answer { name: question.name.clone(), answered });
    }
    decided
}

fn answered(raw: &RawValue) -> Answered {
    let answer = Object::parse(raw.get()).unwrap_or_default();
    known(&answer).unwrap_or_else(|| Answered::Other(Json::from(raw)))
}

fn known(answer: &Object<'_>) -> Option<Answered> {
    let probabilities: Vec<Object<'_>> = answer.peek("probabilities").unwrap_or_default();
    Some(match answer.peek::<String>("type")?.as_str() {
        "predicate" => Answered::Predicate { probability: answer.peek("probability")? },
        "choice" => Answered::Choice {
            value: chosen(answer.get("choice")?)?,
            confidence: answer.peek("confidence")?,
            probabilities: probabilities
                .iter()
                .filter_map(|each| Some((chosen(each.get("value")?)?, each.peek("probability")?)))
                .collect(),
        },
        "score" => Answered::Score {
            score: answer.peek("score")?,
            confidence: answer.peek("confidence")?,
            probabilities: probabilities
                .iter()
                .filter_map(|each| Some((each.peek("label")?, each.peek("probability")?)))
                .collect(),
        },
        "refusal" => Answered::Refusal,
        _ => return None,
    })
}

fn chosen(raw: &RawValue) -> Option<Value> {
    match serde_json::from_str::<bool>(raw.get()) {
        Ok(truth) => Some(Value::Truth(truth)),
        Err(_) => serde_json::from_str(raw.get()).ok().map(Value::Text),
    }
}
