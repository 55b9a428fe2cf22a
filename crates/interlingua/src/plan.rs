//! From a request to what goes out: URL, headers, key, body.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use interlingua_model::{Error, ErrorKind, Json, Request, Warning};
use interlingua_wire::{Auth, Encoded, Limits, Mode, Object, Protocol, Provider, join, replay, with_model};

use crate::client::Inner;
use crate::gzip;
use crate::keys::{self, Credential, Given, KeySource, Source};
use crate::origin::Origin;
use crate::route::Route;
use crate::signer::Signer;
use crate::{Options, Prepared, RetryPolicy, Secret, Timeouts};

/// Who makes the call, in the words of HTTP.
const AGENT: &str = concat!("interlingua/", env!("CARGO_PKG_VERSION"));
/// The clouds whose credentials are asked for.
const AWS: &str = "AWS";
const GOOGLE: &str = "Google";
const ORACLE: &str = "Oracle Cloud";
/// What stands in place of a key that must not be shown.
const MASK: &str = "***";
/// Headers that carry keys, whatever the provider.
pub(crate) const KEY_HEADERS: [&str; 7] = [
    "authorization",
    "proxy-authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "cf-aig-authorization",
    "cookie",
];

/// A call that is ready to be made, as often as need be.
pub(crate) struct Plan {
    pub(crate) route: Arc<Route>,
    pub(crate) mode: Mode,
    pub(crate) outgoing: Outgoing,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) timeouts: Timeouts,
    pub(crate) retry: RetryPolicy,
    pub(crate) limits: Limits,
    pub(crate) raw: bool,
}

/// An HTTP request with its key.
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) secret: Option<Secret>,
    /// Who signs it, if it is to be signed.
    pub(crate) signer: Option<Signer>,
}

/// A call without its key.
pub(crate) struct Draft<'a> {
    provider: &'a Provider,
    route: Arc<Route>,
    mode: Mode,
    encoded: Encoded,
    uri: Uri,
    /// Whether it goes elsewhere than the calls of the protocol.
    is_beside: bool,
}

