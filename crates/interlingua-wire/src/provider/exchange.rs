use serde::Serialize;

use crate::fields::{fields, words};
use crate::provider::{Header, Text};

fields! {
    from Self::default(); needs "url", "token", "expires";

    /// How a key is exchanged for a token that lasts a while, at an address of the provider's own.
    ///
    /// In the values of headers and of the form, `{key}` stands for the key and `{id}` for a word that is new each time; other
    /// placeholders, and those of the address, are the row's. With a form it is a `POST`, else a `GET`.
    ///
    /// ```
    /// use interlingua_wire::{Auth, catalog};
    ///
    /// let watsonx = catalog::find("watsonx").expect("a row");
    /// let Auth::Exchange(exchange) = &watsonx.auth else { panic!("its keys are exchanged") };
    /// assert_eq!(exchange.token, "access_token");
    /// ```
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    #[non_exhaustive]
    pub struct Exchange {
        /// The address.
        pub url: Text,
        /// The headers that go along.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub headers: Vec<Header>,
        /// The fields of the form.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub form: Vec<Header>,
        /// The field of the answer that holds the token.
        pub token: Text,
        /// The field of the answer that says how long it lasts.
        pub expires: Text,
        /// What the number in that field is.
        #[serde(default)]
        pub unit: Expiry,
    }
}

words! {
    /// What the number is that says how long a token lasts.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum Expiry {
        /// Seconds from now.
        #[default]
        Seconds = "seconds",
        /// The moment, in seconds since 1970.
        UnixSeconds = "unix_seconds",
        /// The moment, in milliseconds since 1970.
        UnixMilliseconds = "unix_milliseconds",
    }
}

impl Exchange {
    /// A value with the key and a new word in their places.
    pub fn filled(value: &str, key: &str, id: &str) -> String {
        value.replace("{key}", key).replace("{id}", id)
    }

    /// The values of headers and of the form.
    pub(super) fn values(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().chain(&self.form).map(|header| &*header.value)
    }

    /// The token and the moment at which it ends, in seconds since 1970, out of an answer; `None` when they are not in it.
    pub fn read(&self, body: &[u8], now: u64) -> Option<(String, u64)> {
        let object = crate::Object::from_slice(body).ok()?;
        let token = object.peek::<String>(&self.token).filter(|token| !token.is_empty())?;
        let number = object.peek::<u64>(&self.expires)?;
        let ends = match self.unit {
            Expiry::Seconds => now.saturating_add(number),
            Expiry::UnixSeconds => number,
            Expiry::UnixMilliseconds => number / 1000,
        };
        Some((token, ends))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_how_long_its_token_lasts() {
        let exchange = |unit| Exchange {
            url: "https://login.test".into(),
            headers: Vec::new(),
            form: Vec::new(),
            token: "access_token".into(),
            expires: "ends".into(),
            unit,
        };
        let read = |unit, body: &str| exchange(unit).read(body.as_bytes(), 1000);
        let body = r#"{"access_token":"t","ends":60}"#;
        assert_eq!(read(Expiry::Seconds, body), Some(("t".to_owned(), 1060)));
        assert_eq!(read(Expiry::UnixSeconds, body), Some(("t".to_owned(), 60)));
        assert_eq!(
            read(Expiry::UnixMilliseconds, r#"{"access_token":"t","ends":60999}"#),
            Some(("t".to_owned(), 60))
        );
        for wrong in ["", "[]", r#"{"access_token":"","ends":1}"#, r#"{"access_token":"t"}"#, r#"{"ends":1}"#]
        {
            assert_eq!(read(Expiry::Seconds, wrong), None, "{wrong}");
        }
    }
}
