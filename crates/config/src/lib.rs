//! The configuration tree: one file per section, default, validation, schema.
