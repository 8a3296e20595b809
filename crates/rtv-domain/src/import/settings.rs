//! How a person wants a file to be read, and what that comes to for one file: the mapping, with every question answered.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use chrono_tz::Tz;
use rtv_core::{AccountId, Error, FieldError};
use rtv_import::mapping::PlatformRule;
use rtv_import::{Delimiter, Draft, DraftError, Encoding, Field, ImportError, Mapping, OpenOptions, Sniffed};
use serde::{Deserialize, Serialize};

use super::DuplicateRule;
use crate::mapping;
use crate::transaction::{Tx, failed};

/// Which mapping reads the columns.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MappingChoice {
    /// The built-in one that fits the header.
    #[default]
    Detected,
    /// A built-in one by its name.
    Builtin(String),
    /// One that somebody saved, by its name.
    Saved(String),
    /// The form of this import.
    Draft(Draft),
}

/// What a form or a command line says about reading a file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Settings {
    /// Which mapping reads the columns.
    pub mapping: MappingChoice,
    /// The file's encoding, where it is stated.
    #[serde(default)]
    pub encoding: Option<Encoding>,
    /// What stands between the columns, where it is stated.
    #[serde(default)]
    pub delimiter: Option<Delimiter>,
    /// Zone of local times in the file.
    #[serde(default)]
    pub zone: Option<Tz>,
    /// Account that all rows belong to, for mappings that take one.
    #[serde(default)]
    pub account: Option<AccountId>,
    /// Rule for duplicates.
    #[serde(default)]
    pub duplicates: DuplicateRule,
}

impl Settings {
    /// With the encoding that was found out when the file came, unless the person states one: a large file is not
    /// looked through again.
    pub(super) fn reading_as(self, found: Option<Encoding>) -> Self {
        Self { encoding: self.encoding.or(found), ..self }
    }
}

/// All that reading the file needs: a job opens it with this and asks nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Applied {
    pub(super) mapping: Mapping,
    pub(super) zone: Option<Tz>,
    pub(super) account_external_id: Option<String>,
    pub(super) encoding: Encoding,
    pub(super) delimiter: Delimiter,
}

impl Applied {
    pub(super) fn open_options(&self) -> OpenOptions {
        OpenOptions {
            mapping: Some(self.mapping.clone()),
            zone: self.zone,
            account_external_id: self.account_external_id.clone(),
            encoding: Some(self.encoding),
            delimiter: Some(self.delimiter),
        }
    }
}

/// A file whose settings fit it.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) applied: Applied,
    pub(super) header: Vec<String>,
}

/// Judges the settings against the file's header. What is wrong is said for each field at once, where it can be.
pub(super) async fn prepare(tx: &mut Tx, path: &Path, settings: &Settings) -> Result<Prepared, Error> {
    let (stated_encoding, stated_delimiter) = (settings.encoding, settings.delimiter);
    let sniffed = with_file(path, move |file| {
        rtv_import::sample_seekable(file, stated_encoding, stated_delimiter).map(|sample| sample.sniffed)
    })
    .await?;
    let account = match settings.account {
        Some(id) => Some(find_account(tx, id).await?),
        None => None,
    };
    let options = open_options(tx, settings, &sniffed, account.as_ref()).await?;
    let mapping = with_file(path, {
        let options = options.clone();
        move |file| rtv_import::open_seekable(file, options).map(|reader| reader.mapping().clone())
    })
    .await?;
    if let (Some(account), PlatformRule::Fixed(platform)) = (&account, &mapping.platform)
        && *platform != account.platform
    {
        return Err(Error::invalid(
            "account",
            format!("the account is on {}, and the file’s posts are on {platform}", account.platform),
        ));
    }
    let applied = Applied {
        mapping,
        zone: options.zone,
        account_external_id: options.account_external_id,
        encoding: sniffed.read_as,
        delimiter: sniffed.delimiter,
    };
    Ok(Prepared { applied, header: sniffed.header })
}

