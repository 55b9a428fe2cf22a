//! What the targets begin with: the cases of the codecs and, where it is present, recorded traffic.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use interlingua_model::{Event, Fold, FunctionTool, Json, Message, Request, Tool};
use interlingua_wire::anthropic::Anthropic;
use interlingua_wire::bedrock::Bedrock;
use interlingua_wire::cohere::Cohere;
use interlingua_wire::frame::{Sse, Value, write_message};
use interlingua_wire::gemini::Gemini;
use interlingua_wire::gemini_interactions::GeminiInteractions;
use interlingua_wire::ollama::Ollama;
use interlingua_wire::openai_chat::OpenaiChat;
use interlingua_wire::openai_responses::OpenaiResponses;
use interlingua_wire::{Call, Limits, Mode, Protocol, Serve};

use super::{Food, Target, laws};

#[path = "../../crates/interlingua-wire/tests/it/core/messages.rs"]
mod messages;

/// The longest input that a target is given.
const LONGEST: usize = 8192;
/// How the bytes are cut that `Frames` and `Answers` begin with: three cuts.
const CUTS: [u8; 3] = [7, 1, 31];
/// Schemas with the keywords that the cases have not.
const SCHEMAS: [&str; 4] = [
    r##"{"$ref":"#/$defs/Node","$defs":{"Node":{"type":"object","properties":{"next":{"anyOf":[{"$ref":"#/$defs/Node"},{"type":"null"}]},"children":{"type":"array","items":{"$ref":"#/$defs/Node"},"minItems":2}},"required":["next"]}}}"##,
    r##"{"type":"object","definitions":{"a/b":{"const":1}},"properties":{"x":{"allOf":[{"$ref":"#/definitions/a~1b"},{"type":"integer","minimum":0}]},"y":{"oneOf":[{"type":"string","minLength":1},{"enum":["a",null]}],"nullable":true}},"additionalProperties":{"type":"string"}}"##,
    r#"{"type":["array","null"],"prefixItems":[{"type":"string","format":"email"},{"not":{}}],"title":"T","description":"D","default":[]}"#,
    r#"{"properties":{"id":{"type":"integer"}},"required":["id","more"],"anyOf":[{"properties":{"kind":{"const":"a"}}},true],"patternProperties":{"^x":{}}}"#,
];

/// Everything that inputs are made of.
#[derive(Debug, Default)]
pub struct Seeds {
    answers: Vec<(Protocol, Mode, Vec<u8>)>,
    requests: Vec<Request>,
    bodies: Vec<(Protocol, Vec<u8>)>,
    shapes: BTreeSet<String>,
    events: BTreeSet<String>,
}

impl Seeds {
    /// Reads the cases below `cases` and the recordings below `corpus`.
    pub fn read(cases: &Path, corpus: Option<&Path>) -> Self {
        let mut seeds = Self::default();
        for protocol in Protocol::ALL {
            let recorded = match protocol {
                Protocol::OpenaiChat => "openai-chat",
                Protocol::OpenaiResponses => "openai-responses",
                Protocol::Cohere => "cohere-v2",
                Protocol::Bedrock => "bedrock-converse",
                Protocol::Ollama => "ollama-chat",
                Protocol::Gemini => "gemini",
                Protocol::GeminiInteractions => "gemini-interactions",
                _ => "anthropic-messages",
            };
            let mut files = Vec::new();
            gather(&cases.join(protocol.id()), &mut files);
            gather(&cases.join(format!("{protocol}_requests")), &mut files);
            if let Some(root) = corpus {
                gather(&root.join(recorded), &mut files);
            }
            for file in &files {
                seeds.take(protocol, file);
            }
        }
        seeds.derive();
        seeds
    }

    /// The inputs of a target, none longer than a fuzzer reads.
    pub fn of(&self, target: &Target) -> Vec<Vec<u8>> {
        let found: BTreeSet<Vec<u8>> = match target.food {
            Food::Frames => self.framed(|_, mode| mode == Mode::Stream),
            Food::Lines => self.reframed(|payload, out| {
                out.extend_from_slice(payload);
                out.push(b'\n');
            }),
            Food::Messages => self.reframed(|payload, out| {
                let kind = (":message-type", Value::Text("event"));
                let _ = write_message(&[kind, (":event-type", Value::Text("chunk"))], payload, out);
            }),
            Food::Answers(wanted) => self.framed(|protocol, _| protocol == wanted),
            Food::Bodies(wanted) => {
                let of_protocol = self.bodies.iter().filter(|(protocol, _)| *protocol == wanted);
                of_protocol.map(|(_, body)| body.clone()).collect()
            }
            Food::Shapes => self.shapes.iter().map(|text| text.clone().into_bytes()).collect(),
            Food::Requests => {
                self.requests.iter().filter_map(|request| serde_json::to_vec(request).ok()).collect()
            }
            Food::Events => self.events.iter().map(|text| text.clone().into_bytes()).collect(),
            Food::Schemas => self.schemas().map(|schema| schema.as_bytes().to_vec()).collect(),
            Food::Texts => {
                let texts = self.schemas().chain(self.shapes.iter().map(String::as_str));
                texts.map(|text| [&[0x30], &CUTS[..], text.as_bytes()].concat()).collect()
            }
            Food::Histories => self.histories(),
        };
        found.into_iter().filter(|input| input.len() <= LONGEST).collect()
    }