/// The key that a call takes.
enum Pick<'a> {
    /// None, and none is needed.
    Nothing,
    /// None, although the provider wants one.
    Missing,
    Ready(Credential),
    Command(&'a dyn KeySource),
    /// Credentials of a cloud, which are asked for when the call is made.
    Cloud(&'static str),
}

impl<'a> Draft<'a> {
    /// Encodes a request for a provider.
    pub(crate) fn new(
        inner: &Inner,
        provider: &'a Provider,
        model: &'a str,
        request: &Request,
        mode: Mode,
        options: &Options,
    ) -> Result<Self, Error> {
        let route = inner.routes.to(provider, model, options.protocol, &request.model)?;
        let (history, mut warnings) = replay::prepare(request, &route.author, replay::Rules::default());
        let encoded = replay::encode(&*route.codec, model, &history, mode);
        let mut encoded = encoded.map_err(|error| route.sign(error))?;
        warnings.append(&mut encoded.warnings);
        #[cfg(feature = "models")]
        warnings.extend(crate::doubt::doubts(inner, provider, &route, request, &warnings));
        encoded.warnings = warnings;
        if options.strict.unwrap_or(inner.settings.strict) {
            refuse(&encoded.warnings).map_err(|error| route.sign(error))?;
        }
        let patch = match options.base_url {
            Some(_) => Cow::Owned(provider.body_patch(model, &*inner.lookup)?),
            None => Cow::Borrowed(&inner.home(provider, &route)?.body),
        };
        if !patch.is_empty() {
            encoded.call.body = patch.apply_to(&encoded.call.body)?.into();
        }
        #[cfg(feature = "models")]
        if let Some(warning) =
            crate::known::guard(inner, &route, request, encoded.call.body.len(), options.context_guard)
                .map_err(|error| route.sign(error))?
        {
            encoded.warnings.push(warning);
        }
        Self::of_call(inner, provider, route, mode, encoded, options)
    }

    /// Takes a call that is encoded.
    pub(crate) fn of_call(
        inner: &Inner,
        provider: &'a Provider,
        route: Arc<Route>,
        mode: Mode,
        mut encoded: Encoded,
        options: &Options,
    ) -> Result<Self, Error> {
        if !options.body.is_empty() {
            encoded.call.body = merged(&encoded.call.body, options)?;
        }
        let path = &encoded.call.path;
        let uri = match options.base_url.as_deref() {
            Some(root) => {
                let base = provider.base_url(route.protocol, Some(root), &*inner.lookup)?;
                parse(join(&with_model(base, &route.model), path), &provider.id)?
            }
            None => inner.home(provider, &route)?.address(path, |url| parse(url, &provider.id))?,
        };
        Ok(Self { provider, route, mode, encoded, uri, is_beside: false })
    }

    /// Takes a call that is encoded and goes to an address beside those of the protocol.
    #[cfg(feature = "openai-responses")]
    pub(crate) fn beside(
        provider: &'a Provider,
        route: Arc<Route>,
        mut encoded: Encoded,
        url: String,
        options: &Options,
    ) -> Result<Self, Error> {
        if !options.body.is_empty() {
            encoded.call.body = merged(&encoded.call.body, options)?;
        }
        let uri = parse(url, &provider.id)?;
        Ok(Self { provider, route, mode: Mode::Whole, encoded, uri, is_beside: true })
    }

    /// Adds the key.
    pub(crate) async fn authorized(self, inner: &Inner, options: &Options) -> Result<Plan, Error> {
        let picked = self.pick(inner, options)?;
        // What most calls need not wait for has no place in the future of each.
        let (credential, signer) = match picked {
            Pick::Nothing => (None, None),
            Pick::Missing => return Err(keys::missing(self.provider)),
            Pick::Command(_) | Pick::Cloud(_) => Box::pin(self.awaited(inner, picked)).await?,
            Pick::Ready(credential) => (Some(credential), None),
        };
        let auth = auth_of(self.provider, Some(self.route.protocol), credential.as_ref())?;
        let credential = match auth {
            Auth::Exchange(_) => Box::pin(exchanged(inner, self.provider, auth, credential)).await,
            _ => Ok(credential),
        };
        let credential = credential.map_err(|error| self.route.sign(error))?;
        self.plan(inner, options, credential, signer)
    }

    /// The key that a command or a cloud gives.
    async fn awaited(
        &self,
        inner: &Inner,
        picked: Pick<'_>,
    ) -> Result<(Option<Credential>, Option<Signer>), Error> {
        match picked {
            Pick::Command(command) => {
                let secret = command.key(&self.provider.id).await?;
                Ok((Some(Credential { secret, source: Source::Command }), None))
            }
            Pick::Cloud(cloud) => {
                let auth = self.provider.auth_for(self.route.protocol, None)?;
                let found = of_cloud(inner, self.provider, auth, cloud).await;
                found.map_err(|error| self.route.sign(error))
            }
            Pick::Ready(credential) => Ok((Some(credential), None)),
            Pick::Nothing | Pick::Missing => Ok((None, None)),
        }
    }

    /// The call with its key.
    fn plan(
        mut self,
        inner: &Inner,
        options: &Options,
        credential: Option<Credential>,
        signer: Option<Signer>,
    ) -> Result<Plan, Error> {
        let headers = self.headers(inner, options, credential.as_ref())?;
        let secret = credential.map(|credential| credential.secret);
        let secret = secret.or_else(|| signer.as_ref().and_then(Signer::secret));
        let Encoded { call, warnings, .. } = self.encoded;
        Ok(Plan {
            route: self.route,
            mode: self.mode,
            outgoing: Outgoing {
                method: call.method,
                uri: self.uri,
                headers,
                body: call.body,
                secret,
                signer,
            },
            warnings,
            timeouts: options.timeouts.unwrap_or(inner.settings.timeouts),
            retry: options.retry.unwrap_or(inner.settings.retry),
            limits: inner.settings.limits,
            raw: options.raw,
        })
    }

    /// Puts a mask in place of the key.
    pub(crate) fn masked(mut self, inner: &Inner, options: &Options) -> Result<Prepared, Error> {
        let source = match self.pick(inner, options)? {
            Pick::Nothing => None,
            Pick::Missing => Some(Source::Explicit),
            Pick::Ready(credential) => Some(credential.source),
            Pick::Command(_) => Some(Source::Command),
            Pick::Cloud(cloud) => Some(Source::Cloud(cloud)),
        };
        let signs = matches!(source, Some(Source::Cloud(AWS | ORACLE)));
        let credential =
            source.filter(|_| !signs).map(|source| Credential { secret: Secret::new(MASK), source });
        let mut headers = self.headers(inner, options, credential.as_ref())?;
        if signs {
            headers.insert(AUTHORIZATION, HeaderValue::from_static(MASK));
        }
        for name in KEY_HEADERS {
            if let Some(value) = headers.get_mut(name) {
                *value = HeaderValue::from_static(if value == "Bearer ***" { "Bearer ***" } else { MASK });
            }
        }
        let Encoded { call, warnings, .. } = self.encoded;
        Ok(Prepared {
            method: call.method,
            url: self.uri.to_string(),
            headers,
            body: call.body,
            protocol: self.route.protocol,
            warnings,
        })
    }

    fn pick<'i>(&self, inner: &'i Inner, options: &Options) -> Result<Pick<'i>, Error> {
        let own_header = || KEY_HEADERS.into_iter().any(|name| options.headers.contains_key(name));
        if !options.headers.is_empty() && own_header() {
            return Ok(Pick::Nothing);
        }
        let origin = match options.base_url {
            _ if self.is_beside => Origin::of(&self.uri).map(Cow::Owned),
            Some(_) => Origin::of(&self.uri).map(Cow::Owned),
            None => inner.home(self.provider, &self.route)?.origin.as_ref().map(Cow::Borrowed),
        };
        let moved = || options.base_url.is_some() || inner.base_url(self.provider).is_some();
        let auth = self.provider.auth_for(self.route.protocol, None).ok();
        let picked = pick(inner, self.provider, auth, options.key.as_ref());
        let source = match &picked {
            Pick::Ready(credential) => credential.source.clone(),
            Pick::Command(_) => Source::Command,
            Pick::Cloud(cloud) => Source::Cloud(cloud),
            _ if moved() || origin.as_ref().is_some_and(|origin| origin.is_loopback()) => {
                return Ok(Pick::Nothing);
            }
            _ => return Ok(picked),
        };
        if *self.provider.auth_for(self.route.protocol, source.variable())? == Auth::None {
            return Ok(Pick::Nothing);
        }
        let home = |root: Option<&str>| {
            Origin::parse(&self.provider.base_url(self.route.protocol, root, &*inner.lookup).ok()?)
                .map(Cow::Owned)
        };
        let own = || inner.base_url(self.provider);
        let allowed = match source {
            Source::Call => true,
            // The address was made out of the very roots that the key is meant for.
            Source::Explicit | Source::Command if options.base_url.is_none() => true,
            Source::Variable(_) | Source::Cloud(_) if !moved() => true,
            Source::Explicit | Source::Command => origin == home(own()) || origin == home(None),
            Source::Variable(_) | Source::Cloud(_) => origin == home(None),
        };
        guard(inner, self.provider, picked, &source, allowed, origin.as_deref())
    }

    fn headers(
        &mut self,
        inner: &Inner,
        options: &Options,
        credential: Option<&Credential>,
    ) -> Result<HeaderMap, Error> {
        let mut headers = std::mem::take(&mut self.encoded.call.headers);
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        let (accept, encoding) = match self.mode {
            Mode::Stream => ("text/event-stream, application/json", "identity"),
            Mode::Whole => ("application/json", gzip::ACCEPTED),
        };
        // A protocol may want answers of a kind of its own.
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static(accept));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(encoding));
        if options.base_url.is_some() {
            headers.extend(self.provider.static_headers(&*inner.lookup)?);
        } else {
            let fixed = &inner.home(self.provider, &self.route)?.headers;
            headers.extend(fixed.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        let auth = auth_of(self.provider, Some(self.route.protocol), credential)?;
        if let Some((name, value)) = credential.map(|key| authorization(auth, key)).transpose()?.flatten() {
            headers.insert(name, value);
        }
        for (name, value) in &options.headers {
            let mut value = value.clone();
            value.set_sensitive(value.is_sensitive() || KEY_HEADERS.contains(&name.as_str()));
            headers.insert(name, value);
        }
        Ok(headers)
    }
}

