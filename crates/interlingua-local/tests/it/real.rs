//! The default model, where it has been fetched.

use interlingua_local::{DEFAULT_MODEL, LocalModel, Store};
use interlingua_model::{FinishReason, Fold, Request};

#[test]
fn the_default_model_makes_sense() {
    let Some(path) = Store::open().ok().and_then(|store| store.find(DEFAULT_MODEL)) else {
        eprintln!("skipped: the default model is not here; `il models pull` fetches it");
        return;
    };
    let model = LocalModel::open(path).unwrap();
    let request =
        Request::new("local").user("What is the capital of France?").temperature(0.0).max_output(60);
    let mut answer = model.stream(&request).unwrap();
    let mut fold = Fold::new();
    while let Some(event) = answer.blocking_next() {
        fold.push(&event.unwrap());
    }
    let response = fold.into_response().unwrap();
    assert!(response.text().contains("Paris"), "{:?}", response.text());
    assert_eq!(response.finish.unwrap().reason, FinishReason::Stop);
}
