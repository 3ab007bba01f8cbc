//! Themes of mails on the wire.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::input;
use crate::input::NonEmptyText;

/// The frame around mails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EmailTheme {
    /// The theme.
    pub id: String,
    /// Its name.
    pub display_name: String,
    /// Its source.
    pub tsx_source: String,
}

/// All themes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EmailThemes {
    /// The built-in ones, then the project's own.
    pub themes: Vec<EmailTheme>,
}

input! {
    /// A new theme; its source is that of the default one.
    pub struct EmailThemeCreate {
        /// Its name.
        pub display_name: NonEmptyText,
    }
}

input! {
    /// Changes of a theme.
    pub struct EmailThemeUpdate {
        /// Its name.
        pub display_name: Option<NonEmptyText>,
        /// Its source.
        pub tsx_source: Option<String>,
    }
}

input! {
    /// The path of one theme.
    pub struct EmailThemePath {
        /// The theme.
        pub id: String,
    }
}
