//! Whether the gallery of `app` shows every component there is, so that nobody has to look for one in the code.

use std::{fs, path::Path};

/// Components that only a script opens over a page, and what of them the gallery shows instead.
const OVER_A_PAGE: [(&str, &str); 2] = [("Palette", "ResultList"), ("KeyDialog", "KeyList")];

fn sources(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
    text
}

/// Names of public components: functions after the attribute.
fn components(text: &str) -> Vec<String> {
    text.split("#[component]")
        .skip(1)
        .filter_map(|rest| rest.trim_start().strip_prefix("pub fn "))
        .map(|rest| rest.chars().take_while(|letter| letter.is_alphanumeric()).collect())
        .collect()
}

/// Those that a text does not use as a tag.
fn missing<'a>(components: &'a [String], gallery: &str) -> Vec<&'a str> {
    let is_shown = |name: &str| {
        gallery
            .match_indices(&format!("<{name}"))
            .any(|(at, found)| gallery[at + found.len()..].starts_with([' ', '\n', '>', '/']))
    };
    components.iter().map(String::as_str).filter(|name| !is_shown(name)).collect()
}

#[test]
fn every_public_component_is_in_the_gallery() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let components = components(&sources(&root.join("src")));
    assert!(components.len() > 30, "too few were found: {components:?}");
    let app = root.join("../../app/src");
    let mut gallery = fs::read_to_string(app.join("gallery.rs")).unwrap() + &sources(&app.join("gallery"));
    // The gallery shows errors by the component that all pages have for them.
    assert!(gallery.contains("<Failed "));
    gallery.push_str(&fs::read_to_string(app.join("error.rs")).unwrap());
    let missing: Vec<&str> = missing(&components, &gallery)
        .into_iter()
        .filter(|name| OVER_A_PAGE.iter().all(|(over, _)| over != name))
        .collect();
    assert!(missing.is_empty(), "app/src/gallery/ shows no specimen of {missing:?}");
    for (_, instead) in OVER_A_PAGE {
        assert!(components.iter().any(|name| name == instead), "{instead} is gone");
    }
}

#[test]
fn a_component_that_is_not_shown_is_found() {
    let found =
        components("#[component]\npub fn One(\n) {}\n#[component]\nfn Private() {}\n#[component]\npub fn OneMore() {}");
    assert_eq!(found, ["One", "OneMore"]);
    assert_eq!(missing(&found, "view! { <OneMore /> }"), ["One"], "the beginning of another name is not enough");
    assert!(missing(&found, "<One>x</One> <OneMore\n title />").is_empty());
}
