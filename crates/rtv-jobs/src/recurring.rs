//! Jobs that come back at a fixed period, counted from the Unix epoch in UTC. Every worker tries to add the next
//! occurrence; the occurrence's id is made from the job and its time, so there is one row of each however many try.
//! Schedules of tenants, with their time zones, are rows of the domain and not here.

use core::time::Duration;
use std::time::Instant;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::Job;
use crate::queue::{self, Error, Occurrence};

/// Key of an occurrence whose job names none: at most one occurrence waits or runs at a time.
const KEY: &str = "recurring";

#[derive(Debug)]
pub(crate) struct Recurring {
    kind: &'static str,
    payload: serde_json::Value,
    tenant_id: Option<Uuid>,
    priority: i16,
    max_attempts: i32,
    unique_key: String,
    every: chrono::TimeDelta,
    /// When to look again; the next occurrence's row is known to be there until then.
    look_at: Instant,
}

impl Recurring {
    /// # Panics
    /// If the period is shorter than a second or the job does not serialise: both are mistakes in the program's text.
    pub(crate) fn new<J: Job>(job: &J, every: Duration) -> Self {
        assert!(every >= Duration::from_secs(1), "a recurring job's period is at least a second");
        Self {
            kind: J::KIND,
            payload: serde_json::to_value(job).expect("a recurring job's payload can be written as JSON"),
            tenant_id: job.tenant(),
            priority: J::PRIORITY,
            max_attempts: i32::from(J::MAX_ATTEMPTS),
            unique_key: job.unique_key().unwrap_or_else(|| KEY.into()),
            every: chrono::TimeDelta::from_std(every).expect("a recurring job's period is shorter than ages"),
            look_at: Instant::now(),
        }
    }

    pub(crate) fn is_due(&self) -> bool {
        self.look_at <= Instant::now()
    }

    /// Sees to it that the next occurrence has its row. If an earlier one is unfinished, the row waits for that one;
    /// then this is asked again after `pause`.
    pub(crate) async fn ensure(&mut self, connection: &mut PgConnection, pause: Duration) -> Result<(), Error> {
        let now = queue::now(connection).await?;
        let run_at = self.next_after(now);
        let is_there = queue::add_occurrence(
            connection,
            &Occurrence {
                id: self.occurrence_id(run_at),
                kind: self.kind,
                payload: &self.payload,
                tenant_id: self.tenant_id,
                priority: self.priority,
                run_at,
                max_attempts: self.max_attempts,
                unique_key: &self.unique_key,
            },
        )
        .await?;
        let wait = if is_there { (run_at - now).to_std().unwrap_or(pause) } else { pause };
        self.look_at = Instant::now() + wait;
        Ok(())
    }

    fn next_after(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let every = self.every.num_milliseconds();
        let next = (now.timestamp_millis().div_euclid(every) + 1) * every;
        DateTime::from_timestamp_millis(next).unwrap_or(now + self.every)
    }

    /// A `UUIDv7` of the occurrence's time whose other bits are a hash of the job. The hash is spelled out because it
    /// must be the same in every release: workers of two releases run side by side during an upgrade.
    fn occurrence_id(&self, run_at: DateTime<Utc>) -> Uuid {
        let mut hash = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128; // FNV-1a, 128 bits
        let tenant = self.tenant_id.unwrap_or_default();
        for byte in [self.kind.as_bytes(), b"\0", tenant.as_bytes(), self.unique_key.as_bytes()].concat() {
            hash = (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
        let [bytes @ .., _, _, _, _, _, _] = hash.to_be_bytes();
        let millis = u64::try_from(run_at.timestamp_millis()).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Sweep;

    impl Job for Sweep {
        const KIND: &'static str = "sweep";

        fn tenant(&self) -> Option<Uuid> {
            None
        }
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn occurrences_lie_on_whole_periods_after_now() {
        let hourly = Recurring::new(&Sweep, Duration::from_hours(1));
        for (now, expect) in [
            ("2026-11-21T03:59:59.999Z", "2026-11-21T04:00:00Z"),
            ("2026-11-21T04:00:00Z", "2026-11-21T05:00:00Z"),
            ("2026-12-31T23:30:00Z", "2027-01-01T00:00:00Z"),
        ] {
            assert_eq!(hourly.next_after(at(now)), at(expect), "{now}");
        }
    }

    #[test]
    fn an_occurrence_has_one_id_that_is_a_uuid_of_its_time() {
        let hourly = Recurring::new(&Sweep, Duration::from_hours(1));
        let id = hourly.occurrence_id(at("2026-11-21T04:00:00Z"));
        // Fixed for good: a release that made another id would run the occurrence twice.
        assert_eq!(id.to_string(), "01a1fc42-d200-727d-aec4-4aa573aabc71");
        assert_eq!(id.get_version_num(), 7);
        assert_ne!(id, hourly.occurrence_id(at("2026-11-21T05:00:00Z")));
    }
}
