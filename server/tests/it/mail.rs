//! Handing mail over, from the transaction that wrote it to a mail server that takes it: a listener of this file that speaks
//! as much SMTP as RTV needs, and that is busy, refuses or falls silent where a test says so.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rtv_core::Role;
use rtv_domain::invitation::{self, NewInvitation};
use rtv_domain::mail::{self, State};
use rtv_domain::{PoolSettings, access};
use rtv_server::jobs::{Equipment, MailRoom};
use secrecy::SecretString;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::test_app::TestApp;

/// How the server answers one mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Takes it.
    Takes,
    /// Says 451 to the recipient.
    IsBusy,
    /// Says 550 to the recipient.
    Refuses,
    /// Says 451 to the whole message.
    IsBusyAfterTheMessage,
    /// Reads the whole message and hangs up without a word.
    FallsSilent,
}

/// What the server has taken and what it was told.
#[derive(Default)]
struct Post {
    /// Messages to their last line, also those that were not answered.
    messages: Vec<String>,
    /// User and password of those who signed in.
    credentials: Vec<String>,
    /// Conversations that were begun.
    conversations: usize,
}

pub(crate) struct MailServer {
    port: u16,
    post: Arc<Mutex<Post>>,
}

impl MailServer {
    /// Goes through the moods mail by mail, and then takes everything.
    pub(crate) async fn start(moods: &[Mood]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let taken: Arc<Mutex<Post>> = Arc::default();
        let moods = Arc::new(Mutex::new(moods.iter().copied().collect::<VecDeque<_>>()));
        let kept = taken.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let mood = moods.lock().unwrap().pop_front().unwrap_or(Mood::Takes);
                tokio::spawn(converse(stream, mood, kept.clone()));
            }
        });
        Self { port, post: taken }
    }

    pub(crate) fn messages(&self) -> Vec<String> {
        self.post.lock().unwrap().messages.clone()
    }

    pub(crate) fn address(&self) -> SecretString {
        SecretString::from(format!("smtp://rtv:s3cr%2Ft@127.0.0.1:{}", self.port))
    }
}

async fn converse(stream: TcpStream, mood: Mood, post: Arc<Mutex<Post>>) {
    post.lock().unwrap().conversations += 1;
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    writer.write_all(b"220 post.example ready\r\n").await.unwrap();
    while let Ok(Some(line)) = lines.next_line().await {
        let verb = line.split_whitespace().next().unwrap_or_default().to_uppercase();
        let answer = match verb.as_str() {
            "EHLO" => "250-post.example\r\n250-AUTH PLAIN\r\n250 8BITMIME",
            "AUTH" => {
                post.lock().unwrap().credentials.push(line.clone());
                "235 welcome"
            }
            "RCPT" if mood == Mood::IsBusy => "451 come back later",
            "RCPT" if mood == Mood::Refuses => "550 no such mailbox",
            "MAIL" | "RCPT" => "250 go on",
            "DATA" => {
                writer.write_all(b"354 go ahead\r\n").await.unwrap();
                let mut message = String::new();
                while let Ok(Some(line)) = lines.next_line().await {
                    if line == "." {
                        break;
                    }
                    message.push_str(&line);
                    message.push('\n');
                }
                match mood {
                    Mood::IsBusyAfterTheMessage => "451 come back later",
                    Mood::FallsSilent => {
                        post.lock().unwrap().messages.push(message);
                        return;
                    }
                    _ => {
                        post.lock().unwrap().messages.push(message);
                        "250 taken"
                    }
                }
            }
            "QUIT" => {
                let _ = writer.write_all(b"221 goodbye\r\n").await;
                return;
            }
            _ => "502 what",
        };
        if writer.write_all(format!("{answer}\r\n").as_bytes()).await.is_err() {
            return;
        }
    }
}

