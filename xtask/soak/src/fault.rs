//! What goes wrong with an attempt: it follows from the seed, the question and the number of the attempt, so both sides
//! know it.

use interlingua::ErrorKind;

use crate::dice::Dice;
use crate::nonce::Nonce;

/// What the server does with one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Fault {
    /// Nothing goes wrong.
    None,
    /// Chunks end at any byte.
    Chopped,
    /// A few bytes at a time.
    Trickle,
    /// Comments and events that nobody knows.
    Noise,
    /// The body ends some time after the end marker.
    LateEnd,
    /// The body never ends after the end marker.
    NoEnd,
    /// The connection is closed behind the answer, unannounced, perhaps when the next call is on its way.
    CloseAfter,
    /// A reset before the head.
    ResetEarly,
    /// Closed before the head.
    CloseEarly,
    /// No head at all.
    Silence,
    /// Too many requests, with `retry-after: 0`.
    Limited,
    /// Too many requests, with `retry-after: 1`.
    LimitedSecond,
    /// Too many requests, with `retry-after-ms`.
    LimitedMillis,
    /// The status 500.
    Broken,
    /// The status 503.
    Unavailable,
    /// The status 529.
    Overloaded,
    /// A page for people with the status 200.
    Html,
    /// A reset in the middle.
    Reset,
    /// Closed in the middle of the body.
    Close,
    /// A body that ends properly, without the end of the answer.
    End,
    /// Closed in the middle of a tool call, where there is one.
    CutCall,
    /// An error is reported in the middle.
    ErrorEvent,
    /// Nothing comes any more.
    Stall,
    /// A line without end.
    EndlessLine,
}

/// How often each comes, in thousandths; nothing goes wrong in the rest.
const ODDS: [(Fault, usize); 23] = [
    (Fault::Chopped, 60),
    (Fault::Trickle, 30),
    (Fault::Noise, 60),
    (Fault::LateEnd, 30),
    (Fault::NoEnd, 20),
    (Fault::ResetEarly, 15),
    (Fault::CloseEarly, 15),
    (Fault::Silence, 2),
    (Fault::Limited, 15),
    (Fault::LimitedSecond, 5),
    (Fault::LimitedMillis, 15),
    (Fault::Broken, 15),
    (Fault::Unavailable, 15),
    (Fault::Overloaded, 15),
    (Fault::Html, 8),
    (Fault::Reset, 20),
    (Fault::Close, 20),
    (Fault::End, 20),
    (Fault::CutCall, 20),
    (Fault::ErrorEvent, 20),
    (Fault::Stall, 5),
    (Fault::EndlessLine, 3),
    (Fault::CloseAfter, 30),
];

/// Whether an attempt may bring the whole answer, and how it may fail otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The answer comes whole, whatever happens beside.
    Whole,
    /// The attempt fails with an error of one of these kinds.
    Fails(&'static [ErrorKind]),
}

impl Fault {
    /// What happens to an attempt, counted from 0.
    pub(crate) fn of(seed: u64, nonce: Nonce, attempt: u64) -> Self {
        let throw = Self::dice(seed, nonce, attempt).between(1, 1_000);
        let mut passed = 0;
        for (fault, odds) in ODDS {
            passed += odds;
            if throw <= passed {
                return fault;
            }
        }
        Self::None
    }

    /// Dice that only this attempt throws.
    pub(crate) fn dice(seed: u64, nonce: Nonce, attempt: u64) -> Dice {
        Dice::of(&[seed, nonce.slot, nonce.turn, attempt])
    }

    /// Every fault, in the order of the table.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        std::iter::once(Self::None).chain(ODDS.into_iter().map(|(fault, _)| fault))
    }

    /// What an attempt may come to.
    pub(crate) const fn fate(self) -> Fate {
        use ErrorKind::{Connect, Overloaded, Protocol, RateLimited, Server, Timeout, TooLarge, Truncated};
        Fate::Fails(match self {
            Self::None
            | Self::Chopped
            | Self::Trickle
            | Self::Noise
            | Self::LateEnd
            | Self::NoEnd
            | Self::CloseAfter => return Fate::Whole,
            Self::ResetEarly | Self::CloseEarly => &[Connect],
            Self::Silence | Self::Stall => &[Timeout],
            Self::Limited | Self::LimitedSecond | Self::LimitedMillis => &[RateLimited],
            Self::Broken => &[Server],
            Self::Unavailable | Self::Overloaded => &[Overloaded],
            Self::Html => &[Protocol],
            // A reset may overtake the head.
            Self::Reset => &[Truncated, Connect],
            Self::Close | Self::End | Self::CutCall => &[Truncated],
            Self::ErrorEvent => &[Overloaded, Server],
            Self::EndlessLine => &[TooLarge],
        })
    }

    /// Its name in the report.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Chopped => "chunks cut at any byte",
            Self::Trickle => "a trickle",
            Self::Noise => "comments, unknown events",
            Self::LateEnd => "end of body late",
            Self::NoEnd => "no end of body",
            Self::CloseAfter => "closed after the end",
            Self::ResetEarly => "reset before the head",
            Self::CloseEarly => "closed before the head",
            Self::Silence => "no head",
            Self::Limited => "429, retry-after 0",
            Self::LimitedSecond => "429, retry-after 1",
            Self::LimitedMillis => "429, retry-after-ms",
            Self::Broken => "500",
            Self::Unavailable => "503",
            Self::Overloaded => "529",
            Self::Html => "HTML with 200",
            Self::Reset => "reset midway",
            Self::Close => "closed midway",
            Self::End => "ended midway",
            Self::CutCall => "closed within a call",
            Self::ErrorEvent => "error event",
            Self::Stall => "stall",
            Self::EndlessLine => "endless line",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_comes_and_most_attempts_have_none_that_fails() {
        let thrown: Vec<Fault> = (0..10_000).map(|turn| Fault::of(1, Nonce { slot: 0, turn }, 0)).collect();
        for fault in Fault::all() {
            assert!(thrown.contains(&fault), "{} never came", fault.name());
        }
        let whole = thrown.iter().filter(|fault| fault.fate() == Fate::Whole).count();
        assert!((7_000..9_000).contains(&whole), "{whole} of 10,000");
    }

    #[test]
    fn another_seed_makes_other_faults() {
        let thrown = |seed| -> Vec<Fault> {
            (0..100).map(|turn| Fault::of(seed, Nonce { slot: 0, turn }, 0)).collect()
        };
        assert_eq!(thrown(1), thrown(1));
        assert_ne!(thrown(1), thrown(2));
    }
}
