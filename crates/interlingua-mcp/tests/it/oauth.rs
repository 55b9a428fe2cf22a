//! Logins, against a server and an authorization server in the process and a browser that is a socket.

use std::collections::VecDeque;
use std::io::{Read as _, Write as _};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use interlingua::{Body, BoxFuture, Error, Timeouts, ToolCall, Toolbox, Transport};
use interlingua_mcp::{FileStore, McpLogin, McpServer};
use serde_json::{Value, json};

const MCP: &str = "https://mcp.test/v1/mcp";
const ISSUER: &str = "https://login.test/tenant";

/// Both servers.
#[derive(Debug)]
struct Fake {
    metadata: Value,
    resource: &'static str,
    seen: Mutex<Vec<(String, String, HeaderMap)>>,
    /// The token that is taken, and its scopes.
    good: Mutex<(u32, String)>,
    /// Refuse refreshes.
    strict: bool,
}

impl Fake {
    fn new() -> Self {
        let metadata = json!({"issuer": ISSUER, "authorization_endpoint": "https://login.test/authorize",
            "token_endpoint": "https://login.test/token", "registration_endpoint": "https://login.test/register",
            "code_challenge_methods_supported": ["S256"]});
        let good = Mutex::new((0, String::new()));
        Self { metadata, resource: MCP, seen: Mutex::default(), good, strict: false }
    }

    fn with(name: &str, value: &str) -> Self {
        let mut fake = Self::new();
        fake.metadata[name] = value.into();
        fake
    }

    fn paths(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        seen.iter().map(|(url, ..)| url.clone()).filter(|url| url != MCP).collect()
    }

    /// The bodies that were sent to an address.
    fn sent(&self, address: &str) -> VecDeque<String> {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|(url, ..)| url == address).map(|(_, body, _)| body.clone()).collect()
    }

    fn answer(&self, url: &str, body: &str, headers: &HeaderMap) -> Response<Body> {
        match url {
            MCP => self.mcp(body, headers),
            "https://mcp.test/meta" | "https://mcp.test/.well-known/oauth-protected-resource/v1/mcp" => {
                reply(200, &json!({"resource": self.resource, "authorization_servers": [ISSUER]}))
            }
            "https://login.test/tenant/.well-known/openid-configuration" => reply(200, &self.metadata),
            "https://login.test/register" => reply(201, &json!({"client_id": "c1"})),
            "https://login.test/token" => self.token(body),
            _ => reply(404, &json!({})),
        }
    }

    fn token(&self, body: &str) -> Response<Body> {
        if self.strict && body.contains("grant_type=refresh_token") {
            return reply(400, &json!({"error": "invalid_grant", "error_description": "r-ecret"}));
        }
        let mut good = self.good.lock().unwrap();
        good.0 += 1;
        good.1 = body.split('&').find_map(|pair| pair.strip_prefix("scope=")).unwrap_or(&good.1).to_owned();
        let number = good.0;
        reply(
            200,
            &json!({"access_token": format!("s-ecret{number}"), "token_type": "bearer",
            "refresh_token": format!("r-ecret{number}")}),
        )
    }

    fn mcp(&self, body: &str, headers: &HeaderMap) -> Response<Body> {
        let good = self.good.lock().unwrap().clone();
        let token = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
        if good.0 == 0 || token != Some(format!("Bearer s-ecret{}", good.0)) {
            return challenged(401, "Bearer resource_metadata=\"https://mcp.test/meta\", scope=\"read\"");
        }
        let message: Value = serde_json::from_str(body).unwrap_or_default();
        let result = match message["method"].as_str().unwrap_or_default() {
            "server/discover" => json!({"supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}},
                "serverInfo": {"name": "x", "version": "1"}, "resultType": "complete", "ttlMs": 0, "cacheScope": "private"}),
            "tools/list" => json!({"resultType": "complete", "ttlMs": 0, "cacheScope": "private",
                "tools": [{"name": "t", "inputSchema": {"type": "object"}}]}),
            _ if !self.asked_for_write() => {
                return challenged(403, "Bearer error=\"insufficient_scope\", scope=\"write\"");
            }
            _ => json!({"resultType": "complete", "content": [{"type": "text", "text": "done"}]}),
        };
        reply(200, &json!({"jsonrpc": "2.0", "id": message["id"], "result": result}))
    }

    /// The codes of these tests tell the scopes for which they were given out.
    fn asked_for_write(&self) -> bool {
        self.sent("https://login.test/token").back().is_some_and(|body| body.contains("write"))
    }
}

