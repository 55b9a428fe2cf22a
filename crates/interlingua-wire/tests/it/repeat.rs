//! The shortcut for frames that repeat the last one gives what the complete reader gives.

use interlingua_wire::anthropic::Anthropic;
use interlingua_wire::gemini::Gemini;
use interlingua_wire::gemini_interactions::GeminiInteractions;
use interlingua_wire::openai_chat::OpenaiChat;
use interlingua_wire::openai_responses::{Dialect, OpenaiResponses};
use interlingua_wire::{Codec, Limits, Mode};
use proptest::prelude::*;

use crate::check::{decode, decode_in_full};

/// The stream of one protocol: what stands before, the frames whose text varies, what stands behind.
struct Shape {
    codec: Box<dyn Codec>,
    before: &'static str,
    /// A frame with `TEXT` for its text and `N` for a running number.
    frames: &'static [&'static str],
    behind: &'static str,
}

fn shapes() -> Vec<Shape> {
    vec![
        Shape {
            codec: Box::new(OpenaiChat::default()),
            before: "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\ndata: {\"id\":\"c1\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}}]}}]}\n\n",
            frames: &[
                "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":N,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"TEXT\"},\"logprobs\":null,\"finish_reason\":null}],\"usage\":null,\"obfuscation\":\"xN\"}\n\n",
                "data: {\"id\":\"c1\",\"created\":N,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"reasoning_content\":\"TEXT\",\"content\":null}}]}\n\n",
                "data: {\"id\":\"c1\",\"created\":N,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"TEXT\"}}]}}]}\n\n",
                "data: {\"id\":\"c1\",\"created\":N,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"TEXT\"}}],\"x_groq\":{\"id\":\"N\"}}\n\n",
                "data: {\"id\":\"c1\",\"created\":N,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"TEXT\"}}],\"mood\":\"N\",\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":N}}\n\n",
                "data: {\"id\":\"c1\",\"created\":N,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"TEXT\",\"refusal\":\"TEXT\"}}]}\n\n",
                "data: {\"id\":\"c1\",\"created\":N,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"reasoning\":\"TEXT\",\"reasoning_details\":[{\"type\":\"reasoning.text\",\"text\":\"TEXT\"}]}}]}\n\n",
            ],
            behind: "data: {\"id\":\"c1\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
        },
        Shape {
            codec: Box::new(OpenaiResponses::new(Dialect::openai())),
            before: "data: {\"type\":\"response.created\",\"sequence_number\":0,\"response\":{\"id\":\"r\",\"status\":\"in_progress\",\"output\":[]}}\n\ndata: {\"type\":\"response.output_item.added\",\"output_index\":0,\"item\":{\"id\":\"i\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[]}}\n\ndata: {\"type\":\"response.output_item.added\",\"output_index\":1,\"item\":{\"id\":\"j\",\"type\":\"function_call\",\"call_id\":\"k\",\"name\":\"f\",\"arguments\":\"\"}}\n\n",
            frames: &[
                "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"sequence_number\":N,\"item_id\":\"i\",\"output_index\":0,\"content_index\":0,\"delta\":\"TEXT\",\"logprobs\":[],\"obfuscation\":\"aN\"}\n\n",
                "event: response.function_call_arguments.delta\ndata: {\"type\":\"response.function_call_arguments.delta\",\"sequence_number\":N,\"item_id\":\"j\",\"output_index\":1,\"delta\":\"TEXT\"}\n\n",
                "event: response.output_text.delta\ndata: {\"sequence_number\":N,\"item_id\":\"i\",\"output_index\":0,\"content_index\":N,\"delta\":\"TEXT\"}\n\n",
                "data: {\"type\":\"response.output_text.done\",\"item_id\":\"i\",\"output_index\":0,\"content_index\":0,\"text\":\"TEXT\"}\n\n",
            ],
            behind: "data: {\"type\":\"response.completed\",\"response\":{\"id\":\"r\",\"status\":\"completed\",\"output\":[]}}\n\n",
        },
        interactions(),
        Shape {
            codec: Box::new(Gemini::default()),
            before: "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"H\"}]}}],\"responseId\":\"r\"}\n\n",
            frames: &[
                "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"TEXT\"}],\"role\":\"model\"},\"index\":0}],\"usageMetadata\":{\"promptTokenCount\":3},\"responseId\":\"r\"}\n\n",
                "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"TEXT\"}],\"role\":\"model\"},\"index\":0}],\"usageMetadata\":{\"promptTokenCount\":3,\"candidatesTokenCount\":N,\"thoughtsTokenCount\":1N,\"totalTokenCount\":N,\"promptTokensDetails\":[{\"modality\":\"IMAGE\",\"tokenCount\":3}]},\"responseId\":\"r\"}\n\n",
                "data: {\"usageMetadata\":{\"candidatesTokenCount\":N,\"toolUsePromptTokenCount\":4},\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"TEXT\",\"thought\":true}]}}]}\n\n",
                "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"TEXT\"}]}}],\"usageMetadata\":{\"candidatesTokenCount\":N,\"candidatesTokenCount\":1N}}\n\n",
                "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"TEXT\"}]}}],\"other\":{\"candidatesTokenCount\":N},\"usageMetadata\":{\"deep\":{\"thoughtsTokenCount\":N},\"candidatesTokenCount\":0.N}}\n\n",
                "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"TEXT\",\"thought\":true}]}}],\"usageMetadata\":{\"trafficType\":\"PAID\"}}\n\n",
                "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"TEXT\"}]},\"finishReason\":\"STOP\",\"mood\":\"a\"}],\"usageMetadata\":{\"candidatesTokenCount\":N}}\n\n",
                "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"TEXT\",\"thoughtSignature\":\"TEXT\"}]}}]}\n\n",
                "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"TEXT\"},{\"functionCall\":{\"name\":\"f\"}}]}}]}\n\n",
            ],
            behind: "data: {\"candidates\":[{\"finishReason\":\"STOP\",\"groundingMetadata\":{\"groundingChunks\":[{\"web\":{\"uri\":\"u\"}}],\"groundingSupports\":[{\"segment\":{\"startIndex\":1,\"endIndex\":2},\"groundingChunkIndices\":[0]}]}}]}\n\n",
        },
        Shape {
            codec: Box::new(Anthropic::default()),
            before: "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"role\":\"assistant\",\"content\":[],\"usage\":{\"input_tokens\":1}}}\n\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\ndata: {\"type\":\"content_block_start\",\"index\":1,\"content_block\":{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{}}}\n\ndata: {\"type\":\"content_block_start\",\"index\":2,\"content_block\":{\"type\":\"thinking\",\"thinking\":\"\"}}\n\n",
            frames: &[
                "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"TEXT\"}}\n\n",
                "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"TEXT\"},\"p\":\"N\"}\n\n",
                "data: {\"type\":\"content_block_delta\",\"index\":2,\"delta\":{\"type\":\"thinking_delta\",\"thinking\":\"TEXT\"}}\n\n",
                "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"new_delta\",\"text\":\"TEXT\"}}\n\n",
            ],
            behind: "data: {\"type\":\"content_block_stop\",\"index\":0}\n\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":2}}\n\ndata: {\"type\":\"message_stop\"}\n\n",
        },
    ]
}

