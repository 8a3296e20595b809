//! The OpenAPI document: what the handlers say about themselves, and what holds for all of them, which is added here once.

use rtv_core::{Permission, Platform};
use serde_json::{Map, Value, json};
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;

use super::once::{KEY, REPLAYED};
use super::problem::{CONTENT_TYPE, FieldProblem, Kind, Problem};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "RTV",
        version = "1",
        description = "Figures, posts, imports, kill switches and people of an organisation, for programs.\n\n\
            Every request shows a key of the organisation. A key never does more than its author may at that moment.\n\n\
            Times are RFC 3339 in UTC, days are YYYY-MM-DD in the organisation’s zone, money is an exact amount with its currency, ids \
            begin with their kind. Lists are read a page at a time: send “next” back as “after” until it is null.\n\n\
            A write may carry an Idempotency-Key: sent again within 24 hours it is not done again, and its answer is given again.\n\n\
            Whatever a key may not know of answers as what does not exist.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    components(schemas(Problem, FieldProblem)),
    tags(
        (name = "Tenant", description = "The organisation that the key belongs to."),
        (name = "Figures", description = "What the dashboard shows, and the posts behind it."),
        (name = "Imports", description = "Files of posts."),
        (name = "Deliveries", description = "What is on its way, what became of it, and deciding over what waits for somebody."),
        (name = "Reports", description = "What was built, and what is made of it."),
        (name = "Kill switches", description = "Halting, what is halted, and asking for a release."),
        (name = "Users", description = "Members and what they hold."),
        (name = "Teams", description = "Groups of members and what they are responsible for."),
        (name = "Roles", description = "The built-in roles and the organisation’s own."),
        (name = "Invitations", description = "Who is asked to join."),
        (name = "Audit log", description = "Who did what, when and from where."),
    )
)]
struct Beginning;

/// What the routes are added to.
pub fn beginning() -> Document {
    Beginning::openapi()
}

/// Problems that are told under one status.
fn kinds(status: u16) -> impl Iterator<Item = Kind> {
    Kind::ALL.iter().copied().filter(move |kind| kind.status() == status)
}

/// The whole document.
pub fn whole(document: Document) -> Value {
    let mut document = serde_json::to_value(document).unwrap_or_default();
    document["servers"] = json!([{ "url": "/", "description": "This server" }]);
    document["security"] = json!([{ "key": [] }]);
    let mut statuses: Vec<u16> = Kind::ALL.iter().map(|kind| kind.status()).collect();
    statuses.dedup();
    let responses: Map<String, Value> = statuses.into_iter().map(|status| (name(status), problem(status))).collect();
    document["components"]["responses"] = responses.into();
    document["components"]["securitySchemes"] = json!({
        "key": {
            "type": "http", "scheme": "bearer", "bearerFormat": "rtv_<key>",
            "description": "A key that a member has made at /t/{tenant}/api-keys."
        }
    });
    document["components"]["headers"] = json!({
        "RequestId": {
            "description": "Under which the request stands in our log.", "required": true,
            "schema": { "type": "string", "example": "019aa3cf24f07c919d446a5b1e0f8c22" }
        },
        "RetryAfter": {
            "description": "In how many seconds to try again.", "schema": { "type": "integer", "minimum": 1, "example": 30 }
        },
        "Authenticate": {
            "description": "How to show a key.", "required": true, "schema": { "type": "string", "example": "Bearer realm=\"rtv\"" }
        },
        "Allow": {
            "description": "The methods of the address.", "required": true, "schema": { "type": "string", "example": "GET,HEAD" }
        },
        "Replayed": {
            "description": "The word true, where the answer was given before.",
            "schema": { "type": "string", "example": "true" }
        }
    });
    document["components"]["parameters"] = json!({
        "IdempotencyKey": {
            "name": "Idempotency-Key", "in": "header", "required": false,
            "description": "Of the program’s own making, different for every act. Sent again within 24 hours with the same request the answer is given again and nothing is done; with another request it is refused.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$", "example": "5f0c3a3e-6f5e-4f0e-9d53-0b6b1f1f7c11" }
        }
    });
    tell_all_fields(&mut document);
    tell_words(&mut document);
    if let Some(paths) = document["paths"].as_object_mut() {
        for path in paths.values_mut() {
            for (method, operation) in path.as_object_mut().into_iter().flatten() {
                complete(method, operation);
            }
        }
    }
    add_links(&mut document);
    document
}

/// An operation that is about one thing.
struct Target {
    path: String,
    id: String,
    /// Names of the parts of its address that vary, in order.
    names: Vec<String>,
    needs_version: bool,
}

