//! A tenant's own colour within the contrast rule. The tenant chooses hue and chroma; lightness is ours, in each theme as
//! near to the brand's own as words on it and beside it can still be read. Status colours and series never change.

use crate::color::{Oklch, contrast};
use crate::error::{Error, FieldError};

/// Least contrast of words, and a little for the rounding to a screen's 256 steps.
const LEAST: f64 = 4.5 + 0.05;
/// How finely lightness is tried.
const STEP: f64 = 0.005;

/// What words and controls stand on and must stand out from, in one theme. A test of `rtv-ui` compares it with
/// `style/tokens/color.css`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grounds {
    /// Cards and bars.
    pub surface: Oklch,
    /// The page.
    pub canvas: Oklch,
    /// Everything else that words in the accent's colour stand on: sunken, raised, hover, and the four kinds of message.
    pub others: [Oklch; 7],
    /// What is chosen, in the default hue.
    pub selected: Oklch,
    /// Words on the accent.
    pub on_accent: Oklch,
    /// The faintest words, which also stand on what is chosen.
    pub faintest: Oklch,
}

/// The light theme's grounds.
pub const LIGHT: Grounds = Grounds {
    surface: Oklch::new(1.0, 0.0, 0.0),
    canvas: Oklch::new(0.985, 0.003, 260.0),
    others: [
        Oklch::new(0.965, 0.004, 255.0),
        Oklch::new(1.0, 0.0, 0.0),
        Oklch::new(0.95, 0.006, 258.0),
        Oklch::new(0.955, 0.022, 235.0),
        Oklch::new(0.955, 0.03, 165.0),
        Oklch::new(0.965, 0.04, 88.0),
        Oklch::new(0.96, 0.015, 20.0),
    ],
    selected: Oklch::new(0.945, 0.022, 264.0),
    on_accent: Oklch::new(1.0, 0.0, 0.0),
    faintest: Oklch::new(0.51, 0.02, 260.0),
};

/// The dark theme's grounds.
pub const DARK: Grounds = Grounds {
    surface: Oklch::new(0.215, 0.014, 262.0),
    canvas: Oklch::new(0.18, 0.012, 262.0),
    others: [
        Oklch::new(0.155, 0.01, 262.0),
        Oklch::new(0.255, 0.016, 262.0),
        Oklch::new(0.275, 0.018, 262.0),
        Oklch::new(0.28, 0.05, 242.0),
        Oklch::new(0.27, 0.045, 165.0),
        Oklch::new(0.29, 0.05, 78.0),
        Oklch::new(0.28, 0.075, 24.0),
    ],
    selected: Oklch::new(0.30, 0.06, 264.0),
    on_accent: Oklch::new(0.17, 0.04, 264.0),
    faintest: Oklch::new(0.68, 0.016, 260.0),
};

/// A tenant's colour, as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Brand {
    /// Degrees, 0 to 359.
    hue: u16,
    /// Thousandths, 0 to 400.
    chroma: u16,
}

/// The tokens that a brand changes, in one theme.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Accent {
    /// Fills of buttons and marks.
    pub accent: Oklch,
    /// The same under the pointer.
    pub hover: Oklch,
    /// Links and words.
    pub text: Oklch,
    /// The ground of what is chosen.
    pub selected: Oklch,
}

impl Brand {
    /// The most chroma that is taken; no screen shows as much.
    pub const MOST_CHROMA: f64 = 0.4;

