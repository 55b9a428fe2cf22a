use interlingua::{Client, Delta, Event, Request};
#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::from_env()?;
    for model in ["openai/gpt-4o-mini", "anthropic/claude-haiku-4-5"] {
        let mut events = client.stream(&Request::new(model).user("hi")).await?;
        while let Some(event) = events.next().await {
            if let Event::Delta { delta: Delta::Text(text), .. } = event? {
                print!("{text}");
            }
        }
    }
    Ok(())
}
