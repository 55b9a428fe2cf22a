//! Signature Version 4: a request is signed with a key that is never sent.
//!
//! Source: [AWS, Create a signed request](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).

use std::time::SystemTime;

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, USER_AGENT};
use http::{HeaderName, HeaderValue, Request};
use interlingua_model::{Error, ErrorKind};
use ring::{digest, hmac};

use super::Credentials;
use crate::calendar::stamp;
use crate::machine::host;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
/// Headers that proxies may change, so that they are not signed.
const UNSIGNED: [HeaderName; 5] = [AUTHORIZATION, ACCEPT, ACCEPT_ENCODING, CONNECTION, USER_AGENT];

/// Whose key signs, and for what.
#[derive(Debug, Clone)]
pub(crate) struct Signer {
    pub(crate) credentials: Credentials,
    pub(crate) region: String,
    pub(crate) service: String,
}

impl Signer {
    /// Signs a request as it will be sent. What an earlier signature added is replaced.
    ///
    /// # Errors
    /// When the clock stands before 1970, or the credentials cannot stand in a header.
    pub(crate) fn sign(&self, request: &mut Request<Bytes>, now: SystemTime) -> Result<(), Error> {
        let stamp = stamp(now).ok_or_else(|| failed("the clock of this machine stands before 1970"))?;
        let unfit = |_| failed("the AWS credentials hold a character that no header takes");
        let headers = request.headers_mut();
        headers.insert(DATE, HeaderValue::from_str(&stamp).map_err(unfit)?);
        headers.remove(TOKEN);
        if let Some(token) = &self.credentials.token {
            let mut value = HeaderValue::from_str(token.expose()).map_err(unfit)?;
            value.set_sensitive(true);
            headers.insert(TOKEN, value);
        }
        let authorization = self.authorization(request, &stamp);
        let mut value = HeaderValue::from_str(&authorization).map_err(unfit)?;
        value.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, value);
        Ok(())
    }

    /// What of the credentials is sent with a call, and may come back.
    pub(crate) fn secret(&self) -> Option<crate::Secret> {
        self.credentials.token.clone()
    }

    fn authorization(&self, request: &Request<Bytes>, stamp: &str) -> String {
        let mut headers: Vec<(&str, String)> = vec![("host", host(request.uri()))];
        for name in request.headers().keys().filter(|name| !UNSIGNED.contains(name) && *name != "host") {
            let values = request.headers().get_all(name).iter();
            let values: Vec<String> = values.map(|value| folded(value.as_bytes())).collect();
            headers.push((name.as_str(), values.join(",")));
        }
        headers.sort_unstable();
        let signed: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
        let signed = signed.join(";");
        let lines: Vec<String> = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
        let canonical = [
            request.method().as_str(),
            &encoded(path.as_bytes(), true),
            &sorted(query),
            &lines.concat(),
            &signed,
            &hex(digest::digest(&digest::SHA256, request.body()).as_ref()),
        ]
        .join("\n");
        let day = stamp.get(..8).unwrap_or_default();
        let scope = [day, &self.region, &self.service, "aws4_request"].join("/");
        let hash = hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
        let text = [ALGORITHM, stamp, &scope, &hash].join("\n");
        let signature = hex(self.keyed(day, &text).as_ref());
        let id = &self.credentials.id;
        format!("{ALGORITHM} Credential={id}/{scope}, SignedHeaders={signed}, Signature={signature}")
    }

    /// The key of a day, a region and a service signs a text.
    fn keyed(&self, day: &str, text: &str) -> hmac::Tag {
        let secret = zeroize::Zeroizing::new(format!("AWS4{}", self.credentials.secret.expose()));
        let first = step(secret.as_bytes(), day);
        let steps = [&*self.region, &*self.service, "aws4_request", text];
        steps.into_iter().fold(first, |key, text| step(key.as_ref(), text))
    }
}

fn step(key: &[u8], text: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes())
}

fn failed(what: &str) -> Error {
    Error::new(ErrorKind::Authentication, what)
}

/// A value without white space around it, and with one space in place of several.
fn folded(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

/// The parameters of a query in order, each encoded in the one way that counts.
fn sorted(query: &str) -> String {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let mut pairs: Vec<(String, String)> = pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (encoded(&decoded(name), false), encoded(&decoded(value), false))
        })
        .collect();
    pairs.sort_unstable();
    pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

fn decoded(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        let digits = tail.first_chunk::<2>().filter(|_| *byte == b'%');
        let [high, low] =
            digits.map_or([None; 2], |digits| digits.map(|digit| char::from(digit).to_digit(16)));
        match high.zip(low).and_then(|(high, low)| u8::try_from(high * 16 + low).ok()) {
            Some(found) => {
                bytes.push(found);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => bytes.push(*byte),
        }
    }
    bytes
}

/// Everything but what never needs to be encoded, encoded; in a path that is encoded already, for the second time.
fn encoded(bytes: &[u8], is_path: bool) -> String {
    let mut out = String::with_capacity(bytes.len());
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) || is_path && *byte == b'/' {
            out.push(char::from(*byte));
        } else {
            out.push('%');
            out.extend(digits(*byte).map(|digit| digit.to_ascii_uppercase()));
        }
    }
    out
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| digits(*byte)).collect()
}

