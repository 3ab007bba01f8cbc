//! Ids of messages and attempts: a prefix and 27 letters and digits that sort by the time of their making, within one
//! process also where that is the same millisecond.

use std::sync::atomic::{AtomicU64, Ordering};

use latchkey_api_types::ids::{WebhookAttemptId, WebhookEndpointId, WebhookMessageId};

use crate::app::App;

/// In the order of the bytes.
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// As many digits of base 62 as 160 bits need.
const LENGTH: usize = 27;

/// The kinds of ids that are made here.
pub(super) trait SortableId: Sized {
    /// The id with these digits.
    fn with_digits(digits: &str) -> Self;
}

macro_rules! sortable {
    ($($name:ident),*) => {$(
        impl SortableId for $name {
            fn with_digits(digits: &str) -> Self {
                format!("{}{digits}", Self::PREFIX).parse().expect("a prefix and 27 digits are an id")
            }
        }
    )*};
}

sortable!(WebhookAttemptId, WebhookEndpointId, WebhookMessageId);

/// Gives each id a place behind all earlier ones.
#[derive(Default)]
pub(super) struct Sequence(AtomicU64);

impl Sequence {
    /// A new id: 64 bits of time and sequence, 96 random ones.
    pub(super) fn next<I: SortableId>(&self, app: &App) -> I {
        let time = u64::try_from(app.now()).unwrap_or(0) << 16;
        let step = |last: u64| Some(time.max(last + 1));
        let last = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step).unwrap_or_default();
        let place = time.max(last + 1);
        let mut bytes = [0; 20];
        app.random.fill(&mut bytes);
        bytes[..8].copy_from_slice(&place.to_be_bytes());
        I::with_digits(&base62(bytes))
    }
}

/// The id that always belongs to these bytes.
pub(super) fn of_bytes<I: SortableId>(bytes: &[u8; 32]) -> I {
    let mut first = [0; 20];
    first.copy_from_slice(&bytes[..20]);
    I::with_digits(&base62(first))
}

/// 160 bits in base 62, most significant digit first.
fn base62(mut bytes: [u8; 20]) -> String {
    let mut digits = [b'0'; LENGTH];
    for digit in digits.iter_mut().rev() {
        let mut rest = 0_u32;
        for byte in &mut bytes {
            let value = rest << 8 | u32::from(*byte);
            *byte = u8::try_from(value / 62).unwrap_or(u8::MAX);
            rest = value % 62;
        }
        *digit = ALPHABET[rest as usize];
    }
    digits.iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_sort_as_the_numbers_do_and_never_overflow() {
        assert_eq!(base62([0; 20]), "0".repeat(27));
        let most = base62([255; 20]);
        assert_eq!(most.len(), 27);
        let mut one = [0; 20];
        one[19] = 61;
        assert_eq!(base62(one), format!("{}z", "0".repeat(26)));
        one[19] = 62;
        assert_eq!(base62(one), format!("{}10", "0".repeat(25)));
        let mut early = [9; 20];
        early[0] = 1;
        let mut late = [0; 20];
        late[0] = 2;
        assert!(base62(early) < base62(late) && base62(late) < most);
    }
}
