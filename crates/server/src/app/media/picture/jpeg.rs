//! JPEG (ITU-T T.81, annex B).

use image::metadata::Orientation;

use super::bytes::Bytes;
use super::{Container, PictureError};

const START: u8 = 0xd8;
const END: u8 = 0xd9;
const SCAN: u8 = 0xda;

pub(super) fn read(bytes: &[u8]) -> Result<Container, PictureError> {
    let mut rest = Bytes(bytes);
    if rest.array()? != [0xff, START] {
        return Err(PictureError::Damaged);
    }
    let mut kept = vec![0xff, START];
    let mut size = None;
    let mut scans = 0;
    let mut orientation = Orientation::NoTransforms;
    // A file that was cut after its pixels began is still shown as far as it goes.
    while let Some(marker) = next_marker(&mut rest)? {
        if marker == END {
            break;
        }
        let mut length = rest;
        let length = usize::from(u16::from_be_bytes(length.array()?));
        let segment = rest.take(length)?;
        let data = segment.get(2..).ok_or(PictureError::Damaged)?;
        if is_frame(marker) {
            let mut data = Bytes(data);
            let _precision = data.byte()?;
            let height = u16::from_be_bytes(data.array()?);
            let width = u16::from_be_bytes(data.array()?);
            size = Some((u32::from(width), u32::from(height)));
        }
        if let Some(exif) = data.strip_prefix(b"Exif\0\0").filter(|_| marker == 0xe1) {
            orientation = Orientation::from_exif_chunk(exif).unwrap_or(orientation);
        }
        if is_kept(marker, data) {
            kept.extend_from_slice(&[0xff, marker]);
            kept.extend_from_slice(segment);
        }
        if marker == SCAN {
            scans += 1;
            let length = scan_length(rest.0);
            kept.extend_from_slice(rest.take(length)?);
        }
    }
    kept.extend_from_slice(&[0xff, END]);
    let (width, height) = size.filter(|_| scans > 0).ok_or(PictureError::Damaged)?;
    Ok(Container { width, height, frames: 1, orientation, bytes: kept })
}

/// The marker that comes next; none at the end of the file.
fn next_marker(rest: &mut Bytes<'_>) -> Result<Option<u8>, PictureError> {
    if rest.is_empty() {
        return Ok(None);
    }
    if rest.byte()? != 0xff {
        return Err(PictureError::Damaged);
    }
    loop {
        match rest.byte()? {
            // Any number of these may stand before a marker.
            0xff => {}
            0 | 1 | 0xd0..=START => return Err(PictureError::Damaged),
            marker => return Ok(Some(marker)),
        }
    }
}

/// Whether the segment begins a frame, and so says how large it is.
const fn is_frame(marker: u8) -> bool {
    matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc)
}

/// Of the application's own segments only three are about pixels: JFIF, the profile of the colors,
/// and Adobe's, which says how the colors are mixed.
fn is_kept(marker: u8, data: &[u8]) -> bool {
    match marker {
        0xe0 => data.starts_with(b"JFIF\0"),
        0xe2 => data.starts_with(b"ICC_PROFILE\0"),
        0xee => data.starts_with(b"Adobe"),
        // The rest of the application's segments, comments, and extensions that nobody uses.
        0xe1..=0xfe => false,
        _ => true,
    }
}

/// How many bytes of pixels stand before the next marker that is not part of them.
fn scan_length(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(found) = bytes.get(at..).and_then(|rest| rest.iter().position(|b| *b == 0xff)) {
        at += found;
        match bytes.get(at + 1) {
            Some(0 | 0xd0..=0xd7) => at += 2,
            Some(_) => return at,
            None => break,
        }
    }
    // A lone 0xff at the end would be taken for half a marker.
    if bytes.last() == Some(&0xff) { bytes.len() - 1 } else { bytes.len() }
}
