//! Files: what uploads answer and messages carry.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use tidings_domain as domain;
use tidings_domain::MediaId;
use uuid::Uuid;

/// A file that was uploaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = Media)]
pub struct Media {
    /// Its MIME type, found from its bytes.
    pub content_type: String,
    /// Its name without a path, at most 255 bytes.
    pub filename: String,
    /// Height in pixels; absent of what is no picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Its id.
    pub id: Uuid,
    /// SHA-256 of its bytes as they are served, 64 lowercase hexadecimal digits.
    pub sha256: String,
    /// Its size in bytes as it is served.
    pub size: u64,
    /// The path of smaller pictures of it; `?w=` names the width. Absent of what is no picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumb: Option<String>,
    /// Width in pixels; absent of what is no picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
}

impl From<&domain::Media> for Media {
    fn from(media: &domain::Media) -> Self {
        Self {
            content_type: media.content_type.clone(),
            filename: media.filename.clone(),
            height: media.dimensions.map(|(_, height)| height),
            id: media.id.0,
            sha256: hex(&media.sha256),
            size: media.size,
            thumb: media.dimensions.map(|_| format!("/v1/media/{}/thumb", media.id)),
            width: media.dimensions.map(|(width, _)| width),
        }
    }
}

impl Media {
    /// The rule's view of it; `None` when the hash is none.
    pub fn into_domain(self) -> Option<domain::Media> {
        Some(domain::Media {
            id: MediaId(self.id),
            filename: self.filename,
            content_type: self.content_type,
            size: self.size,
            sha256: unhex(&self.sha256)?,
            dimensions: self.width.zip(self.height),
        })
    }
}

/// The query of `POST /v1/media`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MediaQuery {
    /// The only channel whose messages may carry the file.
    #[serde(default)]
    pub channel: Option<Uuid>,
}

/// The query of `GET /v1/media/{id}/thumb`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ThumbQuery {
    /// How wide it should be, 1 to 4096 pixels (default 256); the next width that is made, and
    /// never wider than the picture.
    #[serde(default)]
    #[param(minimum = 1, maximum = 4096)]
    pub w: Option<u32>,
}

/// The form of `POST /v1/media`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct UploadForm {
    /// The file, with its name; other fields are passed over.
    #[schema(value_type = String, format = Binary)]
    pub file: Vec<u8>,
}

fn hex(bytes: &[u8; 32]) -> String {
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_come_back_as_they_went() {
        let mut media = domain::Media {
            id: MediaId(Uuid::max()),
            filename: "a.png".to_owned(),
            content_type: "image/png".to_owned(),
            size: 7,
            sha256: [0xa1; 32],
            dimensions: Some((3, 4)),
        };
        let there = Media::from(&media);
        assert_eq!(there.thumb, Some(format!("/v1/media/{}/thumb", Uuid::max())));
        assert_eq!(there.into_domain(), Some(media.clone()));
        media.dimensions = None;
        let json = serde_json::to_string(&Media::from(&media)).unwrap();
        assert!(!json.contains("thumb") && !json.contains("width"), "{json}");
        let bad = Media { sha256: "é".repeat(32), ..Media::from(&media) };
        assert_eq!(bad.into_domain(), None);
    }
}
