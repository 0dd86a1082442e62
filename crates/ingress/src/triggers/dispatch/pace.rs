//! How many runs of one lane go at once: fewer while they are in each other's way.
//!
//! Of runs that change the same keys and commit together, one can; the others ran in vain and run again. So where more than half of them
//! conflict, half as many are let go at once, and where few do, one more, as long as the function may have more.

use parking_lot::Mutex;

/// Runs after which it is judged anew.
const JUDGED: usize = 16;

/// The width of one lane.
#[derive(Debug)]
pub(crate) struct Pace(Mutex<State>);

#[derive(Debug)]
struct State {
    width: usize,
    runs: usize,
    conflicts: usize,
}

impl Pace {
    /// So many at once to begin with, which is also the most.
    pub(crate) fn new(most: usize) -> Self {
        Self(Mutex::new(State { width: most, runs: 0, conflicts: 0 }))
    }

    /// How many may run at once, of so many that the function may have.
    pub(crate) fn width(&self, most: usize) -> usize {
        self.0.lock().width.clamp(1, most.max(1))
    }

    /// A run came to its end: in conflict with others or not.
    pub(crate) fn ran(&self, is_conflict: bool, most: usize) {
        let State { width, runs, conflicts } = &mut *self.0.lock();
        *runs += 1;
        *conflicts += usize::from(is_conflict);
        *width = (*width).min(most.max(1));
        if *runs < JUDGED {
            return;
        }
        if *conflicts * 2 > *runs {
            *width = (*width / 2).max(1);
        } else if *conflicts * 4 < *runs {
            *width = (*width + 1 + *width / 4).min(most.max(1));
        }
        (*runs, *conflicts) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounds of as many runs as may go at once, of which so many conflict. Gives the widths.
    fn rounds(pace: &Pace, count: usize, conflicts: impl Fn(usize) -> usize) -> Vec<usize> {
        (0..count)
            .map(|_| {
                let width = pace.width(128);
                (0..width).for_each(|run| pace.ran(run < conflicts(width), 128));
                pace.width(128)
            })
            .collect()
    }

    #[test]
    fn where_only_one_of_all_can_win_few_run_at_once() {
        let pace = Pace::new(128);
        let widths = rounds(&pace, 200, |width| width - 1);
        assert!(widths[20..].iter().all(|width| *width <= 3), "{widths:?}");
    }

    #[test]
    fn where_few_are_in_each_other_s_way_all_run_and_come_back() {
        let pace = Pace::new(128);
        assert!(rounds(&pace, 50, |width| width / 8).iter().all(|width| *width == 128));
        rounds(&pace, 50, |width| width - 1);
        let widths = rounds(&pace, 200, |_| 0);
        assert_eq!(widths.last(), Some(&128), "{widths:?}");
    }

    #[test]
    fn a_function_never_has_more_than_it_may() {
        let pace = Pace::new(128);
        assert_eq!((pace.width(4), pace.width(0)), (4, 1));
        (0..100).for_each(|_| pace.ran(false, 4));
        assert_eq!(pace.width(4), 4);
    }
}