/// Says of each answer where the ids in it lead: to every operation on that thing, so that a program, or a test, goes from one
/// answer to the next.
fn add_links(document: &mut Value) {
    let mut targets = Vec::new();
    let mut sources = Vec::new();
    for (path, operations) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in operations.as_object().into_iter().flatten() {
            let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
            let names = varying(path);
            let needs_version = operation["parameters"]
                .as_array()
                .is_some_and(|all| all.iter().any(|one| one["name"] == "version" && one["required"] == true));
            for status in ["200", "201", "202"] {
                let body = &operation["responses"][status]["content"]["application/json"]["schema"];
                if let Some(thing) = thing(document, body) {
                    sources.push((path.clone(), method.clone(), id.clone(), status, thing));
                }
            }
            if !names.is_empty() {
                targets.push(Target { path: path.clone(), id, names, needs_version });
            }
        }
    }
    for (path, method, id, status, (place, fields)) in sources {
        let links: Map<String, Value> = targets
            .iter()
            .filter(|target| target.id != id)
            .filter_map(|target| Some((target.id.clone(), link(target, &path, place, &fields)?)))
            .collect();
        if !links.is_empty() {
            document["paths"][&path][&method]["responses"][status]["links"] = links.into();
        }
    }
}

/// The parts of an address that vary.
fn varying(path: &str) -> Vec<String> {
    path.split('/').filter_map(|part| Some(part.strip_prefix('{')?.strip_suffix('}')?.to_owned())).collect()
}

/// Where the thing that a body is about stands in it, and the names of its fields: the body itself, or the first of a page.
fn thing(document: &Value, schema: &Value) -> Option<(&'static str, Vec<String>)> {
    let found = resolved(document, schema);
    let items = &found["properties"]["items"]["items"];
    let (place, fields) = if items.is_null() {
        ("", &found["properties"])
    } else {
        ("/items/0", &resolved(document, items)["properties"])
    };
    Some((place, fields.as_object()?.keys().cloned().collect()))
}

fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let name = schema["$ref"].as_str().and_then(|path| path.strip_prefix("#/components/schemas/"));
    name.map_or(schema, |name| &document["components"]["schemas"][name])
}

/// How an answer of `path` leads to an operation, if it holds all that this asks for. What the answer's own address has said is
/// taken from there.
fn link(target: &Target, path: &str, place: &str, fields: &[String]) -> Option<Value> {
    // `/teams` and `/teams/{id}` lead to what begins with `/teams/{id}`; `/reports/{id}/runs` to what begins with `/runs/{id}`, where
    // the id is the body's.
    let about = path.strip_suffix('}').and_then(|path| path.rsplit_once("/{")).map_or(path, |(before, _)| before);
    let (_, last) = about.rsplit_once('/')?;
    let asked = if target.path.starts_with(&format!("{about}/{{")) {
        varying(path)
    } else if target.path.starts_with(&format!("/api/v1/{last}/{{")) {
        Vec::new()
    } else {
        return None;
    };
    let has = |name: &str| fields.iter().any(|field| field == name);
    let mut parameters = Map::new();
    for name in &target.names {
        let from = if asked.contains(name) {
            format!("$request.path.{name}")
        } else if has(name) {
            format!("$response.body#{place}/{name}")
        } else if name == "format" {
            // Every run that is done has it.
            "pdf".to_owned()
        } else {
            return None;
        };
        parameters.insert(name.clone(), from.into());
    }
    if target.needs_version {
        let field = ["version", "team_version"].into_iter().find(|field| has(field))?;
        parameters.insert("version".into(), format!("$response.body#{place}/{field}").into());
    }
    Some(json!({ "operationId": target.id, "parameters": parameters }))
}

/// What is answered has all of its fields, those that may be null included. What is sent may lack some.
fn tell_all_fields(document: &mut Value) {
    let names: Vec<String> =
        document["components"]["schemas"].as_object().into_iter().flat_map(Map::keys).cloned().collect();
    let operations = document["paths"].as_object().into_iter().flat_map(Map::values);
    let operations = operations.flat_map(|path| path.as_object().into_iter().flat_map(Map::values));
    let mut texts: Vec<String> = operations.map(|operation| operation["requestBody"].to_string()).collect();
    // What is sent, what that is made of, and so on.
    let mut sent: Vec<&String> = Vec::new();
    while let Some(text) = texts.pop() {
        for name in &names {
            if !sent.contains(&name) && text.contains(&format!("#/components/schemas/{name}\"")) {
                sent.push(name);
                texts.push(document["components"]["schemas"][name].to_string());
            }
        }
    }
    let told: Vec<String> = names.iter().filter(|name| *name != "Problem" && !sent.contains(name)).cloned().collect();
    for name in told {
        let schema = &mut document["components"]["schemas"][&name];
        let fields: Vec<String> = schema["properties"].as_object().into_iter().flat_map(Map::keys).cloned().collect();
        if !fields.is_empty() {
            schema["required"] = fields.into();
        }
    }
}

