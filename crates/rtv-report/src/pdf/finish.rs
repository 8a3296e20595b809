//! The file: printpdf makes the objects, and what it has no word for is put in here: language, nested outline, information, soft masks,
//! and an identity that comes of the content, so that equal reports are equal files.

use std::io::Write;

use chrono::{DateTime, Utc};
use lopdf::{Dictionary, Document, Object, ObjectId, Stream, StringFormat, dictionary};
use printpdf::{
    ExtendedGraphicsState, ExtendedGraphicsStateId, Mm, PdfDocument, PdfPage, PdfSaveOptions, Pt, Rect, ShadingId,
    XObject, XObjectId,
};
use rtv_core::report::Filled;
use sha2::{Digest, Sha256};

use super::Error;
use super::contents::Book;
use super::press::{Mark, Press, Veil, opacity_name, shading_name, veil_name};

/// Opacity came with 1.4; the rest of what is used here is older than 1.7.
const VERSION: &str = "1.7";
const PRODUCER: &str = "RTV";
/// Language of the words as BCP 47 has it. Figures and days follow the tenant; the words are English everywhere.
const LANGUAGE: &str = "en";
/// Letters of a title in the catalogue. Readers fail with much longer ones; the pages have all of it.
const LONGEST: usize = 500;

pub(super) fn write(press: Press, book: Book, filled: &Filled, out: &mut impl Write) -> Result<(), Error> {
    let mut document = PdfDocument::new("");
    for (id, font) in press.faces.cut()? {
        document.resources.fonts.map.insert(id, font);
    }
    let states = &mut document.resources.extgstates.map;
    for thousandths in &press.stock.opacities {
        let opacity = f32::from(*thousandths) / 1_000.0;
        let state =
            ExtendedGraphicsState::default().with_current_fill_alpha(opacity).with_current_stroke_alpha(opacity);
        states.insert(ExtendedGraphicsStateId(opacity_name(*thousandths)), state);
    }
    for number in 0..press.stock.veils.len() {
        // The mask itself is put in below; the name has to be known before.
        let state = ExtendedGraphicsState::default().with_current_fill_alpha(1.0);
        states.insert(ExtendedGraphicsStateId(veil_name(number)), state);
    }
    for (number, shading) in press.stock.shadings.into_iter().enumerate() {
        document.resources.shadings.map.insert(ShadingId(shading_name(number)), shading);
    }
    for (name, image) in press.stock.images {
        document.resources.xobjects.map.insert(XObjectId(name), XObject::Image(image));
    }
    let sizes: Vec<(f32, f32)> = book.sheets.iter().map(|sheet| (sheet.width, sheet.height)).collect();
    document.pages = book
        .sheets
        .into_iter()
        .map(|sheet| {
            let area = Rect::from_wh(Pt(sheet.width), Pt(sheet.height));
            let mut page = PdfPage::new(Mm(0.0), Mm(0.0), sheet.ops);
            (page.media_box, page.trim_box, page.crop_box) = (area.clone(), area.clone(), area);
            page
        })
        .collect();
    let options = PdfSaveOptions { image_optimization: None, ..PdfSaveOptions::default() };
    let mut file = document.to_lopdf_document(&options, &mut Vec::new());
    // A copy of every operation; the file has them now.
    drop(document);
    VERSION.clone_into(&mut file.version);
    let pages: Vec<ObjectId> = file.get_pages().into_values().collect();
    veil(&mut file, &press.stock.veils, &pages, &sizes)?;
    let outline = outline(&mut file, &book.marks, &pages, &sizes);
    let catalog = file.catalog_mut()?;
    catalog.set("Lang", text(LANGUAGE));
    catalog.set("ViewerPreferences", dictionary! { "DisplayDocTitle" => true });
    if let Some(outline) = outline {
        catalog.set("Outlines", outline);
        catalog.set("PageMode", "UseOutlines");
    }
    let info = file.add_object(information(filled));
    if let Ok(old) = file.trailer.get(b"Info").and_then(Object::as_reference) {
        file.objects.remove(&old);
    }
    file.trailer.set("Info", info);
    file.compress();
    let id = identity(&file, filled);
    file.trailer.set("ID", vec![id.clone(), id]);
    file.save_to(out)?;
    Ok(())
}