/// The key that is at hand for a provider.
fn pick<'i>(inner: &'i Inner, provider: &Provider, auth: Option<&Auth>, own: Option<&Secret>) -> Pick<'i> {
    if let Some(secret) = own {
        return Pick::Ready(Credential { secret: secret.clone(), source: Source::Call });
    }
    match inner.keys.get(&*provider.id) {
        Some(Given::Explicit(secret)) => {
            return Pick::Ready(Credential { secret: secret.clone(), source: Source::Explicit });
        }
        Some(Given::Command(command)) => return Pick::Command(&**command),
        None => {}
    }
    match keys::in_environment(provider, &*inner.lookup) {
        Some((name, secret)) => Pick::Ready(Credential { secret, source: Source::Variable(name) }),
        None if matches!(auth, Some(Auth::Sigv4(_))) => Pick::Cloud(AWS),
        None if matches!(auth, Some(Auth::Google)) => Pick::Cloud(GOOGLE),
        None if matches!(auth, Some(Auth::Oracle)) => Pick::Cloud(ORACLE),
        None if provider.needs_key() => Pick::Missing,
        None => Pick::Nothing,
    }
}

/// Keeps a key from a host that it was not meant for, and from those who read along.
fn guard<'i>(
    inner: &Inner,
    provider: &Provider,
    picked: Pick<'i>,
    source: &Source,
    allowed: bool,
    origin: Option<&Origin>,
) -> Result<Pick<'i>, Error> {
    let refuse = |message: String| Err(Error::new(ErrorKind::Configuration, message));
    let Some(origin) = origin else { return Ok(Pick::Nothing) };
    if !allowed {
        if origin.is_loopback() {
            return Ok(Pick::Nothing);
        }
        let variables =
            provider.base_url_env.first().map(|name| format!(", or set {name}")).unwrap_or_default();
        return refuse(format!(
            "the key of `{}` ({}) is not meant for {origin} and is not sent there: give the key together with the \
             base URL{variables}",
            provider.id,
            source.describe()
        ));
    }
    if origin.is_plain() && !origin.is_loopback() && !inner.settings.plain {
        return refuse(format!(
            "the key of `{}` would go over plain HTTP to {origin}, where others can read it: use https, or allow it",
            provider.id
        ));
    }
    Ok(picked)
}

