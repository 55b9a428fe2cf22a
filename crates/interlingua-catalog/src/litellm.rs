//! From the catalogue of the Python package `LiteLLM` (`model_prices_and_context_window.json`) to ours.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{Kind, Model, Price, Rates, Tier, Trait, Traits};

/// What a conversion has made.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Converted {
    /// The models.
    pub models: Vec<Model>,
    /// What was left out, each with the reason.
    pub left_out: Vec<String>,
}

type Entry<'a> = BTreeMap<String, &'a RawValue>;

/// Providers by the names they have there and here, where they differ by more than a dash.
const PROVIDERS: [(&str, &str); 34] = [
    ("aiml", "aimlapi"),
    ("azure", "azure-openai"),
    ("azure_text", "azure-openai"),
    ("bedrock", "amazon-bedrock"),
    ("bedrock_converse", "amazon-bedrock"),
    ("clf_ai_gateway", "cloudflare-ai-gateway"),
    ("cloudflare", "cloudflare-workers-ai"),
    ("cohere_chat", "cohere"),
    ("featherless_ai", "featherless"),
    ("fireworks_ai", "fireworks"),
    ("fireworks_ai-embedding-models", "fireworks"),
    ("friendliai", "friendli"),
    ("gemini", "google"),
    ("gradient_ai", "digitalocean"),
    ("jina_ai", "jina"),
    ("lambda_ai", "lambda"),
    ("nvidia_nim", "nvidia"),
    ("text-completion-codestral", "codestral"),
    ("text-completion-inception", "inception"),
    ("text-completion-openai", "openai"),
    ("together_ai", "together"),
    ("vertex_ai", "google-vertex"),
    ("vertex_ai-ai21_models", "google-vertex"),
    ("vertex_ai-anthropic_models", "google-vertex"),
    ("vertex_ai-deepseek_models", "google-vertex"),
    ("vertex_ai-llama_models", "google-vertex"),
    ("vertex_ai-minimax_models", "google-vertex"),
    ("vertex_ai-mistral_models", "google-vertex"),
    ("vertex_ai-moonshot_models", "google-vertex"),
    ("vertex_ai-openai_models", "google-vertex"),
    ("vertex_ai-qwen_models", "google-vertex"),
    ("vertex_ai-zai_models", "google-vertex"),
    ("vertex_ai-video-models", "google-vertex"),
    ("xiaomi_mimo", "xiaomi"),
];

const KINDS: [(&str, Kind); 14] = [
    ("chat", Kind::Chat),
    ("responses", Kind::Responses),
    ("completion", Kind::Completion),
    ("embedding", Kind::Embedding),
    ("rerank", Kind::Rerank),
    ("image_generation", Kind::Image),
    ("image_edit", Kind::Image),
    ("video_generation", Kind::Video),
    ("audio_speech", Kind::Speech),
    ("audio_transcription", Kind::Transcription),
    ("realtime", Kind::Realtime),
    ("moderation", Kind::Moderation),
    ("ocr", Kind::Ocr),
    ("decisions", Kind::Decision),
];

const TRAITS: [(&str, Trait); 31] = [
    ("supports_function_calling", Trait::Tools),
    ("supports_parallel_function_calling", Trait::ParallelTools),
    ("supports_tool_choice", Trait::ToolChoice),
    ("supports_forced_tool_use", Trait::ForcedTools),
    ("supports_vision", Trait::Images),
    ("supports_image_input", Trait::Images),
    ("supports_pdf_input", Trait::Pdf),
    ("supports_audio_input", Trait::Audio),
    ("supports_video_input", Trait::Video),
    ("supports_audio_output", Trait::AudioOut),
    ("supports_response_schema", Trait::Schema),
    ("supports_reasoning", Trait::Reasoning),
    ("thinking_always_on", Trait::AlwaysReasons),
    ("supports_adaptive_thinking", Trait::AdaptiveReasoning),
    ("supports_legacy_thinking", Trait::ReasoningBudget),
    ("supports_prompt_caching", Trait::Caching),
    ("supports_system_messages", Trait::System),
    ("supports_mid_conversation_system", Trait::SystemAnywhere),
    ("supports_assistant_prefill", Trait::Prefill),
    ("supports_sampling_params", Trait::Sampling),
    ("supports_web_search", Trait::WebSearch),
    ("supports_url_context", Trait::UrlContext),
    ("supports_computer_use", Trait::ComputerUse),
    ("supports_tool_search", Trait::ToolSearch),
    ("supports_native_streaming", Trait::Streaming),
    ("supports_none_reasoning_effort", Trait::EffortNone),
    ("supports_minimal_reasoning_effort", Trait::EffortMinimal),
    ("supports_low_reasoning_effort", Trait::EffortLow),
    ("supports_xhigh_reasoning_effort", Trait::EffortXHigh),
    ("supports_max_reasoning_effort", Trait::EffortMax),
    ("supports_native_structured_output", Trait::Schema),
];

