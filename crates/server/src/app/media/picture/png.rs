//! PNG (W3C Recommendation, third edition).

use image::metadata::Orientation;

use super::bytes::Bytes;
use super::{Container, PictureError};

pub(super) const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Chunks that say how pixels look; everything else is about something else.
const KEPT: &[&[u8; 4]] = &[
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP",
    b"mDCV", b"cLLI", b"sBIT", b"bKGD", b"pHYs", b"acTL", b"fcTL", b"fdAT",
];

pub(super) fn read(bytes: &[u8]) -> Result<Container, PictureError> {
    let mut rest = Bytes(bytes);
    if rest.take(SIGNATURE.len())? != SIGNATURE {
        return Err(PictureError::Damaged);
    }
    let mut kept = SIGNATURE.to_vec();
    let mut size = None;
    let mut frames = 1;
    let mut orientation = Orientation::NoTransforms;
    loop {
        let whole = rest.0;
        let length = u32::from_be_bytes(rest.array()?) as usize;
        let name: [u8; 4] = rest.array()?;
        let mut data = Bytes(rest.take(length)?);
        let _checksum: [u8; 4] = rest.array()?;
        let chunk = whole.get(..length + 12).ok_or(PictureError::Damaged)?;
        if size.is_none() != (&name == b"IHDR") {
            return Err(PictureError::Damaged);
        }
        if KEPT.contains(&&name) {
            kept.extend_from_slice(chunk);
        }
        match &name {
            b"IHDR" => {
                let (width, height) = (data.array()?, data.array()?);
                size = Some((u32::from_be_bytes(width), u32::from_be_bytes(height)));
            }
            b"acTL" => frames = u32::from_be_bytes(data.array()?).max(1),
            b"eXIf" => {
                orientation =
                    Orientation::from_exif_chunk(data.0).unwrap_or(Orientation::NoTransforms);
            }
            b"IEND" => break,
            _ => {}
        }
    }
    let (width, height) = size.ok_or(PictureError::Damaged)?;
    Ok(Container { width, height, frames, orientation, bytes: kept })
}
