//! Recomputes WCAG 2 contrasts, and the distance between chart colours as people with and without a colour
//! vision deficiency see them, from `style/tokens`.

use std::{collections::HashMap, fs, path::Path};

use rtv_core::brand::{DARK, Grounds, LIGHT};
use rtv_core::color::Oklch;

/// A colour as linear-light sRGB.
type Linear = [f64; 3];

/// The tokens of one file; the first colour is the light theme's.
fn tokens(file: &str) -> HashMap<String, [Linear; 2]> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../style/tokens").join(file);
    let text = fs::read_to_string(path).unwrap();
    let mut found = HashMap::new();
    for line in text.lines() {
        let Some((name, value)) = line.trim().strip_prefix("--").and_then(|rest| rest.split_once(": light-dark("))
        else {
            continue;
        };
        let themes = value
            .split("oklch(")
            .skip(1)
            .map(|color| color.split(')').next().unwrap())
            .filter(|color| !color.contains('/'))
            .map(|color| {
                let parts = color.split_whitespace().map(|part| part.parse::<f64>().unwrap()).collect::<Vec<_>>();
                Oklch::new(parts[0], parts[1], parts[2]).linear()
            })
            .collect::<Vec<_>>();
        if let [light, dark] = themes.as_slice() {
            found.insert(name.to_owned(), [*light, *dark]);
        }
    }
    assert!(!found.is_empty(), "no colour was read from {file}");
    found
}

/// What a screen shows: clipped to its range.
fn clipped(color: Linear) -> Linear {
    color.map(|channel| channel.clamp(0.0, 1.0))
}

