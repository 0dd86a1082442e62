//! Bytes and money, as integers with their unit in the type.

use std::{fmt, iter::Sum, str::FromStr};

use serde::{Deserialize, Serialize};

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct ByteCount(pub u64);

impl ByteCount {
    /// That many KiB.
    #[must_use]
    pub const fn kib(n: u64) -> Self {
        Self(n << 10)
    }
    /// That many MiB.
    #[must_use]
    pub const fn mib(n: u64) -> Self {
        Self(n << 20)
    }
    /// The number as a `usize`, for lengths in memory.
    ///
    /// # Panics
    /// Never on the 64-bit machines that dayfly runs on.
    #[must_use]
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).expect("usize has 64 bits here")
    }
}

impl fmt::Display for ByteCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
        let step = (0..4).take_while(|i| self.0 >> (10 * (i + 1)) > 0).count();
        let value = self.0 as f64 / (1u64 << (10 * step)) as f64;
        let decimals = usize::from(step > 0 && value < 100.0 && value.fract() > 0.0);
        f.pad(&format!("{value:.decimals$} {}", UNITS[step]))
    }
}

/// A text that should have been a size: a whole number and one of B, KiB, MiB, GiB (KB, MB, GB count in thousands).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a size: write a whole number and a unit, such as 64MiB")]
pub struct InvalidSize(pub String);

impl FromStr for ByteCount {
    type Err = InvalidSize;
    fn from_str(text: &str) -> Result<Self, InvalidSize> {
        let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(split);
        let factor: u64 = match unit.trim() {
            "B" => 1,
            "KB" => 1_000,
            "MB" => 1_000_000,
            "GB" => 1_000_000_000,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            _ => return Err(InvalidSize(text.into())),
        };
        let bytes = number.parse::<u64>().ok().and_then(|n| n.checked_mul(factor));
        bytes.map(Self).ok_or_else(|| InvalidSize(text.into()))
    }
}

/// An amount of money in millionths of a millionth of the currency (pico-euro, say). Whole numbers only: bills add up exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Money {
    /// The amount in 10⁻¹² of the currency's unit.
    pub pico: i128,
}

impl Money {
    /// No money.
    pub const ZERO: Self = Self { pico: 0 };
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        Self { pico: amounts.map(|amount| amount.pico).sum() }
    }
}

impl fmt::Display for Money {
    /// All twelve decimals without trailing zeros, two at least: `0.000000412`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const ONE: u128 = 1_000_000_000_000;
        let sign = if self.pico < 0 { "-" } else { "" };
        let amount = self.pico.unsigned_abs();
        let digits = format!("{:012}", amount % ONE);
        let kept = digits.trim_end_matches('0').len().max(2);
        f.pad(&format!("{sign}{}.{}", amount / ONE, &digits[..kept]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_and_print() {
        for (text, bytes, printed) in [("64MiB", 64 << 20, "64 MiB"), ("10 KB", 10_000, "9.8 KiB"), ("0B", 0, "0 B")] {
            let size: ByteCount = text.parse().expect(text);
            assert_eq!((size.0, size.to_string().as_str()), (bytes, printed));
        }
        for bad in ["", "64", "MiB", "-1B", "1.5GiB", "99999999999GiB"] {
            assert!(bad.parse::<ByteCount>().is_err(), "{bad}");
        }
    }

    #[test]
    fn money_prints_exactly() {
        let cases = [(0, "0.00"), (412_000, "0.000000412"), (-1_500_000_000_000, "-1.50"), (1, "0.000000000001")];
        for (pico, printed) in cases {
            assert_eq!(Money { pico }.to_string(), printed);
        }
    }
}
