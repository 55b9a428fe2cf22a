//! Text to tokens and back, as the GGUF metadata describes it.
//!
//! Two algorithms cover the supported families: byte-level BPE (`gpt2`), which merges the pair of lowest rank within
//! the words that a pattern finds, and `SentencePiece` BPE (`llama`), which merges the neighbours whose union has the
//! highest score. The patterns are those of [llama.cpp](https://github.com/ggml-org/llama.cpp), by `tokenizer.ggml.pre`.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::io::{Read, Seek};

use aho_corasick::{AhoCorasick, MatchKind};
use fancy_regex::Regex;

use crate::error::Error;
use crate::gguf::{Gguf, Value};

/// Text to tokens and back.
#[derive(Debug)]
pub(crate) struct Tokenizer {
    texts: Vec<Box<str>>,
    ids: HashMap<Box<str>, u32>,
    kinds: Vec<Kind>,
    scheme: Scheme,
    specials: Option<AhoCorasick>,
    special_ids: Vec<u32>,
    pub(crate) bos: Option<u32>,
    pub(crate) eos: Option<u32>,
    ends: Vec<u32>,
    add_bos: bool,
}

/// What a token is, by `tokenizer.ggml.token_type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Normal,
    /// Steers the model and is no text.
    Control,
    /// Text that is never cut.
    User,
    /// One byte, written `<0x0A>`.
    Byte,
}

#[derive(Debug)]
enum Scheme {
    Bytes(ByteLevel),
    Pieces(Pieces),
}

/// Byte-level BPE.
#[derive(Debug)]
struct ByteLevel {
    patterns: Vec<Regex>,
    /// Whether a word that is a token is taken whole, whatever the merges say.
    whole_words: bool,
    /// Two tokens to the rank of their merge and what they become.
    merges: HashMap<(u32, u32), (u32, u32)>,
    /// The character that stands for each byte.
    characters: Vec<char>,
    bytes: HashMap<char, u8>,
}

/// `SentencePiece` BPE.
#[derive(Debug)]
struct Pieces {
    scores: Vec<f32>,
    add_space: bool,
    /// Whether white space after a special token is left out, as Phi-3's tokens are declared.
    strip_after_special: bool,
    byte_ids: Vec<Option<u32>>,
    unknown: Option<u32>,
}

/// Names of tokens that end an answer in some family, whatever the metadata says.
const ENDS: [&str; 6] =
    ["<|im_end|>", "<|eot_id|>", "<|end|>", "<end_of_turn>", "<|endoftext|>", "<|end_of_text|>"];

/// Stands between the characters of a control token that somebody wrote into a message; Unicode has set it aside for
/// such uses inside of a program.
const GUARD: char = '\u{FDD0}';

const GPT2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

const GPT4O: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const TEKKEN: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

impl Tokenizer {
    /// Reads the vocabulary.
    pub(crate) fn read<R: Read + Seek>(gguf: &Gguf<R>) -> Result<Self, Error> {
        let texts = gguf
            .texts("tokenizer.ggml.tokens")
            .ok_or_else(|| Error::missing("tokenizer.ggml.tokens"))?
            .to_vec();
        let mut ids = HashMap::with_capacity(texts.len());
        for (id, text) in (0_u32..).zip(&texts) {
            ids.entry(text.clone()).or_insert(id);
        }
        let kinds = kinds(gguf, texts.len());
        let scheme = match gguf.text("tokenizer.ggml.model") {
            Some("gpt2") => Scheme::Bytes(ByteLevel::read(gguf, &ids)?),
            Some("llama") => Scheme::Pieces(Pieces::read(gguf, &ids, texts.len())),
            Some(other) => {
                return Err(Error::new(format!(
                    "the tokenizer `{other}` is not supported; gpt2 and llama are"
                )));
            }
            None => return Err(Error::missing("tokenizer.ggml.model")),
        };
        let special_ids: Vec<u32> = (0_u32..)
            .zip(&kinds)
            .filter(|(id, kind)| {
                matches!(kind, Kind::Control | Kind::User) && !text_of(&texts, *id).is_empty()
            })
            .map(|(id, _)| id)
            .collect();
        let patterns = special_ids.iter().map(|id| text_of(&texts, *id));
        let specials = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(patterns).ok();
        let named = |name| {
            crate::shape::token_id(gguf, name)
                .filter(|id| usize::try_from(*id).is_ok_and(|id| id < texts.len()))
        };
        let (bos, eos, eot) = (named("bos"), named("eos"), named("eot"));
        let others = ENDS.iter().filter_map(|text| ids.get(*text)).copied();
        let ends = [eos, eot].into_iter().flatten().chain(others).collect();
        let pieces = matches!(scheme, Scheme::Pieces(_));
        let add_bos = gguf.flag("tokenizer.ggml.add_bos_token").unwrap_or(pieces);
        Ok(Self { texts, ids, kinds, scheme, specials, special_ids, bos, eos, ends, add_bos })
    }

