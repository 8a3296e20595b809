//! The schema: applying migrations as the owner, and telling whether a database is behind or ahead of this program.

use sqlx::migrate::Migrator;
use sqlx::{Connection, PgConnection};

use crate::database::Database;

/// The migrations that this program was built with.
static MIGRATOR: Migrator = sqlx::migrate!("../../migrations");

/// One migration and whether it was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// Its number, `YYYYMMDDHHMMSS`.
    pub version: i64,
    /// What it does.
    pub description: String,
    /// Whether the database has it.
    pub is_applied: bool,
    /// Whether this program has it.
    pub is_known: bool,
}

/// Why a schema was not brought up or not accepted.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// No connection as the owner.
    #[error("the database does not answer as its owner: {0}; check DATABASE_URL")]
    Connect(sqlx::Error),
    /// The owner could see past row security, or its faults would stay hidden.
    #[error(
        "“{0}” is a superuser or has BYPASSRLS; row security faults would stay hidden. Migrate as an ordinary owner such as rtv_owner"
    )]
    PowerfulOwner(String),
    /// The serving role does not exist.
    #[error("the role rtv_app does not exist in this database; create it first: create role rtv_app login")]
    NoServingRole,
    /// A migration failed; it was rolled back.
    #[error("a migration failed and was rolled back: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The database lacks migrations.
    #[error("the database is behind this program by {0} migrations; run: rtv db up")]
    Behind(usize),
    /// The database has migrations that this program does not know.
    #[error(
        "the database is ahead of this program by {0} migrations; run the newer program, or restore a backup made with this one"
    )]
    Ahead(usize),
    /// The table of migrations cannot be read.
    #[error("the table of migrations cannot be read: {0}; if the database is new, run: rtv db up")]
    Unreadable(sqlx::Error),
}

/// Applies what is missing, as the owner. Returns the versions that were applied.
pub async fn up(owner_url: &str) -> Result<Vec<i64>, SchemaError> {
    let mut owner = PgConnection::connect(owner_url).await.map_err(SchemaError::Connect)?;
    let (role, is_powerful): (String, bool) =
        sqlx::query_as("select rolname::text, rolsuper or rolbypassrls from pg_roles where rolname = current_user")
            .fetch_one(&mut owner)
            .await
            .map_err(SchemaError::Connect)?;
    if is_powerful {
        return Err(SchemaError::PowerfulOwner(role));
    }
    let has_app: bool = sqlx::query_scalar("select exists (select 1 from pg_roles where rolname = 'rtv_app')")
        .fetch_one(&mut owner)
        .await
        .map_err(SchemaError::Connect)?;
    if !has_app {
        return Err(SchemaError::NoServingRole);
    }
    let before = applied(&mut owner).await.unwrap_or_default();
    MIGRATOR.run(&mut owner).await?;
    let after = applied(&mut owner).await.map_err(SchemaError::Unreadable)?;
    owner.close().await.map_err(SchemaError::Connect)?;
    Ok(after.into_iter().filter(|version| !before.contains(version)).collect())
}

/// Every migration that the program or the database knows, in order.
pub async fn status(owner_url: &str) -> Result<Vec<Migration>, SchemaError> {
    let mut owner = PgConnection::connect(owner_url).await.map_err(SchemaError::Connect)?;
    let applied = applied(&mut owner).await.unwrap_or_default();
    let mut all: Vec<Migration> = MIGRATOR
        .iter()
        .map(|migration| Migration {
            version: migration.version,
            description: migration.description.to_string(),
            is_applied: applied.contains(&migration.version),
            is_known: true,
        })
        .collect();
    let unknown: Vec<i64> =
        applied.into_iter().filter(|version| all.iter().all(|known| known.version != *version)).collect();
    all.extend(unknown.into_iter().map(|version| Migration {
        version,
        description: "not known to this program".into(),
        is_applied: true,
        is_known: false,
    }));
    all.sort_by_key(|migration| migration.version);
    Ok(all)
}

/// Refuses a database that is behind or ahead. Asked with the serving role before anything is served.
pub async fn refuse_other_version(database: &Database) -> Result<(), SchemaError> {
    let applied: Vec<i64> = sqlx::query_scalar("select version from _sqlx_migrations where success order by version")
        .fetch_all(database.pool())
        .await
        .map_err(SchemaError::Unreadable)?;
    let known: Vec<i64> = MIGRATOR.iter().map(|migration| migration.version).collect();
    let behind = known.iter().filter(|version| !applied.contains(version)).count();
    let ahead = applied.iter().filter(|version| !known.contains(version)).count();
    match (behind, ahead) {
        (0, 0) => Ok(()),
        (0, ahead) => Err(SchemaError::Ahead(ahead)),
        (behind, _) => Err(SchemaError::Behind(behind)),
    }
}

async fn applied(connection: &mut PgConnection) -> Result<Vec<i64>, sqlx::Error> {
    sqlx::query_scalar("select version from _sqlx_migrations where success order by version")
        .fetch_all(connection)
        .await
}
