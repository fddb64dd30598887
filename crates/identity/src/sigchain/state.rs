//! What the entries of a chain add up to, and the rules between them.

use std::collections::{BTreeMap, BTreeSet};

use tidings_domain::{DeviceId, IdentityKey};

use crate::key::{DeviceUse, PublicKey, verify_strict};

use super::AppendError;
use super::envelope::Envelope;
use super::op::{Device, Op, Revoked, SharedFiles, Subject, VaultKey};

/// The sum of all entries so far.
#[derive(Debug, Clone)]
pub(super) struct State {
    primary: IdentityKey,
    devices: BTreeMap<DeviceId, Device>,
    revoked: BTreeSet<DeviceId>,
    subjects: BTreeSet<Subject>,
    vault: Option<VaultKey>,
    shared_files: Option<SharedFiles>,
    /// Every key that ever had a purpose, revoked and rotated ones too: none gets a second one.
    used: BTreeSet<PublicKey>,
}

impl State {
    pub(super) fn new(identity: IdentityKey) -> Self {
        Self {
            primary: identity,
            devices: BTreeMap::new(),
            revoked: BTreeSet::new(),
            subjects: BTreeSet::new(),
            vault: None,
            shared_files: None,
            used: BTreeSet::from([identity.into()]),
        }
    }

    pub(super) fn devices(&self) -> impl Iterator<Item = &Device> {
        self.devices.values()
    }

    pub(super) fn device(&self, id: DeviceId) -> Option<&Device> {
        self.devices.get(&id)
    }

    pub(super) fn is_revoked(&self, id: DeviceId) -> bool {
        self.revoked.contains(&id)
    }

    pub(super) fn subjects(&self) -> impl Iterator<Item = &Subject> {
        self.subjects.iter()
    }

    pub(super) const fn vault(&self) -> Option<VaultKey> {
        self.vault
    }

    pub(super) const fn shared_files(&self) -> Option<SharedFiles> {
        self.shared_files
    }

    /// Applies an entry whose place and signature are checked, and gives the key that signs the
    /// next one. Nothing has changed when it is refused.
    pub(super) fn apply(&mut self, envelope: &Envelope) -> Result<IdentityKey, AppendError> {
        match envelope.op() {
            Op::AddDevice(device) => self.add_device(device)?,
            Op::Revoke(Revoked::Device(id)) => {
                self.devices.remove(id);
                self.revoked.insert(*id);
            }
            Op::Revoke(Revoked::Subject(subject)) => {
                self.subjects.remove(subject);
            }
            Op::SetVault(key) => self.vault = Some(*key),
            Op::Add(subject) => {
                self.subjects.insert(subject.clone());
            }
            Op::Rotate { new_primary, .. } => self.rotate(*new_primary, envelope)?,
            Op::SetSharedFiles(shared) => self.shared_files = Some(*shared),
            Op::Unknown { .. } => {}
        }
        Ok(self.primary)
    }

    /// A device that is there may be named anew or given another expiry, but an id means the same
    /// keys for ever: who once verified them must not meet others under the same name.
    fn add_device(&mut self, device: &Device) -> Result<(), AppendError> {
        if self.revoked.contains(&device.id) {
            return Err(AppendError::DeviceRevoked { id: device.id });
        }
        if let Some(known) = self.devices.get(&device.id) {
            if known.keys != device.keys {
                return Err(AppendError::DeviceChanged { id: device.id });
            }
        } else {
            let keys = DeviceUse::ALL.map(|usage| device.keys.get(usage));
            let twice = |key: &PublicKey| keys.iter().filter(|other| *other == key).count() > 1;
            if let Some(&key) = keys.iter().find(|key| self.used.contains(key) || twice(key)) {
                return Err(AppendError::KeyReused { key });
            }
            self.used.extend(keys);
        }
        self.devices.insert(device.id, device.clone());
        Ok(())
    }

    fn rotate(&mut self, new: IdentityKey, envelope: &Envelope) -> Result<(), AppendError> {
        if self.used.contains(&new.into()) {
            return Err(AppendError::KeyReused { key: new.into() });
        }
        let refused = AppendError::RotateSignature { key: new };
        let Some((consent, signature)) = envelope.consent() else { return Err(refused) };
        verify_strict(new, consent.as_bytes(), signature).map_err(|_| refused)?;
        self.used.insert(new.into());
        self.primary = new;
        Ok(())
    }
}
