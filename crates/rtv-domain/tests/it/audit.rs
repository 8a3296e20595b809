//! The audit log: that it is sealed without gaps whatever commits when, that every change of it is found, that the serving
//! role cannot make one, that retention drops what its time is over for and nothing else, and how the log is read.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use rtv_core::{AuditEventId, Error, Permission, Role};
use rtv_domain::audit::chain::{Hash, Record};
use rtv_domain::audit::explorer::{self, Cursor, Filter};
use rtv_domain::audit::verify::{self, Fault, Report};
use rtv_domain::audit::{AuditKey, Log, detail, export, offline, retention, seal};
use rtv_domain::{Actor, Context, Tenant, TenantContext, access};
use sqlx::{AssertSqlSafe, Postgres, Transaction};
use uuid::Uuid;

use crate::world::{World, at};

struct Ledger {
    world: World,
    tenant: Tenant,
    key: AuditKey,
}

impl Ledger {
    async fn new() -> Self {
        Self::of(World::new().await).await
    }

    async fn of(world: World) -> Self {
        let tenant = world.tenant("acme", "Europe/Berlin").await;
        Self { world, tenant, key: AuditKey::generate() }
    }

    fn sealer(&self, now: &str) -> Context {
        self.world.context_at(at(now), Actor::System("audit sealer"))
    }

    async fn seal(&self) -> seal::Sealed {
        seal::seal(&self.sealer("2026-11-21T09:00:00Z"), &self.key).await.unwrap()
    }

    async fn ctx(&self) -> TenantContext {
        access::enter_as_operator(&self.world.operator(), &self.tenant.slug, "test").await.unwrap()
    }

    async fn verify(&self) -> Report {
        verify::verify(&Log::from(&self.ctx().await), &[self.key.public()], None).await.unwrap()
    }

    /// Writes an event past the domain.
    async fn event(&self, id: Uuid, occurred_at: &str, action: &str) {
        let mut tx = self.world.as_tenant(&self.tenant).await;
        insert(&mut tx, self.tenant.id.uuid(), id, occurred_at, action).await;
        tx.commit().await.unwrap();
    }

    async fn jsonl(&self) -> Vec<u8> {
        let mut export = export::json_lines(&Log::from(&self.ctx().await), &self.key).await.unwrap();
        let mut file = Vec::new();
        while let Some(piece) = export.next().await.unwrap() {
            file.extend(piece);
        }
        file
    }

    async fn csv(&self, filter: &Filter) -> Vec<csv::StringRecord> {
        let mut export = export::csv(&Log::from(&self.ctx().await), filter).await.unwrap();
        let mut file = Vec::new();
        while let Some(piece) = export.next().await.unwrap() {
            file.extend(piece);
        }
        csv::Reader::from_reader(file.as_slice()).records().map(Result::unwrap).collect()
    }

    /// Runs a statement as who owns the tables and has set row security aside: what nobody but a database's
    /// administrator can do.
    async fn tamper(&self, statement: &str) {
        let owner = self.world.db.owner_pool().await;
        let mut tx = owner.begin().await.unwrap();
        for table in ["audit_event", "audit_seal", "audit_head", "audit_chain", "audit_unsealed"] {
            let lift = format!("alter table {table} no force row level security");
            sqlx::query(AssertSqlSafe(lift)).execute(&mut *tx).await.unwrap();
        }
        let done = sqlx::query(AssertSqlSafe(statement.to_owned())).execute(&mut *tx).await.unwrap();
        assert!(done.rows_affected() > 0, "{statement}: nothing was tampered with");
        for table in ["audit_event", "audit_seal", "audit_head", "audit_chain", "audit_unsealed"] {
            let force = format!("alter table {table} force row level security");
            sqlx::query(AssertSqlSafe(force)).execute(&mut *tx).await.unwrap();
        }
        tx.commit().await.unwrap();
    }

    async fn seals(&self) -> Vec<(i64, Uuid)> {
        let mut tx = self.world.as_tenant(&self.tenant).await;
        sqlx::query_as("select seq, event_id from audit_seal order by seq").fetch_all(&mut *tx).await.unwrap()
    }

    async fn count(&self, query: &'static str) -> i64 {
        let mut tx = self.world.as_tenant(&self.tenant).await;
        sqlx::query_scalar(query).fetch_one(&mut *tx).await.unwrap()
    }
}

async fn insert(tx: &mut Transaction<'static, Postgres>, tenant: Uuid, id: Uuid, occurred_at: &str, action: &str) {
    sqlx::query(
        "insert into audit_event (
           tenant_id, id, occurred_at, actor_kind, actor_label, action, resource_kind, resource_id, result, detail, after,
           address, user_agent
         ) values ($1, $2, $3, 'user', 'dana@acme.example', $4, 'thing', 'one', 'success', 'said', '{\"b\": 1.50, \"a\": null}',
           '203.0.113.9', 'Browser')",
    )
    .bind(tenant)
    .bind(id)
    .bind(at(occurred_at))
    .bind(action)
    .execute(&mut **tx)
    .await
    .unwrap();
}

