//! The invariants of the architecture, read from the sources: who may name whom, and what stands in one file only. Each
//! rule is a function over a file's path and text, and is shown to find a violation that is planted.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A broken rule: where, and what is wrong there.
type Finding = String;

/// Where the workspace lies.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// Every Rust file of the workspace with its path from the root, sorted.
fn sources() -> Vec<(String, String)> {
    let root = root();
    let mut files = Vec::new();
    let mut folders: Vec<PathBuf> =
        ["app", "frontend", "server", "crates"].iter().map(|name| root.join(name)).collect();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                files.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    files.sort();
    assert!(files.len() > 100, "the sources were not found: {} files", files.len());
    files
}

/// Whether a file is part of the product, and not a test, an example or this workshop's own kit.
fn is_product(path: &str) -> bool {
    !path.contains("/tests/")
        && !path.ends_with("/tests.rs")
        && !path.contains("/examples/")
        && !path.starts_with("crates/rtv-testkit/")
}

/// The file without comments and without its unit tests. Texts in quotes stay: a rule that looks for code may find its
/// own words there, and is better too strict than blind.
fn code(text: &str) -> String {
    let mut code = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim() == "#[cfg(test)]" {
            // A module of tests reaches to the brace in its own column; anything else that is only for tests is one item.
            let indent = line.len() - line.trim_start().len();
            let end = format!("{}}}", " ".repeat(indent));
            for line in lines.by_ref() {
                if line == end || (line.ends_with(';') && line.len() - line.trim_start().len() == indent) {
                    break;
                }
            }
            continue;
        }
        let is_comment = line.trim_start().starts_with("//");
        let line = if is_comment { "" } else { line.split(" // ").next().unwrap_or_default() };
        code.push_str(line);
        code.push('\n');
    }
    code
}

/// Lines of the code that contain one of the words, as findings.
fn lines_with(path: &str, text: &str, words: &[&str], why: &str) -> Vec<Finding> {
    code(text)
        .lines()
        .filter(|line| words.iter().any(|word| contains_word(line, word)))
        .map(|line| format!("{path}: `{}`: {why}", line.trim()))
        .collect()
}

/// Whether the text stands in the line and no longer word contains it.
fn contains_word(line: &str, word: &str) -> bool {
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back().is_some_and(is_part) && word.starts_with(is_part);
        let after = line[at + word.len()..].chars().next().is_some_and(is_part) && word.ends_with(is_part);
        !before && !after
    })
}

fn crate_of(path: &str) -> &str {
    let path = path.strip_prefix("crates/").unwrap_or(path);
    path.split('/').next().unwrap_or_default()
}

/// Names of the crates that a manifest depends on, those for tests aside.
fn dependencies(manifest: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut is_inside = false;
    for line in manifest.lines() {
        let line = line.trim();
        if let Some(table) = line.strip_prefix('[') {
            let table = table.trim_end_matches(']');
            is_inside = table == "dependencies" || table == "build-dependencies" || table.ends_with(".dependencies");
            if let Some((_, name)) = table.split_once("dependencies.").filter(|(before, _)| !before.ends_with("dev-")) {
                found.insert(name.to_owned());
            }
        } else if is_inside && !line.starts_with('#') {
            let name: String = line
                .chars()
                .take_while(|character| character.is_alphanumeric() || matches!(character, '-' | '_'))
                .collect();
            if !name.is_empty() && line[name.len()..].trim_start().starts_with(['.', '=']) {
                found.insert(name);
            }
        }
    }
    found
}

