//! The time that a script gets beyond its own, to say where it is.
//!
//! The engine of scripts asks now and then whether its time is as good as up, and tells the line when it is. It can ask only while it runs: where
//! many guests want the same processors, its time may be up between two slices, or while the system has put its thread aside. So a script that
//! was computing goes on for a moment, bounded in CPU time and in wall time, and most often needs a part of a millisecond of it. What it uses
//! is counted and billed as all else. A script that waits is asked nothing, and one that does not listen (in a long call of something built in)
//! ends without a line.

use ports::runtime::Run;
use types::{Elapsed, limits};

/// What one invocation used of that time.
#[derive(Default)]
pub(crate) struct LastWords {
    /// CPU time when its time was first found to be up.
    cpu_before: Option<Elapsed>,
}

impl LastWords {
    /// Whether the run, which used so much CPU time and whose time was up at `deadline_ns`, may go on nevertheless.
    pub(crate) fn may_go_on(&mut self, run: &dyn Run, cpu: Elapsed, now_ns: u64, deadline_ns: u64) -> bool {
        let used = cpu.less(*self.cpu_before.get_or_insert(cpu));
        let wall_ns = now_ns.saturating_sub(deadline_ns);
        run.could_go_on()
            && used < Elapsed::from(limits::SCRIPT_LAST_WORDS_CPU)
            && wall_ns < Elapsed::from(limits::SCRIPT_LAST_WORDS).ns()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::Pin,
        task::{Context, Poll},
    };

    use ports::runtime::Ended;

    use super::*;

    struct Computing(bool);
    impl Future for Computing {
        type Output = Ended;
        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Ended> {
            Poll::Pending
        }
    }
    impl Run for Computing {
        fn is_busy(&self) -> bool {
            true
        }
        fn could_go_on(&self) -> bool {
            self.0
        }
    }

    #[test]
    fn a_script_that_computes_goes_on_within_both_bounds_and_one_that_waits_does_not() {
        let [cpu, wall] = [limits::SCRIPT_LAST_WORDS_CPU, limits::SCRIPT_LAST_WORDS].map(|time| Elapsed::from(time).ns());
        let mut words = LastWords::default();
        let mut after =
            |computes, used, waited| words.may_go_on(&Computing(computes), Elapsed::from_ns(1_000 + used), 77 + waited, 77);
        assert!(after(true, 0, 0), "what it used before does not count");
        assert!(after(true, cpu - 1, wall - 1));
        assert!(!after(true, cpu, 0) && !after(true, 0, wall) && !after(false, 0, 0));
    }
}
