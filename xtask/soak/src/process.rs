//! What the system tells of this process, where there is `/proc`.

use std::fs;

/// The memory of this process in kilobytes.
pub(crate) fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// How many files and sockets are open.
pub(crate) fn open_files() -> Option<usize> {
    Some(fs::read_dir("/proc/self/fd").ok()?.count())
}

/// The seconds of processor that were spent, in user and system mode.
pub(crate) fn processor() -> Option<f64> {
    /// Ticks of the clock in a second, on every common Linux.
    const TICKS: f64 = 100.0;
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program may hold blanks and ends with the last parenthesis.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let system: u32 = fields.next()?.parse().ok()?;
    Some((f64::from(user) + f64::from(system)) / TICKS)
}

/// What a row of samples of memory says, in kilobytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Memory {
    /// The median of the tenth after the warm-up, which is the first fifth.
    pub(crate) first: u64,
    /// The median of the last tenth.
    pub(crate) last: u64,
    /// The most.
    pub(crate) peak: u64,
    /// Whether the last is about the first; `None` when there is too little to say.
    pub(crate) is_flat: Option<bool>,
}

/// Fewer samples than these say nothing.
const ENOUGH: usize = 100;
/// What the last may be above the first.
const SLACK: u64 = 2 << 10;

impl Memory {
    /// Reads samples, one a second.
    pub(crate) fn of(samples: &[u64]) -> Option<Self> {
        let tenth = (samples.len() / 10).max(1);
        let warm = samples.len() / 5;
        let first = median(samples.get(warm..(warm + tenth).min(samples.len()))?)?;
        let last = median(samples.get(samples.len().checked_sub(tenth)?..)?)?;
        let peak = *samples.iter().max()?;
        let is_flat = (samples.len() >= ENOUGH).then_some(last <= first + first / 20 + SLACK);
        Some(Self { first, last, peak, is_flat })
    }
}

fn median(samples: &[u64]) -> Option<u64> {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leak_is_seen_and_a_warm_up_is_none() {
        let leak: Vec<u64> = (0..600).map(|second| 20_000 + second * 20).collect();
        assert_eq!(Memory::of(&leak).unwrap().is_flat, Some(false));
        let warm: Vec<u64> = (0..600).map(|second| 20_000 + second.min(100) * 100 + second % 7).collect();
        let memory = Memory::of(&warm).unwrap();
        assert_eq!((memory.is_flat, memory.peak), (Some(true), 30_006));
    }

    #[test]
    fn few_samples_say_nothing() {
        assert_eq!(Memory::of(&[]), None);
        assert_eq!(Memory::of(&[5, 6, 7]).unwrap().is_flat, None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_system_tells() {
        assert!(resident().unwrap() > 100);
        assert!(open_files().unwrap() >= 3);
        assert!(processor().is_some());
    }
}
