use std::fmt::Write as _;

use crate::Protocol;
use crate::provider::{Auth, Endpoint, Family, Kind, Patch, Provider};

const TOP: &str = "\
# Providers

This page is made from the table in `crates/interlingua-wire/catalog/` and a test keeps it equal to it. Rows of your
own, in the same shape, go into your configuration file.

A service is known from **recordings** when so many real answers of it in that protocol were decoded, from **documents** when
its URL and habits are known from its own documents or from other clients' source, and is a **guess** when even its URL
was not seen anywhere. The first protocol of a service is the one that is used unless a model or you say otherwise.
Words in braces are filled from the variables named behind the key.

";

/// The whole table as a page of Markdown, which is `docs/providers.md`.
///
/// ```
/// assert!(interlingua_wire::catalog::page().starts_with("# Providers\n"));
/// ```
pub fn page() -> String {
    let mut text = TOP.to_owned();
    let kinds = [
        (Kind::Vendor, "Vendors"),
        (Kind::Cloud, "Clouds"),
        (Kind::Host, "Hosts of open models"),
        (Kind::Gateway, "Gateways"),
        (Kind::Local, "Local programs"),
    ];
    for (kind, title) in kinds {
        let rows: Vec<_> = super::all().filter(|provider| provider.kind == kind).collect();
        section(&mut text, title, &rows);
    }
    families(&mut text);
    text
}

fn section(text: &mut String, title: &str, rows: &[&Provider]) {
    let _ = writeln!(text, "## {title}\n");
    text.push_str("| provider | protocol | base URL | known from | key |\n|---|---|---|---|---|\n");
    for provider in rows {
        if provider.endpoints.is_empty() {
            let keys = provider.key_vars().collect::<Vec<_>>().join("`, `");
            let _ = writeln!(text, "| {} | none | `{}` | | `{keys}` |", title_of(provider), provider.root);
        }
        for (position, endpoint) in provider.endpoints.iter().enumerate() {
            let name = if position == 0 { title_of(provider) } else { String::new() };
            let key = if position == 0 { key_of(provider, endpoint) } else { own_auth(endpoint) };
            let (protocol, base) = (endpoint.protocol, &endpoint.base_url);
            let _ = writeln!(
                text,
                "| {name} | `{protocol}` | `{base}` | {} | {key} |",
                known(provider, endpoint)
            );
        }
    }
    text.push('\n');
    for provider in rows.iter().filter(|provider| !provider.note.is_empty()) {
        let _ = writeln!(text, "* `{}`: {}.", provider.id, provider.note);
    }
    for provider in rows {
        let Some(decisions) = &provider.decisions else { continue };
        let _ = writeln!(text, "* `{}`: decides typed questions at `{}`.", provider.id, decisions.url);
    }
    text.push('\n');
}

fn title_of(provider: &Provider) -> String {
    let mut title = format!("`{}` {}", provider.id, provider.display_name());
    if !provider.aliases.is_empty() {
        let _ = write!(title, "; also `{}`", provider.aliases.join("`, `"));
    }
    if !provider.default_model.is_empty() {
        let _ = write!(title, "; usual model `{}`", provider.default_model);
    }
    title
}

fn known(provider: &Provider, endpoint: &Endpoint) -> String {
    match (endpoint.recorded, provider.verified) {
        (true, _) => recordings(&provider.id, endpoint.protocol),
        (false, true) => "documents".to_owned(),
        (false, false) => "**guess**".to_owned(),
    }
}

/// How many recorded answers of a service were decoded, a line each: provider, protocol, number.
const RECORDINGS: &str = include_str!("../../catalog/recordings.txt");

fn recordings(provider: &str, protocol: Protocol) -> String {
    let mut lines = RECORDINGS.lines().filter_map(|line| line.rsplit_once(' '));
    let found = lines.find(|(whose, _)| *whose == format!("{provider} {protocol}"));
    match found {
        Some((_, "1")) => "1 recording".to_owned(),
        Some((_, count)) => format!("{count} recordings"),
        None => "recordings".to_owned(),
    }
}

