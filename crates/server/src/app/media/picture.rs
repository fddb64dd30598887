//! Pictures: what they are, told from their headers; what they tell of their makers, taken out; and
//! smaller ones of them.
//!
//! Nothing is decoded before its header has said how much it would become. The containers are taken
//! apart here, so that everything but what is needed to draw a picture stays behind: EXIF with its
//! places and serial numbers, XMP, comments, previews, and whatever stands behind the end.

mod bytes;
mod gif;
mod jpeg;
mod png;
mod webp;

use std::io::Cursor;

use fast_image_resize::{ResizeOptions, Resizer};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageEncoder, ImageFormat, ImageReader, Limits};

/// Most pixels of a picture, and of each of its frames: what large cameras make.
pub(super) const PIXELS_MAX: u64 = 40_000_000;
/// Most frames of a picture that moves.
pub(super) const FRAMES_MAX: u32 = 500;
/// Most bytes of a picture's file.
pub(super) const BYTES_MAX: u64 = 64 << 20;
/// Most bytes that decoding may take: the most pixels of four bytes, and some room to work in.
const MEMORY_MAX: u64 = PIXELS_MAX * 4 + (16 << 20);
/// How well pictures that are written again look, in percent: losses that nobody sees.
const QUALITY: u8 = 90;
/// As before, for small ones.
const THUMB_QUALITY: u8 = 80;

/// Why a picture is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(super) enum PictureError {
    /// It has too many pixels.
    #[error("the picture has {width} × {height} pixels; at most {PIXELS_MAX} can be drawn")]
    TooManyPixels {
        /// What its header says.
        width: u32,
        /// What its header says.
        height: u32,
    },
    /// It moves for too long.
    #[error("the picture has more than {FRAMES_MAX} frames")]
    TooManyFrames,
    /// Its pixels would take too much memory.
    #[error("the picture takes too much memory to draw")]
    TooDeep,
    /// It is cut, or is not what its first bytes say.
    #[error("the picture is damaged or cut")]
    Damaged,
}

/// A kind of picture that is drawn here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Png,
    Jpeg,
    Gif,
    WebP,
}

impl Kind {
    /// The kind of this MIME type.
    pub(super) fn of(content_type: &str) -> Option<Self> {
        Some(match content_type {
            "image/png" => Self::Png,
            "image/jpeg" => Self::Jpeg,
            "image/gif" => Self::Gif,
            "image/webp" => Self::WebP,
            _ => return None,
        })
    }

    const fn format(self) -> ImageFormat {
        match self {
            Self::Png => ImageFormat::Png,
            Self::Jpeg => ImageFormat::Jpeg,
            Self::Gif => ImageFormat::Gif,
            Self::WebP => ImageFormat::WebP,
        }
    }
}

/// What a container says, and what is left of it without what it tells of its maker.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Container {
    width: u32,
    height: u32,
    frames: u32,
    orientation: Orientation,
    bytes: Vec<u8>,
}

/// A picture that is fit to be handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Clean {
    pub(super) bytes: Vec<u8>,
    pub(super) width: u32,
    pub(super) height: u32,
}

/// Refuses more than can be drawn.
fn check_size(width: u32, height: u32) -> Result<(), PictureError> {
    if width == 0 || height == 0 {
        return Err(PictureError::Damaged);
    }
    if u64::from(width) * u64::from(height) > PIXELS_MAX {
        return Err(PictureError::TooManyPixels { width, height });
    }
    Ok(())
}

