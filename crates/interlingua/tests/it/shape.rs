//! What the types promise to those who hold them.

use interlingua::{
    Body, Client, ClientBuilder, Error, Events, HttpTransport, Options, Request, Run, RunError, Runner,
    Running, Secret, Toolbox,
};

fn send_and_sync<T: Send + Sync + 'static>() {}
fn send<T: Send + 'static>() {}

#[test]
fn handles_can_go_anywhere() {
    send_and_sync::<Client>();
    send_and_sync::<ClientBuilder>();
    send_and_sync::<Options>();
    send_and_sync::<Secret>();
    send_and_sync::<Toolbox>();
    send_and_sync::<HttpTransport>();
    send::<Events>();
    send_and_sync::<Runner>();
    send_and_sync::<Run>();
    send::<Running>();
    send::<Body>();
}

#[test]
fn errors_are_a_pointer() {
    assert_eq!(size_of::<Error>(), size_of::<usize>());
    assert_eq!(size_of::<RunError>(), size_of::<usize>());
    assert_eq!(size_of::<Client>(), size_of::<usize>());
}

/// Whoever reads an answer in the task that asked for it holds this to the end. Spans and metrics, which these tests are built
/// with, take most of it.
#[test]
fn the_future_of_a_call_is_small() {
    let client = Client::builder().env(|_| None).build().unwrap();
    let request = Request::new("groq/m").user("hi");
    let size = size_of_val(&client.stream(&request));
    assert!(size <= 600, "{size} bytes");
}
