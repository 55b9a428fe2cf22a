//! Content in an address: `data:image/png;base64,…`.

use interlingua_model::Data;

/// The type and the content of a base64 data URL.
pub(crate) fn read(url: &str) -> Option<(&str, Data)> {
    let (mime, data) = url.strip_prefix("data:")?.split_once(";base64,")?;
    Some((mime, Data::from_base64(data).ok()?))
}

/// A base64 data URL.
pub(crate) fn write(mime: &str, data: &Data) -> String {
    format!("data:{mime};base64,{}", data.to_base64())
}