/// Reads a picture's header and takes out what does not belong to the picture. One that stands on
/// its side by EXIF alone is turned, for nothing would say so any more. Blocks for as long as it
/// takes.
pub(super) fn clean(kind: Kind, bytes: &[u8]) -> Result<Clean, PictureError> {
    let container = match kind {
        Kind::Png => png::read(bytes),
        Kind::Jpeg => jpeg::read(bytes),
        Kind::Gif => gif::read(bytes),
        Kind::WebP => webp::read(bytes),
    }?;
    let Container { width, height, frames, orientation, bytes } = container;
    check_size(width, height)?;
    if frames > FRAMES_MAX {
        return Err(PictureError::TooManyFrames);
    }
    // What moves is left as it lies: turning it would stop it.
    if orientation == Orientation::NoTransforms || frames > 1 {
        return Ok(Clean { bytes, width, height });
    }
    let (mut picture, profile) = decode(kind, &bytes)?;
    picture.apply_orientation(orientation);
    let bytes = encode(kind, &picture, profile)?;
    Ok(Clean { bytes, width: picture.width(), height: picture.height() })
}

/// The picture at most `width` pixels wide, as JPEG, or as PNG when one can see through it. Blocks
/// for as long as it takes.
pub(super) fn thumb(kind: Kind, bytes: &[u8], width: u32) -> Result<Vec<u8>, PictureError> {
    let (picture, profile) = decode(kind, bytes)?;
    let width = width.min(picture.width());
    let ratio = f64::from(width) / f64::from(picture.width());
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of a u32")]
    let height = ((f64::from(picture.height()) * ratio).round() as u32).max(1);
    let small = if width == picture.width() { picture } else { resize(&picture, width, height)? };
    if small.color().has_alpha() {
        let small = DynamicImage::from(small.into_rgba8());
        return encode(Kind::Png, &small, profile);
    }
    let small = DynamicImage::from(small.into_rgb8());
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, THUMB_QUALITY);
    write(encoder, &small, profile)?;
    Ok(bytes)
}

fn resize(from: &DynamicImage, width: u32, height: u32) -> Result<DynamicImage, PictureError> {
    let mut to = DynamicImage::new(width, height, from.color());
    let options = ResizeOptions::default();
    Resizer::new().resize(from, &mut to, &options).map_err(|_| PictureError::Damaged)?;
    Ok(to)
}

type Profile = Option<Vec<u8>>;

/// The first frame, and the profile of its colors.
fn decode(kind: Kind, bytes: &[u8]) -> Result<(DynamicImage, Profile), PictureError> {
    let mut limits = Limits::default();
    limits.max_alloc = Some(MEMORY_MAX);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), kind.format());
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|error| refused(&error))?;
    let (width, height) = decoder.dimensions();
    check_size(width, height)?;
    if decoder.total_bytes() > MEMORY_MAX {
        return Err(PictureError::TooDeep);
    }
    let profile = decoder.icc_profile().ok().flatten();
    let picture = DynamicImage::from_decoder(decoder).map_err(|error| refused(&error))?;
    Ok((picture, profile))
}

fn refused(error: &image::ImageError) -> PictureError {
    match error {
        image::ImageError::Limits(_) => PictureError::TooDeep,
        _ => PictureError::Damaged,
    }
}

fn encode(kind: Kind, picture: &DynamicImage, profile: Profile) -> Result<Vec<u8>, PictureError> {
    let mut bytes = Vec::new();
    match kind {
        Kind::Jpeg => {
            write(JpegEncoder::new_with_quality(&mut bytes, QUALITY), picture, profile)?;
        }
        Kind::WebP => write(WebPEncoder::new_lossless(&mut bytes), picture, profile)?,
        Kind::Png | Kind::Gif => write(PngEncoder::new(&mut bytes), picture, profile)?,
    }
    Ok(bytes)
}

fn write(
    mut encoder: impl ImageEncoder,
    picture: &DynamicImage,
    profile: Profile,
) -> Result<(), PictureError> {
    if let Some(profile) = profile {
        // Without it colors are a little off, which is no reason to refuse a picture.
        let _ = encoder.set_icc_profile(profile);
    }
    picture.write_with_encoder(encoder).map_err(|_| PictureError::Damaged)
}

#[cfg(test)]
mod tests;
