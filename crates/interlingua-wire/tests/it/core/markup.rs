//! What models write into their text: any split gives the same, and what is no markup comes out as it is.

use interlingua_wire::markup::{Calls, Found, Markup, Splitter, Thinking, Written};
use proptest::prelude::*;

const ALL: [Calls; 5] = [
    Calls::ToolCallTags,
    Calls::ToolCallsToken,
    Calls::PythonTag,
    Calls::DeepSeekTokens,
    Calls::SectionTokens,
];

#[derive(Debug, Clone, PartialEq)]
enum Said {
    Text(String),
    Reasoning(String),
    Call(Option<String>, String, String),
}

fn text(text: &str) -> Said {
    Said::Text(text.to_owned())
}

fn reasoning(text: &str) -> Said {
    Said::Reasoning(text.to_owned())
}

fn call(name: &str, input: &str) -> Said {
    Said::Call(None, name.to_owned(), input.to_owned())
}

fn markup(thinking: Thinking, calls: &[Calls]) -> Markup {
    let mut markup = Markup::default();
    (markup.thinking, markup.calls) = (thinking, calls.to_vec());
    markup
}

/// What comes out, pieces of one kind joined.
fn split(markup: &Markup, pieces: &[&str]) -> Vec<Said> {
    let mut said: Vec<Said> = Vec::new();
    let mut take = |found: Found<'_>| match (found, said.last_mut()) {
        (Found::Text(text), Some(Said::Text(last)))
        | (Found::Reasoning(text), Some(Said::Reasoning(last))) => last.push_str(text),
        (Found::Text(text), _) => said.push(Said::Text(text.to_owned())),
        (Found::Reasoning(text), _) => said.push(Said::Reasoning(text.to_owned())),
        (Found::Call(Written { id, name, input, .. }), _) => {
            said.push(Said::Call(id, name, input.as_str().to_owned()));
        }
        (other, _) => panic!("{other:?}"),
    };
    let mut splitter = Splitter::new(markup.clone());
    for piece in pieces {
        splitter.push(piece, &mut take);
    }
    splitter.end(&mut take);
    said
}

/// The same in one piece and letter by letter.
fn parts(markup: &Markup, text: &str) -> Vec<Said> {
    let whole = split(markup, &[text]);
    let letters: Vec<String> = text.chars().map(String::from).collect();
    let letters: Vec<&str> = letters.iter().map(String::as_str).collect();
    assert_eq!(whole, split(markup, &letters), "letter by letter, {text:?} comes out otherwise");
    whole
}

#[test]
fn thinking_between_tags() {
    let tags = markup(Thinking::Tags, &[]);
    assert_eq!(parts(&tags, "<think>Hm.\n</think>\n\nHello."), [reasoning("Hm.\n"), text("Hello.")]);
    assert_eq!(parts(&tags, " \n<think>\n\n</think>\n\nHello. "), [text("Hello. ")]);
    assert_eq!(parts(&tags, "<think>a</think> <think>b</think>c"), [reasoning("ab"), text("c")]);
    assert_eq!(parts(&tags, "<think>cut of"), [reasoning("cut of")]);
    assert_eq!(parts(&tags, "<think>a </thin b</think>"), [reasoning("a </thin b")]);
    for plain in ["Say <think> to think.", "</think> alone", "<thinking>x</thinking>", "<thin", "", " ", "<"]
    {
        let expected: Vec<Said> = Some(text(plain)).into_iter().filter(|_| !plain.is_empty()).collect();
        assert_eq!(parts(&tags, plain), expected);
    }
    let far = format!("{}<think>x</think>", " ".repeat(300));
    assert_eq!(parts(&tags, &far), [text(&far)]);
    assert_eq!(parts(&Markup::default(), "<think>x</think>"), [text("<think>x</think>")]);
}

#[test]
fn thinking_that_the_template_has_begun() {
    let begun = markup(Thinking::Begun, &[]);
    assert_eq!(parts(&begun, "Hm.</think>Hello."), [reasoning("Hm."), text("Hello.")]);
    assert_eq!(parts(&begun, "\n<think>\nHm.</think>\nHello."), [reasoning("Hm."), text("Hello.")]);
    assert_eq!(parts(&begun, "</think>Hello."), [text("Hello.")]);
    assert_eq!(parts(&begun, "<thin ice"), [reasoning("<thin ice")]);
}

