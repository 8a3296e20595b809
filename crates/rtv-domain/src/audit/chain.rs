//! What is hashed and signed, byte for byte. Pure: whoever has an exported log and the public key can compute all of it
//! again, with this description alone.
//!
//! A *text* is hashed as one byte 1, its length in bytes as eight bytes (big-endian) and its UTF-8; an absent one as one
//! byte 0. A *number* is eight bytes, big-endian. An *id* is written in lower case with hyphens, an *instant* in UTC as
//! `2026-11-21T09:00:00.000000Z`. Each hash is SHA-256 and begins with a name of its own and one byte 0:
//!
//! | hash | begins with | then |
//! |---|---|---|
//! | payload | `rtv-audit-payload-1` | the texts salt, detail, before, after, address, user agent |
//! | leaf | `rtv-audit-event-1` | the texts id, instant, kind of actor, id of actor, actor, action, kind of resource, resource, result, request id; the 32 bytes of the payload's hash |
//! | chain | `rtv-audit-chain-1` | the 16 bytes of the tenant's id, the number of the event, the chain hash before it (32 zero bytes before the first), the leaf |
//!
//! *before* and *after* are JSON as PostgreSQL prints `jsonb`: keys by length and then by bytes, `": "` and `", "`
//! between, numbers as they were written. JSON's `null` counts as absent. The operator's chain has the nil UUID as
//! tenant.
//!
//! Ed25519 signs these bytes, not their hash: a *head* `rtv-audit-head-1`, one byte 0, the tenant's 16 bytes, the number,
//! the chain hash, the instant as 27 letters; the *end* of an exported file `rtv-audit-end-1`, one byte 0, the same four,
//! and the number of heads in the file.

use core::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::audit::key::Signature;

/// A SHA-256, written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Hash([u8; 32]);

impl Hash {
    /// What stands before the first event of a chain.
    pub const START: Self = Self([0; 32]);

    /// The bytes.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Of 32 bytes; `None` for any other number of them.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl core::str::FromStr for Hash {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = hex::decode(text).ok().and_then(|bytes| Self::from_slice(&bytes));
        bytes.ok_or_else(|| "a hash has 64 hexadecimal digits".into())
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// An event with its place in the chain. Its fields in this order are a line of an exported log.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    pub(crate) kind: EventLine,
    /// Its number in the chain, from 1.
    pub seq: u64,
    /// Its id.
    pub id: Uuid,
    /// When it happened.
    #[serde(with = "instant")]
    pub occurred_at: DateTime<Utc>,
    /// `user`, `api_key`, `staff`, `system` or `anonymous`.
    pub actor_kind: String,
    /// Id of the actor, if it has one.
    pub actor_id: Option<Uuid>,
    /// Who acted, for people.
    pub actor: String,
    /// What was done, as `noun.verb`.
    pub action: String,
    /// What it was done to.
    pub resource_kind: String,
    /// Which one.
    pub resource: String,
    /// `success`, `denied` or `error`.
    pub result: String,
    /// Id of the request, if there was one.
    pub request_id: Option<String>,
    /// The rest; nothing once retention has dropped it.
    pub payload: Option<Payload>,
    /// Hash of the payload, which stays.
    pub payload_hash: Hash,
    /// Hash of the chain up to here.
    pub chain_hash: Hash,
}

/// The first word of a line that is an event.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) enum EventLine {
    #[serde(rename = "event")]
    Event,
}

/// The part of an event that retention drops.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payload {
    /// Keeps the hash from being tried out.
    pub salt: Uuid,
    /// A sentence.
    pub detail: Option<String>,
    /// What it was.
    pub before: Option<Box<RawValue>>,
    /// What it is.
    pub after: Option<Box<RawValue>>,
    /// The client's address.
    pub address: Option<String>,
    /// What the client called itself.
    pub user_agent: Option<String>,
}

/// Writes and reads instants to the microsecond, as the database keeps them.
pub(crate) mod instant {
    use super::{DateTime, Deserialize, Deserializer, Serializer, Utc, de, written};

