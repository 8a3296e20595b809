//! `/docs/api`: the description of the API for people, drawn from the OpenAPI document.

use app::api_docs::{Answer, Docs, Field, Group, Operation, Parameter, Schema};
use axum::extract::State;
use axum::response::{Html, IntoResponse, Response};
use serde_json::{Map, Value};

use super::description;
use super::problem::Kind;
use crate::state::AppState;

/// The page.
pub const PATH: &str = "/docs/api";

/// The page, for everybody.
pub async fn page(State(state): State<AppState>) -> Response {
    Html(app::api_docs::document(&state.assets, docs(description()))).into_response()
}

fn text(value: &Value) -> String {
    // What the description marks as code reads as well without the marks.
    value.as_str().unwrap_or_default().replace('`', "")
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

/// What a reference leads to, or the value itself.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str().and_then(|path| path.strip_prefix('#')) {
        Some(path) => document.pointer(path).unwrap_or(value),
        None => value,
    }
}

fn docs(document: &Value) -> Docs {
    let tags = document["tags"].as_array().cloned().unwrap_or_default();
    let groups = tags
        .iter()
        .map(|tag| {
            let mut operations = Vec::new();
            for (path, item) in entries(&document["paths"]) {
                for (method, operation) in entries(item) {
                    if operation["tags"].as_array().is_some_and(|tags| tags.contains(&tag["name"])) {
                        operations.push(described(document, path, method, operation));
                    }
                }
            }
            Group { name: text(&tag["name"]), text: text(&tag["description"]), operations }
        })
        .collect();
    let schemas = entries(&document["components"]["schemas"])
        .map(|(name, schema)| Schema {
            id: name.clone(),
            name: title(name, schema),
            text: text(&schema["description"]),
            fields: fields(document, schema),
            example: schema.get("example").map(pretty),
        })
        .filter(|schema| !schema.fields.is_empty())
        .collect();
    Docs {
        about: text(&document["info"]["description"]).split("\n\n").map(str::to_owned).collect(),
        groups,
        schemas,
        problems: Kind::ALL
            .iter()
            .map(|kind| {
                (kind.key().to_owned(), kind.status().to_string(), kind.title().to_owned(), kind.detail().to_owned())
            })
            .collect(),
    }
}

fn title(name: &str, schema: &Value) -> String {
    schema["title"].as_str().unwrap_or(name).to_owned()
}

fn described(document: &Value, path: &str, method: &str, operation: &Value) -> Operation {
    let parameters = operation["parameters"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|parameter| {
            let parameter = resolved(document, parameter);
            Parameter {
                name: text(&parameter["name"]),
                place: match parameter["in"].as_str() {
                    Some("path") => "address",
                    Some("header") => "header",
                    _ => "query",
                }
                .to_owned(),
                kind: kind(document, &parameter["schema"]).0,
                is_required: parameter["required"] == true,
                text: text(&parameter["description"]),
            }
        })
        .collect();
    let body = entries(&operation["requestBody"]["content"])
        .next()
        .map(|(media, content)| (media.clone(), kind(document, &content["schema"])));
    let answers = entries(&operation["responses"])
        .map(|(status, answer)| {
            let answer = resolved(document, answer);
            let content = entries(&answer["content"]).next();
            Answer {
                status: status.clone(),
                text: text(&answer["description"]),
                body: content.map(|(_, content)| kind(document, &content["schema"])),
            }
        })
        .collect();
    Operation {
        id: text(&operation["operationId"]),
        method: method.to_uppercase(),
        path: path.to_owned(),
        title: text(&operation["summary"]),
        text: text(&operation["description"]),
        parameters,
        body,
        answers,
    }
}

/// A type in words, and the schema that it leads to.
fn kind(document: &Value, schema: &Value) -> (String, Option<String>) {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        let target = resolved(document, schema);
        return (title(name, target), Some(name.to_owned()));
    }
    if let Some(one) = ["oneOf", "anyOf", "allOf"].into_iter().find_map(|key| schema[key].as_array()) {
        let is_nullable = one.iter().any(|option| option["type"] == "null");
        let kinds: Vec<(String, Option<String>)> =
            one.iter().filter(|option| option["type"] != "null").map(|option| kind(document, option)).collect();
        let link = kinds.iter().find_map(|(_, link)| link.clone());
        let words: Vec<String> = kinds.into_iter().map(|(words, _)| words).collect();
        let words = words.join(" or ");
        return (if is_nullable { format!("{words} or null") } else { words }, link);
    }
    let types: Vec<String> = match &schema["type"] {
        Value::Array(types) => types.iter().map(text).collect(),
        Value::String(one) => vec![one.clone()],
        _ => Vec::new(),
    };
    if types.iter().any(|one| one == "array") {
        let (words, link) = kind(document, &schema["items"]);
        let null = if types.iter().any(|one| one == "null") { " or null" } else { "" };
        return (format!("list of {words}{null}"), link);
    }
    let words = types.join(" or ");
    match schema["format"].as_str().filter(|format| !format.starts_with("int") && *format != "double") {
        Some(format) => (format!("{words} ({format})"), None),
        None if words.is_empty() => ("any".into(), None),
        None => (words, None),
    }
}

fn fields(document: &Value, schema: &Value) -> Vec<Field> {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    entries(&schema["properties"])
        .map(|(name, property)| {
            let (words, link) = kind(document, property);
            Field {
                name: name.clone(),
                kind: words,
                link,
                is_required: required.contains(&name.as_str()),
                text: text(&property["description"]),
            }
        })
        .collect()
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_stands_on_the_page_with_words_and_types() {
        let docs = docs(description());
        let count: usize = docs.groups.iter().map(|group| group.operations.len()).sum();
        let described: usize = entries(&description()["paths"]).map(|(_, item)| entries(item).count()).sum();
        assert_eq!(count, described, "an operation has a tag that is no group");
        for operation in docs.groups.iter().flat_map(|group| &group.operations) {
            assert!(
                !operation.id.is_empty() && !operation.title.is_empty() && !operation.text.is_empty(),
                "{operation:?}"
            );
            for parameter in &operation.parameters {
                assert!(!parameter.text.is_empty() && !parameter.kind.is_empty(), "{operation:?}");
            }
            assert!(operation.answers.iter().all(|answer| !answer.text.is_empty()), "{operation:?}");
        }
        for schema in &docs.schemas {
            assert!(schema.fields.iter().all(|field| !field.kind.is_empty() && field.kind != "any"), "{schema:?}");
        }
    }
}
