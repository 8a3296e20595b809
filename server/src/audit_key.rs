//! The private key of the audit log, in a file that whatever signs reads.

use std::path::Path;

use anyhow::anyhow;
use rtv_domain::audit::AuditKey;

use crate::key_file::Kind;

const KIND: Kind = Kind {
    name: "the key of the audit log",
    where_missing: "it is made when rtv serve or rtv work starts for the first time. Where it lies elsewhere, name it with RTV_AUDIT_KEY_FILE",
    danger: "whoever has it can write a log that looks real",
};

/// The key, which is made where there is none.
pub fn load_or_create(path: &Path) -> anyhow::Result<AuditKey> {
    let text = KIND.load_or_create(path, || AuditKey::generate().to_secret())?;
    AuditKey::parse(&text).map_err(|message| anyhow!("{}: {message}", path.display()))
}

/// The key that is there.
pub fn load(path: &Path) -> anyhow::Result<AuditKey> {
    // The message says what a key looks like, and never what is in the file.
    AuditKey::parse(&KIND.load(path)?).map_err(|message| anyhow!("{}: {message}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_key_is_refused_and_not_shown() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("audit.key");
        let made = load_or_create(&path).unwrap().public();
        assert_eq!(load(&path).unwrap().public(), made);
        std::fs::write(&path, "hush hush").unwrap();
        let refused = format!("{:#}", load_or_create(&path).err().unwrap());
        assert!(refused.contains("64 hexadecimal digits") && !refused.contains("hush"), "{refused}");
    }
}
