//! What can go wrong below the rules.

/// A failure of the store, never of the caller. Details are for the operator, not for users.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// The disk is full; nothing of the change was kept.
    #[error("the disk of the database is full")]
    Full,
    /// The database does not answer or refused the connection; trying again may help.
    #[error("the database is not available: {detail}")]
    Unavailable {
        /// What the driver said.
        detail: String,
    },
    /// A row is not what this version writes; a repair or a rebuild is needed.
    #[error("the database holds something unexpected in {place}: {detail}")]
    Corrupt {
        /// Table and column.
        place: &'static str,
        /// What was found.
        detail: String,
    },
    /// The operating system could not make data durable. Nothing may be written after it: the
    /// process has to end, because what the kernel reports next cannot be trusted.
    #[error("the operating system could not write the database durably: {detail}")]
    NotDurable {
        /// What the driver said.
        detail: String,
    },
    /// A statement failed in a way that is a defect of ours.
    #[error("a statement failed: {detail}")]
    Internal {
        /// What the driver said.
        detail: String,
    },
}
