//! Who a person is: recovery phrase, identity and device keys, signed statements and the sigchain.
//!
//! Usable by strangers: nothing here knows servers, files, clocks or a source of randomness. Seeds
//! and times are arguments, so the only errors are rules that say no. REST bodies belong to
//! `wire`; the KEZ document format of the sigchain belongs here, because its bytes are signed.
//!
//! To add a use of device keys: a variant of [`key::DeviceUse`], a field of [`key::DeviceKeys`]
//! and a line in `docs/schema/sigchain.md`. To add an operation of the chain: a variant of
//! [`sigchain::Op`] with its parser and writer in `sigchain/op.rs` and its effect in
//! `sigchain/state.rs`. To add a signed statement: a struct in [`signed`] with a tag of its own,
//! and its row in the matrix of `tests/it/signature_matrix.rs`.

pub mod export;
pub mod key;
pub mod phrase;
pub mod sigchain;
pub mod signed;

pub use export::{ExportSecret, SignedExport};
pub use key::{DeviceKeys, DeviceSecret, DeviceUse, IdentitySecret, PublicKey, Signature};
pub use phrase::Phrase;
pub use sigchain::{Chain, Envelope, Head, Op, parse_envelope};
pub use signed::{Login, Register};
