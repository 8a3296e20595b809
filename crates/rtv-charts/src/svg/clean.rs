//! Reads what the drawing library wrote and writes it again, letting through only elements and attributes that a picture needs. The
//! library escapes text but not attributes, leaves notes for its browser side in, and sets fonts by inline styles; afterwards the
//! document is well-formed, cannot act, and holds under a content policy that allows no styles.

use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};
use quick_xml::name::QName;
use quick_xml::{Reader, Writer};

const ELEMENTS: [&str; 17] = [
    "svg",
    "g",
    "defs",
    "clipPath",
    "linearGradient",
    "radialGradient",
    "stop",
    "pattern",
    "rect",
    "path",
    "line",
    "circle",
    "ellipse",
    "polyline",
    "polygon",
    "text",
    "tspan",
];

/// Attributes besides the coordinates, fills and strokes of [`is_allowed`].
const ATTRIBUTES: [&str; 29] = [
    "xmlns",
    "version",
    "viewBox",
    "width",
    "height",
    "id",
    "d",
    "x",
    "y",
    "x1",
    "y1",
    "x2",
    "y2",
    "r",
    "rx",
    "ry",
    "cx",
    "cy",
    "points",
    "transform",
    "opacity",
    "offset",
    "clip-path",
    "gradientUnits",
    "patternUnits",
    "xml:space",
    "text-anchor",
    "dominant-baseline",
    "paint-order",
];

/// Style properties that are attributes in SVG as well.
const FONT: [&str; 4] = ["font-size", "font-family", "font-weight", "font-style"];

/// The picture, with its words for people who cannot see it. The error says what was found instead of a picture.
pub(super) fn clean(svg: &str, title: &str, description: &str) -> Result<String, String> {
    // XML has no way to write these characters, not even escaped.
    let svg: String = svg.chars().filter(|&character| is_xml(character)).collect();
    let mut reader = Reader::from_str(&svg);
    let mut writer = Writer::new(Vec::with_capacity(svg.len()));
    let (mut depth, mut texts) = (0_usize, 0_usize);
    let mut is_complete = false;
    loop {
        let event = reader.read_event().map_err(|error| format!("it wrote no well-formed picture: {error}"))?;
        match event {
            // Hover effects, of which a picture has none.
            Event::Start(element) if element.name().as_ref() == b"style" => {
                reader
                    .read_to_end(element.name())
                    .map_err(|error| format!("it wrote no well-formed picture: {error}"))?;
            }
            Event::Start(element) => {
                let element = rewritten(&element)?;
                let is_root = depth == 0;
                if is_root && (is_complete || element.name().as_ref() != b"svg") {
                    return Err("it wrote something other than one picture".into());
                }
                depth += 1;
                texts += usize::from(is_text(element.name()));
                write(&mut writer, Event::Start(element))?;
                if is_root {
                    words(&mut writer, "title", title)?;
                    words(&mut writer, "desc", description)?;
                }
            }
            Event::Empty(element) => write(&mut writer, Event::Empty(rewritten(&element)?))?,
            Event::End(element) => {
                depth = depth.saturating_sub(1);
                texts -= usize::from(is_text(element.name()));
                is_complete = depth == 0;
                write(&mut writer, Event::End(element))?;
            }
            text @ (Event::Text(_) | Event::GeneralRef(_)) if texts > 0 => write(&mut writer, text)?,
            // Between elements stand only line breaks.
            Event::Text(text) if text.iter().all(u8::is_ascii_whitespace) => {}
            Event::Eof if is_complete => break,
            other => return Err(format!("it wrote something other than a picture: {other:?}")),
        }
    }
    String::from_utf8(writer.into_inner()).map_err(|error| error.to_string())
}

fn write(writer: &mut Writer<Vec<u8>>, event: Event<'_>) -> Result<(), String> {
    writer.write_event(event).map_err(|error| error.to_string())
}

fn words(writer: &mut Writer<Vec<u8>>, element: &str, text: &str) -> Result<(), String> {
    let text: String = text.chars().filter(|&character| is_xml(character)).collect();
    write(writer, Event::Start(BytesStart::new(element)))?;
    write(writer, Event::Text(BytesText::new(&text)))?;
    write(writer, Event::End(BytesEnd::new(element)))
}

