//! Files with a secret key of the installation: made at the first start, readable by their owner alone. What is in them is
//! never printed.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use secrecy::{ExposeSecret as _, SecretString};

/// A kind of key: what messages call it, and what they say about it.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// With its article: “the master key”.
    pub name: &'static str,
    /// What to do where there is none.
    pub where_missing: &'static str,
    /// What somebody can do who reads it.
    pub danger: &'static str,
}

impl Kind {
    /// The key, which is made where there is none. Of several programs that start at once for the first time one makes it.
    pub fn load_or_create(&self, path: &Path, generate: impl FnOnce() -> SecretString) -> anyhow::Result<SecretString> {
        if !path.exists() {
            create(path, &generate())
                .with_context(|| format!("{} cannot be written to {}", self.name, path.display()))?;
            tracing::info!(file = %path.display(), "{} was made; keep a copy of it in a safe place", self.name);
        }
        self.load(path)
    }

    /// The key that is there.
    pub fn load(&self, path: &Path) -> anyhow::Result<SecretString> {
        let unreadable = || format!("{} at {} cannot be read", self.name, path.display());
        let mut file = match File::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                bail!("{} is not at {}: {}", self.name, path.display(), self.where_missing)
            }
            opened => opened.with_context(unreadable)?,
        };
        let mode = file.metadata()?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            bail!(
                "{} can be read by others (mode {mode:o}): {}. Run: chmod 600 {}",
                self.name,
                self.danger,
                path.display()
            );
        }
        let mut text = String::new();
        file.read_to_string(&mut text).with_context(unreadable)?;
        Ok(SecretString::from(text))
    }
}

/// Written beside and then given its name, which fails where there is one: nobody reads half a key or loses one.
fn create(path: &Path, key: &SecretString) -> std::io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let draft = path.with_extension(format!("draft-{}", uuid::Uuid::now_v7().simple()));
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).and_then(|mut file| {
        file.write_all(key.expose_secret().as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()
    });
    let named = made.and_then(|()| std::fs::hard_link(&draft, path));
    let removed = std::fs::remove_file(&draft);
    match named {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
        Ok(()) => removed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: Kind =
        Kind { name: "the key", where_missing: "it is made at the first start", danger: "they can do harm" };

    #[test]
    fn a_key_is_made_once_for_its_owner_alone() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("new/test.key");
        assert!(KIND.load(&path).err().unwrap().to_string().contains("first start"));
        let keys: Vec<_> = std::thread::scope(|scope| {
            let path = &path;
            let starts: Vec<_> = (0..8)
                .map(|start| {
                    scope.spawn(move || {
                        let key = KIND.load_or_create(path, || SecretString::from(format!("key {start}"))).unwrap();
                        key.expose_secret().to_owned()
                    })
                })
                .collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]), "all programs have one key");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no draft is left");
    }

    #[test]
    fn a_key_that_others_can_read_is_refused_and_not_shown() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("test.key");
        KIND.load_or_create(&path, || SecretString::from("hush hush")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let refused = format!("{:#}", KIND.load(&path).err().unwrap());
        assert!(refused.contains("chmod 600") && !refused.contains("hush"), "{refused}");
    }
}
