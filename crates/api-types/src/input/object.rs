//! Objects with declared properties: the macro `input!` and what it expands to.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value};

use super::{Input, Location, Violations, required};

/// Declares the input struct of a request, with its reading and its JSON schema.
///
/// Every property is read and every violation collected. `Option<T>` may be absent (null is refused),
/// [`Nullable<T>`](super::Nullable) may be null, `Option<Nullable<T>>` both. A property whose name on the wire is
/// not the field's is written `field as "name": Type`. Unknown properties are violations, unless the declaration
/// starts with `open`. `#[derive(…)]` after the doc comment adds to `Clone` and `Debug`.
///
/// ```
/// use latchkey_api_types::input;
/// use latchkey_api_types::input::{PasswordText, StrictEmail, UrlText};
///
/// input! {
///     /// A new account with a password.
///     pub struct SignUp {
///         /// Where the account's owner reads mail.
///         pub email: StrictEmail,
///         /// At least eight characters.
///         pub password: PasswordText,
///         /// Without it no verification mail is sent.
///         pub verification_callback_url: Option<UrlText>,
///     }
/// }
/// ```
#[macro_export]
macro_rules! input {
    (open $($rest:tt)*) => { $crate::input!(@struct false, $($rest)*); };
    (@struct $closed:literal, $(#[doc = $doc:literal])* $(#[derive($($derive:ident),+)])?
     $vis:vis struct $name:ident {
        $($(#[doc = $field_doc:literal])* $field_vis:vis $field:ident $(as $wire:literal)?: $type:ty),* $(,)?
    }) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug $(, $($derive),+)?)]
        $vis struct $name {
            $($(#[doc = $field_doc])* $field_vis $field: $type,)*
        }

        impl $crate::input::Input for $name {
            fn read(
                value: ::core::option::Option<&$crate::serde_json::Value>,
                at: &$crate::input::Location<'_>,
                out: &mut $crate::input::Violations,
            ) -> ::core::option::Option<Self> {
                const NAMES: &[&str] = &[$($crate::input!(@wire $field $($wire)?)),*];
                let _object = $crate::input::object(value, at, if $closed { Some(NAMES) } else { None }, out)?;
                $(let $field = {
                    const NAME: &str = $crate::input!(@wire $field $($wire)?);
                    <$type as $crate::input::Input>::read(_object.get(NAME), &at.property(NAME), out)
                };)*
                ::core::option::Option::Some(Self { $($field: $field?),* })
            }
        }

        impl $crate::schemars::JsonSchema for $name {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                ::core::stringify!($name).into()
            }

            fn json_schema(generator: &mut $crate::schemars::SchemaGenerator) -> $crate::schemars::Schema {
                let properties = ::std::vec![$($crate::input::Property::of::<$type>(
                    $crate::input!(@wire $field $($wire)?),
                    &[$($field_doc),*],
                    generator,
                )),*];
                $crate::input::object_schema(&[$($doc),*], properties, $closed)
            }
        }
    };
    (@wire $field:ident $wire:literal) => { $wire };
    (@wire $field:ident) => { ::core::stringify!($field) };
    ($($rest:tt)*) => { $crate::input!(@struct true, $($rest)*); };
}

/// The object at this location. With `names`, every other property is a violation.
pub fn object<'v>(
    value: Option<&'v Value>,
    at: &Location<'_>,
    names: Option<&[&str]>,
    out: &mut Violations,
) -> Option<&'v Map<String, Value>> {
    let Value::Object(object) = required(value, at, out)? else {
        out.add(at, "must be an object");
        return None;
    };
    if let Some(names) = names {
        for name in object.keys().filter(|name| !names.contains(&name.as_str())) {
            out.add(&at.property(name), "is not a known property");
        }
    }
    Some(object)
}

/// One declared property, for the JSON schema.
pub struct Property {
    name: &'static str,
    required: bool,
    schema: Schema,
}

impl Property {
    /// The property `name` of type `T`, described by its doc comment.
    pub fn of<T: Input>(name: &'static str, doc: &[&str], generator: &mut SchemaGenerator) -> Self {
        let mut schema = T::schema(generator);
        describe(&mut schema, doc);
        Self { name, required: T::REQUIRED, schema }
    }
}

/// The JSON schema of an object with these properties and, if `closed`, no others.
pub fn object_schema(doc: &[&str], properties: Vec<Property>, closed: bool) -> Schema {
    let required: Vec<_> = properties.iter().filter(|property| property.required).map(|p| p.name).collect();
    let properties: Map<String, Value> =
        properties.into_iter().map(|property| (property.name.to_owned(), property.schema.into())).collect();
    let mut schema = json_schema!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        schema.insert("required".to_owned(), required.into());
    }
    if closed {
        schema.insert("additionalProperties".to_owned(), false.into());
    }
    describe(&mut schema, doc);
    schema
}

/// Adds the lines of a doc comment as the description.
fn describe(schema: &mut Schema, doc: &[&str]) {
    if !doc.is_empty() {
        let text: Vec<_> = doc.iter().map(|line| line.trim()).collect();
        schema.insert("description".to_owned(), text.join(" ").into());
    }
}

/// No properties at all: what a list without filters or an update without fields declares.
impl Input for () {
    fn read(value: Option<&Value>, at: &Location<'_>, out: &mut Violations) -> Option<Self> {
        object(value, at, Some(&[]), out).map(|_| ())
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        object_schema(&[], Vec::new(), true)
    }
}
