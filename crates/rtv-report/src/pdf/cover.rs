//! The first page: whose report it is, of what, and all that has to be known of the run.

use printpdf::RawImage;
use rtv_core::report::Filled;

use super::Look;
use super::face::Weight;
use super::press::Press;
use super::sheet::{Area, MARGIN};
use super::words::instant;

const LOGO_WIDTH: f32 = 150.0;
const LOGO_HEIGHT: f32 = 54.0;
/// Pixels of a logo's side; more is a mistake or an attack.
const LARGEST_LOGO: u32 = 4_096;
const TITLE: f32 = 30.0;
const SMALLEST_TITLE: f32 = 16.0;
const FACT: f32 = 9.5;
/// Width of the facts' names.
const NAMES: f32 = 110.0;

pub(super) fn draw(press: &mut Press, filled: &Filled, look: &Look) {
    press.turn();
    press.y = 74.0;
    logo(press, look);
    press.y = press.y.max(74.0 + LOGO_HEIGHT) + 120.0;
    let (text, quiet, accent, line) = (press.inks.text, press.inks.quiet, press.inks.accent, press.inks.line);
    let width = press.measure();
    let y = press.y;
    press.sheet().fill(Area { x: MARGIN, y, width: 48.0, height: 3.2 }, accent);
    press.y += 26.0;
    // A long name is set smaller, so that the facts stay on the page.
    let (size, lines) = [TITLE, 24.0, 20.0, SMALLEST_TITLE]
        .into_iter()
        .map(|size| (size, press.lines(&filled.name, Weight::Bold, size, width)))
        .find(|(_, lines)| lines.len() <= 3)
        .unwrap_or_else(|| (SMALLEST_TITLE, press.lines(&filled.name, Weight::Bold, SMALLEST_TITLE, width)));
    for title in &lines {
        press.need(size * 1.22);
        let baseline = press.y + size;
        press.write(title, Weight::Bold, size, (MARGIN, baseline), text);
        press.y += size * 1.22;
    }
    press.y += 8.0;
    press.paragraph(&filled.tenant, Weight::Regular, 14.0, quiet);
    if !filled.description.trim().is_empty() {
        press.y += 12.0;
        press.paragraph(&filled.description, Weight::Regular, 10.5, quiet);
    }
    press.y += 40.0;
    for (name, value) in facts(press, filled) {
        let values = press.lines(&value, Weight::Regular, FACT, width - NAMES);
        press.need(FACT * 1.5 + 10.0);
        let y = press.y;
        press.sheet().rule(MARGIN, y, width, 0.5, line);
        press.y += 6.0;
        let baseline = press.y + FACT;
        press.write(name, Weight::Bold, FACT, (MARGIN, baseline), text);
        for value in &values {
            press.need(FACT * 1.5);
            let baseline = press.y + FACT;
            press.write(value, Weight::Regular, FACT, (MARGIN + NAMES, baseline), text);
            press.y += FACT * 1.42;
        }
        press.y += 5.0;
    }
    let y = press.y;
    press.sheet().rule(MARGIN, y, width, 0.5, line);
}

fn facts(press: &Press, filled: &Filled) -> Vec<(&'static str, String)> {
    let format = &press.format;
    let mut facts = vec![("Period", format.period(filled.period))];
    if let Some(previous) = filled.previous {
        facts.push(("Compared with", format.period(previous)));
    }
    facts.push(("Days and times in", filled.zone.name().to_owned()));
    facts.push(("Data as of", filled.as_of.map_or_else(|| "no data yet".into(), |at| instant(format, at))));
    facts.push(("Made at", instant(format, filled.made_at)));
    facts.push((
        "Version",
        filled.version.map_or_else(|| "not saved yet".into(), |version| format!("{version} of this report")),
    ));
    let filters =
        if filled.filters.is_empty() { "none, everything is covered".into() } else { filled.filters.join("\n") };
    facts.push(("Filters", filters));
    facts
}

fn logo(press: &mut Press, look: &Look) {
    let Some(bytes) = &look.logo else { return };
    let image = match read(bytes) {
        Ok(image) => image,
        Err(reason) => {
            press.note(format!("The logo is not shown, because it could not be read: {reason}."));
            return;
        }
    };
    #[expect(clippy::cast_precision_loss, reason = "sides are at most 4096 pixels")]
    let (width, height) = (image.width as f32, image.height as f32);
    let scale = (LOGO_WIDTH / width).min(LOGO_HEIGHT / height);
    let name = press.stock.image(image);
    let y = press.y;
    press.sheet().image(&name, Area { x: MARGIN, y, width: width * scale, height: height * scale });
}

fn read(bytes: &[u8]) -> Result<RawImage, String> {
    // The size stands in the first chunk of a PNG, before anything is unpacked.
    let side = |at: usize| {
        let bytes: Option<[u8; 4]> = bytes.get(at..at + 4).and_then(|side| side.try_into().ok());
        bytes.map(u32::from_be_bytes).filter(|side| (1..=LARGEST_LOGO).contains(side))
    };
    if bytes.starts_with(b"\xff\xd8\xff") {
        return RawImage::decode_from_bytes(bytes, &mut Vec::new());
    }
    if !bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Err("it is neither PNG nor JPEG".into());
    }
    if side(16).is_none() || side(20).is_none() {
        return Err(format!("its sides are not within 1 to {LARGEST_LOGO} pixels"));
    }
    RawImage::decode_from_bytes(bytes, &mut Vec::new())
}
