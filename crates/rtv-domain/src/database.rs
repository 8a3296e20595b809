//! The pool of the serving role. Connections are checked when the pool is opened (the role must own nothing and bypass
//! nothing) and each time one comes back (it must be idle). Transactions begin in `transaction.rs` only.

use core::time::Duration;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use rtv_core::Error;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool, Row as _};

use crate::maintenance::Maintenance;
use crate::ready;

/// A handle on the serving role's pool. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Database {
    pool: PgPool,
    options: PgConnectOptions,
    /// The maintenance that the newest transaction found, and when.
    maintenance: Arc<Mutex<Option<Found>>>,
}

/// What a transaction found.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// When it was begun.
    at: Instant,
    /// The maintenance that there was.
    pub(crate) maintenance: Option<Arc<Maintenance>>,
}

/// Size and patience of the pool.
#[derive(Debug, Clone, Copy)]
pub struct PoolSettings {
    /// Most connections at a time.
    pub connections: u32,
    /// How long a request waits for a connection before it is told that RTV is not available.
    pub patience: Duration,
    /// How many connections stay open without being asked for. Where it is not 0, every connection is made ready first for what
    /// must not wait: see `ready.rs`.
    pub ready: u32,
}

impl Default for PoolSettings {
    fn default() -> Self {
        Self { connections: 16, patience: Duration::from_secs(5), ready: 0 }
    }
}

/// Why a pool was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address is not one of PostgreSQL.
    #[error("the database address cannot be read: {0}; it looks like postgres://user@host/database")]
    Address(sqlx::Error),
    /// No connection.
    #[error("the database does not answer: {0}; start it, or correct the address")]
    Connect(sqlx::Error),
    /// The role could see or change more than it should.
    #[error(
        "the serving role “{role}” {fault}; row security would not hold for it. Point RTV_APP_DATABASE_URL to a role like rtv_app that owns nothing, is no superuser and has no BYPASSRLS"
    )]
    Role {
        /// The role that was tried.
        role: String,
        /// What is wrong with it.
        fault: &'static str,
    },
}

impl Database {
    /// Opens the pool and refuses a role for which row security would not hold.
    pub async fn open(url: &str, settings: PoolSettings) -> Result<Self, OpenError> {
        let options: PgConnectOptions = url.parse().map_err(OpenError::Address)?;
        let options = options.application_name("rtv");
        let pool = pool_options(settings).connect_with(options.clone()).await.map_err(OpenError::Connect)?;
        let database = Self { pool, options, maintenance: Arc::default() };
        database.refuse_powerful_role().await?;
        Ok(database)
    }

    /// The same database through one connection of its own, which nobody else takes. It is made when it is first needed and waited
    /// for no longer than `patience`. The role was looked at when the first pool was opened. Its statements are planned once: it is for
    /// few of them that have one good plan each, again and again.
    #[must_use]
    pub fn apart(&self, patience: Duration) -> Self {
        let options = self.options.clone().options([("plan_cache_mode", "force_generic_plan")]);
        let settings = PoolSettings { connections: 1, patience, ready: 0 };
        let pool = pool_options(settings).connect_lazy_with(options.clone());
        Self { pool, options, maintenance: Arc::default() }
    }

    async fn refuse_powerful_role(&self) -> Result<(), OpenError> {
        let mut connection = self.pool.acquire().await.map_err(OpenError::Connect)?;
        let (role, is_superuser, bypasses, owns): (String, bool, bool, bool) = sqlx::query_as(
            r"
            select rolname::text, rolsuper, rolbypassrls,
              exists (
                select 1 from pg_class
                where relnamespace = 'public'::regnamespace and pg_has_role(current_user, relowner, 'member')
              )
            from pg_roles
            where rolname = current_user
            ",
        )
        .fetch_one(&mut *connection)
        .await
        .map_err(OpenError::Connect)?;
        let fault = match (is_superuser, bypasses, owns) {
            (true, _, _) => "is a superuser",
            (_, true, _) => "has BYPASSRLS",
            (_, _, true) => "owns tables or is a member of their owner",
            (false, false, false) => return Ok(()),
        };
        Err(OpenError::Role { role, fault })
    }

    /// The pool, for `transaction.rs` alone; an architecture test holds that.
    pub(crate) const fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// What a transaction found within the last `recent`; `None` where none has looked.
    pub(crate) fn found(&self, recent: Duration) -> Option<Found> {
        let known = self.maintenance.lock().unwrap_or_else(PoisonError::into_inner);
        known.clone().filter(|found| found.at.elapsed() < recent)
    }

    /// Remembers what a transaction found that was begun at `at`.
    pub(crate) fn remember(&self, at: Instant, maintenance: Option<Arc<Maintenance>>) {
        let mut known = self.maintenance.lock().unwrap_or_else(PoisonError::into_inner);
        // Transactions overlap: what was read from an older beginning does not take the place of a newer one.
        if known.as_ref().is_none_or(|newest| newest.at <= at) {
            *known = Some(Found { at, maintenance });
        }
    }

    /// Has the next one look again, because it was switched.
    pub(crate) fn forget_maintenance(&self) {
        *self.maintenance.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// A connection of its own that is not part of the pool, for listening to notifications.
    pub async fn listener(&self) -> Result<sqlx::postgres::PgListener, Error> {
        // A listener keeps its connection for good; taken from the pool it would starve it.
        let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(self.options.clone());
        sqlx::postgres::PgListener::connect_with(&pool).await.map_err(crate::transaction::failed)
    }

    /// Whether the database answers, and how fast.
    pub async fn ping(&self) -> Result<Duration, Error> {
        let started = std::time::Instant::now();
        let mut connection = self.pool.acquire().await.map_err(crate::transaction::failed)?;
        PgConnection::ping(&mut connection).await.map_err(crate::transaction::failed)?;
        Ok(started.elapsed())
    }

    /// Connections now open and now idle.
    pub fn connections(&self) -> (u32, usize) {
        (self.pool.size(), self.pool.num_idle())
    }

    /// Closes the pool after what runs has ended.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

fn pool_options(settings: PoolSettings) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(settings.connections)
        .min_connections(settings.ready.min(settings.connections))
        .acquire_timeout(settings.patience)
        // A connection that a cancelled request left inside a transaction must not serve another tenant
        // (sqlx up to 0.9.0 can give one back). Outside a transaction now() is the statement's own start. Asked in
        // the simple protocol: in the other one each message counts as a statement's start, and a connection that
        // is asked for the first time would look as if it were inside a transaction.
        .after_release(|connection, _| {
            Box::pin(async move {
                let asked = sqlx::raw_sql("select now() = statement_timestamp()").fetch_one(connection).await;
                Ok(asked.and_then(|row| row.try_get::<bool, _>(0)).unwrap_or(false))
            })
        })
        .after_connect(move |connection, _| {
            Box::pin(async move {
                sqlx::raw_sql("set statement_timeout = '30s'; set idle_in_transaction_session_timeout = '60s'; set timezone = 'UTC'")
                    .execute(&mut *connection)
                    .await?;
                if settings.ready > 0 { ready::make(connection).await } else { Ok(()) }
            })
        })
}
