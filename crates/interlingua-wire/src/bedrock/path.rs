use crate::Mode;

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// The path of a call. A model may be an ARN, whose colons and slashes must not be those of the path.
pub(super) fn of(model: &str, mode: Mode) -> String {
    let operation = match mode {
        Mode::Stream => "converse-stream",
        Mode::Whole => "converse",
    };
    format!("/model/{}/{operation}", encoded(model))
}

/// What a path asks of which model.
pub(super) fn read(path: &str) -> Option<(String, Mode)> {
    let path = path.split('?').next().unwrap_or(path);
    let (rest, operation) = path.rsplit_once('/')?;
    let mode = match operation {
        "converse-stream" => Mode::Stream,
        "converse" => Mode::Whole,
        _ => return None,
    };
    let (_, model) = rest.split_once("/model/")?;
    Some((decoded(model)?, mode)).filter(|(model, _)| !model.is_empty())
}

/// Everything but what never needs to be encoded, encoded.
pub(crate) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
            continue;
        }
        out.push('%');
        for digit in [byte >> 4, byte & 15] {
            out.extend(HEX.get(usize::from(digit)).map(|digit| char::from(*digit)));
        }
    }
    out
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        let Some((digits, after)) = tail.split_first_chunk::<2>().filter(|_| *byte == b'%') else {
            bytes.push(*byte);
            continue;
        };
        let [high, low] = digits.map(|digit| char::from(digit).to_digit(16));
        bytes.push(u8::try_from(high? * 16 + low?).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}
