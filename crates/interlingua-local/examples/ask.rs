//! Asks the default model, which is fetched first where it is not here:
//! `cargo run --release -p interlingua-local --example ask -- "Why is the sky blue?"`
#![expect(clippy::print_stderr, reason = "an example talks to its user")]

use std::io::Write as _;
use std::time::Instant;

use interlingua_local::{LocalModel, Store};
use interlingua_model::{Delta, Error, Event, Request};

fn main() -> Result<(), Error> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let mut out = std::io::stdout();
    let path = Store::open()?.pull_default(&|_, _| {})?;
    let begun = Instant::now();
    let model = LocalModel::open(path)?;
    let mut answer = model.stream(&Request::new("local").user(words.join(" ")).max_output(200))?;
    let mut first = None;
    while let Some(event) = answer.blocking_next() {
        match event? {
            Event::Delta { delta: Delta::Text(text), .. } => {
                first.get_or_insert_with(|| begun.elapsed());
                let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
            }
            Event::Usage(usage) => eprintln!("\n{usage:?}"),
            _ => {}
        }
    }
    eprintln!("first text after {first:?}, whole answer after {:?}", begun.elapsed());
    Ok(())
}
