//! Where PostgreSQL's programs lie on this machine. Debian keeps every major version in a folder of its
//! own that is not in the search path, so those come first; `pg_config` and the search path serve other
//! systems. Only versions 15 to 18 count, because the migrations use what those have in common.

use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::Error;

/// The major versions that RTV is written for.
pub const SUPPORTED: RangeInclusive<u32> = 15..=18;

const PROGRAMS: [&str; 4] = ["postgres", "initdb", "pg_ctl", "psql"];

/// One installed PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// The folder that holds `postgres`, `initdb`, `pg_ctl` and `psql`.
    pub bin_dir: PathBuf,
    /// Its major version: 15 to 18.
    pub major: u32,
}

impl Installation {
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.bin_dir.join(name)
    }
}

/// Every usable installation, newest first; never an empty list. With `bin_dir`, only that folder counts.
pub fn find_binaries(bin_dir: Option<&Path>) -> Result<Vec<Installation>, Error> {
    let candidates = match bin_dir {
        Some(only) => vec![only.to_path_buf()],
        None => usual_places(),
    };
    let mut found: Vec<Installation> = Vec::new();
    let mut looked_in = Vec::new();
    for folder in candidates {
        match inspect(&folder) {
            Ok(major) if SUPPORTED.contains(&major) => {
                if found.iter().all(|installation| installation.major != major) {
                    found.push(Installation { bin_dir: folder, major });
                }
            }
            Ok(major) => looked_in.push(format!("{} (version {major})", folder.display())),
            Err(missing) => looked_in.push(format!("{} ({missing})", folder.display())),
        }
    }
    if found.is_empty() {
        return Err(Error::BinariesMissing { looked_in: looked_in.join(", ") });
    }
    found.sort_by_key(|installation| std::cmp::Reverse(installation.major));
    Ok(found)
}

fn usual_places() -> Vec<PathBuf> {
    let mut places: Vec<PathBuf> =
        SUPPORTED.rev().map(|major| PathBuf::from(format!("/usr/lib/postgresql/{major}/bin"))).collect();
    let pg_config = first_line(Command::new("pg_config").arg("--bindir")).map(PathBuf::from);
    // The shell looks through the search path, so that this crate need not read the environment.
    let in_path = first_line(Command::new("/bin/sh").args(["-c", "command -v postgres"]))
        .and_then(|program| Path::new(&program).parent().map(Path::to_path_buf));
    for folder in pg_config.into_iter().chain(in_path) {
        if !places.contains(&folder) {
            places.push(folder);
        }
    }
    places
}

/// The major version of the programs in `folder`, or in words why they cannot be used.
fn inspect(folder: &Path) -> Result<u32, String> {
    for program in PROGRAMS {
        if !fs::metadata(folder.join(program)).is_ok_and(|metadata| metadata.is_file()) {
            return Err(format!("no {program}"));
        }
    }
    // Asked rather than taken from the folder's name: a name promises nothing.
    first_line(Command::new(folder.join("postgres")).arg("--version"))
        .and_then(|line| parse_version(&line))
        .ok_or_else(|| "postgres does not tell its version".into())
}

/// Reads `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)`.
fn parse_version(line: &str) -> Option<u32> {
    let (_, version) = line.split_once("(PostgreSQL) ")?;
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

fn first_line(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().next().map(str::to_owned).filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_postgres_says() {
        let check = |line: &str, expect: Option<u32>| assert_eq!(parse_version(line), expect, "{line}");
        check("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)", Some(15));
        check("postgres (PostgreSQL) 18beta1", Some(18));
        check("postgres (PostgreSQL) 9.6.24", Some(9));
        check("something else 15", None);
        check("postgres (PostgreSQL) devel", None);
    }
}