#[tokio::test]
async fn what_is_written_is_sealed_signed_and_found_whole() {
    let ledger = Ledger::new().await;
    for number in 0..20 {
        ledger.event(Uuid::now_v7(), "2026-11-21T08:00:00.123456Z", &format!("thing.do_{number}")).await;
    }
    let sealed = ledger.seal().await;
    assert!(sealed.events >= 21 && sealed.heads == 1, "one chain has something: the tenant's: {sealed:?}");
    assert_eq!(ledger.seal().await, seal::Sealed::default(), "there is nothing more to do");
    let report = ledger.verify().await;
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.events, report.signed_seq, report.heads), (21, 21, 1));
    assert_eq!(report.unsealed, 1, "that the operator came in to look");
    // The log of the operator is a chain of its own.
    let operator = verify::verify(&Log::Operator(ledger.world.operator()), &[ledger.key.public()], None).await.unwrap();
    assert_eq!((operator.events, operator.found), (0, 0));
    ledger.seal().await;
    let operator = verify::verify(&Log::Operator(ledger.world.operator()), &[ledger.key.public()], None).await.unwrap();
    assert_eq!((operator.events, operator.found), (1, 0), "the first look was an event there");
}

#[tokio::test]
async fn a_head_is_signed_every_minute_in_which_something_happened() {
    let ledger = Ledger::new().await;
    let turn = async |now: &str, with_event: bool| {
        if with_event {
            ledger.event(Uuid::now_v7(), now, "thing.do").await;
        }
        let sealed = seal::seal(&ledger.sealer(now), &ledger.key).await.unwrap();
        (sealed.events, sealed.heads)
    };
    assert_eq!(turn("2026-11-21T09:00:00Z", false).await, (1, 1), "that the tenant was created");
    assert_eq!(turn("2026-11-21T09:00:10Z", true).await, (1, 0));
    assert_eq!(turn("2026-11-21T09:00:59Z", true).await, (1, 0));
    assert_eq!(turn("2026-11-21T09:01:00Z", false).await, (0, 1), "what was sealed meanwhile is signed");
    assert_eq!(turn("2026-11-21T09:02:10Z", false).await, (0, 0), "nothing has happened");
    assert_eq!(turn("2026-11-21T09:02:12Z", true).await, (1, 1));
    assert_eq!(turn("2026-11-21T08:00:00Z", true).await, (1, 1), "a clock that was set back keeps no head away");
    let report = ledger.verify().await;
    assert_eq!((report.found, report.heads, report.signed_seq), (0, 4, 5));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_writers_and_two_sealers_make_one_chain_without_gaps() {
    let ledger = Arc::new(Ledger::of(World::with_connections(8).await).await);
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let ledger = ledger.clone();
        writers.spawn(async move {
            for _ in 0..25 {
                ledger.ctx().await;
            }
        });
    }
    let sealers: Vec<_> = (0..2)
        .map(|_| {
            let ledger = ledger.clone();
            tokio::spawn(async move {
                for _ in 0..40 {
                    ledger.seal().await;
                }
            })
        })
        .collect();
    while let Some(done) = writers.join_next().await {
        done.unwrap();
    }
    for sealer in sealers {
        sealer.await.unwrap();
    }
    ledger.seal().await;
    let seals = ledger.seals().await;
    assert_eq!(seals.len(), 201, "each event once");
    assert!(seals.iter().zip(1..).all(|((seq, _), expect)| *seq == expect), "{seals:?}");
    let report = ledger.verify().await;
    assert_eq!((report.events, report.found), (201, 0), "{report:?}");
}

#[tokio::test]
async fn events_do_not_wait_for_each_other_nor_for_the_sealer() {
    let ledger = Ledger::new().await;
    let tenant = ledger.tenant.id.uuid();
    let mut open = ledger.world.as_tenant(&ledger.tenant).await;
    insert(&mut open, tenant, Uuid::now_v7(), "2026-11-21T08:00:00Z", "thing.slow").await;
    // A sealer that is in the middle of its work holds the tip.
    let mut sealing = ledger.world.marked("sealer", Some(tenant), None).await;
    sqlx::query("insert into audit_chain (tenant_id) values ($1)").bind(tenant).execute(&mut *sealing).await.unwrap();
    let quick = tokio::time::timeout(
        std::time::Duration::from_secs(5),
        ledger.event(Uuid::now_v7(), "2026-11-21T08:00:01Z", "thing.quick"),
    );
    quick.await.expect("an event waits for nobody");
    sealing.rollback().await.unwrap();
    open.rollback().await.unwrap();
}

#[tokio::test]
async fn an_event_that_commits_late_is_sealed_late_and_not_passed_over() {
    let ledger = Ledger::new().await;
    let (slow, quick) = (Uuid::now_v7(), Uuid::now_v7());
    let mut open = ledger.world.as_tenant(&ledger.tenant).await;
    insert(&mut open, ledger.tenant.id.uuid(), slow, "2026-11-21T08:00:00Z", "thing.slow").await;
    ledger.event(quick, "2026-11-21T09:30:00Z", "thing.quick").await;
    ledger.seal().await;
    assert_eq!(ledger.seals().await.last(), Some(&(2, quick)));
    open.commit().await.unwrap();
    ledger.seal().await;
    assert_eq!(ledger.seals().await.last(), Some(&(3, slow)), "in the order of sealing, not of time");
    assert!(ledger.verify().await.is_sound());
}

