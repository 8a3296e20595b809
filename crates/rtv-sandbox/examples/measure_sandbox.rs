//! Measures how many posts a second the sandbox network takes, each with a connection of its own and on the disk before its
//! answer. `measure_sandbox [SECONDS] [CONNECTIONS]`.

use core::net::SocketAddr;
use core::time::Duration;
use std::io;
use std::process::ExitCode;
use std::time::Instant;

use rtv_sandbox::{Dials, Options, Sandbox};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u64>().unwrap_or(0));
    let seconds = arguments.next().unwrap_or(5).max(1);
    let connections = arguments.next().unwrap_or(32).max(1);
    let home = std::env::temp_dir().join(format!("measure-sandbox-{}", std::process::id()));
    let measured = measure(home.join("ledger.jsonl"), Duration::from_secs(seconds), connections).await;
    // Only what this program made itself.
    let _ = std::fs::remove_dir_all(&home);
    match measured {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(ledger: std::path::PathBuf, span: Duration, connections: u64) -> Result<String, String> {
    let dials = Dials { rate: None, ..Dials::default() };
    let addr = SocketAddr::from(([127, 0, 0, 1], 0));
    let sandbox = Sandbox::start(Options { addr, ledger, dials: Some(dials) }).await?;
    let addr = sandbox.addr();
    let account = ask(addr, "/accounts", "", r#"{"handle": "load"}"#).await.map_err(|error| error.to_string())?;
    let token = account.split("\"token\":\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
    let bearer = format!("authorization: Bearer {token}\r\n");
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for number in 0..connections {
        let bearer = bearer.clone();
        tasks.spawn(async move {
            let mut times = Vec::new();
            while started.elapsed() < span {
                let asked = Instant::now();
                let text = format!(r#"{{"text": "connection {number}, post {}"}}"#, times.len());
                let answer = ask(addr, "/posts", &bearer, &text).await.map_err(|error| error.to_string())?;
                if !answer.starts_with("HTTP/1.1 201") {
                    return Err(answer);
                }
                times.push(asked.elapsed());
            }
            Ok(times)
        });
    }
    let mut times = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        times.extend(ended.map_err(|error| error.to_string())??);
    }
    let took = started.elapsed();
    sandbox.stop().await?;
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100].as_secs_f64() * 1_000.0;
    let rate = times.len() as u128 * 1_000 / took.as_millis().max(1);
    Ok(format!("{connections} connections: {rate} posts a second, p50 {:.1} ms, p99 {:.1} ms", at(50), at(99)))
}

async fn ask(addr: SocketAddr, path: &str, headers: &str, body: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(addr).await?;
    let length = body.len();
    let head =
        format!("POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n");
    stream.write_all(format!("{head}{body}").as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}
