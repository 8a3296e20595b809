//! A tenant's picture beside its name. What it is is found in its bytes, never believed from its name or from what the browser
//! says, and only kinds that cannot carry a script are taken.

use rtv_core::{Error, Permission};
use serde_json::{Map, json};
use sha2::{Digest as _, Sha256};

use crate::context::TenantContext;
use crate::limit;
use crate::settings;
use crate::transaction::{Resource, failed};

/// The most bytes of a picture.
pub const MOST_BYTES: usize = 256 * 1_024;
/// The most pixels of a side; it is drawn a few dozen wide.
const MOST_PIXELS: u32 = 4_096;

/// A stored picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logo {
    /// Its media type.
    pub kind: &'static str,
    /// Its bytes.
    pub content: Vec<u8>,
}

/// The picture, for every member; [`Error::NotFound`] where there is none.
pub async fn read(ctx: &TenantContext) -> Result<Logo, Error> {
    // Whatever somebody holds in a tenant, its pages show its picture.
    let mut tx = ctx.begin_to_read(Permission::ALL, Resource::Tenant).await?;
    let row = sqlx::query!("select kind, content from tenant_logo where tenant_id = $1", ctx.tenant().id.uuid())
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?
        .ok_or(Error::NotFound)?;
    tx.rollback().await?;
    let kind = [PNG, JPEG].into_iter().find(|kind| *kind == row.kind).ok_or(Error::Internal)?;
    Ok(Logo { kind, content: row.content })
}

/// Takes a picture in place of the one that there may be.
pub async fn set(ctx: &TenantContext, content: &[u8], version: &str) -> Result<(), Error> {
    let mut tx = ctx.begin(Permission::SettingsUpdate, Resource::Tenant).await?;
    let kind = judge(content).map_err(|message| Error::invalid("logo", message))?;
    let now = settings::hold(&mut tx, ctx, version).await?;
    let hash = Sha256::digest(content);
    let shown = hex::encode(&hash[..8]);
    if now.tenant.logo.as_deref() == Some(shown.as_str()) {
        return tx.rollback().await;
    }
    let tenant = ctx.tenant().id;
    limit::lock(&mut tx, tenant, rtv_core::Limit::StorageGb).await?;
    limit::refuse_storage(&mut tx, tenant, i64::try_from(content.len()).unwrap_or(i64::MAX)).await?;
    sqlx::query!(
        r#"
        insert into tenant_logo (tenant_id, kind, content, sha256)
        values ($1, $2, $3, $4)
        on conflict on constraint tenant_logo_key
        do update set kind = excluded.kind, content = excluded.content, sha256 = excluded.sha256
        "#,
        tenant.uuid(),
        kind,
        content,
        &hash[..],
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    let after = Map::from_iter([
        ("logo".to_owned(), json!(hex::encode(hash))),
        ("logo_kind".to_owned(), json!(kind)),
        ("logo_bytes".to_owned(), json!(content.len())),
    ]);
    finish(ctx, tx, now.tenant.logo.as_deref(), Some(&shown), after).await
}

/// Takes the picture away.
pub async fn remove(ctx: &TenantContext, version: &str) -> Result<(), Error> {
    let mut tx = ctx.begin(Permission::SettingsUpdate, Resource::Tenant).await?;
    let now = settings::hold(&mut tx, ctx, version).await?;
    if now.tenant.logo.is_none() {
        return tx.rollback().await;
    }
    sqlx::query!("delete from tenant_logo where tenant_id = $1", ctx.tenant().id.uuid())
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    let after = Map::from_iter([("logo".to_owned(), json!(null))]);
    finish(ctx, tx, now.tenant.logo.as_deref(), None, after).await
}

async fn finish(
    ctx: &TenantContext,
    mut tx: crate::transaction::Tx,
    was: Option<&str>,
    is: Option<&str>,
    after: Map<String, serde_json::Value>,
) -> Result<(), Error> {
    sqlx::query!("update tenant set logo_version = $2 where id = $1", ctx.tenant().id.uuid(), is)
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    let before = Map::from_iter([("logo".to_owned(), json!(was))]);
    settings::finish(&mut tx, ctx, "settings.logo", before, after).await?;
    tx.commit().await
}

const PNG: &str = "image/png";
const JPEG: &str = "image/jpeg";

/// What a picture is, by its bytes; why it is not taken otherwise.
fn judge(content: &[u8]) -> Result<&'static str, String> {
    if content.is_empty() {
        return Err("choose a file first".into());
    }
    if content.len() > MOST_BYTES {
        return Err(format!("the file is larger than {} KB; make it smaller", MOST_BYTES / 1_024));
    }
    let (kind, sides) = match content {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => (PNG, png(content)),
        [0xff, 0xd8, 0xff, ..] => (JPEG, jpeg(content)),
        _ => return Err("the file is neither PNG nor JPEG; use one of these".into()),
    };
    match sides {
        Some((width, height)) if (1..=MOST_PIXELS).contains(&width) && (1..=MOST_PIXELS).contains(&height) => Ok(kind),
        Some((width, height)) => {
            Err(format!("the picture is {width} × {height} pixels; use at most {MOST_PIXELS} on a side"))
        }
        None => Err("the file is damaged or cut off; save the picture again".into()),
    }
}