/// What only code knows: the words that a field may hold.
fn tell_words(document: &mut Value) {
    let permissions: Vec<&str> = Permission::ALL.iter().map(|one| one.key()).collect();
    let platforms: Vec<&str> = Platform::ALL.iter().map(|one| one.key()).collect();
    let schemas = document["components"]["schemas"].as_object_mut();
    for schema in schemas.into_iter().flat_map(Map::values_mut) {
        for (name, words) in [("permissions", &permissions), ("platforms", &platforms)] {
            if schema["properties"][name].is_object() {
                schema["properties"][name]["items"] = json!({ "type": "string", "enum": words });
            }
        }
    }
    // A whole number is a number too.
    let value = &mut document["components"]["schemas"]["KpiValue"];
    if let Some(kinds) = value.as_object_mut().and_then(|value| value.remove("oneOf")) {
        value["anyOf"] = kinds;
    }
}

fn name(status: u16) -> String {
    format!("Problem{status}")
}

/// What is told under one status.
fn problem(status: u16) -> Value {
    let kinds: Vec<Kind> = kinds(status).collect();
    let titles: Vec<&str> = kinds.iter().map(|kind| kind.title()).collect();
    let examples: Map<String, Value> = kinds
        .iter()
        .map(|kind| {
            let body = super::problem::Refusal::of(*kind).body("019aa3cf24f07c919d446a5b1e0f8c22");
            let value: Value = serde_json::from_str(&body).unwrap_or_default();
            (kind.key().to_owned(), json!({ "summary": kind.title(), "value": value }))
        })
        .collect();
    let mut headers = json!({ "x-request-id": { "$ref": "#/components/headers/RequestId" } });
    match status {
        401 => headers["WWW-Authenticate"] = json!({ "$ref": "#/components/headers/Authenticate" }),
        405 => headers["Allow"] = json!({ "$ref": "#/components/headers/Allow" }),
        409 | 429 | 503 => headers["Retry-After"] = json!({ "$ref": "#/components/headers/RetryAfter" }),
        _ => {}
    }
    json!({
        "description": format!("{}.", titles.join(", or ")),
        "headers": headers,
        "content": { CONTENT_TYPE: { "schema": { "$ref": "#/components/schemas/Problem" }, "examples": examples } }
    })
}

/// Adds what holds for every operation of its kind.
fn complete(method: &str, operation: &mut Value) {
    let is_write = method != "get";
    let has_body = operation.get("requestBody").is_some();
    let is_of_one = operation["parameters"]
        .as_array()
        .is_some_and(|parameters| parameters.iter().any(|parameter| parameter["in"] == "path"));
    if has_body {
        operation["requestBody"]["required"] = true.into();
    }
    if is_write {
        let key = json!({ "$ref": "#/components/parameters/IdempotencyKey" });
        match operation["parameters"].as_array_mut() {
            Some(parameters) => parameters.push(key),
            None => operation["parameters"] = json!([key]),
        }
    }
    let mut statuses = vec![400, 401, 403, 429, 500, 503];
    if is_of_one {
        statuses.push(404);
    }
    if is_write {
        statuses.extend([404, 409, 413, 422, 423]);
    }
    if has_body {
        statuses.push(415);
    }
    let Some(responses) = operation["responses"].as_object_mut() else { return };
    for response in responses.values_mut() {
        response["headers"] = json!({ "x-request-id": { "$ref": "#/components/headers/RequestId" } });
        if is_write {
            response["headers"][REPLAYED.as_str()] = json!({ "$ref": "#/components/headers/Replayed" });
        }
    }
    for status in statuses {
        responses
            .entry(status.to_string())
            .or_insert_with(|| json!({ "$ref": format!("#/components/responses/{}", name(status)) }));
    }
    debug_assert_eq!(KEY.as_str(), "idempotency-key");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_on_one_thing_is_led_to_by_an_answer() {
        let document = super::super::description();
        let operations: Vec<(String, Value)> = document["paths"]
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(path, all)| all.as_object().unwrap().values().map(|one| (path.clone(), one.clone())))
            .collect();
        let links: Vec<Value> = operations
            .iter()
            .flat_map(|(_, one)| one["responses"].as_object().unwrap().values().cloned())
            .flat_map(|response| response["links"].as_object().cloned().unwrap_or_default())
            .map(|(_, link)| link)
            .collect();
        for (path, operation) in &operations {
            let id = &operation["operationId"];
            let mut leading = links.iter().filter(|link| link["operationId"] == *id);
            // The tenant of a key is named by whoever made the key.
            let is_expected = path.contains('{') && id != "getTenant";
            assert_eq!(leading.next().is_some(), is_expected, "{id}");
            for link in leading {
                let names: Vec<String> = link["parameters"].as_object().unwrap().keys().cloned().collect();
                assert!(varying(path).iter().all(|name| names.contains(name)), "{link}");
            }
        }
        let remove =
            &document["paths"]["/api/v1/teams/{id}/members"]["get"]["responses"]["200"]["links"]["removeTeamMember"];
        assert_eq!(
            remove["parameters"],
            json!({ "id": "$request.path.id", "user": "$response.body#/items/0/user", "version": "$response.body#/items/0/team_version" })
        );
    }
}
