//! Tokens that travel in links: 256 random bits, of which only the hash is stored. Who reads the table cannot use it, and
//! guessing one is hopeless, so a plain hash is enough.

use secrecy::SecretString;
use sha2::{Digest, Sha256};

/// SHA-256 of a token as it is written in a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TokenHash([u8; 32]);

impl TokenHash {
    /// Hash of what stands in a link, whatever that is.
    pub(crate) fn of(text: &str) -> Self {
        Self(Sha256::digest(text).into())
    }

    pub(crate) const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(crate) fn to_hex(self) -> String {
        hex::encode(self.0)
    }
}

/// A new token and its hash.
pub(crate) fn generate() -> (SecretString, TokenHash) {
    let text = hex::encode(rand::random::<[u8; 32]>());
    let hash = TokenHash::of(&text);
    (SecretString::from(text), hash)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_token_is_found_by_its_hash_and_is_never_the_same_twice() {
        let (one, hash) = generate();
        assert_eq!(TokenHash::of(one.expose_secret()), hash);
        assert_eq!(one.expose_secret().len(), 64);
        assert_ne!(generate().1, hash);
    }
}
