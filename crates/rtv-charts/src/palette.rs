//! Colours of charts, for light and dark surfaces. The design gives them as `oklch`; SVG readers outside browsers know only sRGB, so
//! both stand here side by side and a test recomputes one from the other and checks the contrast on the surface.

/// Light or dark surface under the chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Theme {
    /// Dark ink on white; also for paper.
    Light,
    /// Light ink on near-black.
    Dark,
}

impl Theme {
    /// The colours of this theme.
    pub const fn palette(self) -> &'static Palette {
        match self {
            Self::Light => &LIGHT,
            Self::Dark => &DARK,
        }
    }
}

/// A colour as the design states it: lightness 0–1, chroma, hue in degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Oklch(pub f64, pub f64, pub f64);

/// One colour in both notations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Colour {
    /// The source value in the design.
    pub oklch: Oklch,
    /// The same colour as `#rrggbb`.
    pub hex: &'static str,
}

impl Colour {
    /// The colour let through, as `rgba(…)`; `opacity` from 0 to 1.
    pub fn faded(self, opacity: f64) -> String {
        let channel = |from: usize| u8::from_str_radix(&self.hex[from..from + 2], 16).unwrap_or_default();
        format!("rgba({},{},{},{opacity})", channel(1), channel(3), channel(5))
    }
}

/// How a line is dashed, so that colour is never the only difference; lengths in px, empty for solid.
pub type Dash = &'static [u8];

/// Colour, dash and marker of the n-th series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeriesColour {
    /// Ink of line and marker.
    pub colour: Colour,
    /// Dash of the line.
    pub dash: Dash,
    /// `ECharts` symbol; a name that starts with `empty` is hollow.
    pub symbol: &'static str,
}

/// All colours a chart uses in one theme.
#[derive(Debug, Clone, PartialEq)]
pub struct Palette {
    /// The card that the chart lies on.
    pub surface: Colour,
    /// The tooltip's ground.
    pub raised: Colour,
    /// Gridlines and borders; decorative.
    pub line: Colour,
    /// Ink of values.
    pub text: Colour,
    /// Ink of direct labels.
    pub text_2: Colour,
    /// Ink of axis labels.
    pub text_3: Colour,
    /// Series in order of use. The eighth is for "Other" and for the period compared with.
    pub series: [SeriesColour; 8],
}

impl Palette {
    /// The grey of "Other" and of the period compared with.
    pub const fn muted(&self) -> &SeriesColour {
        &self.series[7]
    }
}

const fn colour(lightness: f64, chroma: f64, hue: f64, hex: &'static str) -> Colour {
    Colour { oklch: Oklch(lightness, chroma, hue), hex }
}

const fn series(colours: &[Colour; 8]) -> [SeriesColour; 8] {
    const LOOKS: [(Dash, &str); 8] = [
        (&[], "circle"),
        (&[8, 4], "rect"),
        (&[2, 3], "triangle"),
        (&[12, 3, 2, 3], "diamond"),
        (&[6, 2], "arrow"),
        (&[4, 4], "emptyCircle"),
        (&[1, 2], "emptyRect"),
        (&[], "circle"),
    ];
    let mut all = [SeriesColour { colour: colours[0], dash: LOOKS[0].0, symbol: LOOKS[0].1 }; 8];
    let mut slot = 1;
    while slot < 8 {
        all[slot] = SeriesColour { colour: colours[slot], dash: LOOKS[slot].0, symbol: LOOKS[slot].1 };
        slot += 1;
    }
    all
}

static LIGHT: Palette = Palette {
    surface: colour(1.0, 0.0, 0.0, "#ffffff"),
    raised: colour(1.0, 0.0, 0.0, "#ffffff"),
    line: colour(0.91, 0.008, 258.0, "#dee1e7"),
    text: colour(0.23, 0.02, 262.0, "#181d26"),
    text_2: colour(0.44, 0.022, 260.0, "#4c535f"),
    text_3: colour(0.51, 0.02, 260.0, "#5f6772"),
    series: series(&[
        colour(0.36, 0.19, 272.0, "#24229e"),
        colour(0.48, 0.105, 65.0, "#854f06"),
        colour(0.64, 0.13, 90.0, "#ab8704"),
        colour(0.655, 0.19, 300.0, "#a46ff1"),
        colour(0.60, 0.18, 10.0, "#d44567"),
        colour(0.52, 0.09, 240.0, "#316f97"),
        colour(0.36, 0.075, 165.0, "#014933"),
        colour(0.64, 0.02, 270.0, "#878c99"),
    ]),
};

