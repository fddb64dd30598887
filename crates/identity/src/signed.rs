//! Tagged statements: what a person or a device signs to a server.
//!
//! The signed bytes are UTF-8 lines joined by `\n` without one at the end. The first line is the
//! domain tag, so that a signature of one kind is worth nothing as another; the second is the
//! origin that the client dialed (`scheme://host[:port]`), so that a signature made for one server
//! is worth nothing at another. The shapes are those of the HTTP API.

use tidings_domain::{DeviceId, IdentityKey};

use crate::key::{
    BadSignature, DeviceSecret, DeviceUse, IdentitySecret, PublicKey, Signature, verify_strict,
};

/// "I register this name here", signed by the identity key; tag `tidings/v1/register`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Register<'a> {
    /// The origin that the client dialed, `scheme://host[:port]`.
    pub origin: &'a str,
    /// The username asked for.
    pub username: &'a str,
    /// The server's single-use challenge, as text.
    pub challenge: &'a str,
}

impl Register<'_> {
    /// The signed bytes: tag, origin, username, challenge. Fails when a field could pass for two
    /// lines.
    pub fn to_bytes(&self) -> Result<Vec<u8>, FieldError> {
        lines(
            "tidings/v1/register",
            [("origin", self.origin), ("username", self.username), ("challenge", self.challenge)],
        )
    }

    /// Signs as the identity that asks for the account.
    pub fn sign(&self, identity: &IdentitySecret) -> Result<Signature, FieldError> {
        Ok(identity.sign(&self.to_bytes()?))
    }

    /// Checks that `identity` signed exactly this statement.
    pub fn verify(&self, identity: IdentityKey, signature: &Signature) -> Result<(), VerifyError> {
        Ok(verify_strict(identity, &self.to_bytes()?, signature)?)
    }
}

/// "This device logs in here", signed by the device's login key; tag `tidings/v1/login`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Login<'a> {
    /// The origin that the client dialed, `scheme://host[:port]`.
    pub origin: &'a str,
    /// The device that logs in.
    pub device_id: DeviceId,
    /// The server's single-use challenge, as text.
    pub challenge: &'a str,
}

impl Login<'_> {
    /// The signed bytes: tag, origin, device id, challenge. Fails when a field could pass for two
    /// lines.
    pub fn to_bytes(&self) -> Result<Vec<u8>, FieldError> {
        let device_id = self.device_id.to_string();
        lines(
            "tidings/v1/login",
            [("origin", self.origin), ("device_id", &device_id), ("challenge", self.challenge)],
        )
    }

    /// Signs with the device's `login` sub-key.
    pub fn sign(&self, device: &DeviceSecret) -> Result<Signature, FieldError> {
        Ok(device.sign(DeviceUse::Login, &self.to_bytes()?))
    }

    /// Checks that `login_key`, the one that the chain certifies for this device now, signed
    /// exactly this statement.
    pub fn verify(&self, login_key: PublicKey, signature: &Signature) -> Result<(), VerifyError> {
        Ok(verify_strict(login_key, &self.to_bytes()?, signature)?)
    }
}

/// A field has a line break or another control character, so it could pass for two fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{field} must not contain line breaks or other control characters")]
pub struct FieldError {
    /// The name of the field.
    pub field: &'static str,
}

/// Why a signed statement is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The statement itself cannot have been signed.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The signature is not of this key over this statement.
    #[error(transparent)]
    Signature(#[from] BadSignature),
}

fn lines(tag: &str, fields: [(&'static str, &str); 3]) -> Result<Vec<u8>, FieldError> {
    let mut bytes = tag.as_bytes().to_vec();
    for (field, text) in fields {
        if text.chars().any(char::is_control) {
            return Err(FieldError { field });
        }
        bytes.push(b'\n');
        bytes.extend_from_slice(text.as_bytes());
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: &str = "https://chat.example.org";

    fn device_id() -> DeviceId {
        "0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a01".parse().expect("an id")
    }

    #[test]
    fn signed_bytes_are_the_lines_of_the_api() {
        let register = Register { origin: ORIGIN, username: "ana", challenge: "q1w2" };
        let expected = b"tidings/v1/register\nhttps://chat.example.org\nana\nq1w2";
        assert_eq!(register.to_bytes().as_deref(), Ok(expected.as_slice()));
        let login = Login { origin: ORIGIN, device_id: device_id(), challenge: "q1w2" };
        let expected = b"tidings/v1/login\nhttps://chat.example.org\n\
            0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a01\nq1w2";
        assert_eq!(login.to_bytes().as_deref(), Ok(expected.as_slice()));
    }

    #[test]
    fn a_statement_binds_every_field_and_the_key() {
        let identity = IdentitySecret::from_seed(&[1; 32]);
        let register = Register { origin: ORIGIN, username: "ana", challenge: "q1w2" };
        let signature = register.sign(&identity).expect("plain fields");
        assert_eq!(register.verify(identity.public(), &signature), Ok(()));
        let bad = Err(VerifyError::Signature(BadSignature));
        for other in [
            Register { origin: "https://evil.example.org", ..register },
            Register { username: "eve", ..register },
            Register { challenge: "q1w3", ..register },
        ] {
            assert_eq!(other.verify(identity.public(), &signature), bad);
        }
        let stranger = IdentitySecret::from_seed(&[2; 32]).public();
        assert_eq!(register.verify(stranger, &signature), bad);

        let device = DeviceSecret::from_seed(&[3; 32]);
        let keys = device.public_keys();
        let login = Login { origin: ORIGIN, device_id: device_id(), challenge: "q1w2" };
        let signature = login.sign(&device).expect("plain fields");
        assert_eq!(login.verify(keys.login, &signature), Ok(()));
        for other in [
            Login { origin: "http://chat.example.org", ..login },
            Login { device_id: DeviceId::NIL, ..login },
            Login { challenge: "", ..login },
        ] {
            assert_eq!(other.verify(keys.login, &signature), bad);
        }
        assert_eq!(login.verify(keys.mls, &signature), bad);
    }

    #[test]
    fn fields_that_could_pass_for_two_lines_are_refused() {
        let identity = IdentitySecret::from_seed(&[1; 32]);
        let good = Register { origin: ORIGIN, username: "ana", challenge: "q1w2" };
        for (bad, field) in [
            (Register { origin: "https://a\nb", ..good }, "origin"),
            (Register { username: "ana\n", ..good }, "username"),
            (Register { challenge: "\r", ..good }, "challenge"),
        ] {
            let refusal = FieldError { field };
            assert_eq!(bad.sign(&identity), Err(refusal));
            let verified = bad.verify(identity.public(), &Signature([0; 64]));
            assert_eq!(verified, Err(VerifyError::Field(refusal)));
            let told = format!("{field} must not contain line breaks or other control characters");
            assert_eq!(VerifyError::Field(refusal).to_string(), told);
        }
        let login = Login { origin: "a\u{0}", device_id: device_id(), challenge: "" };
        assert_eq!(
            login.sign(&DeviceSecret::from_seed(&[3; 32])),
            Err(FieldError { field: "origin" })
        );
    }
}
