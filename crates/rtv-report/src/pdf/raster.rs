//! What of a chart has no like among a PDF's paths, as pixels: masks, filters, patterns, blends. Charts of ours have none of these
//! today; a library that draws one tomorrow loses nothing by it.

use printpdf::{RawImage, RawImageData, RawImageFormat};
use resvg::tiny_skia::Pixmap;
use usvg::Node;
use usvg::tiny_skia_path::Transform;

use super::press::Press;
use super::sheet::Area;

/// Pixels of an inch.
pub(super) const DPI: u16 = 300;
/// Sides of a picture, pixels; a page at 300 dpi has 3,508.
const LARGEST: u32 = 4_096;

/// Draws the node where it belongs; false where there is nothing to see.
pub(super) fn draw(press: &mut Press, node: &Node, to_page: Transform, opacity: f32) -> bool {
    let Some(bounds) = node.abs_layer_bounding_box() else { return false };
    let scale = to_page.sx;
    let dense = scale * f32::from(DPI) / 72.0;
    let (Some(width), Some(height)) = (pixels(bounds.width() * dense), pixels(bounds.height() * dense)) else {
        return false;
    };
    let Some(mut pixmap) = Pixmap::new(width, height) else { return false };
    if resvg::render_node(node, Transform::from_scale(dense, dense), &mut pixmap.as_mut()).is_none() {
        return false;
    }
    let bytes: Vec<u8> = pixmap
        .pixels()
        .iter()
        .flat_map(|pixel| {
            let color = pixel.demultiply();
            [color.red(), color.green(), color.blue(), color.alpha()]
        })
        .collect();
    if bytes.iter().skip(3).step_by(4).all(|alpha| *alpha == 0) {
        return false;
    }
    let image = RawImage {
        pixels: RawImageData::U8(bytes),
        width: width as usize,
        height: height as usize,
        data_format: RawImageFormat::RGBA8,
        tag: Vec::new(),
    };
    let name = press.stock.image(image);
    let area = Area {
        x: to_page.tx + bounds.x() * scale,
        y: to_page.ty + bounds.y() * scale,
        width: bounds.width() * scale,
        height: bounds.height() * scale,
    };
    if opacity < 0.999 {
        let state = press.stock.opacity(opacity);
        press.sheet().with_state(&state);
        press.sheet().image(&name, area);
        press.sheet().restore();
    } else {
        press.sheet().image(&name, area);
    }
    true
}

fn pixels(length: f32) -> Option<u32> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is found to be small right away")]
    let pixels = length.ceil() as u32;
    (1..=LARGEST).contains(&pixels).then_some(pixels)
}