/// What a crate may not depend on, by what it is for.
fn forbidden_dependencies(name: &str) -> &'static [&'static str] {
    const IO: &[&str] = &[
        "tokio",
        "sqlx",
        "reqwest",
        "hyper",
        "axum",
        "leptos",
        "leptos_axum",
        "leptos_router",
        "leptos_meta",
        "rtv-domain",
        "rtv-jobs",
        "tower",
    ];
    match name {
        "rtv-core" => IO,
        "rtv-ui" => &[
            "tokio",
            "sqlx",
            "reqwest",
            "axum",
            "leptos_axum",
            "server_fn",
            "leptos_router",
            "rtv-domain",
            "rtv-jobs",
            "app",
        ],
        "rtv-charts" | "rtv-import" => {
            &["sqlx", "reqwest", "axum", "leptos", "leptos_axum", "rtv-domain", "rtv-jobs", "app"]
        }
        "rtv-jobs" => &["axum", "leptos", "leptos_axum", "rtv-domain", "app", "server"],
        "rtv-domain" => &[
            "axum",
            "leptos",
            "leptos_axum",
            "leptos_router",
            "leptos_meta",
            "rtv-ui",
            "rtv-charts",
            "tower",
            "app",
            "server",
            "rtv-outbound",
            "rtv-platforms",
            "rtv-sandbox",
        ],
        "rtv-postgres" => &["sqlx", "axum", "leptos", "rtv-core", "rtv-domain", "app", "server"],
        "rtv-outbound" => &["sqlx", "axum", "leptos", "rtv-domain", "rtv-jobs", "rtv-platforms", "app", "server"],
        // An adapter has no other way out than the guarded client.
        "rtv-platforms" => {
            &["sqlx", "axum", "leptos", "tokio", "rtv-domain", "rtv-jobs", "rtv-sandbox", "app", "server"]
        }
        // The judge of what RTV sent shares nothing with it.
        "rtv-sandbox" => &[
            "sqlx",
            "leptos",
            "rtv-core",
            "rtv-domain",
            "rtv-jobs",
            "rtv-outbound",
            "rtv-platforms",
            "rtv-postgres",
            "app",
            "server",
        ],
        "rtv-testkit" => &["app", "server", "axum", "leptos"],
        "app" => &[
            "axum",
            "sqlx",
            "rtv-jobs",
            "rtv-import",
            "rtv-outbound",
            "rtv-platforms",
            "rtv-sandbox",
            "rtv-postgres",
            "server",
            "tower",
        ],
        "frontend" => &["axum", "sqlx", "rtv-domain", "server", "leptos_axum", "tokio"],
        _ => &[],
    }
}

/// Crates that open connections to other machines.
const CLIENTS: [&str; 9] =
    ["lettre", "reqwest", "hyper", "hyper-util", "tokio-rustls", "ureq", "curl", "isahc", "native-tls"];

fn dependencies_go_downwards(name: &str, manifest: &str) -> Vec<Finding> {
    let mut found: Vec<Finding> = dependencies(manifest)
        .iter()
        .filter(|one| forbidden_dependencies(name).contains(&one.as_str()))
        .map(|one| format!("{name} must not depend on {one}"))
        .collect();
    // Invariant 6, for crates that connect by themselves: what is not compiled in cannot be called.
    if name != "rtv-outbound" {
        found.extend(
            dependencies(manifest)
                .iter()
                .filter(|one| CLIENTS.contains(&one.as_str()))
                .map(|one| format!("{name} must not depend on {one}: only rtv-outbound connects to other machines")),
        );
    }
    if dependencies(manifest).contains("rtv-testkit") {
        found.push(format!("{name} depends on rtv-testkit outside its tests"));
    }
    found
}

/// Invariants 1 and 2, for what the manifests cannot hold: a crate that comes with another one.
fn layers_name_no_stranger(path: &str, text: &str) -> Vec<Finding> {
    let words: &[&str] = match crate_of(path) {
        "rtv-core" => &["std::fs", "std::net", "std::io", "std::env", "tokio::", "sqlx::", "leptos::"],
        "rtv-domain" => &["leptos::", "axum::", "leptos_axum::"],
        "app" => &["sqlx::", "axum::", "tower::", "tower_sessions::"],
        "rtv-ui" => &["leptos_router::", "server_fn::", "leptos_axum::", "#[server"],
        _ => &[],
    };
    lines_with(path, text, words, "this layer does not know it")
}

/// Invariant 3.
fn queries_stand_in_the_domain(path: &str, text: &str) -> Vec<Finding> {
    match crate_of(path) {
        "rtv-domain" | "rtv-jobs" | "rtv-testkit" => Vec::new(),
        // The queue's worker is handed its transactions and its listener by their types.
        _ if path == "server/src/jobs.rs" => {
            let text = text
                .replace("sqlx::Transaction<", "")
                .replace("sqlx::Postgres>", "")
                .replace("sqlx::postgres::PgListener", "");
            lines_with(path, &text, &["sqlx::"], "queries stand in rtv-domain and rtv-jobs")
        }
        _ => lines_with(
            path,
            text,
            &["sqlx::", "use sqlx", "query!", "query_as!", "query_scalar!", "QueryBuilder"],
            "queries stand in rtv-domain and rtv-jobs",
        ),
    }
}