fn key_of(provider: &Provider, endpoint: &Endpoint) -> String {
    let mut words = vec![auth(endpoint.auth.as_ref().unwrap_or(&provider.auth))];
    for key in &provider.keys {
        let own = key.auth.as_ref().map(|own| format!(" ({})", auth(own)));
        words.push(format!("`{}`{}", key.variable, own.unwrap_or_default()));
    }
    for variable in &provider.variables {
        let env: Vec<_> = variable.env.iter().map(|name| format!("`{name}`")).collect();
        let cases = variable
            .cases
            .iter()
            .map(|case| format!("`{}` where {{{}}} is `{}`", case.value, case.of, case.is));
        let default = variable.default.as_ref().map(|value| format!("else `{value}`"));
        let values: Vec<_> = env.into_iter().chain(cases).chain(default).collect();
        words.push(format!("{{{}}} from {}", variable.name, values.join(", ")));
    }
    if !provider.base_url_env.is_empty() {
        words.push(format!("base URL from `{}`", provider.base_url_env.join("`, `")));
    }
    words.join("; ")
}

fn own_auth(endpoint: &Endpoint) -> String {
    endpoint.auth.as_ref().map(auth).unwrap_or_default()
}

fn auth(auth: &Auth) -> String {
    match auth {
        Auth::Bearer => "bearer".to_owned(),
        Auth::Header(name) => format!("header `{name}`"),
        Auth::None => "none".to_owned(),
        Auth::NoneOrBearer => "none, or bearer".to_owned(),
        Auth::Google => "Google credentials".to_owned(),
        Auth::Oracle => "credentials of Oracle Cloud".to_owned(),
        Auth::Sigv4(service) => format!("AWS credentials (`{service}`)"),
        Auth::Exchange(_) => "key exchanged for a token".to_owned(),
        Auth::Unsupported(what) => format!("**not supported yet**: {what}"),
    }
}

fn families(text: &mut String) {
    text.push_str("## What some models change\n\n");
    text.push_str("Where two lines of one provider meet in a model, the later one counts.\n\n");
    let mut found: Vec<(&Family, Vec<&str>)> = Vec::new();
    for provider in super::all() {
        for family in &provider.families {
            match found.iter_mut().find(|(known, _)| *known == family) {
                Some((_, ids)) => ids.push(&provider.id),
                None => found.push((family, vec![&provider.id])),
            }
        }
    }
    text.push_str("| models | changes | at |\n|---|---|---|\n");
    for (family, ids) in found {
        let (models, ids) = (family.models.join("` `"), ids.join("` `"));
        let _ = writeln!(text, "| `{models}` | {} | `{ids}` |", changes(family));
    }
}

fn changes(family: &Family) -> String {
    let asked = family.protocol.map(|protocol| format!("asked in `{protocol}`"));
    let patches = alike(family);
    let patches =
        patches.into_iter().map(|(protocols, patch)| format!("{}: {}", protocols.join(", "), fields(patch)));
    asked.into_iter().chain(patches).collect::<Vec<_>>().join("; ")
}

/// The patches, each with all the protocols that it is the same for.
fn alike(family: &Family) -> Vec<(Vec<String>, &Patch)> {
    let mut found: Vec<(Vec<String>, &Patch)> = Vec::new();
    for (protocol, patch) in &family.dialect {
        let name = format!("`{protocol}`");
        match found.iter_mut().find(|(_, known)| *known == patch) {
            Some((names, _)) => names.push(name),
            None => found.push((vec![name], patch)),
        }
    }
    found
}

fn fields(patch: &Patch) -> String {
    let fields = patch.iter().map(|(name, value)| format!("`{name}` = `{value}`"));
    fields.collect::<Vec<_>>().join(", ")
}
