//! Nobody asks for metrics.

use std::time::Duration;

use super::{Asked, Ended};
use crate::RetryNote;
use crate::layer::Notice;

#[derive(Debug, Clone)]
pub(crate) enum Metrics {}

impl Metrics {
    pub(super) const fn ended(&self, _: &Asked, _: &Ended, _: Duration) {
        match *self {}
    }

    pub(super) const fn chunk(&self, _: &Asked, _: Duration, _: bool) {
        match *self {}
    }

    pub(super) const fn run(&self, _: &Asked, _: Option<&str>, _: Duration) {
        match *self {}
    }

    pub(super) const fn tool(&self, _: &str, _: bool, _: Duration) {
        match *self {}
    }

    pub(crate) const fn noticed(&self, _: &Notice) {
        match *self {}
    }

    pub(crate) const fn retried(&self, _: &RetryNote) {
        match *self {}
    }
}
