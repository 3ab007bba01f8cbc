//! Latchkey's wire types: ids, request and response JSON per access level, the known-error table.
