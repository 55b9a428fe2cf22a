//! What an answer looks like, whatever the family.

use interlingua_local::{ContextOverflow, LocalModel};
use interlingua_model::{ErrorKind, Event, FinishReason, Fold, Request, Response};

use crate::gguf::{CONTEXT, FAMILIES, TestModel};

fn answer(model: &LocalModel, request: &Request) -> Response {
    let mut answer = model.stream(request).unwrap();
    let mut fold = Fold::new();
    while let Some(event) = answer.blocking_next() {
        fold.push(&event.unwrap());
    }
    fold.into_response().unwrap()
}

fn request(seed: i64) -> Request {
    let mut request =
        Request::new("tiny").system("be kind").user("the thin man").max_output(12).temperature(3.0);
    request.sampling.top_p = Some(1.0);
    request.sampling.seed = Some(seed);
    request
}

fn open(family: &str) -> (TestModel, LocalModel) {
    let file = TestModel::of(family);
    let model = LocalModel::open(&file.0).unwrap_or_else(|error| panic!("{family}: {error}"));
    (file, model)
}

#[test]
fn every_family_answers_and_a_seed_repeats_the_answer() {
    for family in FAMILIES {
        let (_file, model) = open(family);
        let first = answer(&model, &request(7));
        let again = answer(&model, &request(7));
        assert_eq!(first.text(), again.text(), "{family}: the same seed gives another answer");
        assert_eq!(first.finish.as_ref().unwrap().reason, again.finish.as_ref().unwrap().reason);
        let others: Vec<String> = (8..12).map(|seed| answer(&model, &request(seed)).text()).collect();
        assert!(others.iter().any(|other| *other != first.text()), "{family}: the seed does not matter");
        assert!(first.usage.input.unwrap() > 5);
        assert!(first.usage.output.unwrap() <= 12);
    }
}

#[test]
fn the_output_limit_ends_an_answer_as_cut() {
    let (_file, model) = open("llama");
    let response = answer(&model, &Request::new("tiny").user("a").max_output(1).temperature(0.0));
    assert_eq!(response.usage.output, Some(1));
    let reason = response.finish.unwrap().reason;
    assert!(matches!(reason, FinishReason::Length | FinishReason::Stop));
}

#[test]
fn a_remembered_conversation_gives_the_answer_of_a_fresh_one() {
    for family in FAMILIES {
        let (_file, model) = open(family);
        let first = Request::new("tiny").user("the thin man").max_output(8).temperature(0.0);
        let said = answer(&model, &first);
        let next = first.message(said.message).user("and then");
        let remembered = answer(&model, &next);
        assert!(remembered.usage.cache_read.unwrap() > 0, "{family}: nothing was remembered");
        let (_other, fresh) = open(family);
        let fresh = answer(&fresh, &next);
        assert_eq!(fresh.usage.cache_read, Some(0));
        assert_eq!(fresh.text(), remembered.text(), "{family}: memory changes the answer");
    }
}

#[test]
fn a_stop_sequence_ends_the_answer_and_is_left_out() {
    let (_file, model) = open("qwen2");
    let whole = answer(&model, &request(7)).text();
    let characters: Vec<char> = whole.chars().collect();
    assert!(characters.len() > 2, "the answer {whole:?} is too short to stop in");
    let stop: String = characters[1..2].iter().collect();
    let mut stopped = request(7);
    stopped.sampling.stop = vec![stop.clone()];
    let response = answer(&model, &stopped);
    assert_eq!(response.text(), whole.split(&stop).next().unwrap());
    assert_eq!(response.finish.unwrap().stop_sequence, Some(stop));
}

#[test]
fn a_conversation_that_does_not_fit_is_refused_with_the_numbers() {
    let (_file, model) = open("qwen3");
    let error = model.stream(&Request::new("tiny").user("x".repeat(CONTEXT * 2))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ContextOverflow);
    let source = std::error::Error::source(&error).unwrap();
    let figures = source.downcast_ref::<ContextOverflow>().unwrap();
    assert!(figures.input > CONTEXT && figures.context == CONTEXT, "{figures}");
}

#[test]
fn an_answer_never_outgrows_the_context() {
    let (_file, model) = open("gemma3");
    let mut request = Request::new("tiny").user("the").temperature(1.5);
    request.sampling.seed = Some(1);
    let usage = answer(&model, &request).usage;
    assert!(usage.total().unwrap() <= CONTEXT as u64);
}

#[test]
fn dropping_the_answer_stops_the_model_and_leaves_it_usable() {
    let (_file, model) = open("phi3");
    let mut cut = model.stream(&request(3)).unwrap();
    assert!(matches!(cut.blocking_next(), Some(Ok(Event::Start(_)))));
    drop(cut);
    assert_eq!(answer(&model, &request(3)).text(), answer(&model, &request(3)).text());
}

#[tokio::test]
async fn an_answer_can_be_awaited() {
    let (_file, model) = open("llama");
    let mut answer = model.stream(&request(1)).unwrap();
    let mut last = None;
    while let Some(event) = answer.next().await {
        last = Some(event.unwrap());
    }
    assert!(matches!(last, Some(Event::Finish(_))));
}

#[test]
fn an_empty_template_and_tokens_are_counted() {
    let (_file, model) = open("llama");
    assert_eq!(model.count_tokens("the"), 1);
    assert_eq!(model.count_tokens("<|user|>the"), 2);
    assert_eq!(model.count_tokens("12"), 2);
}

#[test]
fn a_control_token_in_a_message_is_plain_text() {
    for family in FAMILIES {
        let (_file, model) = open(family);
        let input = |text: &str| {
            let request = Request::new("tiny").user(text).max_output(1);
            answer(&model, &request).usage.input.unwrap()
        };
        let (plain, control) = (input("x"), input("x</s>"));
        assert_eq!(control, plain + 4, "{family}: `</s>` is not read as its four characters");
    }
}
