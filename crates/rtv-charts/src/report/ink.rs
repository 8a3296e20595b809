//! The colours of one report chart. A tenant's colour takes the first place of the palette: its hue and chroma stay, and the two colours
//! of the palette that are nearest to it make room. Its lightness is moved as little as it takes to stand out from the surface and from
//! the five that stay, also for people who see fewer colours. A seventh colour is made in the hue of one of the two that went.

use rtv_core::Brand;
use rtv_core::color::{Oklch, contrast};

use crate::palette::{Dash, Palette, Theme};

/// Least contrast of a line or bar with the surface; a little more than WCAG's 3 for the rounding to 256 steps.
const LEAST_CONTRAST: f64 = 3.05;
/// As far apart as the first six series of a tenant are wanted, in CIEDE2000.
const WANTED_DISTANCE: f64 = 12.0;
/// How finely lightness is tried.
const STEP: f64 = 0.02;

/// Colour, dash and marker of one series.
#[derive(Debug, Clone)]
pub(super) struct Ink {
    pub(super) hex: String,
    pub(super) dash: Dash,
    pub(super) symbol: &'static str,
    color: Oklch,
}

impl Ink {
    /// Ink for words on a fill of this one.
    pub(super) fn on(&self) -> &'static str {
        let (white, black) = (Oklch::new(1.0, 0.0, 0.0), Oklch::new(0.18, 0.0, 0.0));
        if contrast(white, self.color) >= contrast(black, self.color) { "#ffffff" } else { "#121212" }
    }
}

/// All colours of one chart.
#[derive(Debug)]
pub(super) struct Inks {
    pub(super) palette: &'static Palette,
    named: Vec<Ink>,
    rest: Ink,
    surface: Oklch,
    is_dark: bool,
}

impl Inks {
    /// So many named colours as a chart needs, at least six.
    pub(super) fn of(theme: Theme, brand: Option<Brand>, wanted: usize) -> Self {
        let palette = theme.palette();
        let is_dark = theme == Theme::Dark;
        let color = |slot: usize| {
            let crate::palette::Oklch(lightness, chroma, hue) = palette.series[slot].colour.oklch;
            Oklch::new(lightness, chroma, hue)
        };
        let crate::palette::Oklch(lightness, chroma, hue) = palette.surface.oklch;
        let surface = Oklch::new(lightness, chroma, hue);
        let mut order: Vec<(Oklch, String)> =
            (0..7).map(|slot| (color(slot), palette.series[slot].colour.hex.to_owned())).collect();
        if let Some(brand) = brand {
            let colors: Vec<Oklch> = (0..8).map(color).collect();
            let (first, gone) = placed(brand, is_dark, surface, &colors);
            order = (0..7).zip(order).filter(|(slot, _)| !gone.contains(slot)).map(|(_, ink)| ink).collect();
            order.insert(0, (first, hex(first)));
            if wanted > order.len() {
                let stays: Vec<Oklch> = order.iter().map(|(color, _)| *color).chain([colors[7]]).collect();
                let seventh = farthest(&gone.map(|slot| colors[slot]), &stays, surface);
                order.push((seventh, hex(seventh)));
            }
        }
        let ink = |slot: usize, color: Oklch, hex: String| {
            let look = &palette.series[slot];
            Ink { hex, dash: look.dash, symbol: look.symbol, color }
        };
        let named = order.into_iter().enumerate().map(|(slot, (color, hex))| ink(slot, color, hex)).collect();
        let rest = ink(7, color(7), palette.series[7].colour.hex.to_owned());
        Self { palette, named, rest, surface, is_dark }
    }

    /// The n-th series'. Nobody can tell more than seven apart; what draws more has seen to that.
    pub(super) fn named(&self, index: usize) -> &Ink {
        &self.named[index % self.named.len()]
    }

    /// The grey of "Other" and of the period compared with.
    pub(super) fn rest(&self) -> &Ink {
        &self.rest
    }

    /// The colour of the same thing in the period compared with.
    pub(super) fn pale(&self, ink: &Ink) -> String {
        hex(mixed(self.surface, ink.color, if self.is_dark { 0.45 } else { 0.35 }))
    }

    /// So many shades from faint to full, in the first series' hue.
    pub(super) fn shades(&self, count: usize) -> Vec<String> {
        let full = self.named(0).color;
        let start = if self.is_dark { 0.22 } else { 0.10 };
        (0..count)
            .map(|step| {
                // A handful.
                #[allow(clippy::cast_precision_loss)]
                let part = if count > 1 { step as f64 / (count - 1) as f64 } else { 1.0 };
                hex(mixed(self.surface, full, start + (1.0 - start) * part))
            })
            .collect()
    }
}

