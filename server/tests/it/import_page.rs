//! Imports by page: what becomes of an upload, whom the pages answer, and that nothing of one tenant's import is
//! reached through another.

use axum::body::Body;
use bytes::Bytes;
use futures::stream;
use http::{Request, StatusCode, header};
use rtv_core::{ImportState, Role};
use rtv_domain::import::{self, Import};
use rtv_domain::{Tenant, TenantContext, access};

use crate::test_app::{Answer, Browser, COLUMNS, TestApp};

const BOUNDARY: &str = "----what-stands-between";
const FILE: &str = "platform,account_id,post_id,published_at,reach\nx,page,p1,2026-03-01T10:00:00Z,100\n";

struct World {
    app: TestApp,
    acme: Tenant,
}

impl World {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut rtv_server::config::Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap().keep();
        let app = TestApp::with(
            |settings| {
                settings.uploads = Some(folder);
                change(settings);
            },
            4,
        )
        .await;
        let acme = app.tenant("acme").await;
        Self { app, acme }
    }

    async fn browser(&self, role: Role) -> Browser<'_> {
        let person = self.app.somebody(&format!("{role}@acme.example"), Some((&self.acme, role))).await;
        self.app.signed_in(person).await
    }

    async fn ctx(&self) -> TenantContext {
        access::enter_as_operator(&self.app.operator(), &self.acme.slug, "test").await.unwrap()
    }

    async fn imports(&self) -> Vec<rtv_domain::import::ListedImport> {
        import::list(&self.ctx().await, None).await.unwrap().imports
    }

    async fn one(&self, answer: &Answer) -> Import {
        let id = answer.location().rsplit('/').next().unwrap().parse().unwrap();
        import::one(&self.ctx().await, id).await.unwrap()
    }

    /// Files that lie in the folder of uploads, whosever they are.
    fn files(&self) -> usize {
        fn count(folder: &std::path::Path) -> usize {
            let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
            entries.map(|entry| entry.unwrap().path()).map(|path| if path.is_dir() { count(&path) } else { 1 }).sum()
        }
        count(self.app.state.settings.uploads.as_deref().unwrap())
    }
}

fn form(name: &str, content: &str) -> String {
    format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: text/csv\r\n\r\n{content}\r\n--{BOUNDARY}--\r\n"
    )
}

async fn send(browser: &mut Browser<'_>, body: Body, length: Option<usize>) -> Answer {
    let mut request = Request::post("/t/acme/imports")
        .header("sec-fetch-site", "same-origin")
        .header(header::ACCEPT, "text/html,*/*;q=0.8")
        .header(header::CONTENT_TYPE, format!("multipart/form-data; boundary={BOUNDARY}"));
    if let Some(length) = length {
        request = request.header(header::CONTENT_LENGTH, length);
    }
    browser.send(request.body(body).unwrap()).await
}

async fn upload(browser: &mut Browser<'_>, name: &str, content: &str) -> Answer {
    let body = form(name, content);
    let length = body.len();
    send(browser, Body::from(body), Some(length)).await
}

#[tokio::test]
async fn a_file_is_taken_and_leads_to_its_import() {
    let world = World::new().await;
    let mut editor = world.browser(Role::Editor).await;
    let answer = upload(&mut editor, "../posts of “March”.csv", FILE).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    let import = world.one(&answer).await;
    assert_eq!((import.state, import.bytes), (ImportState::Uploaded, FILE.len() as u64));
    let page = editor.get(answer.location()).await;
    assert_eq!(page.status, 200);
    for words in ["2026, 10:00", "Check the whole file", "Keep the first row"] {
        assert!(page.text().contains(words), "{words}: {}", page.text());
    }
    let list = editor.get("/t/acme/imports").await;
    assert!(list.text().contains(answer.location()), "the list leads to it");
}

