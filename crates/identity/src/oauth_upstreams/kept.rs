//! Documents of providers, kept in memory by their address, and the rules for fetching them again.

use std::future::Future;
use std::sync::Arc;

use latchkey_oauth::UpstreamError;
use latchkey_oauth::key_sets::{self, Freshness};
use quick_cache::sync::Cache;

/// How many documents of a kind are kept.
const CAPACITY: usize = 1000;

/// Documents of one kind, each with when it was fetched, epoch seconds.
pub(super) struct Kept<T> {
    documents: Cache<String, (Arc<T>, i64)>,
    /// When a fetch was last begun that did not bring what was due, epoch seconds.
    attempts: Cache<String, i64>,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { documents: Cache::new(CAPACITY), attempts: Cache::new(CAPACITY) }
    }
}

impl<T> Kept<T> {
    /// The document at an address, by `fetch` if it is due. `wants_fresh` asks for a newer one than is at hand, which is
    /// granted now and then only. A document that came when it was due does not count there: a provider may change it
    /// right after. While one is at hand that still may be used, a fetch that failed or is under way is not repeated
    /// at once.
    ///
    /// # Errors
    /// Those of `fetch`, if there is nothing at hand.
    pub(super) async fn get(
        &self,
        address: &str,
        now: i64,
        wants_fresh: bool,
        fetch: impl Future<Output = Result<T, UpstreamError>>,
    ) -> Result<Arc<T>, UpstreamError> {
        let known = self.documents.get(address);
        let freshness = known.as_ref().map_or(Freshness::Over, |(_, at)| key_sets::freshness(now - at));
        let usable = known.map(|(document, _)| document).filter(|_| freshness != Freshness::Over);
        if let Some(document) = &usable {
            let since = now - self.attempts.get(address).unwrap_or(i64::MIN / 2);
            let is_due = freshness != Freshness::Fresh || wants_fresh;
            if !is_due || !key_sets::may_fetch_again(since) {
                return Ok(Arc::clone(document));
            }
        }
        self.attempts.insert(address.to_owned(), now);
        match (fetch.await, usable) {
            (Ok(document), _) => {
                if !wants_fresh {
                    self.attempts.remove(address);
                }
                let document = Arc::new(document);
                self.documents.insert(address.to_owned(), (Arc::clone(&document), now));
                Ok(document)
            }
            (Err(_), Some(document)) => Ok(document),
            (Err(error), None) => Err(error),
        }
    }
}