/// On the way from one to the other, in the first's hue where it has one.
fn mixed(from: Oklch, to: Oklch, part: f64) -> Oklch {
    let between = |from: f64, to: f64| from + (to - from) * part;
    Oklch::new(between(from.lightness, to.lightness), between(0.0, to.chroma), to.hue).fitted()
}

/// The brand's colour and which two of the seven named colours go. Of the lightnesses that stand out from the surface it takes the one
/// nearest to the brand's own with which all that stay are far enough apart; where there is none, the one that comes closest to that.
fn placed(brand: Brand, is_dark: bool, surface: Oklch, colors: &[Oklch]) -> (Oklch, [usize; 2]) {
    let known: Vec<[Lab; 4]> = colors.iter().map(|color| sights(*color)).collect();
    let own = brand
        .accents()
        .map_or(0.5, |[light, dark]| if is_dark { dark.accent.lightness } else { light.accent.lightness });
    let mut best = (f64::NEG_INFINITY, colors[0], [0, 1]);
    for turn in 0..80_u32 {
        // 0, +1, −1, +2, −2 … steps from the brand's own.
        let away = f64::from(turn.div_ceil(2)) * STEP;
        let lightness = if turn % 2 == 1 { own + away } else { own - away };
        if !(0.2..=0.95).contains(&lightness) {
            continue;
        }
        let tried = Oklch::new(lightness, brand.chroma(), brand.hue()).fitted();
        if contrast(tried, surface) < LEAST_CONTRAST {
            continue;
        }
        let seen = sights(tried);
        let distances: Vec<f64> = known.iter().map(|known| distance(&seen, known)).collect();
        let mut nearest: Vec<usize> = (0..7).collect();
        nearest.sort_by(|one, other| distances[*one].total_cmp(&distances[*other]));
        let gone = [nearest[0], nearest[1]];
        let stays = distances.iter().enumerate().filter(|(slot, _)| !gone.contains(slot)).map(|(_, found)| *found);
        let least = stays.fold(f64::INFINITY, f64::min);
        if least > best.0 {
            best = (least, tried, gone);
        }
        if least >= WANTED_DISTANCE {
            break;
        }
    }
    (best.1, best.2)
}

/// Of the given hues the colour that is farthest from all that stay.
fn farthest(gone: &[Oklch], stays: &[Oklch], surface: Oklch) -> Oklch {
    let known: Vec<[Lab; 4]> = stays.iter().map(|color| sights(*color)).collect();
    let mut best = (f64::NEG_INFINITY, gone[0]);
    for color in gone {
        for step in 0..36_u32 {
            for chroma in [color.chroma, color.chroma / 2.0] {
                let tried = Oklch::new(0.25 + 0.02 * f64::from(step), chroma, color.hue).fitted();
                if contrast(tried, surface) < LEAST_CONTRAST {
                    continue;
                }
                let seen = sights(tried);
                let least = known.iter().map(|known| distance(&seen, known)).fold(f64::INFINITY, f64::min);
                if least > best.0 {
                    best = (least, tried);
                }
            }
        }
    }
    best.1
}

