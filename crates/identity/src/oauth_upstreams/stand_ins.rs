//! For tests, behind a feature that no server is built with: other machines in place of the real providers, whose
//! addresses are part of their descriptions and no setting.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use url::Url;

use crate::app::App;

/// Where origins are reached instead.
#[derive(Default)]
pub(super) struct StandIns(RwLock<HashMap<String, Url>>);

impl StandIns {
    /// The address at which a request is sent.
    pub(super) fn in_place_of(&self, mut url: Url) -> Url {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(base) = all.get(&url.origin().ascii_serialization()) {
            let (path, query) = (url.path().to_owned(), url.query().map(str::to_owned));
            url = base.clone();
            url.set_path(&path);
            url.set_query(query.as_deref());
        }
        url
    }
}

impl App {
    /// From now on providers at `origin` are reached at `base`.
    pub fn stand_in_for(&self, origin: &str, base: Url) {
        let mut all = self.upstream_documents.stand_ins.0.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(origin.to_owned(), base);
    }
}
