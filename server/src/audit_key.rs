//! The file with the private key of the audit log: made at the first start, readable by its owner alone, and read by
//! whatever signs. Its content is never printed.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use rtv_domain::audit::AuditKey;
use secrecy::{ExposeSecret as _, SecretString};

/// The key, which is made where there is none. Of several programs that start at once for the first time one makes it.
pub fn load_or_create(path: &Path) -> anyhow::Result<AuditKey> {
    if !path.exists() {
        create(path).with_context(|| format!("the key of the audit log cannot be written to {}", path.display()))?;
    }
    load(path)
}

/// The key that is there.
pub fn load(path: &Path) -> anyhow::Result<AuditKey> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => bail!(
            "there is no key of the audit log at {}; it is made when rtv serve or rtv work starts for the first time. Where it lies elsewhere, name it with RTV_AUDIT_KEY_FILE",
            path.display()
        ),
        opened => opened.with_context(|| format!("the key of the audit log at {} cannot be read", path.display()))?,
    };
    let mode = file.metadata()?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        bail!(
            "the key of the audit log can be read by others (mode {mode:o}): whoever has it can write a log that looks real. Run: chmod 600 {}",
            path.display()
        );
    }
    let mut text = String::new();
    file.read_to_string(&mut text)
        .with_context(|| format!("the key of the audit log at {} cannot be read", path.display()))?;
    // The message says what a key looks like, and never what is in the file.
    AuditKey::parse(&SecretString::from(text)).map_err(|message| anyhow!("{}: {message}", path.display()))
}

/// Written beside and then given its name, which fails where there is one: nobody reads half a key or loses one.
fn create(path: &Path) -> std::io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let draft = path.with_extension(format!("draft-{}", uuid::Uuid::now_v7().simple()));
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).and_then(|mut file| {
        file.write_all(AuditKey::generate().to_secret().expose_secret().as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()
    });
    let named = made.and_then(|()| std::fs::hard_link(&draft, path));
    let removed = std::fs::remove_file(&draft);
    match named {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
        Ok(()) => {
            tracing::info!(file = %path.display(), "a key for the audit log was made; keep a copy of it in a safe place");
            removed
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_made_once_for_its_owner_alone() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("new/audit.key");
        assert!(load(&path).err().unwrap().to_string().contains("first time"));
        let keys: Vec<_> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..8).map(|_| scope.spawn(|| load_or_create(&path).unwrap().public())).collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]), "all programs have one key");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no draft is left");
    }

    #[test]
    fn a_key_that_others_can_read_or_that_is_none_is_refused_and_not_shown() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("audit.key");
        load_or_create(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(load(&path).err().unwrap().to_string().contains("chmod 600"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&path, "hush hush").unwrap();
        let refused = format!("{:#}", load_or_create(&path).err().unwrap());
        assert!(refused.contains("64 hexadecimal digits") && !refused.contains("hush"), "{refused}");
    }
}
