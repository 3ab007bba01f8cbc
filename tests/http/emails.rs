//! What mails say: contract 08 §1 to §3, and 07 §8.

mod languages;
mod saving;
