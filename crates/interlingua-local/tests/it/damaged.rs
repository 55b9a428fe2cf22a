//! Files that are no models give an error of one line, never a panic.

use interlingua_local::LocalModel;
use interlingua_model::{Error, ErrorKind};
use proptest::prelude::*;

use crate::gguf::{TestModel, model};

fn open(bytes: &[u8]) -> Result<LocalModel, Error> {
    LocalModel::open(&TestModel::write(bytes).0)
}

fn refusal(bytes: &[u8]) -> Error {
    let error = open(bytes).unwrap_err();
    assert!(!error.message().contains('\n'), "{error}");
    error
}

#[test]
fn each_fault_is_named() {
    let whole = model("llama");
    assert!(refusal(b"").message().contains("not a GGUF model"));
    assert!(
        refusal(b"<html>nothing here, and quite a lot of it</html>").message().contains("not a GGUF model")
    );
    assert!(refusal(&whole[..whole.len() / 2]).message().contains("is cut"));
    assert!(refusal(&whole[..40]).message().contains("is cut"));
    let other = replace(&whole, b"llama", b"mamba");
    assert!(refusal(&other).message().contains("supported are llama"), "{}", refusal(&other));
    let no_template = replace(&whole, b"tokenizer.chat_template", b"tokenizer.chat_templat_");
    assert!(refusal(&no_template).message().contains("chat_template"));
    let error = LocalModel::open("/nowhere/model.gguf").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.message().starts_with("/nowhere/model.gguf: "), "{error}");
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut out = bytes.to_vec();
    let mut at = 0;
    while let Some(found) = out[at..].windows(from.len()).position(|window| window == from) {
        out[at + found..at + found + from.len()].copy_from_slice(to);
        at += found + from.len();
    }
    assert!(at > 0);
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_damage_is_an_error_or_a_model(at in 0_usize..20_000, byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let mut bytes = model("qwen3");
        let at = at.min(bytes.len() - 1);
        bytes[at] = byte;
        let _ = open(&bytes);
        bytes.truncate(cut.index(bytes.len()));
        prop_assert!(open(&bytes).is_err());
    }
}
