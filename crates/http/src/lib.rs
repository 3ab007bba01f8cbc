//! The HTTP interface: routes, protocol, rendering.
