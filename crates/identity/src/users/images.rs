//! Pictures of users: which URLs are accepted (contract 05 §5). Inline images are kept as the data URL that they
//! came as, once they are seen to be images.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use latchkey_api_types::AccessType;

use crate::failure::Failure;

/// Checks a picture URL and returns what is stored.
///
/// # Errors
/// 400 for schemes other than http, https and data; for inline data that is no image; for anything but an inline
/// image from clients.
pub(super) fn accept(url: &str, access: AccessType) -> Result<String, Failure> {
    let lower = url.get(..8).unwrap_or(url).to_ascii_lowercase();
    if lower.starts_with("https://") || lower.starts_with("http://") {
        return if access == AccessType::Client {
            Err(Failure::text(400, "Clients send pictures inline, as data:image/…;base64 URLs."))
        } else {
            Ok(url.to_owned())
        };
    }
    let refused =
        || Failure::text(400, "The picture is neither an http(s) URL nor a base64 image of a known format.");
    let (declared, data) =
        url.strip_prefix("data:image/").and_then(|rest| rest.split_once(";base64,")).ok_or_else(refused)?;
    let known = ["png", "jpg", "jpeg", "gif", "bmp", "webp"];
    if !known.contains(&declared) {
        return Err(refused());
    }
    let bytes = STANDARD.decode(data).map_err(|_| refused())?;
    if is_image(&bytes) { Ok(url.to_owned()) } else { Err(refused()) }
}

/// Whether the bytes begin as one of the formats does.
fn is_image(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x89PNG\r\n\x1a\n")
        || bytes.starts_with(b"\xff\xd8\xff")
        || bytes.starts_with(b"GIF87a")
        || bytes.starts_with(b"GIF89a")
        || bytes.starts_with(b"BM")
        || (bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

    #[test]
    fn clients_send_inline_images_only() {
        assert!(accept(PNG, AccessType::Client).is_ok());
        assert!(accept("https://example.com/a.png", AccessType::Client).is_err());
        assert!(accept("https://example.com/a.png", AccessType::Server).is_ok());
    }

    #[test]
    fn what_is_no_image_is_refused_for_everyone() {
        let hostile = [
            "javascript:alert(1)",
            "data:text/html;base64,PGI+",
            "data:image/svg+xml;base64,PHN2Zz4=",
            "data:image/png;base64,PGI+",
            "data:image/png;base64,***",
            "ftp://example.com/a.png",
        ];
        for url in hostile {
            assert!(accept(url, AccessType::Admin).is_err(), "{url}");
        }
    }
}
