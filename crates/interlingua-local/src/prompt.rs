//! A request as the text that the model was trained on, by the chat template in its file.

use std::borrow::Cow;
use std::time::SystemTime;

use interlingua_model::{Content, Effort, Format, Input, Message, Output, Request, ToolResult, Warning};
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, ErrorKind, Value, context};

use crate::date;
use crate::error::Error;

/// Steps after which a template is taken to run for ever.
const FUEL: u64 = 10_000_000;
const NAME: &str = "chat";

/// A chat template.
#[derive(Debug)]
pub(crate) struct Template {
    environment: Environment<'static>,
    can_think: bool,
}

/// A message as templates expect it.
#[derive(Debug)]
struct Turn {
    role: &'static str,
    content: String,
}

impl Template {
    /// Compiles a template.
    pub(crate) fn new(source: String) -> Result<Self, Error> {
        let can_think = source.contains("enable_thinking");
        let mut environment = Environment::new();
        environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.map_err(|error| Error::new(error.to_string()))?);
        environment.set_fuel(Some(FUEL));
        environment.add_function("raise_exception", |message: String| -> Result<Value, minijinja::Error> {
            Err(minijinja::Error::new(ErrorKind::InvalidOperation, message))
        });
        environment.add_function("strftime_now", |format: String| date::format(&format, SystemTime::now()));
        let added = environment.add_template_owned(NAME, source);
        added
            .map_err(|error| Error::new(format!("the chat template of the model cannot be read: {error}")))?;
        Ok(Self { environment, can_think })
    }

    /// The prompt for a request, up to where the model begins to answer. What people and models said is guarded.
    pub(crate) fn render(
        &self,
        request: &Request,
        bos: &str,
        eos: &str,
        guard: &dyn Fn(&str) -> Cow<'_, str>,
    ) -> Result<(String, Vec<Warning>), Error> {
        let mut warnings = ignored(request, self.can_think);
        let mut turns = turns(request, &mut warnings);
        for turn in &mut turns {
            turn.content = guard(&turn.content).into_owned();
        }
        let thinks = request.effort != Some(Effort::None);
        let render = |turns: &[Turn]| self.fill(turns, bos, eos, thinks);
        match render(&turns) {
            Ok(text) => Ok((text, warnings)),
            Err(error) => {
                // Some templates raise an exception at instructions; these models read them from the user.
                let text = move_instructions(turns).and_then(|turns| render(&turns).ok());
                let text = text.ok_or_else(|| refused(&error))?;
                let detail = "this model takes no instructions; the first user message begins with them";
                warnings.push(Warning::adjusted("messages[0]", detail));
                Ok((text, warnings))
            }
        }
    }

    fn fill(&self, turns: &[Turn], bos: &str, eos: &str, thinks: bool) -> Result<String, minijinja::Error> {
        let message = |turn: &Turn| context! { role => turn.role, content => &*turn.content };
        let values = context! {
            messages => turns.iter().map(message).collect::<Vec<Value>>(),
            add_generation_prompt => true,
            bos_token => bos,
            eos_token => eos,
            enable_thinking => thinks,
        };
        self.environment.get_template(NAME)?.render(values)
    }
}

/// Puts instructions before the first thing that the user says; `None` where there are none or nothing follows.
fn move_instructions(turns: Vec<Turn>) -> Option<Vec<Turn>> {
    let (instructions, mut others): (Vec<_>, Vec<_>) =
        turns.into_iter().partition(|turn| turn.role == "system");
    let mut text: String = instructions.into_iter().map(|turn| turn.content + "\n\n").collect();
    if text.is_empty() {
        return None;
    }
    let first = others.iter_mut().find(|turn| turn.role == "user")?;
    text.push_str(&first.content);
    first.content = text;
    Some(others)
}

fn refused(error: &minijinja::Error) -> Error {
    let detail = error.detail().map_or_else(|| error.to_string(), str::to_owned);
    Error::new(format!("the chat template of the model refuses the conversation: {detail}"))
}

/// What a model in the process cannot do.
fn ignored(request: &Request, can_think: bool) -> Vec<Warning> {
    let sampling = &request.sampling;
    let schema = matches!(request.format, Some(Format::Json | Format::Schema(_)));
    let settings = [
        ("tools", !request.tools.is_empty(), "a model in the process cannot call tools"),
        ("format", schema, "a model in the process cannot be bound to JSON; ask for it in the prompt"),
        ("sampling.presence_penalty", sampling.presence_penalty.is_some(), "not offered in the process"),
        ("sampling.frequency_penalty", sampling.frequency_penalty.is_some(), "not offered in the process"),
        ("sampling.logprobs", sampling.logprobs.is_some(), "not offered in the process"),
        ("effort", request.effort.is_some() && !can_think, "this model does not reason"),
        ("reasoning_budget", request.reasoning_budget.is_some(), "not offered in the process"),
        ("verbosity", request.verbosity.is_some(), "not offered in the process"),
    ];
    let asked = settings.into_iter().filter(|(_, asked, _)| *asked);
    asked.map(|(setting, _, why)| Warning::ignored(setting, why)).collect()
}

