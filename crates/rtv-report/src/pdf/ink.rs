//! The colours of paper: those of the light theme (`style/tokens`), and the tenant's hue for rules and accents.

use rtv_core::brand::Brand;
use rtv_core::color::Oklch;

/// How colourful a tenant's accents are; their hue alone is asked for.
const CHROMA: f64 = 0.15;
/// The hue of those who have chosen none that can be read, degrees.
const OWN_HUE: f64 = 264.0;

/// A colour as printers' programs know it: sRGB, each from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ink {
    pub(super) red: f32,
    pub(super) green: f32,
    pub(super) blue: f32,
}

impl Ink {
    pub(super) const fn new(red: f32, green: f32, blue: f32) -> Self {
        Self { red, green, blue }
    }

    fn of(color: Oklch) -> Self {
        let [red, green, blue] = color.fitted().linear().map(|channel| {
            let channel = channel.clamp(0.0, 1.0);
            let encoded =
                if channel <= 0.003_130_8 { channel * 12.92 } else { 1.055 * channel.powf(1.0 / 2.4) - 0.055 };
            // Three digits are finer than any screen.
            narrow((encoded * 1_000.0).round() / 1_000.0)
        });
        Self { red, green, blue }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "channels lie between 0 and 1")]
fn narrow(value: f64) -> f32 {
    value as f32
}

/// All that a report is drawn with.
#[derive(Debug, Clone)]
pub(super) struct Inks {
    /// Words.
    pub(super) text: Ink,
    /// Words beside others.
    pub(super) quiet: Ink,
    /// Words that are looked for, such as page numbers.
    pub(super) faint: Ink,
    /// Hairlines.
    pub(super) line: Ink,
    /// Grounds of tiles and totals.
    pub(super) sunken: Ink,
    /// Rules and marks, in the tenant's hue.
    pub(super) accent: Ink,
    /// Links, in the tenant's hue.
    pub(super) accent_text: Ink,
    /// Better.
    pub(super) better: Ink,
    /// Worse.
    pub(super) worse: Ink,
}

impl Inks {
    pub(super) fn of(hue: f64) -> Self {
        let hue = if hue.is_finite() { hue.rem_euclid(360.0) } else { OWN_HUE };
        let accents = Brand::new(hue, CHROMA).ok().and_then(Brand::accents);
        let (accent, accent_text) = match accents {
            Some([light, _]) => (light.accent, light.text),
            None => (Oklch::new(0.50, 0.19, OWN_HUE), Oklch::new(0.47, 0.19, OWN_HUE)),
        };
        Self {
            text: Ink::of(Oklch::new(0.23, 0.02, 262.0)),
            quiet: Ink::of(Oklch::new(0.44, 0.022, 260.0)),
            faint: Ink::of(Oklch::new(0.51, 0.02, 260.0)),
            line: Ink::of(Oklch::new(0.88, 0.008, 258.0)),
            sunken: Ink::of(Oklch::new(0.972, 0.004, 255.0)),
            accent: Ink::of(accent),
            accent_text: Ink::of(accent_text),
            better: Ink::of(Oklch::new(0.42, 0.085, 165.0)),
            worse: Ink::of(Oklch::new(0.47, 0.19, 27.0)),
        }
    }
}
