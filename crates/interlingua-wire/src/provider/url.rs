/// The URL of a path below a base URL. A query of the base URL goes behind the path.
///
/// ```
/// use interlingua_wire::join;
///
/// assert_eq!(join("https://a.example/v1/", "/models"), "https://a.example/v1/models");
/// assert_eq!(join("https://a.example/v1?edition=2", "/x?beta=1"), "https://a.example/v1/x?edition=2&beta=1");
/// ```
pub fn join(base: &str, path: &str) -> String {
    if !base.contains('?') && !path.contains('?') {
        return [base.trim_end_matches('/'), "/", path.trim_start_matches('/')].concat();
    }
    let (base, query) = base.split_once('?').unwrap_or((base, ""));
    let (path, own_query) = path.split_once('?').unwrap_or((path, ""));
    let queries =
        [query, own_query].into_iter().filter(|query| !query.is_empty()).collect::<Vec<_>>().join("&");
    let mark = if queries.is_empty() { "" } else { "?" };
    format!("{}/{}{mark}{queries}", base.trim_end_matches('/'), path.trim_start_matches('/'))
}

/// A root that may lack its scheme, and then its port as well, which it takes from the row's own root.
pub(super) fn completed(root: &str, own: &str) -> String {
    if root.contains("://") {
        return root.to_owned();
    }
    let scheme = own.split_once("://").map_or("https", |(scheme, _)| scheme);
    let own: Option<http::Uri> = own.parse().ok();
    let port = own.and_then(|uri| uri.port_u16()).filter(|_| !root.contains([':', '/']));
    port.map_or_else(|| format!("{scheme}://{root}"), |port| format!("{scheme}://{root}:{port}"))
}

/// The same URL below another root.
pub(super) fn rebase(url: &str, own: &str, other: &str) -> String {
    if let Some(suffix) = url.strip_prefix(own) {
        let suffix = suffix.trim_end_matches('/');
        // What the other root has of the path already is not said twice.
        let ends = suffix.match_indices('/').map(|(at, _)| at).chain([suffix.len()]);
        let said = ends.rev().find(|end| other.ends_with(suffix.get(..*end).unwrap_or_default()));
        return format!("{other}{}", said.and_then(|end| suffix.get(end..)).unwrap_or(suffix));
    }
    let above = own.strip_prefix(url).and_then(|tail| other.strip_suffix(tail));
    above.unwrap_or(other).to_owned()
}

/// The words in braces, in order.
pub(super) fn placeholders(template: &str) -> impl Iterator<Item = &str> {
    let mut rest = template;
    std::iter::from_fn(move || {
        let (_, name, after) = split_placeholder(rest)?;
        rest = after;
        Some(name)
    })
}

/// What stands before the next placeholder, its word, and what stands behind it.
pub(super) fn split_placeholder(template: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = template.split_once('{')?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_root_is_taken_as_people_write_it() {
        let own = "http://localhost:11434";
        assert_eq!(completed("0.0.0.0", own), "http://0.0.0.0:11434");
        assert_eq!(completed("box:1", own), "http://box:1");
        assert_eq!(completed("https://box", own), "https://box");

        let chat = "http://localhost:11434/v1";
        assert_eq!(rebase(chat, own, "http://box:1"), "http://box:1/v1");
        assert_eq!(rebase(chat, own, "http://box:1/v1"), "http://box:1/v1");
        let deep = "http://localhost:11434/v2/inference/{model}";
        assert_eq!(rebase(deep, own, "http://box/v2"), "http://box/v2/inference/{model}");
        assert_eq!(rebase(deep, own, "http://box/inference"), "http://box/inference/v2/inference/{model}");
        assert_eq!(
            rebase("http://localhost:1234", "http://localhost:1234/v1", "http://box/v1"),
            "http://box"
        );
        assert_eq!(rebase("https://else.example/x", own, "http://box"), "http://box");
    }

    #[test]
    fn placeholders_are_found_in_order() {
        assert_eq!(placeholders("https://{a}.x/{b}/{").collect::<Vec<_>>(), ["a", "b"]);
    }
}
