//! Taking the log out as a file, piece by piece however long it is. As JSON lines the whole sealed log, which can be
//! checked without a database (`offline.rs` describes the form); as CSV the events that a filter picks, for people.

use rtv_core::{AuditEventId, Error, Permission};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use crate::audit::Event;
use crate::audit::chain::{End, EndLine, Hash, Opening, OpeningLine, VERSION, end_bytes};
use crate::audit::explorer::{self, Cursor, Filter, Row};
use crate::audit::key::{AuditKey, Signature};
use crate::audit::log::{Log, Tip, heads, sealed, tip};
use crate::audit::verify::number;
use crate::transaction::{Resource, Tx, failed};

/// Events of one piece.
const PIECE: usize = 1_000;

/// The whole sealed log as JSON lines.
#[derive(Debug)]
pub struct JsonExport {
    log: Log,
    tip: Tip,
    end: Option<End>,
    after: i64,
    is_begun: bool,
}

/// Opens the sealed log for taking out, and writes down that it was. The end of the file is signed with the key.
pub async fn json_lines(log: &Log, key: &AuditKey) -> Result<JsonExport, Error> {
    let mut tx = log.begin(Permission::AuditExport, Resource::AuditLog).await?;
    let chain = log.chain();
    let tip = tip(&mut tx, chain).await?;
    let heads = sqlx::query_scalar!(
        r#"select count(*) as "heads!" from audit_head where tenant_id = $1 and seq <= $2"#,
        chain,
        tip.seq
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    let (seq, heads) = (number(tip.seq), number(heads));
    tx.audit(Event::new("audit.export", "audit_log", "all").after(json!({ "form": "jsonl", "last_seq": seq }))).await?;
    tx.commit().await?;
    let signed_at = log.now();
    let signature: Signature = key.sign(&end_bytes(chain, seq, tip.chain, signed_at, heads));
    let end =
        End { kind: EndLine::End, seq, chain_hash: tip.chain, heads, signed_at, key_id: key.public().id(), signature };
    Ok(JsonExport { log: log.without_deadline(), tip, end: Some(end), after: 0, is_begun: false })
}

impl JsonExport {
    /// Events that the file will hold.
    pub fn events(&self) -> u64 {
        number(self.tip.seq)
    }

    /// Hash of the chain at its end.
    pub const fn chain_hash(&self) -> Hash {
        self.tip.chain
    }

    /// The next piece, or `None` after the last.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let mut piece = Vec::new();
        if !self.is_begun {
            self.is_begun = true;
            line(&mut piece, &Opening { kind: OpeningLine::Log, version: VERSION, tenant: self.log.chain() });
        }
        if self.after < self.tip.seq {
            self.read(&mut piece).await?;
        } else {
            let Some(end) = self.end.take() else { return Ok(None) };
            line(&mut piece, &end);
        }
        Ok(Some(piece))
    }

    async fn read(&mut self, piece: &mut Vec<u8>) -> Result<(), Error> {
        let chain = self.log.chain();
        let mut tx = self.log.begin(Permission::AuditExport, Resource::AuditLog).await?;
        let limit = i64::try_from(PIECE).unwrap_or(i64::MAX);
        let rows = sealed(&mut tx, chain, self.after, self.tip.seq, limit).await?;
        let last = rows.last().map_or(self.tip.seq, |row| row.seq);
        let signed = heads(&mut tx, chain, self.after, last).await?;
        tx.rollback().await?;
        let mut signed = signed.iter().peekable();
        for row in rows {
            let seq = number(row.seq);
            // An event that is gone leaves a gap, which whoever checks the file is told.
            if let Some(record) = row.record()? {
                line(piece, &record);
            }
            while let Some(head) = signed.next_if(|head| head.seq <= seq) {
                line(piece, head);
            }
        }
        self.after = last;
        Ok(())
    }
}

