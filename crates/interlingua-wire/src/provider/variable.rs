//! Placeholders of a row, and what fills them.

use interlingua_model::Error;
use serde::Serialize;

use super::family::glob;
use super::url::{placeholders, split_placeholder};
use super::{Provider, Text};
use crate::fields::fields;

/// The placeholder that stands for the name of the model.
pub(super) const MODEL: &str = "model";
/// The words of an [`Exchange`](super::Exchange), which are filled when it is made.
pub(super) const LATER: [&str; 2] = ["key", "id"];

fields! {
    from Self::new("", [] as [Text; 0]); needs "name";

    /// A placeholder of a URL or a header value.
    ///
    /// Its value is that of the first environment variable that is set, else that of the first case that fits, else the default.
    /// The values of cases and the default may hold the placeholders of variables that stand before this one.
    ///
    /// ```
    /// use interlingua_wire::{Protocol, catalog};
    ///
    /// let vertex = catalog::find("google-vertex").expect("a row");
    /// let at = |place: &'static str| {
    ///     move |name: &str| match name {
    ///         "GOOGLE_CLOUD_LOCATION" => Some(place.to_owned()),
    ///         "GOOGLE_CLOUD_PROJECT" => Some("p".to_owned()),
    ///         _ => None,
    ///     }
    /// };
    /// let url = |place| vertex.base_url(Protocol::Gemini, None, &at(place));
    /// assert!(url("europe-west4")?.starts_with("https://europe-west4-aiplatform.googleapis.com/"));
    /// assert!(url("global")?.starts_with("https://aiplatform.googleapis.com/"));
    /// # Ok::<(), interlingua_model::Error>(())
    /// ```
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    #[non_exhaustive]
    pub struct Variable {
        /// The word in the braces.
        pub name: Text,
        /// The environment variables that may hold its value, the first one first.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub env: Vec<Text>,
        /// Values that follow from those of other variables.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub cases: Vec<Case>,
        /// The value when nothing else gives one. `{model}` in it is the name of the model, see [`with_model`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub default: Option<Text>,
    }
}

fields! {
    from Self { of: Text::default(), is: Text::default(), value: Text::default() }; needs "of", "is", "value";

    /// A value of a [`Variable`] that follows from that of another one.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    #[non_exhaustive]
    pub struct Case {
        /// The other variable, which stands before this one.
        pub of: Text,
        /// What its value is, where `*` stands for any letters.
        pub is: Text,
        /// The value that follows.
        pub value: Text,
    }
}

impl Variable {
    /// A placeholder and the environment variables that may hold its value.
    pub fn new<T: Into<Text>>(name: impl Into<Text>, env: impl IntoIterator<Item = T>) -> Self {
        Self {
            name: name.into(),
            env: env.into_iter().map(Into::into).collect(),
            cases: Vec::new(),
            default: None,
        }
    }

    /// The placeholders that its value may hold or hang on.
    fn needs(&self) -> impl Iterator<Item = &str> {
        let of_cases =
            self.cases.iter().flat_map(|case| std::iter::once(&*case.of).chain(placeholders(&case.value)));
        of_cases.chain(self.default.iter().flat_map(|default| placeholders(default)))
    }
}

/// The base URL of the calls to a model: with its name, escaped, in the place of `{model}`.
///
/// ```
/// use interlingua_wire::with_model;
///
/// let base = "https://a.example/deployments/{model}?api-version=1";
/// assert_eq!(with_model(base.to_owned(), "my/gpt"), "https://a.example/deployments/my%2Fgpt?api-version=1");
/// ```
pub fn with_model(base: String, model: &str) -> String {
    if base.contains("{model}") { base.replace("{model}", &crate::percent::encoded(model)) } else { base }
}

/// A text with every placeholder filled but those that are filled later. A value that begins a host may be given as a whole
/// URL.
pub(super) fn fill(
    row: &Provider,
    variables: &[Variable],
    template: &str,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<String, Error> {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, name, after)) = split_placeholder(rest) {
        filled.push_str(before);
        rest = after;
        if name == MODEL || LATER.contains(&name) {
            filled.extend(["{", name, "}"]);
            continue;
        }
        let value = value_of(row, variables, name, lookup)?;
        let value = value.trim().trim_end_matches('/');
        let bare = filled.ends_with("://").then(|| value.split_once("://")).flatten();
        filled.push_str(bare.map_or(value, |(_, host)| host));
    }
    filled.push_str(rest);
    Ok(filled)
}