/// An RTV that sends to this server, with a worker that runs until the answer is dropped.
async fn sending(server: &MailServer) -> (TestApp, oneshot::Sender<()>) {
    let address = server.address();
    let app = TestApp::with(
        |settings| {
            settings.smtp_url = Some(address);
            settings.mail_from = Some("RTV <rtv@post.example>".into());
        },
        4,
    )
    .await;
    let (stop, stopped) = oneshot::channel::<()>();
    let database =
        rtv_domain::Database::open(&app.db.app_url(), PoolSettings { connections: 4, ..PoolSettings::default() })
            .await
            .unwrap();
    let mail = MailRoom {
        vault: app.state.vault.clone(),
        mailer: app.state.settings.mailer().unwrap(),
        outbox: app.state.outbox.clone(),
    };
    let equipment = Equipment { database, mail, ..Equipment::of(&app.state) };
    tokio::spawn(rtv_server::jobs::run(equipment, async move {
        let _ = stopped.await;
    }));
    (app, stop)
}

async fn invite(app: &TestApp, email: &str) {
    let acme = match rtv_domain::tenant::list(&app.operator()).await.unwrap().into_iter().next() {
        Some(listed) => listed.tenant,
        None => app.tenant("acme").await,
    };
    let ctx = access::enter_as_operator(&app.operator(), &acme.slug, "test").await.unwrap();
    let new = NewInvitation { email: email.into(), role: Role::Viewer.key().into() };
    invitation::invite(&ctx, &app.state.outbox, &new).await.unwrap();
}