    /// A brand by hue in degrees and chroma, both as OKLCH has them.
    pub fn new(hue: f64, chroma: f64) -> Result<Self, Error> {
        let mut errors = Vec::new();
        let mut refuse = |field: &str, message: &str| {
            errors.push(FieldError { field: field.into(), message: message.into() });
        };
        if !(0.0..=360.0).contains(&hue) {
            refuse("hue", "use degrees from 0 to 360, as in oklch(0.6 0.15 250): 250");
        }
        if !(0.0..=Self::MOST_CHROMA).contains(&chroma) {
            refuse("chroma", "use a number from 0 to 0.4, as in oklch(0.6 0.15 250): 0.15");
        }
        if !errors.is_empty() {
            return Err(Error::Invalid(errors));
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "both were just found to be small")]
        let stored = Self { hue: hue.round() as u16 % 360, chroma: (chroma * 1_000.0).round() as u16 };
        Ok(stored)
    }

    /// As it is stored: degrees and thousandths. `None` for what no brand can be.
    pub fn from_stored(hue: i16, chroma: i16) -> Option<Self> {
        Self::new(f64::from(hue), f64::from(chroma) / 1_000.0).ok()
    }

    /// As it is stored: degrees and thousandths.
    pub fn stored(self) -> (i16, i16) {
        // Both are far below what fits.
        (self.hue.cast_signed(), self.chroma.cast_signed())
    }

    /// Hue in degrees.
    pub fn hue(self) -> f64 {
        f64::from(self.hue)
    }

    /// Chroma.
    pub fn chroma(self) -> f64 {
        f64::from(self.chroma) / 1_000.0
    }

    /// The light and the dark theme's tokens; `None` where no lightness can be read, so that the default stays.
    pub fn accents(self) -> Option<[Accent; 2]> {
        // Towards black on light grounds and towards white on dark ones, from where a brand looks most like itself.
        Some([self.accent(&LIGHT, 0.64, -STEP)?, self.accent(&DARK, 0.58, STEP)?])
    }

    fn accent(self, grounds: &Grounds, start: f64, step: f64) -> Option<Accent> {
        let color = |lightness: f64, chroma: f64| Oklch::new(lightness, chroma, self.hue()).fitted();
        let reads_on = |color: Oklch, ground: Oklch| contrast(color, ground) >= LEAST;
        let clamp = |start: f64, is_readable: &dyn Fn(Oklch) -> bool| {
            let mut lightness = start;
            while (0.2..=0.97).contains(&lightness) {
                let tried = color(lightness, self.chroma());
                if is_readable(tried) {
                    return Some(tried);
                }
                lightness += step;
            }
            None
        };
        // What is chosen keeps its lightness, and no more chroma than the default: it is a ground for words.
        let selected = color(grounds.selected.lightness, self.chroma().min(grounds.selected.chroma));
        if !reads_on(grounds.faintest, selected) {
            return None;
        }
        let accent = clamp(start, &|accent| {
            reads_on(accent, grounds.surface) && reads_on(accent, grounds.canvas) && reads_on(grounds.on_accent, accent)
        })?;
        let text = clamp(accent.lightness, &|text| {
            let fixed = [grounds.surface, grounds.canvas, selected];
            fixed.iter().chain(&grounds.others).all(|ground| reads_on(text, *ground))
        })?;
        Some(Accent { accent, hover: color(accent.lightness + step * 10.0, self.chroma()), text, selected })
    }

    /// The rule that puts the brand's tokens in the place of the default ones.
    pub fn css(self) -> Option<String> {
        let [light, dark] = self.accents()?;
        let token = |name: &str, light: Oklch, dark: Oklch| format!("--color-{name}:light-dark({light},{dark});");
        Some(format!(
            ":root{{{}{}{}{}}}",
            token("accent", light.accent, dark.accent),
            token("accent-hover", light.hover, dark.hover),
            token("accent-text", light.text, dark.text),
            token("selected", light.selected, dark.selected),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hue_and_chroma_can_be_read_in_both_themes() {
        for hue in 0..360_u16 {
            for chroma in (0..=400_u16).step_by(20) {
                let brand = Brand { hue, chroma };
                let accents = brand.accents().unwrap_or_else(|| panic!("{brand:?} has no lightness"));
                for (grounds, made) in [LIGHT, DARK].iter().zip(accents) {
                    let check = |one: Oklch, other: Oklch, what: &str| {
                        let found = contrast(one, other);
                        assert!(found >= 4.5, "{brand:?}: {what} has {found:.2}");
                    };
                    check(made.accent, grounds.surface, "accent on surface");
                    check(made.accent, grounds.canvas, "accent on canvas");
                    check(grounds.on_accent, made.accent, "words on the accent");
                    check(grounds.on_accent, made.hover, "words on the accent under the pointer");
                    check(grounds.faintest, made.selected, "faint words on what is chosen");
                    check(made.text, made.selected, "accent words on what is chosen");
                    for ground in [grounds.surface, grounds.canvas].iter().chain(&grounds.others) {
                        check(made.text, *ground, "accent words");
                    }
                    for color in [made.accent, made.hover, made.text, made.selected] {
                        assert!(color.is_shown(), "{brand:?}: {color} is shown by no screen");
                    }
                }
            }
        }
    }

    #[test]
    fn a_brand_keeps_its_hue_and_as_much_chroma_as_there_is() {
        let [light, dark] = Brand::new(145.0, 0.12).unwrap().accents().unwrap();
        for color in [light.accent, light.text, dark.accent, dark.text] {
            assert!((color.hue - 145.0).abs() < 0.01 && color.chroma > 0.09, "{color}");
        }
        // Clamped to what can be read and no further.
        assert!(contrast(light.accent, LIGHT.canvas) < 4.8, "{}", light.accent);
    }

    #[test]
    fn what_is_no_hue_or_chroma_is_refused_by_name() {
        let fields = |hue, chroma| match Brand::new(hue, chroma) {
            Err(Error::Invalid(errors)) => errors.into_iter().map(|error| error.field).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        assert_eq!(fields(361.0, 0.1), ["hue"]);
        assert_eq!(fields(-1.0, 0.5), ["hue", "chroma"]);
        assert_eq!(fields(f64::NAN, f64::INFINITY), ["hue", "chroma"]);
        assert_eq!(Brand::new(360.0, 0.4).unwrap().stored(), (0, 400));
        let brand = Brand::new(28.4, 0.1404).unwrap();
        assert_eq!(Brand::from_stored(brand.stored().0, brand.stored().1), Some(brand));
        assert_eq!(Brand::from_stored(-1, 7), None);
    }

    #[test]
    fn the_rule_names_no_status_colour() {
        let css = Brand::new(28.0, 0.14).unwrap().css().unwrap();
        assert!(css.starts_with(":root{--color-accent:light-dark(oklch("), "{css}");
        for token in ["danger", "success", "warning", "info", "halt", "state", "chart", "focus"] {
            assert!(!css.contains(token), "{css}");
        }
    }
}
