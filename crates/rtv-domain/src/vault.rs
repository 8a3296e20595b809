//! Sealing of secrets that must be read again: the keys of second factors and the bodies of mail that waits. Sealed is
//! XChaCha20-Poly1305 under the master key, bound to what the secret is for and whose it is, so that a sealed value that is
//! moved to another row does not open there. The random nonce has 24 bytes, which no count of secrets exhausts.

use std::sync::Arc;

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use rtv_core::Error;
use secrecy::{ExposeSecret as _, SecretBox, SecretString};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// Bytes of the key.
const KEY: usize = 32;
/// Bytes that name the key in a sealed value, so that a rotation knows what it has done already.
const KEY_ID: usize = 4;
/// Bytes of the nonce.
const NONCE: usize = 24;
/// The form of a sealed value: this byte, the key's name, the nonce, the rest.
const FORM: u8 = 1;

/// What a sealed secret is for. A value of one kind does not open as another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The key that a person's authenticator app shares with us; of the person.
    Totp,
    /// The body of a mail; of the mail.
    Mail,
    /// A link in a mail to the files of a report; of nobody, because it says itself what it opens.
    ReportLink,
    /// The token of an account; of tenant, account, account of the platform and version of the token.
    Token,
}

impl Purpose {
    const fn key(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Mail => "mail",
            Self::ReportLink => "report link",
            Self::Token => "token",
        }
    }
}

/// The master key. It cannot be printed.
#[derive(Clone)]
pub struct Vault {
    key: Arc<SecretBox<[u8; KEY]>>,
    id: [u8; KEY_ID],
}

impl core::fmt::Debug for Vault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Vault")
    }
}

impl Vault {
    /// A vault of that key.
    pub fn new(key: [u8; KEY]) -> Self {
        let digest = Sha256::digest([&b"rtv master key"[..], &key].concat());
        let mut id = [0; KEY_ID];
        id.copy_from_slice(&digest[..KEY_ID]);
        Self { key: Arc::new(SecretBox::new(Box::new(key))), id }
    }

    /// The vault of the key that a file holds: 64 hexadecimal digits.
    pub fn parse(text: &SecretString) -> Result<Self, String> {
        let mut key = [0; KEY];
        hex::decode_to_slice(text.expose_secret().trim(), &mut key)
            .map_err(|_| "a master key has 64 hexadecimal digits and nothing else".to_owned())?;
        Ok(Self::new(key))
    }

    /// A new key, for its file.
    pub fn generate() -> SecretString {
        SecretString::from(hex::encode(rand::random::<[u8; KEY]>()))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.key.expose_secret().into())
    }

    /// Seals a secret for this purpose and this owner.
    pub(crate) fn seal(&self, purpose: Purpose, owner: Uuid, secret: &[u8]) -> Result<Vec<u8>, Error> {
        self.seal_bound(purpose, owner.as_bytes(), secret)
    }

    /// Seals a secret whose owner is more than one row's id.
    pub(crate) fn seal_bound(&self, purpose: Purpose, owner: &[u8], secret: &[u8]) -> Result<Vec<u8>, Error> {
        let nonce = rand::random::<[u8; NONCE]>();
        let bound = bound_to(purpose, owner);
        let payload = Payload { msg: secret, aad: &bound };
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), payload).map_err(|_| {
            tracing::error!("a secret could not be sealed");
            Error::Internal
        })?;
        Ok([&[FORM][..], &self.id, &nonce, &sealed].concat())
    }

    /// Opens what was sealed for this purpose and this owner. Anything else is a fault of ours or of the database.
    pub(crate) fn open_sealed(&self, purpose: Purpose, owner: Uuid, sealed: &[u8]) -> Result<Vec<u8>, Error> {
        self.open_bound(purpose, owner.as_bytes(), sealed)
    }

    /// Opens what [`Vault::seal_bound`] has sealed for this purpose and this owner.
    pub(crate) fn open_bound(&self, purpose: Purpose, owner: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Error> {
        self.opened(purpose, owner, sealed).map_err(|why| {
            let owner = hex::encode(owner);
            tracing::error!(purpose = purpose.key(), %owner, "a sealed value cannot be opened: {why}");
            Error::Internal
        })
    }

    /// The same for what somebody shows who may have made it up, which is no fault.
    pub(crate) fn try_open(&self, purpose: Purpose, owner: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        self.opened(purpose, owner, sealed).ok()
    }

    fn opened(&self, purpose: Purpose, owner: &[u8], sealed: &[u8]) -> Result<Vec<u8>, &'static str> {
        let (head, rest) = sealed.split_at_checked(1 + KEY_ID + NONCE).ok_or("it is too short")?;
        if head[0] != FORM {
            return Err("its form is not known to this version");
        }
        if head[1..=KEY_ID] != self.id {
            return Err("it was sealed with another master key than that of RTV_SECRET_KEY_FILE");
        }
        let mut nonce = [0; NONCE];
        nonce.copy_from_slice(&head[1 + KEY_ID..]);
        let bound = bound_to(purpose, owner);
        self.cipher()
            .decrypt(&XNonce::from(nonce), Payload { msg: rest, aad: &bound })
            .map_err(|_| "it was changed, or belongs to another row")
    }
}

fn bound_to(purpose: Purpose, owner: &[u8]) -> Vec<u8> {
    [b"rtv ", purpose.key().as_bytes(), b" ", owner].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_only_for_its_purpose_its_owner_and_its_key() {
        let vault = Vault::new([7; KEY]);
        let owner = Uuid::from_u128(1);
        let sealed = vault.seal(Purpose::Totp, owner, b"secret").unwrap();
        assert_eq!(vault.open_sealed(Purpose::Totp, owner, &sealed).unwrap(), b"secret");
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
        assert_ne!(vault.seal(Purpose::Totp, owner, b"secret").unwrap(), sealed, "each time with a nonce of its own");
        assert!(vault.open_sealed(Purpose::Mail, owner, &sealed).is_err());
        assert!(vault.open_sealed(Purpose::Totp, Uuid::from_u128(2), &sealed).is_err());
        assert!(Vault::new([8; KEY]).open_sealed(Purpose::Totp, owner, &sealed).is_err());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(vault.open_sealed(Purpose::Totp, owner, &changed).is_err(), "byte {at}");
            assert!(vault.open_sealed(Purpose::Totp, owner, &sealed[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn a_key_is_read_as_it_was_made_and_what_is_none_is_refused() {
        let key = Vault::generate();
        assert_eq!(Vault::parse(&key).unwrap().id, Vault::parse(&key).unwrap().id);
        assert_ne!(Vault::parse(&Vault::generate()).unwrap().id, Vault::parse(&key).unwrap().id);
        for wrong in ["", "00", "zz", &"0".repeat(63), &"0".repeat(65)] {
            assert!(Vault::parse(&SecretString::from(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_key_is_not_printed() {
        assert_eq!(format!("{:?}", Vault::new([7; KEY])), "Vault");
    }
}