/// How a key is sent with a call in a protocol, or with the question which models there are.
fn auth_of<'p>(
    provider: &'p Provider,
    protocol: Option<Protocol>,
    credential: Option<&Credential>,
) -> Result<&'p Auth, Error> {
    match credential.map(|credential| &credential.source) {
        Some(Source::Call | Source::Explicit | Source::Command) => provider.given_auth(protocol),
        source => {
            let variable = source.and_then(Source::variable);
            protocol.map_or_else(
                || provider.listing_auth(variable),
                |protocol| provider.auth_for(protocol, variable),
            )
        }
    }
}

/// The header that carries a key.
fn authorization(auth: &Auth, credential: &Credential) -> Result<Option<(HeaderName, HeaderValue)>, Error> {
    credential.secret.check(|| credential.source.describe())?;
    let key = credential.secret.expose();
    let (name, text) = match auth {
        Auth::Bearer
        | Auth::NoneOrBearer
        | Auth::Google
        | Auth::Exchange(_)
        | Auth::Sigv4(_)
        | Auth::Oracle => (AUTHORIZATION, zeroize::Zeroizing::new(["Bearer ", key].concat())),
        Auth::Header(name) => {
            let header = HeaderName::try_from(&**name);
            let malformed =
                |_| Error::new(ErrorKind::Configuration, format!("`{name}` is not the name of a header"));
            (header.map_err(malformed)?, zeroize::Zeroizing::new(key.to_owned()))
        }
        _ => return Ok(None),
    };
    let mut value = HeaderValue::from_str(&text).map_err(|_| {
        let from = credential.source.describe();
        Error::new(ErrorKind::Authentication, format!("the key from {from} cannot stand in a header"))
    })?;
    value.set_sensitive(true);
    Ok(Some((name, value)))
}

