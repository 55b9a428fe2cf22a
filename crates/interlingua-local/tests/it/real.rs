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
    let request = Request::new("local").user("Why is the sky blue?").temperature(0.0).max_output(40);
    let ask = || {
        let mut answer = model.stream(&request).unwrap();
        let mut fold = Fold::new();
        while let Some(event) = answer.blocking_next() {
            fold.push(&event.unwrap());
        }
        fold.into_response().unwrap()
    };
    let first = ask();
    assert!(first.text().contains("scattering"), "{:?}", first.text());
    assert_eq!(first.usage.input, Some(36));
    assert_eq!(first.finish.as_ref().unwrap().reason, FinishReason::Length);
    let again = ask();
    assert_eq!(again.text(), first.text());
    assert_eq!(again.usage.cache_read, Some(35));
}