fn interactions() -> Shape {
    Shape {
        codec: Box::new(GeminiInteractions::default()),
        before: "data: {\"event_type\":\"interaction.created\",\"interaction\":{\"id\":\"i\"}}\n\ndata: {\"event_type\":\"step.start\",\"index\":0,\"step\":{\"type\":\"model_output\"}}\n\ndata: {\"event_type\":\"step.delta\",\"index\":0,\"delta\":{\"type\":\"text\",\"text\":\"H\"}}\n\ndata: {\"event_type\":\"step.start\",\"index\":1,\"step\":{\"type\":\"function_call\",\"id\":\"f\",\"name\":\"f\",\"arguments\":{}}}\n\n",
        frames: &[
            "data: {\"event_type\":\"step.delta\",\"index\":0,\"delta\":{\"type\":\"text\",\"text\":\"TEXT\"},\"event_id\":\"eN\"}\n\n",
            "data: {\"event_type\":\"step.delta\",\"index\":1,\"delta\":{\"type\":\"arguments_delta\",\"arguments\":\"TEXT\"}}\n\n",
            "data: {\"event_type\":\"step.delta\",\"index\":0,\"delta\":{\"type\":\"text\",\"text\":\"TEXT\"},\"metadata\":{\"total_usage\":{\"total_output_tokens\":N}}}\n\n",
            "data: {\"event_type\":\"step.delta\",\"index\":2,\"delta\":{\"type\":\"text\",\"text\":\"TEXT\"}}\n\n",
        ],
        behind: "data: {\"event_type\":\"interaction.completed\",\"interaction\":{\"status\":\"completed\"}}\n\ndata: [DONE]\n\n",
    }
}