#[tokio::test]
async fn a_larger_file_than_a_form_may_be_goes_in_as_it_comes() {
    let world = World::new().await;
    let mut editor = world.browser(Role::Editor).await;
    let rows: String =
        (0..20_000).map(|row| format!("x,page,p{row},2026-03-01T10:00:00Z,{row}\n")).collect::<Vec<_>>().concat();
    let body = form("large.csv", &format!("platform,account_id,post_id,published_at,reach\n{rows}"));
    assert!(body.len() > 512 * 1_024, "larger than the limit of forms");
    // In pieces and without a length, as a proxy may pass it on.
    let pieces: Vec<Result<Bytes, std::io::Error>> =
        body.as_bytes().chunks(7_919).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    let answer = send(&mut editor, Body::from_stream(stream::iter(pieces)), None).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    assert_eq!(world.one(&answer).await.state, ImportState::Uploaded);
}

#[tokio::test]
async fn what_is_too_large_is_refused_before_it_comes_and_while_it_comes() {
    let world = World::with(|settings| settings.upload_bytes = 200_000).await;
    let mut editor = world.browser(Role::Editor).await;
    let announced = {
        let body = form("huge.csv", FILE);
        // The body never comes: who waited for it would never answer.
        let beginning = stream::iter([Ok::<_, std::io::Error>(Bytes::from(body))]);
        let endless = futures::StreamExt::chain(beginning, stream::pending());
        send(&mut editor, Body::from_stream(endless), Some(500_000_000)).await
    };
    let unannounced = {
        let body = form("huge.csv", &format!("{FILE}{}", "x,page,p2,2026-03-01T10:00:00Z,1\n".repeat(10_000)));
        send(&mut editor, Body::from(body), None).await
    };
    for answer in [announced, unannounced] {
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
        for words in ["There is a problem", "Import a file", "#field-file"] {
            assert!(answer.text().contains(words), "{words}: {}", answer.text());
        }
    }
    let quota = World::with(|settings| settings.upload_quota_bytes = 100).await;
    let answer = upload(&mut quota.browser(Role::Editor).await, "posts.csv", FILE).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(answer.text().contains("There is a problem"), "{}", answer.text());
}

#[tokio::test]
async fn what_is_no_table_is_refused_with_the_reason_and_nothing_stays() {
    let world = World::new().await;
    let mut editor = world.browser(Role::Editor).await;
    for (name, content) in [("empty.csv", ""), ("header.csv", "a,b,c\n")] {
        let answer = upload(&mut editor, name, content).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}: {}", answer.text());
        assert!(answer.text().contains("There is a problem"), "{name}");
    }
    let mut picture = form("picture.csv", "@").into_bytes();
    let place = picture.iter().position(|byte| *byte == b'@').unwrap();
    picture.splice(place..=place, *b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01");
    for body in [picture, format!("--{BOUNDARY}--\r\n").into_bytes(), form("", "").into_bytes(), Vec::new()] {
        let answer = send(&mut editor, Body::from(body), None).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text());
    }
    // What was written is removed by a task of its own.
    for _ in 0..50 {
        if world.files() == 0 && world.imports().await.is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!((world.files(), world.imports().await), (0, Vec::new()));
}

#[tokio::test]
async fn a_sender_that_breaks_off_leaves_nothing() {
    let world = World::new().await;
    let mut editor = world.browser(Role::Editor).await;
    let whole = form("half.csv", &format!("{FILE}{}", "x,page,p2,2026-03-01T10:00:00Z,1\n".repeat(10_000)));
    let half = Bytes::copy_from_slice(&whole.as_bytes()[..whole.len() / 2]);
    let pieces = [Ok(half), Err(std::io::Error::other("the connection is gone"))];
    let answer = send(&mut editor, Body::from_stream(stream::iter(pieces)), Some(whole.len())).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text().contains("did not arrive whole"), "{}", answer.text());
    assert_eq!((world.files(), world.imports().await), (0, Vec::new()));
}