/// The key, or the token that is got for it where the provider wants one.
async fn exchanged(
    inner: &Inner,
    provider: &Provider,
    auth: &Auth,
    credential: Option<Credential>,
) -> Result<Option<Credential>, Error> {
    let (Auth::Exchange(exchange), Some(Credential { secret, source })) = (auth, &credential) else {
        return Ok(credential);
    };
    let token = inner.logins.token(&*inner.transport, &*inner.lookup, provider, exchange, secret).await?;
    Ok(Some(Credential { secret: token, source: source.clone() }))
}

/// The token that goes with a call to a cloud, or who signs it.
async fn of_cloud(
    inner: &Inner,
    provider: &Provider,
    auth: &Auth,
    cloud: &'static str,
) -> Result<(Option<Credential>, Option<Signer>), Error> {
    if *auth == Auth::Google {
        let secret = inner.google.token(&*inner.transport, &*inner.lookup).await?;
        return Ok((Some(Credential { secret, source: Source::Cloud(cloud) }), None));
    }
    Ok((None, Some(sign(inner, provider, auth).await?)))
}

/// Who signs the calls of a provider.
async fn sign(inner: &Inner, provider: &Provider, auth: &Auth) -> Result<Signer, Error> {
    let signer = match auth {
        Auth::Sigv4(service) => {
            let region = provider.variable("region", &*inner.lookup)?;
            let signer = inner.aws.signer(&*inner.transport, &*inner.lookup, region, service).await;
            signer.map(Signer::Aws)
        }
        Auth::Oracle => inner.oracle.signer(&*inner.lookup).await.map(Signer::Oracle),
        _ => return Err(keys::missing(provider)),
    };
    signer.map_err(|error| {
        let names: Vec<_> = provider.key_vars().collect();
        let advice = format!("{}; or set {}", error.message(), names.join(" or "));
        if names.is_empty() { error } else { Error::new(error.kind(), advice) }
    })
}

/// A request for the list of a provider's models; `None` when it has none.
pub(crate) async fn listing(inner: &Inner, provider: &Provider) -> Result<Option<Outgoing>, Error> {
    let Some(listing) = &provider.models else { return Ok(None) };
    let Some(url) = provider.models_url(inner.base_url(provider), &*inner.lookup)? else { return Ok(None) };
    let uri = parse(url, &provider.id)?;
    let (credential, signer) = listing_credential(inner, provider, &uri).await?;
    let mut headers = provider.static_headers(&*inner.lookup)?;
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(gzip::ACCEPTED));
    for header in &listing.headers {
        let pair = (HeaderName::try_from(&*header.name), HeaderValue::try_from(&*header.value));
        if let (Ok(name), Ok(value)) = pair {
            headers.insert(name, value);
        }
    }
    let auth = auth_of(provider, None, credential.as_ref())?;
    if let Some((name, value)) =
        credential.as_ref().map(|key| authorization(auth, key)).transpose()?.flatten()
    {
        headers.insert(name, value);
    }
    let secret = credential.map(|credential| credential.secret);
    let secret = secret.or_else(|| signer.as_ref().and_then(Signer::secret));
    Ok(Some(Outgoing { method: Method::GET, uri, headers, body: Bytes::new(), secret, signer }))
}

