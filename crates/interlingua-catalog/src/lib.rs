//! What thousands of language models can do, hold and cost.
//!
//! [`Catalog`] is text that is read by the line when somebody asks; [`Prices::cost`] says in exact arithmetic what a
//! request cost, or that it cannot be known. Nothing here does I/O.
//!
//! ```
//! use interlingua_catalog::{Catalog, Trait};
//!
//! let model = Catalog::built_in().find("openai", "gpt-6-sol").expect("a known model");
//! assert_eq!(model.context, Some(922_000));
//! assert_eq!(model.can(Trait::Tools), Some(true));
//! ```
//!
//! The data come from the catalogue in the Python package `LiteLLM` (MIT licence, see [`Catalog::source`]), made into our own form by
//! `cargo xtask models`.

mod catalog;
mod day;
mod litellm;
mod model;
mod money;
mod prices;
mod text;

pub use catalog::Catalog;
pub use day::day;
pub use litellm::{Converted, convert};
pub use model::{Kind, Model, Trait, Traits};
pub use money::{Money, Price};
pub use prices::{Cost, Prices, Rates, Tier};
