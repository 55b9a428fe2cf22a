//! Questions under names, as local servers take them.

use interlingua_model::{Content, Input, Json, Message, Output, Warning};
use serde_json::value::RawValue;

use super::{Answer, Answered, Asked, Choice, Decided, Kind, Level, Question, Style, Value, usage};
use crate::draft::{Draft, array};
use crate::{Call, Encoded, Object};

pub(super) fn encode(style: Style, asked: &Asked) -> Encoded {
    let mut warnings = Vec::new();
    let state = match style {
        Style::Gemini => content(&asked.input, &mut warnings),
        _ => state(&asked.input, &mut warnings),
    };
    for (setting, is_set) in
        [("cache_key", asked.cache_key.is_some()), ("end_user", asked.end_user.is_some())]
    {
        if is_set {
            warnings.push(Warning::ignored(setting, "the protocol does not have it"));
        }
    }
    let mut questions = Draft::default();
    for (number, question) in asked.questions.iter().enumerate() {
        questions = questions.set(&name(question, number), written(style, question));
    }
    let (path, model, about) = match style {
        Style::Gemini => ("/decisions", format!("models/{}", asked.model), "input"),
        _ => ("/systemone", asked.model.clone(), "state"),
    };
    let body = Draft::default().text("model", &model).set(about, state).set("questions", questions.json());
    Encoded::new(Call::post(path, body.body()), warnings)
}

/// Every question needs a name.
fn name(question: &Question, number: usize) -> String {
    question.name.clone().unwrap_or_else(|| format!("question_{}", number + 1))
}

/// What a user alone says stands for itself; a conversation is a list of who said what.
fn state(messages: &[Message], warnings: &mut Vec<Warning>) -> Json {
    if let Some(text) = alone(messages) {
        return Json::string(text);
    }
    let said = all(messages, warnings);
    let said = said.map(|(role, words)| Draft::default().text("role", role).text("content", &words).json());
    array(&said.collect::<Vec<_>>())
}

/// The same as content, which does not know who speaks, so that the text says it.
fn content(messages: &[Message], warnings: &mut Vec<Warning>) -> Json {
    if let Some(text) = alone(messages) {
        return Json::string(text);
    }
    let said = all(messages, warnings);
    let said = said.map(|(role, words)| Draft::of("text").text("text", &format!("{role}: {words}")).json());
    array(&said.collect::<Vec<_>>())
}

fn alone(messages: &[Message]) -> Option<&str> {
    let [Message::User(user)] = messages else { return None };
    let [Input::Text(text)] = user.parts.as_slice() else { return None };
    Some(&text.text)
}

