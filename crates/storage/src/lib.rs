//! All SQL: the engine with its two drivers, one file per noun, migrations.
