//! Between what is chosen on the columns step and what the domain keeps of it. The page and the route that takes the
//! form read it by the same code, so that a preview shows what the check will do. Runs on the server only.

use chrono_tz::Tz;
use rtv_core::{AccountId, Error, FieldError};
use rtv_domain::account::Account;
use rtv_domain::import::{Draft, DraftColumn, DuplicateRule, Field, Look, MappingChoice, Question, SaveAs, Settings};

/// What a person chose, one way or the other; nothing is chosen where a page is opened for the first time.
pub(super) type Pairs = [(String, String)];

/// How the file is to be read.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    /// What the domain is given.
    pub(super) settings: Settings,
    /// The columns, where no built-in mapping knows them.
    pub(super) draft: Option<Draft>,
    /// What cannot be right in the form itself.
    pub(super) errors: Vec<FieldError>,
}

/// Takes the form apart. `stored` is what the import was last checked with.
pub(super) fn read(look: &Look, accounts: &[Account], zone: Tz, pairs: &Pairs, stored: Option<&Settings>) -> Reading {
    let mut form = Form { pairs, errors: Vec::new() };
    let mut settings = match stored.filter(|_| !form.has_any()) {
        Some(stored) => stored.clone(),
        None => Settings { mapping: choice(look, accounts, form.value("mapping")), ..Settings::default() },
    };
    settings.encoding = form.parse("encoding").or(settings.encoding);
    settings.delimiter = form.parse("delimiter").or(settings.delimiter);
    if let Some(rule) = form.parse::<DuplicateRule>("duplicates") {
        settings.duplicates = rule;
    }
    let draft = match &settings.mapping {
        MappingChoice::Detected | MappingChoice::Builtin(_) => {
            settings.zone = form.parse("zone").or(settings.zone).or(Some(zone));
            settings.account = form.parse::<AccountId>("account").or(settings.account);
            None
        }
        MappingChoice::Saved(name) => {
            let saved = look.saved.iter().find(|saved| saved.mapping.name == *name);
            let base = saved.map_or_else(|| guessed(look, zone), |saved| saved.mapping.draft.fit(&look.header));
            let chosen = form.draft(base.clone(), look, accounts, zone);
            // With a column changed it is no longer what was saved under the name.
            let is_saved = saved.is_some() && chosen == with_zone(base, zone);
            if !is_saved {
                settings.mapping = MappingChoice::Draft(chosen.clone());
            }
            Some(chosen)
        }
        MappingChoice::Draft(base) => {
            let chosen = form.draft(base.fit(&look.header), look, accounts, zone);
            settings.mapping = MappingChoice::Draft(chosen.clone());
            Some(chosen)
        }
    };
    if let Some(draft) = &draft {
        settings.zone = draft.zone;
    }
    Reading { settings, draft, errors: form.errors }
}

/// What the form of the columns step asks the domain to do. Wrong fields are refused all at once.
pub fn settings(look: &Look, accounts: &[Account], zone: Tz, pairs: &Pairs) -> Result<Settings, Error> {
    let reading = read(look, accounts, zone, pairs, None);
    if reading.errors.is_empty() { Ok(reading.settings) } else { Err(Error::Invalid(reading.errors)) }
}

/// The name under which the columns are to be kept; it replaces the mapping that they came from.
pub fn new_name(pairs: &Pairs) -> Option<SaveAs> {
    let form = Form { pairs, errors: Vec::new() };
    let name = form.value("save_as")?.to_owned();
    let replaces = form.value("mapping").and_then(|choice| choice.strip_prefix("saved:")) == Some(name.as_str());
    Some(SaveAs { name, replaces })
}

/// The value that stands for a choice of mapping in the form.
pub(super) fn mapping_key(choice: &MappingChoice) -> String {
    match choice {
        MappingChoice::Detected => String::new(),
        MappingChoice::Builtin(name) => format!("builtin:{name}"),
        MappingChoice::Saved(name) => format!("saved:{name}"),
        MappingChoice::Draft(_) => "own".into(),
    }
}

/// The choice that a value stands for. Where none is made, what is known of the file decides: a built-in mapping, a
/// saved one that lacks no column, or the guess. A built-in mapping that needs to be told one of the tenant's accounts
/// is no use to a tenant that has none yet.
fn choice(look: &Look, accounts: &[Account], key: Option<&str>) -> MappingChoice {
    let guess = || MappingChoice::Draft(look.guess.draft.clone());
    match key.map(|key| key.split_once(':').unwrap_or((key, ""))) {
        Some(("builtin", name)) => MappingChoice::Builtin(name.to_owned()),
        Some(("saved", name)) => MappingChoice::Saved(name.to_owned()),
        Some(_) => guess(),
        None => match (
            look.guess.builtin.as_ref().filter(|builtin| !builtin.requires_account() || !accounts.is_empty()),
            look.saved.iter().find(|saved| saved.missing_columns.is_empty()),
        ) {
            (Some(builtin), _) => MappingChoice::Builtin(builtin.name.clone()),
            (None, Some(saved)) => MappingChoice::Saved(saved.mapping.name.clone()),
            (None, None) => guess(),
        },
    }
}

