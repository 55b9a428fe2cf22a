//! What is printed in the end.

use std::fmt;
use std::time::Duration;

use crate::fault::Fault;
use crate::ledger::Ledger;
use crate::options::Options;
use crate::process::Memory;
use crate::server::Counts;

/// Everything that was found.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    pub(crate) options: Options,
    pub(crate) ledger: Ledger,
    /// Calls that a budget was charged for, where there was one.
    pub(crate) charged: Option<u64>,
    pub(crate) counts: Counts,
    pub(crate) memory: Option<Memory>,
    pub(crate) tasks: Left,
    pub(crate) files: Left,
    pub(crate) processor: Option<f64>,
    pub(crate) time: Duration,
}

/// How many there were before, at work, and in the end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Left {
    pub(crate) before: usize,
    pub(crate) peak: usize,
    pub(crate) after: usize,
}

impl Report {
    /// What is not as it should be, a line each.
    pub(crate) fn faults(&self) -> Vec<String> {
        let Self { ledger, counts, memory, tasks, files, .. } = self;
        let mut faults = Vec::new();
        let mut demand = |holds: bool, what: String| {
            if !holds {
                faults.push(what);
            }
        };
        demand(ledger.answered > 0, "nothing was answered".to_owned());
        demand(ledger.lost() == 0, format!("{} lost", ledger.lost()));
        demand(ledger.wrong == 0, format!("{} wrong", ledger.wrong));
        demand(counts.wrong == 0, format!("{} requests wrong", counts.wrong));
        demand(
            counts.turns <= ledger.sent,
            format!("{} questions came, {} were sent", counts.turns, ledger.sent),
        );
        let untold = counts.retried.saturating_sub(ledger.told);
        demand(untold == 0, format!("{untold} attempts of which the client did not tell"));
        if let Some(charged) = self.charged {
            demand(charged == ledger.sent, format!("{charged} calls charged, {} were sent", ledger.sent));
        }
        demand(tasks.after <= tasks.before, format!("{} tasks left", tasks.after));
        demand(files.after <= files.before, format!("{} files and sockets left", files.after));
        let is_flat = memory.and_then(|memory| memory.is_flat);
        demand(is_flat != Some(false), "memory grows".to_owned());
        faults
    }

    fn ledger(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ledger, counts, .. } = self;
        let rows = [
            ("conversations", ledger.conversations),
            ("sent", ledger.sent),
            ("  answered", ledger.answered),
            ("  refused", ledger.refused),
            ("  cut", ledger.cut),
            ("  cancelled", ledger.cancelled),
            ("retried", counts.retried),
            ("  told by the client", ledger.told),
            ("connections", counts.connections),
            ("wrong", ledger.wrong + counts.wrong),
            ("lost", ledger.lost()),
        ];
        rows.into_iter().try_for_each(|(name, count)| writeln!(f, "{name:<28}{count:>10}"))
    }

    fn faults_done(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nfaults by attempt")?;
        Fault::all().try_for_each(|fault| writeln!(f, "  {:<26}{:>10}", fault.name(), self.counts.of(fault)))
    }

    fn means(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Memory { first, last, peak, is_flat }) = self.memory {
            let verdict = match is_flat {
                Some(true) => "flat",
                Some(false) => "grows",
                None => "too short to tell",
            };
            let [first, last, peak] = [first, last, peak].map(megabytes);
            writeln!(f, "\nmemory after warm-up, last, peak: {first}, {last}, {peak} MB ({verdict})")?;
        }
        writeln!(f, "tasks before, peak, after:        {}", self.tasks)?;
        writeln!(f, "open files before, peak, after:   {}", self.files)?;
        let seconds = self.time.as_secs_f64();
        if let Some(spent) = self.processor {
            writeln!(f, "processor of the client:          {spent:.1} s in {seconds:.1} s")?;
        }
        Ok(())
    }
}

fn megabytes(kilobytes: u64) -> String {
    format!("{}.{}", kilobytes >> 10, (kilobytes & 1023) * 10 / 1024)
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}, {}", self.before, self.peak, self.after)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Options { time, conversations, seed, layers } = self.options;
        let through = if layers { ", through layers" } else { "" };
        writeln!(
            f,
            "soak: {} s, {conversations} conversations at once, seed {seed}{through}\n",
            time.as_secs()
        )?;
        self.ledger(f)?;
        self.faults_done(f)?;
        self.means(f)?;
        for example in self.ledger.examples.iter().chain(&self.counts.example) {
            writeln!(f, "for example: {example}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(ledger: Ledger) -> Report {
        Report {
            options: Options { time: Duration::from_secs(1), conversations: 1, seed: 1, layers: false },
            ledger,
            charged: None,
            counts: Counts::default(),
            memory: None,
            tasks: Left::default(),
            files: Left::default(),
            processor: None,
            time: Duration::from_secs(1),
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let good = report(Ledger { sent: 2, answered: 1, cut: 1, ..Ledger::default() });
        assert_eq!(good.faults(), Vec::<String>::new());
        let mut bad = report(Ledger { sent: 5, answered: 2, wrong: 1, ..Ledger::default() });
        bad.tasks.after = 3;
        bad.charged = Some(4);
        (bad.counts.turns, bad.counts.retried, bad.ledger.told) = (6, 4, 2);
        bad.memory = Some(Memory { first: 1, last: 9_000, peak: 9_000, is_flat: Some(false) });
        assert_eq!(
            bad.faults(),
            [
                "3 lost",
                "1 wrong",
                "6 questions came, 5 were sent",
                "2 attempts of which the client did not tell",
                "4 calls charged, 5 were sent",
                "3 tasks left",
                "memory grows"
            ]
        );
    }
}
