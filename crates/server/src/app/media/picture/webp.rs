//! WebP (RFC 9649).

use image::metadata::Orientation;

use super::bytes::Bytes;
use super::{Container, FRAMES_MAX, PictureError, check_size};

/// Chunks that say how pixels look.
const KEPT: &[&[u8; 4]] = &[b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"];
/// Bits of `VP8X` that promise chunks which stay behind: EXIF and XMP.
const PROMISES: u8 = 0x08 | 0x04;

pub(super) fn read(bytes: &[u8]) -> Result<Container, PictureError> {
    let mut rest = Bytes(bytes);
    if rest.take(4)? != b"RIFF" {
        return Err(PictureError::Damaged);
    }
    let length = u32::from_le_bytes(rest.array()?) as usize;
    let mut rest = Bytes(rest.take(length)?);
    if rest.take(4)? != b"WEBP" {
        return Err(PictureError::Damaged);
    }
    let mut kept = b"WEBP".to_vec();
    let mut canvas = None;
    let mut image = None;
    let mut frames = 0;
    let mut orientation = Orientation::NoTransforms;
    while !rest.is_empty() {
        let name: [u8; 4] = rest.array()?;
        let length = u32::from_le_bytes(rest.array()?);
        let data = rest.take(length as usize)?;
        if length % 2 == 1 && !rest.is_empty() {
            rest.byte()?;
        }
        let mut fields = Bytes(data);
        match &name {
            b"VP8X" => {
                fields.take(4)?;
                canvas = Some((short(&mut fields)? + 1, short(&mut fields)? + 1));
            }
            b"VP8 " => image = Some(lossy_size(fields)?),
            b"VP8L" => image = Some(lossless_size(fields)?),
            b"ANMF" => {
                fields.take(6)?;
                let (width, height) = (short(&mut fields)? + 1, short(&mut fields)? + 1);
                check_size(width, height)?;
                frames += 1;
                if frames > FRAMES_MAX {
                    return Err(PictureError::TooManyFrames);
                }
            }
            b"EXIF" => {
                let exif = data.strip_prefix(b"Exif\0\0").unwrap_or(data);
                orientation =
                    Orientation::from_exif_chunk(exif).unwrap_or(Orientation::NoTransforms);
            }
            _ => {}
        }
        if KEPT.contains(&&name) {
            kept.extend_from_slice(&name);
            kept.extend_from_slice(&length.to_le_bytes());
            let start = kept.len();
            kept.extend_from_slice(data);
            if let Some(flags) = kept.get_mut(start).filter(|_| &name == b"VP8X") {
                *flags &= !PROMISES;
            }
            if length % 2 == 1 {
                kept.push(0);
            }
        }
    }
    if let Some((width, height)) = image {
        check_size(width, height)?;
    }
    if image.is_none() && frames == 0 {
        return Err(PictureError::Damaged);
    }
    let (width, height) = canvas.or(image).ok_or(PictureError::Damaged)?;
    let length = u32::try_from(kept.len()).map_err(|_| PictureError::Damaged)?;
    let bytes = [&b"RIFF"[..], &length.to_le_bytes(), &kept].concat();
    Ok(Container { width, height, frames: frames.max(1), orientation, bytes })
}

/// A number of 24 bits.
fn short(fields: &mut Bytes<'_>) -> Result<u32, PictureError> {
    let [a, b, c] = fields.array()?;
    Ok(u32::from_le_bytes([a, b, c, 0]))
}

/// RFC 6386, section 9.1.
fn lossy_size(mut fields: Bytes<'_>) -> Result<(u32, u32), PictureError> {
    fields.take(3)?;
    if fields.take(3)? != b"\x9d\x01\x2a" {
        return Err(PictureError::Damaged);
    }
    let mut number = || Ok(u32::from(u16::from_le_bytes(fields.array()?) & 0x3fff));
    Ok((number()?, number()?))
}

/// RFC 9649, section 3.4.
fn lossless_size(mut fields: Bytes<'_>) -> Result<(u32, u32), PictureError> {
    if fields.byte()? != 0x2f {
        return Err(PictureError::Damaged);
    }
    let bits = u32::from_le_bytes(fields.array()?);
    Ok(((bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1))
}
