//! A server of a few lines of JSON, for what no honest server says.

use std::sync::{Arc, Mutex};

use interlingua_mcp::McpServer;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, ReadHalf, WriteHalf};
use tokio::sync::mpsc;

/// What was received, and a way to say something unasked.
#[derive(Clone, Default)]
pub(crate) struct Script {
    pub(crate) received: Arc<Mutex<Vec<Value>>>,
    tell: Arc<Mutex<Option<mpsc::UnboundedSender<Value>>>>,
    dials: Arc<Mutex<usize>>,
}

type Pipe = (ReadHalf<DuplexStream>, WriteHalf<DuplexStream>);

impl Script {
    /// A server of the era of sessions: `answer` gets a method and its parameters, and gives results by `Ok`, errors by
    /// `Err`; without either there is no answer.
    pub(crate) fn server<F>(&self, name: &str, answer: F) -> McpServer
    where
        F: Fn(&str, &Value) -> Option<Result<Value, Value>> + Send + Sync + 'static,
    {
        let (script, answer) = (self.clone(), Arc::new(answer));
        McpServer::pipe(name, move || std::future::ready(Ok(script.dial(answer.clone()))))
    }

    fn dial<F>(&self, answer: Arc<F>) -> Pipe
    where
        F: Fn(&str, &Value) -> Option<Result<Value, Value>> + Send + Sync + 'static,
    {
        let (near, far) = tokio::io::duplex(1 << 16);
        let (sender, told) = mpsc::unbounded_channel();
        *self.tell.lock().unwrap() = Some(sender);
        *self.dials.lock().unwrap() += 1;
        tokio::spawn(serve(far, self.received.clone(), answer, told));
        tokio::io::split(near)
    }

    /// Says something unasked.
    pub(crate) fn tell(&self, message: Value) {
        self.tell.lock().unwrap().as_ref().unwrap().send(message).unwrap();
    }

    /// Ends the connection.
    pub(crate) fn hang_up(&self) {
        *self.tell.lock().unwrap() = None;
    }

    pub(crate) fn dials(&self) -> usize {
        *self.dials.lock().unwrap()
    }

    /// What was received of a method, in order.
    pub(crate) fn heard(&self, method: &str) -> Vec<Value> {
        let received = self.received.lock().unwrap();
        received.iter().filter(|message| message["method"] == method).cloned().collect()
    }

    /// Waits for the answer to a question of the server.
    pub(crate) async fn answer(&self, id: &str) -> Value {
        loop {
            let answer = self.received.lock().unwrap().iter().find(|message| message["id"] == id).cloned();
            if let Some(answer) = answer {
                return answer;
            }
            // The clock stands still for those who only yield.
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }

    /// Waits until a method was received.
    pub(crate) async fn wait_for(&self, method: &str) -> Value {
        loop {
            if let Some(message) = self.heard(method).pop() {
                return message;
            }
            tokio::task::yield_now().await;
        }
    }
}

async fn serve<F>(
    pipe: DuplexStream,
    received: Arc<Mutex<Vec<Value>>>,
    answer: Arc<F>,
    mut told: mpsc::UnboundedReceiver<Value>,
) where
    F: Fn(&str, &Value) -> Option<Result<Value, Value>>,
{
    let (input, mut output) = tokio::io::split(pipe);
    let mut lines = BufReader::new(input).lines();
    loop {
        let message = tokio::select! {
            biased;
            message = told.recv() => match message {
                Some(message) => message,
                None => return,
            },
            line = lines.next_line() => {
                let Ok(Some(line)) = line else { return };
                let request: Value = serde_json::from_str(&line).unwrap();
                received.lock().unwrap().push(request.clone());
                match reply(&request, &*answer) {
                    Some(message) => message,
                    None => continue,
                }
            }
        };
        if output.write_all(format!("{message}\n").as_bytes()).await.is_err() {
            return;
        }
    }
}

fn reply(request: &Value, answer: &impl Fn(&str, &Value) -> Option<Result<Value, Value>>) -> Option<Value> {
    let (id, method) = (request.get("id")?, request["method"].as_str()?);
    let answered = answer(method, &request["params"]).or_else(|| match method {
        "server/discover" => Some(Err(json!({"code": -32601, "message": "unknown"}))),
        "initialize" => Some(Ok(json!({
            "protocolVersion": "2025-11-25",
            "capabilities": {"tools": {"listChanged": true}},
            "serverInfo": {"name": "script", "version": "1"},
        }))),
        _ => None,
    })?;
    Some(match answered {
        Ok(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
        Err(error) => json!({"jsonrpc": "2.0", "id": id, "error": error}),
    })
}

/// What a server of 2026-07-28 says of itself.
pub(crate) fn modern() -> Value {
    json!({
        "resultType": "complete", "ttlMs": 0, "cacheScope": "private", "supportedVersions": ["2026-07-28"],
        "capabilities": {"tools": {"listChanged": true}, "resources": {}, "prompts": {}},
        "serverInfo": {"name": "script", "version": "1"},
    })
}

/// A list of tools without parameters.
pub(crate) fn tools(names: &[&str]) -> Value {
    let tool = |name: &&str| json!({"name": name, "inputSchema": {"type": "object"}});
    json!({"tools": names.iter().map(tool).collect::<Vec<_>>()})
}