    fn take(&mut self, protocol: Protocol, file: &Path) {
        let Ok(bytes) = fs::read(file) else { return };
        let name = file.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        match &*name {
            "stream.aws" => {
                let bytes = messages::bytes_of(&String::from_utf8_lossy(&bytes));
                self.answers.push((protocol, Mode::Stream, bytes));
            }
            "stream.sse" | "response.sse" | "response.eventstream" | "stream.ndjson" | "response.ndjson" => {
                self.answers.push((protocol, Mode::Stream, bytes));
            }
            "body.json" | "response.json" => self.answers.push((protocol, Mode::Whole, bytes)),
            "request.json" => match serde_json::from_slice::<Request>(&bytes) {
                Ok(request) if bytes.windows(13).any(|text| text == br#""interlingua""#) => {
                    self.requests.push(request);
                }
                _ => self.bodies.push((protocol, bytes)),
            },
            _ => {}
        }
    }

    /// What can be made of what was read: requests of bodies and bodies of requests, events and answers of bytes.
    fn derive(&mut self) {
        for (protocol, body) in &self.bodies {
            let call = Call::post(laws::path(*protocol), body.clone());
            self.requests.extend(codec(*protocol).decode_request(&call).map(|(request, _)| request));
        }
        for protocol in Protocol::ALL {
            let encoded =
                self.requests.iter().filter_map(|request| codec(protocol).encode(request, Mode::Stream).ok());
            self.bodies.extend(encoded.map(|encoded| (protocol, encoded.call.body.to_vec())));
        }
        for (protocol, mode, bytes) in &self.answers {
            let (events, fold) = decoded(*protocol, *mode, bytes);
            self.events.extend(serde_json::to_string(&events));
            self.shapes.extend(serde_json::to_string(&fold.response()));
            self.shapes.extend(events.iter().take(40).filter_map(|event| serde_json::to_string(event).ok()));
        }
        self.shapes.extend(self.requests.iter().filter_map(|request| serde_json::to_string(request).ok()));
    }

    fn framed(&self, is_wanted: impl Fn(Protocol, Mode) -> bool) -> BTreeSet<Vec<u8>> {
        let wanted = self.answers.iter().filter(|(protocol, mode, _)| is_wanted(*protocol, *mode));
        wanted
            .map(|(_, mode, bytes)| {
                let flags = 0x30 | u8::from(*mode == Mode::Whole);
                [&[flags], &CUTS[..], bytes].concat()
            })
            .collect()
    }

    /// Streams whose payloads have another framing.
    fn reframed(&self, write: impl Fn(&[u8], &mut Vec<u8>)) -> BTreeSet<Vec<u8>> {
        let streams = self.answers.iter().filter(|(_, mode, _)| *mode == Mode::Stream);
        let reframed = streams.map(|(_, _, bytes)| {
            let mut out = [&[0x30], &CUTS[..]].concat();
            let _ = Sse::new(LONGEST).push(bytes, &mut |frame| {
                write(frame.data, &mut out);
                Ok(())
            });
            out
        });
        reframed.collect()
    }

    fn schemas(&self) -> impl Iterator<Item = &str> {
        let tools = self.requests.iter().flat_map(|request| &request.tools).filter_map(|tool| match tool {
            Tool::Function(FunctionTool { input, .. }) => Some(Json::as_str(input)),
            _ => None,
        });
        SCHEMAS.into_iter().chain(tools)
    }

    /// Conversations as they were asked for, and ones that end in a recorded answer.
    fn histories(&self) -> BTreeSet<Vec<u8>> {
        let answered = self.answers.iter().map(|(protocol, mode, bytes)| {
            let (_, fold) = decoded(*protocol, *mode, bytes);
            Request::new("m").user("Go on.").message(Message::from(fold.message()))
        });
        let all = self.requests.iter().cloned().chain(answered);
        let texts = all.filter_map(|request| serde_json::to_vec(&request).ok());
        texts.zip((0..32).cycle()).map(|(text, choice)| [&[choice], &text[..]].concat()).collect()
    }
}

fn codec(protocol: Protocol) -> Box<dyn Serve> {
    match protocol {
        Protocol::OpenaiChat => Box::new(OpenaiChat::default()),
        Protocol::OpenaiResponses => Box::new(OpenaiResponses::default()),
        Protocol::Cohere => Box::new(Cohere::default()),
        Protocol::Bedrock => Box::new(Bedrock::default()),
        Protocol::Ollama => Box::new(Ollama::default()),
        Protocol::Gemini => Box::new(Gemini::default()),
        Protocol::GeminiInteractions => Box::new(GeminiInteractions::default()),
        _ => Box::new(Anthropic::default()),
    }
}

fn decoded(protocol: Protocol, mode: Mode, bytes: &[u8]) -> (Vec<Event>, Fold) {
    let mut decoder = codec(protocol).decoder(mode, Limits::default());
    // An answer that ends in an error has events as well.
    let _ = decoder.push(bytes).and_then(|()| decoder.end());
    let (mut events, mut fold) = (Vec::new(), Fold::new());
    while let Some(event) = decoder.poll() {
        fold.push(&event);
        events.push(event);
    }
    (events, fold)
}

/// The files below a folder, sorted.
fn gather(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            gather(&path, found);
        } else {
            found.push(path);
        }
    }
}
