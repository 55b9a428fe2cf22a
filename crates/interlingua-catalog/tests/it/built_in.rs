use std::collections::BTreeSet;

use interlingua_catalog::{Catalog, Kind, Tier, Trait};

#[test]
fn every_line_is_read_and_written_the_same() {
    let built_in = Catalog::built_in();
    let read = Catalog::parse(built_in.as_text()).unwrap();
    let models: Vec<_> = read.all().collect();
    assert!(models.len() > 4000, "only {} models", models.len());
    let again = Catalog::new(built_in.date(), built_in.source(), models);
    assert!(again.as_text() == built_in.as_text(), "the text changes on its way through the models");
}

#[test]
fn every_model_is_found_by_its_name() {
    let catalog = Catalog::built_in();
    let mut seen = BTreeSet::new();
    for model in catalog.all() {
        assert!(
            seen.insert((model.provider.clone(), model.id.clone())),
            "{}/{} twice",
            model.provider,
            model.id
        );
        let known = &model.prices;
        assert!(known.rates.iter().all(|rates| !rates.is_empty()), "{}", model.id);
    }
    for (provider, id) in seen.iter().step_by(97) {
        assert_eq!(catalog.find(provider, id).unwrap().id, *id);
    }
    assert!(catalog.find("anthropic", "no-such-model").is_none() && catalog.find("nobody", "x").is_none());
}

#[test]
fn it_says_where_it_is_from() {
    let catalog = Catalog::built_in();
    assert!(catalog.source().contains("litellm") && catalog.source().contains("MIT"), "{}", catalog.source());
    assert!(catalog.date().starts_with("20") && catalog.date().len() == 10, "{}", catalog.date());
}

#[test]
fn known_models_have_their_figures() {
    let catalog = Catalog::built_in();
    let opus = catalog.find("anthropic", "claude-opus-5-5").unwrap();
    assert_eq!((opus.context, opus.output, opus.cache_from), (Some(1_000_000), Some(128_000), Some(512)));
    assert_eq!(opus.can(Trait::Sampling), Some(false));
    assert_eq!(opus.can(Trait::ForcedTools), Some(false));
    assert_eq!(opus.can(Trait::Video), None);
    let batch = opus.prices.at(Tier::Batch, 10).unwrap();
    assert_eq!(batch.output.unwrap().to_string(), "10");
    let sol = catalog.find("openai", "gpt-6-sol").unwrap();
    assert_eq!(sol.prices.at(Tier::Flex, 300_000).unwrap().cache_write_long.unwrap().to_string(), "5");
    assert_eq!(catalog.find("openai", "text-embedding-3-large").unwrap().kind, Kind::Embedding);
    assert_eq!(catalog.find("google", "gemini-3.1-pro-preview").unwrap().context, Some(1_048_576));
    assert!(catalog.find("amazon-bedrock", "us.anthropic.claude-opus-4-6-v1").is_some());
    assert!(catalog.find("google-vertex", "claude-opus-5").is_some());
}

#[test]
fn wrong_texts_say_which_line() {
    assert!(Catalog::parse("").unwrap_err().contains("empty"));
    assert!(Catalog::parse("{}").unwrap_err().contains("first line"));
    let text = "interlingua models 1\n[x]\ngood\tchat\nbad\tchat\tmany\n";
    assert!(Catalog::parse(text).unwrap_err().contains("bad\tchat\tmany"));
    let text = "interlingua models 1\nmodels 2\n[x]\nonly\tchat\n";
    assert!(Catalog::parse(text).unwrap_err().contains("holds 1"));
    let newer = "interlingua models 1\n[x]\nm\tdream\t10\t\tflies tools\ti1; psychic i9\tage=7\n";
    let model = Catalog::parse(newer).unwrap().find("x", "m").unwrap();
    assert_eq!((model.context, model.can(Trait::Tools), model.prices.rates.len()), (Some(10), Some(true), 1));
}