    /// Whether an answer ends at this token.
    pub(crate) fn is_end(&self, id: u32) -> bool {
        self.ends.contains(&id)
    }

    /// How a token is written in the vocabulary.
    pub(crate) fn written(&self, id: u32) -> &str {
        text_of(&self.texts, id)
    }

    /// The tokens of a rendered conversation, which begins as the model was trained to expect it.
    pub(crate) fn encode_prompt(&self, text: &str) -> Vec<u32> {
        let mut tokens = self.encode(text);
        if let Some(bos) = self.bos.filter(|bos| self.add_bos && tokens.first() != Some(bos)) {
            tokens.insert(0, bos);
        }
        tokens
    }

    /// The tokens of a text in which control tokens are written out.
    pub(crate) fn encode(&self, text: &str) -> Vec<u32> {
        let mut out = Vec::new();
        let mut from = 0;
        for found in self.specials.iter().flat_map(|specials| specials.find_iter(text)) {
            self.encode_plain(text.get(from..found.start()).unwrap_or_default(), from > 0, &mut out);
            out.extend(self.special_ids.get(found.pattern().as_usize()));
            from = found.end();
        }
        self.encode_plain(text.get(from..).unwrap_or_default(), from > 0, &mut out);
        out
    }

    /// The text with every control token in it made unrecognisable to [`Tokenizer::encode`], which then takes it for the
    /// plain text that it is: nobody ends their turn or speaks as another by writing so into a message.
    pub(crate) fn guard<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut guarded = String::new();
        let mut from = 0;
        for found in self.specials.iter().flat_map(|specials| specials.find_iter(text)) {
            let id = self.special_ids.get(found.pattern().as_usize()).copied();
            if id.and_then(|id| self.kind(id)) != Some(Kind::Control) {
                continue;
            }
            guarded.push_str(text.get(from..found.start()).unwrap_or_default());
            guarded.extend(text.get(found.range()).unwrap_or_default().chars().flat_map(|c| [c, GUARD]));
            from = found.end();
        }
        if from == 0 {
            return Cow::Borrowed(text);
        }
        guarded.push_str(text.get(from..).unwrap_or_default());
        Cow::Owned(guarded)
    }

    fn encode_plain(&self, text: &str, after_special: bool, out: &mut Vec<u32>) {
        let text =
            if text.contains(GUARD) { Cow::Owned(text.replace(GUARD, "")) } else { Cow::Borrowed(text) };
        match &self.scheme {
            Scheme::Bytes(scheme) => scheme.encode(&text, &self.ids, out),
            Scheme::Pieces(scheme) if scheme.strip_after_special && after_special => {
                scheme.encode(text.trim_start(), self, out);
            }
            Scheme::Pieces(scheme) => scheme.encode(&text, self, out),
        }
    }

    fn kind(&self, id: u32) -> Option<Kind> {
        usize::try_from(id).ok().and_then(|id| self.kinds.get(id)).copied()
    }

    /// Takes the space away with which some vocabularies begin every text.
    pub(crate) fn trim_start(&self, bytes: &mut Vec<u8>) {
        let adds = matches!(&self.scheme, Scheme::Pieces(scheme) if scheme.add_space);
        if adds && bytes.first() == Some(&b' ') {
            bytes.remove(0);
        }
    }

    /// Adds the bytes that a token stands for; a control token stands for none.
    pub(crate) fn decode(&self, id: u32, out: &mut Vec<u8>) {
        let text = self.written(id);
        match (self.kind(id), &self.scheme) {
            (Some(Kind::Control) | None, _) => {}
            (Some(Kind::User), _) => out.extend_from_slice(text.as_bytes()),
            (Some(Kind::Byte), _) => out.extend(byte_of(text)),
            (Some(Kind::Normal), Scheme::Bytes(scheme)) => {
                out.extend(text.chars().filter_map(|c| scheme.bytes.get(&c)));
            }
            (Some(Kind::Normal), Scheme::Pieces(_)) => {
                out.extend_from_slice(text.replace('▁', " ").as_bytes());
            }
        }
    }
}

