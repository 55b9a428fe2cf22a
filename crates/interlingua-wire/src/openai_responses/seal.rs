//! Seals of other protocols, carried through clients of this one.
//!
//! A server half may answer with reasoning that another protocol has sealed. Its client can keep nothing but
//! `encrypted_content`, which is opaque to it, and sends it back unchanged. So the seal travels there, behind a mark
//! that no provider writes, and is unpacked when it comes back. What is in it is not looked at.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use interlingua_model::{Extra, Reasoning};

use super::P;

const MARK: &str = "interlingua.1.";

/// Packs what other protocols have left on reasoning that is not of this one.
pub(super) fn pack(parts: &[&Reasoning]) -> Option<String> {
    let mut foreign = Extra::default();
    for part in parts {
        if part.extra.fields(P).is_some() {
            return None;
        }
        foreign.merge(&part.extra);
    }
    let json = (!foreign.is_empty()).then(|| serde_json::to_vec(&foreign).ok())??;
    Some(format!("{MARK}{}", URL_SAFE_NO_PAD.encode(json)))
}

/// Unpacks a seal; anything else is left to its provider.
pub(super) fn unpack(encrypted_content: &str) -> Option<Extra> {
    let json = URL_SAFE_NO_PAD.decode(encrypted_content.strip_prefix(MARK)?).ok()?;
    crate::object::read(&json).ok()
}
