//! The newest so many of what a search comes by, kept in order while it goes on.

use std::collections::BTreeMap;

use types::{InvocationId, Timestamp};

/// Where a result stands among others: its time, then its invocation, then its number within it.
pub(super) type Place = (Timestamp, InvocationId, usize);

/// At most `limit` results, the newest.
pub(super) struct Newest<T> {
    limit: usize,
    found: BTreeMap<Place, T>,
}

impl<T> Newest<T> {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, found: BTreeMap::new() }
    }
    /// Whether there are as many as are wanted.
    pub(super) fn is_full(&self) -> bool {
        self.found.len() >= self.limit
    }
    /// Whether nothing at or before this time can be among the newest any more.
    pub(super) fn is_full_above(&self, at: Timestamp) -> bool {
        self.is_full() && self.found.keys().next().is_none_or(|(oldest, ..)| *oldest > at)
    }
    /// Whether a result at this place would be among the newest.
    pub(super) fn takes(&self, place: Place) -> bool {
        self.limit > 0 && (self.found.len() < self.limit || self.found.keys().next().is_some_and(|oldest| *oldest < place))
    }
    /// Adds a result that [`Self::takes`] its place.
    pub(super) fn add(&mut self, place: Place, result: T) {
        self.found.insert(place, result);
        if self.found.len() > self.limit {
            self.found.pop_first();
        }
    }
    /// The results, oldest first.
    pub(super) fn into_oldest_first(self) -> impl DoubleEndedIterator<Item = T> {
        self.found.into_values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_stay_and_tell_when_older_ones_need_not_be_read() {
        let place = |ms| (Timestamp::from_unix_ms(ms), InvocationId::from_bytes([0; 16]), 0);
        let mut newest = Newest::new(2);
        for ms in [5, 1, 9, 7] {
            if newest.takes(place(ms)) {
                newest.add(place(ms), ms);
            }
        }
        assert!(newest.is_full_above(Timestamp::from_unix_ms(6)) && !newest.is_full_above(Timestamp::from_unix_ms(7)));
        assert_eq!(newest.into_oldest_first().collect::<Vec<_>>(), [7, 9]);
        assert!(!Newest::<()>::new(0).takes(place(1)) && Newest::<()>::new(0).is_full_above(Timestamp::default()));
    }
}
