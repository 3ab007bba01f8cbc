//! What the first bytes of a picture say: its format, and that it has a size. Everything else is left to whoever
//! shows it; nothing is decoded here. Formats that can carry scripts (SVG) do not exist for us.

/// The largest width and height.
const MOST_PIXELS: u32 = 16_384;

/// The formats that are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Portable Network Graphics (ISO 15948).
    Png,
    /// JPEG (ITU T.81).
    Jpeg,
    /// Graphics Interchange Format, 87a and 89a.
    Gif,
    /// Windows bitmap.
    Bmp,
    /// WebP (RFC 9649).
    Webp,
}

impl Format {
    const ALL: [Self; 5] = [Self::Png, Self::Jpeg, Self::Gif, Self::Bmp, Self::Webp];

    /// The word in file names.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpeg",
            Self::Gif => "gif",
            Self::Bmp => "bmp",
            Self::Webp => "webp",
        }
    }

    /// The media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Gif => "image/gif",
            Self::Bmp => "image/bmp",
            Self::Webp => "image/webp",
        }
    }

    /// Reads the word in file names.
    pub(super) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == word)
    }

    /// The format of which the bytes are a picture with a size; `None` if they are of none.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let (format, size) = if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            (Self::Png, png(bytes))
        } else if bytes.starts_with(b"\xff\xd8\xff") {
            (Self::Jpeg, jpeg(bytes))
        } else if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
            (Self::Gif, Some((little(bytes, 6, 2)?, little(bytes, 8, 2)?)))
        } else if bytes.starts_with(b"BM") {
            (Self::Bmp, bmp(bytes))
        } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
            (Self::Webp, webp(bytes))
        } else {
            return None;
        };
        let (width, height) = size?;
        let possible = |pixels: u32| (1..=MOST_PIXELS).contains(&pixels);
        (possible(width) && possible(height)).then_some(format)
    }
}

/// An unsigned number of `length` bytes, least significant first.
fn little(bytes: &[u8], at: usize, length: usize) -> Option<u32> {
    let digits = bytes.get(at..at + length)?;
    Some(digits.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte)))
}

/// The same, most significant first.
fn big(bytes: &[u8], at: usize, length: usize) -> Option<u32> {
    let digits = bytes.get(at..at + length)?;
    Some(digits.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
}

/// The first chunk is IHDR, with 13 bytes of data.
fn png(bytes: &[u8]) -> Option<(u32, u32)> {
    (big(bytes, 8, 4)? == 13 && bytes.get(12..16)? == b"IHDR")
        .then_some((big(bytes, 16, 4)?, big(bytes, 20, 4)?))
}

/// Walks over the segments to the frame header (SOF, ITU T.81 section B.2.2).
fn jpeg(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2;
    loop {
        if *bytes.get(at)? != 0xff {
            return None;
        }
        match *bytes.get(at + 1)? {
            // Fill bytes before a marker.
            0xff => at += 1,
            // Markers without a segment.
            0x01 | 0xd0..=0xd7 => at += 2,
            0xc4 | 0xc8 | 0xcc => at += 2 + segment(bytes, at)?,
            0xc0..=0xcf => return Some((big(bytes, at + 7, 2)?, big(bytes, at + 5, 2)?)),
            // The picture begins or ends before it was described.
            0x00 | 0xd8..=0xda => return None,
            _ => at += 2 + segment(bytes, at)?,
        }
    }
}

/// The length of the segment at a marker; counts itself, so that at least 2 is right.
fn segment(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(big(bytes, at + 2, 2)?).ok().filter(|length| *length >= 2)
}

/// Width and height stand behind the size of their header; a negative height means that the rows begin at the top.
fn bmp(bytes: &[u8]) -> Option<(u32, u32)> {
    match little(bytes, 14, 4)? {
        12 => Some((little(bytes, 18, 2)?, little(bytes, 20, 2)?)),
        40.. => {
            let height = little(bytes, 22, 4)?.cast_signed();
            Some((little(bytes, 18, 4)?, height.unsigned_abs()))
        }
        _ => None,
    }
}

/// The size stands in the first chunk, whose form depends on the kind of compression (RFC 9649 section 2).
fn webp(bytes: &[u8]) -> Option<(u32, u32)> {
    match bytes.get(12..16)? {
        b"VP8 " if bytes.get(23..26)? == b"\x9d\x01\x2a" => {
            Some((little(bytes, 26, 2)? & 0x3fff, little(bytes, 28, 2)? & 0x3fff))
        }
        b"VP8L" if *bytes.get(20)? == 0x2f => {
            let bits = little(bytes, 21, 4)?;
            Some(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
        }
        b"VP8X" => Some((little(bytes, 24, 3)? + 1, little(bytes, 27, 3)? + 1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn padded(head: &[u8]) -> Vec<u8> {
        let mut bytes = head.to_vec();
        bytes.resize(64, 0);
        bytes
    }

    #[test]
    fn each_format_is_known_by_its_header() {
        let jpeg = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xff\xc2\x00\x11\x08\x00\x10\x00\x20";
        let table: [(&[u8], Format); 8] = [
            (b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x01\0\0\0\x01", Format::Png),
            (jpeg, Format::Jpeg),
            (b"GIF87a\x01\0\x01\0", Format::Gif),
            (b"BM\0\0\0\0\0\0\0\0\0\0\0\0\x28\0\0\0\x01\0\0\0\xff\xff\xff\xff", Format::Bmp),
            (b"BM\0\0\0\0\0\0\0\0\0\0\0\0\x0c\0\0\0\x01\0\x01\0", Format::Bmp),
            (b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0\0\0\x9d\x01\x2a\x01\0\x01\0", Format::Webp),
            (b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f\0\0\0\0", Format::Webp),
            (b"RIFF\0\0\0\0WEBPVP8X\0\0\0\0\0\0\0\0\x01\0\0\x01\0\0", Format::Webp),
        ];
        for (head, format) in table {
            assert_eq!(Format::of(&padded(head)), Some(format), "{head:?}");
            assert_eq!(Format::parse(format.as_str()), Some(format));
        }
    }

    #[test]
    fn a_header_without_a_sensible_size_is_no_picture() {
        let table: [&[u8]; 9] = [
            b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\0\0\0\0\x01",
            b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\x7f\0\0\0\0\0\0\x01",
            b"\x89PNG\r\n\x1a\n\0\0\0\x0dtEXt\0\0\0\x01\0\0\0\x01",
            b"\xff\xd8\xff\xda\x00\x04ab",
            b"\xff\xd8\xff\xe0\x00\x00",
            b"GIF89a\0\0\x01\0",
            b"BM<html>",
            b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0",
            b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
        ];
        for head in table {
            assert_eq!(Format::of(&padded(head)), None, "{head:?}");
            for length in 0..head.len() {
                assert_eq!(Format::of(&head[..length]), None);
            }
        }
    }
}
