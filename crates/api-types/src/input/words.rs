//! Enumerations whose values are words on the wire: the macro `words!`.

/// Declares an enum of words, with its reading, its JSON and its JSON schema.
///
/// ```
/// latchkey_api_types::words! {
///     /// What a contact channel is.
///     pub enum ContactType {
///         /// An email address.
///         Email = "email",
///     }
/// }
/// assert_eq!(ContactType::Email.as_str(), "email");
/// ```
#[macro_export]
macro_rules! words {
    ($(#[doc = $doc:literal])* $vis:vis enum $name:ident {
        $($(#[doc = $word_doc:literal])* $variant:ident = $word:literal),+ $(,)?
    }) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis enum $name {
            $($(#[doc = $word_doc])* $variant,)+
        }

        impl $name {
            /// The word on the wire.
            $vis const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl $crate::serde::Serialize for $name {
            fn serialize<S: $crate::serde::Serializer>(&self, serializer: S) -> ::core::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl $crate::schemars::JsonSchema for $name {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                ::core::stringify!($name).into()
            }

            fn json_schema(_: &mut $crate::schemars::SchemaGenerator) -> $crate::schemars::Schema {
                $crate::schemars::json_schema!({ "type": "string", "enum": [$($word),+] })
            }
        }

        impl $crate::input::Input for $name {
            fn read(
                value: ::core::option::Option<&$crate::serde_json::Value>,
                at: &$crate::input::Location<'_>,
                out: &mut $crate::input::Violations,
            ) -> ::core::option::Option<Self> {
                let text = <::std::string::String as $crate::input::Input>::read(value, at, out)?;
                match text.as_str() {
                    $($word => return ::core::option::Option::Some(Self::$variant),)+
                    _ => out.add(at, ::core::concat!("must be one of", $(" \"", $word, "\""),+)),
                }
                ::core::option::Option::None
            }
        }
    };
}
