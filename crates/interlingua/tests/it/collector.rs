//! A collector of OpenTelemetry on loopback, which takes OTLP over HTTP as JSON.

use std::future::Future;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;

use bytes::Bytes;
use http::{Request, Response};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{
    MetricExporter, Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _,
};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use serde_json::Value;
use tracing::Dispatch;
use tracing_subscriber::layer::SubscriberExt as _;

/// What came, in order.
pub(crate) struct Collector {
    address: SocketAddr,
    came: Arc<Mutex<Vec<Value>>>,
}

/// While there is but one listener, `tracing` takes what the current thread says for what all say, and other tests have none.
static LISTENERS: OnceLock<[Dispatch; 2]> = OnceLock::new();

/// Posts over a connection of its own.
#[derive(Debug)]
struct Post;

impl Collector {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let came = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&came);
        thread::spawn(move || {
            for stream in listener.incoming() {
                take(stream.unwrap(), &record);
            }
        });
        Self { address, came }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/v1/{path}", self.address)
    }

    /// Sends the spans of this thread here, as long as the guard lives.
    pub(crate) fn trace(&self) -> tracing::subscriber::DefaultGuard {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Post)
            .with_protocol(Protocol::HttpJson)
            .with_endpoint(self.url("traces"))
            .build()
            .unwrap();
        let provider = SdkTracerProvider::builder().with_simple_exporter(exporter).build();
        LISTENERS.get_or_init(|| [(); 2].map(|()| Dispatch::new(tracing_subscriber::registry())));
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        tracing::subscriber::set_default(tracing_subscriber::registry().with(layer))
    }

    /// Meters that send here when they are flushed.
    pub(crate) fn meters(&self) -> SdkMeterProvider {
        let exporter = MetricExporter::builder()
            .with_http()
            .with_http_client(Post)
            .with_protocol(Protocol::HttpJson)
            .with_endpoint(self.url("metrics"))
            .build()
            .unwrap();
        SdkMeterProvider::builder().with_periodic_exporter(exporter).build()
    }

    /// Everything that came, as text.
    pub(crate) fn text(&self) -> String {
        self.came.lock().unwrap().iter().map(Value::to_string).collect()
    }

    /// The spans that came, in the order of their ends.
    pub(crate) fn spans(&self) -> Vec<Value> {
        self.all("/resourceSpans", "/scopeSpans", "/spans")
    }

    /// The metrics that came.
    pub(crate) fn metrics(&self) -> Vec<Value> {
        self.all("/resourceMetrics", "/scopeMetrics", "/metrics")
    }

    fn all(&self, outer: &str, inner: &str, found: &str) -> Vec<Value> {
        let under = |values: Vec<Value>, path: &str| -> Vec<Value> {
            let lists = values.iter().filter_map(|value| value.pointer(path)?.as_array().cloned());
            lists.flatten().collect()
        };
        let came = self.came.lock().unwrap().clone();
        under(under(under(came, outer), inner), found)
    }
}

/// An attribute of a span, an event or a data point, as text; empty when it is not there.
pub(crate) fn attribute(of: &Value, key: &str) -> String {
    let all = of["attributes"].as_array().cloned().unwrap_or_default();
    let found = all.into_iter().find(|attribute| attribute["key"] == key);
    let value = found.and_then(|found| found["value"].as_object()?.values().next().cloned());
    value
        .map_or_else(String::new, |value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned))
}

/// Takes what is posted, and answers when it is noted.
fn take(stream: TcpStream, record: &Mutex<Vec<Value>>) {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    record.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close";
    write!(reader.into_inner(), "{head}\r\n\r\n{{}}").unwrap();
}

fn post(request: &Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let uri = request.uri();
    let mut stream = TcpStream::connect(uri.authority().unwrap().as_str())?;
    let (path, length) = (uri.path(), request.body().len());
    write!(stream, "POST {path} HTTP/1.1\r\nhost: collector\r\ncontent-length: {length}\r\n\r\n")?;
    stream.write_all(request.body())?;
    stream.read_to_end(&mut Vec::new())?;
    Ok(Response::new(Bytes::from_static(b"{}")))
}

impl HttpClient for Post {
    fn send_bytes<'a, 'b>(
        &'a self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(async move { post(&request) })
    }
}
