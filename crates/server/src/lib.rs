//! The Latchkey authentication server: reads configuration, wires, listens.
