//! The envelope of every list.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A list, whole or one page of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct List<T> {
    /// The items, in the order of the list.
    pub items: Vec<T>,
    /// Whether the list comes in pages.
    pub is_paginated: bool,
    /// Where the next page is; present exactly if the list comes in pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pagination: Option<Pagination>,
}

/// Where the next page is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pagination {
    /// The id of the first item of the next page; null on the last one.
    pub next_cursor: Option<String>,
}

impl<T> List<T> {
    /// A list that is never paginated.
    pub const fn whole(items: Vec<T>) -> Self {
        Self { items, is_paginated: false, pagination: None }
    }

    /// The same list with its items shown otherwise.
    #[must_use]
    pub fn map<U>(self, show: impl FnMut(T) -> U) -> List<U> {
        List {
            items: self.items.into_iter().map(show).collect(),
            is_paginated: self.is_paginated,
            pagination: self.pagination,
        }
    }

    /// One page; `next_cursor` is the id of the first item of the next one.
    pub const fn page(items: Vec<T>, next_cursor: Option<String>) -> Self {
        Self { items, is_paginated: true, pagination: Some(Pagination { next_cursor }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn pagination_is_present_exactly_if_the_list_is_paginated() {
        let whole = serde_json::to_value(List::whole(vec![1])).unwrap();
        assert_eq!(whole, json!({ "items": [1], "is_paginated": false }));
        let last = serde_json::to_value(List::page(vec![1], None)).unwrap();
        assert_eq!(
            last,
            json!({ "items": [1], "is_paginated": true, "pagination": { "next_cursor": null } })
        );
    }
}
