//! Typed identifiers. Every id that the server makes is a `UUIDv7` (RFC 9562, section 5.7).

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub Uuid);

        impl $name {
            /// The all-zero id: stands for "nobody" or "nothing" where a column may not be null.
            pub const NIL: Self = Self(Uuid::nil());

            /// The 16 bytes, big-endian as in RFC 9562.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0.as_hyphenated())
            }
        }
        impl FromStr for $name {
            type Err = InvalidId;
            /// Accepts only the 36-character hyphenated form.
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                if text.len() != 36 {
                    return Err(InvalidId);
                }
                Uuid::try_parse(text).map(Self).map_err(|_| InvalidId)
            }
        }
        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    };
}

uuid_id!(
    /// A person, a ghost of an import, or a bot: one account on one server.
    UserId
);
uuid_id!(
    /// A device of an identity; the client draws it.
    DeviceId
);
uuid_id!(
    /// A community: a set of channels with members and roles.
    CommunityId
);
uuid_id!(
    /// A channel, a DM or a group DM.
    ChannelId
);
uuid_id!(
    /// A message, top-level or reply.
    MessageId
);
uuid_id!(
    /// An uploaded file.
    MediaId
);
uuid_id!(
    /// A call for attention; of one about a message, the id of the message.
    NotificationId
);
uuid_id!(
    /// A session: one login of one device.
    SessionId
);
uuid_id!(
    /// An API token; its id is no secret.
    TokenId
);
uuid_id!(
    /// A webhook, incoming or outgoing.
    WebhookId
);
uuid_id!(
    /// A report of a message to those who keep order.
    ReportId
);
uuid_id!(
    /// Something that the server has to do.
    JobId
);

/// The text is not a hyphenated UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a hyphenated UUID of 36 characters")]
pub struct InvalidId;

/// An identity's Ed25519 public key; written `ed25519:<64 lowercase hex>`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IdentityKey(pub [u8; 32]);

impl fmt::Display for IdentityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ed25519:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for IdentityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not `ed25519:` and 64 lowercase hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a key of the form ed25519:<64 lowercase hex>")]
pub struct InvalidKey;

impl FromStr for IdentityKey {
    type Err = InvalidKey;
    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        let hex = text.strip_prefix("ed25519:").ok_or(InvalidKey)?.as_bytes();
        let (pairs, []) = hex.as_chunks::<2>() else { return Err(InvalidKey) };
        if pairs.len() != 32 {
            return Err(InvalidKey);
        }
        let mut key = [0_u8; 32];
        for (byte, pair) in key.iter_mut().zip(pairs) {
            *byte = (nibble(pair[0])? << 4) | nibble(pair[1])?;
        }
        Ok(Self(key))
    }
}

const fn nibble(digit: u8) -> Result<u8, InvalidKey> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => Err(InvalidKey),
    }
}

/// The secret of an invite link: 22 URL-safe characters, 128 random bits. A bearer secret, so
/// `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct InviteCode(pub String);

impl fmt::Debug for InviteCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InviteCode([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_key_round_trips_and_refuses_upper_case() {
        let text = "ed25519:3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29";
        assert_eq!(text.parse::<IdentityKey>().map(|key| key.to_string()), Ok(text.to_owned()));
        assert_eq!(text.to_uppercase().parse::<IdentityKey>(), Err(InvalidKey));
        assert_eq!(text[..70].parse::<IdentityKey>(), Err(InvalidKey));
    }

    #[test]
    fn ids_parse_only_hyphenated_text() {
        let text = "0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a01";
        assert_eq!(text.parse::<UserId>().map(|id| id.to_string()), Ok(text.to_owned()));
        assert_eq!(text.replace('-', "").parse::<UserId>(), Err(InvalidId));
    }

    #[test]
    fn invite_code_debug_is_redacted() {
        assert_eq!(format!("{:?}", InviteCode("secret".to_owned())), "InviteCode([redacted])");
    }
}