    pub(crate) fn serialize<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&written(*at))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| de::Error::custom("an instant looks like 2026-11-21T09:00:00.000000Z"))
    }
}

/// An instant as it is hashed.
pub(crate) fn written(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

struct Fields(Sha256);

impl Fields {
    fn new(name: &str) -> Self {
        Self(Sha256::new()).bytes(name.as_bytes()).bytes(&[0])
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.update(bytes);
        self
    }

    fn text(self, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.bytes(&[1]).bytes(&(text.len() as u64).to_be_bytes()).bytes(text.as_bytes()),
            None => self.bytes(&[0]),
        }
    }

    fn hash(self) -> Hash {
        Hash(self.0.finalize().into())
    }
}

impl Payload {
    /// Hash of the payload.
    pub fn hash(&self) -> Hash {
        Fields::new("rtv-audit-payload-1")
            .text(Some(&self.salt.to_string()))
            .text(self.detail.as_deref())
            .text(self.before.as_deref().map(RawValue::get))
            .text(self.after.as_deref().map(RawValue::get))
            .text(self.address.as_deref())
            .text(self.user_agent.as_deref())
            .hash()
    }
}

impl Record {
    /// Hash of what is kept for good, with the payload's hash.
    pub fn leaf(&self) -> Hash {
        Fields::new("rtv-audit-event-1")
            .text(Some(&self.id.to_string()))
            .text(Some(&written(self.occurred_at)))
            .text(Some(&self.actor_kind))
            .text(self.actor_id.map(|id| id.to_string()).as_deref())
            .text(Some(&self.actor))
            .text(Some(&self.action))
            .text(Some(&self.resource_kind))
            .text(Some(&self.resource))
            .text(Some(&self.result))
            .text(self.request_id.as_deref())
            .bytes(self.payload_hash.bytes())
            .hash()
    }

    /// Hash of the chain with this event behind another one.
    pub fn chain_after(&self, tenant: Uuid, before: Hash) -> Hash {
        Fields::new("rtv-audit-chain-1")
            .bytes(tenant.as_bytes())
            .bytes(&self.seq.to_be_bytes())
            .bytes(before.bytes())
            .bytes(self.leaf().bytes())
            .hash()
    }
}

/// The signed state of a chain.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    pub(crate) kind: HeadLine,
    /// Number of the newest event.
    pub seq: u64,
    /// Hash of the chain up to it.
    pub chain_hash: Hash,
    /// When it was signed.
    #[serde(with = "instant")]
    pub signed_at: DateTime<Utc>,
    /// Which key signed it.
    pub key_id: String,
    /// The signature.
    pub signature: Signature,
}

/// The first word of a line that is a head.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) enum HeadLine {
    #[serde(rename = "head")]
    Head,
}

/// The last line of an exported log, so that a file that was cut off is told from a whole one.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    pub(crate) kind: EndLine,
    /// Number of the newest event.
    pub seq: u64,
    /// Hash of the chain up to it.
    pub chain_hash: Hash,
    /// Heads in the file.
    pub heads: u64,
    /// When the file was made.
    #[serde(with = "instant")]
    pub signed_at: DateTime<Utc>,
    /// Which key signed it.
    pub key_id: String,
    /// The signature.
    pub signature: Signature,
}

/// The first word of the last line.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) enum EndLine {
    #[serde(rename = "end")]
    End,
}

/// The first line of an exported log.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    pub(crate) kind: OpeningLine,
    /// Version of the form.
    pub version: u32,
    /// Whose chain; the nil UUID is the operator's.
    pub tenant: Uuid,
}

/// The first word of the first line.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) enum OpeningLine {
    #[serde(rename = "audit-log")]
    Log,
}

/// Version of the exported form and of everything that is hashed.
pub const VERSION: u32 = 1;

