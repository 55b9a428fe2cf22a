//! Sorts documents and takes the figures out of invoices: `cargo run -p interlingua --example invoices anthropic/claude-sonnet-5`.
#![cfg_attr(not(test), expect(clippy::print_stdout, reason = "an example shows what it does"))]

use interlingua::extract::ExtractError;
use interlingua::{Client, Request, schemars::JsonSchema};
use serde::Deserialize;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(try_from = "Printed")]
struct Invoice(Printed);

/// An invoice as it is printed.
#[derive(Debug, Deserialize, JsonSchema)]
struct Printed {
    /// With its prefix.
    number: String,
    items: Vec<Item>,
    /// In cents.
    total: u64,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Item {
    what: String,
    /// Of one, in cents.
    price: u64,
    count: u64,
}

/// What no schema can say. The model is told of it as well.
impl TryFrom<Printed> for Invoice {
    type Error = String;

    fn try_from(printed: Printed) -> Result<Self, String> {
        let sum = printed.items.iter().map(|item| item.price * item.count).sum::<u64>();
        if sum == printed.total {
            return Ok(Self(printed));
        }
        Err(format!("`total` is {}, and the items make {sum}", printed.total))
    }
}

/// What came of all documents.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) lines: Vec<String>,
    /// In cents.
    pub(crate) total: u64,
}

/// Reads documents, one after the other.
///
/// # Errors
/// When a document cannot be read.
pub(crate) async fn run(client: &Client, model: &str, documents: &[&str]) -> Result<Report, ExtractError> {
    let mut report = Report::default();
    for document in documents {
        let request = Request::new(model).system("You read business documents.").user(*document);
        let kind = client.classify(&request, ["invoice", "letter", "other"]).await?.value;
        if kind != "invoice" {
            report.lines.push(format!("no invoice but a {kind}"));
            continue;
        }
        let read = client.extract::<Invoice>(&request).await?;
        let times = read.attempts();
        let Invoice(invoice) = read.value;
        let items: Vec<_> = invoice.items.iter().map(|item| item.what.as_str()).collect();
        let asked = if times > 1 { format!(" (asked {times} times)") } else { String::new() };
        report.lines.push(format!(
            "{}: {} cents for {}{asked}",
            invoice.number,
            invoice.total,
            items.join(", ")
        ));
        report.total += invoice.total;
    }
    Ok(report)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let model = std::env::args().nth(1).ok_or("name a model, such as anthropic/claude-sonnet-5")?;
    let documents = [
        "RE-17\n3 chairs at 99.90 €\nTotal 299.70 €",
        "Dear Ms Doe, thank you for the chairs.",
        "Invoice 2026-9: 2 pens, 0.50 € each. Please pay 1.00 €.",
    ];
    let report = run(&Client::from_env()?, &model, &documents).await?;
    for line in &report.lines {
        println!("{line}");
    }
    println!("{} cents in all", report.total);
    Ok(())
}
