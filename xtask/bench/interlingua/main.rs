use harness::*;
use interlingua::{Client, Delta, Event, Request};
#[derive(Clone)]
struct C(Client, Request);
impl Llm for C {
    fn new(base: &str, proto: Proto) -> Result<Self, String> {
        let (provider, model) = match proto { Proto::OpenAI => ("deepseek", "deepseek/gpt-4o-mini"), Proto::Anthropic => ("anthropic", "anthropic/claude-haiku-4-5") };
        let root = if proto == Proto::OpenAI { format!("{base}/v1") } else { base.to_owned() };
        let mut b = Client::builder().env(|_| None).base_url(provider, root).key(provider, "k");
        if std::env::args().any(|a| a == "rb") { b = b.retry(interlingua::RetryPolicy::never()); }
        Ok(C(b.build().map_err(es)?, Request::new(model).user("hi").max_output(100)))
    }
    async fn stream(&self, _: bool, s: &mut Sink) -> Result<(), String> {
        let mut events = self.0.stream(&self.1).await.map_err(es)?;
        while let Some(event) = events.next().await {
            match event.map_err(es)? {
                Event::Delta { delta: Delta::Text(text), .. } => s.text(&text),
                Event::Delta { at, delta: Delta::Input(text) } => s.frag(at.into(), "", &text),
                Event::Finish(finish) => s.finish(format!("{:?}", finish.reason)),
                _ => s.other += 1,
            }
        }
        Ok(())
    }
    async fn chat(&self) -> Result<String, String> { Ok(self.0.send(&self.1).await.map_err(es)?.text()) }
}
fn main() { harness::main::<C>() }
