//! Colours as the style sheet writes them, OKLCH, with their way to a screen's sRGB and the contrast of WCAG 2. Sums
//! only; which colours there are is said in `style/tokens`.

use core::fmt;

/// A colour by lightness (0 to 1), chroma (0 is grey, a screen shows up to about 0.37) and hue in degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Oklch {
    /// 0 is black, 1 is white.
    pub lightness: f64,
    /// How colourful it is.
    pub chroma: f64,
    /// Degrees on the colour wheel.
    pub hue: f64,
}

impl Oklch {
    /// A colour.
    pub const fn new(lightness: f64, chroma: f64, hue: f64) -> Self {
        Self { lightness, chroma, hue }
    }

    /// Linear-light sRGB by Björn Ottosson's matrices; outside of 0 to 1 where no screen shows it.
    #[expect(clippy::many_single_char_names, reason = "the names of the formula")]
    pub fn linear(self) -> [f64; 3] {
        let (sin, cos) = self.hue.to_radians().sin_cos();
        let (a, b) = (self.chroma * cos, self.chroma * sin);
        let l = (self.lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
        let m = (self.lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
        let s = (self.lightness - 0.089_484_177_5 * a - 1.291_485_548_0 * b).powi(3);
        [
            4.076_741_662_1 * l - 3.307_711_591_3 * m + 0.230_969_929_2 * s,
            -1.268_438_004_6 * l + 2.609_757_401_1 * m - 0.341_319_396_5 * s,
            -0.004_196_086_3 * l - 0.703_418_614_7 * m + 1.707_614_701_0 * s,
        ]
    }

    /// Whether an sRGB screen shows it as it is.
    pub fn is_shown(self) -> bool {
        self.linear().iter().all(|channel| (-0.000_5..=1.000_5).contains(channel))
    }

    /// The same colour with as much of its chroma as a screen shows.
    #[must_use]
    pub fn fitted(self) -> Self {
        if self.is_shown() {
            return self;
        }
        let (mut shown, mut not_shown) = (0.0, self.chroma);
        for _ in 0..20 {
            let middle = f64::midpoint(shown, not_shown);
            if (Self { chroma: middle, ..self }).is_shown() {
                shown = middle;
            } else {
                not_shown = middle;
            }
        }
        Self { chroma: shown, ..self }
    }

    /// Relative luminance of WCAG 2.
    pub fn luminance(self) -> f64 {
        let [red, green, blue] = self.linear().map(|channel| channel.clamp(0.0, 1.0));
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

impl fmt::Display for Oklch {
    /// As a style sheet writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "oklch({:.4} {:.4} {:.1})", self.lightness, self.chroma, self.hue)
    }
}

/// Contrast of WCAG 2, from 1 (the same) to 21 (black on white).
pub fn contrast(one: Oklch, other: Oklch) -> f64 {
    let (one, other) = (one.luminance(), other.luminance());
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn black_white_and_the_three_lights_come_out_as_they_are_known() {
        let check = |color: Oklch, expect: [f64; 3]| {
            let found = color.linear();
            assert!(found.iter().zip(expect).all(|(one, other)| (one - other).abs() < 0.002), "{color}: {found:?}");
        };
        check(Oklch::new(0.0, 0.0, 0.0), [0.0, 0.0, 0.0]);
        check(Oklch::new(1.0, 0.0, 0.0), [1.0, 1.0, 1.0]);
        check(Oklch::new(0.627_96, 0.257_68, 29.234), [1.0, 0.0, 0.0]);
        check(Oklch::new(0.866_44, 0.294_83, 142.495), [0.0, 1.0, 0.0]);
        check(Oklch::new(0.452_01, 0.313_21, 264.052), [0.0, 0.0, 1.0]);
        assert!((contrast(Oklch::new(0.0, 0.0, 0.0), Oklch::new(1.0, 0.0, 0.0)) - 21.0).abs() < 0.01);
    }

    #[test]
    fn a_colour_that_no_screen_shows_loses_chroma_and_nothing_else() {
        let vivid = Oklch::new(0.6, 0.4, 200.0);
        assert!(!vivid.is_shown());
        let fitted = vivid.fitted();
        assert!(fitted.is_shown() && fitted.chroma > 0.05 && fitted.chroma < 0.4, "{fitted}");
        assert_eq!(Oklch { chroma: 0.4, ..fitted }, vivid);
        let calm = Oklch::new(0.6, 0.05, 200.0);
        assert_eq!(calm.fitted(), calm);
    }
}
