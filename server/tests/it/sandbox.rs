//! The sandbox network as a command: it runs without a database, says where it answers, and stops when it is asked to.

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::command::{Program, ended_within, terminate};

/// A program whose database nobody answers for.
fn without_database() -> Program {
    let nowhere = || "postgres://nobody@127.0.0.1:1/none".to_owned();
    Program::at(nowhere(), nowhere())
}

async fn ask(address: &str, method: &str, path: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head =
        format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn it_runs_without_a_database_and_goes_on_where_it_stopped() {
    let rtv = without_database();
    let ledger = rtv.home.path().join("sandbox.jsonl");
    let faults = rtv.home.path().join("faults.json");
    std::fs::write(&faults, r#"{"seed": 5}"#).unwrap();
    let arguments = ["sandbox", "--addr", "127.0.0.1:0", "--ledger", ledger.to_str().unwrap()];
    for round in 1..=2_usize {
        let mut more = arguments.to_vec();
        if round == 1 {
            more.extend(["--faults", faults.to_str().unwrap()]);
        }
        let mut child = rtv.command(&more).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
        let address = line.split("http://").nth(1).unwrap().split(' ').next().unwrap().to_owned();
        assert!(ask(&address, "GET", "/health", "").await.starts_with("HTTP/1.1 200"));
        assert!(ask(&address, "GET", "/faults", "").await.contains("\"seed\":5"), "dials are remembered");
        let made = ask(&address, "POST", "/accounts", &format!(r#"{{"handle": "round-{round}"}}"#)).await;
        assert!(made.starts_with("HTTP/1.1 201"), "{made}");
        let accounts = ask(&address, "GET", "/accounts", "").await;
        let accounts: Value = serde_json::from_str(accounts.split_once("\r\n\r\n").unwrap().1).unwrap();
        assert_eq!(accounts["items"].as_array().unwrap().len(), round);
        terminate(&child).await;
        assert_eq!(ended_within(&mut child, 10).await.code(), Some(0));
    }
    assert_eq!(std::fs::read_to_string(&ledger).unwrap().lines().count(), 4);
}

#[tokio::test]
async fn what_is_wrong_with_it_is_said() {
    let rtv = without_database();
    rtv.run(&["sandbox"]).await.check(2, "", "--ledger");
    rtv.run(&["sandbox", "--help"]).await.check(0, "rtv sandbox --addr 127.0.0.1:3070", "");
    let ledger = rtv.home.path().join("ledger");
    let ledger = ledger.to_str().unwrap();
    let faults = rtv.home.path().join("faults.json");
    std::fs::write(&faults, r#"{"kinds": {"slow": 2}}"#).unwrap();
    let with_faults = ["sandbox", "--ledger", ledger, "--faults", faults.to_str().unwrap()];
    rtv.run(&with_faults).await.check(2, "", "kinds.slow");
    std::fs::create_dir(ledger).unwrap();
    rtv.run(&["sandbox", "--addr", "127.0.0.1:0", "--ledger", ledger]).await.check(1, "", "cannot be opened");
}