/// SplitMix64: the same faults for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((bits ^ (bits >> 31)) % end as u64).unwrap()
    }
}

#[tokio::test]
async fn ten_thousand_tampered_files_are_all_found_out() {
    let ledger = Ledger::new().await;
    for number in 0..12 {
        ledger.event(Uuid::now_v7(), "2026-11-21T08:00:00Z", &format!("thing.do_{number}")).await;
        if number % 4 == 3 {
            let now = format!("2026-11-21T09:{:02}:00Z", number * 2);
            seal::seal(&ledger.sealer(&now), &ledger.key).await.unwrap();
        }
    }
    let file = ledger.jsonl().await;
    let keys = [ledger.key.public()];
    let check = |file: &[u8]| offline::verify_file(file, &keys, None).unwrap();
    let sound = check(&file);
    assert_eq!((sound.found, sound.events, sound.heads, sound.signed_seq), (0, 13, 3, 13), "{sound:?}");
    let lines: Vec<&[u8]> = file.split_inclusive(|byte| *byte == b'\n').collect();
    assert_eq!(lines.len(), 13 + 3 + 2);

    let seed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    println!("seed {seed}");
    let mut dice = Dice(seed);
    for round in 0..10_000 {
        let mut changed: Vec<Vec<u8>> = lines.iter().map(|line| line.to_vec()).collect();
        let about = match round % 5 {
            0 => {
                let (line, to) = (dice.below(lines.len()), dice.below(255));
                let place = dice.below(lines[line].len());
                let byte = &mut changed[line][place];
                // Any byte but the one that is there.
                *byte = byte.wrapping_add(u8::try_from(to + 1).unwrap());
                format!("line {line}, byte {place} is now {byte}")
            }
            1 => {
                let line = dice.below(lines.len());
                changed.remove(line);
                format!("line {line} is gone")
            }
            2 => {
                let one = dice.below(lines.len());
                let other = (one + 1 + dice.below(lines.len() - 1)) % lines.len();
                changed.swap(one, other);
                format!("lines {one} and {other} have changed places")
            }
            3 => {
                let (line, to) = (dice.below(lines.len()), dice.below(lines.len() + 1));
                changed.insert(to, lines[line].to_vec());
                format!("line {line} stands once more before {to}")
            }
            _ => {
                let keep = dice.below(file.len());
                changed = vec![file[..keep].to_vec()];
                format!("cut off after {keep} bytes")
            }
        };
        let report = check(&changed.concat());
        assert!(!report.is_sound(), "seed {seed}, round {round}: {about}");
    }
}

#[tokio::test]
async fn a_forger_who_computes_all_hashes_again_is_found_by_the_signature() {
    let ledger = Ledger::new().await;
    for _ in 0..3 {
        ledger.event(Uuid::now_v7(), "2026-11-21T08:00:00Z", "thing.do").await;
    }
    ledger.seal().await;
    let file = String::from_utf8(ledger.jsonl().await).unwrap();
    let mut chain = Hash::START;
    let mut forged = Vec::new();
    for line in file.lines() {
        if !line.starts_with(r#"{"kind":"event""#) {
            forged.push(line.to_owned());
            continue;
        }
        let mut record: Record = serde_json::from_str(line).unwrap();
        if record.seq == 2 {
            record.actor = "somebody@else.example".into();
        }
        record.chain_hash = record.chain_after(ledger.tenant.id.uuid(), chain);
        chain = record.chain_hash;
        forged.push(serde_json::to_string(&record).unwrap());
    }
    let forged = forged.join("\n") + "\n";
    assert_ne!(forged, file);
    let report = offline::verify_file(forged.as_bytes(), &[ledger.key.public()], None).unwrap();
    let faults: Vec<_> = report.findings.iter().map(|finding| &finding.fault).collect();
    assert_eq!(faults, [&Fault::HeadDiffers, &Fault::HeadDiffers], "the head and the end: {report:?}");
    // With a key of the forger's own nothing is gained either.
    let other = AuditKey::generate();
    let report = offline::verify_file(file.as_bytes(), &[other.public()], None).unwrap();
    assert!(matches!(report.findings[0].fault, Fault::UnknownKey(_)), "{report:?}");
}

