//! The value types of configuration keys: text in the file, a checked type in the program.
//!
//! Each parses with `FromStr`, prints with `Display`, and carries its own place in the schema. Nothing here knows
//! which key uses it.

mod address;
mod connection;
mod duration;
mod secret;

pub use address::{AllowedTarget, Network, PublicUrl};
pub use connection::ConnectionUrl;
pub use duration::Duration;
pub use secret::SecretText;

/// Gives a type with `FromStr` and `Display` its text form in serde and its place in the schema.
macro_rules! text_value {
    ($type:ty, $name:literal, { $($schema:tt)* }) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", $($schema)* })
            }
        }
    };
}
use text_value;
