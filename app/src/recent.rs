//! The pages that were open before in this window, for the palette. They are kept by the window alone and go with it;
//! the sign-in page forgets them, so that nobody finds those of somebody else. Runs in the browser only.

use leptos::prelude::*;
use web_sys::Storage;

/// Where the window keeps them: a line for each, the address and the title.
const KEY: &str = "rtv-recent";
/// As many are kept; the page that is shown is one of them.
const MOST: usize = 6;

fn storage() -> Option<Storage> {
    window().session_storage().ok().flatten()
}

fn lines() -> Vec<String> {
    let kept = storage().and_then(|storage| storage.get_item(KEY).ok().flatten()).unwrap_or_default();
    kept.lines().map(str::to_owned).collect()
}

fn path(address: &str) -> &str {
    address.split_once('?').map_or(address, |(path, _)| path)
}

/// Notes the page that is shown: the newest address of a page takes the place of its older ones.
pub(crate) fn note() {
    let here = window().location();
    let (Ok(here_path), Ok(query)) = (here.pathname(), here.search()) else { return };
    let Some(storage) = storage() else { return };
    if here_path == "/sign-in" {
        let _ = storage.remove_item(KEY);
    }
    // These lead elsewhere by themselves.
    if matches!(here_path.as_str(), "/" | "/sign-in") {
        return;
    }
    let title = document().title();
    let title = title.rsplit_once(" · ").map_or(title.as_str(), |(title, _)| title);
    let line = format!("{here_path}{query}\t{title}");
    let others = lines().into_iter().filter(|line| line.split('\t').next().map(path) != Some(here_path.as_str()));
    let kept: Vec<String> = core::iter::once(line).chain(others).take(MOST).collect();
    // A window without room for it has no recent pages.
    let _ = storage.set_item(KEY, &kept.join("\n"));
}

/// Address and title of the pages before the one that is shown, the newest first.
pub(crate) fn visited() -> Vec<(String, String)> {
    let here = window().location().pathname().unwrap_or_default();
    lines()
        .into_iter()
        .filter_map(|line| line.split_once('\t').map(|(href, title)| (href.to_owned(), title.to_owned())))
        .filter(|(href, _)| path(href) != here && href.starts_with('/'))
        .collect()
}
