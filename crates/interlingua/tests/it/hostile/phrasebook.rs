//! How each protocol spells what the cases say.

use interlingua::Protocol;

/// The pieces in which an answer is said.
pub(crate) const WORDS: [&str; 5] = ["Hel", "lo, ", "wörld ", "🌍", " – done"];

/// How many of the pieces had come where an answer is cut.
pub(crate) const SAID: usize = 3;

/// The words of a protocol: JSON in which `@text`, `@index`, `@id`, `@name`, `@input` and `@why` stand for values.
#[derive(Debug)]
pub(crate) struct Phrasebook {
    pub(crate) protocol: Protocol,
    /// The heading of its column.
    pub(crate) column: &'static str,
    /// Whether frames are named by their type.
    pub(crate) named: bool,
    /// Before anything else.
    pub(crate) start: &'static [&'static str],
    /// Before the first piece of text.
    pub(crate) open: &'static [&'static str],
    /// A piece of text.
    pub(crate) text: &'static str,
    /// After the last piece of text, up to the end marker.
    pub(crate) finish: &'static [&'static str],
    /// The end marker.
    pub(crate) end: &'static str,
    /// A tool call begins, grows and is done.
    pub(crate) call: [&'static [&'static str]; 3],
    /// What ends an answer of tool calls.
    pub(crate) called: &'static [&'static str],
    /// A whole answer.
    pub(crate) whole: &'static str,
    /// A whole answer with one tool call.
    pub(crate) whole_call: &'static str,
    /// An error within a stream.
    pub(crate) error: &'static str,
    /// The body of an error.
    pub(crate) envelope: &'static str,
    /// Events of a kind that does not exist.
    pub(crate) unknown_event: &'static [&'static str],
    /// A part, block or item of a kind that does not exist, in the middle of a text.
    pub(crate) unknown_block: &'static [&'static str],
    /// What says that the answer ended as it should, and the same in a word that does not exist.
    pub(crate) reason: [&'static str; 2],
    /// Frames whose every field that may be null is null.
    pub(crate) nulls: &'static [&'static str],
    /// A piece of text and the end, as thin servers send them.
    pub(crate) thin: (&'static str, &'static [&'static str]),
    /// A frame of the right syntax and the wrong type, which a parser's error quotes.
    pub(crate) mistyped: &'static str,
    /// Headers of a limit that is used up for two seconds.
    pub(crate) reset: &'static str,
}

impl Phrasebook {
    /// One frame.
    pub(crate) fn frame(&self, json: &str) -> String {
        let kind = json.split("\"type\":\"").nth(1).and_then(|rest| rest.split('"').next());
        match kind.filter(|_| self.named) {
            Some(kind) => format!("event: {kind}\ndata: {json}\n\n"),
            None => format!("data: {json}\n\n"),
        }
    }

    /// Several frames.
    pub(crate) fn frames(&self, list: &[&str]) -> String {
        list.iter().map(|json| self.frame(json)).collect()
    }

    /// The beginning of an answer that says these pieces.
    pub(crate) fn said(&self, words: &[&str]) -> String {
        let texts = words.iter().map(|word| self.frame(&fill(self.text, "@text", word)));
        [self.frames(self.start), self.frames(self.open), texts.collect()].concat()
    }

    /// What an answer that is cut has said before.
    pub(crate) fn begun(&self) -> String {
        self.said(&WORDS[..SAID])
    }

    /// The frames between the last piece of text and the end marker.
    pub(crate) fn finish(&self) -> String {
        fill(&self.frames(self.finish), "@text", &WORDS.concat())
    }

    /// The end marker.
    pub(crate) fn end(&self) -> String {
        fill(&self.frame(self.end), "@text", &WORDS.concat())
    }

    /// A stream that says it all.
    pub(crate) fn hello(&self) -> String {
        [self.said(&WORDS), self.finish(), self.end()].concat()
    }

    /// The same stream, with more frames in the middle of the text.
    pub(crate) fn hello_around(&self, more: &str) -> String {
        let rest = WORDS[SAID..].iter().map(|word| self.frame(&fill(self.text, "@text", word)));
        [self.begun(), more.to_owned(), rest.collect(), self.finish(), self.end()].concat()
    }

    /// A whole answer that says it all.
    pub(crate) fn whole(&self) -> String {
        fill(self.whole, "@text", &WORDS.concat())
    }

    /// An error with a reason, within a stream.
    pub(crate) fn failure(&self, why: &str) -> String {
        self.frame(&fill(self.error, "@why", why))
    }

    /// The body of an error with a reason.
    pub(crate) fn envelope(&self, why: &str) -> String {
        fill(self.envelope, "@why", why)
    }

    /// The beginning, the pieces or the end of a call.
    pub(crate) fn call(&self, stage: usize, call: &Call, input: &str) -> String {
        let frames = self.frames(self.call[stage]).replace("@index", call.index);
        let frames = fill(&fill(&frames, "@id", call.id), "@name", call.name);
        fill(&frames, "@input", input)
    }

    /// A stream of tool calls whose pieces come in turns.
    pub(crate) fn calls(&self, calls: &[Call]) -> String {
        let most = calls.iter().map(|call| call.pieces.len()).max().unwrap_or_default();
        let turns = (0..most).flat_map(|turn| calls.iter().map(move |call| (call, turn)));
        let grown = turns.filter_map(|(call, turn)| Some(self.call(1, call, call.pieces.get(turn)?)));
        let begun = calls.iter().map(|call| self.call(0, call, ""));
        let done = calls.iter().map(|call| self.call(2, call, &call.pieces.concat()));
        let frames: String = begun.chain(grown).chain(done).collect();
        [self.frames(self.start), frames, self.frames(self.called)].concat()
    }
}

/// A tool call and the pieces in which its input comes.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) index: &'static str,
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) pieces: Vec<String>,
}

