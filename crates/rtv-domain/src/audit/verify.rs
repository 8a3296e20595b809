//! Checking a chain. The [`Verifier`] is pure and is fed record by record, so the log may have any length; [`verify`]
//! feeds it from the database, `offline.rs` from an exported file.

use core::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use rtv_core::Error;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::audit::chain::{End, Hash, Head, Record, end_bytes, head_bytes};
use crate::audit::key::PublicKey;
use crate::audit::log::{Log, heads, sealed, tip};
use crate::audit::{Event, retention};
use crate::transaction::{Resource, Tx, failed};

/// Findings that are kept as such; more are only counted. Somebody who has seen a hundred looks for the cause.
const MOST_FINDINGS: usize = 100;
/// Sealed events that are read at a time.
const BATCH: i64 = 2_000;

/// What is wrong at one place of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Number of the event that it is about.
    pub seq: Option<u64>,
    /// Line of the file, if there is one.
    pub line: Option<u64>,
    /// What is wrong.
    pub fault: Fault,
}

/// What can be wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The event, its number or its hash is not what was sealed.
    Changed,
    /// The payload is not what was sealed.
    PayloadChanged,
    /// The payload is gone, and no entry of the log says that it was dropped.
    PayloadGone,
    /// Events up to this number are missing.
    Missing {
        /// The last one that is missing.
        up_to: u64,
    },
    /// The number was there before, or belongs elsewhere.
    OutOfPlace,
    /// A head that does not belong where it stands.
    HeadOutOfPlace,
    /// The head names another hash than the chain has.
    HeadDiffers,
    /// The signature is none of the key.
    BadSignature,
    /// The signature is of a key that was not given.
    UnknownKey(String),
    /// The chain has another hash here than the one that was expected.
    NotAsExpected,
    /// The end is missing.
    CutOff,
    /// Events that were neither sealed nor wait for it.
    NeverSealed {
        /// How many.
        events: u64,
    },
    /// A line that is not exactly as it was exported.
    Unreadable,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.seq) {
            (Some(line), Some(seq)) => write!(f, "line {line}, event {seq}: ")?,
            (Some(line), None) => write!(f, "line {line}: ")?,
            (None, Some(seq)) => write!(f, "event {seq}: ")?,
            (None, None) => {}
        }
        match &self.fault {
            Fault::Changed => f.write_str("is not what was sealed"),
            Fault::PayloadChanged => f.write_str("its details are not what was sealed"),
            Fault::PayloadGone => f.write_str("its details are gone, and no entry says that they were dropped by then"),
            Fault::Missing { up_to } if Some(*up_to) == self.seq => f.write_str("is missing"),
            Fault::Missing { up_to } => write!(f, "is missing, and all others up to {up_to}"),
            Fault::OutOfPlace => f.write_str("stands in the wrong place"),
            Fault::HeadOutOfPlace => f.write_str("a head stands in the wrong place"),
            Fault::HeadDiffers => f.write_str("the signed head names another chain"),
            Fault::BadSignature => f.write_str("the signature is not one of the key"),
            Fault::UnknownKey(id) => write!(f, "signed with the key {id}, which was not given"),
            Fault::NotAsExpected => f.write_str("the chain has another hash here than expected"),
            Fault::CutOff => f.write_str("the log is cut off after this"),
            Fault::NeverSealed { events } => write!(f, "{events} events were never sealed"),
            Fault::Unreadable => f.write_str("is not a line as it was exported"),
        }
    }
}

/// What a check has found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Events that were checked.
    pub events: u64,
    /// Events whose payload has been dropped; their hashes were checked.
    pub dropped: u64,
    /// Heads that were checked.
    pub heads: u64,
    /// Number of the newest event that was checked.
    pub last_seq: u64,
    /// Hash of the chain up to it.
    pub last_hash: Option<Hash>,
    /// The newest event that a sound signature covers.
    pub signed_seq: u64,
    /// When that was signed.
    pub signed_at: Option<DateTime<Utc>>,
    /// Events that wait to be sealed.
    pub unsealed: u64,
    /// How much is wrong.
    pub found: u64,
    /// What is wrong, the first hundred.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether nothing is wrong.
    pub const fn is_sound(&self) -> bool {
        self.found == 0
    }
}

/// A place of the chain that is known from elsewhere, as `1234:9f86…`: from an earlier report or a head in the log of the
/// server. It finds what nothing inside the database can: a chain whose end was taken away, signed heads and all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    seq: u64,
    chain: Hash,
}

