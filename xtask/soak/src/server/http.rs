//! As much of HTTP/1.1 as the server reads.

use http::{HeaderName, HeaderValue};
use interlingua::wire::Call;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

/// What has come on a connection and was not read yet.
#[derive(Debug, Default)]
pub(super) struct Incoming(Vec<u8>);

impl Incoming {
    /// The next request; `None` when the client has closed the connection.
    pub(super) async fn receive(&mut self, stream: &mut TcpStream) -> std::io::Result<Option<Call>> {
        let end = loop {
            if let Some(end) = self.0.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            if stream.read_buf(&mut self.0).await? == 0 {
                return Ok(None);
            }
        };
        let head: Vec<u8> = self.0.drain(..end).collect();
        let (mut call, length) = read_head(&String::from_utf8_lossy(&head));
        while self.0.len() < length {
            if stream.read_buf(&mut self.0).await? == 0 {
                return Ok(None);
            }
        }
        let rest = self.0.split_off(length);
        call.body = std::mem::replace(&mut self.0, rest).into();
        Ok(Some(call))
    }
}

fn read_head(head: &str) -> (Call, usize) {
    let mut lines = head.lines();
    let path = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
    let mut call = Call::post(path, Vec::new());
    let mut length = 0;
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap_or(0);
        }
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value.trim())) {
            call.headers.insert(name, value);
        }
    }
    (call, length)
}

/// The head of an answer that comes in chunks.
pub(super) fn chunked(kind: &str, number: u64) -> Vec<u8> {
    let rest = "transfer-encoding: chunked";
    format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\nx-attempt: {number}\r\n{rest}\r\n\r\n").into_bytes()
}

/// The head of an answer of a known length.
pub(super) fn sized(status: u16, kind: &str, number: u64, length: usize, more: &str) -> Vec<u8> {
    let rest = format!("content-length: {length}\r\n{more}");
    format!("HTTP/1.1 {status} Answer\r\ncontent-type: {kind}\r\nx-attempt: {number}\r\n{rest}\r\n")
        .into_bytes()
}

/// One chunk of a body.
pub(super) fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

/// The end of a body in chunks.
pub(super) const LAST: &[u8] = b"0\r\n\r\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_says_where_and_how_much() {
        let (call, length) = read_head("POST /v1/x HTTP/1.1\r\nContent-Length: 12\r\nx-y: z\r\n\r\n");
        assert_eq!((&*call.path, length), ("/v1/x", 12));
        assert_eq!(call.headers.get("x-y").map(HeaderValue::as_bytes), Some(&b"z"[..]));
    }
}
