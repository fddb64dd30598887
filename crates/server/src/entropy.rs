//! The one place that draws random bytes.

use std::fmt;

use rand::RngCore as _;

/// Where random bytes come from. They become tokens and keys, so a source that can be guessed is
/// for tests only.
pub trait Entropy: fmt::Debug + Send + Sync + 'static {
    /// Fills `bytes` with random ones.
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's source, through a generator of each thread (`ChaCha12`) that is seeded and
/// reseeded from it: salts and ids of thousands of messages a second cost no system call each.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(clippy::disallowed_methods, reason = "this is the server's home of randomness")]
    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}