#[tokio::test]
async fn what_an_administrator_of_the_database_changes_is_found() {
    let ledger = Ledger::new().await;
    let ids: Vec<Uuid> = (0..6).map(|_| Uuid::now_v7()).collect();
    for id in &ids {
        ledger.event(*id, "2026-11-21T08:00:00Z", "thing.do").await;
    }
    ledger.seal().await;
    assert!(ledger.verify().await.is_sound());
    let checkpoint = {
        let report = ledger.verify().await;
        format!("{}:{}", report.last_seq, report.last_hash.unwrap())
    };
    let third = ids[2];
    let check = async |tamper: &str, mend: &str, expect: Fault| {
        ledger.tamper(tamper).await;
        let report = ledger.verify().await;
        assert!(report.findings.iter().any(|finding| finding.fault == expect), "{tamper}: {report:?}");
        ledger.tamper(mend).await;
        let report = ledger.verify().await;
        assert!(report.is_sound(), "{mend}: {report:?}");
    };
    check(
        &format!("update audit_event set actor_label = 'x' where id = '{third}'"),
        &format!("update audit_event set actor_label = 'dana@acme.example' where id = '{third}'"),
        Fault::Changed,
    )
    .await;
    check(
        &format!("update audit_event set after = '{{\"b\": 1.51, \"a\": null}}' where id = '{third}'"),
        &format!("update audit_event set after = '{{\"b\": 1.50, \"a\": null}}' where id = '{third}'"),
        Fault::PayloadChanged,
    )
    .await;
    check(
        &format!("update audit_event set id = '{}' where id = '{third}'", Uuid::nil()),
        &format!("update audit_event set id = '{third}' where id = '{}'", Uuid::nil()),
        Fault::Missing { up_to: 3 },
    )
    .await;
    // Where a seal is taken away with its event, its number is missing.
    check(
        "update audit_seal set seq = 1000 where seq = 4",
        "update audit_seal set seq = 4 where seq = 1000",
        Fault::Missing { up_to: 4 },
    )
    .await;
    check(
        "update audit_head set signed_at = signed_at + interval '1 second'",
        "update audit_head set signed_at = signed_at - interval '1 second'",
        Fault::BadSignature,
    )
    .await;
    check(
        "update audit_seal set seq = seq + 1000 where seq > 5",
        "update audit_seal set seq = seq - 1000 where seq > 1000",
        Fault::CutOff,
    )
    .await;
    ledger
        .tamper(&format!(
            "update audit_event
         set payload_salt = null, detail = null, before = null, after = null, address = null, user_agent = null
         where id = '{third}'"
        ))
        .await;
    let report = ledger.verify().await;
    assert_eq!(report.findings.len(), 1, "{report:?}");
    assert_eq!(report.findings[0].fault, Fault::PayloadGone, "nothing in the log says that it was dropped");

    // Whoever takes away the end with heads and tip leaves a chain that is sound in itself; a checkpoint tells.
    ledger.tamper("delete from audit_seal where seq >= 3").await;
    ledger.tamper("delete from audit_head").await;
    ledger.tamper("delete from audit_unsealed").await;
    ledger.tamper("delete from audit_event where id not in (select event_id from audit_seal)").await;
    ledger.tamper(
        "update audit_chain set seq = 2, signed_seq = 0, chain_hash = (select chain_hash from audit_seal where seq = 2)",
    )
    .await;
    let log = Log::from(&ledger.ctx().await);
    let keys = [ledger.key.public()];
    let report = verify::verify(&log, &keys, None).await.unwrap();
    assert!(report.is_sound(), "{report:?}");
    let report = verify::verify(&log, &keys, Some(checkpoint.parse().unwrap())).await.unwrap();
    assert_eq!(report.findings[0].fault, Fault::CutOff, "{report:?}");
}

#[tokio::test]
async fn an_event_that_was_kept_from_the_sealer_is_found() {
    let ledger = Ledger::new().await;
    ledger.event(Uuid::now_v7(), "2026-11-21T08:00:00Z", "thing.do").await;
    ledger.tamper("delete from audit_unsealed where occurred_at < '2026-11-21T08:30:00Z'").await;
    ledger.seal().await;
    let report = ledger.verify().await;
    assert_eq!(report.findings[0].fault, Fault::NeverSealed { events: 1 }, "{report:?}");
}

