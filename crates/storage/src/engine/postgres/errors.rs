//! What an error of PostgreSQL means. Texts of the server are passed on only where they hold no stored values.

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use super::connection::Trouble;
use crate::engine::StorageError;

/// The error in our terms, and what can be done about it.
pub(super) fn explain(error: &Error) -> (StorageError, Option<Trouble>) {
    let Some(said) = error.as_db_error() else {
        let text = with_causes(error);
        // Wrong arguments show before anything is sent; all else is the connection.
        return if error.is_closed() || is_io(error) || error.code().is_some() {
            (StorageError::Unavailable(text), Some(Trouble::Lost))
        } else {
            (StorageError::internal(text), None)
        };
    };
    let code = said.code();
    let name = || said.constraint().or(said.column()).unwrap_or_default().to_owned();
    let explained = match code {
        &SqlState::UNIQUE_VIOLATION => StorageError::Unique { index: name() },
        &SqlState::FOREIGN_KEY_VIOLATION => StorageError::ForeignKey,
        &SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED => {
            return (StorageError::Busy, Some(Trouble::Conflict));
        }
        &SqlState::QUERY_CANCELED | &SqlState::LOCK_NOT_AVAILABLE | &SqlState::TOO_MANY_CONNECTIONS => {
            StorageError::Busy
        }
        &SqlState::ADMIN_SHUTDOWN | &SqlState::CRASH_SHUTDOWN | &SqlState::CANNOT_CONNECT_NOW => {
            return (StorageError::Unavailable(said.message().to_owned()), Some(Trouble::Lost));
        }
        code => match code.code().get(..2) {
            Some("08" | "28" | "3D" | "53" | "57" | "58") => {
                StorageError::Unavailable(said.message().to_owned())
            }
            Some("22" | "23") => {
                StorageError::Integrity(format!("{} {}", code.code(), name()).trim().to_owned())
            }
            _ => StorageError::internal(format!("{}: {}", code.code(), said.message())),
        },
    };
    (explained, None)
}

fn is_io(error: &Error) -> bool {
    std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<std::io::Error>)
}

fn with_causes(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