/// Texts as they stand in JSON: plain, with every kind of escape, and some that are no JSON.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[ a-z{}:,é世🚀]{0,12}",
        4 => prop::collection::vec(
            prop::sample::select(vec![
                "\\n", "\\\"", "\\\\", "\\u00e9", "\\ud83d\\ude80", "\\ud83d", "\\/", "\\b", "x", " ", "\\u0000", "\\x",
                "\t", "\\u12", "\"", "\\u+123",
            ]),
            0..5,
        )
        .prop_map(|pieces| pieces.concat()),
    ]
}

/// Runs of one frame with its texts and numbers.
fn runs() -> impl Strategy<Value = Vec<(prop::sample::Index, Vec<(String, u32)>)>> {
    prop::collection::vec(
        (any::<prop::sample::Index>(), prop::collection::vec((text(), 0..1200_u32), 1..6)),
        1..6,
    )
}

proptest! {
    #[test]
    fn both_ways_give_the_same(
        runs in runs(),
        damage in prop::option::weighted(0.5, (any::<prop::sample::Index>(), any::<u8>())),
        cut in any::<prop::sample::Index>(),
    ) {
        for shape in shapes() {
            let mut stream = shape.before.to_owned();
            for (which, texts) in &runs {
                let frame = which.get(shape.frames);
                for (text, number) in texts {
                    stream.push_str(&frame.replace("TEXT", text).replace('N', &number.to_string()));
                }
            }
            stream.push_str(shape.behind);
            let mut bytes = stream.into_bytes();
            if let Some((at, byte)) = &damage {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            let short = decode(&*shape.codec, Mode::Stream, &bytes, &[cut.index(bytes.len())]);
            let full = decode_in_full(&*shape.codec, Mode::Stream, &bytes);
            prop_assert_eq!(&short.events, &full.events);
            prop_assert_eq!(&short.error, &full.error);
            prop_assert_eq!(&short.response, &full.response);
        }
    }
}

/// Running numbers and padding in every frame.
#[test]
fn long_runs_keep_every_text() {
    for shape in shapes() {
        for frame in shape.frames {
            let mut stream = shape.before.to_owned();
            for number in 1..200 {
                let text = format!("w{number} \\\"");
                stream.push_str(&frame.replace("TEXT", &text).replace('N', &number.to_string()));
            }
            stream.push_str(shape.behind);
            let short = decode(&*shape.codec, Mode::Stream, stream.as_bytes(), &[]);
            let full = decode_in_full(&*shape.codec, Mode::Stream, stream.as_bytes());
            assert_eq!(short.events, full.events, "with {frame}");
        }
    }
}

/// The first two frames of each protocol, text and input, are those that services send most: a run of them takes the
/// shortcut, as the decoder's own account of itself shows.
#[test]
fn the_usual_frames_take_the_shortcut() {
    for shape in shapes() {
        for frame in &shape.frames[..2] {
            let mut decoder = shape.codec.decoder(Mode::Stream, Limits::default());
            decoder.push(shape.before.as_bytes()).unwrap();
            for number in 10..20 {
                let frame = frame.replace("TEXT", &format!("w{number}")).replace('N', &number.to_string());
                decoder.push(frame.as_bytes()).unwrap();
            }
            let account = format!("{decoder:?}");
            assert!(account.contains("target: Some(") && account.contains("unused: 0"), "{frame}: {account}");
        }
    }
}
