//! Bytes that are read from their beginning; what is not there is damage.

use super::PictureError;

/// What is left to read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl<'a> Bytes<'a> {
    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], PictureError> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(PictureError::Damaged)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], PictureError> {
        self.take(N)?.try_into().map_err(|_| PictureError::Damaged)
    }

    pub(super) fn byte(&mut self) -> Result<u8, PictureError> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
