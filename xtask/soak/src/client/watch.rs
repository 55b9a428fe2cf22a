//! Watches memory, tasks and sockets while the conversations run.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::{Shared, alive, open};
use crate::process::{self, Memory};

/// Between two samples.
const SECOND: Duration = Duration::from_secs(1);
/// Samples between two lines.
const LINE: usize = 30;

/// What was seen.
#[derive(Debug)]
pub(super) struct Watch {
    samples: Vec<u64>,
    /// The most tasks at once.
    pub(super) tasks: usize,
    /// The most open files at once.
    pub(super) files: usize,
}

impl Watch {
    /// Watches until a time, and prints a line now and then.
    pub(super) async fn until(end: Instant, shared: &Shared) -> Self {
        let room = usize::try_from((end - Instant::now()).as_secs()).unwrap_or(0).saturating_add(2);
        let mut watch = Self { samples: Vec::with_capacity(room), tasks: 0, files: 0 };
        let mut ticks = interval(SECOND);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => watch.sample(shared),
                () = sleep_until(end) => return watch,
            }
        }
    }

    /// What the samples say of memory.
    pub(super) fn memory(&self) -> Option<Memory> {
        Memory::of(&self.samples)
    }

    fn sample(&mut self, shared: &Shared) {
        self.samples.extend(process::resident());
        self.tasks = self.tasks.max(alive());
        self.files = self.files.max(open());
        if self.samples.len().is_multiple_of(LINE) {
            self.line(shared);
        }
    }

    fn line(&self, shared: &Shared) {
        let ledger = shared.ledger().clone();
        let open = ledger.sent - (ledger.answered + ledger.refused + ledger.cut + ledger.cancelled);
        println!(
            "{:>5} s: sent {}, answered {}, refused {}, cut {}, cancelled {}, open {open}, retried {}, wrong {}; {} kB",
            self.samples.len(),
            ledger.sent,
            ledger.answered,
            ledger.refused,
            ledger.cut,
            ledger.cancelled,
            ledger.told,
            ledger.wrong,
            self.samples.last().copied().unwrap_or_default(),
        );
    }
}
