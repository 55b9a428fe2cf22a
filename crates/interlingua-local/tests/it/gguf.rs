//! Writes tiny GGUF models with random weights.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The families with what their files have beside the common tensors.
pub(crate) const FAMILIES: [&str; 5] = ["llama", "qwen2", "qwen3", "gemma3", "phi3"];

const HIDDEN: usize = 64;
const FEED_FORWARD: usize = 96;
const HEADS: usize = 4;
const KEY_HEADS: usize = 2;
const HEAD: usize = 16;
const LAYERS: usize = 2;
pub(crate) const CONTEXT: usize = 128;

pub(crate) const TEMPLATE: &str = "{{ bos_token }}{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] }}{% endfor %}<|assistant|>";

/// A model file in the folder for temporary files; removed when dropped.
pub(crate) struct TestModel(pub(crate) PathBuf);

impl Drop for TestModel {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

impl TestModel {
    pub(crate) fn write(bytes: &[u8]) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name =
            format!("interlingua-{}-{}.gguf", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, bytes).unwrap();
        Self(path)
    }

    pub(crate) fn of(family: &str) -> Self {
        Self::write(&model(family))
    }
}

/// A whole model file of a family.
pub(crate) fn model(family: &str) -> Vec<u8> {
    let mut file = File::default();
    file.text("general.architecture", family);
    for (key, value) in [
        ("embedding_length", HIDDEN),
        ("block_count", LAYERS),
        ("feed_forward_length", FEED_FORWARD),
        ("attention.head_count", HEADS),
        ("attention.head_count_kv", KEY_HEADS),
        ("attention.key_length", HEAD),
        ("context_length", CONTEXT),
        ("attention.sliding_window", 8),
    ] {
        file.number(&format!("{family}.{key}"), value);
    }
    file.float(&format!("{family}.attention.layer_norm_rms_epsilon"), 1e-5);
    let pieces = matches!(family, "gemma3" | "phi3");
    let count = file.vocabulary(pieces);
    file.text("tokenizer.chat_template", TEMPLATE);
    file.tensors(family, count);
    file.finish()
}

#[derive(Default)]
struct File {
    values: Vec<u8>,
    value_count: u64,
    tensors: Vec<(String, Vec<usize>, Vec<f32>)>,
    random: u64,
}

impl File {
    fn key(&mut self, key: &str, kind: u32) {
        self.value_count += 1;
        string(&mut self.values, key);
        self.values.extend(kind.to_le_bytes());
    }

    fn text(&mut self, key: &str, value: &str) {
        self.key(key, 8);
        string(&mut self.values, value);
    }

    fn number(&mut self, key: &str, value: usize) {
        self.key(key, 4);
        self.values.extend(u32::try_from(value).unwrap().to_le_bytes());
    }

    fn float(&mut self, key: &str, value: f32) {
        self.key(key, 6);
        self.values.extend(value.to_le_bytes());
    }

    fn texts(&mut self, key: &str, texts: &[String]) {
        self.key(key, 9);
        self.values.extend(8_u32.to_le_bytes());
        self.values.extend((texts.len() as u64).to_le_bytes());
        for text in texts {
            string(&mut self.values, text);
        }
    }

    fn numbers(&mut self, key: &str, numbers: &[i32]) {
        self.key(key, 9);
        self.values.extend(5_u32.to_le_bytes());
        self.values.extend((numbers.len() as u64).to_le_bytes());
        for number in numbers {
            self.values.extend(number.to_le_bytes());
        }
    }

    /// Every byte as a token, some merges, and control tokens. Returns the number of tokens.
    fn vocabulary(&mut self, pieces: bool) -> usize {
        let mut tokens: Vec<String> =
            ["<unk>", "<s>", "</s>", "<|user|>", "<|assistant|>", "<|system|>"].map(String::from).to_vec();
        let mut kinds = vec![2, 3, 3, 3, 3, 3];
        let words: &[&str] = &["th", "the", "in", "an"];
        if pieces {
            tokens.extend((0..=255).map(|byte| format!("<0x{byte:02X}>")));
            kinds.extend([6; 256]);
            tokens.extend(('a'..='z').map(String::from).chain(["▁".to_owned()]));
            self.text("tokenizer.ggml.model", "llama");
        } else {
            tokens.extend(byte_characters().map(String::from));
            self.text("tokenizer.ggml.model", "gpt2");
            self.text("tokenizer.ggml.pre", "smollm");
            self.texts("tokenizer.ggml.merges", &["t h", "th e", "i n", "a n"].map(String::from));
        }
        tokens.extend(words.iter().map(|word| (*word).to_owned()));
        kinds.resize(tokens.len(), 1);
        self.numbers("tokenizer.ggml.token_type", &kinds);
        self.number("tokenizer.ggml.bos_token_id", 1);
        self.number("tokenizer.ggml.eos_token_id", 2);
        self.texts("tokenizer.ggml.tokens", &tokens);
        tokens.len()
    }

