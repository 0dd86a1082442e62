//! What the engine's failures mean to an app: its own mistake, a limit, or something that is wrong with the disk.

use ports::StoreError;
use rusqlite::{Error, ErrorCode, ffi};
use types::limits;

use super::guard::Guard;
use crate::stop::Stop;

/// What a failed statement means. Nothing of it was written, unless it is `Ambiguous`.
pub(super) fn of_statement(error: &Error, guard: &Guard, stop: &Stop) -> StoreError {
    // The engine does not always give the code for it.
    if let Some(why) = guard.refusal() {
        return StoreError::Denied(why);
    }
    let Some(code) = error.sqlite_error_code() else { return StoreError::Rejected(error.to_string()) };
    let extended = error.sqlite_error().map_or(0, |error| error.extended_code);
    match code {
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Damaged(error.to_string()),
        ErrorCode::DiskFull => StoreError::Full,
        ErrorCode::AuthorizationForStatementDenied => StoreError::Denied("the statement is not allowed".into()),
        ErrorCode::ReadOnly => StoreError::Denied("this grant reads only".into()),
        ErrorCode::OperationInterrupted => {
            let time = types::Elapsed::from(limits::SQL_TIME);
            StoreError::Rejected(format!("interrupted: the statement ran longer than {time}, the most that one may"))
        }
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked if extended == ffi::SQLITE_BUSY_SNAPSHOT => {
            StoreError::Changed("another connection wrote after this transaction had read; begin it again".into())
        }
        ErrorCode::SystemIoFailure if is_write(extended) => {
            let text = format!("a write to a database failed: {error}");
            stop.stop(&text);
            StoreError::Ambiguous(text)
        }
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::SystemIoFailure
        | ErrorCode::CannotOpen
        | ErrorCode::OutOfMemory
        | ErrorCode::FileLockingProtocolFailed => StoreError::Failed(error.to_string()),
        _ => StoreError::Rejected(error.to_string()),
    }
}

/// What a failure of the platform's own work on a database means.
pub(super) fn of_own(error: &Error, guard: &Guard, stop: &Stop) -> StoreError {
    match of_statement(error, guard, stop) {
        StoreError::Rejected(text) => match crate::sqlite::failure(error) {
            StoreError::Damaged(text) => StoreError::Damaged(text),
            _ => StoreError::Failed(text),
        },
        other => other,
    }
}

/// After these nobody can say what is on the disk.
fn is_write(extended: i32) -> bool {
    [ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_IOERR_DIR_FSYNC, ffi::SQLITE_IOERR_TRUNCATE]
        .contains(&extended)
}

/// More rows, or more bytes of them, than one statement may give.
pub(super) fn too_many_rows(measured: usize) -> StoreError {
    StoreError::TooMany { what: "rows", measured: measured as u64, allowed: limits::SQL_ROWS as u64 }
}

pub(super) fn too_large_rows(measured: usize) -> StoreError {
    StoreError::TooLarge { what: "rows", measured: measured as u64, allowed: limits::SQL_BYTES.0 }
}
