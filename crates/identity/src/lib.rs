//! The use cases: the only place where rules live.