const LEVELS: [(&str, Trait); 5] = [
    ("none", Trait::EffortNone),
    ("minimal", Trait::EffortMinimal),
    ("low", Trait::EffortLow),
    ("xhigh", Trait::EffortXHigh),
    ("max", Trait::EffortMax),
];

const TIERS: [(&str, Tier); 5] = [
    ("_batches", Tier::Batch),
    ("_flex", Tier::Flex),
    ("_balanced", Tier::Balanced),
    ("_priority", Tier::Priority),
    ("_ultrafast", Tier::Ultrafast),
];

/// Makes our models out of that catalogue's text. Prices that are not by the token of text or audio are not taken over.
///
/// # Errors
/// When the text is not a JSON object of objects.
pub fn convert(text: &str) -> Result<Converted, String> {
    let entries: BTreeMap<String, Entry<'_>> =
        serde_json::from_str(text).map_err(|error| format!("not a catalogue of models: {error}"))?;
    let mut found: BTreeMap<(String, String), Model> = BTreeMap::new();
    let mut left_out = Vec::new();
    for (name, entry) in &entries {
        let target = word(entry, "alias_of").and_then(|target| entries.get(&target));
        let mut why = Vec::new();
        match model(name, target.unwrap_or(entry), &mut why) {
            Ok(model) => keep(&mut found, model),
            Err(reason) => why.push(reason),
        }
        left_out.extend(why.into_iter().map(|why| format!("{name}: {why}")));
    }
    Ok(Converted { models: found.into_values().collect(), left_out })
}

/// Of two entries that mean the same model, the one that says more stays.
fn keep(found: &mut BTreeMap<(String, String), Model>, model: Model) {
    let key = (model.provider.clone(), model.id.clone());
    let weight = |model: &Model| crate::text::write(model).len();
    if found.get(&key).is_none_or(|known| weight(known) < weight(&model)) {
        found.insert(key, model);
    }
}

fn model(name: &str, entry: &Entry<'_>, left_out: &mut Vec<String>) -> Result<Model, String> {
    let theirs = word(entry, "litellm_provider").ok_or("it has no provider")?;
    let mode = word(entry, "mode").ok_or("it has no mode")?;
    let kind = KINDS.iter().find(|(known, _)| *known == mode).ok_or_else(|| format!("its mode is {mode}"))?.1;
    let ours = PROVIDERS.iter().find(|(known, _)| *known == theirs).map(|(_, ours)| (*ours).to_owned());
    let mut model = Model::new(ours.unwrap_or_else(|| theirs.replace('_', "-")), bare(name, &theirs));
    if model.id.is_empty() || model.id.contains(char::is_whitespace) {
        return Err("its name has a space".to_owned());
    }
    model.kind = kind;
    model.context = number(entry, "max_input_tokens");
    model.output = number(entry, "max_output_tokens");
    model.dimensions = number(entry, "output_vector_size");
    model.cache_from = number(entry, "prompt_cache_min_tokens");
    model.ends = word(entry, "deprecation_date").filter(|day| is_day(day));
    model.successor = word(entry, "successor_model").map(|name| bare(&name, &theirs));
    model.successor = model.successor.filter(|name| !name.is_empty() && !name.contains(char::is_whitespace));
    model.traits = traits(entry);
    model.prices.rates = rates(entry, left_out);
    Ok(model)
}

/// The name without the provider before it.
fn bare(name: &str, provider: &str) -> String {
    let is_prefix = |prefix: &str| {
        let prefix = prefix.replace('-', "_");
        let provider = provider.replace('-', "_");
        provider == prefix || provider.starts_with(&format!("{prefix}_"))
    };
    match name.split_once('/') {
        Some((prefix, rest)) if is_prefix(prefix) => rest.to_owned(),
        _ => name.to_owned(),
    }
}

