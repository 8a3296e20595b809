//! Kill switches as programs and the command line meet them: halting, seeing, receipts, asking for a release, and a halt where no
//! database is.

use rtv_core::{Permission, Role};
use serde_json::{Value, json};

use crate::command::Program;
use crate::test_app::TestApp;

#[tokio::test]
async fn a_program_halts_sees_it_and_cannot_resume_by_itself() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    app.on_plan(&acme, "enterprise").await;
    let owner = app.somebody("owner@acme.example", Some((&acme, Role::Owner))).await;
    let program = app.key(owner, &acme, Permission::ALL).await;
    assert_eq!(program.get("/api/v1/switches").await.json()["items"], json!([]));
    let halt = json!({ "scope": { "platform": "linkedin" }, "reason": "wrong-account", "note": "INC-231" });
    let made = program.ask("POST", "/api/v1/switches", Some(&halt)).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json();
    assert_eq!(made["scope"]["platform"], "linkedin");
    assert_eq!(made["scope"]["tenant"], acme.id.to_string(), "never more than the key's tenant");
    let again =
        program.ask("POST", "/api/v1/switches", Some(&json!({ "scope": { "platform": "linkedin" } }))).await.json();
    assert_eq!((&again["halt"], &again["was_engaged"]), (&made["halt"], &json!(true)));
    let listed = program.get("/api/v1/switches").await.json();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1), "{listed}");
    let first = &listed["items"][0];
    assert_eq!(first["id"], made["id"]);
    assert_eq!(
        (&first["reason"], &first["note"]),
        (&json!("wrong-account"), &json!("INC-231")),
        "a switch that is engaged keeps its first facts"
    );
    let id = made["id"].as_str().unwrap();
    let receipt = program.get(&format!("/api/v1/switches/{id}/receipt")).await;
    assert_eq!(receipt.status, 200, "{}", receipt.text());
    assert_eq!(receipt.json()["halt"], made["halt"]);
    let name = listed["items"][0]["name"].as_str().unwrap();
    let release = |name: &str| json!({ "name": name, "reason": "Tokens are mended", "plan": { "what": "drop" } });
    let path = format!("/api/v1/switches/{id}/release");
    let mistyped = program.ask("POST", &path, Some(&release("linkedin"))).await;
    assert_eq!((mistyped.status.as_u16(), &mistyped.json()["errors"][0]["field"]), (422, &json!("name")));
    let asked = program.ask("POST", &path, Some(&release(name))).await;
    assert_eq!(asked.status, 202, "{}", asked.text());
    assert!(asked.json()["release"].as_str().unwrap().starts_with("rel_"));
    assert_eq!(
        program.get("/api/v1/switches").await.json()["items"][0]["id"],
        made["id"],
        "it stays engaged until a person approves"
    );
}

#[tokio::test]
async fn a_halt_that_is_written_wrongly_names_the_field_and_halts_nothing() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    app.on_plan(&acme, "enterprise").await;
    app.tenant("globex").await;
    let owner = app.somebody("owner@acme.example", Some((&acme, Role::Owner))).await;
    let program = app.key(owner, &acme, Permission::ALL).await;
    let check = async |body: Value, status: u16, field: Option<&str>| {
        let answer = program.ask("POST", "/api/v1/switches", Some(&body)).await;
        let problem = answer.json();
        assert_eq!(
            (answer.status.as_u16(), problem["errors"][0]["field"].as_str()),
            (status, field),
            "{body}: {problem}"
        );
    };
    check(json!({ "scope": { "platform": "myspace" } }), 422, Some("platform")).await;
    check(json!({ "scope": { "action": "dance" } }), 422, Some("action")).await;
    check(json!({ "scope": { "everything": true } }), 422, Some("everything")).await;
    check(json!({ "reason": "boredom" }), 422, Some("reason")).await;
    check(json!({ "review_in": "soon" }), 422, Some("review_in")).await;
    check(json!({ "ticket": "INC-231" }), 422, Some("ticket")).await;
    // Foreign and nonexistent answer alike.
    check(json!({ "scope": { "tenant": "globex" } }), 404, None).await;
    check(json!({ "scope": { "tenant": "nowhere" } }), 404, None).await;
    check(json!({ "scope": { "account": "acc_0192f3c4a1b27d3e8f9a0b1c2d3e4f50" } }), 404, None).await;
    assert_eq!(program.get("/api/v1/switches").await.json()["items"], json!([]));
}