fn information(filled: &Filled) -> Dictionary {
    dictionary! {
        "Title" => text(&filled.name),
        "Author" => text(&filled.tenant),
        "Subject" => text(&filled.description),
        "Creator" => text(PRODUCER),
        "Producer" => text(PRODUCER),
        "CreationDate" => date(filled.made_at),
        "ModDate" => date(filled.made_at),
    }
}

/// Text of the catalogue: plain where it is ASCII, UTF-16 else.
fn text(text: &str) -> Object {
    // A NUL ends a text in some programs.
    let mut text: String = text.chars().filter(|letter| !letter.is_control()).collect();
    if let Some((at, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(at);
        text.push('…');
    }
    if text.is_ascii() {
        return Object::String(text.into_bytes(), StringFormat::Literal);
    }
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    Object::String(units.flat_map(u16::to_be_bytes).collect(), StringFormat::Hexadecimal)
}

fn date(at: DateTime<Utc>) -> Object {
    Object::String(at.format("D:%Y%m%d%H%M%SZ").to_string().into_bytes(), StringFormat::Literal)
}

/// Of the content alone, so that it is the same for the same report.
fn identity(file: &Document, filled: &Filled) -> Object {
    let mut digest = Sha256::new();
    for part in [&filled.name, &filled.tenant] {
        digest.update(part.as_bytes());
        digest.update([0]);
    }
    digest.update(filled.made_at.timestamp().to_be_bytes());
    for object in file.objects.values() {
        if let Object::Stream(stream) = object {
            digest.update(&stream.content);
        }
    }
    Object::String(digest.finalize()[..16].to_vec(), StringFormat::Hexadecimal)
}

/// The headings as a tree; what stands below no section stands beside them.
fn outline(file: &mut Document, marks: &[Mark], pages: &[ObjectId], sizes: &[(f32, f32)]) -> Option<ObjectId> {
    if marks.is_empty() {
        return None;
    }
    let mut tree: Vec<(&Mark, Vec<&Mark>)> = Vec::new();
    for mark in marks {
        match tree.last_mut() {
            Some((section, below)) if mark.level > section.level => below.push(mark),
            _ => tree.push((mark, Vec::new())),
        }
    }
    let root = file.new_object_id();
    let entry = |mark: &Mark| {
        let mut entry = dictionary! { "Title" => text(&mark.title) };
        if let (Some(page), Some((_, height))) = (pages.get(mark.page), sizes.get(mark.page)) {
            let top = height - (mark.y - 8.0).max(0.0);
            entry.set("Dest", vec![Object::from(*page), "XYZ".into(), Object::Null, top.into(), Object::Null]);
        }
        entry
    };
    let sections: Vec<ObjectId> = tree.iter().map(|_| file.new_object_id()).collect();
    for (index, (section, below)) in tree.iter().enumerate() {
        let parent = sections[index];
        let mut one = entry(section);
        chain(&mut one, &sections, index, root);
        let children: Vec<ObjectId> = below.iter().map(|_| file.new_object_id()).collect();
        if let (Some(first), Some(last)) = (children.first(), children.last()) {
            one.set("First", *first);
            one.set("Last", *last);
            // Open: what is below is seen.
            one.set("Count", count(children.len()));
        }
        for (index, mark) in below.iter().enumerate() {
            let mut child = entry(mark);
            chain(&mut child, &children, index, parent);
            file.objects.insert(children[index], child.into());
        }
        file.objects.insert(parent, one.into());
    }
    let root_entry = dictionary! {
        "Type" => "Outlines",
        "First" => sections[0],
        "Last" => sections[sections.len() - 1],
        "Count" => count(marks.len()),
    };
    file.objects.insert(root, root_entry.into());
    Some(root)
}

fn count(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn chain(entry: &mut Dictionary, all: &[ObjectId], index: usize, parent: ObjectId) {
    entry.set("Parent", parent);
    if let Some(before) = index.checked_sub(1).and_then(|before| all.get(before)) {
        entry.set("Prev", *before);
    }
    if let Some(next) = all.get(index + 1) {
        entry.set("Next", *next);
    }
}

/// Gives each veil its mask: a grey gradient whose lightness is the opacity.
fn veil(file: &mut Document, veils: &[Veil], pages: &[ObjectId], sizes: &[(f32, f32)]) -> Result<(), Error> {
    let (Some(first), false) = (pages.first(), veils.is_empty()) else { return Ok(()) };
    let resources = file.get_dictionary(*first)?.get(b"Resources")?.as_reference()?;
    let states = file.get_dictionary(resources)?.get(b"ExtGState")?.as_reference()?;
    // Large enough for a page that lies either way.
    let side = sizes.iter().flat_map(|(width, height)| [*width, *height]).fold(0.0, f32::max);
    for (number, veil) in veils.iter().enumerate() {
        let shading = dictionary! {
            "ShadingType" => 2,
            "ColorSpace" => "DeviceGray",
            "Coords" => [veil.from.0, veil.from.1, veil.to.0, veil.to.1].map(Object::from).to_vec(),
            "Extend" => vec![Object::from(true), Object::from(true)],
            "Function" => function(&veil.stops),
        };
        let form = dictionary! {
            "Type" => "XObject",
            "Subtype" => "Form",
            "BBox" => [0.0, 0.0, side, side].map(Object::from).to_vec(),
            "Group" => dictionary! { "S" => "Transparency", "CS" => "DeviceGray", "I" => true },
            "Resources" => dictionary! { "Shading" => dictionary! { "S" => shading } },
        };
        let form = file.add_object(Stream::new(form, b"/S sh".to_vec()));
        let mask = dictionary! { "Type" => "Mask", "S" => "Luminosity", "G" => form };
        if let Ok(state) =
            file.get_dictionary_mut(states)?.get_mut(veil_name(number).as_bytes()).and_then(Object::as_dict_mut)
        {
            state.set("SMask", mask);
        }
    }
    Ok(())
}

/// From 0 to 1 along the gradient: its stops, straight lines between them.
fn function(stops: &[(f32, f32)]) -> Dictionary {
    let unit = || vec![Object::from(0), Object::from(1)];
    let line = |from: f32, to: f32| {
        dictionary! { "FunctionType" => 2, "Domain" => unit(), "C0" => vec![from.into()], "C1" => vec![to.into()], "N" => 1 }
    };
    let (Some(first), Some(last)) = (stops.first(), stops.last()) else { return line(1.0, 1.0) };
    // Before the first and behind the last stop nothing changes any more.
    let mut all = vec![(0.0, first.1)];
    all.extend(stops.iter().copied().filter(|(offset, _)| (0.0..=1.0).contains(offset)));
    all.push((1.0, last.1));
    // Parts without a length are none.
    let parts: Vec<_> = all.windows(2).filter(|pair| pair[1].0 - pair[0].0 > 0.000_1).collect();
    if let [part] = parts[..] {
        return line(part[0].1, part[1].1);
    }
    let ends = parts.iter().take(parts.len().saturating_sub(1)).map(|pair| pair[1].0.into()).collect::<Vec<Object>>();
    dictionary! {
        "FunctionType" => 3,
        "Domain" => unit(),
        "Functions" => parts.iter().map(|pair| line(pair[0].1, pair[1].1).into()).collect::<Vec<Object>>(),
        "Bounds" => ends,
        "Encode" => parts.iter().flat_map(|_| unit()).collect::<Vec<Object>>(),
    }
}
