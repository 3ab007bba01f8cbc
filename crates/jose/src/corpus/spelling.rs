//! The genuine token, spelt otherwise: cut, extended, padded, with bits changed. Each part has one spelling.

use super::{Genuine, Hostile, decode, encode};
use crate::error::JwtError::Malformed;
use crate::token::MAX_LENGTH;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

pub(super) fn variants(genuine: &Genuine<'_>) -> Vec<Hostile> {
    let mut hostile = Vec::new();
    hostile.extend(cut(genuine));
    hostile.extend(extended(genuine));
    hostile.extend(base64(genuine));
    hostile.extend(flipped(genuine));
    hostile
}

fn cut(genuine: &Genuine<'_>) -> Vec<Hostile> {
    let (header, payload, signature) = (genuine.header_text, genuine.payload_text, genuine.signature_text);
    let mut hostile: Vec<_> = (0..genuine.token.len())
        .map(|length| Hostile::refused_anyhow(format!("cut after {length}"), &genuine.token[..length]))
        .collect();
    let parts = [
        ("nothing", String::new()),
        ("one dot", ".".to_owned()),
        ("two dots", "..".to_owned()),
        ("header only", header.to_owned()),
        ("header and payload", format!("{header}.{payload}")),
        ("no header", format!(".{payload}.{signature}")),
        ("no payload", format!("{header}..{signature}")),
        ("no first dot", format!("{header}{payload}.{signature}")),
        ("payload first", format!("{payload}.{header}.{signature}")),
        ("four parts", format!("{header}.{payload}.{signature}.{signature}")),
        ("five parts", format!("{header}.{payload}.{payload}.{payload}.{signature}")),
        ("JSON", format!(r#"{{"protected":"{header}","payload":"{payload}","signature":"{signature}"}}"#)),
    ];
    hostile.extend(
        parts.into_iter().map(|(name, token)| Hostile::new(format!("parts: {name}"), token, Malformed)),
    );
    hostile
}

fn extended(genuine: &Genuine<'_>) -> Vec<Hostile> {
    let mut hostile = Vec::new();
    for garbage in [".", ".x", "=", "==", " ", "\n", "\r\n", "\t", "\0", ",", ";", "é", "\u{feff}", "%20"] {
        hostile.push(Hostile::new(
            format!("followed by {garbage:?}"),
            format!("{}{garbage}", genuine.token),
            Malformed,
        ));
        hostile.push(Hostile::new(
            format!("after {garbage:?}"),
            format!("{garbage}{}", genuine.token),
            Malformed,
        ));
    }
    for more in ["A", "AA", "AAA", "AAAA"] {
        hostile
            .push(Hostile::refused_anyhow(format!("followed by {more}"), format!("{}{more}", genuine.token)));
    }
    hostile.push(Hostile::new("after Bearer", format!("Bearer {}", genuine.token), Malformed));
    let long = genuine.header_with("x", Some("x".repeat(MAX_LENGTH).into()));
    hostile.push(Hostile::new("longer than 16 KiB", genuine.under(&long), Malformed));
    hostile
}

fn base64(genuine: &Genuine<'_>) -> Vec<Hostile> {
    let mut hostile = Vec::new();
    let parts = [genuine.header_text, genuine.payload_text, genuine.signature_text];
    let mut replace = |part: usize, name: &str, text: String| {
        let mut parts = parts.map(str::to_owned);
        parts[part] = text;
        hostile.push(Hostile::new(format!("part {part}: {name}"), parts.join("."), Malformed));
    };
    for (index, part) in parts.into_iter().enumerate() {
        for padding in ["=", "==", "===="] {
            replace(index, "padded", format!("{part}{padding}"));
        }
        let (head, tail) = part.split_at(part.len() / 2);
        for inside in ["\n", " ", "=", "+", "/", "%", "\0"] {
            replace(index, "with foreign characters", format!("{head}{inside}{tail}"));
        }
        if part.contains(['-', '_']) {
            replace(index, "in the other alphabet", part.replace('-', "+").replace('_', "/"));
        }
        // The last character of a part that does not fill its last group has bits that mean nothing.
        let stray = match part.len() % 4 {
            2 => 0b1111,
            3 => 0b11,
            _ => 0,
        };
        let value = ALPHABET.iter().position(|c| part.ends_with(char::from(*c))).expect("base64url");
        for bits in 1..=stray {
            let last = char::from(ALPHABET[value | bits]);
            replace(index, "with stray bits", format!("{}{last}", &part[..part.len() - 1]));
        }
    }
    hostile
}

fn flipped(genuine: &Genuine<'_>) -> Vec<Hostile> {
    let mut hostile = Vec::new();
    let parts = [genuine.header_text, genuine.payload_text, genuine.signature_text];
    for (index, part) in parts.into_iter().enumerate() {
        let bytes = decode(part);
        for position in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[position] ^= 1 << (position % 8);
            let mut parts = parts.map(str::to_owned);
            parts[index] = encode(changed);
            let name = format!("a bit flipped in byte {position} of part {index}");
            hostile.push(Hostile::refused_anyhow(name, parts.join(".")));
        }
    }
    hostile
}