/// Waits until the newest mail is in this state.
async fn becomes(app: &TestApp, expect: State) -> mail::Listed {
    for _ in 0..400 {
        let newest = mail::list(&app.operator()).await.unwrap().into_iter().next();
        if let Some(mail) = newest.filter(|mail| mail.state == expect) {
            return mail;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the mail does not become {expect:?}: {:?}", mail::list(&app.operator()).await.unwrap());
}

/// Makes a job that waits for its next attempt due at once.
async fn hurry(app: &TestApp) {
    let mut tx = app.marked("worker", None, None).await;
    sqlx::query("update job set run_at = now() where finished_at is null and kind = 'mail.deliver'")
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_mail_reaches_the_server_once_and_its_link_works() {
    let server = MailServer::start(&[]).await;
    let (app, _stop) = sending(&server).await;
    invite(&app, "dana@example.org").await;
    becomes(&app, State::Sent).await;
    let messages = server.messages();
    assert_eq!(messages.len(), 1);
    let message = messages[0].replace("=\n", "");
    for part in [
        "From: RTV <rtv@post.example>",
        "To: dana@example.org",
        "Auto-Submitted: auto-generated",
        "@post.example>",
        "Content-Type: text/plain; charset=utf-8",
        "http://rtv.example/invite/",
    ] {
        assert!(message.contains(part), "{part} is not in {message}");
    }
    let credentials = server.post.lock().unwrap().credentials.clone();
    // PLAIN is base64 of \0user\0password.
    assert!(credentials.len() == 1 && credentials[0].contains("AHJ0dgBzM2NyL3Q="), "{credentials:?}");
    let token = message.split_once("/invite/").unwrap().1.split_whitespace().next().unwrap();
    let page = app.browser().get(&format!("/invite/{token}")).await;
    assert!(page.status == 200 && page.text().contains("Join The acme"), "{}", page.text());
    let mut tx = app.marked("worker", None, None).await;
    let bodies: i64 = sqlx::query_scalar("select count(sealed_body) from mail").fetch_one(&mut *tx).await.unwrap();
    assert_eq!(bodies, 0, "nothing of it is kept");
}

#[tokio::test]
async fn a_busy_server_is_tried_again_and_gets_the_mail_once() {
    let server = MailServer::start(&[Mood::IsBusy, Mood::IsBusyAfterTheMessage]).await;
    let (app, _stop) = sending(&server).await;
    invite(&app, "dana@example.org").await;
    for _ in 0..100 {
        if mail::list(&app.operator()).await.unwrap()[0].state == State::Sent {
            break;
        }
        hurry(&app).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let sent = becomes(&app, State::Sent).await;
    assert_eq!((sent.last_error, server.messages().len()), (None, 1));
    assert_eq!(server.post.lock().unwrap().conversations, 3);
}

#[tokio::test]
async fn a_refused_mail_is_given_up_and_says_why() {
    let server = MailServer::start(&[Mood::Refuses]).await;
    let (app, _stop) = sending(&server).await;
    invite(&app, "dana@example.org").await;
    let failed = becomes(&app, State::Failed).await;
    assert!(failed.last_error.is_some_and(|error| error.contains("no such mailbox")));
    assert_eq!(server.messages().len(), 0);
}

/// The one case in which nobody can know; a second copy would be the worse answer.
#[tokio::test]
async fn a_mail_whose_answer_never_came_is_not_sent_again() {
    let server = MailServer::start(&[Mood::FallsSilent]).await;
    let (app, _stop) = sending(&server).await;
    invite(&app, "dana@example.org").await;
    becomes(&app, State::Uncertain).await;
    hurry(&app).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!((server.messages().len(), server.post.lock().unwrap().conversations), (1, 1));
}

#[tokio::test]
async fn a_worker_without_a_mail_server_leaves_mail_alone() {
    let server = MailServer::start(&[]).await;
    let (app, stop) = sending(&server).await;
    drop(stop);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let database = rtv_domain::Database::open(&app.db.app_url(), PoolSettings::default()).await.unwrap();
    let mail = MailRoom { vault: app.state.vault.clone(), mailer: None, outbox: app.state.outbox.clone() };
    let (end, ended) = oneshot::channel::<()>();
    let equipment = Equipment { database, mail, ..Equipment::of(&app.state) };
    let worker = tokio::spawn(rtv_server::jobs::run(equipment, async move {
        let _ = ended.await;
    }));
    invite(&app, "dana@example.org").await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(mail::list(&app.operator()).await.unwrap()[0].state, State::Waiting);
    drop(end);
    worker.await.unwrap();
}

#[tokio::test]
async fn caught_mail_is_on_a_page_for_staff_and_nowhere_for_others() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let staff = app.somebody("staff@rtv.example", None).await;
    let owner = app.somebody("owner@acme.example", Some((&acme, Role::Owner))).await;
    let mut operator = app.signed_in(staff).await;
    let empty = operator.get("/staff/mail").await;
    assert!(empty.status == 200 && empty.text().contains("No mail was written"), "{}", empty.text());
    invite(&app, "dana@example.org").await;
    let list = operator.get("/staff/mail").await.text();
    assert!(list.contains("dana@example.org") && list.contains("Caught") && !list.contains("/invite/"), "{list}");
    let (_, rest) = list.split_once("href=\"/staff/mail/").unwrap();
    let path = format!("/staff/mail/{}", rest.split('"').next().unwrap());
    let one = operator.get(&path).await.text();
    let link = app.link_to("dana@example.org").await;
    assert!(one.contains(&format!("href=\"{link}\"")), "the link can be followed: {one}");
    let seen = |text: String| text.split("</html>").next().map(str::to_owned);
    for mut browser in [app.browser(), app.signed_in(owner).await] {
        let nothing = browser.get("/staff/nothing").await;
        for path in ["/staff/mail", &path] {
            let answer = browser.get(path).await;
            assert_eq!((answer.status.as_u16(), seen(answer.plain())), (404, seen(nothing.plain())), "{path}");
        }
    }
}

#[tokio::test]
async fn mail_settings_that_cannot_work_are_refused_at_the_start_and_keep_their_password() {
    let site = crate::test_app::site();
    let check = |url: &str, from: Option<&str>, expect: &str| {
        let mut settings = crate::test_app::settings(&site);
        settings.smtp_url = Some(SecretString::from(url.to_owned()));
        settings.mail_from = from.map(str::to_owned);
        let refusal = settings.check().unwrap_err().to_string();
        assert!(refusal.contains(expect) && !refusal.contains("geheim"), "{refusal}");
        assert!(!format!("{settings:?}").contains("geheim"));
    };
    check("smtps://u:geheim@post.example", None, "RTV_MAIL_FROM");
    check("https://u:geheim@post.example", Some("RTV <rtv@post.example>"), "smtps://");
}