fn signed(name: &str, tenant: Uuid, seq: u64, chain: Hash, signed_at: DateTime<Utc>) -> Vec<u8> {
    let mut bytes = name.as_bytes().to_vec();
    bytes.push(0);
    bytes.extend_from_slice(tenant.as_bytes());
    bytes.extend_from_slice(&seq.to_be_bytes());
    bytes.extend_from_slice(chain.bytes());
    bytes.extend_from_slice(written(signed_at).as_bytes());
    bytes
}

/// What the signature of a head signs.
pub(crate) fn head_bytes(tenant: Uuid, seq: u64, chain: Hash, signed_at: DateTime<Utc>) -> Vec<u8> {
    signed("rtv-audit-head-1", tenant, seq, chain, signed_at)
}

/// What the signature of the end of a file signs.
pub(crate) fn end_bytes(tenant: Uuid, seq: u64, chain: Hash, signed_at: DateTime<Utc>, heads: u64) -> Vec<u8> {
    let mut bytes = signed("rtv-audit-end-1", tenant, seq, chain, signed_at);
    bytes.extend_from_slice(&heads.to_be_bytes());
    bytes
}

/// JSON as the database prints it. `null` counts as absent: in JSON the two cannot be told apart.
pub(crate) fn json(text: Option<String>) -> Result<Option<Box<RawValue>>, rtv_core::Error> {
    text.filter(|text| text != "null").map(|text| crate::access::stored(RawValue::from_string(text))).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record {
            kind: EventLine::Event,
            seq: 1,
            id: Uuid::from_u128(5),
            occurred_at: "2026-11-21T09:00:00.5Z".parse().unwrap(),
            actor_kind: "user".into(),
            actor_id: Some(Uuid::from_u128(7)),
            actor: "dana@acme.example".into(),
            action: "target.set".into(),
            resource_kind: "target".into(),
            resource: "tgt_1".into(),
            result: "success".into(),
            request_id: None,
            payload: Some(Payload {
                salt: Uuid::from_u128(9),
                detail: None,
                before: None,
                after: json(Some(r#"{"amount": 1.50}"#.into())).unwrap(),
                address: Some("203.0.113.9".into()),
                user_agent: None,
            }),
            payload_hash: Hash::START,
            chain_hash: Hash::START,
        }
    }

    /// Computed by another program from the description above. A change here breaks every chain there is.
    #[test]
    fn the_hashes_of_a_known_event_never_change() {
        let mut record = record();
        record.payload_hash = record.payload.as_ref().unwrap().hash();
        assert_eq!(record.payload_hash.to_string(), "bb9fd02e3166a13fea8d24e7113e0d59bb7ff6bfa8a5c93eefe61c499ff2b65a");
        assert_eq!(record.leaf().to_string(), "cb7dae3c05d2ba0e76f3660378544c827896272040def3557ecb5d035c9144d1");
        assert_eq!(
            record.chain_after(Uuid::from_u128(3), Hash::START).to_string(),
            "dcb6d9efd2c6244470d3ef6e97fff8170286945e81bc74c70d26a36581ca9ae5"
        );
    }

    #[test]
    fn a_line_keeps_the_bytes_of_what_is_hashed() {
        let line = serde_json::to_string(&record()).unwrap();
        assert!(line.starts_with(r#"{"kind":"event","seq":1,"#), "{line}");
        assert!(line.contains(r#""after":{"amount": 1.50}"#), "{line}");
        assert!(line.contains(r#""occurred_at":"2026-11-21T09:00:00.500000Z""#), "{line}");
        let read: Record = serde_json::from_str(&line).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), line);
        assert_eq!(read.payload.unwrap().hash(), record().payload.unwrap().hash());
    }

    #[test]
    fn an_absent_text_is_not_an_empty_one() {
        let with = |detail: Option<&str>| {
            let mut record = record();
            let payload = record.payload.as_mut().unwrap();
            payload.detail = detail.map(str::to_owned);
            payload.hash()
        };
        assert_ne!(with(None), with(Some("")));
        assert_ne!(with(Some("a")), with(Some("b")));
    }
}
