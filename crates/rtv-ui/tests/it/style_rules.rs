//! Rules about the stylesheets and the components that name their classes.

use std::{collections::BTreeSet, fs, path::Path};

/// Every file under a folder of the repository with one of the endings, as path and text.
fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    fn gather(folder: &Path, ending: &str, found: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                gather(&path, ending, found);
            } else if path.extension().is_some_and(|extension| extension == ending) {
                found.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    gather(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder), ending, &mut found);
    assert!(!found.is_empty(), "no .{ending} file in {folder}");
    found
}

/// The stylesheets without their comments.
fn stylesheets() -> Vec<(String, String)> {
    files("style", "css")
        .into_iter()
        .map(|(path, text)| {
            let code = text
                .split("/*")
                .enumerate()
                .map(|(index, part)| if index == 0 { part } else { part.split_once("*/").expect("a comment ends").1 });
            (path, code.collect())
        })
        .collect()
}

/// Whether a letter can stand in the name of a class.
fn is_in_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '-' || letter == '_'
}

/// Every name that begins with a prefix.
fn names(text: &str, prefix: &str) -> BTreeSet<String> {
    text.match_indices(prefix)
        .filter(|(start, _)| !text[..*start].ends_with(is_in_name))
        .map(|(start, _)| text[start..].chars().take_while(|letter| is_in_name(*letter)).collect())
        .collect()
}

#[test]
fn raw_colours_stand_only_among_the_tokens() {
    for (path, text) in stylesheets().into_iter().filter(|(path, _)| !path.contains("/tokens/")) {
        for notation in
            ["oklch(", "oklab(", "rgb(", "rgba(", "hsl(", "hwb(", "lab(", "lch(", ": #", " white;", " black;"]
        {
            assert!(!text.contains(notation), "{path} has a colour of its own: {notation}");
        }
    }
}

#[test]
fn no_rule_names_an_id_or_insists_or_is_physical() {
    let physical =
        ["margin-left", "margin-right", "padding-left", "padding-right", "text-align: left", "text-align: right"];
    for (path, text) in stylesheets() {
        assert!(!text.contains("!important"), "{path} insists");
        for word in physical {
            assert!(!text.contains(word), "{path}: {word} does not turn around with the script");
        }
        for line in text.lines() {
            assert!(!line.trim_start().starts_with('#'), "{path} names an id: {line}");
        }
    }
}

#[test]
fn every_custom_property_in_use_is_declared() {
    let sheets = stylesheets();
    let declared = sheets
        .iter()
        .flat_map(|(_, text)| text.split([';', '{', '}']))
        .filter_map(|piece| piece.trim().split_once(':').map(|(name, _)| name.to_owned()))
        .filter(|name| name.starts_with("--"))
        .collect::<BTreeSet<_>>();
    for (path, text) in &sheets {
        for used in text.split("var(").skip(1) {
            let name = used.split([')', ',']).next().unwrap().trim();
            assert!(declared.contains(name), "{path} uses {name}, which nobody declares");
        }
    }
}

#[test]
fn main_css_imports_every_file_once() {
    let sheets = stylesheets();
    let (_, main) = sheets.iter().find(|(path, _)| path.ends_with("style/main.css")).unwrap();
    for (path, _) in &sheets {
        let Some((_, inside)) = path.split_once("style/").filter(|(_, inside)| *inside != "main.css") else {
            continue;
        };
        let count = main.matches(&format!("@import \"./{inside}\" layer(")).count();
        assert_eq!(count, 1, "main.css imports {inside} {count} times");
    }
}

#[test]
fn classes_in_components_and_classes_in_stylesheets_are_the_same() {
    let sheets = stylesheets().into_iter().map(|(_, text)| text).collect::<String>();
    let sources = ["crates/rtv-ui/src", "app/src"]
        .into_iter()
        .flat_map(|folder| files(folder, "rs"))
        // Keeps what stands in quotes: a path of a module also looks like a name.
        .flat_map(|(_, text)| text.split('"').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>())
        .collect::<Vec<_>>()
        .join(" ");
    for prefix in ["c-", "l-"] {
        let styled = names(&sheets, prefix);
        let named = names(&sources, prefix);
        // A block or a hook may need no rule of its own as long as an element in it has one.
        let unstyled = named
            .difference(&styled)
            .filter(|name| !styled.iter().any(|other| other.starts_with(name.as_str())))
            .collect::<Vec<_>>();
        assert!(unstyled.is_empty(), "named but nowhere styled: {unstyled:?}");
        let unnamed = styled.difference(&named).collect::<Vec<_>>();
        assert!(unnamed.is_empty(), "styled but nowhere named: {unnamed:?}");
    }
}

#[test]
fn no_component_writes_a_style_attribute() {
    for (path, text) in files("crates/rtv-ui/src", "rs") {
        for forbidden in [" style=", "style:", "inner_html", "<style"] {
            assert!(!text.contains(forbidden), "{path}: {forbidden} would be refused by the content security policy");
        }
    }
}
