use std::fmt::Write as _;
use std::io;

use interlingua_model::{Error, Json, Request};
use interlingua_wire::Protocol;
use rustls::crypto::hash::Context;
use rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
use serde::Serialize;

use crate::layer::cache::entry::VERSION;
use crate::layer::{Ask, Next};
use crate::plan::KEY_HEADERS;

/// All that an answer depends on. Keys are not in it.
#[derive(Serialize)]
struct Asked<'a> {
    version: u32,
    provider: &'a str,
    address: Option<String>,
    base_url: Option<&'a str>,
    protocol: Option<&'a str>,
    strict: bool,
    headers: Vec<(&'a str, &'a [u8])>,
    body: &'a [(String, Json)],
    request: &'a Request,
}

/// The name of what is asked: the SHA-256 of its written form; `None` when it cannot be written.
///
/// # Errors
/// When the request names no model that can be asked.
pub(crate) fn of(ask: &Ask<'_>, next: Next<'_>) -> Result<Option<String>, Error> {
    let client = next.client();
    let (provider, model) = client.0.registry.target(&ask.request.model)?;
    let mut request = Request::clone(&ask.request);
    model.clone_into(&mut request.model);
    let options = &*ask.options;
    let is_open = |name: &str, sensitive: bool| !sensitive && !KEY_HEADERS.contains(&name);
    let headers = options.headers.iter().map(|(name, value)| (name.as_str(), value));
    let asked = Asked {
        version: VERSION,
        provider,
        address: client.address(provider),
        base_url: options.base_url.as_deref(),
        protocol: options.protocol.map(Protocol::id),
        strict: options.strict.unwrap_or(client.0.settings.strict),
        headers: headers
            .filter(|(name, value)| is_open(name, value.is_sensitive()))
            .map(|(name, value)| (name, value.as_bytes()))
            .collect(),
        body: &options.body,
        request: &request,
    };
    Ok(hash(&asked))
}

fn hash(value: &impl Serialize) -> Option<String> {
    // The hash of the TLS library that is there anyway.
    let suite = TLS13_AES_128_GCM_SHA256.tls13()?;
    let mut sink = Sink(suite.common.hash_provider.start());
    serde_json::to_writer(&mut sink, value).ok()?;
    let hash = sink.0.finish();
    let mut name = String::new();
    for byte in hash.as_ref() {
        write!(name, "{byte:02x}").ok()?;
    }
    Some(name)
}

/// Hashes what is written.
struct Sink(Box<dyn Context>);

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_hash_is_the_one_that_everybody_means() {
        // The JSON text `"abc"`, by sha256sum.
        let hash = super::hash(&"abc").unwrap();
        assert_eq!(hash, "6cc43f858fbb763301637b5af970e2a46b46f461f27e5a0f41e009c59b827b25");
    }
}
