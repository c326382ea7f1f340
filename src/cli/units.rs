//! Quantities with units: `250ms`, `64KiB`, `2Mbit/s`. A bare number where a unit is needed is an error that says so.

use std::fmt;
use std::time::Duration;

/// Why a text is not the quantity that was wanted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// Only a number.
    #[error("a bare number: say the unit, as in {example}")]
    Bare {
        /// The same number with likely units.
        example: String,
    },
    /// Nothing that starts with a number.
    #[error("not a quantity: wanted a number and a unit, as in {example}")]
    NoNumber {
        /// A well-formed quantity.
        example: &'static str,
    },
    /// A unit that this kind of quantity does not have.
    #[error("unknown unit {unit:?}: use one of {known}")]
    Unit {
        /// What was written.
        unit: String,
        /// What could have been.
        known: &'static str,
    },
    /// More than the machine can count.
    #[error("too large")]
    Overflow,
    /// A time span that `humantime` does not read.
    #[error("not a time span: {0}")]
    Span(String),
}

/// A data rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate {
    /// Bits per second.
    pub bits: u64,
}

/// Parses a time span: `250ms`, `8s`, `1m30s`, `7days`.
///
/// # Errors
/// [`UnitError`] says what is missing.
pub fn duration(text: &str) -> Result<Duration, UnitError> {
    if is_number(text) {
        return Err(UnitError::Bare { example: format!("{0}s or {0}ms", text.trim()) });
    }
    humantime::parse_duration(text).map_err(|error| UnitError::Span(error.to_string()))
}

/// Parses a number of bytes: `512B`, `64KiB`, `10MB`; `10M` counts as `head -c` does, in powers of 1,024.
///
/// # Errors
/// [`UnitError`] says what is missing.
pub fn size(text: &str) -> Result<u64, UnitError> {
    const KNOWN: &str = "B, kB, MB, GB, TB, KiB, MiB, GiB, TiB, K, M, G, T";
    let (number, unit) = split(text, "64KiB")?;
    if unit.is_empty() {
        return Err(UnitError::Bare { example: format!("{0}KiB or {0}MB", text.trim()) });
    }
    scaled(number, byte_unit(unit).ok_or_else(|| UnitError::Unit { unit: unit.to_owned(), known: KNOWN })?)
}

/// Parses a data rate: `2Mbit/s`, `500kbit/s`, `1MiB/s`.
///
/// # Errors
/// [`UnitError`] says what is missing.
pub fn rate(text: &str) -> Result<Rate, UnitError> {
    const KNOWN: &str = "bit/s, kbit/s, Mbit/s, Gbit/s, B/s, kB/s, MB/s, GB/s, KiB/s, MiB/s, GiB/s";
    let (number, unit) = split(text, "2Mbit/s")?;
    if unit.is_empty() {
        return Err(UnitError::Bare { example: format!("{0}kbit/s or {0}Mbit/s", text.trim()) });
    }
    let unknown = || UnitError::Unit { unit: unit.to_owned(), known: KNOWN };
    let per_second = unit.strip_suffix("/s").ok_or_else(unknown)?;
    let factor = match per_second {
        "bit" => 1,
        "kbit" => 1_000,
        "Mbit" => 1_000_000,
        "Gbit" => 1_000_000_000,
        bytes if bytes.ends_with('B') => byte_unit(bytes).ok_or_else(unknown)? * 8,
        _ => return Err(unknown()),
    };
    Ok(Rate { bits: scaled(number, factor)? })
}

/// Bytes per unit.
fn byte_unit(unit: &str) -> Option<u64> {
    Some(match unit {
        "B" => 1,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        "K" | "KiB" => 1 << 10,
        "M" | "MiB" => 1 << 20,
        "G" | "GiB" => 1 << 30,
        "T" | "TiB" => 1 << 40,
        _ => return None,
    })
}

fn is_number(text: &str) -> bool {
    text.trim().parse::<f64>().is_ok()
}

/// The number in front and the unit behind it.
fn split<'a>(text: &'a str, example: &'static str) -> Result<(f64, &'a str), UnitError> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number = text[..end].parse().map_err(|_| UnitError::NoNumber { example })?;
    Ok((number, text[end..].trim_start()))
}

fn scaled(number: f64, factor: u64) -> Result<u64, UnitError> {
    let product = (number * factor as f64).round();
    // 2^53: beyond it a float no longer counts every byte.
    if product <= 9_007_199_254_740_992.0 { Ok(product as u64) } else { Err(UnitError::Overflow) }
}

/// `bytes` for people: `64 KiB`, `1.5 GiB`.
#[must_use]
pub fn show_size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1023.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{} {}", short(value), UNITS[unit])
}

/// A time span for people, to the millisecond: `250ms`, `1m 30s`.
#[must_use]
pub fn show_duration(span: Duration) -> String {
    if span < Duration::from_millis(1) {
        return format!("{}us", span.as_micros());
    }
    humantime::format_duration(Duration::from_millis(u64::try_from(span.as_millis()).unwrap_or(u64::MAX))).to_string()
}

/// One digit after the point, none if it is zero.
fn short(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self.bits as f64;
        let (value, unit) = match self.bits {
            0..1_000 => (bits, "bit/s"),
            1_000..1_000_000 => (bits / 1e3, "kbit/s"),
            1_000_000..1_000_000_000 => (bits / 1e6, "Mbit/s"),
            _ => (bits / 1e9, "Gbit/s"),
        };
        write!(f, "{} {unit}", short(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read() {
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(size("64KiB"), Ok(65_536));
        assert_eq!(size("1.5 GB"), Ok(1_500_000_000));
        assert_eq!(size("10M"), Ok(10 << 20));
        assert_eq!(rate("2Mbit/s"), Ok(Rate { bits: 2_000_000 }));
        assert_eq!(rate("1MiB/s"), Ok(Rate { bits: 8 << 20 }));
    }

    #[test]
    fn a_bare_number_is_an_error_that_says_so() {
        for error in [duration("30").unwrap_err(), size("30").unwrap_err(), rate("30").unwrap_err()] {
            assert!(error.to_string().starts_with("a bare number: say the unit, as in 30"), "{error}");
        }
        assert_eq!(duration("0"), Err(UnitError::Bare { example: "0s or 0ms".into() }));
    }

    #[test]
    fn wrong_units_name_the_right_ones() {
        assert!(size("3 parsecs").unwrap_err().to_string().contains("KiB"));
        assert!(rate("2Mbit").unwrap_err().to_string().contains("Mbit/s"));
        assert!(rate("2K/s").unwrap_err().to_string().contains("Mbit/s"));
        assert!(size("lots").unwrap_err().to_string().contains("64KiB"));
        assert!(duration("3 parsecs").is_err());
        assert_eq!(size("99999999999999T"), Err(UnitError::Overflow));
        assert!(size("1.2.3K").is_err() && size("-1K").is_err() && size("").is_err());
    }

    #[test]
    fn quantities_are_shown_for_people() {
        assert_eq!(show_size(0), "0 B");
        assert_eq!(show_size(65_536), "64 KiB");
        assert_eq!(show_size(1_610_612_736), "1.5 GiB");
        assert_eq!(show_size(1_048_575), "1 MiB");
        assert_eq!(Rate { bits: 2_500_000 }.to_string(), "2.5 Mbit/s");
        assert_eq!(show_duration(Duration::from_micros(90_000_400)), "1m 30s");
        assert_eq!(show_duration(Duration::from_micros(400)), "400us");
    }
}
