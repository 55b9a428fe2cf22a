//! HTTP signatures with RSA and SHA-256, as Oracle Cloud takes them.
//!
//! Source: [Oracle, Request signatures](https://docs.oracle.com/en-us/iaas/Content/API/Concepts/signingrequests.htm).

use std::sync::Arc;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, DATE};
use http::{HeaderName, HeaderValue, Method, Request};
use interlingua_model::{Error, ErrorKind};
use ring::digest;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};

use crate::Secret;
use crate::calendar::http_date;
use crate::machine::host;

const HASH: HeaderName = HeaderName::from_static("x-content-sha256");

/// Whose key signs.
#[derive(Debug, Clone)]
pub(crate) struct Signer {
    /// As whom.
    pub(crate) id: Secret,
    /// What of that is secret.
    pub(crate) token: Option<Secret>,
    pub(crate) pair: Arc<RsaKeyPair>,
}

impl Signer {
    /// Signs a request as it will be sent. What an earlier signature added is replaced.
    ///
    /// # Errors
    /// When the clock stands before 1970, or the identity cannot stand in a header.
    pub(crate) fn sign(&self, request: &mut Request<Bytes>, now: SystemTime) -> Result<(), Error> {
        let unfit = |_| failed("the profile of Oracle Cloud holds a character that no header takes");
        let date = http_date(now).ok_or_else(|| failed("the clock of this machine stands before 1970"))?;
        request.headers_mut().insert(DATE, HeaderValue::from_str(&date).map_err(unfit)?);
        if *request.method() != Method::GET {
            let hash = STANDARD.encode(digest::digest(&digest::SHA256, request.body()));
            let length = request.body().len();
            let headers = request.headers_mut();
            headers.insert(HASH, HeaderValue::from_str(&hash).map_err(unfit)?);
            headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
            headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
        }
        let value = zeroize::Zeroizing::new(self.authorization(request)?);
        let mut value = HeaderValue::from_str(&value).map_err(unfit)?;
        value.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, value);
        Ok(())
    }

    /// What of the identity is sent with a call, and may come back.
    pub(crate) fn secret(&self) -> Option<Secret> {
        self.token.clone()
    }

    fn authorization(&self, request: &Request<Bytes>) -> Result<String, Error> {
        let (names, text) = signed(request);
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
            .map_err(|_| failed("the key of the profile of Oracle Cloud cannot sign"))?;
        let (id, signature) = (self.id.expose(), STANDARD.encode(signature));
        Ok(format!(
            "Signature version=\"1\",headers=\"{names}\",keyId=\"{id}\",algorithm=\"rsa-sha256\",signature=\"{signature}\""
        ))
    }
}

/// The headers that are signed, and the text that they make.
fn signed(request: &Request<Bytes>) -> (String, String) {
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    let method = request.method().as_str().to_ascii_lowercase();
    let mut lines = vec![
        ("date", header(request, &DATE)),
        ("(request-target)", format!("{method} {target}")),
        ("host", host(request.uri())),
    ];
    if *request.method() != Method::GET {
        let of_body = [CONTENT_LENGTH, CONTENT_TYPE, HASH];
        let names = ["content-length", "content-type", "x-content-sha256"];
        lines.extend(names.into_iter().zip(of_body.iter().map(|name| header(request, name))));
    }
    let names: Vec<&str> = lines.iter().map(|(name, _)| *name).collect();
    let text: Vec<String> = lines.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    (names.join(" "), text.join("\n"))
}

fn header(request: &Request<Bytes>, name: &HeaderName) -> String {
    let value = request.headers().get(name).map(HeaderValue::as_bytes).unwrap_or_default();
    String::from_utf8_lossy(value).into_owned()
}

fn failed(what: &str) -> Error {
    Error::new(ErrorKind::Authentication, what)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::pem;

    /// A key that was made for tests and is used nowhere.
    const KEY: &str = include_str!("../../tests/it/google_test_key.txt");
    /// What `openssl dgst -sha256 -sign` makes with it of the text of the test.
    const SIGNATURE: &str = "eVGpradePT/z1aZqedlW2GMP1q4/LQhORbcBbn02xyzs6RaxqeAjcu7QDTHYDhP0DUfHz7uV5wOX8Ah03fFN1f3b6M45uypQwhRM7kbVPstJRfPJXErUspS54IrpDd8+n/dv5+Ol+NSXCQpLcXMPhGpcVWrBFD0PWA126fCA0VNmmvwUMr8Hk/y8E9nwRHAth7h25l6qeEaMRmB9B44oeHXtG2LbNPzxiEWCyM5AerlB7dH9uQfHQ9UrukQ8Ie1RJ5668sIEYexpjB17ryw8P0u/JVGDOksdH5DFQpzsoTjwfjNvNIVsGZ1ESo7VDfYZRPUYQuE0FhmpEaVG2GCedw==";

    fn signer() -> Signer {
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{KEY}\n-----END PRIVATE KEY-----\n");
        Signer { id: Secret::new("t/u/f"), token: None, pair: Arc::new(pem::rsa(&pem).unwrap()) }
    }

    #[test]
    fn a_call_is_signed_as_openssl_signs_it() {
        let place =
            "https://inference.generativeai.us-chicago-1.oci.oraclecloud.com/openai/v1/chat/completions?a=1";
        let call = Request::post(place).header("content-type", "application/json");
        let mut call = call.body(Bytes::from_static(br#"{"model":"m"}"#)).unwrap();
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_348_800);
        let signer = signer();
        signer.sign(&mut call, now).unwrap();
        assert_eq!(call.headers()["x-content-sha256"], "VI9Y0cNscVtE8IY0cgdKl8RI1bjRgWS5Kt9VWSsSf4Y=");
        let found = call.headers()["authorization"].to_str().unwrap().to_owned();
        assert!(found.ends_with(&format!(",signature=\"{SIGNATURE}\"")), "{found}");
        assert!(!format!("{:?} {signer:?}", call.headers()).contains(&SIGNATURE[..20]));

        // Signed again, as when it is sent again, it is signed for the new time.
        signer.sign(&mut call, now + Duration::from_secs(60)).unwrap();
        assert_eq!(call.headers()["date"], "Sun, 22 Nov 2026 12:01:00 GMT");
        assert_ne!(call.headers()["authorization"].to_str().unwrap(), found);
    }

    #[test]
    fn a_question_without_a_body_is_signed_without_one() {
        let mut call = Request::get("https://a.example/openai/v1/models").body(Bytes::new()).unwrap();
        signer().sign(&mut call, SystemTime::UNIX_EPOCH).unwrap();
        let found = call.headers()["authorization"].to_str().unwrap();
        assert!(found.contains("headers=\"date (request-target) host\",keyId=\"t/u/f\""), "{found}");
        assert!(call.headers().get("content-length").is_none());
    }
}