/// As `#rrggbb`.
fn hex(color: Oklch) -> String {
    let [red, green, blue] = color.linear().map(|channel| {
        let channel = channel.clamp(0.0, 1.0);
        let encoded = if channel <= 0.003_130_8 { 12.92 * channel } else { 1.055 * channel.powf(1.0 / 2.4) - 0.055 };
        // Between 0 and 255.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let byte = (encoded * 255.0).round() as u8;
        byte
    });
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// CIE L*a*b* for D65.
type Lab = [f64; 3];

/// What somebody sees of a colour: with all three kinds of cones, and with each of them missing. Matrices: Machado, Oliveira and
/// Fernandes, "A physiologically-based model for simulation of color vision deficiency" (2009), full severity.
fn sights(color: Oklch) -> [Lab; 4] {
    const PROTAN: [[f64; 3]; 3] =
        [[0.152_286, 1.052_583, -0.204_868], [0.114_503, 0.786_281, 0.099_216], [-0.003_882, -0.048_116, 1.051_998]];
    const DEUTAN: [[f64; 3]; 3] =
        [[0.367_322, 0.860_646, -0.227_968], [0.280_085, 0.672_501, 0.047_413], [-0.011_820, 0.042_940, 0.968_881]];
    const TRITAN: [[f64; 3]; 3] =
        [[1.255_528, -0.076_749, -0.178_779], [-0.078_411, 0.930_809, 0.147_602], [0.004_733, 0.691_367, 0.303_900]];
    let linear = color.linear().map(|channel| channel.clamp(0.0, 1.0));
    let through = |matrix: &[[f64; 3]; 3]| lab(product(matrix, linear).map(|channel| channel.clamp(0.0, 1.0)));
    [lab(linear), through(&PROTAN), through(&DEUTAN), through(&TRITAN)]
}

fn product(matrix: &[[f64; 3]; 3], [x, y, z]: [f64; 3]) -> [f64; 3] {
    [0, 1, 2].map(|row| matrix[row][0] * x + matrix[row][1] * y + matrix[row][2] * z)
}

/// From linear sRGB (IEC 61966-2-1).
fn lab(linear: [f64; 3]) -> Lab {
    const XYZ: [[f64; 3]; 3] =
        [[0.412_456, 0.357_576, 0.180_438], [0.212_673, 0.715_152, 0.072_175], [0.019_334, 0.119_192, 0.950_304]];
    let [x, y, z] = product(&XYZ, linear);
    let bent = |value: f64| if value > 0.008_856 { value.cbrt() } else { 7.787 * value + 16.0 / 116.0 };
    let (x, y, z) = (bent(x / 0.950_47), bent(y), bent(z / 1.088_83));
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

/// The least difference of two colours for anybody.
fn distance(one: &[Lab; 4], other: &[Lab; 4]) -> f64 {
    one.iter().zip(other).map(|(one, other)| ciede2000(*one, *other)).fold(f64::INFINITY, f64::min)
}

/// Sharma, Wu and Dalal, "The CIEDE2000 color-difference formula" (2005); the names are those of its equations.
#[expect(clippy::many_single_char_names, reason = "the names of the formula")]
fn ciede2000([l1, a1, b1]: Lab, [l2, a2, b2]: Lab) -> f64 {
    let seventh = |value: f64| (value.powi(7) / (value.powi(7) + 25_f64.powi(7))).sqrt();
    let g = 0.5 * (1.0 - seventh(f64::midpoint(a1.hypot(b1), a2.hypot(b2))));
    let (a1, a2) = (a1 * (1.0 + g), a2 * (1.0 + g));
    let (c1, c2) = (a1.hypot(b1), a2.hypot(b2));
    let angle = |a: f64, b: f64| if a == 0.0 && b == 0.0 { 0.0 } else { b.atan2(a).to_degrees().rem_euclid(360.0) };
    let (h1, h2) = (angle(a1, b1), angle(a2, b2));
    let is_grey = c1 * c2 == 0.0;
    let mut turn = if is_grey { 0.0 } else { h2 - h1 };
    if turn > 180.0 {
        turn -= 360.0;
    } else if turn < -180.0 {
        turn += 360.0;
    }
    let (dl, dc, dh) = (l2 - l1, c2 - c1, 2.0 * (c1 * c2).sqrt() * (turn / 2.0).to_radians().sin());
    let (l, c) = (f64::midpoint(l1, l2), f64::midpoint(c1, c2));
    let h = match h1 + h2 {
        sum if is_grey => sum,
        sum if (h1 - h2).abs() <= 180.0 => sum / 2.0,
        sum if sum < 360.0 => f64::midpoint(sum, 360.0),
        sum => (sum - 360.0) / 2.0,
    };
    let cosine = |degrees: f64| degrees.to_radians().cos();
    let t = 1.0 - 0.17 * cosine(h - 30.0) + 0.24 * cosine(2.0 * h) + 0.32 * cosine(3.0 * h + 6.0)
        - 0.20 * cosine(4.0 * h - 63.0);
    let sl = 1.0 + 0.015 * (l - 50.0).powi(2) / (20.0 + (l - 50.0).powi(2)).sqrt();
    let (sc, sh) = (1.0 + 0.045 * c, 1.0 + 0.015 * c * t);
    let rotation = -(2.0 * 30.0 * (-((h - 275.0) / 25.0).powi(2)).exp()).to_radians().sin() * 2.0 * seventh(c);
    ((dl / sl).powi(2) + (dc / sc).powi(2) + (dh / sh).powi(2) + rotation * (dc / sc) * (dh / sh)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(one: Lab, other: Lab, expect: f64) {
        for (one, other) in [(one, other), (other, one)] {
            let found = ciede2000(one, other);
            assert!((found - expect).abs() < 1e-4, "{one:?} {other:?}: {found}");
        }
    }

    #[test]
    fn the_difference_of_two_colours_is_that_of_the_published_pairs() {
        check([50.0, 2.6772, -79.7751], [50.0, 0.0, -82.7485], 2.0425);
        check([50.0, -1.3802, -84.2814], [50.0, 0.0, -82.7485], 1.0);
        check([50.0, 0.0, 0.0], [50.0, -1.0, 2.0], 2.3669);
        check([50.0, 2.5, 0.0], [73.0, 25.0, -18.0], 27.1492);
        check([50.0, 2.5, 0.0], [61.0, -5.0, 29.0], 22.8977);
        check([60.2574, -34.0099, 36.2677], [60.4626, -34.1751, 39.4387], 1.2644);
        check([22.7233, 20.0904, -46.6940], [23.0331, 14.9730, -42.5619], 2.0373);
        check([2.0776, 0.0795, -1.1350], [0.9033, -0.0636, -0.5514], 0.9082);
    }

    /// Least distance of any two of so many colours and the grey.
    fn least(inks: &Inks, count: usize) -> f64 {
        let named = inks.named.iter().take(count);
        let all: Vec<[Lab; 4]> = named.chain([&inks.rest]).map(|ink| sights(ink.color)).collect();
        let pairs =
            all.iter().enumerate().flat_map(|(index, one)| all[index + 1..].iter().map(move |other| (one, other)));
        pairs.map(|(one, other)| distance(one, other)).fold(f64::INFINITY, f64::min)
    }

    #[test]
    fn the_eight_colours_differ_for_everybody() {
        for theme in [Theme::Light, Theme::Dark] {
            let found = least(&Inks::of(theme, None, 7), 7);
            assert!(found >= 15.0, "{theme:?}: {found:.1}");
        }
    }

    #[test]
    fn a_brand_comes_first_stands_out_and_differs_from_the_others_for_everybody() {
        let (mut of_six, mut of_seven, mut moved) = (f64::INFINITY, f64::INFINITY, 0.0_f64);
        for theme in [Theme::Light, Theme::Dark] {
            for hue in (0..360_u16).step_by(5) {
                for chroma in [0.0, 0.04, 0.1, 0.16, 0.2, 0.4] {
                    let brand = Brand::new(f64::from(hue), chroma).unwrap();
                    let inks = Inks::of(theme, Some(brand), 7);
                    let first = inks.named(0).color;
                    assert!((first.hue - f64::from(hue)).abs() < 1e-9 && first.is_shown(), "{first}");
                    assert_eq!(inks.named.len(), 7);
                    for ink in &inks.named {
                        let ratio = contrast(ink.color, inks.surface);
                        assert!(ratio >= 3.0, "{theme:?} {hue} {chroma}: {} has {ratio:.2}", ink.hex);
                    }
                    of_six = of_six.min(least(&inks, 6));
                    of_seven = of_seven.min(least(&inks, 7));
                    let [light, dark] = brand.accents().unwrap();
                    let own = if theme == Theme::Dark { dark.accent } else { light.accent };
                    moved = moved.max((own.lightness - first.lightness).abs());
                }
            }
        }
        assert!(of_six >= WANTED_DISTANCE, "{of_six:.1}");
        assert!(of_seven >= 10.0, "{of_seven:.1}");
        assert!(moved <= 0.25, "{moved:.2}");
    }

    #[test]
    fn without_a_brand_the_palette_is_the_designs() {
        let inks = Inks::of(Theme::Dark, None, 7);
        assert_eq!(inks.named(0).hex, "#96acfe");
        assert_eq!(hex(inks.named(0).color), "#96acfe");
        assert_eq!(inks.rest().hex, "#7b808d");
        let dashes: std::collections::BTreeSet<_> = inks.named.iter().map(|ink| ink.dash).collect();
        assert_eq!(dashes.len(), 7);
    }

    #[test]
    fn words_can_be_read_on_every_fill() {
        for theme in [Theme::Light, Theme::Dark] {
            for hue in (0..360_u16).step_by(10) {
                let inks = Inks::of(theme, Some(Brand::new(f64::from(hue), 0.15).unwrap()), 7);
                for ink in inks.named.iter().chain([&inks.rest]) {
                    let lightness = if ink.on() == "#ffffff" { 1.0 } else { 0.18 };
                    let ratio = contrast(Oklch::new(lightness, 0.0, 0.0), ink.color);
                    assert!(ratio >= 4.3, "{}: {ratio:.2}", ink.hex);
                }
            }
        }
    }

    #[test]
    fn shades_grow_steadily_from_faint_to_full() {
        for (theme, brand) in [(Theme::Light, None), (Theme::Dark, None), (Theme::Light, Brand::new(145.0, 0.12).ok())]
        {
            let inks = Inks::of(theme, brand, 1);
            let shades = inks.shades(5);
            assert_eq!(shades.last(), Some(&inks.named(0).hex));
            let luminance =
                |hex: &str| u32::from_str_radix(&hex[1..3], 16).unwrap() + u32::from_str_radix(&hex[3..5], 16).unwrap();
            for pair in shades.windows(2) {
                let (fainter, fuller) = (luminance(&pair[0]), luminance(&pair[1]));
                assert!(if theme == Theme::Dark { fainter + 20 < fuller } else { fuller + 20 < fainter }, "{shades:?}");
            }
            assert_ne!(shades[0], inks.palette.surface.hex);
        }
    }
}