fn luminance(color: Linear) -> f64 {
    let [r, g, b] = clipped(color);
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

fn contrast(one: Linear, other: Linear) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// Where the words or controls of the first column stand on the grounds of the second, and the least contrast.
const PAIRS: &[(&[&str], &[&str], f64)] = &[
    (
        &["color-text", "color-text-2", "color-text-3", "color-accent-text"],
        &["color-surface", "color-canvas", "color-sunken", "color-raised", "color-hover", "color-selected"],
        4.5,
    ),
    (
        &["color-text", "color-accent-text"],
        &["color-info-bg", "color-success-bg", "color-warning-bg", "color-danger-bg"],
        4.5,
    ),
    (&["color-text-2"], &["color-warning-bg"], 4.5),
    (&["color-on-accent"], &["color-accent", "color-accent-hover"], 4.5),
    (&["color-on-danger"], &["color-danger", "color-danger-hover"], 4.5),
    (&["color-on-halt"], &["color-halt"], 4.5),
    (&["color-success-text"], &["color-success-bg", "color-surface"], 4.5),
    (&["color-warning-text"], &["color-warning-bg", "color-surface"], 4.5),
    (&["color-danger-text"], &["color-danger-bg", "color-surface"], 4.5),
    (&["color-info-text"], &["color-info-bg", "color-surface"], 4.5),
    (&["color-accent", "color-danger"], &["color-surface"], 4.5),
    (&["color-line-strong", "color-focus"], &["color-surface", "color-canvas"], 3.0),
    (&["state-running", "state-halted", "state-halting-edge", "state-unknown"], &["color-surface"], 3.0),
    // The words of a switch: on nothing, on amber, on red.
    (&["state-running"], &["color-surface", "color-hover"], 4.5),
    (&["state-on-halting"], &["state-halting"], 4.5),
    (&["color-on-danger"], &["state-halted"], 4.5),
    (&["color-success-text"], &["color-hover"], 4.5),
];

/// The contrasts the design states, light and dark.
const STATED: &[(&str, &str, [f64; 2])] = &[
    ("color-line-strong", "color-surface", [3.6, 3.8]),
    ("color-text", "color-surface", [16.9, 15.1]),
    ("color-text-2", "color-surface", [7.8, 8.5]),
    ("color-text-3", "color-surface", [5.8, 6.1]),
    ("color-accent", "color-surface", [6.3, 6.5]),
    ("color-on-accent", "color-accent", [6.3, 7.1]),
    ("color-accent-text", "color-surface", [7.2, 8.7]),
    ("color-focus", "color-surface", [5.6, 8.7]),
    ("color-success-text", "color-success-bg", [7.2, 9.2]),
    ("color-warning-text", "color-warning-bg", [6.9, 9.2]),
    ("color-danger-text", "color-danger-bg", [6.7, 7.7]),
    ("color-info-text", "color-info-bg", [6.8, 8.7]),
    ("color-danger", "color-surface", [5.9, 4.7]),
    ("color-on-danger", "color-danger", [5.9, 5.2]),
    ("color-on-halt", "color-halt", [5.9, 7.5]),
];

const THEMES: [&str; 2] = ["light", "dark"];

#[test]
fn words_and_controls_stand_out_from_every_ground_in_both_themes() {
    let tokens = tokens("color.css");
    let mut faults = Vec::new();
    for (words, grounds, least) in PAIRS {
        for (word, ground) in words.iter().flat_map(|word| grounds.iter().map(move |ground| (word, ground))) {
            for (theme, name) in THEMES.iter().enumerate() {
                let found = contrast(tokens[*word][theme], tokens[*ground][theme]);
                if found < *least {
                    faults.push(format!("{name}: {word} on {ground} has {found:.2}, needs {least}"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_contrasts_the_design_states_are_the_ones_computed() {
    let tokens = tokens("color.css");
    for (word, ground, stated) in STATED {
        for theme in 0..2 {
            let found = contrast(tokens[*word][theme], tokens[*ground][theme]);
            assert!(
                (found - stated[theme]).abs() < 0.15,
                "{}: {word} on {ground} has {found:.2}, stated {}",
                THEMES[theme],
                stated[theme]
            );
        }
    }
}

#[test]
fn every_token_can_be_shown_by_an_srgb_screen() {
    for (name, themes) in tokens("color.css").into_iter().chain(tokens("chart.css")) {
        for (theme, color) in THEMES.iter().zip(themes) {
            let is_shown = color.iter().all(|channel| (-0.002..=1.002).contains(channel));
            assert!(is_shown, "{theme}: {name} lies outside: {color:?}");
        }
    }
}

#[test]
fn series_stand_out_from_the_surface_and_from_each_other() {
    let surface = tokens("color.css")["color-surface"];
    let series = tokens("chart.css");
    for (theme, name) in THEMES.iter().enumerate() {
        let colors = (1..=8).map(|number| series[&format!("chart-{number}")][theme]).collect::<Vec<_>>();
        for (index, color) in colors.iter().enumerate() {
            let found = contrast(*color, surface[theme]);
            assert!(found >= 3.0, "{name}: chart-{} has {found:.2}", index + 1);
            for (other_index, other) in colors.iter().enumerate().skip(index + 1) {
                for (eye, matrix) in EYES {
                    let seen = |color| lab(clipped(product(matrix, clipped(color))));
                    let distance = ciede2000(seen(*color), seen(*other));
                    assert!(
                        distance >= 15.0,
                        "{name}, {eye}: chart-{} and chart-{} are {distance:.1} apart",
                        index + 1,
                        other_index + 1
                    );
                }
            }
        }
    }
}

/// Machado, Oliveira and Fernandes 2009, full severity.
const EYES: [(&str, [[f64; 3]; 3]); 4] = [
    ("ordinary vision", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
    (
        "protanopia",
        [[0.152_286, 1.052_583, -0.204_868], [0.114_503, 0.786_281, 0.099_216], [-0.003_882, -0.048_116, 1.051_998]],
    ),
    (
        "deuteranopia",
        [[0.367_322, 0.860_646, -0.227_968], [0.280_085, 0.672_501, 0.047_413], [-0.011_820, 0.042_940, 0.968_881]],
    ),
    (
        "tritanopia",
        [[1.255_528, -0.076_749, -0.178_779], [-0.078_411, 0.930_809, 0.147_602], [0.004_733, 0.691_367, 0.303_900]],
    ),
];

fn product(matrix: [[f64; 3]; 3], color: Linear) -> Linear {
    matrix.map(|row| row[0] * color[0] + row[1] * color[1] + row[2] * color[2])
}

/// CIE Lab under D65.
fn lab(color: Linear) -> [f64; 3] {
    let xyz = product(
        [
            [0.412_456_4, 0.357_576_1, 0.180_437_5],
            [0.212_672_9, 0.715_152_2, 0.072_175_0],
            [0.019_333_9, 0.119_192_0, 0.950_304_1],
        ],
        color,
    );
    let bend = |value: f64| {
        if value > 216.0 / 24389.0 { value.cbrt() } else { (24389.0 / 27.0 * value + 16.0) / 116.0 }
    };
    let [x, y, z] = [bend(xyz[0] / 0.950_47), bend(xyz[1]), bend(xyz[2] / 1.088_83)];
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

/// Sharma, Wu and Dalal 2005.
#[expect(clippy::many_single_char_names, reason = "the names of the formula")]
fn ciede2000([l1, a1, b1]: [f64; 3], [l2, a2, b2]: [f64; 3]) -> f64 {
    let stretch = |mean_chroma: f64| {
        let power = mean_chroma.powi(7);
        (power / (power + 25.0_f64.powi(7))).sqrt()
    };
    let g = 0.5 * (1.0 - stretch(f64::midpoint(a1.hypot(b1), a2.hypot(b2))));
    let (a1, a2) = (a1 * (1.0 + g), a2 * (1.0 + g));
    let (c1, c2) = (a1.hypot(b1), a2.hypot(b2));
    let hue = |a: f64, b: f64| b.atan2(a).to_degrees().rem_euclid(360.0);
    let (h1, h2) = (hue(a1, b1), hue(a2, b2));

    let gray = c1 * c2 == 0.0;
    let turn = if gray { 0.0 } else { (h2 - h1 + 180.0).rem_euclid(360.0) - 180.0 };
    let delta_hue = 2.0 * (c1 * c2).sqrt() * (turn / 2.0).to_radians().sin();
    let mean_hue = if gray { h1 + h2 } else { (h1 + turn / 2.0).rem_euclid(360.0) };
    let mean_lightness = f64::midpoint(l1, l2);
    let mean_chroma = f64::midpoint(c1, c2);

    let wave = |factor: f64, shift: f64| (factor * mean_hue + shift).to_radians().cos();
    let t = 1.0 - 0.17 * wave(1.0, -30.0) + 0.24 * wave(2.0, 0.0) + 0.32 * wave(3.0, 6.0) - 0.20 * wave(4.0, -63.0);
    let from_fifty = (mean_lightness - 50.0).powi(2);
    let weight_l = 1.0 + 0.015 * from_fifty / (20.0 + from_fifty).sqrt();
    let weight_c = 1.0 + 0.045 * mean_chroma;
    let weight_h = 1.0 + 0.015 * mean_chroma * t;
    let angle = 60.0 * (-((mean_hue - 275.0) / 25.0).powi(2)).exp();
    let rotation = -2.0 * stretch(mean_chroma) * angle.to_radians().sin();

    let (l, c, h) = ((l2 - l1) / weight_l, (c2 - c1) / weight_c, delta_hue / weight_h);
    (l * l + c * c + h * h + rotation * c * h).sqrt()
}

#[test]
fn the_distance_formula_gives_its_authors_figures() {
    let check = |one, other, expect: f64| {
        let found = ciede2000(one, other);
        assert!((found - expect).abs() < 0.0001, "{one:?} and {other:?}: {found:.4}, expected {expect}");
    };
    check([50.0, 2.6772, -79.7751], [50.0, 0.0, -82.7485], 2.0425);
    check([50.0, 2.5, 0.0], [73.0, 25.0, -18.0], 27.1492);
    check([60.2574, -34.0099, 36.2677], [60.4626, -34.1751, 39.4387], 1.2644);
    check([2.0776, 0.0795, -1.1350], [0.9033, -0.0636, -0.5514], 0.9082);
}

#[test]
fn a_tenants_colour_is_measured_against_the_grounds_there_are() {
    let tokens = tokens("color.css");
    for (theme, grounds) in [LIGHT, DARK].into_iter().enumerate() {
        let Grounds { surface, canvas, others, selected, on_accent, faintest } = grounds;
        let names = ["sunken", "raised", "hover", "info-bg", "success-bg", "warning-bg", "danger-bg"];
        let single = [
            ("surface", surface),
            ("canvas", canvas),
            ("selected", selected),
            ("on-accent", on_accent),
            ("text-3", faintest),
        ];
        for (name, color) in single.into_iter().chain(names.into_iter().zip(others)) {
            let token = tokens[&format!("color-{name}")][theme];
            let is_same = token.iter().zip(color.linear()).all(|(one, other)| (one - other).abs() < 1e-6);
            assert!(is_same, "{}: rtv_core::brand has another --color-{name}", THEMES[theme]);
        }
    }
}