#[tokio::test]
async fn retention_drops_what_its_time_is_over_for_and_the_chain_still_verifies() {
    let ledger = Ledger::new().await;
    let (old, older, young) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    ledger.event(older, "2024-03-01T10:00:00Z", "thing.older").await;
    ledger.event(old, "2025-01-20T10:00:00Z", "thing.old").await;
    ledger.event(young, "2025-12-20T10:00:00Z", "thing.young").await;
    let worker = ledger.sealer("2026-11-21T09:30:00Z");
    // What is not sealed keeps its payload: nothing would be left of it.
    assert_eq!(retention::drop_payloads(&worker, &ledger.key).await.unwrap(), 0);
    ledger.seal().await;
    let before = ledger.jsonl().await;
    ledger.seal().await;
    assert_eq!(retention::drop_payloads(&worker, &ledger.key).await.unwrap(), 2);
    assert_eq!(retention::drop_payloads(&worker, &ledger.key).await.unwrap(), 0, "once is enough");
    assert_eq!(ledger.count("select count(*) from audit_event where payload_salt is null").await, 2);
    let mut tx = ledger.world.as_tenant(&ledger.tenant).await;
    let rows: Vec<(Uuid, String, i32)> = sqlx::query_as(
        "select id, actor_label, num_nonnulls(payload_salt, detail, before, after, address, user_agent)
         from audit_event where action like 'thing.%' order by occurred_at",
    )
    .fetch_all(&mut *tx)
    .await
    .unwrap();
    drop(tx);
    let who = || "dana@acme.example".to_owned();
    assert_eq!(rows, [(older, who(), 0), (old, who(), 0), (young, who(), 5)], "the young one is whole");
    let report = ledger.verify().await;
    assert_eq!((report.found, report.dropped), (0, 2), "{report:?}");
    let after = ledger.jsonl().await;
    let keys = [ledger.key.public()];
    assert!(offline::verify_file(before.as_slice(), &keys, None).unwrap().is_sound());
    let report = offline::verify_file(after.as_slice(), &keys, None).unwrap();
    assert_eq!((report.found, report.dropped), (0, 2), "{report:?}");
    let detail = detail::one(&ledger.ctx().await, old.into()).await.unwrap();
    assert!(detail.is_dropped && detail.changes.is_empty() && detail.seal.is_some(), "{detail:?}");
}

#[tokio::test]
async fn retention_keeps_to_the_days_that_the_tenant_has_set() {
    let ledger = Ledger::new().await;
    let owner = ledger.world.member(&ledger.tenant, Role::Owner).await;
    let admin = ledger.world.member(&ledger.tenant, Role::Admin).await;
    assert_eq!(retention::retention(&owner).await.unwrap().days, 365);
    for wrong in ["", "29", "3651", "many", "-30", "30.5"] {
        let refused = retention::set_retention(&owner, wrong, "0").await;
        assert!(matches!(&refused, Err(Error::Invalid(errors)) if errors[0].field == "days"), "{wrong}: {refused:?}");
    }
    assert_eq!(retention::set_retention(&owner, " 3000 ", "0").await, Ok(3_000));
    let late = retention::set_retention(&admin, "60", "0").await;
    assert!(matches!(&late, Err(Error::Conflict(text)) if text.contains("3000 days")), "{late:?}");
    assert_eq!(retention::retention(&admin).await.unwrap().days, 3_000, "the later save changed nothing");
    let editor = ledger.world.member(&ledger.tenant, Role::Editor).await;
    assert_eq!(retention::set_retention(&editor, "60", "1").await, Err(Error::Forbidden(Permission::SettingsUpdate)));
    assert_eq!(retention::retention(&editor).await.unwrap_err(), Error::Forbidden(Permission::AuditRead));
    let events = ledger.world.rows(&ledger.tenant, "audit_event").await;
    let set = events.iter().find(|event| event["action"] == "audit.retention.set").unwrap();
    assert_eq!((&set["before"]["days"], &set["after"]["days"]), (&365.into(), &3_000.into()));

    ledger.event(Uuid::now_v7(), "2017-01-01T10:00:00Z", "thing.old").await;
    ledger.event(Uuid::now_v7(), "2019-01-01T10:00:00Z", "thing.young").await;
    ledger.seal().await;
    assert_eq!(retention::drop_payloads(&ledger.sealer("2026-11-21T10:00:00Z"), &ledger.key).await.unwrap(), 1);
    assert!(ledger.verify().await.is_sound());
}

/// The code of “not allowed”, by grant and by row security alike.
const REFUSED: &str = "42501";

/// What a statement that is tried under a marker comes to: the code of its refusal, or how many rows it changed.
async fn attempt(ledger: &Ledger, actor: &str, statement: &str) -> Result<u64, String> {
    let mut tx = ledger.world.marked(actor, Some(ledger.tenant.id.uuid()), None).await;
    let done = sqlx::query(AssertSqlSafe(statement.to_owned())).execute(&mut *tx).await;
    tx.rollback().await.unwrap();
    done.map(|done| done.rows_affected())
        .map_err(|error| error.as_database_error().unwrap().code().unwrap_or_default().into_owned())
}

