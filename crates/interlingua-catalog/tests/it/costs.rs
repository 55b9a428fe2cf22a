use interlingua_catalog::{Money, Price, Prices, Rates, Tier};
use interlingua_model::Usage;
use proptest::prelude::*;

fn price(text: &str) -> Option<Price> {
    text.parse().ok()
}

fn prices() -> Prices {
    let mut base = Rates::new(Tier::Standard, 0);
    (base.input, base.output, base.cache_read) = (price("2"), price("10"), price("0.2"));
    (base.cache_write, base.cache_write_long) = (price("2.5"), price("4"));
    let mut step = Rates::new(Tier::Standard, 200_000);
    (step.input, step.output) = (price("4"), price("15"));
    let mut flex = Rates::new(Tier::Flex, 0);
    (flex.input, flex.output) = (price("1"), price("5"));
    let mut prices = Prices::default();
    prices.rates = vec![base, step, flex];
    prices
}

fn usage(input: u64, output: u64) -> Usage {
    let mut usage = Usage::default();
    (usage.input, usage.output) = (Some(input), Some(output));
    usage
}

#[test]
fn every_part_has_its_price() {
    let mut spent = usage(10_000, 1_000);
    (spent.cache_read, spent.cache_write, spent.cache_write_long) = (Some(4_000), Some(3_000), Some(1_000));
    let cost = prices().cost(&spent, Tier::Standard).unwrap();
    let parts = [cost.input, cost.cache_read, cost.cache_write, cost.output].map(|part| part.to_string());
    assert_eq!(parts, ["0.006", "0.0008", "0.009", "0.01"]);
    assert_eq!(cost.total().to_string(), "0.0258");
}

#[test]
fn a_step_holds_for_the_whole_request() {
    let at = |input| prices().cost(&usage(input, 1), Tier::Standard).unwrap().input.to_string();
    assert_eq!(at(200_000), "0.4");
    assert_eq!(at(200_001), "0.800004");
}

#[test]
fn what_is_not_known_has_no_cost() {
    let cost = |usage: &Usage, tier| prices().cost(usage, tier);
    assert_eq!(cost(&usage(1, 1), Tier::Batch), None, "no prices of that class");
    assert_eq!(cost(&usage(200_001, 1), Tier::Flex), None, "the step of that class is not known");
    let mut read = usage(300_000, 1);
    read.cache_read = Some(1);
    assert_eq!(cost(&read, Tier::Standard), None, "the price of a read above the step is not known");
    let mut audio = usage(10, 1);
    audio.input_audio = Some(1);
    assert_eq!(cost(&audio, Tier::Standard), None, "the price of audio is not known");
    let mut absurd = usage(10, 1);
    absurd.cache_read = Some(11);
    assert_eq!(cost(&absurd, Tier::Standard), None, "more was read than there was");
    assert_eq!(cost(&Usage::default(), Tier::Standard), None, "nothing was reported");
    assert_eq!(cost(&usage(0, 0), Tier::Standard).unwrap().total(), Money::ZERO);
    assert_eq!(Prices::default().cost(&usage(1, 1), Tier::Standard), None);
}

#[test]
fn reasoning_and_speech_are_priced_apart_where_they_are() {
    let mut rates = Rates::new(Tier::Standard, 0);
    (rates.input, rates.output, rates.reasoning, rates.output_audio) =
        (price("1"), price("2"), price("8"), price("64"));
    let mut prices = Prices::default();
    prices.rates = vec![rates];
    let mut spent = usage(0, 1_000_000);
    (spent.reasoning, spent.output_audio) = (Some(250_000), Some(250_000));
    assert_eq!(prices.cost(&spent, Tier::Standard).unwrap().output.to_string(), "19");
}

#[test]
fn words_of_services_mean_tiers() {
    assert_eq!(Tier::from_word("default"), Some(Tier::Standard));
    assert_eq!(Tier::from_word("priority"), Some(Tier::Priority));
    assert_eq!(Tier::from_word("warp"), None);
}

proptest! {
    /// The sum of two requests costs what both cost, to the last digit, as no sum of floats would.
    #[test]
    fn costs_add_up(a in 0..100_000_u64, b in 0..100_000_u64, c in 0..1_000_000_u64, d in 0..1_000_000_u64) {
        let cost = |input, output| prices().cost(&usage(input, output), Tier::Standard).unwrap().total();
        prop_assert_eq!(cost(a, c) + cost(b, d), cost(a + b, c + d));
        prop_assert!(cost(a, c) <= cost(a + b, c + d));
    }

    #[test]
    fn a_price_reads_as_it_is_written(amount in any::<u64>()) {
        let price = Price::from_femtodollars(amount);
        prop_assert_eq!(price.to_string().parse::<Price>().unwrap(), price);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,60}", number in "[0-9.eE+-]{0,12}") {
        let _ = interlingua_catalog::Catalog::parse(format!("interlingua models 1\n[x]\n{text}"));
        let _ = (number.parse::<Price>(), Price::per_token(&number));
    }
}
