//! Answers that are one of few.

use interlingua_model::Request;
use serde_json::{Value, json};

use super::error::{ExtractError, Stopped};
use super::wanted::Wanted;
use super::{ExtractOptions, Extracted, extract, place, wrong};
use crate::Client;

impl Client {
    /// Asks which of some labels holds. For an enum, ask for it with [`extract`](Self::extract).
    ///
    /// ```no_run
    /// # use interlingua::{Client, Request};
    /// # async fn example(client: Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let request = Request::new("openai/gpt-6-luna").user("The mood of: “Never again!”");
    /// let mood: String = client.classify(&request, ["glad", "neutral", "angry"]).await?.value;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`extract`](Self::extract), and when there are no labels.
    pub async fn classify<L: Into<String>>(
        &self,
        request: &Request,
        labels: impl IntoIterator<Item = L>,
    ) -> Result<Extracted<String>, ExtractError> {
        let labels: Vec<String> = labels.into_iter().map(Into::into).collect();
        if labels.is_empty() {
            return Err(
                Stopped::schema(wrong("there are no labels to choose from: give at least one")).into()
            );
        }
        let schema = json!({"type": "string", "enum": labels, "description": "the label that fits best"});
        choose(self, request, schema, "label").await
    }

    /// Asks whether something is so.
    ///
    /// ```no_run
    /// # use interlingua::{Client, Request};
    /// # async fn example(client: Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let request = Request::new("openai/gpt-6-luna").user("Is this an invoice? “RE-17: 3 chairs, 299.70 €”");
    /// if client.yes_no(&request).await?.value {
    ///     println!("It is.");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`extract`](Self::extract).
    pub async fn yes_no(&self, request: &Request) -> Result<Extracted<bool>, ExtractError> {
        let schema = json!({"type": "boolean", "description": "true for yes, false for no"});
        choose(self, request, schema, "yes").await
    }
}

async fn choose<T: serde::de::DeserializeOwned>(
    client: &Client,
    request: &Request,
    schema: Value,
    name: &str,
) -> Result<Extracted<T>, ExtractError> {
    let options = ExtractOptions::default();
    let wanted = Wanted::new(schema, name, &options)?;
    extract(client, request, &wanted, &options, place::read).await
}
