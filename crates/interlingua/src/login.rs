//! Keys that are exchanged for tokens which last a while.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method, Request, Uri};
use interlingua_model::{Error, ErrorKind};
use interlingua_wire::{Exchange, Header, Provider};
use tokio::sync::Mutex;

use crate::machine::{fetch, form};
use crate::origin::Origin;
use crate::{Lookup, Secret, Transport};

/// A token is renewed so many seconds before it ends.
const EARLY: u64 = 60;
/// How long a login may take.
const TIME: Duration = Duration::from_secs(30);
/// Most tokens that are kept; a gateway's clients may bring any number of keys.
const MOST: usize = 256;

/// The tokens of a client, got at the first call and renewed before they end.
#[derive(Debug, Default)]
pub(crate) struct Logins(Mutex<Vec<Login>>);

#[derive(Debug)]
struct Login {
    provider: String,
    key: Secret,
    token: Secret,
    ends: u64,
}

impl Logins {
    /// The token for a key.
    ///
    /// # Errors
    /// [`ErrorKind::Authentication`] when the login refuses the key, [`ErrorKind::Connect`] when it does not answer,
    /// [`ErrorKind::Protocol`] when its answer holds no token, [`ErrorKind::Configuration`] when its address is unfit.
    pub(crate) async fn token(
        &self,
        http: &dyn Transport,
        lookup: &Lookup,
        provider: &Provider,
        exchange: &Exchange,
        key: &Secret,
    ) -> Result<Secret, Error> {
        let now = now();
        let mut kept = self.0.lock().await;
        kept.retain(|login| login.ends > now.saturating_add(EARLY));
        let is_it = |login: &&Login| login.provider == provider.id && login.key.expose() == key.expose();
        if let Some(login) = kept.iter().find(is_it) {
            return Ok(login.token.clone());
        }
        let (token, ends) = log_in(http, lookup, provider, exchange, key, now).await?;
        if kept.len() >= MOST {
            kept.remove(0);
        }
        let (provider, key) = (provider.id.to_string(), key.clone());
        kept.push(Login { provider, key, token: token.clone(), ends });
        Ok(token)
    }
}

async fn log_in(
    http: &dyn Transport,
    lookup: &Lookup,
    provider: &Provider,
    exchange: &Exchange,
    key: &Secret,
    now: u64,
) -> Result<(Secret, u64), Error> {
    let failed = |kind, what: String| {
        Error::new(kind, format!("the key of `{}` cannot be exchanged for a token: {what}", provider.id))
    };
    let request = request(lookup, provider, exchange, key)?;
    let answer = fetch(http, request, TIME).await;
    let (status, body) = answer.map_err(|why| failed(ErrorKind::Connect, format!("the login {why}")))?;
    if !status.is_success() {
        let refused = matches!(status.as_u16(), 400 | 401 | 403);
        let kind = if refused { ErrorKind::Authentication } else { ErrorKind::Server };
        return Err(failed(kind, format!("the login answers {status}")));
    }
    // What the answer says is not part of an error, for it may be a secret.
    let read = exchange.read(&body, now);
    let (token, ends) = read.ok_or_else(|| {
        failed(
            ErrorKind::Protocol,
            format!("the answer has no `{}` with `{}`", exchange.token, exchange.expires),
        )
    })?;
    Ok((Secret::new(token), ends))
}

fn request(
    lookup: &Lookup,
    provider: &Provider,
    exchange: &Exchange,
    key: &Secret,
) -> Result<Request<Bytes>, Error> {
    let unfit = |what: &str| {
        Error::new(ErrorKind::Configuration, format!("the login of provider `{}` {what}", provider.id))
    };
    let url = provider.filled(&exchange.url, lookup)?;
    let uri: Uri = url.parse().map_err(|_| unfit("has no proper address"))?;
    let is_near = Origin::of(&uri).is_some_and(|origin| origin.is_loopback());
    if uri.scheme_str() != Some("https") && !is_near {
        return Err(unfit("would send the key over plain HTTP"));
    }
    let id = word();
    let filled = |header: &Header| {
        let own = provider.filled(&header.value, lookup)?;
        Ok::<_, Error>(Exchange::filled(&own, key.expose(), &id))
    };
    let fields = exchange.form.iter().map(|field| Ok((&*field.name, filled(field)?)));
    let fields = fields.collect::<Result<Vec<_>, Error>>()?;
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, &**value)).collect();
    let method = if fields.is_empty() { Method::GET } else { Method::POST };
    let mut request = Request::new(Bytes::from(form(&fields)));
    (*request.method_mut(), *request.uri_mut()) = (method, uri);
    let headers = request.headers_mut();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    if !exchange.form.is_empty() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    }
    for header in &exchange.headers {
        let name = HeaderName::try_from(&*header.name).map_err(|_| unfit("has a malformed header"))?;
        let value = HeaderValue::try_from(filled(header)?);
        let mut value = value.map_err(|_| unfit("takes no key with such characters"))?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(request)
}

/// A word in the form of a random UUID.
fn word() -> String {
    let number = || RandomState::new().hash_one(now());
    let (high, low) = (number(), number());
    let version = high & 0xffff_ffff_ffff_0fff | 0x4000;
    let variant = low >> 48 & 0x3fff | 0x8000;
    let text = format!("{version:016x}{variant:04x}{:012x}", low & 0xffff_ffff_ffff);
    let piece = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    [piece(0, 8), piece(8, 12), piece(12, 16), piece(16, 20), piece(20, 32)].join("-")
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_new() {
        let (one, other) = (word(), word());
        assert!(one != other && one.len() == 36 && one.as_bytes()[14] == b'4', "{one}");
    }
}