    fn tensors(&mut self, family: &str, vocabulary: usize) {
        let (query, key) = (HEADS * HEAD, KEY_HEADS * HEAD);
        self.matrix("token_embd.weight", vocabulary, HIDDEN);
        self.vector("output_norm.weight", HIDDEN);
        for layer in 0..LAYERS {
            let name = |part: &str| format!("blk.{layer}.{part}");
            self.vector(&name("attn_norm.weight"), HIDDEN);
            self.vector(&name("ffn_norm.weight"), HIDDEN);
            self.matrix(&name("attn_output.weight"), HIDDEN, query);
            self.matrix(&name("ffn_down.weight"), HIDDEN, FEED_FORWARD);
            if family == "phi3" {
                self.matrix(&name("attn_qkv.weight"), query + 2 * key, HIDDEN);
                self.matrix(&name("ffn_up.weight"), 2 * FEED_FORWARD, HIDDEN);
                continue;
            }
            for (part, rows) in [
                ("attn_q", query),
                ("attn_k", key),
                ("attn_v", key),
                ("ffn_gate", FEED_FORWARD),
                ("ffn_up", FEED_FORWARD),
            ] {
                self.matrix(&name(&format!("{part}.weight")), rows, HIDDEN);
            }
            let vectors: &[(&str, usize)] = match family {
                "qwen2" => &[
                    ("attn_q.bias", HEADS * HEAD),
                    ("attn_k.bias", KEY_HEADS * HEAD),
                    ("attn_v.bias", KEY_HEADS * HEAD),
                ],
                "qwen3" => &[("attn_q_norm.weight", HEAD), ("attn_k_norm.weight", HEAD)],
                "gemma3" => &[
                    ("attn_q_norm.weight", HEAD),
                    ("attn_k_norm.weight", HEAD),
                    ("post_attention_norm.weight", HIDDEN),
                    ("post_ffw_norm.weight", HIDDEN),
                ],
                _ => &[],
            };
            for (part, length) in vectors {
                self.vector(&name(part), *length);
            }
        }
    }

    fn matrix(&mut self, name: &str, rows: usize, columns: usize) {
        let numbers = (0..rows * columns).map(|_| self.draw()).collect();
        self.tensors.push((name.to_owned(), vec![columns, rows], numbers));
    }

    fn vector(&mut self, name: &str, length: usize) {
        let numbers = (0..length).map(|_| 1.0 + self.draw() / 4.0).collect();
        self.tensors.push((name.to_owned(), vec![length], numbers));
    }

    /// A number between -0.5 and 0.5.
    fn draw(&mut self) -> f32 {
        self.random =
            self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f32::from(u16::try_from(self.random >> 48).unwrap()) / 65_536.0 - 0.5
    }

    fn finish(self) -> Vec<u8> {
        let mut out = b"GGUF".to_vec();
        out.extend(3_u32.to_le_bytes());
        out.extend((self.tensors.len() as u64).to_le_bytes());
        out.extend(self.value_count.to_le_bytes());
        out.extend(&self.values);
        let mut offset = 0_u64;
        for (name, dimensions, numbers) in &self.tensors {
            string(&mut out, name);
            out.extend(u32::try_from(dimensions.len()).unwrap().to_le_bytes());
            for size in dimensions {
                out.extend((*size as u64).to_le_bytes());
            }
            out.extend(0_u32.to_le_bytes());
            out.extend(offset.to_le_bytes());
            offset += (numbers.len() as u64 * 4).next_multiple_of(32);
        }
        for (_, _, numbers) in &self.tensors {
            out.resize(out.len().next_multiple_of(32), 0);
            for number in numbers {
                out.extend(number.to_le_bytes());
            }
        }
        out
    }
}

fn string(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text.as_bytes());
}

/// GPT-2's stand-ins for the 256 bytes.
fn byte_characters() -> impl Iterator<Item = char> {
    let mut next = 0x100;
    (0..=255_u8).map(move |byte| {
        if matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF) {
            return char::from(byte);
        }
        next += 1;
        char::from_u32(next - 1).unwrap()
    })
}