impl Call {
    /// A call whose input is cut after every so many bytes, as far as characters allow.
    pub(crate) fn new(
        index: &'static str,
        id: &'static str,
        name: &'static str,
        input: &str,
        size: usize,
    ) -> Self {
        let (mut pieces, mut rest) = (Vec::new(), input);
        while !rest.is_empty() {
            let end = (size.min(rest.len())..=rest.len()).find(|at| rest.is_char_boundary(*at)).unwrap();
            let (piece, more) = rest.split_at(end);
            pieces.push(piece.to_owned());
            rest = more;
        }
        Self { index, id, name, pieces }
    }
}

/// The text with a value in place of its mark.
fn fill(text: &str, mark: &str, value: &str) -> String {
    if !text.contains(mark) {
        return text.to_owned();
    }
    text.replace(mark, &serde_json::to_string(value).unwrap())
}

pub(crate) const BOOKS: [Phrasebook; 3] = [OPENAI_CHAT, ANTHROPIC, OPENAI_RESPONSES];

const OPENAI_CHAT: Phrasebook = Phrasebook {
    protocol: Protocol::OpenaiChat,
    column: "OA",
    named: false,
    start: &[
        r#"{"id":"c1","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#,
    ],
    open: &[],
    text: r#"{"id":"c1","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"content":@text},"finish_reason":null}]}"#,
    finish: &[
        r#"{"id":"c1","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
        r#"{"id":"c1","object":"chat.completion.chunk","model":"m","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2}}"#,
    ],
    end: "[DONE]",
    call: [
        &[
            r#"{"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":@index,"id":@id,"type":"function","function":{"name":@name,"arguments":""}}]},"finish_reason":null}]}"#,
        ],
        &[
            r#"{"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":@index,"function":{"arguments":@input}}]},"finish_reason":null}]}"#,
        ],
        &[],
    ],
    called: &[r#"{"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#, "[DONE]"],
    whole: r#"{"id":"c1","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":@text},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":2}}"#,
    whole_call: r#"{"id":"c1","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":@id,"type":"function","function":{"name":@name,"arguments":@input}}]},"finish_reason":"tool_calls"}]}"#,
    error: r#"{"error":{"message":@why,"type":"server_error","param":null,"code":null}}"#,
    envelope: r#"{"error":{"message":@why,"type":null,"param":null,"code":null}}"#,
    unknown_event: &[r#"{"object":"news","text":"odd"}"#],
    unknown_block: &[
        r#"{"id":"c1","choices":[{"index":0,"delta":{"role":"oracle","hologram":{"depth":3}},"finish_reason":null}]}"#,
    ],
    reason: [r#""finish_reason":"stop""#, r#""finish_reason":"tired""#],
    nulls: &[
        r#"{"id":null,"object":null,"model":null,"choices":[{"index":0,"delta":{"role":null,"content":null,"refusal":null,"tool_calls":null,"function_call":null},"finish_reason":null,"logprobs":null}],"usage":null}"#,
        r#"{"id":null,"choices":[{"index":null,"delta":null}]}"#,
        r#"{"id":null,"choices":null}"#,
    ],
    thin: (
        r#"{"choices":[{"delta":{"content":@text}}]}"#,
        &[r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#, "[DONE]"],
    ),
    mistyped: r#"{"id":"c1","choices":"sk-test-1"}"#,
    reset: "x-ratelimit-limit-requests: 60\r\nx-ratelimit-remaining-requests: 0\r\nx-ratelimit-reset-requests: 2s\r\n",
};

const ANTHROPIC: Phrasebook = Phrasebook {
    protocol: Protocol::Anthropic,
    column: "AN",
    named: true,
    start: &[
        r#"{"type":"message_start","message":{"id":"m1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":7,"output_tokens":1}}}"#,
    ],
    open: &[
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
        r#"{"type":"ping"}"#,
    ],
    text: r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":@text}}"#,
    finish: &[
        r#"{"type":"content_block_stop","index":0}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":2}}"#,
    ],
    end: r#"{"type":"message_stop"}"#,
    call: [
        &[
            r#"{"type":"content_block_start","index":@index,"content_block":{"type":"tool_use","id":@id,"name":@name,"input":{}}}"#,
        ],
        &[
            r#"{"type":"content_block_delta","index":@index,"delta":{"type":"input_json_delta","partial_json":@input}}"#,
        ],
        &[r#"{"type":"content_block_stop","index":@index}"#],
    ],
    called: &[
        r#"{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":2}}"#,
        r#"{"type":"message_stop"}"#,
    ],
    whole: r#"{"id":"m1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":@text}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":7,"output_tokens":2}}"#,
    whole_call: r#"{"id":"m1","type":"message","role":"assistant","model":"m","content":[{"type":"tool_use","id":@id,"name":@name,"input":@json}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":7,"output_tokens":2}}"#,
    error: r#"{"type":"error","error":{"type":"api_error","message":@why}}"#,
    envelope: r#"{"type":"error","error":{"type":null,"message":@why}}"#,
    unknown_event: &[r#"{"type":"news","text":"odd"}"#],
    unknown_block: &[
        r#"{"type":"content_block_start","index":1,"content_block":{"type":"hologram","depth":3}}"#,
        r#"{"type":"content_block_delta","index":1,"delta":{"type":"hologram_delta","light":"x"}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"hologram_delta","light":"x"}}"#,
        r#"{"type":"content_block_stop","index":1}"#,
    ],
    reason: [r#""stop_reason":"end_turn""#, r#""stop_reason":"tired""#],
    nulls: &[
        r#"{"type":"message_delta","delta":{"stop_reason":null,"stop_sequence":null},"usage":null}"#,
        r#"{"type":"message_delta","delta":null,"usage":{"input_tokens":null,"output_tokens":null,"cache_read_input_tokens":null}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":null}}"#,
        r#"{"type":"content_block_delta","index":null,"delta":null}"#,
    ],
    thin: (
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":@text}}"#,
        &[r#"{"type":"message_stop"}"#],
    ),
    mistyped: r#"{"type":"content_block_delta","index":"sk-test-1"}"#,
    reset: "date: Sun, 06 Nov 1994 08:49:37 GMT\r\nanthropic-ratelimit-requests-limit: 60\r\n\
            anthropic-ratelimit-requests-remaining: 0\r\nanthropic-ratelimit-requests-reset: 1994-11-06T08:49:39Z\r\n",
};

const OPENAI_RESPONSES: Phrasebook = Phrasebook {
    protocol: Protocol::OpenaiResponses,
    column: "RE",
    named: true,
    start: &[
        r#"{"type":"response.created","sequence_number":0,"response":{"id":"r1","object":"response","status":"in_progress","model":"m","output":[],"usage":null}}"#,
        r#"{"type":"response.in_progress","sequence_number":1,"response":{"id":"r1","object":"response","status":"in_progress","model":"m","output":[],"usage":null}}"#,
    ],
    open: &[
        r#"{"type":"response.output_item.added","output_index":0,"item":{"id":"i1","type":"message","status":"in_progress","role":"assistant","content":[]}}"#,
        r#"{"type":"response.content_part.added","item_id":"i1","output_index":0,"content_index":0,"part":{"type":"output_text","text":"","annotations":[]}}"#,
    ],
    text: r#"{"type":"response.output_text.delta","item_id":"i1","output_index":0,"content_index":0,"delta":@text,"logprobs":[]}"#,
    finish: &[
        r#"{"type":"response.output_text.done","item_id":"i1","output_index":0,"content_index":0,"text":@text,"logprobs":[]}"#,
        r#"{"type":"response.content_part.done","item_id":"i1","output_index":0,"content_index":0,"part":{"type":"output_text","text":@text,"annotations":[]}}"#,
        r#"{"type":"response.output_item.done","output_index":0,"item":{"id":"i1","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":@text,"annotations":[]}]}}"#,
    ],
    end: r#"{"type":"response.completed","response":{"id":"r1","object":"response","status":"completed","model":"m","output":[{"id":"i1","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":@text,"annotations":[]}]}],"usage":{"input_tokens":7,"output_tokens":2,"total_tokens":9}}}"#,
    call: [
        &[
            r#"{"type":"response.output_item.added","output_index":@index,"item":{"id":@id,"type":"function_call","status":"in_progress","call_id":@id,"name":@name,"arguments":""}}"#,
        ],
        &[
            r#"{"type":"response.function_call_arguments.delta","item_id":@id,"output_index":@index,"delta":@input}"#,
        ],
        &[
            r#"{"type":"response.function_call_arguments.done","item_id":@id,"output_index":@index,"arguments":@input}"#,
            r#"{"type":"response.output_item.done","output_index":@index,"item":{"id":@id,"type":"function_call","status":"completed","call_id":@id,"name":@name,"arguments":@input}}"#,
        ],
    ],
    called: &[
        r#"{"type":"response.completed","response":{"id":"r1","object":"response","status":"completed","model":"m","output":[],"usage":{"input_tokens":7,"output_tokens":2,"total_tokens":9}}}"#,
    ],
    whole: r#"{"id":"r1","object":"response","status":"completed","model":"m","output":[{"id":"i1","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":@text,"annotations":[]}]}],"usage":{"input_tokens":7,"output_tokens":2,"total_tokens":9}}"#,
    whole_call: r#"{"id":"r1","object":"response","status":"completed","model":"m","output":[{"id":@id,"type":"function_call","status":"completed","call_id":@id,"name":@name,"arguments":@input}]}"#,
    error: r#"{"type":"error","code":"server_error","message":@why,"param":null,"sequence_number":9}"#,
    envelope: r#"{"error":{"message":@why,"type":null,"param":null,"code":null}}"#,
    unknown_event: &[
        r#"{"type":"response.news","text":"odd"}"#,
        r#"{"type":"response.output_text.news","item_id":"i1","output_index":0,"text":"odd"}"#,
    ],
    unknown_block: &[
        r#"{"type":"response.output_item.added","output_index":1,"item":{"id":"h1","type":"hologram","depth":3}}"#,
        r#"{"type":"response.hologram.delta","item_id":"h1","output_index":1,"delta":"x"}"#,
        r#"{"type":"response.output_item.done","output_index":1,"item":{"id":"h1","type":"hologram","depth":4}}"#,
    ],
    reason: [r#""status":"completed""#, r#""status":"tired""#],
    nulls: &[
        r#"{"type":"response.output_text.delta","item_id":null,"output_index":null,"content_index":null,"delta":null,"logprobs":null}"#,
        r#"{"type":"response.in_progress","sequence_number":null,"response":null}"#,
        r#"{"type":"response.output_item.added","output_index":null,"item":null}"#,
        r#"{"type":"response.content_part.done","item_id":null,"output_index":null,"content_index":null,"part":null}"#,
    ],
    thin: (
        r#"{"type":"response.output_text.delta","delta":@text}"#,
        &[r#"{"type":"response.completed","response":{"status":"completed"}}"#],
    ),
    mistyped: r#""sk-test-1""#,
    reset: "x-ratelimit-limit-requests: 60\r\nx-ratelimit-remaining-requests: 0\r\nx-ratelimit-reset-requests: 2s\r\n",
};
