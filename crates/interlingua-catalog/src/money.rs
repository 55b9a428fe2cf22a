use std::fmt;
use std::iter::Sum;
use std::ops::Add;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An amount of US dollars, exactly: a whole number of femtodollars (10⁻¹⁵ dollars).
///
/// It displays as a decimal number with as many digits as it has, and serializes as that text.
///
/// ```
/// use interlingua_catalog::Price;
///
/// let price: Price = "0.075".parse()?;
/// assert_eq!(price.of(1_234).to_string(), "0.00009255");
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(u128);

/// What one token costs, exactly. Written and displayed as US dollars for a million tokens, as everybody quotes it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Price(u64);

/// Femtodollars in a dollar.
const DOLLAR: u128 = 1_000_000_000_000_000;
/// Femtodollars a token in one dollar a million tokens.
const MILLION: u128 = 1_000_000_000;

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// So many femtodollars (10⁻¹⁵ dollars).
    pub const fn from_femtodollars(amount: u128) -> Self {
        Self(amount)
    }

    /// The amount in femtodollars (10⁻¹⁵ dollars).
    pub const fn femtodollars(self) -> u128 {
        self.0
    }

    /// The amount in dollars, as near as a float can have it: for charts, not for sums.
    #[expect(clippy::cast_precision_loss, reason = "that is what it says")]
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / DOLLAR as f64
    }

    /// The amount in dollars with so many digits (at most 15) behind the point, rounded up, so that what costs
    /// something never reads as nothing.
    pub fn rounded(self, digits: u32) -> String {
        let unit = 10_u128.pow(15_u32.saturating_sub(digits));
        let rounded = self.0.div_ceil(unit).saturating_mul(unit);
        let (whole, rest) = (rounded / DOLLAR, rounded % DOLLAR);
        let fraction = format!("{rest:015}");
        let kept = fraction.get(..digits.min(15) as usize).unwrap_or_default();
        if kept.is_empty() { whole.to_string() } else { format!("{whole}.{kept}") }
    }

    /// Both amounts together; `None` when the sum is beyond all bounds.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }
}

impl Price {
    /// A price in femtodollars (10⁻¹⁵ dollars) for one token.
    pub const fn from_femtodollars(amount: u64) -> Self {
        Self(amount)
    }

    /// The price of one token in femtodollars (10⁻¹⁵ dollars).
    pub const fn femtodollars(self) -> u64 {
        self.0
    }

    /// The price of one token out of a decimal number of dollars, which may have an exponent as in `2.5e-06`.
    ///
    /// # Errors
    /// When it is no such number, is negative, or is finer than a femtodollar.
    pub fn per_token(text: &str) -> Result<Self, String> {
        let amount = scaled(text, 15)?;
        u64::try_from(amount).map(Self).map_err(|_| format!("`{text}` is no price of a token"))
    }

    /// What so many tokens cost.
    pub const fn of(self, tokens: u64) -> Money {
        Money(self.0 as u128 * tokens as u128)
    }
}

impl Add for Money {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        decimal(f, self.0, DOLLAR)
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        decimal(f, self.0.into(), MILLION)
    }
}

impl FromStr for Money {
    type Err = String;

    /// Reads dollars as they are displayed: digits, and up to 15 behind a point.
    fn from_str(text: &str) -> Result<Self, String> {
        let malformed = || format!("`{text}` is not an amount of dollars, such as 1.5");
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let is_point_alone = fraction.is_empty() && text.contains('.');
        if whole.is_empty()
            || fraction.len() > 15
            || is_point_alone
            || !is_digits(whole)
            || !is_digits(fraction)
        {
            return Err(malformed());
        }
        let dollars: u128 = whole.parse().map_err(|_| malformed())?;
        let rest: u128 = format!("{fraction:0<15}").parse().map_err(|_| malformed())?;
        let amount = dollars.checked_mul(DOLLAR).and_then(|amount| amount.checked_add(rest));
        amount.map(Self).ok_or_else(malformed)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl FromStr for Price {
    type Err = String;

    /// Reads dollars for a million tokens.
    fn from_str(text: &str) -> Result<Self, String> {
        let amount = scaled(text, 9)?;
        u64::try_from(amount).map(Self).map_err(|_| format!("`{text}` is no price of a million tokens"))
    }
}

/// Writes `amount / unit`, where the unit is a power of ten, without needless zeros.
fn decimal(f: &mut fmt::Formatter<'_>, amount: u128, unit: u128) -> fmt::Result {
    let (whole, rest) = (amount / unit, amount % unit);
    if rest == 0 {
        return f.pad(&whole.to_string());
    }
    let digits = unit.ilog10() as usize;
    let fraction = format!("{rest:0digits$}");
    f.pad(&format!("{whole}.{}", fraction.trim_end_matches('0')))
}

/// Reads a decimal number times a power of ten, exactly.
fn scaled(text: &str, power: i32) -> Result<u128, String> {
    let wrong = || format!("`{text}` is not a decimal number that can be kept exactly");
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| wrong())?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let fraction = fraction.trim_end_matches('0');
    let digits = format!("{whole}{fraction}");
    if whole.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let number: u128 = digits.parse().map_err(|_| wrong())?;
    let places = i32::try_from(fraction.len()).map_err(|_| wrong())?;
    let shift = power.checked_add(exponent).and_then(|shift| shift.checked_sub(places)).ok_or_else(wrong)?;
    let factor = 10_u128.checked_pow(shift.unsigned_abs());
    match (number, factor) {
        (0, _) => Ok(0),
        (_, Some(factor)) if shift >= 0 => number.checked_mul(factor).ok_or_else(wrong),
        (_, Some(factor)) if number.is_multiple_of(factor) => Ok(number / factor),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_exact() {
        assert_eq!(Price::per_token("2.5e-06").unwrap().to_string(), "2.5");
        assert_eq!(Price::per_token("4.4E-8"), "0.044".parse());
        assert_eq!(Price::per_token("0.0").unwrap(), Price::default());
        assert_eq!(Price::per_token("1e-15").unwrap().femtodollars(), 1);
        for text in ["1e-16", "-1", "", ".", "1,5", "1e", "inf", "2.5.1", "1e999999999999", "99999999999"] {
            assert!(Price::per_token(text).is_err(), "{text}");
        }
    }

    #[test]
    fn amounts_read_like_money() {
        let amount = "3.75".parse::<Price>().unwrap().of(1000);
        assert_eq!((amount.to_string(), amount.rounded(4)), ("0.00375".to_owned(), "0.0038".to_owned()));
        assert_eq!(Money::from_femtodollars(1).rounded(2), "0.01");
        assert_eq!(Money::from_femtodollars(2 * DOLLAR).to_string(), "2");
        assert_eq!(Money::from_femtodollars(2 * DOLLAR).rounded(0), "2");
        assert_eq!(Money::ZERO.rounded(2), "0.00");
        assert_eq!(format!("{:>6}", Money::from_femtodollars(DOLLAR / 2)), "   0.5");
    }
}