impl ByteLevel {
    fn read<R: Read + Seek>(gguf: &Gguf<R>, ids: &HashMap<Box<str>, u32>) -> Result<Self, Error> {
        let texts =
            gguf.texts("tokenizer.ggml.merges").ok_or_else(|| Error::missing("tokenizer.ggml.merges"))?;
        let mut merges = HashMap::with_capacity(texts.len());
        for (rank, merge) in (0_u32..).zip(texts) {
            // The first character may be a space only as part of a token, which is written with another character.
            let Some((left, right)) = merge.split_once(' ') else { continue };
            let union = format!("{left}{right}");
            if let (Some(left), Some(right), Some(union)) = (ids.get(left), ids.get(right), ids.get(&*union))
            {
                merges.entry((*left, *right)).or_insert((rank, *union));
            }
        }
        let characters = byte_characters();
        let bytes = characters.iter().zip(0_u8..=255).map(|(character, byte)| (*character, byte)).collect();
        let (patterns, whole_words) = patterns(gguf.text("tokenizer.ggml.pre"))?;
        Ok(Self { patterns, whole_words, merges, characters, bytes })
    }

    fn encode(&self, text: &str, ids: &HashMap<Box<str>, u32>, out: &mut Vec<u32>) {
        let mut words = vec![text];
        for pattern in &self.patterns {
            words = words.into_iter().flat_map(|word| split(pattern, word)).collect();
        }
        let mut written = String::new();
        for word in words {
            written.clear();
            written.extend(word.bytes().filter_map(|byte| self.characters.get(usize::from(byte))));
            if let Some(id) = ids.get(&*written).filter(|_| self.whole_words) {
                out.push(*id);
                continue;
            }
            let mut buffer = [0; 4];
            let symbols =
                written.chars().filter_map(|c| ids.get(&*c.encode_utf8(&mut buffer)).copied()).collect();
            let merge = |left: u32, right: u32| {
                self.merges.get(&(left, right)).map(|(rank, id)| (Reverse(*rank), *id))
            };
            out.extend(merged(symbols, merge));
        }
    }
}

impl Pieces {
    fn read<R: Read + Seek>(gguf: &Gguf<R>, ids: &HashMap<Box<str>, u32>, count: usize) -> Self {
        let scores = match gguf.value("tokenizer.ggml.scores") {
            Some(Value::Floats(scores)) => scores.clone(),
            _ => vec![0.0; count],
        };
        let byte_ids = (0..=255_u8).map(|byte| ids.get(&*format!("<0x{byte:02X}>")).copied()).collect();
        let add_space = gguf.flag("tokenizer.ggml.add_space_prefix").unwrap_or(true);
        let strip_after_special = gguf.text("general.architecture") == Some("phi3");
        let unknown = crate::shape::token_id(gguf, "unknown");
        Self { scores, add_space, strip_after_special, byte_ids, unknown }
    }

    fn encode(&self, text: &str, tokenizer: &Tokenizer, out: &mut Vec<u32>) {
        if text.is_empty() {
            return;
        }
        let ids = &tokenizer.ids;
        let space = if self.add_space { "▁" } else { "" };
        let written = format!("{space}{}", text.replace(' ', "▁"));
        let mut symbols = Vec::new();
        let mut buffer = [0; 4];
        for character in written.chars() {
            match ids.get(&*character.encode_utf8(&mut buffer)) {
                Some(id) => symbols.push(*id),
                None => symbols
                    .extend(character.encode_utf8(&mut buffer).bytes().filter_map(|byte| self.byte(byte))),
            }
        }
        let merge = |left: u32, right: u32| {
            let union = *ids.get(&*format!("{}{}", tokenizer.written(left), tokenizer.written(right)))?;
            // What the text spells out is never a control token or a byte.
            if !matches!(tokenizer.kind(union), Some(Kind::Normal | Kind::User)) {
                return None;
            }
            let score =
                usize::try_from(union).ok().and_then(|id| self.scores.get(id)).copied().unwrap_or(0.0);
            Some((Score(score), union))
        };
        out.extend(merged(symbols, merge));
    }

    fn byte(&self, byte: u8) -> Option<u32> {
        self.byte_ids.get(usize::from(byte)).copied().flatten().or(self.unknown)
    }
}

