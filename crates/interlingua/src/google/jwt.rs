//! The assertion by which a service account asks for a token (RFC 7523), signed with its key (RS256).

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::RSA_PKCS1_SHA256;
use serde::Serialize;

use super::source::{Account, SCOPE};
use crate::pem;

#[derive(Serialize)]
struct Head<'a> {
    alg: &'a str,
    typ: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    kid: &'a str,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    scope: &'a str,
    aud: &'a str,
    iat: u64,
    exp: u64,
}

/// The assertion for a service that gives out tokens.
pub(super) fn signed(account: &Account, service: &str, now: SystemTime) -> Result<String, String> {
    let pair = pem::rsa(&account.private_key)?;
    let since = now.duration_since(SystemTime::UNIX_EPOCH);
    let iat = since.map_err(|_| "cannot be used: the clock stands before 1970".to_owned())?.as_secs();
    let head = Head { alg: "RS256", typ: "JWT", kid: &account.private_key_id };
    let claims = Claims { iss: &account.client_email, scope: SCOPE, aud: service, iat, exp: iat + 3_600 };
    let part = |json: serde_json::Result<Vec<u8>>| json.map(|json| URL_SAFE_NO_PAD.encode(json));
    let parts =
        part(serde_json::to_vec(&head)).and_then(|head| Ok((head, part(serde_json::to_vec(&claims))?)));
    let (head, claims) = parts.map_err(|_| "cannot be written as an assertion".to_owned())?;
    let text = format!("{head}.{claims}");
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
        .map_err(|_| "holds a key that cannot sign".to_owned())?;
    Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

    use super::*;

    /// A key that was made for this test and is used nowhere.
    const KEY: &str = include_str!("../../tests/it/google_test_key.txt");

    fn account(key: &str) -> Account {
        let text = serde_json::json!({
            "type": "service_account", "client_email": "a@p.iam.example", "private_key_id": "k1",
            "private_key": format!("-----BEGIN PRIVATE KEY-----\n{key}\n-----END PRIVATE KEY-----\n"),
        });
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn an_assertion_is_signed_by_the_account_s_key() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000);
        let account = account(KEY);
        let text = signed(&account, "https://service.example/token", now).unwrap();
        let (body, signature) = text.rsplit_once('.').unwrap();
        let parts: Vec<serde_json::Value> = body
            .split('.')
            .map(|part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap())
            .collect();
        assert_eq!(parts[0], serde_json::json!({ "alg": "RS256", "typ": "JWT", "kid": "k1" }));
        assert_eq!(
            parts[1],
            serde_json::json!({ "iss": "a@p.iam.example", "scope": SCOPE, "aud": "https://service.example/token",
                "iat": 1_795_000_000_u64, "exp": 1_795_003_600_u64 })
        );
        let public = pem::rsa(&account.private_key).unwrap().public().as_ref().to_vec();
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public);
        key.verify(body.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
    }

    #[test]
    fn what_is_no_key_is_told_and_not_shown() {
        for key in ["", "bm8ga2V5", "###", &KEY[..200]] {
            let told = signed(&account(key), "https://service.example/token", SystemTime::now()).unwrap_err();
            assert_eq!(told, "holds no private key");
        }
    }
}