fn digits(byte: u8) -> [char; 2] {
    [byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16).unwrap_or('0'))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::Secret;

    /// 2015-08-30, 12:36:00.
    const THEN: u64 = 1_440_938_160;

    fn signer(service: &str, token: Option<&str>) -> Signer {
        let secret = Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
        let credentials = Credentials {
            id: "AKIDEXAMPLE".to_owned(),
            secret,
            token: token.map(Secret::new),
            expires: None,
        };
        Signer { credentials, region: "us-east-1".to_owned(), service: service.to_owned() }
    }

    fn signed(signer: &Signer, call: Request<&'static str>, at: u64) -> (String, Request<Bytes>) {
        let mut call = call.map(Bytes::from);
        signer.sign(&mut call, SystemTime::UNIX_EPOCH + Duration::from_secs(at)).unwrap();
        (call.headers()["authorization"].to_str().unwrap().to_owned(), call)
    }

    type Case = (&'static str, &'static str, &'static [(&'static str, &'static str)], &'static str);

    /// The published cases, as far as a client can send them: method, place, headers, signature.
    const CASES: [Case; 12] = [
        ("GET", "/", &[], "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        (
            "GET",
            "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
            &[],
            "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
        ),
        ("GET", "/?Param1=value1", &[], "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"),
        (
            "GET",
            "/?Param2=value2&Param1=value1",
            &[],
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "GET",
            "/?-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
            &[],
            "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
        ),
        ("GET", "/?%E1%88%B4=bar", &[], "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"),
        (
            "GET",
            "/",
            &[("my-header1", "value2"), ("my-header1", "value2"), ("my-header1", "value1")],
            "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
        ),
        (
            "GET",
            "/",
            &[("my-header1", " value1"), ("my-header2", " \"a   b   c\"")],
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        ),
        ("POST", "/", &[], "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        (
            "POST",
            "/",
            &[("my-header1", "VALUE1")],
            "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
        ),
        ("POST", "/?Param1=value1", &[], "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"),
        (
            "POST",
            "/?%40%23%24%25%5E=&%2B=%2F%2C%3F%3E%3C%60%22%3B%3A%5C%7C%5D%5B%7B%7D",
            &[],
            "66c82657c86e26fb25238d0e69f011edc4c6df5ae71119d7cb98ed9b87393c1e",
        ),
    ];

    #[test]
    fn the_published_cases_are_signed_alike() {
        for (method, place, headers, signature) in CASES {
            let address = format!("https://example.amazonaws.com{place}");
            let mut call = Request::builder().method(method).uri(address);
            for (name, value) in headers {
                call = call.header(*name, *value);
            }
            let (found, _) = signed(&signer("service", None), call.body("").unwrap(), THEN);
            assert!(found.ends_with(&format!(", Signature={signature}")), "{method} {place}: {found}");
        }
    }

    #[test]
    fn a_body_and_its_type_are_signed() {
        let call = Request::post("https://example.amazonaws.com/")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("user-agent", "anything")
            .body("Param1=value1")
            .unwrap();
        let (found, _) = signed(&signer("service", None), call, THEN);
        assert_eq!(
            found,
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date, \
             Signature=ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"
        );
    }

    /// As Amazon's client for Python signs the call of a model.
    #[test]
    fn a_path_that_is_encoded_is_encoded_again_and_a_token_is_signed() {
        let call = || {
            let model = "us.anthropic.claude-sonnet-4-5-20250929-v1%3A0";
            Request::post(format!("https://bedrock-runtime.us-east-1.amazonaws.com/model/{model}/converse"))
                .header("content-type", "application/json")
                .body(r#"{"messages":[{"role":"user","content":[{"text":"hi"}]}]}"#)
                .unwrap()
        };
        let at = 1_795_348_800;
        let (found, _) = signed(&signer("bedrock", None), call(), at);
        assert!(found.contains("SignedHeaders=content-type;host;x-amz-date,"), "{found}");
        assert!(
            found.ends_with("a3e283817767a13826ffe457d061052060a6ec2694c66c0604f99a4c6fac8598"),
            "{found}"
        );
        let with_token = signer("bedrock", Some("TOKENEXAMPLE"));
        let (found, mut call) = signed(&with_token, call(), at);
        assert!(
            found.contains("SignedHeaders=content-type;host;x-amz-date;x-amz-security-token,"),
            "{found}"
        );
        assert!(
            found.ends_with("1eb727c8a188a7575e31b2ca2cb9f0ff78b620f310e0d4f7f0287f142bba4872"),
            "{found}"
        );
        assert_eq!(call.headers()["x-amz-date"], "20261122T120000Z");
        let shown = format!("{with_token:?} {:?}", call.headers());
        assert!(
            !shown.contains("TOKENEXAMPLE") && !shown.contains("wJalr") && !shown.contains("1eb727"),
            "{shown}"
        );

        // Signed again, as when it is sent again, it is signed anew.
        let later = SystemTime::UNIX_EPOCH + Duration::from_secs(at + 60);
        signer("bedrock", None).sign(&mut call, later).unwrap();
        assert!(call.headers().get("x-amz-security-token").is_none());
        assert_eq!(call.headers()["x-amz-date"], "20261122T120100Z");
        assert_ne!(call.headers()["authorization"].to_str().unwrap(), found);
    }
}
