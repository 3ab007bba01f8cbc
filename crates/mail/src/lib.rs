//! One struct per message, templates, transports.