fn turns(request: &Request, warnings: &mut Vec<Warning>) -> Vec<Turn> {
    let mut turns = Vec::new();
    for (index, message) in request.messages.iter().enumerate() {
        match message {
            Message::System(system) => push(&mut turns, "system", inputs(&system.parts, index, warnings)),
            Message::User(user) => {
                for result in user.parts.iter().filter_map(result) {
                    push(&mut turns, "tool", results(result, index, warnings));
                }
                push(&mut turns, "user", inputs(&user.parts, index, warnings));
            }
            Message::Assistant(assistant) => {
                push(&mut turns, "assistant", outputs(&assistant.parts, index, warnings));
            }
            _ => warnings.push(Warning::dropped(
                format!("messages[{index}]"),
                "a kind of message that is not known here",
            )),
        }
    }
    turns
}

fn push(turns: &mut Vec<Turn>, role: &'static str, content: String) {
    if !content.is_empty() {
        turns.push(Turn { role, content });
    }
}

fn result(part: &Input) -> Option<&ToolResult> {
    match part {
        Input::ToolResult(result) => Some(result),
        _ => None,
    }
}

fn inputs(parts: &[Input], message: usize, warnings: &mut Vec<Warning>) -> String {
    let mut texts = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        match part {
            Input::Text(text) => texts.push(&*text.text),
            Input::ToolResult(_) => {}
            _ => warnings.push(no_place(message, index)),
        }
    }
    texts.join("\n\n")
}

fn outputs(parts: &[Output], message: usize, warnings: &mut Vec<Warning>) -> String {
    let mut texts = String::new();
    for (index, part) in parts.iter().enumerate() {
        match part {
            Output::Text(text) => texts.push_str(&text.text),
            // Templates of reasoning models leave earlier reasoning out as well.
            Output::Reasoning(_) => {}
            _ => warnings.push(no_place(message, index)),
        }
    }
    texts
}

fn results(result: &ToolResult, message: usize, warnings: &mut Vec<Warning>) -> String {
    if result.content.iter().any(|content| !matches!(content, Content::Text(_))) {
        warnings.push(Warning::dropped(format!("messages[{message}]"), "a tool result can hold text only"));
    }
    result.text()
}

fn no_place(message: usize, part: usize) -> Warning {
    Warning::dropped(format!("messages[{message}].parts[{part}]"), "a model in the process takes text only")
}

#[cfg(test)]
mod tests {
    use interlingua_model::Media;

    use super::*;

    const CHATML: &str = "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nHelp.<|im_end|>\n' }}{% endif %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

    fn render(source: &str, request: &Request) -> Result<(String, Vec<Warning>), Error> {
        Template::new(source.to_owned())?.render(request, "<s>", "</s>", &|text| Cow::Borrowed(text))
    }

    #[test]
    fn a_conversation_becomes_the_text_of_its_template() {
        let request = Request::new("m").user("Hi").message(Message::assistant("Hello")).user("Bye");
        let (text, warnings) = render(CHATML, &request).unwrap();
        let expected = "<|im_start|>system\nHelp.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello<|im_end|>\n<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n";
        assert_eq!(text, expected);
        assert!(warnings.is_empty());
    }

    #[test]
    fn what_cannot_be_said_is_a_warning() {
        let request = Request::new("m").user("Hi").user(Media::bytes("image/png", vec![1]));
        let (_, warnings) = render(CHATML, &request).unwrap();
        assert_eq!(warnings.len(), 1);
        assert_eq!(warnings[0].setting, "messages[1].parts[0]");
    }

    #[test]
    fn python_methods_work_and_a_refusal_of_the_template_is_quoted() {
        let source = "{{ bos_token }}{{ messages[0]['content'].strip().upper() }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}";
        assert_eq!(render(source, &Request::new("m").user(" hi ")).unwrap().0, "<s>HI");
        let error = render(source, &Request::new("m").system("x")).unwrap_err();
        let moved = render(source, &Request::new("m").system("x").user("y")).unwrap();
        assert_eq!(moved.0, "<s>X\n\nY");
        assert_eq!(moved.1.len(), 1);
        assert!(error.to_string().ends_with("no system role"), "{error}");
    }

    #[test]
    fn a_template_that_never_ends_is_an_error() {
        let source = "{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}";
        assert!(render(source, &Request::new("m").user("hi")).is_err());
    }
}
