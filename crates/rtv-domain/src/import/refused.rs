//! Refused rows as a file to mend: under the file's own header, with the reason in front of each, written piece by piece
//! however many they are.

use rtv_core::{Error, ImportId, Permission};
use rtv_import::{Delimiter, Refusal};
use serde_json::json;

use crate::access::stored;
use crate::audit::Event;
use crate::context::TenantContext;
use crate::transaction::{Resource, failed};

/// Refused rows that are read at a time.
const REFUSALS: i64 = 500;

/// Refused rows after a row of the file, in its order, at most so many.
pub async fn refusals(ctx: &TenantContext, id: ImportId, after_row: i64, limit: i64) -> Result<Vec<Refusal>, Error> {
    let mut tx = ctx.begin_to_read(&[Permission::ImportsManage], Resource::Import(id)).await?;
    let rows = sqlx::query!(
        r#"
        select row_number, field, reason, raw
        from import_refusal
        where import_id = $1 and row_number > $2
        order by row_number
        limit $3
        "#,
        id.uuid(),
        after_row,
        limit,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    Ok(rows
        .into_iter()
        .map(|row| Refusal {
            row_number: u64::try_from(row.row_number).unwrap_or_default(),
            column: row.field,
            reason: row.reason,
            raw: row.raw,
        })
        .collect())
}

/// All refused rows of an import as a file to mend, piece by piece.
#[derive(Debug)]
pub struct RefusedFile {
    ctx: TenantContext,
    id: ImportId,
    name: String,
    header: Option<(Vec<String>, Delimiter)>,
    after_row: Option<i64>,
}

/// Opens the file of refused rows, which the audit log says, because data leaves with it. Mended, it can be imported with the same mapping; of an import that was made before
/// headers were kept, it has each row's text in one column.
pub async fn refused_file(ctx: &TenantContext, id: ImportId) -> Result<RefusedFile, Error> {
    let mut tx = ctx.begin_to_read(&[Permission::ImportsManage], Resource::Import(id)).await?;
    let row = sqlx::query!("select file_name, header, delimiter from import where id = $1", id.uuid())
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?
        .ok_or(Error::NotFound)?;
    let event = Event::new("import.export_refused", "import", id.to_string());
    tx.audit(event.after(json!({ "file": row.file_name }))).await?;
    tx.commit().await?;
    let header = match (row.header, row.delimiter) {
        (Some(header), Some(delimiter)) => {
            Some((stored(serde_json::from_value(header))?, stored(delimiter.parse::<Delimiter>())?))
        }
        _ => None,
    };
    let stem = row.file_name.rsplit_once('.').map_or(row.file_name.as_str(), |(stem, _)| stem);
    Ok(RefusedFile { ctx: ctx.clone(), id, name: format!("{stem}-refused.csv"), header, after_row: Some(0) })
}

impl RefusedFile {
    /// What to call it.
    pub fn file_name(&self) -> &str {
        &self.name
    }

    /// The next piece, or `None` after the last.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let Some(after_row) = self.after_row else { return Ok(None) };
        let rows = refusals(&self.ctx, self.id, after_row, REFUSALS).await?;
        let is_first = after_row == 0;
        self.after_row = match rows.last() {
            Some(last) if rows.len() == usize::try_from(REFUSALS).unwrap_or(usize::MAX) => {
                Some(i64::try_from(last.row_number).unwrap_or(i64::MAX))
            }
            _ => None,
        };
        if rows.is_empty() && !is_first {
            return Ok(None);
        }
        let header = self.header.as_ref().map(|(header, delimiter)| (header.as_slice(), *delimiter));
        Ok(Some(piece(header, &rows, is_first)))
    }
}

/// A piece of a file of refused rows. Each is written with a header of its own; only the first keeps it.
pub(super) fn piece(header: Option<(&[String], Delimiter)>, rows: &[Refusal], is_first: bool) -> Vec<u8> {
    let mut piece = Vec::new();
    match header {
        Some((header, delimiter)) => rtv_import::write_refused_rows(&mut piece, header, delimiter, rows),
        None => rtv_import::write_refusals(&mut piece, rows),
    }
    .expect("writing to memory cannot fail");
    let start = if is_first { 0 } else { end_of_first_record(&piece) };
    piece.split_off(start)
}

/// Where the second record begins: after the first line end outside quotes.
fn end_of_first_record(text: &[u8]) -> usize {
    let mut is_quoted = false;
    for (place, byte) in text.iter().enumerate() {
        match byte {
            b'"' => is_quoted = !is_quoted,
            b'\n' if !is_quoted => return place + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_record_ends_outside_its_quotes() {
        assert_eq!(end_of_first_record(b"a,b\n1,2\n"), 4);
        assert_eq!(end_of_first_record(b"\"a\nb\",c\n1,2\n"), 8);
        assert_eq!(end_of_first_record(b"a"), 1);
    }
}