/// The value of one of these variables. It is made out of those before it, so that there is no end to be missed.
pub(super) fn value_of(
    row: &Provider,
    variables: &[Variable],
    name: &str,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<String, Error> {
    let position = variables.iter().position(|variable| variable.name == name);
    let Some((variable, before)) = position.and_then(|at| Some((variables.get(at)?, variables.get(..at)?)))
    else {
        return Err(row.wrong(&format!("has no variable for `{{{name}}}`")));
    };
    let set = variable.env.iter().find_map(|name| lookup(name).filter(|value| !value.trim().is_empty()));
    if let Some(value) = set {
        return Ok(value);
    }
    for case in &variable.cases {
        let other = value_of(row, before, &case.of, lookup)?;
        if glob(case.is.as_bytes(), other.trim().as_bytes()) {
            return fill(row, before, &case.value, lookup);
        }
    }
    let Some(default) = &variable.default else {
        let env = variable.env.join(" or ");
        return Err(row.wrong(&format!("needs its {name}: set {env}, or give the base URL")));
    };
    fill(row, before, default, lookup)
}

/// Says which placeholder of some texts has no variable; some words need none there.
pub(super) fn check_texts<'t>(
    row: &Provider,
    texts: impl IntoIterator<Item = &'t str>,
    free: &[&str],
) -> Result<(), Error> {
    let mut names = texts.into_iter().flat_map(placeholders).filter(|name| !free.contains(name));
    let missing = names.find(|name| !row.variables.iter().any(|variable| variable.name == *name));
    missing.map_or(Ok(()), |name| Err(row.wrong(&format!("has no variable for `{{{name}}}`"))))
}

/// Says which variable hangs on one that does not stand before it.
pub(super) fn check(row: &Provider) -> Result<(), Error> {
    let is_known =
        |name: &str, variables: &[Variable]| variables.iter().any(|variable| variable.name == name);
    for (at, variable) in row.variables.iter().enumerate() {
        let before = row.variables.get(..at).unwrap_or_default();
        if let Some(name) = variable.needs().find(|name| *name != MODEL && !is_known(name, before)) {
            let own = &variable.name;
            return Err(row.wrong(&format!("has a variable `{own}` without one for `{{{name}}}` before it")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Protocol;

    fn row(variables: Vec<Variable>) -> Provider {
        let mut row = Provider::new("attic", Protocol::OpenaiChat, "https://{host}/{model}");
        row.variables = variables;
        row
    }

    fn variable(text: &str) -> Variable {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_value_follows_from_those_before_it() {
        let region = variable(r#"{ "name": "region", "env": ["REGION"], "default": "us-1" }"#);
        let domain = variable(
            r#"{ "name": "domain", "cases": [{ "of": "region", "is": "cn-*", "value": "a.cn" }], "default": "a" }"#,
        );
        let host = variable(r#"{ "name": "host", "env": ["HOST"], "default": "{region}.{domain}" }"#);
        let row = row(vec![region, domain, host]);
        row.check().unwrap();
        for (set, expected) in [
            (&[][..], "https://us-1.a/{model}"),
            (&[("REGION", "cn-2")], "https://cn-2.a.cn/{model}"),
            (&[("HOST", "https://box/"), ("REGION", "cn-2")], "https://box/{model}"),
        ] {
            let lookup = |name: &str| {
                set.iter()
                    .find(|(known, _)| *known == name)
                    .map(|(_, value): &(&str, &str)| (*value).to_owned())
            };
            assert_eq!(row.base_url(Protocol::OpenaiChat, None, &lookup).unwrap(), expected);
        }
    }

    #[test]
    fn what_hangs_on_itself_is_refused() {
        for odd in [
            vec![variable(r#"{ "name": "host", "default": "{host}" }"#)],
            vec![
                variable(r#"{ "name": "host", "default": "{other}" }"#),
                variable(r#"{ "name": "other", "default": "{host}" }"#),
            ],
            vec![variable(
                r#"{ "name": "host", "cases": [{ "of": "region", "is": "x", "value": "y" }], "default": "z" }"#,
            )],
        ] {
            let row = row(odd);
            let error = row.check().unwrap_err();
            assert!(error.message().contains("before it"), "{error}");
            assert!(row.base_url(Protocol::OpenaiChat, None, &|_| None).is_err());
        }
    }
}