/// The key for a list. Many lists can be read without one, so that a missing key is the provider's to complain about.
async fn listing_credential(
    inner: &Inner,
    provider: &Provider,
    uri: &Uri,
) -> Result<(Option<Credential>, Option<Signer>), Error> {
    let auth = provider.listing_auth(None).ok();
    let picked = pick(inner, provider, auth, None);
    let source = match &picked {
        Pick::Nothing | Pick::Missing => return Ok((None, None)),
        Pick::Ready(credential) => credential.source.clone(),
        Pick::Command(_) => Source::Command,
        Pick::Cloud(cloud) => Source::Cloud(cloud),
    };
    if *provider.listing_auth(source.variable())? == Auth::None {
        return Ok((None, None));
    }
    let origin = Origin::of(uri);
    let home = provider.models_url(None, &*inner.lookup).ok().flatten().and_then(|url| Origin::parse(&url));
    let is_given = matches!(source, Source::Call | Source::Explicit | Source::Command);
    let allowed = is_given || origin == home;
    let auth = provider.listing_auth(source.variable())?;
    let credential = match guard(inner, provider, picked, &source, allowed, origin.as_ref())? {
        Pick::Nothing | Pick::Missing => None,
        Pick::Ready(credential) => Some(credential),
        Pick::Command(command) => Some(Credential { secret: command.key(&provider.id).await?, source }),
        Pick::Cloud(cloud) => return of_cloud(inner, provider, provider.listing_auth(None)?, cloud).await,
    };
    Ok((exchanged(inner, provider, auth, credential).await?, None))
}

pub(crate) fn refuse(warnings: &[Warning]) -> Result<(), Error> {
    if warnings.is_empty() {
        return Ok(());
    }
    let all: Vec<_> = warnings.iter().map(ToString::to_string).collect();
    let message = format!("strict mode: {}", all.join("; "));
    Err(Error::new(ErrorKind::Unsupported, message))
}

/// Reads a URL. One that holds a password would end up in errors and logs.
fn parse(url: String, provider: &str) -> Result<Uri, Error> {
    let wrong =
        |what: &str| Error::new(ErrorKind::Configuration, format!("the base URL of `{provider}` {what}"));
    let uri = Uri::try_from(url).map_err(|error| wrong(&format!("is none: {error}")))?;
    let authority = uri.authority().ok_or_else(|| wrong("has no host"))?;
    if authority.as_str().contains('@') {
        return Err(wrong(
            "holds a user name or password, which would be shown in errors: give a key instead",
        ));
    }
    match uri.scheme_str() {
        Some("http" | "https") => Ok(uri),
        _ => Err(wrong("is neither http nor https")),
    }
}

/// The body with the fields of the options in it: replaced in place, or added at the end.
fn merged(body: &Bytes, options: &Options) -> Result<Bytes, Error> {
    let wrong = |what: String| Error::new(ErrorKind::InvalidRequest, what);
    let object =
        Object::from_slice(body).map_err(|error| wrong(format!("the body takes no fields: {error}")))?;
    let mut fields: Vec<(&str, &str)> = object.iter().map(|(name, value)| (name, value.get())).collect();
    for (name, value) in &options.body {
        if !value.is_valid() {
            return Err(wrong(format!("the value of the body field `{name}` is not valid JSON")));
        }
        match fields.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value.as_str(),
            None => fields.push((name, value.as_str())),
        }
    }
    let mut text = String::with_capacity(body.len() + 64);
    for (at, (name, value)) in fields.into_iter().enumerate() {
        text.push(if at == 0 { '{' } else { ',' });
        text.push_str(Json::string(name).as_str());
        text.push(':');
        text.push_str(value);
    }
    text.push_str(if text.is_empty() { "{}" } else { "}" });
    Ok(text.into())
}