#[tokio::test]
async fn the_serving_role_cannot_change_the_log_under_any_marker() {
    let ledger = Ledger::new().await;
    let (old, young) = (Uuid::now_v7(), Uuid::now_v7());
    ledger.event(old, "2020-01-01T10:00:00Z", "thing.old").await;
    ledger.event(young, "2026-11-21T08:00:00Z", "thing.young").await;
    ledger.seal().await;
    let unsealed = Uuid::now_v7();
    ledger.event(unsealed, "2020-01-01T10:00:00Z", "thing.unsealed").await;
    for actor in ["tenant", "staff", "worker", "sealer", "retention", "sign_in", "person"] {
        for statement in [
            "delete from audit_event",
            "delete from audit_seal",
            "delete from audit_head",
            "delete from audit_chain",
            "truncate audit_event",
            "update audit_event set actor_label = 'x'",
            "update audit_event set occurred_at = occurred_at - interval '1 day'",
            "update audit_seal set chain_hash = payload_hash",
            "update audit_head set signature = signature",
        ] {
            assert_eq!(attempt(&ledger, actor, statement).await, Err(REFUSED.into()), "{actor}: {statement}");
        }
        if actor != "retention" {
            let drop = "update audit_event set payload_salt = null, detail = null, after = null, address = null, user_agent = null";
            assert_eq!(attempt(&ledger, actor, drop).await, Ok(0), "{actor} drops no payload");
        }
        if actor != "sealer" {
            let seal = format!(
                "insert into audit_seal (tenant_id, seq, event_id, payload_hash, chain_hash, sealed_at)
                 values ('{}', 99, '{unsealed}', decode(repeat('00', 32), 'hex'), decode(repeat('00', 32), 'hex'), now())",
                ledger.tenant.id.uuid()
            );
            assert_eq!(attempt(&ledger, actor, &seal).await, Err(REFUSED.into()), "{actor} seals nothing");
            let passed_over = attempt(&ledger, actor, "delete from audit_unsealed").await;
            assert_eq!(passed_over, Ok(0), "{actor} keeps nothing from the sealer");
            let moved = attempt(&ledger, actor, "update audit_chain set seq = 1").await;
            assert_eq!(moved, Ok(0), "{actor} moves no tip");
        }
    }
    let drop = "update audit_event set payload_salt = null, detail = null, before = null, after = null, address = null, user_agent = null";
    assert_eq!(attempt(&ledger, "retention", drop).await, Ok(1), "the one that is old and sealed");
    for statement in [
        "update audit_event set detail = 'x'",
        "update audit_event set payload_salt = gen_random_uuid(), detail = null",
    ] {
        assert_eq!(attempt(&ledger, "retention", statement).await, Err(REFUSED.into()), "{statement}");
    }
}

#[tokio::test]
async fn one_tenant_has_nothing_of_another_one() {
    let ledger = Ledger::new().await;
    let other = ledger.world.tenant("other", "UTC").await;
    let theirs = Uuid::now_v7();
    let mut tx = ledger.world.as_tenant(&other).await;
    insert(&mut tx, other.id.uuid(), theirs, "2026-11-21T08:00:00Z", "thing.theirs").await;
    tx.commit().await.unwrap();
    ledger.seal().await;
    let owner = ledger.world.member(&ledger.tenant, Role::Owner).await;
    assert_eq!(detail::one(&owner, theirs.into()).await, Err(Error::NotFound));
    let listing = explorer::list(&owner, &Filter::default(), None).await.unwrap();
    assert!(listing.entries.iter().all(|entry| entry.action != "thing.theirs") && !listing.entries.is_empty());
    assert!(!listing.actions.contains(&"thing.theirs".to_owned()), "{:?}", listing.actions);
    assert!(!String::from_utf8(ledger.jsonl().await).unwrap().contains("thing.theirs"));
    assert!(ledger.csv(&Filter::default()).await.iter().all(|row| &row[5] != "thing.theirs"));
    // The operator's own log is the operator's.
    let log = Log::Operator(owner.context().clone());
    assert_eq!(verify::verify(&log, &[], None).await, Err(Error::NotFound));
    assert_eq!(export::json_lines(&log, &ledger.key).await.unwrap_err(), Error::NotFound);
    // And sealing is RTV's own.
    assert_eq!(seal::seal(owner.context(), &ledger.key).await, Err(Error::NotFound));
    assert_eq!(retention::drop_payloads(owner.context(), &ledger.key).await, Err(Error::NotFound));
}

fn filter(pairs: &[(&str, &str)]) -> Filter {
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Filter::parse(&pairs).unwrap()
}

/// Actions of all pages of a filter, in order, reads of the log aside; and how many pages there were.
async fn all_pages(ctx: &TenantContext, filter: &Filter) -> (Vec<(DateTime<Utc>, AuditEventId)>, usize) {
    let (mut found, mut pages, mut after) = (Vec::new(), 0, None::<Cursor>);
    loop {
        let listing = explorer::list(ctx, filter, after).await.unwrap();
        pages += 1;
        found.extend(listing.entries.iter().map(|entry| (entry.occurred_at, entry.id)));
        after = listing.next;
        if after.is_none() {
            return (found, pages);
        }
    }
}

