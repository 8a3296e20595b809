//! The key that signs heads of the audit log, and its public half, which is all that checking needs. Where the private
//! key lies is the server's business; here it can be made, read and used, and never shown.

use core::fmt;
use core::str::FromStr;

use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};

/// The private key. It has no `Debug` and no `Display`, and is wiped from memory when it is dropped.
pub struct AuditKey(SigningKey);

impl AuditKey {
    /// A new one.
    pub fn generate() -> Self {
        Self(SigningKey::from_bytes(&rand::random()))
    }

    /// As [`AuditKey::to_secret`] wrote it.
    pub fn parse(text: &SecretString) -> Result<Self, String> {
        let mut seed = [0; 32];
        hex::decode_to_slice(text.expose_secret().trim(), &mut seed)
            .map_err(|_| "a key of the audit log has 64 hexadecimal digits and nothing else".to_owned())?;
        Ok(Self(SigningKey::from_bytes(&seed)))
    }

    /// For the file that it lies in: 64 hexadecimal digits.
    pub fn to_secret(&self) -> SecretString {
        SecretString::from(hex::encode(self.0.to_bytes()))
    }

    /// Its public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign(message).to_bytes())
    }
}

/// The public half of a key, written as 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Its short name: the first 16 hexadecimal digits of its SHA-256.
    pub fn id(&self) -> String {
        hex::encode(Sha256::digest(self.0.as_bytes()))[..16].to_owned()
    }

    /// Whether its private half has signed exactly this.
    pub(crate) fn has_signed(&self, message: &[u8], signature: &Signature) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        // Strict: one message has one signature that is accepted, so a changed one is always noticed.
        self.0.verify_strict(message, &signature).is_ok()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0.as_bytes()))
    }
}

impl FromStr for PublicKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || "a public key has 64 hexadecimal digits; print it with rtv admin audit key".to_owned();
        let mut bytes = [0; 32];
        hex::decode_to_slice(text.trim(), &mut bytes).map_err(|_| refused())?;
        VerifyingKey::from_bytes(&bytes).map(Self).map_err(|_| refused())
    }
}

/// A signature, written as 128 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; 64]);

impl Signature {
    pub(crate) const fn bytes(&self) -> &[u8; 64] {
        &self.0
    }

    /// Of 64 bytes; `None` for any other number of them.
    pub(crate) fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl Serialize for Signature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(self.0))
    }
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = hex::decode(String::deserialize(deserializer)?).ok();
        bytes
            .and_then(|bytes| Self::from_slice(&bytes))
            .ok_or_else(|| de::Error::custom("a signature has 128 hexadecimal digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_what_it_wrote_and_others_do_not_verify_for_it() {
        let key = AuditKey::generate();
        let again = AuditKey::parse(&key.to_secret()).unwrap();
        assert_eq!(again.public(), key.public());
        assert_eq!(key.public().to_string().parse(), Ok(key.public()));
        assert_eq!(key.public().id().len(), 16);
        let signature = key.sign(b"one");
        assert!(again.public().has_signed(b"one", &signature));
        assert!(!again.public().has_signed(b"two", &signature));
        assert!(!AuditKey::generate().public().has_signed(b"one", &signature));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for wrong in ["", "00", "zz", &"0".repeat(63), &"0".repeat(65)] {
            assert!(AuditKey::parse(&SecretString::from(wrong)).is_err(), "{wrong}");
            assert!(wrong.parse::<PublicKey>().is_err(), "{wrong}");
        }
    }

    /// The first test of RFC 8032: another program's signatures are ours.
    #[test]
    fn a_known_seed_has_its_known_key_and_signature() {
        let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
        let key = AuditKey::parse(&SecretString::from(seed)).unwrap();
        assert_eq!(key.public().to_string(), "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
        assert!(hex::encode(key.sign(b"").bytes()).starts_with("e5564300c360ac729086e2cc806e828a"));
    }
}
