//! The address on this machine to which a browser comes back.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// Where the browser comes back to.
const PATH: &str = "/callback";
/// The longest head of a request, in bytes.
const HEAD: usize = 16 << 10;
/// How long one visitor may take.
const VISIT: Duration = Duration::from_secs(10);
const DONE: &str = "You may close this page and go back to the program.\n";

pub(super) struct Loopback {
    listener: TcpListener,
    pub(super) address: String,
}

impl Loopback {
    pub(super) async fn open() -> Result<Self, String> {
        let failed = |error| format!("no port on 127.0.0.1 can be opened: {error}");
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        Ok(Self { listener, address: format!("http://127.0.0.1:{port}{PATH}") })
    }

    /// Waits for the browser, and gives the address that it asked for. Other requests, such as that for an icon, are
    /// turned away.
    pub(super) async fn wait(self) -> Result<String, String> {
        loop {
            let accepted = self.listener.accept().await;
            let (mut visitor, _) = accepted.map_err(|error| format!("nobody can come back: {error}"))?;
            let visit = timeout(VISIT, visited(&mut visitor)).await;
            if let Ok(Some(query)) = visit {
                return Ok(format!("{}?{query}", self.address));
            }
        }
    }
}

/// The query of a request for the right page.
async fn visited(visitor: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if visitor.read_buf(&mut head).await.ok()? == 0 || head.len() > HEAD {
            return None;
        }
    }
    let head = String::from_utf8_lossy(&head);
    let target = head.strip_prefix("GET ")?.split(' ').next()?;
    let query = target.strip_prefix(PATH).and_then(|rest| rest.strip_prefix('?'));
    let (status, page) = if query.is_some() { ("200 OK", DONE) } else { ("404 Not Found", "") };
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/plain; charset=utf-8\r\ncache-control: no-store\r\n\
         referrer-policy: no-referrer\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{page}",
        page.len()
    );
    let _ = visitor.write_all(answer.as_bytes()).await;
    let _ = visitor.shutdown().await;
    query.map(str::to_owned)
}