#[tokio::test]
async fn a_viewer_is_told_inside_the_frame_what_is_missing_and_who_can_grant_it() {
    let world = World::new().await;
    let mut viewer = world.browser(Role::Viewer).await;
    let page = viewer.get("/t/acme/imports").await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    for words in ["imports:manage", "Ask an owner or an admin", "href=\"/t/acme/dashboard\""] {
        assert!(page.text().contains(words), "{words}: {}", page.text());
    }
    assert!(!page.text().contains("href=\"/t/acme/imports\""), "no entry leads to what they may not see");
    assert!(
        world.browser(Role::Editor).await.get("/t/acme/dashboard").await.text().contains("href=\"/t/acme/imports\"")
    );
    let answer = upload(&mut viewer, "posts.csv", FILE).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!((world.files(), world.imports().await), (0, Vec::new()));
}

#[tokio::test]
async fn an_import_of_others_is_not_reached_through_ones_own_tenant() {
    let world = World::new().await;
    let other = world.app.tenant("other").await;
    let row = |name: &str| {
        let missing = COLUMNS.split(',').count() - 4;
        vec![format!("x,{name},p1,2026-11-20T10:00:00Z{}", ",".repeat(missing))]
    };
    let foreign = world.app.posts(&other, &row("theirs")).await;
    let mut owner = world.browser(Role::Owner).await;
    let path = format!("/t/acme/imports/{foreign}");
    for get in ["", "/roll-back", "/refused.csv"] {
        assert_eq!(owner.get(&format!("{path}{get}")).await.status, 404, "{get}");
    }
    for post in ["check", "start", "cancel", "roll-back"] {
        assert_eq!(owner.post(&format!("{path}/{post}"), &[]).await.status, 404, "{post}");
    }
    let stays = access::enter_as_operator(&world.app.operator(), &other.slug, "test").await.unwrap();
    assert_eq!(import::one(&stays, foreign).await.unwrap().state, ImportState::Done);
}

#[tokio::test]
async fn what_was_chosen_comes_back_with_what_was_wrong_about_it() {
    let world = World::new().await;
    let mut editor = world.browser(Role::Editor).await;
    let answer = upload(&mut editor, "own.csv", "When,Likes\n03/04/2026,12\n05/06/2026,8\n").await;
    let page = answer.location().to_owned();
    let first = editor.get(&page).await;
    assert_eq!(first.status, 200);
    assert!(first.text().contains("the day or the month"), "{}", first.text());
    assert!(!first.text().contains("There is a problem"), "nothing was chosen that could be wrong");

    let fields = [("mapping", "own"), ("column-0", "published_at"), ("column-1", "shares"), ("duplicates", "last")];
    let refused = editor.post(&format!("{page}/check"), &fields).await;
    assert_eq!((refused.status.as_u16(), refused.location()), (303, format!("{page}?step=columns").as_str()));
    let again = editor.get(refused.location()).await;
    assert!(again.text().contains("There is a problem"), "{}", again.text());
    for field in ["#field-date_order", "#field-platform", "#field-account"] {
        assert!(again.text().contains(field), "{field}: {}", again.text());
    }
    let address = format!(
        "{page}?step=columns&mapping=own&column-0=published_at&column-1=shares&duplicates=last&date_order=day_first&zone=UTC&platform=x&account=new&new_account=me"
    );
    let preview = editor.get(&address).await;
    assert_eq!(preview.status, 200, "{}", preview.text());
    assert!(preview.text().contains("Apr 3, 2026, 12:00"), "{}", preview.text());

    let mut chosen = fields.to_vec();
    chosen.extend([
        ("date_order", "day_first"),
        ("zone", "UTC"),
        ("platform", "x"),
        ("account", "new"),
        ("new_account", "me"),
    ]);
    let taken = editor.post(&format!("{page}/check"), &chosen).await;
    assert_eq!(taken.location(), page);
    assert_eq!(world.one(&taken).await.state, ImportState::Checking);
    let working = editor.get(&page).await;
    assert!(working.text().contains("<progress") && working.text().contains("http-equiv"), "{}", working.text());
    let cancelled = editor.post(&format!("{page}/cancel"), &[]).await;
    assert_eq!(world.one(&cancelled).await.state, ImportState::Cancelled);
    let twice = editor.post(&format!("{page}/start"), &[]).await;
    assert!(editor.get(twice.location()).await.text().contains("it was cancelled"));
}