/// What the settings come to for a file with this header.
pub(super) async fn open_options(
    tx: &mut Tx,
    settings: &Settings,
    sniffed: &Sniffed,
    account: Option<&ChosenAccount>,
) -> Result<OpenOptions, Error> {
    let of_draft = |draft: &Draft, name: Option<&str>| -> Result<OpenOptions, Error> {
        let draft = with_account(with_zone(draft.clone(), settings.zone), account);
        let mut options = draft.open_options(&sniffed.header).map_err(wrong_draft)?;
        if let (Some(name), Some(mapping)) = (name, options.mapping.as_mut()) {
            name.clone_into(&mut mapping.name);
            name.clone_into(&mut mapping.title);
        }
        Ok(options)
    };
    let named = |mapping: Option<Mapping>| OpenOptions {
        mapping,
        zone: settings.zone,
        account_external_id: account.map(|account| account.external_id.clone()),
        ..OpenOptions::default()
    };
    let options = match &settings.mapping {
        MappingChoice::Detected => named(None),
        MappingChoice::Builtin(name) => {
            let mapping = Mapping::builtin(name).ok_or_else(|| unknown_mapping(name))?;
            named(Some(mapping))
        }
        MappingChoice::Saved(name) => {
            let saved = mapping::find_in(tx, name).await?.ok_or_else(|| unknown_mapping(name))?;
            of_draft(&saved.draft.fit(&sniffed.header), Some(name))?
        }
        MappingChoice::Draft(draft) => of_draft(draft, None)?,
    };
    Ok(OpenOptions { encoding: Some(sniffed.read_as), delimiter: Some(sniffed.delimiter), ..options })
}

fn with_zone(mut draft: Draft, zone: Option<Tz>) -> Draft {
    draft.zone = zone.or(draft.zone);
    draft
}

/// An account that was chosen from the tenant's stands for the platform and the account that the file does not name.
fn with_account(mut draft: Draft, account: Option<&ChosenAccount>) -> Draft {
    let Some(account) = account else { return draft };
    if !draft.columns.iter().any(|column| column.field == Some(Field::Platform)) {
        draft.platform = Some(account.platform.clone());
    }
    draft.account_id = Some(account.external_id.clone());
    draft.account_name = Some(account.name.clone());
    draft
}

fn unknown_mapping(name: &str) -> Error {
    let known = Mapping::all_builtin().into_iter().map(|mapping| mapping.name).collect::<Vec<_>>().join(", ");
    Error::invalid("mapping", format!("there is no mapping “{name}”; use one that was saved here, or one of: {known}"))
}

/// Opens the file on a thread that may block.
pub(super) async fn with_file<T: Send + 'static>(
    path: &Path,
    look: impl FnOnce(BufReader<File>) -> Result<T, ImportError> + Send + 'static,
) -> Result<T, Error> {
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || {
        let file = File::open(&path).map_err(|error| cannot_open(&path, &error))?;
        look(BufReader::new(file)).map_err(|error| refused_file(&error))
    })
    .await
    .unwrap_or_else(|error| {
        tracing::error!(%error, "looking at a file panicked");
        Err(Error::Internal)
    })
}

pub(super) fn cannot_open(path: &Path, error: &std::io::Error) -> Error {
    Error::invalid("file", format!("“{}” cannot be opened: {error}", path.display()))
}

pub(super) fn refused_file(error: &ImportError) -> Error {
    Error::invalid(error.field(), error.to_string())
}

fn wrong_draft(errors: Vec<DraftError>) -> Error {
    Error::Invalid(errors.into_iter().map(|one| FieldError { field: one.field, message: one.message }).collect())
}

/// The account that was chosen for all rows.
#[derive(Debug)]
pub(super) struct ChosenAccount {
    platform: String,
    external_id: String,
    name: String,
}

pub(super) async fn find_account(tx: &mut Tx, id: AccountId) -> Result<ChosenAccount, Error> {
    let row = sqlx::query!("select platform, external_id, name from account where id = $1", id.uuid())
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?
        .ok_or_else(|| Error::invalid("account", format!("there is no account {id} in this tenant")))?;
    Ok(ChosenAccount { platform: row.platform, external_id: row.external_id, name: row.name })
}