fn all<'m>(
    messages: &'m [Message],
    warnings: &'m mut Vec<Warning>,
) -> impl Iterator<Item = (&'static str, String)> + 'm {
    messages.iter().enumerate().map(|(number, message)| {
        let (role, words, is_whole) = words(message);
        if !is_whole {
            let path = format!("input[{number}]");
            warnings.push(Warning::dropped(path, "only text can be decided upon here"));
        }
        (role, words)
    })
}

/// Who says it, the text, and whether that is all.
fn words(message: &Message) -> (&'static str, String, bool) {
    let (role, texts) = match message {
        Message::System(system) => ("system", system.parts.iter().map(heard).collect::<Vec<_>>()),
        Message::User(user) => ("user", user.parts.iter().map(heard).collect()),
        Message::Assistant(assistant) => ("assistant", assistant.parts.iter().map(said).collect()),
        _ => ("user", vec![None]),
    };
    let is_whole = texts.iter().all(Option::is_some);
    (role, texts.into_iter().flatten().collect::<Vec<_>>().join("\n"), is_whole)
}

fn heard(part: &Input) -> Option<String> {
    match part {
        Input::Text(text) => Some(text.text.clone()),
        Input::ToolResult(result) => {
            let is_text = result.content.iter().all(|content| matches!(content, Content::Text(_)));
            is_text.then(|| format!("{}: {}", result.name, result.text()))
        }
        _ => None,
    }
}

fn said(part: &Output) -> Option<String> {
    match part {
        Output::Text(text) => Some(text.text.clone()),
        Output::ToolCall(call) => Some(format!("{}({})", call.name, call.input)),
        _ => None,
    }
}

fn written(style: Style, question: &Question) -> Json {
    let written = |kind| Draft::of(kind).text("instructions", &question.instructions);
    match &question.kind {
        Kind::Predicate => written("noul").json(),
        Kind::Choice(choices) => {
            let mut criteria = Draft::default();
            for choice in choices {
                let description = choice.description.as_deref().map_or_else(|| none(style), Json::string);
                criteria = criteria.set(&key(choice), description);
            }
            written("choice").set("criteria", criteria.json()).json()
        }
        Kind::Score(levels) => {
            let criteria: Vec<Json> = levels.iter().map(|level| Json::string(&legend(level))).collect();
            written("score").set("criteria", array(&criteria)).json()
        }
    }
}

/// No description.
fn none(style: Style) -> Json {
    if style == Style::Gemini { Json::string("") } else { Json::from_text("null") }
}

fn key(choice: &Choice) -> String {
    match &choice.value {
        Value::Text(text) => text.clone(),
        Value::Truth(truth) => truth.to_string(),
    }
}

fn legend(level: &Level) -> String {
    match &level.description {
        Some(description) => format!("{}: {description}", level.label),
        None => level.label.clone(),
    }
}

/// Refusals in place of the answers, where the input was blocked.
pub(super) fn blocked(asked: &Asked, answer: &Object<'_>) -> Option<Decided> {
    let feedback: Object<'_> = answer.peek("prompt_feedback")?;
    feedback.get("block_reason")?;
    let refused = |question: &Question| Answer { name: question.name.clone(), answered: Answered::Refusal };
    let mut decided = Decided { usage: usage(answer.get("usage")), ..Decided::default() };
    decided.answers.extend(asked.questions.iter().map(refused));
    Some(decided)
}

pub(super) fn decode(asked: &Asked, answer: &Object<'_>) -> Decided {
    let answers: Object<'_> = answer.peek("answers").unwrap_or_default();
    let mut decided =
        Decided { model: answer.peek("model"), usage: usage(answer.get("usage")), ..Decided::default() };
    for (number, question) in asked.questions.iter().enumerate() {
        let raw = answers.get(&name(question, number));
        let answered = raw.map_or(Answered::Missing, |raw| answered(raw, &question.kind));
        decided.answers.push(Answer { name: question.name.clone(), answered });
    }
    decided
}

fn answered(raw: &RawValue, kind: &Kind) -> Answered {
    let answer = Object::parse(raw.get()).unwrap_or_default();
    known(&answer, kind).unwrap_or_else(|| Answered::Other(Json::from(raw)))
}

fn known(answer: &Object<'_>, kind: &Kind) -> Option<Answered> {
    let told: Object<'_> = answer.peek("probabilities").unwrap_or_default();
    let told: Vec<(&str, f64)> =
        told.iter().filter_map(|(name, value)| Some((name, value.get().parse().ok()?))).collect();
    Some(match (answer.peek::<String>("type")?.as_str(), kind) {
        ("noul", Kind::Predicate) => Answered::Predicate { probability: answer.peek("noul")? },
        ("choice", Kind::Choice(choices)) => {
            let value = |word: &str| {
                choices.iter().find(|choice| key(choice) == word).map(|choice| choice.value.clone())
            };
            Answered::Choice {
                value: value(&answer.peek::<String>("choice")?)?,
                confidence: answer.peek("confidence")?,
                probabilities: told
                    .into_iter()
                    .filter_map(|(name, share)| Some((value(name)?, share)))
                    .collect(),
            }
        }
        ("score", Kind::Score(levels)) => {
            let label = |place: &str| Some(levels.get(place.parse::<usize>().ok()?)?.label.clone());
            let named = |name: &str| label(name).unwrap_or_else(|| name.to_owned());
            Answered::Score {
                score: answer.peek("score")?,
                confidence: answer.peek("confidence")?,
                probabilities: told.into_iter().map(|(name, share)| (named(name), share)).collect(),
            }
        }
        _ => return None,
    })
}
