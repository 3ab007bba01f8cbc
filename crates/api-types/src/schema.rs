//! How types that are read by hand stand in JSON schemas: the macro `inline_schema!`.

/// Describes a type by this schema wherever it is used, instead of by a definition of its own.
macro_rules! inline_schema {
    ($name:ident, $schema:expr) => {
        impl $crate::schemars::JsonSchema for $name {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut $crate::schemars::SchemaGenerator) -> $crate::schemars::Schema {
                $schema
            }
        }
    };
}

pub(crate) use inline_schema;