fn is_day(text: &str) -> bool {
    text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(at, byte)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() })
}

fn read<'a, T: Deserialize<'a>>(entry: &Entry<'a>, name: &str) -> Option<T> {
    serde_json::from_str(entry.get(name)?.get()).ok()
}

fn word(entry: &Entry<'_>, name: &str) -> Option<String> {
    read::<String>(entry, name).filter(|word| !word.is_empty())
}

/// A number of tokens, which may be written with a point.
fn number(entry: &Entry<'_>, name: &str) -> Option<u64> {
    let text = entry.get(name)?.get();
    text.trim_end_matches('0')
        .strip_suffix('.')
        .map_or(text, |_| text.split('.').next().unwrap_or(text))
        .parse()
        .ok()
}

fn traits(entry: &Entry<'_>) -> Traits {
    let mut traits = Traits::default();
    let list = |name: &str| read::<Vec<String>>(entry, name).unwrap_or_default();
    let inputs = [("image", Trait::Images), ("audio", Trait::Audio), ("video", Trait::Video)];
    let outputs = [("image", Trait::ImagesOut), ("audio", Trait::AudioOut)];
    for (field, known) in
        [("supported_modalities", &inputs[..]), ("supported_output_modalities", &outputs[..])]
    {
        for word in list(field) {
            for (_, what) in known.iter().filter(|(name, _)| *name == word) {
                traits.set(*what, true);
            }
        }
    }
    let levels = list("reasoning_effort_levels");
    if !levels.is_empty() {
        for (level, what) in LEVELS {
            traits.set(what, levels.iter().any(|known| known == level));
        }
    }
    for (field, what) in TRAITS {
        // An earlier yes by another name stands.
        if let Some(can) = read::<bool>(entry, field).filter(|can| *can || traits.get(what).is_none()) {
            traits.set(what, can);
        }
    }
    traits
}

/// Where a price of some kind of tokens stands in our rates.
type Place = fn(&mut Rates) -> &mut Option<Price>;

/// The kinds of tokens by the beginning of the field; the first that fits counts.
const FIELDS: [(&str, Place); 7] = [
    ("input_cost_per_token", |rates| &mut rates.input),
    ("output_cost_per_token", |rates| &mut rates.output),
    ("cache_read_input_token_cost", |rates| &mut rates.cache_read),
    ("cache_creation_input_token_cost", |rates| &mut rates.cache_write),
    ("output_cost_per_reasoning_token", |rates| &mut rates.reasoning),
    ("input_cost_per_audio_token", |rates| &mut rates.input_audio),
    ("output_cost_per_audio_token", |rates| &mut rates.output_audio),
];

/// All rates. A price that cannot be kept exactly is left out, since a wrong one is worse than none.
fn rates(entry: &Entry<'_>, left_out: &mut Vec<String>) -> Vec<Rates> {
    let mut all: BTreeMap<(Tier, u64), Rates> = BTreeMap::new();
    note(&mut all, entry, 0, left_out);
    for step in read::<Vec<Entry<'_>>>(entry, "tiered_pricing").unwrap_or_default() {
        let range: Vec<f64> = read(&step, "range").unwrap_or_default();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of tokens")]
        let above = range.first().copied().unwrap_or(0.0) as u64;
        note(&mut all, &step, above, left_out);
    }
    all.into_values().filter(|rates| !rates.is_empty()).collect()
}

fn note(all: &mut BTreeMap<(Tier, u64), Rates>, entry: &Entry<'_>, step: u64, left_out: &mut Vec<String>) {
    for (name, value) in entry {
        let field = FIELDS.iter().find_map(|(field, rate)| Some((name.strip_prefix(field)?, rate)));
        let Some((rest, rate)) = field else { continue };
        let Some((tier, above, long)) = condition(rest) else { continue };
        let above = above.max(step);
        let rates = all.entry((tier, above)).or_insert_with(|| Rates::new(tier, above));
        let place = if long { &mut rates.cache_write_long } else { rate(rates) };
        match price(value.get()) {
            Ok(price) => *place = Some(price),
            Err(why) => left_out.push(format!("{name}: {why}")),
        }
    }
}