impl Transport for Fake {
    fn send(&self, request: Request<Bytes>, _: Timeouts) -> BoxFuture<'_, Result<Response<Body>, Error>> {
        let (head, body) = request.into_parts();
        let (url, body) = (head.uri.to_string(), String::from_utf8(body.to_vec()).unwrap());
        self.seen.lock().unwrap().push((url.clone(), body.clone(), head.headers.clone()));
        let response = self.answer(&url, &body, &head.headers);
        Box::pin(async move { Ok(response) })
    }
}

fn reply(status: u16, body: &Value) -> Response<Body> {
    let response = Response::builder().status(status).header("content-type", "application/json");
    response.body(Body::from(body.to_string())).unwrap()
}

fn challenged(status: u16, challenge: &str) -> Response<Body> {
    let response = Response::builder().status(status).header("www-authenticate", challenge);
    response.body(Body::from(String::new())).unwrap()
}

fn parameter(page: &str, name: &str) -> String {
    let value = page.split(['?', '&']).find_map(|pair| pair.strip_prefix(&format!("{name}=")));
    value.unwrap_or_default().replace("%3A", ":").replace("%2F", "/")
}

/// Comes back with a code that names the scopes.
fn back(page: &str) -> String {
    let scope = parameter(page, "scope").replace("%20", "-");
    format!("https://app.test/back?code=code-{scope}&state={}", parameter(page, "state"))
}

/// A login of a browser that comes back as `come` says, counting the pages.
fn browser(pages: &Arc<Mutex<Vec<String>>>, come: fn(&str) -> String) -> McpLogin {
    let pages = Arc::clone(pages);
    McpLogin::redirect("https://app.test/back", move |page| {
        let address = come(&page);
        pages.lock().unwrap().push(page);
        std::future::ready(Ok(address))
    })
}

fn server(fake: &Arc<Fake>, login: McpLogin) -> McpServer {
    McpServer::http("web", MCP).transport(fake.clone()).login(login)
}

