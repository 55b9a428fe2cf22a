//! Transcripts that the vendors' own SDKs have taken, one for each protocol, all of the same answer: reasoning, a text, a call.
//! They are not part of the project; the test says so when they are absent.

use std::fs;
use std::path::{Path, PathBuf};

use interlingua_model::{FinishReason, Output, Request, Response, Usage};
use interlingua_wire::anthropic::Anthropic;
use interlingua_wire::bedrock::Bedrock;
use interlingua_wire::cohere::Cohere;
use interlingua_wire::gemini::Gemini;
use interlingua_wire::gemini_interactions::GeminiInteractions;
use interlingua_wire::ollama::Ollama;
use interlingua_wire::openai_chat::OpenaiChat;
use interlingua_wire::openai_responses::OpenaiResponses;
use interlingua_wire::{Mode, Serve};

use crate::check::{decoded, events_round_trip};

/// The folder of the transcripts, beside that of recorded traffic.
fn folder() -> Option<PathBuf> {
    let corpus = std::env::var_os("INTERLINGUA_CORPUS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus"), PathBuf::from);
    let folder = corpus.join("../facts/golden");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: no golden transcripts at {}", folder.display());
    None
}

/// What the transcript of a protocol does not tell.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Silent {
    Nothing,
    /// A plan stands where reasoning and text stood, and nothing tells the tokens of reasoning apart.
    Cohere,
    /// Neither a seal nor what the cache and the reasoning took; it is read with its own words for the end.
    Ollama,
    /// Reasoning has no text.
    Chat,
    /// The tokens of reasoning are not told apart.
    Thought,
}

fn check(codec: &dyn Serve, file: &Path, silent: Silent) {
    let read = decoded(codec, Mode::Stream, &fs::read(file).unwrap());
    assert_eq!(read.error, None, "{}", file.display());
    assert!(read.response.warnings.is_empty(), "{}: {:?}", file.display(), read.response.warnings);
    says(&read.response, silent, file);
    for mode in [Mode::Stream, Mode::Whole] {
        let again = events_round_trip(codec, &Request::new("m"), mode, &read.events);
        assert_eq!(again.error, None, "{}, served again", file.display());
        says(&again.response, silent, file);
    }
}

fn says(response: &Response, silent: Silent, file: &Path) {
    let file = file.display();
    let reasoning: Vec<_> = response
        .message
        .parts
        .iter()
        .filter_map(|part| match part {
            Output::Reasoning(reasoning) => Some(&*reasoning.text),
            _ => None,
        })
        .collect();
    let (thought, text) = match silent {
        Silent::Cohere => (vec!["Checking."], ""),
        Silent::Chat => (vec![], "Checking."),
        _ => (vec!["Need the weather."], "Checking."),
    };
    assert_eq!(reasoning, thought, "{file}");
    assert_eq!(response.text(), text, "{file}");
    let calls: Vec<_> = response.tool_calls().map(|call| (&*call.name, call.input.as_str())).collect();
    assert_eq!(calls, [("get_weather", r#"{"city":"Paris"}"#)], "{file}");
    assert_eq!(response.finish.as_ref().unwrap().reason, FinishReason::ToolUse, "{file}");
    let Usage { input, cache_read, output, reasoning, .. } = &response.usage;
    assert_eq!((*input, *output), (Some(2060), Some(57)), "{file}");
    assert_eq!(*cache_read, (silent != Silent::Ollama).then_some(2048), "{file}");
    let tells_reasoning = matches!(silent, Silent::Nothing | Silent::Chat);
    assert_eq!(*reasoning, tells_reasoning.then_some(20), "{file}");
}

#[test]
fn golden_transcripts_say_what_they_say() {
    let Some(folder) = folder() else { return };
    let codecs: [(&str, Box<dyn Serve>, Silent); 8] = [
        ("chat.sse", Box::new(OpenaiChat::default()), Silent::Chat),
        ("responses.sse", Box::new(OpenaiResponses::default()), Silent::Nothing),
        ("anthropic.sse", Box::new(Anthropic::default()), Silent::Nothing),
        ("gemini.sse", Box::new(Gemini::default()), Silent::Nothing),
        ("interactions.sse", Box::new(GeminiInteractions::default()), Silent::Nothing),
        ("converse.bin", Box::new(Bedrock::default()), Silent::Thought),
        ("cohere.sse", Box::new(Cohere::default()), Silent::Cohere),
        ("ollama.ndjson", Box::new(Ollama::default()), Silent::Ollama),
    ];
    for (file, codec, silent) in &codecs {
        check(&**codec, &folder.join(file), *silent);
    }
    let files = fs::read_dir(&folder).unwrap().count();
    assert_eq!(files, codecs.len(), "a transcript is not read");
}
