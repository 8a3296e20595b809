//! Lists, a page at a time: `?limit=50&after=…` → `{ "items": […], "next": "…" | null }`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rtv_core::{Error, FieldError};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::caller::Caller;

/// Items of a page where none is asked for.
const USUAL: usize = 50;
/// The most of one page.
const MOST: usize = 200;

/// Part of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// What there is.
    pub items: Vec<T>,
    /// To be sent as “after” for the next page; null at the end.
    pub next: Option<String>,
}

/// Which part of a list. For the description alone: what is asked is read by [`Ask::parse`].
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)]
pub struct ListParams {
    /// The most items of one page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u8>,
    /// The “next” of the page before; nothing for the first.
    after: Option<String>,
}

/// What was asked of a list.
#[derive(Debug, PartialEq, Eq)]
pub struct Ask {
    /// The most items.
    pub limit: usize,
    /// Behind which place.
    pub after: Option<String>,
}

impl Ask {
    /// Reads what is asked of the list of that name. A place of another list is none of this one.
    pub fn parse(caller: &Caller, list: &str) -> Result<Self, Error> {
        Self::of(caller.parameter("limit"), caller.parameter("after"), list)
    }

    fn of(limit: Option<&str>, after: Option<&str>, list: &str) -> Result<Self, Error> {
        let mut errors = Vec::new();
        let mut refuse = |field: &str, message: &str| {
            errors.push(FieldError { field: field.into(), message: message.into() });
        };
        let limit = match limit.map(str::parse::<usize>) {
            None => USUAL,
            Some(Ok(limit @ 1..=MOST)) => limit,
            Some(_) => {
                refuse("limit", "use a number from 1 to 200.");
                USUAL
            }
        };
        let after = after.and_then(|text| {
            let place = read(text, list);
            if place.is_none() {
                refuse("after", "use the “next” of the page before, as it was.");
            }
            place
        });
        if errors.is_empty() { Ok(Self { limit, after }) } else { Err(Error::Invalid(errors)) }
    }

    /// The limit as queries take it.
    pub fn rows(&self) -> i64 {
        i64::try_from(self.limit).unwrap_or_default()
    }

    /// The place as the domain writes it.
    pub fn place<T: core::str::FromStr>(&self) -> Result<Option<T>, Error> {
        let place = self.after.as_deref().map(str::parse).transpose();
        place.map_err(|_| Error::invalid("after", "use the “next” of the page before, as it was."))
    }
}

/// A place of a list as programs carry it. What stands in it is nobody's business but ours.
pub fn next(list: &str, place: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{list} {place}"))
}

fn read(text: &str, list: &str) -> Option<String> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    let place = text.strip_prefix(list)?.strip_prefix(' ')?;
    Some(place.to_owned())
}

/// A page of a list that is read whole, in the order of the items' ids.
pub fn page_of<T>(ask: &Ask, list: &str, mut all: Vec<T>, id: impl Fn(&T) -> String) -> Page<T> {
    all.sort_by_cached_key(&id);
    let mut items: Vec<T> =
        all.into_iter().filter(|item| ask.after.as_ref().is_none_or(|after| id(item) > *after)).collect();
    let has_more = items.len() > ask.limit;
    items.truncate(ask.limit);
    let next = items.last().filter(|_| has_more).map(|last| next(list, &id(last)));
    Page { items, next }
}

/// A page of a list of which one item more was read than was asked for: where it is there, the list goes on.
pub fn page_with_more<T>(ask: &Ask, list: &str, mut items: Vec<T>, id: impl Fn(&T) -> String) -> Page<T> {
    let has_more = items.len() > ask.limit;
    items.truncate(ask.limit);
    let next = items.last().filter(|_| has_more).map(|last| next(list, &id(last)));
    Page { items, next }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_belongs_to_its_list() {
        let place = next("users", "usr_1");
        assert_eq!(Ask::of(None, Some(&place), "users"), Ok(Ask { limit: 50, after: Some("usr_1".into()) }));
        for (limit, after, list, fields) in [
            (None, Some(place.as_str()), "teams", vec!["after"]),
            (Some("0"), Some("%"), "users", vec!["limit", "after"]),
            (Some("201"), None, "users", vec!["limit"]),
            (Some("x"), None, "users", vec!["limit"]),
        ] {
            let Err(Error::Invalid(errors)) = Ask::of(limit, after, list) else { panic!("{limit:?} {after:?}") };
            assert_eq!(errors.iter().map(|error| error.field.as_str()).collect::<Vec<_>>(), fields);
        }
    }

    #[test]
    fn a_walk_meets_every_item_once() {
        let all: Vec<String> = (0..7).map(|number| format!("id_{number}")).collect();
        for limit in 1..9 {
            let (mut met, mut after) = (Vec::new(), None);
            loop {
                let page = page_of(&Ask { limit, after }, "ids", all.clone(), Clone::clone);
                met.extend(page.items);
                match page.next {
                    Some(next) => after = read(&next, "ids"),
                    None => break,
                }
            }
            assert_eq!(met, all, "{limit}");
        }
    }
}
