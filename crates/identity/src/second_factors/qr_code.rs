//! QR codes of short texts, as SVG and as PNG. Black on white with the quiet zone of four modules that scanners need
//! (ISO/IEC 18004, 5.3.8).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use qrcode::render::svg;
use qrcode::{Color, EcLevel, QrCode};

use crate::failure::Failure;

/// Pixels of a module's side in the PNG.
const SCALE: usize = 6;
/// Modules of white around the code.
const QUIET: usize = 4;
/// Pixels that the SVG wants to be wide.
const SVG_SIZE: u32 = 240;

/// A drawn text.
pub(super) struct Drawing(QrCode);

impl Drawing {
    /// Draws a text.
    ///
    /// # Errors
    /// Internal: the text is too long for any QR code.
    pub(super) fn of(text: &str) -> Result<Self, Failure> {
        QrCode::with_error_correction_level(text, EcLevel::M).map(Self).map_err(Failure::internal)
    }

    /// The drawing as an SVG document.
    pub(super) fn svg(&self) -> String {
        self.0.render::<svg::Color<'_>>().min_dimensions(SVG_SIZE, SVG_SIZE).quiet_zone(true).build()
    }

    /// The drawing as a PNG in a `data:` URL.
    pub(super) fn png_data_url(&self) -> Result<String, Failure> {
        Ok(format!("data:image/png;base64,{}", STANDARD.encode(self.png()?)))
    }

    /// A PNG with one bit a pixel, 1 for white.
    fn png(&self) -> Result<Vec<u8>, Failure> {
        let modules = self.0.width();
        let side = (modules + 2 * QUIET) * SCALE;
        let colors = self.0.to_colors();
        let is_white = |x: usize, y: usize| {
            let inside = |at: usize| (at / SCALE).checked_sub(QUIET).filter(|module| *module < modules);
            match (inside(x), inside(y)) {
                (Some(x), Some(y)) => colors[y * modules + x] == Color::Light,
                _ => true,
            }
        };
        let mut rows = Vec::with_capacity(side * side.div_ceil(8));
        for y in 0..side {
            for first in (0..side).step_by(8) {
                let bits = (first..first + 8).map(|x| u8::from(x >= side || is_white(x, y)));
                rows.push(bits.fold(0, |byte, bit| (byte << 1) | bit));
            }
        }
        let mut png = Vec::new();
        let side = u32::try_from(side).map_err(Failure::internal)?;
        let mut encoder = png::Encoder::new(&mut png, side, side);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::One);
        let mut writer = encoder.write_header().map_err(Failure::internal)?;
        writer.write_image_data(&rows).map_err(Failure::internal)?;
        writer.finish().map_err(Failure::internal)?;
        Ok(png)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_png_is_square_and_framed_in_white() {
        let drawing = Drawing::of("otpauth://totp/x").unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(drawing.png().unwrap())).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let frame = reader.next_frame(&mut pixels).unwrap();
        assert_eq!(frame.width, frame.height);
        assert_eq!(frame.width as usize, (drawing.0.width() + 8) * SCALE);
        let row = frame.line_size;
        assert!(pixels[..row * QUIET * SCALE].iter().all(|byte| *byte == 0xff), "white above");
        // The finder pattern begins with a black module right after the frame.
        assert_eq!(pixels[row * QUIET * SCALE + QUIET * SCALE / 8] & 0x80, 0);
    }

    #[test]
    fn the_svg_is_one_document_without_scripts() {
        let svg = Drawing::of("otpauth://totp/x").unwrap().svg();
        assert!(svg.contains("<svg ") && svg.ends_with("</svg>"), "{svg:.200}");
        assert!(!svg.contains("script") && !svg.contains("http://www.w3.org/1999/xlink"));
    }
}
