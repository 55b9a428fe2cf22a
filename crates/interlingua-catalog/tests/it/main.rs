//! The built-in catalogue and the arithmetic of costs.

mod built_in;
mod costs;