/// Invariant 4: every way to a connection of the pool stands in one of these files.
fn transactions_begin_in_one_file(path: &str, text: &str) -> Vec<Finding> {
    match path {
        "crates/rtv-domain/src/transaction.rs" | "crates/rtv-domain/src/database.rs" => Vec::new(),
        // Reads sqlx's own table of migrations, which belongs to no tenant, before anything is served; and migrates as
        // the owner, on a connection of its own.
        "crates/rtv-domain/src/schema.rs" => {
            let mut found =
                lines_with(path, text, &[".begin()", ".acquire()", "PgPool"], "transactions begin in transaction.rs");
            let uses = code(text).matches(".pool()").count();
            if uses != 1 {
                found.push(format!("{path}: {uses} uses of the pool; one is known, to read the table of migrations"));
            }
            found
        }
        _ => {
            let words = [
                ".begin()",
                ".pool()",
                ".acquire()",
                ".try_acquire()",
                "PgPool",
                "PgPoolOptions",
                "PgConnection::connect",
                "PgConnectOptions",
                "connect_with",
                "connect_lazy",
            ];
            // The queue asks what holds its database for a transaction; that trait is made in server/src/jobs.rs.
            let text = if crate_of(path) == "rtv-jobs" { text.replace("db.begin()", "") } else { text.to_owned() };
            lines_with(path, &text, &words, "transactions begin in rtv-domain's transaction.rs")
        }
    }
}

/// Invariant 6. Besides, there are the browser's and the database's connections, which nobody opens to the outside.
fn only_the_gate_connects(path: &str, text: &str) -> Vec<Finding> {
    if crate_of(path) == "rtv-outbound" {
        return Vec::new();
    }
    lines_with(
        path,
        text,
        &["TcpStream::connect", "TcpSocket", "UdpSocket::bind", "reqwest::", "hyper::client", "ureq::", "lettre::"],
        "only rtv-outbound opens connections",
    )
}

/// Invariant 7, the environment.
fn one_file_reads_the_environment(path: &str, text: &str) -> Vec<Finding> {
    if path == "server/src/config.rs" {
        return Vec::new();
    }
    let words = ["env::var", "env::vars", "env::var_os", "env::vars_os", "env::set_var", "dotenv"];
    lines_with(path, text, &words, "only server/src/config.rs reads the environment")
}

/// Invariant 7, the clock. `Instant` measures how long something takes and is free to use.
fn one_file_tells_the_time(path: &str, text: &str) -> Vec<Finding> {
    // The sandbox network is another network, whose clock no test of RTV shifts.
    if matches!(path, "crates/rtv-domain/src/clock.rs" | "crates/rtv-sandbox/src/clock.rs") {
        return Vec::new();
    }
    lines_with(
        path,
        text,
        &["Utc::now", "Local::now", "SystemTime::now", "OffsetDateTime::now_utc", "UNIX_EPOCH"],
        "the present is ctx.now()",
    )
}

/// The same in SQL: the database's clock is not the one that tests shift. Defaults of columns are written by nobody.
fn queries_do_not_ask_the_time(path: &str, text: &str) -> Vec<Finding> {
    if crate_of(path) != "rtv-domain" {
        return Vec::new();
    }
    // database.rs compares the two clocks of a connection to tell whether it is inside a transaction.
    let text = text.replace("now() = statement_timestamp()", "");
    // Leases are measured by the one clock that all senders share, and tests do not shift it.
    let leases = path.starts_with("crates/rtv-domain/src/kill_switch/")
        || ["claim", "result", "sweep"].iter().any(|name| path == format!("crates/rtv-domain/src/delivery/{name}.rs"));
    let text = if leases { text.replace("clock_timestamp()", "") } else { text };
    // Calls of the context and the clock stand behind a dot; a definition has fn before it.
    let text =
        text.replace(".now()", "").replace("fn now(", "").replace("Utc::now()", "").replace("Instant::now()", "");
    lines_with(
        path,
        &text,
        &["now()", "current_timestamp", "current_date", "clock_timestamp()", "statement_timestamp()"],
        "queries are given the time",
    )
}

/// Names of files and modules that say nothing.
fn names_say_something(path: &str, text: &str) -> Vec<Finding> {
    const EMPTY: [&str; 10] =
        ["utils", "util", "helpers", "helper", "common", "manager", "service", "misc", "shared", "types"];
    let mut found = Vec::new();
    for part in path.trim_end_matches(".rs").split('/') {
        let is_empty = part.split(['_', '-']).any(|word| EMPTY.contains(&word));
        if part == "mod" || is_empty {
            found.push(format!(
                "{path}: “{part}” is no name; a file is named after its concept, and there is no mod.rs"
            ));
        }
    }
    for line in code(text).lines() {
        let name = line.trim().trim_start_matches("pub ").trim_start_matches("pub(crate) ").strip_prefix("mod ");
        if let Some(name) = name.map(|name| name.trim_end_matches([';', '{', ' ']))
            && name.split('_').any(|word| EMPTY.contains(&word))
        {
            found.push(format!("{path}: the module “{name}” has no name"));
        }
    }
    found
}

