//! Exact decimals and ratios. A limit is compared with a value as the laboratory wrote both, never through binary
//! floating point; what is too long to compare exactly is said to be so and never rounded.

use std::cmp::Ordering;
use std::fmt;

/// Significant digits that a value may have; products of a value, a factor and a limit then fit 38 digits.
const DIGITS: u32 = 18;

/// A decimal number: `mantissa / 10^scale`, without trailing zeros after the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decimal {
    mantissa: i128,
    scale: u32,
}

impl Decimal {
    /// Reads a number as JSON and laboratories write it: sign, digits, one point, an exponent. `None` when it is no
    /// number or has more than 18 significant digits.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (sign, rest) = match text.as_bytes().first()? {
            b'-' => (-1, text.get(1..)?),
            b'+' => (1, text.get(1..)?),
            _ => (1, text),
        };
        let (digits, exponent) = match rest.find(['e', 'E']) {
            Some(at) => (rest.get(..at)?, rest.get(at + 1..)?.parse::<i32>().ok()?),
            None => (rest, 0),
        };
        let (mantissa, scale) = digits_of(digits)?;
        Self::scaled(sign * mantissa, i64::from(scale) - i64::from(exponent))
    }

    fn scaled(mut mantissa: i128, mut scale: i64) -> Option<Self> {
        if mantissa == 0 {
            return Some(Self { mantissa: 0, scale: 0 });
        }
        while scale > 0 && mantissa % 10 == 0 {
            mantissa /= 10;
            scale -= 1;
        }
        if !(-i64::from(DIGITS)..=i64::from(DIGITS)).contains(&scale) {
            return None;
        }
        if scale < 0 {
            mantissa = mantissa.checked_mul(ten(u32::try_from(-scale).ok()?)?)?;
            scale = 0;
        }
        if mantissa.unsigned_abs() >= ten(DIGITS)?.unsigned_abs() {
            return None;
        }
        let scale = u32::try_from(scale).ok()?;
        Some(Self { mantissa, scale })
    }

    /// The number as a ratio.
    pub(crate) fn ratio(self) -> Option<Ratio> {
        Ratio::new(self.mantissa, ten(self.scale)?)
    }
}

fn digits_of(text: &str) -> Option<(i128, u32)> {
    let mut mantissa: i128 = 0;
    let mut scale = 0;
    let mut point = false;
    let mut digits = 0_u32;
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' => {
                mantissa = mantissa.checked_mul(10)?.checked_add(i128::from(byte - b'0'))?;
                digits += 1;
                scale += u32::from(point);
            }
            b'.' if !point => point = true,
            _ => return None,
        }
    }
    (digits > 0).then_some((mantissa, scale))
}

fn ten(power: u32) -> Option<i128> {
    10_i128.checked_pow(power)
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let digits = self.mantissa.unsigned_abs();
        let unit = 10_u128.pow(self.scale);
        if self.scale == 0 {
            return write!(f, "{sign}{digits}");
        }
        let width = self.scale as usize;
        write!(f, "{sign}{}.{:0width$}", digits / unit, digits % unit)
    }
}

/// A positive or negative fraction in lowest terms; unit factors are ratios, since `1/18.0156` is no decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ratio {
    num: i128,
    den: i128,
}

impl Ratio {
    /// One.
    pub(crate) const ONE: Self = Self { num: 1, den: 1 };

    /// A fraction; `None` when the denominator is zero.
    pub(crate) fn new(num: i128, den: i128) -> Option<Self> {
        let shared = gcd(num.unsigned_abs(), den.unsigned_abs());
        let shared = i128::try_from(shared).ok().filter(|shared| *shared != 0)?;
        let sign = if den < 0 { -1 } else { 1 };
        (den != 0).then_some(Self {
            num: sign * num / shared,
            den: sign * den / shared,
        })
    }