/// What stands behind the name of a field: a class of service, a step, a long time to live, in any order. `None` for
/// anything else.
fn condition(mut rest: &str) -> Option<(Tier, u64, bool)> {
    let (mut tier, mut above, mut long) = (Tier::Standard, 0, false);
    while !rest.is_empty() {
        if let Some(next) = rest.strip_prefix("_above_1hr").or_else(|| rest.strip_prefix("_above_12hr")) {
            (long, rest) = (true, next);
        } else if let Some((thousands, next)) =
            rest.strip_prefix("_above_").and_then(|rest| rest.split_once("k_tokens"))
        {
            (above, rest) = (thousands.parse::<u64>().ok()?.checked_mul(1000)?, next);
        } else {
            let (next, found) =
                TIERS.iter().find_map(|(word, tier)| Some((rest.strip_prefix(word)?, *tier)))?;
            (tier, rest) = (found, next);
        }
    }
    Some((tier, above, long))
}

/// A price, without the noise in the last digits that sums of floats leave.
fn price(text: &str) -> Result<Price, String> {
    Price::per_token(text).or_else(|error| {
        let number: f64 = text.parse().map_err(|_| error.clone())?;
        Price::per_token(&format!("{number:.9e}")).map_err(|_| error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_say_when_a_price_holds() {
        assert_eq!(condition(""), Some((Tier::Standard, 0, false)));
        assert_eq!(condition("_above_272k_tokens_flex"), Some((Tier::Flex, 272_000, false)));
        assert_eq!(
            condition("_above_12hr_above_272k_tokens_priority"),
            Some((Tier::Priority, 272_000, true))
        );
        assert_eq!(condition("_cache_hit"), None);
        assert_eq!(condition("_above_15s_interval"), None);
    }

    #[test]
    fn the_noise_of_floats_goes() {
        assert_eq!(price("1.2000000000000002e-06").unwrap().to_string(), "1.2");
        assert!(price("1.23456789e-12").is_err());
        assert!(price("null").is_err());
    }

    #[test]
    fn names_lose_their_provider() {
        assert_eq!(bare("vertex_ai/claude-x", "vertex_ai-anthropic_models"), "claude-x");
        assert_eq!(bare("amazon-nova/pro", "amazon_nova"), "pro");
        assert_eq!(bare("azure/eu/gpt", "azure"), "eu/gpt");
        assert_eq!(bare("low/1024/gpt-image", "openai"), "low/1024/gpt-image");
        assert_eq!(bare("meta-llama/Llama", "together_ai"), "meta-llama/Llama");
    }

    #[test]
    fn an_entry_becomes_a_model() {
        let text = r#"{
            "house/big": { "litellm_provider": "house", "mode": "chat", "max_input_tokens": 1000.0, "supports_vision": true,
                "input_cost_per_token": 1e-06, "input_cost_per_token_above_128k_tokens": 2e-06, "deprecation_date": "2027-01-31" },
            "house/latest": { "alias_of": "house/big" },
            "house/search": { "litellm_provider": "house", "mode": "search" },
            "house/steps": { "litellm_provider": "house", "mode": "chat", "tiered_pricing": [
                { "range": [0, 32000.0], "input_cost_per_token": 1e-06 }, { "range": [32000.0, 64000.0], "input_cost_per_token": 3e-06 }] }
        }"#;
        let made = convert(text).unwrap();
        assert_eq!(made.left_out, ["house/search: its mode is search"]);
        let names: Vec<_> = made.models.iter().map(|model| &*model.id).collect();
        assert_eq!(names, ["big", "latest", "steps"]);
        let big = &made.models[0];
        assert_eq!(
            (big.context, big.can(Trait::Images), big.ends.as_deref()),
            (Some(1000), Some(true), Some("2027-01-31"))
        );
        let steps: Vec<_> =
            big.prices.rates.iter().map(|rates| (rates.above, rates.input.unwrap().to_string())).collect();
        assert_eq!(steps, [(0, "1".to_owned()), (128_000, "2".to_owned())]);
        assert_eq!(made.models[2].prices.at(Tier::Standard, 40_000).unwrap().input, "3".parse().ok());
    }
}