impl core::str::FromStr for Checkpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = text
            .split_once(':')
            .and_then(|(seq, chain)| Some(Self { seq: seq.parse().ok()?, chain: chain.parse().ok()? }));
        parsed.ok_or_else(|| {
            "use the number of an event and its chain hash, like 1234:9f86d081…, as a report prints them".into()
        })
    }
}

/// Follows a chain from its first event on.
#[derive(Debug)]
pub struct Verifier {
    tenant: Uuid,
    keys: Vec<PublicKey>,
    expected: Option<Checkpoint>,
    seq: u64,
    chain: Hash,
    line: Option<u64>,
    /// When the newest event without a payload happened.
    dropped_until: Option<(u64, DateTime<Utc>)>,
    /// Before which instant payloads were dropped, as the log itself says.
    kept_from: Option<DateTime<Utc>>,
    report: Report,
}

impl Verifier {
    /// For the chain of a tenant, the nil UUID for the operator's, and the public keys that may have signed it.
    pub fn new(tenant: Uuid, keys: &[PublicKey], expected: Option<Checkpoint>) -> Self {
        Self {
            tenant,
            keys: keys.to_vec(),
            expected,
            seq: 0,
            chain: Hash::START,
            line: None,
            dropped_until: None,
            kept_from: None,
            report: Report::default(),
        }
    }

    /// Says which line of a file comes next.
    pub(crate) fn at_line(&mut self, line: u64) {
        self.line = Some(line);
    }

    pub(crate) fn fault(&mut self, seq: Option<u64>, fault: Fault) {
        self.report.found += 1;
        if self.report.findings.len() < MOST_FINDINGS {
            self.report.findings.push(Finding { seq, line: self.line, fault });
        }
    }

    /// Whether this is the next number. A gap is told and passed over, so that what follows it is checked all the same.
    fn take_place(&mut self, seq: u64) -> bool {
        if seq <= self.seq {
            self.fault(Some(seq), Fault::OutOfPlace);
            return false;
        }
        if seq > self.seq + 1 {
            self.fault(Some(self.seq + 1), Fault::Missing { up_to: seq - 1 });
        }
        true
    }

    /// The next event.
    pub fn record(&mut self, record: &Record) {
        let before = self.seq;
        if !self.take_place(record.seq) {
            return;
        }
        self.report.events += 1;
        match &record.payload {
            Some(payload) => {
                if payload.hash() != record.payload_hash {
                    self.fault(Some(record.seq), Fault::PayloadChanged);
                }
                if record.action == retention::DROPPED && record.actor_kind == "system" {
                    let until = payload.after.as_deref().and_then(|after| retention::dropped_before(after.get()));
                    // Nothing younger is ever dropped, whatever such an event says.
                    let latest = record.occurred_at - TimeDelta::days(retention::FEWEST_DAYS.into());
                    self.kept_from = self.kept_from.max(until.filter(|until| *until <= latest));
                }
            }
            None => {
                self.report.dropped += 1;
                if self.dropped_until.is_none_or(|(_, at)| at <= record.occurred_at) {
                    self.dropped_until = Some((record.seq, record.occurred_at));
                }
            }
        }
        // Behind a gap the hash before is unknown; the gap itself has been told.
        if record.seq == before + 1 && record.chain_after(self.tenant, self.chain) != record.chain_hash {
            self.fault(Some(record.seq), Fault::Changed);
        }
        self.stand(record.seq, record.chain_hash);
    }

    /// A number that was sealed and whose event is gone.
    pub(crate) fn gone(&mut self, seq: u64, chain: Hash) {
        if self.take_place(seq) {
            self.fault(Some(seq), Fault::Missing { up_to: seq });
            self.stand(seq, chain);
        }
    }

    fn stand(&mut self, seq: u64, chain: Hash) {
        self.seq = seq;
        self.chain = chain;
        if self.expected.is_some_and(|expected| expected.seq == seq && expected.chain != chain) {
            self.fault(Some(seq), Fault::NotAsExpected);
        }
    }

    /// A head, right after the event that it names.
    pub fn head(&mut self, head: &Head) {
        self.report.heads += 1;
        if head.seq != self.seq {
            self.fault(Some(head.seq), Fault::HeadOutOfPlace);
            return;
        }
        if head.chain_hash != self.chain {
            self.fault(Some(head.seq), Fault::HeadDiffers);
            return;
        }
        let bytes = head_bytes(self.tenant, head.seq, head.chain_hash, head.signed_at);
        if self.is_signed(head.seq, &bytes, &head.key_id, &head.signature) {
            self.report.signed_seq = head.seq;
            self.report.signed_at = Some(head.signed_at);
        }
    }

