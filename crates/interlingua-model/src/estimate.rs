use crate::{
    Content, Custom, Format, Input, Media, MediaKind, Message, Output, Request, Source, Tool, ToolResult,
};

/// Quarters of a token for a character, by the length of its UTF-8 form: Latin letters, other alphabets, the characters
/// of East Asia, pictures.
const QUARTERS: [u64; 5] = [0, 1, 2, 4, 8];
/// Tokens around a message, a tool, a part.
const FRAME: u64 = 4;
/// Tokens of an image, about as many as any provider takes for one that it has made smaller.
const IMAGE: u64 = 1600;
/// Bytes of a compressed sound for a token: 32 tokens a second, at 64 kbit/s.
const SOUND: u64 = 250;
/// Bytes of a PDF file for a token: 2,000 tokens a page, of about 50 KB.
const PAGES: u64 = 25;

impl Request {
    /// About how many tokens the prompt has: an estimate, from nothing but the lengths of its texts.
    ///
    /// Every model counts otherwise. For prose and code the estimate is within a third of what most count; for pictures,
    /// sounds and files it is a guess. Ask the provider when it matters.
    ///
    /// ```
    /// use interlingua_model::Request;
    ///
    /// let request = Request::new("any").user("The quick brown fox jumps over the lazy dog.");
    /// assert_eq!(request.estimate_tokens(), 15);
    /// ```
    pub fn estimate_tokens(&self) -> u64 {
        let messages = self.messages.iter().map(|message| FRAME + of_message(message));
        let tools = self.tools.iter().map(|tool| FRAME + of_tool(tool));
        let format = match &self.format {
            Some(Format::Schema(format)) => text(format.schema.as_str()),
            _ => 0,
        };
        messages.chain(tools).fold(format, u64::saturating_add)
    }
}

fn of_message(message: &Message) -> u64 {
    match message {
        Message::System(system) => system.parts.iter().map(of_input).sum(),
        Message::User(user) => user.parts.iter().map(of_input).sum(),
        Message::Assistant(assistant) => assistant.parts.iter().map(of_output).sum(),
    }
}

fn of_input(part: &Input) -> u64 {
    match part {
        Input::Text(part) => text(&part.text),
        Input::Media(part) => of_media(part),
        Input::ToolResult(part) => of_result(part),
        Input::Custom(part) => of_custom(part),
    }
}

fn of_output(part: &Output) -> u64 {
    match part {
        Output::Text(part) => text(&part.text),
        Output::Reasoning(part) => text(&part.text),
        Output::Media(part) => of_media(part),
        Output::ToolCall(part) => FRAME + text(&part.name) + text(part.input.as_str()),
        Output::ToolResult(part) => of_result(part),
        Output::Custom(part) => of_custom(part),
    }
}

fn of_result(result: &ToolResult) -> u64 {
    let content = result.content.iter().map(|part| match part {
        Content::Text(part) => text(&part.text),
        Content::Media(part) => of_media(part),
        Content::Custom(part) => of_custom(part),
    });
    FRAME + content.sum::<u64>()
}

fn of_custom(part: &Custom) -> u64 {
    text(part.value.as_str())
}

fn of_media(media: &Media) -> u64 {
    let length = match &media.source {
        Source::Bytes(data) => data.as_bytes().len() as u64,
        Source::Url(_) | Source::File(_) => return IMAGE,
    };
    match media.kind() {
        MediaKind::Image => IMAGE,
        MediaKind::Audio | MediaKind::Video => length / SOUND,
        _ if media.mime == "application/pdf" => length / PAGES,
        _ => length / 4,
    }
}

fn of_tool(tool: &Tool) -> u64 {
    let described = |text_of: Option<&String>| text_of.map_or(0, |described| text(described));
    match tool {
        Tool::Function(tool) => {
            text(&tool.name) + described(tool.description.as_ref()) + text(tool.input.as_str())
        }
        Tool::Custom(tool) => text(&tool.name) + described(tool.description.as_ref()),
        // What the provider writes for a tool of its own is not known.
        Tool::Provider(_) => FRAME,
    }
}

fn text(text: &str) -> u64 {
    let quarters: u64 =
        text.chars().map(|letter| QUARTERS.get(letter.len_utf8()).copied().unwrap_or(8)).sum();
    quarters.div_ceil(4)
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn scripts_differ() {
        assert_eq!(text(""), 0);
        assert_eq!(text("a"), 1);
        assert_eq!(text("eight ch"), 2);
        assert_eq!(text("привет"), 3);
        assert_eq!(text("你好"), 2);
        assert_eq!(text("🎉"), 2);
    }
}