static DARK: Palette = Palette {
    surface: colour(0.215, 0.014, 262.0, "#161a20"),
    raised: colour(0.255, 0.016, 262.0, "#1f232b"),
    line: colour(0.31, 0.016, 262.0, "#2c3039"),
    text: colour(0.95, 0.008, 260.0, "#ebeff4"),
    text_2: colour(0.77, 0.014, 260.0, "#afb5bd"),
    text_3: colour(0.68, 0.016, 260.0, "#9399a2"),
    series: series(&[
        colour(0.76, 0.12, 272.0, "#96acfe"),
        colour(0.60, 0.16, 50.0, "#c85d00"),
        colour(0.91, 0.16, 110.0, "#e8ea5e"),
        colour(0.60, 0.17, 310.0, "#9f5dcb"),
        colour(0.80, 0.115, 10.0, "#fe9ead"),
        colour(0.91, 0.08, 210.0, "#a1f0ff"),
        colour(0.60, 0.125, 165.0, "#06976d"),
        colour(0.60, 0.02, 270.0, "#7b808d"),
    ]),
};

#[cfg(test)]
mod tests {
    use super::*;

    /// Linear sRGB, clamped to the gamut. Matrices: Björn Ottosson, "A perceptual color space for image processing" (2020).
    fn linear(Oklch(lightness, chroma, hue): Oklch) -> [f64; 3] {
        let (sine, cosine) = hue.to_radians().sin_cos();
        let (a, b) = (chroma * cosine, chroma * sine);
        let long = (lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
        let medium = (lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
        let short = (lightness - 0.089_484_177_5 * a - 1.291_485_548_0 * b).powi(3);
        [
            4.076_741_662_1 * long - 3.307_711_591_3 * medium + 0.230_969_929_2 * short,
            -1.268_438_004_6 * long + 2.609_757_401_1 * medium - 0.341_319_396_5 * short,
            -0.004_196_086_3 * long - 0.703_418_614_7 * medium + 1.707_614_701_0 * short,
        ]
        .map(|channel| channel.clamp(0.0, 1.0))
    }

    // The channels lie between 0 and 255.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn hex(source: Oklch) -> String {
        let [red, green, blue] = linear(source).map(|channel| {
            let encoded =
                if channel <= 0.003_130_8 { 12.92 * channel } else { 1.055 * channel.powf(1.0 / 2.4) - 0.055 };
            (encoded * 255.0).round()
        });
        format!("#{red:02x}{green:02x}{blue:02x}", red = red as u8, green = green as u8, blue = blue as u8)
    }

    fn luminance(colour: Colour) -> f64 {
        let channel = |from: usize| {
            let encoded = f64::from(u8::from_str_radix(&colour.hex[from..from + 2], 16).unwrap()) / 255.0;
            if encoded <= 0.040_45 { encoded / 12.92 } else { ((encoded + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    /// WCAG 2 contrast ratio.
    fn contrast(first: Colour, second: Colour) -> f64 {
        let (first, second) = (luminance(first), luminance(second));
        (first.max(second) + 0.05) / (first.min(second) + 0.05)
    }

    #[test]
    fn every_hex_value_is_the_oklch_value_of_the_design() {
        for palette in [&LIGHT, &DARK] {
            let roles = [palette.surface, palette.raised, palette.line, palette.text, palette.text_2, palette.text_3];
            for colour in roles.into_iter().chain(palette.series.iter().map(|series| series.colour)) {
                assert_eq!(hex(colour.oklch), colour.hex, "{:?}", colour.oklch);
            }
        }
    }

    #[test]
    fn every_series_stands_out_from_the_surface() {
        for palette in [&LIGHT, &DARK] {
            for series in &palette.series {
                let ratio = contrast(series.colour, palette.surface);
                assert!(ratio >= 3.0, "{} has {ratio:.2}", series.colour.hex);
            }
        }
    }

    #[test]
    fn text_is_readable_on_the_surface_and_in_the_tooltip() {
        for palette in [&LIGHT, &DARK] {
            for text in [palette.text, palette.text_2, palette.text_3] {
                for ground in [palette.surface, palette.raised] {
                    assert!(contrast(text, ground) >= 4.5, "{} on {}", text.hex, ground.hex);
                }
            }
        }
    }

    #[test]
    fn no_two_series_look_alike_without_colour() {
        let named = &LIGHT.series[..7];
        for (slot, series) in named.iter().enumerate() {
            assert!(named[slot + 1..].iter().all(|other| other.dash != series.dash && other.symbol != series.symbol));
        }
    }
}