/// A file says what lives in it.
fn files_open_with_their_purpose(path: &str, text: &str) -> Vec<Finding> {
    let purpose = text.lines().next().and_then(|line| line.strip_prefix("//!"));
    if purpose.is_none_or(|sentence| sentence.trim().len() < 10) {
        return vec![format!("{path}: opens without a //! sentence that says what lives here")];
    }
    Vec::new()
}

/// Invariant 8.
fn no_panics_by_default(path: &str, text: &str) -> Vec<Finding> {
    let mut found = lines_with(
        path,
        text,
        &[".unwrap()", "panic!(", "todo!(", "unimplemented!(", "dbg!("],
        "return an error, or state the invariant with expect",
    );
    found.extend(lines_with(path, text, &["unsafe {", "unsafe fn", "unsafe impl"], "unsafe is forbidden"));
    // The allowance is for tests only, and a file may not lift the lints for itself.
    found.extend(
        text.lines()
            .filter(|line| {
                line.contains("allow(")
                    && (line.contains("unwrap_used") || line.contains("unsafe_code"))
                    && !line.contains("cfg_attr(test")
            })
            .map(|line| format!("{path}: `{}`: lifted for tests only", line.trim())),
    );
    found
}

/// What the workspace's lints must say, and that each crate obeys them.
fn lints_are_on(root: &str, manifests: &[(String, String)]) -> Vec<Finding> {
    let mut found = Vec::new();
    for wanted in [
        "unsafe_code = \"forbid\"",
        "unwrap_used = \"warn\"",
        "missing_docs = \"warn\"",
        "pedantic = { level = \"warn\", priority = -1 }",
    ] {
        if !root.lines().any(|line| line.trim() == wanted) {
            found.push(format!("Cargo.toml no longer says {wanted}"));
        }
    }
    for (path, text) in manifests {
        if !text.contains("[lints]\nworkspace = true") {
            found.push(format!("{path} does not take the workspace's lints"));
        }
    }
    found
}