    /// Reads `A` or `A/B`, both decimals, as unit tables write factors.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let Some((above, below)) = text.split_once('/') else {
            return Decimal::parse(text)?.ratio();
        };
        let (above, below) = (
            Decimal::parse(above.trim())?.ratio()?,
            Decimal::parse(below.trim())?.ratio()?,
        );
        above.times(Self::new(below.den, below.num)?)
    }

    /// The product; `None` when it does not fit.
    pub(crate) fn times(self, other: Self) -> Option<Self> {
        let (a, b) = (Self::new(self.num, other.den)?, Self::new(other.num, self.den)?);
        Self::new(a.num.checked_mul(b.num)?, a.den.checked_mul(b.den)?)
    }

    /// The quotient; `None` when it does not fit or `other` is zero.
    pub(crate) fn over(self, other: Self) -> Option<Self> {
        self.times(Self::new(other.den, other.num)?)
    }

    /// Compares exactly; `None` when the products do not fit.
    pub(crate) fn compare(self, other: Self) -> Option<Ordering> {
        let left = self.num.checked_mul(other.den)?;
        let right = other.num.checked_mul(self.den)?;
        Some(left.cmp(&right))
    }

    /// A decimal near it, of so many significant digits or all before the point; for people to read, never to compare.
    pub(crate) fn about(self, digits: u32) -> Option<Decimal> {
        let wanted = ten(digits.checked_sub(1)?)?;
        let scale = (0..=DIGITS).find(|scale| {
            let scaled = ten(*scale).and_then(|power| self.num.checked_mul(power));
            scaled.is_none_or(|scaled| scaled / self.den >= wanted)
        })?;
        let doubled = self.num.checked_mul(ten(scale)?)?.checked_mul(2)?;
        Decimal::scaled((doubled / self.den + 1) / 2, i64::from(scale))
    }

    /// Whether it is above zero.
    pub(crate) fn is_positive(self) -> bool {
        self.num > 0
    }
}

fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ratio(text: &str) -> Ratio {
        Ratio::parse(text).unwrap()
    }

    #[test]
    fn reads_what_laboratories_write() {
        for (text, shown) in [
            ("6.80", "6.8"),
            ("-0", "0"),
            (".5", "0.5"),
            ("7.", "7"),
            ("1E2", "100"),
            ("25e-1", "2.5"),
            ("0.001", "0.001"),
            ("+3", "3"),
            ("-2.50", "-2.5"),
        ] {
            assert_eq!(Decimal::parse(text).unwrap().to_string(), shown, "{text}");
        }
        for text in [
            "",
            "-",
            ".",
            "1.2.3",
            "6,8",
            "1e",
            "NaN",
            "inf",
            "0x1",
            " 1",
            "1234567890123456789",
            "1e40",
            "1e-40",
            "9999999999999999999999999999999999999999999",
        ] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn binary_rounding_does_not_happen() {
        // 0.1 + 0.2 in binary is above 0.3; 4.35 * 100 is below 435.
        assert_eq!(ratio("4.35").times(ratio("100")), Some(ratio("435")));
        assert_eq!(ratio("0.3").compare(ratio("0.30")), Some(Ordering::Equal));
        assert_eq!(ratio("6.19999999999999999").compare(ratio("6.2")), Some(Ordering::Less));
    }

    #[test]
    fn near_decimals_for_people() {
        for (exact, near) in [
            ("484.61964", "484.6"),
            ("8.932599957", "8.933"),
            ("0.052", "0.052"),
            ("2/3", "0.6667"),
            ("37000", "37000"),
            ("123456.5", "123457"),
            ("0.99999", "1"),
        ] {
            assert_eq!(ratio(exact).about(4).unwrap().to_string(), near, "{exact}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,60}") {
            let _ = Ratio::parse(&text).and_then(|ratio| ratio.about(4));
        }

        #[test]
        fn integers_compare_as_integers(a in -1_000_000_i64..1_000_000, b in -1_000_000_i64..1_000_000) {
            prop_assert_eq!(ratio(&a.to_string()).compare(ratio(&b.to_string())), Some(a.cmp(&b)));
        }

        #[test]
        fn a_decimal_prints_as_it_reads(mantissa in -999_999_i64..999_999, scale in 0_i32..6) {
            let first = Decimal::parse(&format!("{mantissa}e-{scale}")).unwrap();
            prop_assert_eq!(Decimal::parse(&first.to_string()), Some(first));
        }
    }
}
