use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use interlingua_model::{Error, ErrorKind};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use crate::Timeouts;

/// Watches how long nothing comes. It rings in steps and counts the quiet ones, so that a piece that comes costs no look
/// at a clock; the idle time is kept to within one step.
pub(crate) struct Clock {
    /// Only where something is waited for: the body of most whole answers comes with their head.
    timer: Option<Pin<Box<Sleep>>>,
    first_byte: Duration,
    idle: Duration,
    begun: bool,
    /// Whether the timer is still set to the first byte, which has come. It is set anew only where something must be waited
    /// for: a timer that rings before all others costs the runtime a system call.
    late: bool,
    quiet: u32,
    /// Whom the timer wakes.
    wakes: Option<Waker>,
}

/// The steps of the idle time.
const STEPS: u32 = 16;

impl Clock {
    pub(crate) fn new(timeouts: Timeouts) -> Self {
        let Timeouts { first_byte, idle, .. } = timeouts;
        Self { timer: None, first_byte, idle, begun: false, late: false, quiet: 0, wakes: None }
    }

    /// Something came.
    pub(crate) fn tick(&mut self) {
        self.quiet = 0;
        if !self.begun {
            self.begun = true;
            self.late = true;
        }
    }

    fn wind(&mut self) {
        self.late = false;
        let next = Instant::now() + self.idle / STEPS;
        match &mut self.timer {
            Some(timer) => timer.as_mut().reset(next),
            None => self.timer = Some(Box::pin(sleep_until(next))),
        }
        self.wakes = None;
    }

    /// Is ready when nothing came for too long.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Error> {
        if self.late {
            self.wind();
        }
        let waits = self.wakes.as_ref().is_some_and(|waker| waker.will_wake(context.waker()));
        if waits && self.timer.as_ref().is_some_and(|timer| !timer.is_elapsed()) {
            return Poll::Pending;
        }
        loop {
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(self.first_byte)));
            if timer.as_mut().poll(context).is_pending() {
                self.wakes = Some(context.waker().clone());
                return Poll::Pending;
            }
            // The first step may have begun before the last piece came.
            if !self.begun || self.quiet >= STEPS {
                let limit = if self.begun { self.idle } else { self.first_byte };
                let message = format!("nothing came for {} s", limit.as_secs_f64());
                return Poll::Ready(Error::new(ErrorKind::Timeout, message));
            }
            self.quiet += 1;
            self.wind();
        }
    }
}