fn check_all(rule: fn(&str, &str) -> Vec<Finding>, is_meant: fn(&str) -> bool) {
    let found: Vec<Finding> =
        sources().iter().filter(|(path, _)| is_meant(path)).flat_map(|(path, text)| rule(path, text)).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

fn manifests() -> Vec<(String, String)> {
    let root = root();
    let mut found = Vec::new();
    let crates = std::fs::read_dir(root.join("crates")).unwrap().map(|entry| entry.unwrap().path());
    for folder in ["app", "frontend", "server"].iter().map(|name| root.join(name)).chain(crates) {
        let path = folder.join("Cargo.toml");
        if path.exists() {
            found.push((
                folder.file_name().unwrap().to_str().unwrap().to_owned(),
                std::fs::read_to_string(path).unwrap(),
            ));
        }
    }
    assert!(found.len() >= 12, "the crates were not found");
    found
}

#[test]
fn dependencies_point_downwards() {
    let found: Vec<Finding> =
        manifests().iter().flat_map(|(name, text)| dependencies_go_downwards(name, text)).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
    check_all(layers_name_no_stranger, is_product);
}

#[test]
fn queries_stand_in_the_domain_and_the_queue() {
    check_all(queries_stand_in_the_domain, is_product);
}

#[test]
fn no_other_file_takes_a_connection() {
    check_all(transactions_begin_in_one_file, is_product);
}

#[test]
fn only_one_crate_connects_to_other_machines() {
    check_all(only_the_gate_connects, is_product);
}

#[test]
fn the_environment_is_read_in_one_file() {
    check_all(one_file_reads_the_environment, is_product);
}

#[test]
fn the_present_is_told_by_the_context() {
    check_all(one_file_tells_the_time, is_product);
    check_all(queries_do_not_ask_the_time, is_product);
}

#[test]
fn files_and_modules_have_names_and_purposes() {
    check_all(names_say_something, |_| true);
    check_all(files_open_with_their_purpose, |_| true);
}

#[test]
fn nothing_panics_by_default_and_the_lints_hold_it() {
    check_all(no_panics_by_default, is_product);
    let text = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let found = lints_are_on(&text, &manifests());
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Each rule finds what is planted, and lets through what only looks like it.
#[test]
#[expect(clippy::too_many_lines, reason = "it is a table of cases")]
fn a_planted_violation_is_found() {
    #[track_caller]
    fn check(rule: fn(&str, &str) -> Vec<Finding>, path: &str, text: &str, is_found: bool) {
        assert_eq!(!rule(path, text).is_empty(), is_found, "{path}: {text}");
    }
    let core = "crates/rtv-core/src/id.rs";
    check(layers_name_no_stranger, core, "use std::fs::File;", true);
    check(layers_name_no_stranger, core, "// std::fs is not used here", false);
    check(layers_name_no_stranger, "crates/rtv-domain/src/kpi.rs", "fn f(_: axum::body::Body) {}", true);
    check(layers_name_no_stranger, "app/src/post/api.rs", "let x = sqlx::query(\"\");", true);
    check(layers_name_no_stranger, "app/src/error.rs", "leptos_axum::redirect(address);", false);
    check(layers_name_no_stranger, "server/src/state.rs", "use axum::extract::FromRef;", false);

    check(queries_stand_in_the_domain, "server/src/http/health.rs", "sqlx::query(\"select 1\")", true);
    check(
        queries_stand_in_the_domain,
        "server/src/jobs.rs",
        "-> Result<sqlx::Transaction<'static, sqlx::Postgres>, DbError>",
        false,
    );
    check(queries_stand_in_the_domain, "server/src/jobs.rs", "sqlx::query_scalar(\"\")", true);
    check(queries_stand_in_the_domain, "app/src/home.rs", "query!(\"select 1\")", true);
    check(queries_stand_in_the_domain, "app/src/home.rs", "use_query!(x)", false);
    check(queries_stand_in_the_domain, "crates/rtv-domain/src/kpi.rs", "sqlx::query!(\"select 1\")", false);

    check(transactions_begin_in_one_file, "crates/rtv-domain/src/kpi.rs", "ctx.database.pool().begin().await", true);
    check(
        transactions_begin_in_one_file,
        "crates/rtv-domain/src/kpi.rs",
        "ctx.begin(Permission::AnalyticsRead, Resource::Posts)",
        false,
    );
    check(transactions_begin_in_one_file, "crates/rtv-domain/src/schema.rs", "a.pool(); b.pool();", true);
    check(transactions_begin_in_one_file, "crates/rtv-domain/src/schema.rs", ".fetch_all(database.pool())", false);
    check(transactions_begin_in_one_file, "server/src/state.rs", "PgPoolOptions::new().connect(url)", true);
    check(transactions_begin_in_one_file, "crates/rtv-domain/src/database.rs", "self.pool.acquire()", false);

    check(only_the_gate_connects, "server/src/http/chart.rs", "tokio::net::TcpStream::connect(x)", true);
    check(only_the_gate_connects, "server/src/serve.rs", "TcpListener::bind(x)", false);
    check(only_the_gate_connects, "crates/rtv-domain/src/mail.rs", "use lettre::AsyncSmtpTransport;", true);
    check(only_the_gate_connects, "crates/rtv-platforms/src/sandbox.rs", "tokio::net::TcpStream::connect(x)", true);
    check(only_the_gate_connects, "crates/rtv-sandbox/src/api.rs", "tokio::net::TcpStream::connect(x)", true);
    check(only_the_gate_connects, "crates/rtv-outbound/src/mail.rs", "use lettre::message::Message;", false);

    check(one_file_reads_the_environment, "server/src/serve.rs", "std::env::var(\"HOME\")", true);
    check(one_file_reads_the_environment, "crates/rtv-postgres/src/installation.rs", "std::env::vars()", true);
    check(one_file_reads_the_environment, "server/src/config.rs", "std::env::vars_os()", false);
    check(one_file_reads_the_environment, "server/src/http/health.rs", "env!(\"CARGO_PKG_VERSION\")", false);

    check(one_file_tells_the_time, "crates/rtv-jobs/src/worker.rs", "let now = Utc::now();", true);
    check(one_file_tells_the_time, "server/src/serve.rs", "std::time::SystemTime::now()", true);
    check(one_file_tells_the_time, "crates/rtv-sandbox/src/api.rs", "let now = Utc::now();", true);
    check(one_file_tells_the_time, "crates/rtv-sandbox/src/clock.rs", "Utc::now()", false);
    check(one_file_tells_the_time, "server/src/serve.rs", "std::time::Instant::now()", false);
    check(
        one_file_tells_the_time,
        "crates/rtv-core/src/a.rs",
        "fn f() {}\n#[cfg(test)]\nmod tests {\n    let x = Utc::now();\n}\n",
        false,
    );
    check(
        one_file_tells_the_time,
        "crates/rtv-core/src/a.rs",
        "#[cfg(test)]\nmod tests {\n}\nlet x = Utc::now();\n",
        true,
    );
    check(
        queries_do_not_ask_the_time,
        "crates/rtv-domain/src/session.rs",
        "delete from session where expires_at < now()",
        true,
    );
    check(queries_do_not_ask_the_time, "crates/rtv-domain/src/session.rs", "let now = ctx.now();", false);

    check(names_say_something, "server/src/http/utils.rs", "", true);
    check(names_say_something, "server/src/http/mod.rs", "", true);
    check(names_say_something, "server/src/session_manager.rs", "", true);
    check(names_say_something, "server/src/http.rs", "pub mod helpers;", true);
    check(names_say_something, "server/src/http.rs", "mod test_common {", true);
    check(names_say_something, "server/src/http/flash.rs", "pub mod model;", false);

    check(files_open_with_their_purpose, "a.rs", "use std::fs;", true);
    check(files_open_with_their_purpose, "a.rs", "//! Files.\nuse std::fs;", true);
    check(files_open_with_their_purpose, "a.rs", "use std::fs;\n//! What a session is and how it ends.", true);
    check(files_open_with_their_purpose, "a.rs", "//! What a session is and how it ends.\nuse std::fs;", false);

    check(no_panics_by_default, "a.rs", "let x = y.unwrap();", true);
    check(no_panics_by_default, "a.rs", "let x = y.unwrap_or_default();", false);
    check(no_panics_by_default, "a.rs", "let x = y.expect(\"states an invariant\");", false);
    check(no_panics_by_default, "a.rs", "todo!()", true);
    check(no_panics_by_default, "a.rs", "unsafe { x }", true);
    check(no_panics_by_default, "a.rs", "#![allow(clippy::unwrap_used)]", true);
    check(no_panics_by_default, "a.rs", "#![cfg_attr(test, allow(clippy::unwrap_used))]", false);

    let found = |name, text| !dependencies_go_downwards(name, text).is_empty();
    assert!(found("rtv-core", "[dependencies]\ntokio.workspace = true\n"));
    assert!(found("rtv-core", "[dependencies]\nleptos = { workspace = true }\n"));
    assert!(found("rtv-domain", "[dependencies.axum]\nversion = \"1\"\n"));
    assert!(found("app", "[target.'cfg(unix)'.dependencies]\nsqlx = \"1\"\n"));
    assert!(found("server", "[dependencies]\nrtv-testkit.workspace = true\n"));
    assert!(found("server", "[dependencies]\nlettre.workspace = true\n"));
    assert!(!found("rtv-outbound", "[dependencies]\nlettre.workspace = true\n"));
    assert!(found("rtv-platforms", "[dependencies]\nhyper.workspace = true\n"));
    assert!(found("rtv-platforms", "[dependencies]\ntokio.workspace = true\n"));
    assert!(found("rtv-domain", "[dependencies]\nrtv-platforms.workspace = true\n"));
    assert!(found("rtv-sandbox", "[dependencies]\nrtv-core.workspace = true\n"));
    assert!(found("rtv-outbound", "[dependencies]\nrtv-domain.workspace = true\n"));
    assert!(!found("server", "[dev-dependencies]\nrtv-testkit.workspace = true\n"));
    assert!(!found("rtv-core", "[dependencies]\nserde.workspace = true\n[dev-dependencies]\ntokio.workspace = true\n"));

    let lints = "unsafe_code = \"forbid\"\nunwrap_used = \"warn\"\nmissing_docs = \"warn\"\npedantic = { level = \"warn\", priority = -1 }\n";
    let obeys = [("a".to_owned(), "[lints]\nworkspace = true\n".to_owned())];
    assert!(lints_are_on(lints, &obeys).is_empty());
    assert_eq!(lints_are_on(&lints.replace("\"forbid\"", "\"warn\""), &obeys).len(), 1);
    assert_eq!(lints_are_on(&lints.replace("unwrap_used = \"warn\"", "unwrap_used = \"allow\""), &obeys).len(), 1);
    assert_eq!(lints_are_on(lints, &[("a".to_owned(), String::new())]).len(), 1);
}
