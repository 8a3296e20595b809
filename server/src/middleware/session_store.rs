//! tower-sessions' store on PostgreSQL. It keeps the session's data; whom a session belongs to is written by the domain
//! alone, in the transaction of the sign-in. Only the hash of a token is stored.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rtv_domain::session::{self, SessionHash};
use rtv_domain::{Actor, Clock, Context, Database, RequestInfo};
use tower_sessions::SessionStore;
use tower_sessions::cookie::time::OffsetDateTime;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result};

/// The store.
#[derive(Clone)]
pub struct Store {
    context: Context,
}

impl core::fmt::Debug for Store {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Store")
    }
}

/// Hash under which a token's session is stored.
pub fn hash(id: Id) -> SessionHash {
    SessionHash::of(&id.0.to_be_bytes())
}

impl Store {
    /// A store on the serving role's pool.
    pub fn new(database: Database, clock: Clock) -> Self {
        Self { context: Context::new(database, clock, RequestInfo::default(), Actor::Anonymous) }
    }
}

#[async_trait]
impl SessionStore for Store {
    async fn create(&self, record: &mut Record) -> Result<()> {
        loop {
            let data = encode(record)?;
            if session::create(&self.context, hash(record.id), data, instant(record.expiry_date))
                .await
                .map_err(backend)?
            {
                return Ok(());
            }
            // 128 random bits met a stored session: practically never, but never somebody else's session.
            record.id = Id::default();
        }
    }

    async fn save(&self, record: &Record) -> Result<()> {
        session::save(&self.context, hash(record.id), encode(record)?, instant(record.expiry_date))
            .await
            .map_err(backend)
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let Some((data, expires_at)) = session::load(&self.context, hash(*id)).await.map_err(backend)? else {
            return Ok(None);
        };
        Ok(Some(Record {
            id: *id,
            data: serde_json::from_value(data).map_err(|error| Error::Decode(error.to_string()))?,
            expiry_date: OffsetDateTime::from_unix_timestamp(expires_at.timestamp())
                .map_err(|error| Error::Decode(error.to_string()))?,
        }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        session::delete(&self.context, hash(*id)).await.map_err(backend)
    }
}

fn encode(record: &Record) -> Result<serde_json::Value> {
    serde_json::to_value(&record.data).map_err(|error| Error::Encode(error.to_string()))
}

fn instant(at: OffsetDateTime) -> DateTime<Utc> {
    DateTime::from_timestamp(at.unix_timestamp(), 0).unwrap_or_default()
}

fn backend(error: rtv_core::Error) -> Error {
    Error::Backend(error.to_string())
}