#[test]
fn calls_of_every_format() {
    let all = markup(Thinking::Tags, &ALL);
    let one = [call("see", r#"{"x":1}"#)];
    for written in [
        r#"<tool_call>{"name":"see","arguments":{"x":1}}</tool_call>"#,
        "\n<tool_call>\n{\"arguments\":{\"x\":1},\"name\":\"see\"}\n</tool_call>\n",
        r#"<tool_call>{"name":"see","arguments":"{\"x\":1}"}"#,
        "<tool_call>see\n<arg_key>x</arg_key>\n<arg_value>1</arg_value>\n</tool_call>",
        "<tool_call>\n<function=see>\n<parameter=x>\n1\n</parameter>\n</function>\n</tool_call>",
        r#"[TOOL_CALLS][{"name":"see","arguments":{"x":1}}]"#,
        r#"[TOOL_CALLS] see[ARGS]{"x":1}"#,
        r#"[TOOL_CALLS]see{"x":1}</s>"#,
        r#"<|python_tag|>{"type":"function","name":"see","parameters":{"x":1}}<|eom_id|>"#,
        "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>see\n```json\n{\"x\":1}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
        "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>see<｜tool▁sep｜>{\"x\":1}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
    ] {
        assert_eq!(parts(&all, written), one, "{written}");
    }
    let kimi = r#"<|tool_calls_section_begin|><|tool_call_begin|>functions.see:0<|tool_call_argument_begin|>{"x":1}<|tool_call_end|><|tool_calls_section_end|>"#;
    let id = Some("functions.see:0".to_owned());
    assert_eq!(parts(&all, kimi), [Said::Call(id, "see".to_owned(), r#"{"x":1}"#.to_owned())]);
    let bare = markup(Thinking::None, &[Calls::BareJson]);
    assert_eq!(parts(&bare, r#" {"name": "see", "parameters": {"x":1}}"#), one);
    assert_eq!(parts(&bare, r#"{"name": "Ada", "age": 36}"#), [text(r#"{"name": "Ada", "age": 36}"#)]);
}

#[test]
fn several_calls_and_what_stands_around_them() {
    let all = markup(Thinking::Tags, &ALL);
    let two = [text("Let me look.\n"), call("see", "{}"), call("hear", r#"{"y": [1]}"#)];
    for written in [
        "Let me look.\n<tool_call>{\"name\":\"see\",\"arguments\":{}}</tool_call>\n<tool_call>{\"name\":\"hear\",\"arguments\":{\"y\": [1]}}</tool_call>",
        "Let me look.\n[TOOL_CALLS][{\"name\":\"see\",\"arguments\":{}},{\"name\":\"hear\",\"arguments\":{\"y\": [1]}}]",
        "Let me look.\n[TOOL_CALLS]see[CALL_ID][ARGS]{}[TOOL_CALLS]hear[ARGS]{\"y\": [1]}",
        "Let me look.\n<|python_tag|>{\"name\":\"see\",\"parameters\":{}}; {\"name\":\"hear\",\"parameters\":{\"y\": [1]}}",
        "Let me look.\n<tool_call>see</tool_call><tool_call>{\"name\":\"hear\",\"arguments\":{\"y\": [1]}}</tool_call>",
    ] {
        assert_eq!(parts(&all, written), two, "{written}");
    }
    let both = "<think>Look <tool_call>?</think><tool_call>{\"name\":\"see\",\"arguments\":{}}</tool_call><think>Good.</think>A cat.";
    assert_eq!(
        parts(&all, both),
        [reasoning("Look <tool_call>?"), call("see", "{}"), reasoning("Good."), text("A cat.")]
    );
    let id = "[TOOL_CALLS]see[CALL_ID]abc123def[ARGS]{}";
    assert_eq!(
        parts(&all, id),
        [Said::Call(Some("abc123def".to_owned()), "see".to_owned(), "{}".to_owned())]
    );
    let named = "A <tool_call> is: <tool_call>{\"name\":\"see\",\"arguments\":{}}</tool_call>";
    assert_eq!(parts(&all, named), [text("A <tool_call> is: "), call("see", "{}")]);
}

#[test]
fn what_is_no_call_stays_text() {
    let all = markup(Thinking::Tags, &ALL);
    for plain in [
        "<tool_call>{\"name\":\"see\"}</tool_call>",
        "<tool_call>{\"name\":\"see\",\"arguments\":{\"x\":</tool_call>",
        "<tool_call>{\"name\":\"see\",\"arguments\":[1]}</tool_call> and more",
        "<tool_call>{\"name\":\"see\",\"arguments\":{},\"mood\":1}</tool_call>",
        "Write <tool_call> and then </tool_call> around it.",
        "<tool_call>not a name</tool_call>",
        "<tool_call><function=see><parameter=x>1</function></tool_call>",
        "[TOOL_CALLS] are written by some models",
        "[TOOL_CALLS][{\"name\":\"see\",\"argu",
        "<|python_tag|>import os",
        "<｜tool▁calls▁begin｜>nothing<｜tool▁calls▁end｜>",
        "<|tool_calls_section_begin|><|tool_call_begin|>x<|tool_call_end|><|tool_calls_section_end|>",
        "a [list] of <b>things</b>",
    ] {
        assert_eq!(parts(&all, plain), [text(plain)]);
    }
}

#[test]
fn what_was_cut_is_no_call() {
    let mut splitter = Splitter::new(markup(Thinking::Tags, &ALL));
    let mut said = String::new();
    let mut take = |found: Found<'_>| match found {
        Found::Text(text) => said.push_str(text),
        other => panic!("{other:?}"),
    };
    splitter.push("Look: <tool_call>{\"name\":\"see\",\"arguments\":{}}", &mut take);
    splitter.cut(&mut take);
    assert_eq!(said, "Look: <tool_call>{\"name\":\"see\",\"arguments\":{}}");
}

/// This test would last for minutes if a step looked again at what was seen.
#[test]
fn very_long_texts_take_their_time_once() {
    let all = markup(Thinking::Tags, &ALL);
    let joined = |said: &[Said]| -> usize {
        said.iter()
            .map(|said| if let Said::Text(text) = said { text.len() } else { panic!("{said:?}") })
            .sum()
    };
    for piece in ["<tool_call>", "<tool_cal", "[TOOL_CALLS]", "< [", "x", "<think>"] {
        let pieces: Vec<&str> = std::iter::once("x").chain(std::iter::repeat_n(piece, 300_000)).collect();
        let found = split(&all, &pieces);
        assert_eq!(joined(&found), 1 + piece.len() * 300_000);
        let whole = pieces.concat();
        assert_eq!(split(&all, &[&whole]), found, "{piece}");
    }
}

fn anything() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => "[a-z <>\\[\\]{}\":,\n]{0,8}",
        1 => "\\PC{0,3}",
        4 => prop::sample::select(vec![
            "<think>", "</think>", "<tool_call>", "</tool_call>", "[TOOL_CALLS]", "[ARGS]", "<|python_tag|>",
            "{\"name\":\"f\",\"arguments\":{}}", "<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>",
            "<|tool_calls_section_begin|>", "<|tool_calls_section_end|>", "<arg_key>", "<function=f>", "\n", " ",
        ]).prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..9).prop_map(|pieces| pieces.concat())
}

fn any_markup() -> impl Strategy<Value = Markup> {
    let thinking = prop::sample::select(vec![Thinking::None, Thinking::Tags, Thinking::Begun]);
    let mut formats = ALL.to_vec();
    formats.push(Calls::BareJson);
    (thinking, prop::sample::subsequence(formats, 0..6))
        .prop_map(|(thinking, calls)| markup(thinking, &calls))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_split_gives_the_same(text in anything(), markup in any_markup(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6)) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).filter(|at| text.is_char_boundary(*at)).collect();
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut from = 0;
        for cut in cuts.into_iter().chain([text.len()]) {
            pieces.push(&text[from..cut]);
            from = cut;
        }
        prop_assert_eq!(split(&markup, &pieces), parts(&markup, &text));
    }

    #[test]
    fn text_without_markup_comes_out_as_it_is(text in "\\PC{0,60}", mut markup in any_markup()) {
        let text = text.replace(['<', '['], "\n");
        if markup.thinking == Thinking::Begun {
            markup.thinking = Thinking::Tags;
        }
        let said: String = parts(&markup, &text).into_iter().map(|said| match said {
            Said::Text(text) => text,
            other => panic!("{other:?}"),
        }).collect();
        prop_assert_eq!(said, text);
    }
}