async fn failure(fake: Fake, come: fn(&str) -> String) -> String {
    let (fake, pages) = (Arc::new(fake), Arc::default());
    let error = server(&fake, browser(&pages, come)).connect().await.unwrap_err().to_string();
    assert!(!error.contains("ecret"), "{error}");
    assert!(pages.lock().unwrap().len() <= 1, "{pages:?}");
    let told = error.strip_prefix("the MCP server `web` is not connected: ").unwrap();
    told.to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_person_logs_in_once_and_again_for_more() {
    let (fake, pages) = (Arc::new(Fake::new()), Arc::default());
    let client = server(&fake, browser(&pages, back)).connect().await.unwrap();
    assert_eq!(
        fake.paths(),
        [
            "https://mcp.test/meta",
            "https://login.test/.well-known/oauth-authorization-server/tenant",
            "https://login.test/.well-known/openid-configuration/tenant",
            "https://login.test/tenant/.well-known/openid-configuration",
            "https://login.test/register",
            "https://login.test/token",
        ]
    );
    let page = pages.lock().unwrap()[0].clone();
    assert!(page.starts_with("https://login.test/authorize?response_type=code&client_id=c1&"), "{page}");
    for (name, value) in [("resource", MCP), ("code_challenge_method", "S256"), ("scope", "read")] {
        assert_eq!(parameter(&page, name), value);
    }
    let body = fake.sent("https://login.test/token").pop_front().unwrap();
    for (name, value) in [("grant_type", "authorization_code"), ("code", "code-read"), ("resource", MCP)] {
        assert_eq!(parameter(&body, name), value);
    }
    assert_eq!(parameter(&body, "code_verifier").len(), 43);
    let toolbox = Toolbox::new();
    client.tools_into(&toolbox).await.unwrap();
    let call = || ToolCall::new("1", "web__t", interlingua::Json::from_text("{}"));
    assert_eq!(toolbox.call(&call()).await.text(), "done");
    assert_eq!(toolbox.call(&call()).await.text(), "done");
    assert_eq!(pages.lock().unwrap().len(), 2);
    assert_eq!(parameter(&pages.lock().unwrap()[1], "scope"), "read%20write");
}

#[tokio::test(start_paused = true)]
async fn tokens_are_kept_and_renewed() {
    let folder = tempfile::tempdir().unwrap();
    for (strict, logins) in [(false, 0), (true, 1)] {
        let path = folder.path().join(strict.to_string());
        let (fake, pages) = (Arc::new(Fake { strict, ..Fake::new() }), Arc::default());
        let login = || browser(&pages, back).store(FileStore::new(&path));
        server(&fake, login()).connect().await.unwrap();
        server(&fake, login()).connect().await.unwrap();
        assert_eq!(pages.lock().unwrap().len(), 1);
        fake.good.lock().unwrap().0 = 7;
        server(&fake, login()).connect().await.unwrap();
        assert_eq!(pages.lock().unwrap().len(), 1 + logins);
        let renewal = &fake.sent("https://login.test/token")[1];
        for (name, value) in
            [("grant_type", "refresh_token"), ("refresh_token", "r-ecret1"), ("client_id", "c1")]
        {
            assert_eq!(parameter(renewal, name), value);
        }
        let files: Vec<_> = std::fs::read_dir(&path).unwrap().map(|file| file.unwrap().path()).collect();
        assert_eq!(files.len(), 1);
        assert!(std::fs::read_to_string(&files[0]).unwrap().contains("r-ecret8"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(files[0].metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_program_logs_in_with_its_secret() {
    let fake = Arc::new(Fake::new());
    let login = McpLogin::machine("me", "s-ecret");
    let shown = format!("{login:?} {:?}", server(&fake, login.clone()));
    assert!(!shown.contains("ecret"), "{shown}");
    server(&fake, login).connect().await.unwrap();
    let seen = fake.seen.lock().unwrap();
    let (_, body, headers) = seen.iter().find(|(url, ..)| url.ends_with("/token")).unwrap();
    assert_eq!(headers["authorization"], "Basic bWU6cy1lY3JldA==");
    assert_eq!(body, "grant_type=client_credentials&scope=read&resource=https%3A%2F%2Fmcp.test%2Fv1%2Fmcp");
}

#[tokio::test(start_paused = true)]
async fn what_does_not_belong_together_is_refused() {
    let good = Fake::new;
    let told = failure(good(), |_| "https://app.test/back?code=c&state=other".into()).await;
    assert_eq!(told, "the browser came back from another login (`state` differs): log in again");
    let told = failure(good(), |page| back(page) + "&iss=https%3A%2F%2Fevil.test").await;
    assert_eq!(told, "the browser came back from another issuer (`iss` differs): log in again");
    let told = failure(good(), |page| back(page).replace("code=code-read", "error=access_denied")).await;
    assert_eq!(told, "the login was refused: access_denied");
    let told = failure(Fake::with("issuer", "https://evil.test"), back).await;
    assert_eq!(told, "login.test calls itself another issuer than the server says");
    let told = failure(Fake::with("token_endpoint", "http://login.test/token"), back).await;
    assert_eq!(told, "it names an address that is not https: logging in goes over https alone");
    let told = failure(Fake::with("token_endpoint", "http://127.0.0.1:1/token"), back).await;
    assert_eq!(told, "it names an address that is not https: logging in goes over https alone");
    let told = failure(Fake { resource: "https://other.test/v1/mcp", ..good() }, back).await;
    assert_eq!(told, "its metadata are those of another resource, at other.test");
    let mut plain = good();
    plain.metadata["code_challenge_methods_supported"] = json!(["plain"]);
    assert_eq!(failure(plain, back).await, "login.test does not say that it knows PKCE with S256");
}

#[tokio::test]
async fn a_browser_comes_back_to_this_machine() {
    let fake = Arc::new(Fake::new());
    let (sender, shown) = std::sync::mpsc::channel::<String>();
    let browser = std::thread::spawn(move || {
        let page = shown.recv().unwrap();
        let address = parameter(&page, "redirect_uri");
        let host = address.strip_prefix("http://").unwrap().strip_suffix("/callback").unwrap().to_owned();
        let visit = |target: String| {
            let mut socket = std::net::TcpStream::connect(&host).unwrap();
            write!(socket, "GET {target} HTTP/1.1\r\nhost: {host}\r\n\r\n").unwrap();
            let mut page = String::new();
            socket.read_to_string(&mut page).unwrap();
            page
        };
        let icon = visit("/favicon.ico".into());
        (icon, visit(format!("/callback?code=c&state={}", parameter(&page, "state"))))
    });
    let login = McpLogin::loopback(move |page| sender.send(page.to_owned()).unwrap());
    server(&fake, login).connect().await.unwrap();
    let (icon, page) = browser.join().unwrap();
    assert!(icon.starts_with("HTTP/1.1 404 "), "{icon}");
    assert!(page.starts_with("HTTP/1.1 200 OK") && page.contains("You may close this page"), "{page}");
}