#[tokio::test]
async fn each_filter_finds_what_it_says_and_pages_repeat_and_skip_nothing() {
    let ledger = Ledger::new().await;
    ledger
        .world
        .execute(
            &ledger.tenant,
            "insert into audit_event (
               tenant_id, id, occurred_at, actor_kind, actor_label, action, resource_kind, resource_id, result, address
             )
             select
               rtv_tenant(), gen_random_uuid(),
               -- Seven of each instant, so that pages break between equal times.
               timestamptz '2026-03-01T00:00:00Z' + (number / 7) * interval '1 hour', 'user',
               'person-' || number % 3, 'thing.do_' || number % 5, 'kind_' || number % 2, 'id-' || number % 11,
               (array['success', 'success', 'success', 'denied', 'error'])[1 + number % 4 + number / 200],
               ('203.0.113.' || number % 13)::inet
             from generate_series(1, 230) as number",
        )
        .await;
    let owner = ledger.world.member(&ledger.tenant, Role::Owner).await;
    let expect = async |pairs: &[(&str, &str)], condition: &str| {
        let (found, pages) = all_pages(&owner, &filter(pairs)).await;
        let mut tx = ledger.world.as_tenant(&ledger.tenant).await;
        let rows: Vec<(DateTime<Utc>, Uuid)> = sqlx::query_as(AssertSqlSafe(format!(
            "select occurred_at, id from audit_event
             where {condition} and action like 'thing.%' order by occurred_at desc, id desc"
        )))
        .fetch_all(&mut *tx)
        .await
        .unwrap();
        let rows: Vec<(DateTime<Utc>, AuditEventId)> = rows.into_iter().map(|(at, id)| (at, id.into())).collect();
        assert_eq!(found, rows, "{pairs:?}");
        assert!(!rows.is_empty(), "{pairs:?} proves nothing");
        assert_eq!(pages, rows.len().div_ceil(explorer::PAGE), "{pairs:?}");
    };
    // In Berlin March 2 begins an hour before midnight in UTC; what tests write themselves happened in November.
    expect(&[("to", "2026-03-31")], "true").await;
    expect(
        &[("from", "2026-03-02"), ("to", "2026-03-02")],
        "occurred_at >= '2026-03-01T23:00:00Z' and occurred_at < '2026-03-02T23:00:00Z'",
    )
    .await;
    expect(&[("actor", "person-1")], "actor_label = 'person-1'").await;
    expect(&[("action", "thing.do_3")], "action = 'thing.do_3'").await;
    expect(&[("resource", "kind_1")], "resource_kind = 'kind_1'").await;
    expect(&[("resource", "id-4")], "resource_id = 'id-4'").await;
    expect(&[("result", "denied")], "result = 'denied'").await;
    expect(&[("result", "success"), ("to", "2026-03-31")], "result = 'success'").await;
    expect(&[("address", "203.0.113.7")], "address = '203.0.113.7'").await;
    expect(
        &[("actor", "person-1"), ("action", "thing.do_3"), ("resource", "kind_1"), ("result", "success")],
        "actor_label = 'person-1' and action = 'thing.do_3' and resource_kind = 'kind_1' and result = 'success'",
    )
    .await;
    let nothing = explorer::list(&owner, &filter(&[("actor", "person-1"), ("address", "203.0.113.99")]), None).await;
    let nothing = nothing.unwrap();
    assert!(nothing.entries.is_empty() && nothing.next.is_none() && nothing.looked_back_to.is_none());
    let listing = explorer::list(&owner, &Filter::default(), None).await.unwrap();
    assert!(listing.actions.is_sorted() && listing.actions.contains(&"thing.do_4".into()), "{:?}", listing.actions);
    assert!(listing.actions.contains(&"audit.read".into()), "reading is an event, and one can look for it");
}

#[tokio::test]
async fn a_rare_match_far_back_is_reached_in_bounded_steps() {
    let ledger = Ledger::new().await;
    ledger
        .world
        .execute(
            &ledger.tenant,
            "insert into audit_event (
               tenant_id, id, occurred_at, actor_kind, actor_label, action, resource_kind, resource_id, result
             )
             select
               rtv_tenant(), gen_random_uuid(), timestamptz '2026-03-01T00:00:00Z' - number * interval '1 minute', 'user',
               'busy', case when number = 12000 then 'thing.rare' else 'thing.common' end, 'thing', 'one', 'success'
             from generate_series(1, 12001) as number",
        )
        .await;
    let owner = ledger.world.member(&ledger.tenant, Role::Owner).await;
    let rare = filter(&[("actor", "busy"), ("action", "thing.rare")]);
    let first = explorer::list(&owner, &rare, None).await.unwrap();
    assert!(first.entries.is_empty(), "the first five thousand of this actor hold none");
    let stopped = first.looked_back_to.unwrap();
    assert_eq!(at("2026-03-01T00:00:00Z") - stopped, TimeDelta::minutes(5_000));
    let second = explorer::list(&owner, &rare, first.next).await.unwrap();
    assert!(second.entries.is_empty() && second.next.is_some());
    let third = explorer::list(&owner, &rare, second.next).await.unwrap();
    assert_eq!((third.entries.len(), third.next), (1, None));
}

