//! A file in RTV's own form, to see what one looks like.

use rtv_core::{Error, Permission};

use crate::context::TenantContext;
use crate::transaction::Resource;

const SAMPLE: &str = include_str!("sample.csv");

/// The sample, for who may import.
pub async fn sample(ctx: &TenantContext) -> Result<&'static str, Error> {
    ctx.begin_to_read(&[Permission::ImportsManage], Resource::Imports).await?.rollback().await?;
    Ok(SAMPLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_read_without_a_refusal() {
        let mut reader = rtv_import::open(SAMPLE.as_bytes(), rtv_import::OpenOptions::default()).unwrap();
        let rows: Vec<_> = reader.by_ref().map(Result::unwrap).collect();
        assert_eq!(rows.len(), 4);
        assert!(rows.iter().all(|row| matches!(row, rtv_import::Row::Post(_))), "{rows:?}");
        assert_eq!(reader.mapping().name, "rtv-posts");
        assert!(reader.unmapped_columns().is_empty());
    }
}