/// Width and height of a whole PNG.
fn png(content: &[u8]) -> Option<(u32, u32)> {
    let header = content.get(12..24)?;
    let number = |at: usize| header.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes);
    let is_whole = content.ends_with(b"IEND\xae\x42\x60\x82");
    (is_whole && header.starts_with(b"IHDR")).then_some(())?;
    Some((number(4)?, number(8)?))
}

/// Width and height of a whole JPEG, from the segment that begins its frame.
fn jpeg(content: &[u8]) -> Option<(u32, u32)> {
    content.ends_with(&[0xff, 0xd9]).then_some(())?;
    let mut at = 2;
    loop {
        let [0xff, marker, high, low] = *content.get(at..at + 4)?.first_chunk()? else { return None };
        let length = usize::from(u16::from_be_bytes([high, low]));
        // Every beginning of a frame, but for the three markers of that range that are something else.
        if matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc) {
            let side = |from: usize| content.get(from..from + 2)?.try_into().ok().map(u16::from_be_bytes);
            return Some((side(at + 7)?.into(), side(at + 5)?.into()));
        }
        (length >= 2).then_some(())?;
        at += 2 + length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_png(width: u32, height: u32) -> Vec<u8> {
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        png.extend(width.to_be_bytes());
        png.extend(height.to_be_bytes());
        png.extend(b"\x08\x06\0\0\0....\0\0\0\0IEND\xae\x42\x60\x82");
        png
    }

    fn a_jpeg(width: u16, height: u16) -> Vec<u8> {
        let mut jpeg = vec![0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 1, 0xff, 0xc0, 0, 11, 8];
        jpeg.extend(height.to_be_bytes());
        jpeg.extend(width.to_be_bytes());
        jpeg.extend([1, 1, 0x11, 0, 0xff, 0xd9]);
        jpeg
    }

    #[test]
    fn a_picture_is_known_by_its_bytes() {
        assert_eq!(judge(&a_png(64, 32)), Ok(PNG));
        assert_eq!(judge(&a_jpeg(64, 32)), Ok(JPEG));
        assert_eq!(jpeg(&a_jpeg(640, 320)), Some((640, 320)));
        let check = |content: &[u8], expect: &str| {
            let refused = judge(content).unwrap_err();
            assert!(refused.contains(expect), "{refused}");
        };
        check(b"", "choose a file");
        check(b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "neither PNG nor JPEG");
        check(b"GIF89a", "neither PNG nor JPEG");
        check(&a_png(64, 32)[..20], "damaged or cut off");
        check(&a_png(64, 32)[..40], "damaged or cut off");
        check(&a_jpeg(64, 32)[..20], "damaged or cut off");
        check(&[0xff, 0xd8, 0xff, 0xe0, 0, 0, 0xff, 0xd9], "damaged or cut off");
        check(&a_png(0, 32), "0 × 32 pixels");
        check(&a_jpeg(5_000, 32), "5000 × 32 pixels");
        check(&[a_png(64, 32), vec![0; MOST_BYTES]].concat(), "larger than 256 KB");
    }
}
