//! Names in paths.

const HEX: &[u8; 16] = b"0123456789ABCDEF";

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

/// The text that was encoded so; `None` when it was not.
pub(crate) fn decoded(text: &str) -> Option<String> {
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
