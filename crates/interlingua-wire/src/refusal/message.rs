use http::StatusCode;

/// Characters of a message that are kept.
const LONGEST: usize = 2_000;

/// Characters of a body that is no envelope that are quoted.
const QUOTED: usize = 300;

/// The line that says why a call was refused.
pub(super) fn of_refusal(message: Option<&str>, status: u16, body: &str) -> String {
    let given = message.map(str::trim).filter(|message| !message.is_empty());
    if let Some(page) = [given.unwrap_or_default(), body].into_iter().find(|text| is_page(text)) {
        let words = page_words(page);
        return if words.is_empty() { nothing(status) } else { format!("the answer is a web page: {words}") };
    }
    match given {
        Some(message) => one_line(message, LONGEST),
        None if body.trim().is_empty() => nothing(status),
        None => one_line(body, QUOTED),
    }
}

/// The line that says what went wrong in the middle of an answer.
pub(super) fn of_report(message: Option<&str>) -> String {
    let line = one_line(message.unwrap_or_default(), LONGEST);
    if line.is_empty() { "the provider reported an error in the answer".to_owned() } else { line }
}

/// Text in one line of at most so many characters: control characters and runs of white space become one space.
pub(super) fn one_line(text: &str, most: usize) -> String {
    let mut line = String::new();
    let mut count = 0;
    for word in text.split(|c: char| c.is_control() || c.is_whitespace()).filter(|word| !word.is_empty()) {
        if count > 0 {
            line.push(' ');
            count += 1;
        }
        for c in word.chars() {
            if count >= most {
                line.push('…');
                return line;
            }
            line.push(c);
            count += 1;
        }
    }
    line
}

fn nothing(status: u16) -> String {
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    format!(
        "the provider answered {} and gave no reason",
        reason.map_or_else(|| status.to_string(), str::to_ascii_lowercase)
    )
}

fn is_page(text: &str) -> bool {
    let start = text.trim_start_matches(['\u{FEFF}', ' ', '\t', '\r', '\n']);
    start.starts_with('<')
}

/// The title of a web page, or its first heading, or its first words.
fn page_words(page: &str) -> String {
    let titled = ["title", "h1", "message"].iter().find_map(|tag| {
        let words = one_line(&plain(element(page, tag)?), QUOTED);
        Some(words).filter(|words| !words.is_empty())
    });
    titled.unwrap_or_else(|| one_line(&plain(page), QUOTED))
}

fn element<'p>(page: &'p str, tag: &str) -> Option<&'p str> {
    let lower = page.to_ascii_lowercase();
    let open = lower.find(&format!("<{tag}"))?;
    let start = open + lower.get(open..)?.find('>')? + 1;
    let end = start + lower.get(start..)?.find("</")?;
    page.get(start..end)
}

/// The text between tags, with the commonest entities resolved.
fn plain(markup: &str) -> String {
    let mut text = String::new();
    for piece in markup.split('<').enumerate() {
        match piece {
            (0, words) => text.push_str(words),
            (_, tagged) => text.push_str(tagged.split_once('>').map_or("", |(_, words)| words)),
        }
        text.push(' ');
    }
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}