#[tokio::test]
async fn at_the_command_line_one_line_halts_and_another_says_what_is_halted() {
    let app = TestApp::new().await;
    app.tenant("acme").await;
    let program = Program::of(&app);
    program.run(&["switch", "list"]).await.check(0, "Nothing is halted.", "");
    program.run(&["switch", "engage"]).await.check(2, "", "scope");
    program.run(&["switch", "engage", "--platform", "myspace"]).await.check(2, "", "platform");
    program.run(&["switch", "engage", "--tenant", "nowhere"]).await.check(1, "", "not found");
    program.run(&["switch", "preview", "--tenant", "acme"]).await.check(0, "0 deliveries due", "");
    let halt = ["switch", "engage", "--tenant", "acme", "--platform", "x", "--reason", "crisis", "--json"];
    let engaged = program.run(&halt).await.json();
    assert_eq!(engaged["state"]["state"], "halted", "no process sends, so it is at rest at once: {engaged}");
    assert_eq!(engaged["was_engaged"], false);
    assert_eq!(program.run(&halt).await.json()["was_engaged"], true);
    let listed = program.run(&["switch", "list", "--json"]).await.json();
    assert_eq!(listed["switches"][0]["id"], engaged["id"], "{listed}");
    assert_eq!(listed["switches"][0]["by_staff"], true);
    assert_eq!(listed["senders"], json!([]));
    let receipt = program.run(&["switch", "receipt", engaged["id"].as_str().unwrap(), "--json"]).await.json();
    assert_eq!((&receipt["halt"], &receipt["reason"]), (&engaged["halt"], &json!("crisis")));
    program.run(&["switch", "receipt", engaged["halt"].as_str().unwrap()]).await.check(0, "click to halt", "");
    // Two persons: asking is not releasing, and nobody approves what they have asked for.
    let name = listed["switches"][0]["name"].as_str().unwrap();
    let id = engaged["id"].as_str().unwrap();
    program
        .run(&["switch", "release", "--switch", id, "--confirm", "no", "--reason", "r"])
        .await
        .check(2, "", "confirm");
    let release = ["switch", "release", "--switch", id, "--confirm", name, "--reason", "It is over", "--json"];
    let asked = program.run(&release).await.json();
    assert_eq!(asked["outcome"], "waits", "{asked}");
    let approved = program.run(&["switch", "release", "--approve", asked["release"].as_str().unwrap()]).await;
    assert_eq!(approved.status, Some(1), "{approved:?}");
    program.run(&["switch", "list"]).await.check(0, name, "");
    let listed = program.run(&["switch", "list", "--json"]).await.json();
    assert_eq!(listed["switches"][0]["waiting"]["release"], asked["release"], "{listed}");
}

#[tokio::test]
async fn the_command_prints_the_objects_of_the_api() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    app.on_plan(&acme, "enterprise").await;
    let owner = app.somebody("owner@acme.example", Some((&acme, Role::Owner))).await;
    let key = app.key(owner, &acme, Permission::ALL).await;
    let command = Program::of(&app);
    let halt = json!({ "scope": { "platform": "x" }, "reason": "crisis", "note": "Quiet", "ticket": "https://tickets.example/7" });
    let made = key.ask("POST", "/api/v1/switches", Some(&halt)).await.json();
    let id = made["id"].as_str().unwrap();
    let printed = command.run(&["switch", "list", "--json"]).await.json();
    assert_eq!(printed["switches"], key.get("/api/v1/switches").await.json()["items"]);
    let preview = command.run(&["switch", "preview", "--tenant", "acme", "--platform", "x", "--json"]).await.json();
    assert_eq!(preview, key.get("/api/v1/switches/preview?platform=x").await.json());
    let mut engaged =
        command.run(&["switch", "engage", "--tenant", "acme", "--platform", "linkedin", "--json"]).await.json();
    let again = key.ask("POST", "/api/v1/switches", Some(&json!({ "scope": { "platform": "linkedin" } }))).await.json();
    assert_eq!(engaged["state"]["state"], "halted", "{engaged}");
    for (field, value) in [("state", json!(null)), ("was_engaged", json!(true)), ("epoch", again["epoch"].clone())] {
        engaged[field] = value;
    }
    assert_eq!(engaged, again, "what was engaged keeps its first facts, whoever asks");
    let printed = command.run(&["switch", "receipt", id, "--json"]).await.json();
    assert_eq!(printed, key.get(&format!("/api/v1/switches/{id}/receipt")).await.json());
    assert_eq!((&printed["note"], &printed["ticket"]), (&halt["note"], &halt["ticket"]));
}

#[tokio::test]
async fn a_halt_without_a_database_is_a_file() {
    let app = TestApp::new().await;
    let mut program = Program::of(&app);
    program.break_database();
    program.run(&["switch", "list"]).await.check(1, "", "");
    let written = program
        .run(&["switch", "engage", "--platform", "x", "--reason", "security", "--note", "now", "--local", "--json"])
        .await
        .json();
    let path = std::path::PathBuf::from(written["path"].as_str().unwrap());
    assert!(path.starts_with(program.home.path().join("halt.d")), "{path:?}");
    let text: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!((&text["reason"], &text["note"]), (&json!("security"), &json!("now")), "{text}");
    program.run(&["switch", "engage", "--tenant", "acme", "--local"]).await.check(2, "", "ten_");
    program.run(&["switch", "engage", "--account", "acc_1", "--local"]).await.check(2, "", "local");
    program.run(&["switch", "engage", "--local"]).await.check(2, "", "scope");
}