#[tokio::test]
async fn reading_checking_and_taking_out_are_events_and_so_is_a_refusal() {
    let ledger = Ledger::new().await;
    let owner = ledger.world.member(&ledger.tenant, Role::Owner).await;
    let one = explorer::list(&owner, &filter(&[("actor", "root@ops-1")]), None).await.unwrap().entries[0].id;
    detail::one(&owner, one).await.unwrap();
    let log = Log::from(&owner);
    export::json_lines(&log, &ledger.key).await.unwrap();
    export::csv(&log, &filter(&[("result", "denied")])).await.unwrap();
    verify::verify(&log, &[ledger.key.public()], None).await.unwrap();
    let viewer = ledger.world.member(&ledger.tenant, Role::Viewer).await;
    let refused = Err::<(), _>(Error::Forbidden(Permission::AuditRead));
    assert_eq!(explorer::list(&viewer, &Filter::default(), None).await.map(drop), refused);
    let refused = Error::Forbidden(Permission::AuditExport);
    assert_eq!(export::csv(&Log::from(&viewer), &Filter::default()).await.unwrap_err(), refused);
    let events: Vec<_> = ledger.world.audit(Some(&ledger.tenant)).await;
    let told: Vec<_> = events.iter().skip(1).map(|(action, result, _)| (action.as_str(), result.as_str())).collect();
    assert_eq!(
        told,
        [
            ("audit.read", "success"),
            ("audit.read", "success"),
            ("audit.export", "success"),
            ("audit.export", "success"),
            ("audit.verify", "success"),
            ("permission.refused", "denied"),
            ("permission.refused", "denied"),
        ]
    );
    let rows = ledger.world.rows(&ledger.tenant, "audit_event").await;
    assert!(rows.iter().any(|row| row["after"]["actor"] == "root@ops-1"), "what was looked for is part of the event");
    assert!(rows.iter().any(|row| row["after"]["filter"]["result"] == "denied"));
}

#[tokio::test]
async fn a_csv_runs_no_formula_and_holds_number_and_hash() {
    let ledger = Ledger::new().await;
    let mut tx = ledger.world.as_tenant(&ledger.tenant).await;
    sqlx::query(
        "insert into audit_event (
           tenant_id, id, occurred_at, actor_kind, actor_label, action, resource_kind, resource_id, result, detail, user_agent
         ) values (rtv_tenant(), gen_random_uuid(), '2026-11-21T08:00:00Z', 'user', '=cmd|x', 'thing.do', 'thing', '@one',
           'success', E'+1\n\"two\"', '-Agent')",
    )
    .execute(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    ledger.seal().await;
    let rows = ledger.csv(&filter(&[("action", "thing.do")])).await;
    assert_eq!(rows.len(), 1);
    let row: Vec<&str> = rows[0].iter().collect();
    assert_eq!(row[4], "'=cmd|x");
    assert_eq!(row[7], "'@one");
    assert_eq!(row[9], "'+1\n\"two\"");
    assert_eq!(row[13], "'-Agent");
    assert_eq!((row[0], row[15].len(), row[16].len()), ("1", 64, 64), "{row:?}");
}

#[tokio::test]
async fn an_event_is_shown_with_what_it_changed_and_its_place_in_the_chain() {
    let ledger = Ledger::new().await;
    let owner = ledger.world.member(&ledger.tenant, Role::Owner).await;
    retention::set_retention(&owner, "100", "0").await.unwrap();
    let listing = explorer::list(&owner, &filter(&[("action", "audit.retention.set")]), None).await.unwrap();
    assert_eq!((listing.sealing.sealed, listing.sealing.waiting), (0, 2));
    let id = listing.entries[0].id;
    let waiting = detail::one(&owner, id).await.unwrap();
    assert!(waiting.seal.is_none());
    assert_eq!(waiting.changes.len(), 1);
    let change = &waiting.changes[0];
    assert_eq!(
        (change.field.as_str(), change.before.as_deref(), change.after.as_deref()),
        ("days", Some("365"), Some("100"))
    );
    assert_eq!(waiting.entry.address, Some("203.0.113.9".parse().unwrap()));
    ledger.seal().await;
    let sealed = detail::one(&owner, id).await.unwrap().seal.unwrap();
    assert_eq!(sealed.seq, 2);
    let (head, _, key) = sealed.head.unwrap();
    assert!(head >= 2 && key == ledger.key.public().id());
    assert_eq!(detail::one(&owner, Uuid::now_v7().into()).await, Err(Error::NotFound));
}

#[tokio::test]
async fn looking_at_what_is_sensitive_leaves_an_event_with_the_tenant() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let owner = world.member(&acme, Role::Owner).await;
    let file = "platform,account_id,post_id,published_at\nx,page,p1,2026-11-20T10:00:00Z\nx,page,p2,never\n";
    let report = world.import_text(&owner, file, rtv_domain::import::Options::default()).await.unwrap();
    let said = async || -> Vec<(String, bool)> {
        let log = world.rows(&acme, "audit_event").await;
        log.iter().map(|event| (event["action"].as_str().unwrap().to_owned(), event["actor_kind"] == "staff")).collect()
    };
    let count = async |action: &str, by_staff: bool| {
        said().await.iter().filter(|event| **event == (action.to_owned(), by_staff)).count()
    };
    rtv_domain::api_key::list(&owner).await.unwrap();
    assert_eq!(count("api_key.read", false).await, 1);
    rtv_domain::import::refused_file(&owner, report.id.unwrap()).await.unwrap();
    assert_eq!(count("import.export_refused", false).await, 1);
    rtv_domain::staff::tenant(&world.operator(), "acme").await.unwrap();
    assert_eq!(count("staff.look", true).await, 1);
}