fn line(piece: &mut Vec<u8>, value: &impl Serialize) {
    serde_json::to_writer(&mut *piece, value).expect("a line is made of texts and numbers, and memory takes it");
    piece.push(b'\n');
}

/// Columns of the CSV.
const COLUMNS: [&str; 17] = [
    "seq",
    "id",
    "occurred_at",
    "actor_kind",
    "actor",
    "action",
    "resource_kind",
    "resource",
    "result",
    "detail",
    "before",
    "after",
    "address",
    "user_agent",
    "request_id",
    "payload_hash",
    "chain_hash",
];

/// The events that a filter picks, as CSV.
#[derive(Debug)]
pub struct CsvExport {
    log: Log,
    filter: Filter,
    after: Option<Cursor>,
    is_begun: bool,
    is_over: bool,
}

/// Opens the events that a filter picks for taking out, newest first, and writes down that they were.
pub async fn csv(log: &Log, filter: &Filter) -> Result<CsvExport, Error> {
    let mut tx = log.begin(Permission::AuditExport, Resource::AuditLog).await?;
    let filters: serde_json::Map<String, serde_json::Value> =
        filter.pairs().into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    tx.audit(Event::new("audit.export", "audit_log", "all").after(json!({ "form": "csv", "filter": filters }))).await?;
    tx.commit().await?;
    Ok(CsvExport { log: log.without_deadline(), filter: filter.clone(), after: None, is_begun: false, is_over: false })
}

impl CsvExport {
    /// The next piece, or `None` after the last.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        if self.is_over {
            return Ok(None);
        }
        let mut tx = self.log.begin(Permission::AuditExport, Resource::AuditLog).await?;
        let found = explorer::page(&mut tx, &self.log, &self.filter, self.after, PIECE).await?;
        let seals = seals(&mut tx, self.log.chain(), &found.events).await?;
        tx.rollback().await?;
        self.after = found.next;
        self.is_over = found.next.is_none();
        let mut writer = ::csv::Writer::from_writer(Vec::new());
        if !self.is_begun {
            self.is_begun = true;
            written(writer.write_record(COLUMNS));
        }
        for event in found.events {
            let seal = seals.iter().find(|seal| seal.event == event.id);
            written(writer.write_record(cells(event, seal).iter().map(|cell| rtv_import::without_formula(cell))));
        }
        Ok(Some(writer.into_inner().expect("writing to memory cannot fail")))
    }
}

fn written(outcome: Result<(), ::csv::Error>) {
    outcome.expect("writing to memory cannot fail, and all rows are of one length");
}

fn cells(event: Row, seal: Option<&Sealed>) -> [String; 17] {
    [
        seal.map(|seal| seal.seq.to_string()).unwrap_or_default(),
        AuditEventId::from(event.id).to_string(),
        super::chain::written(event.occurred_at),
        event.actor_kind,
        event.actor_label,
        event.action,
        event.resource_kind,
        event.resource_id,
        event.result,
        event.detail.unwrap_or_default(),
        event.before.unwrap_or_default(),
        event.after.unwrap_or_default(),
        event.address.unwrap_or_default(),
        event.user_agent.unwrap_or_default(),
        event.request_id.unwrap_or_default(),
        seal.map(|seal| hex::encode(&seal.payload_hash)).unwrap_or_default(),
        seal.map(|seal| hex::encode(&seal.chain_hash)).unwrap_or_default(),
    ]
}

struct Sealed {
    event: Uuid,
    seq: i64,
    payload_hash: Vec<u8>,
    chain_hash: Vec<u8>,
}

async fn seals(tx: &mut Tx, chain: Uuid, events: &[Row]) -> Result<Vec<Sealed>, Error> {
    let ids: Vec<Uuid> = events.iter().map(|event| event.id).collect();
    sqlx::query_as!(
        Sealed,
        r#"
        select event_id as event, seq, payload_hash, chain_hash
        from audit_seal
        where tenant_id = $1 and event_id = any($2)
        "#,
        chain,
        &ids,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)
}