/// Merges neighbours, the pair of the highest priority first and of equal ones the leftmost, until none can be merged.
fn merged<P: Ord>(symbols: Vec<u32>, merge: impl Fn(u32, u32) -> Option<(P, u32)>) -> Vec<u32> {
    let mut nodes: Vec<Node> = symbols.into_iter().enumerate().map(|(at, id)| Node::new(at, id)).collect();
    let count = nodes.len();
    let mut heap = BinaryHeap::new();
    let candidate = |nodes: &[Node], left: usize, right: usize| {
        let (left_id, right_id) = (nodes.get(left)?.id?, nodes.get(right)?.id?);
        let (priority, union) = merge(left_id, right_id)?;
        Some((priority, Reverse(left), right, left_id, right_id, union))
    };
    heap.extend((1..count).filter_map(|right| candidate(&nodes, right - 1, right)));
    while let Some((_, Reverse(left), right, left_id, right_id, union)) = heap.pop() {
        let holds = |at: usize, id: u32| nodes.get(at).is_some_and(|node| node.id == Some(id));
        let adjacent = nodes.get(left).is_some_and(|node| node.next == right);
        if !adjacent || !holds(left, left_id) || !holds(right, right_id) {
            continue;
        }
        let next = nodes.get_mut(right).map_or(count, |node| {
            node.id = None;
            node.next
        });
        let previous = nodes.get_mut(left).and_then(|node| {
            node.id = Some(union);
            node.next = next;
            node.previous
        });
        if let Some(node) = nodes.get_mut(next) {
            node.previous = Some(left);
        }
        heap.extend(candidate(&nodes, left, next));
        heap.extend(previous.and_then(|previous| candidate(&nodes, previous, left)));
    }
    nodes.into_iter().filter_map(|node| node.id).collect()
}

/// A symbol in the chain of those that are left.
struct Node {
    id: Option<u32>,
    previous: Option<usize>,
    next: usize,
}

impl Node {
    fn new(at: usize, id: u32) -> Self {
        Self { id: Some(id), previous: at.checked_sub(1), next: at + 1 }
    }
}

/// A score that can be ordered.
#[derive(Debug, Clone, Copy)]
struct Score(f32);

impl PartialEq for Score {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Score {}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Score {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

fn kinds<R: Read + Seek>(gguf: &Gguf<R>, count: usize) -> Vec<Kind> {
    let numbers = match gguf.value("tokenizer.ggml.token_type") {
        Some(Value::Integers(numbers)) => numbers.as_slice(),
        _ => &[],
    };
    let kind = |number: Option<&i64>| match number {
        Some(3) => Kind::Control,
        Some(4) => Kind::User,
        Some(6) => Kind::Byte,
        _ => Kind::Normal,
    };
    (0..count).map(|id| kind(numbers.get(id))).collect()
}

/// The patterns that cut text into words, applied one after another, and whether whole words that are tokens are taken
/// as such.
fn patterns(name: Option<&str>) -> Result<(Vec<Regex>, bool), Error> {
    let (patterns, whole_words): (&[&str], bool) = match name.unwrap_or("default") {
        "default" | "gpt-2" | "gpt2" | "phi-2" | "mpt" | "olmo" | "jais" => (&[GPT2], false),
        "smollm" | "starcoder" | "refact" | "command-r" | "codeshell" | "exaone" => {
            (&[r"\p{N}", GPT2], false)
        }
        "llama-bpe" | "llama3" | "llama-v3" | "falcon3" => (&[LLAMA3], true),
        "dbrx" | "smaug-bpe" => (&[LLAMA3], false),
        "qwen2" | "stablelm2" | "deepseek-r1-qwen" | "megrez" => (&[QWEN2], false),
        "gpt-4o" => (&[GPT4O], false),
        "tekken" => (&[TEKKEN], true),
        other => {
            return Err(Error::new(format!("the word pattern `{other}` of the tokenizer is not supported")));
        }
    };
    let compile = |pattern: &&str| {
        Regex::new(pattern).map_err(|error| Error::new(format!("the word pattern: {error}")))
    };
    Ok((patterns.iter().map(compile).collect::<Result<_, _>>()?, whole_words))
}

/// The matches of a pattern and what lies between them, in order.
fn split<'t>(pattern: &Regex, text: &'t str) -> Vec<&'t str> {
    let mut words = Vec::new();
    let mut from = 0;
    for found in pattern.find_iter(text).map_while(Result::ok) {
        words.extend(text.get(from..found.start()).filter(|gap| !gap.is_empty()));
        words.extend(text.get(found.range()).filter(|word| !word.is_empty()));
        from = found.end();
    }
    words.extend(text.get(from..).filter(|rest| !rest.is_empty()));
    words
}

/// GPT-2's printable stand-ins for the 256 bytes: printable Latin-1 stands for itself, the rest lies from U+0100 on.
fn byte_characters() -> Vec<char> {
    let mut next = 0x100_u32;
    let character = |byte: u8| {
        if matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF) {
            return char::from(byte);
        }
        next += 1;
        char::from_u32(next - 1).unwrap_or_default()
    };
    (0..=255).map(character).collect()
}

fn byte_of(text: &str) -> Option<u8> {
    u8::from_str_radix(text.strip_prefix("<0x")?.strip_suffix('>')?, 16).ok()
}

fn text_of(texts: &[Box<str>], id: u32) -> &str {
    usize::try_from(id).ok().and_then(|id| texts.get(id)).map_or("", |text| text)
}
