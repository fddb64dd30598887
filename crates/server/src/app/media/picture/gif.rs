//! GIF, version 89a.

use image::metadata::Orientation;

use super::bytes::Bytes;
use super::{Container, FRAMES_MAX, PictureError, check_size};

const EXTENSION: u8 = 0x21;
const IMAGE: u8 = 0x2c;
const TRAILER: u8 = 0x3b;

pub(super) fn read(bytes: &[u8]) -> Result<Container, PictureError> {
    let mut rest = Bytes(bytes);
    let signature: [u8; 6] = rest.array()?;
    if ![*b"GIF87a", *b"GIF89a"].contains(&signature) {
        return Err(PictureError::Damaged);
    }
    let mut width = u32::from(u16::from_le_bytes(rest.array()?));
    let mut height = u32::from(u16::from_le_bytes(rest.array()?));
    let [flags, ..]: [u8; 3] = rest.array()?;
    rest.take(table_length(flags))?;
    let mut kept = bytes.get(..bytes.len() - rest.0.len()).unwrap_or_default().to_vec();
    let mut frames = 0;
    loop {
        let block = rest.0;
        match rest.byte()? {
            EXTENSION => {
                let label = rest.byte()?;
                let data = rest.0;
                skip_blocks(&mut rest)?;
                // How a frame is shown, and how often all of them are. Comments, texts and what
                // programs keep for themselves stay behind.
                let loops = label == 0xff
                    && [&b"\x0bNETSCAPE2.0"[..], b"\x0bANIMEXTS1.0"]
                        .iter()
                        .any(|name| data.starts_with(name));
                if label == 0xf9 || loops {
                    kept.extend_from_slice(
                        block.get(..block.len() - rest.0.len()).unwrap_or_default(),
                    );
                }
            }
            IMAGE => {
                let mut number = || Ok(u32::from(u16::from_le_bytes(rest.array()?)));
                let (left, top, wide, high) = (number()?, number()?, number()?, number()?);
                // A frame may be larger than what it claims to lie in.
                (width, height) = (width.max(left + wide), height.max(top + high));
                check_size(wide, high)?;
                check_size(width, height)?;
                let flags = rest.byte()?;
                rest.take(table_length(flags))?;
                let _code_size = rest.byte()?;
                skip_blocks(&mut rest)?;
                frames += 1;
                if frames > FRAMES_MAX {
                    return Err(PictureError::TooManyFrames);
                }
                kept.extend_from_slice(block.get(..block.len() - rest.0.len()).unwrap_or_default());
            }
            TRAILER => break,
            _ => return Err(PictureError::Damaged),
        }
    }
    if frames == 0 {
        return Err(PictureError::Damaged);
    }
    kept.push(TRAILER);
    let orientation = Orientation::NoTransforms;
    Ok(Container { width, height, frames, orientation, bytes: kept })
}

/// The bytes of a table of colors, from the flags before it.
const fn table_length(flags: u8) -> usize {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

fn skip_blocks(rest: &mut Bytes<'_>) -> Result<(), PictureError> {
    loop {
        let length = rest.byte()?;
        if length == 0 {
            return Ok(());
        }
        rest.take(usize::from(length))?;
    }
}