/// The element with the attributes that it may keep and its font as attributes.
fn rewritten(element: &BytesStart<'_>) -> Result<BytesStart<'static>, String> {
    let name = std::str::from_utf8(element.name().into_inner()).map_err(|error| error.to_string())?.to_owned();
    if !ELEMENTS.contains(&name.as_str()) {
        return Err(format!("it wrote the element {name}, which no picture needs"));
    }
    let is_root = name == "svg";
    let mut kept = BytesStart::new(name);
    for attribute in element.attributes() {
        let attribute: Attribute<'_> = attribute.map_err(|error| format!("it wrote a broken attribute: {error}"))?;
        let key = std::str::from_utf8(attribute.key.into_inner()).map_err(|error| error.to_string())?;
        // The reader lets this pass, browsers do not.
        if attribute.value.contains(&b'<') {
            return Err(format!("it wrote a broken attribute: {key}"));
        }
        if key == "style" {
            let style = std::str::from_utf8(&attribute.value).map_err(|error| error.to_string())?;
            for (property, value) in style.split(';').filter_map(|declaration| declaration.split_once(':')) {
                if FONT.contains(&property.trim()) && !value.contains('"') {
                    kept.push_attribute((property.trim().as_bytes(), value.trim().as_bytes()));
                }
            }
        } else if is_allowed(key) && points_inside(&attribute.value) {
            kept.push_attribute(attribute);
        }
    }
    if is_root {
        kept.push_attribute(("role", "img"));
    }
    Ok(kept)
}

fn is_text(name: QName<'_>) -> bool {
    matches!(name.into_inner(), b"text" | b"tspan")
}

fn is_allowed(key: &str) -> bool {
    ATTRIBUTES.contains(&key) || ["fill", "stroke", "stop-"].iter().any(|family| key.starts_with(family))
}

/// A reference leads to this document only.
fn points_inside(value: &[u8]) -> bool {
    let value = String::from_utf8_lossy(value).to_ascii_lowercase();
    value.matches("url(").count() == value.matches("url(#").count()
}

/// XML 1.0, production 2.
fn is_xml(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = r#"<svg xmlns="http://www.w3.org/2000/svg" role="img"><title>T</title><desc>D</desc>"#;

    fn check(inside: &str, expect: &str) {
        let svg = format!(r#"<svg xmlns="http://www.w3.org/2000/svg">{inside}</svg>"#);
        assert_eq!(clean(&svg, "T", "D"), Ok(format!("{HEAD}{expect}</svg>")));
    }

    #[test]
    fn notes_hover_effects_and_handlers_are_left_out() {
        check(r#"<path d="M0 0" ecmeta_series_index="0" class="a" onload="x()"></path>"#, r#"<path d="M0 0"></path>"#);
        check(r#"<path fill="url(#a)" stroke="url(//x)"></path>"#, r#"<path fill="url(#a)"></path>"#);
        check("<style><![CDATA[.a:hover{cursor:pointer}]]></style>\n<g></g>", "<g></g>");
    }

    #[test]
    fn blanks_stay_within_texts_and_go_between_elements() {
        check("<text>&amp; &lt;</text>\n<text> </text>", "<text>&amp; &lt;</text><text> </text>");
    }

    #[test]
    fn fonts_become_attributes_and_other_styles_go() {
        check(
            r#"<text style="font-size:12px;font-family:'Segoe UI', sans-serif;background:url(//x)">a &lt; b</text>"#,
            r#"<text font-size="12px" font-family="'Segoe UI', sans-serif">a &lt; b</text>"#,
        );
    }

    #[test]
    fn anything_but_a_picture_is_refused() {
        for inside in [
            "<script>x()</script>",
            "<foreignObject></foreignObject>",
            r#"<image href="http://example.com/"/>"#,
            r#"<a href="javascript:x()">b</a>"#,
            "<text>",
            "<text x='a<b'></text>",
            r#"<text style="font-family:"Segoe UI"">a</text>"#,
            "<!-- note -->",
            "<?xml-stylesheet href='x'?>",
        ] {
            let svg = format!("<svg>{inside}</svg>");
            assert!(clean(&svg, "", "").is_err(), "{inside}: {:?}", clean(&svg, "", ""));
        }
        for svg in ["", "words", "<svg>", "<g></g>", "<svg></svg><svg></svg>", "<!DOCTYPE svg><svg></svg>"] {
            assert!(clean(svg, "", "").is_err(), "{svg}: {:?}", clean(svg, "", ""));
        }
    }

    #[test]
    fn words_are_escaped_and_stripped_of_what_xml_forbids() {
        let svg = clean("<svg></svg>", "</title><script>", "a\u{0}\u{1b}b & c").unwrap();
        assert_eq!(svg, r#"<svg role="img"><title>&lt;/title&gt;&lt;script&gt;</title><desc>ab &amp; c</desc></svg>"#);
    }
}