/// The guess, with what is proposed for its open questions: the tenant's zone, and the platform that the file's
/// addresses speak for. Both stand on the page to be changed.
fn guessed(look: &Look, zone: Tz) -> Draft {
    with_zone(look.guess.draft.clone(), zone)
}

fn with_zone(mut draft: Draft, zone: Tz) -> Draft {
    if !draft.times_have_offset && draft.zone.is_none() {
        draft.zone = Some(zone);
    }
    draft
}

struct Form<'a> {
    pairs: &'a Pairs,
    errors: Vec<FieldError>,
}

impl<'a> Form<'a> {
    /// Whether anything of the form is there.
    fn has_any(&self) -> bool {
        self.pairs.iter().any(|(name, _)| name != "step")
    }

    /// A field as it was sent, also empty.
    fn sent(&self, name: &str) -> Option<&'a str> {
        self.pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim())
    }

    fn value(&self, name: &str) -> Option<&'a str> {
        self.sent(name).filter(|value| !value.is_empty())
    }

    fn refuse(&mut self, field: &str, message: impl Into<String>) {
        self.errors.push(FieldError { field: field.into(), message: message.into() });
    }

    /// A field of one of several values.
    fn parse<T: core::str::FromStr>(&mut self, name: &str) -> Option<T> {
        let value = self.value(name)?;
        let parsed = value.parse().ok();
        if parsed.is_none() {
            self.refuse(name, "choose one of the list.");
        }
        parsed
    }

    /// The columns and settings as sent, over those that were there before.
    fn draft(&mut self, base: Draft, look: &Look, accounts: &[Account], zone: Tz) -> Draft {
        let mut draft = with_zone(base, zone);
        if self.sent("column-0").is_some() {
            let columns = look.header.iter().enumerate();
            draft.columns = columns
                .map(|(index, header)| DraftColumn {
                    column: header.clone(),
                    field: self.parse::<Field>(&format!("column-{index}")),
                })
                .collect();
        }
        if self.sent("date_order").is_some() {
            draft.date_order = self.parse("date_order");
        }
        if self.sent("numbers").is_some() {
            draft.numbers = self.parse("numbers");
        }
        match self.value("zone") {
            Some("offset") => (draft.times_have_offset, draft.zone) = (true, None),
            Some(_) => (draft.times_have_offset, draft.zone) = (false, self.parse("zone")),
            None => {}
        }
        if self.sent("platform").is_some() {
            draft.platform = self.value("platform").map(str::to_owned);
        } else if draft.platform.is_none() {
            draft.platform = suggested_platform(look);
        }
        match self.sent("account") {
            None => {}
            Some("post_id") => {
                (draft.account_from_post_id, draft.account_id, draft.account_name) = (true, None, None);
            }
            Some(chosen) => {
                draft.account_from_post_id = false;
                (draft.account_id, draft.account_name) = self.account(chosen, accounts, draft.platform.as_deref());
            }
        }
        draft
    }

    /// Id and name of the account that all posts belong to, where it is stated.
    fn account(
        &mut self,
        chosen: &str,
        accounts: &[Account],
        platform: Option<&str>,
    ) -> (Option<String>, Option<String>) {
        if chosen.is_empty() {
            return (None, None);
        }
        if chosen == "new" {
            let Some(name) = self.value("new_account") else {
                self.refuse("new_account", "give the account’s handle or id on its platform.");
                return (None, None);
            };
            return (Some(name.to_owned()), Some(name.to_owned()));
        }
        let Some(known) = accounts.iter().find(|account| account.id.to_string() == chosen) else {
            self.refuse("account", "choose an account from the list.");
            return (None, None);
        };
        if platform.is_some_and(|platform| platform != known.platform.key()) {
            self.refuse(
                "account",
                format!("“{}” is on {}; choose that platform, or another account.", known.name, known.platform.label()),
            );
        }
        (Some(known.external_id.clone()), Some(known.name.clone()))
    }
}

fn suggested_platform(look: &Look) -> Option<String> {
    look.guess.questions.iter().find_map(|question| match question {
        Question::Platform { suggestion } => suggestion.clone(),
        _ => None,
    })
}
