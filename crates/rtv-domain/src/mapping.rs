//! Mappings that people of a tenant saved by name: how columns are to be read, as the form was filled in, to be chosen
//! again for the next file of its kind.

use chrono::{DateTime, Utc};
use rtv_core::{Error, Permission};
use rtv_import::{Draft, Mapping};
use serde_json::{Value, json};

use crate::access::stored;
use crate::audit::Event;
use crate::context::TenantContext;
use crate::transaction::{Resource, Tx, failed, violated};

/// Longest name.
const NAME_CHARACTERS: usize = 80;

/// A mapping that was saved by name.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedMapping {
    /// What it is called.
    pub name: String,
    /// The form.
    pub draft: Draft,
    /// Who saved it last.
    pub actor: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was saved last.
    pub updated_at: DateTime<Utc>,
    /// How many checks were begun with it.
    pub used: i64,
}

struct MappingRow {
    name: String,
    draft: Value,
    actor_label: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    used: i64,
}

impl MappingRow {
    fn into_mapping(self) -> Result<SavedMapping, Error> {
        Ok(SavedMapping {
            name: self.name,
            draft: stored(serde_json::from_value(self.draft))?,
            actor: self.actor_label,
            created_at: self.created_at,
            updated_at: self.updated_at,
            used: self.used,
        })
    }
}

/// All of the tenant's, by name.
pub async fn list(ctx: &TenantContext) -> Result<Vec<SavedMapping>, Error> {
    let mut tx = ctx.begin_to_read(&[Permission::ImportsManage], Resource::Mappings).await?;
    let mappings = list_in(&mut tx).await?;
    tx.rollback().await?;
    Ok(mappings)
}

pub(crate) async fn list_in(tx: &mut Tx) -> Result<Vec<SavedMapping>, Error> {
    let rows = sqlx::query_as!(
        MappingRow,
        "select name, draft, actor_label, created_at, updated_at, used from saved_mapping order by name"
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    rows.into_iter().map(MappingRow::into_mapping).collect()
}

/// One by its name.
pub async fn find(ctx: &TenantContext, name: &str) -> Result<SavedMapping, Error> {
    let mut tx = ctx.begin_to_read(&[Permission::ImportsManage], Resource::Mappings).await?;
    let found = find_in(&mut tx, name).await?;
    tx.rollback().await?;
    found.ok_or(Error::NotFound)
}

pub(crate) async fn find_in(tx: &mut Tx, name: &str) -> Result<Option<SavedMapping>, Error> {
    let row = sqlx::query_as!(
        MappingRow,
        "select name, draft, actor_label, created_at, updated_at, used from saved_mapping where name = $1",
        name
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?;
    row.map(MappingRow::into_mapping).transpose()
}

/// Counts that a check was begun with it.
pub(crate) async fn count_use(tx: &mut Tx, name: &str) -> Result<(), Error> {
    sqlx::query!("update saved_mapping set used = used + 1 where name = $1", name)
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    Ok(())
}

/// Saves a form under a name. One that is taken is refused, unless it is to be replaced.
pub async fn save(ctx: &TenantContext, name: &str, draft: &Draft, replace: bool) -> Result<(), Error> {
    let mut tx = ctx.begin(Permission::ImportsManage, Resource::Mappings).await?;
    save_in(&mut tx, ctx, name, draft, replace).await?;
    tx.commit().await
}

pub(crate) async fn save_in(
    tx: &mut Tx,
    ctx: &TenantContext,
    name: &str,
    draft: &Draft,
    replace: bool,
) -> Result<(), Error> {
    let name = accepted_name(name)?;
    let before = find_in(tx, &name).await?;
    if before.is_some() && !replace {
        return Err(taken(&name));
    }
    sqlx::query!(
        r#"
        insert into saved_mapping (tenant_id, name, draft, actor_label, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $5)
        on conflict (tenant_id, name) do update
        set draft = excluded.draft, actor_label = excluded.actor_label, updated_at = excluded.updated_at
        "#,
        ctx.tenant().id.uuid(),
        name,
        json!(draft),
        ctx.context().actor().label(),
        ctx.now(),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    let mut event = Event::new("mapping.save", "mapping", name.clone()).after(json!(draft));
    if let Some(before) = before {
        event = event.before(json!(before.draft));
    }
    tx.audit(event).await
}

/// Gives it another name.
pub async fn rename(ctx: &TenantContext, name: &str, to: &str) -> Result<(), Error> {
    let mut tx = ctx.begin(Permission::ImportsManage, Resource::Mappings).await?;
    let to = accepted_name(to)?;
    let renamed =
        sqlx::query!("update saved_mapping set name = $2, updated_at = $3 where name = $1", name, to, ctx.now())
            .execute(tx.connection())
            .await
            .map_err(|error| match violated(&error) {
                Some("saved_mapping_key") => taken(&to),
                _ => failed(error),
            })?
            .rows_affected();
    if renamed == 0 {
        return Err(Error::NotFound);
    }
    let event =
        Event::new("mapping.rename", "mapping", name).before(json!({ "name": name })).after(json!({ "name": to }));
    tx.audit(event).await?;
    tx.commit().await
}

/// Removes it. Imports that were read with it keep what they need.
pub async fn delete(ctx: &TenantContext, name: &str) -> Result<(), Error> {
    let mut tx = ctx.begin(Permission::ImportsManage, Resource::Mappings).await?;
    let draft = sqlx::query_scalar!("delete from saved_mapping where name = $1 returning draft", name)
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?
        .ok_or(Error::NotFound)?;
    tx.audit(Event::new("mapping.delete", "mapping", name).before(draft)).await?;
    tx.commit().await
}

fn accepted_name(given: &str) -> Result<String, Error> {
    let name = given.trim();
    if name.is_empty() || name.chars().any(char::is_control) || name.chars().count() > NAME_CHARACTERS {
        return Err(Error::invalid("name", format!("use one line of 1 to {NAME_CHARACTERS} characters")));
    }
    if Mapping::builtin(name).is_some() {
        return Err(Error::invalid("name", format!("“{name}” is the name of a built-in mapping; choose another one")));
    }
    Ok(name.to_owned())
}

fn taken(name: &str) -> Error {
    Error::invalid("name", format!("there is a mapping “{name}” already; choose another name, or replace it"))
}