    fn is_signed(&mut self, seq: u64, bytes: &[u8], key_id: &str, signature: &super::key::Signature) -> bool {
        let Some(key) = self.keys.iter().find(|key| key.id() == key_id).copied() else {
            self.fault(Some(seq), Fault::UnknownKey(key_id.to_owned()));
            return false;
        };
        let is_signed = key.has_signed(bytes, signature);
        if !is_signed {
            self.fault(Some(seq), Fault::BadSignature);
        }
        is_signed
    }

    /// The end of a file.
    pub fn end(&mut self, end: &End) {
        if end.seq != self.seq || end.chain_hash != self.chain || end.heads != self.report.heads {
            self.fault(Some(end.seq), Fault::HeadDiffers);
            return;
        }
        let bytes = end_bytes(self.tenant, end.seq, end.chain_hash, end.signed_at, end.heads);
        if self.is_signed(end.seq, &bytes, &end.key_id, &end.signature) {
            self.report.signed_seq = end.seq;
            self.report.signed_at = Some(end.signed_at);
        }
    }

    /// What was found.
    pub fn finish(mut self) -> Report {
        self.line = None;
        if let Some((seq, at)) = self.dropped_until
            && self.kept_from.is_none_or(|kept_from| kept_from <= at)
        {
            self.fault(Some(seq), Fault::PayloadGone);
        }
        if self.expected.is_some_and(|expected| expected.seq > self.seq) {
            self.fault(Some(self.seq), Fault::CutOff);
        }
        self.report.last_seq = self.seq;
        self.report.last_hash = Some(self.chain);
        self.report
    }
}

/// Checks a whole chain in the database, and writes down that it was checked.
pub async fn verify(log: &Log, keys: &[PublicKey], expected: Option<Checkpoint>) -> Result<Report, Error> {
    let mut tx = log.begin(rtv_core::Permission::AuditRead, Resource::AuditLog).await?;
    tx.take_time().await?;
    let tenant = log.chain();
    let tip = tip(&mut tx, tenant).await?;
    let mut verifier = Verifier::new(tenant, keys, expected);
    let mut after = 0;
    while after < tip.seq {
        let rows = sealed(&mut tx, tenant, after, tip.seq, BATCH).await?;
        let Some(last) = rows.last().map(|row| row.seq) else { break };
        let signed = heads(&mut tx, tenant, after, last).await?;
        let mut signed = signed.iter().peekable();
        for row in rows {
            let (seq, chain) = (row.seq, row.chain_hash()?);
            match row.record()? {
                Some(record) => verifier.record(&record),
                None => verifier.gone(number(seq), chain),
            }
            while let Some(head) = signed.next_if(|head| head.seq <= number(seq)) {
                verifier.head(head);
            }
        }
        after = last;
    }
    if verifier.seq != number(tip.seq) || verifier.chain != tip.chain {
        let seq = verifier.seq;
        verifier.fault(Some(seq), Fault::CutOff);
    }
    let (unsealed, lost) = unsealed(&mut tx, tenant).await?;
    if lost > 0 {
        verifier.fault(None, Fault::NeverSealed { events: lost });
    }
    let mut report = verifier.finish();
    report.unsealed = unsealed;
    let after = json!({ "events": report.events, "last_seq": report.last_seq, "found": report.found });
    tx.audit(Event::new("audit.verify", "audit_log", "all").after(after)).await?;
    tx.commit().await?;
    Ok(report)
}

/// Numbers in the database are positive; the table holds that.
pub(crate) fn number(seq: i64) -> u64 {
    u64::try_from(seq).unwrap_or_default()
}

/// Events that wait to be sealed, and events that do not although they were not.
async fn unsealed(tx: &mut Tx, tenant: Uuid) -> Result<(u64, u64), Error> {
    // In one statement, because an event may be sealed between two.
    let row = sqlx::query!(
        r#"
        select
          (select count(*) from audit_unsealed where tenant_id = $1) as "waiting!",
          (
            select count(*)
            from audit_event
            where tenant_id = $1
              and not exists (
                select 1 from audit_seal where audit_seal.tenant_id = $1 and audit_seal.event_id = audit_event.id
              )
              and not exists (
                select 1
                from audit_unsealed
                where audit_unsealed.tenant_id = $1 and audit_unsealed.event_id = audit_event.id
              )
          ) as "lost!"
        "#,
        tenant
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    Ok((number(row.waiting), number(row.lost)))
}

/// The report as JSON, with a sentence for each finding.
pub fn as_json(report: &Report) -> Value {
    let mut value = json!(report);
    value["is_sound"] = report.is_sound().into();
    value["sentences"] = report.findings.iter().map(ToString::to_string).collect();
    value
}
