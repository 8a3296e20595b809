//! Who is told by mail of what: whom a team has chosen, once, and exactly when its cause was committed.

use rtv_core::{Error, News, Role, TeamId, UserId};
use rtv_domain::import::Options;
use rtv_domain::member::{self, Change};
use rtv_domain::news::{self, TellNews};
use rtv_domain::session::Person;
use rtv_domain::team::{self, NewPlace, NewTeam};
use rtv_domain::{Actor, Tenant, TenantContext, account, life_cycle};
use uuid::Uuid;

use crate::world::{World, outbox};

const HEADER: &str = "platform,account_id,post_id,published_at,campaign,impressions";

struct Office {
    world: World,
    tenant: Tenant,
    owner: TenantContext,
}

impl Office {
    async fn new() -> Self {
        let world = World::new().await;
        let tenant = world.tenant("office", "UTC").await;
        let owner = world.member(&tenant, Role::Owner).await;
        Self { world, tenant, owner }
    }

    async fn person(&self, email: &str) -> Person {
        let person = self.world.person(email).await;
        self.world.join(&person, &self.tenant, Role::Viewer).await;
        person
    }

    async fn team(&self, name: &str) -> TeamId {
        team::create(&self.owner, &NewTeam { name: name.into(), ..NewTeam::default() }).await.unwrap()
    }

    async fn put(&self, ctx: &TenantContext, team: TeamId, person: UserId, news: &[News]) {
        let version = team::one(ctx, team).await.unwrap().team.revision.version.to_string();
        let news = news.iter().map(|one| one.key().to_owned()).collect();
        let place =
            NewPlace { person: person.to_string(), role: "viewer".into(), permissions: Vec::new(), news, version };
        team::set_member(ctx, team, &place).await.unwrap();
    }

    /// Does the jobs that tell, each twice, as after a crash between a job and its end. How many there were.
    async fn tell(&self) -> usize {
        let mut tx = self.world.marked("worker", None, None).await;
        let jobs: Vec<(Uuid, serde_json::Value)> =
            sqlx::query_as("select id, payload from job where kind = 'news.tell' and finished_at is null order by id")
                .fetch_all(&mut *tx)
                .await
                .unwrap();
        sqlx::query("update job set finished_at = now(), outcome = 'done' where kind = 'news.tell'")
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        for (_, payload) in &jobs {
            for _ in 0..2 {
                let job: TellNews = serde_json::from_value(payload.clone()).unwrap();
                news::carry_out(&self.world.context(Actor::System("news")), &outbox(), &job).await.unwrap();
            }
        }
        jobs.len()
    }

    /// Addresses and subjects of all mail, the oldest first.
    async fn mails(&self) -> Vec<(String, String)> {
        let mut mails: Vec<(String, String)> = rtv_domain::mail::list(&self.world.operator())
            .await
            .unwrap()
            .into_iter()
            .map(|mail| (mail.to, mail.subject))
            .collect();
        mails.reverse();
        mails.sort_by(|one, other| one.0.cmp(&other.0));
        mails
    }
}

fn mail(to: &str, subject: &str) -> (String, String) {
    (to.into(), subject.into())
}

#[tokio::test]
async fn an_import_is_told_to_those_whom_teams_of_its_accounts_have_chosen_and_once() {
    let office = Office::new().await;
    let file = |post: &str| format!("{HEADER}\nx,page,{post},2026-11-20T10:00:00Z,,5\n");
    office.world.import_text(&office.owner, &file("p1"), Options::default()).await.unwrap();
    let page = account::list(&office.owner).await.unwrap()[0].id;
    let [ann, bob, eve, dan] = [
        office.person("ann@example.org").await,
        office.person("bob@example.org").await,
        office.person("eve@example.org").await,
        office.person("dan@example.org").await,
    ];
    let (north, south, idle) = (office.team("North").await, office.team("South").await, office.team("Idle").await);
    for team in [north, south] {
        team::set_subjects(&office.owner, team, &[page.to_string()], "1").await.unwrap();
    }
    office.put(&office.owner, north, ann.id, &[News::Imports]).await;
    office.put(&office.owner, south, ann.id, &[News::Imports]).await;
    office.put(&office.owner, south, dan.id, &[News::Imports]).await;
    // One who is told of something else, and one whose team has nothing to do with it.
    office.put(&office.owner, north, bob.id, &[News::Members]).await;
    office.put(&office.owner, idle, eve.id, &[News::Imports]).await;
    office.tell().await;
    let joined = mail("bob@example.org", "The office: Somebody joined North");
    assert_eq!(
        office.mails().await,
        core::slice::from_ref(&joined),
        "of the import before there was nobody to be told"
    );

    let named = Options { file_name: "posts.csv".into(), ..Options::default() };
    office.world.import_text(&office.owner, &file("p2"), named).await.unwrap();
    // Who may not sign in any more is told nothing.
    let mut tx = office.world.marked("staff", None, None).await;
    let disabled = sqlx::query("update app_user set is_disabled = true where email = 'dan@example.org'");
    assert_eq!(disabled.execute(&mut *tx).await.unwrap().rows_affected(), 1);
    tx.commit().await.unwrap();
    assert_eq!(office.tell().await, 1);
    assert_eq!(office.mails().await, [mail("ann@example.org", "The office: posts.csv is imported"), joined]);
    let (_, text) = office.world.mail_to("ann@example.org").await.unwrap();
    for part in ["1 new posts, 0 changed", "https://rtv.example/t/office/imports/imp_", "the teams “North”, “South” of"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }

    // What is refused is undone with its news.
    let twice = format!("{HEADER}\nx,page,p3,2026-11-20T10:00:00Z,,5\nx,page,p3,2026-11-20T10:00:00Z,,6\n");
    let refuse = Options { duplicates: rtv_domain::import::DuplicateRule::Refuse, ..Options::default() };
    assert!(office.world.import_text(&office.owner, &twice, refuse).await.is_err());
    assert_eq!(office.tell().await, 0);
}

#[tokio::test]
async fn a_change_of_a_teams_members_is_told_to_the_others_and_not_to_who_made_it() {
    let office = Office::new().await;
    let crew = office.team("Crew").await;
    let [ann, bob] = [office.person("ann@example.org").await, office.person("bob@example.org").await];
    let owner = office.owner.context().actor().user_id().unwrap();
    office.put(&office.owner, crew, owner, &[News::Members]).await;
    office.put(&office.owner, crew, ann.id, &[News::Members]).await;
    office.tell().await;
    office.put(&office.owner, crew, bob.id, &[]).await;
    // What somebody is told of is no change of what they may do.
    office.put(&office.owner, crew, bob.id, &[News::Imports]).await;
    let editor = Change { role: "editor".into(), permissions: Vec::new(), version: "1".into() };
    member::change(&office.owner, bob.id, &editor).await.unwrap();
    let same = Change { version: "2".into(), ..editor };
    member::change(&office.owner, bob.id, &same).await.unwrap();
    assert_eq!(office.tell().await, 2);
    // It ends in a suspended tenant too, and is told there.
    let why = Some("Bill 17 is open");
    life_cycle::take(&office.world.operator(), &office.tenant.slug, life_cycle::Step::Suspend, why, None)
        .await
        .unwrap();
    member::remove(&office.owner, bob.id, "3").await.unwrap();
    assert_eq!(office.tell().await, 1);
    let mut subjects: Vec<String> =
        office.mails().await.into_iter().map(|one| format!("{} {}", one.0, one.1)).collect();
    subjects.sort();
    // Who is put into a team is one of its members by then, and learns it too.
    assert_eq!(subjects.len(), 4, "{subjects:?}");
    assert!(subjects.iter().all(|one| one.starts_with("ann@example.org ")), "{subjects:?}");
    for part in [" joined Crew", "what ", " left"] {
        assert!(subjects.iter().any(|one| one.contains(part)), "{part}: {subjects:?}");
    }
    let refused = NewPlace { person: ann.id.to_string(), news: vec!["weather".into()], ..NewPlace::default() };
    life_cycle::take(&office.world.operator(), &office.tenant.slug, life_cycle::Step::Resume, None, None)
        .await
        .unwrap();
    let version = team::one(&office.owner, crew).await.unwrap().team.revision.version.to_string();
    let refused = team::set_member(&office.owner, crew, &NewPlace { version, ..refused }).await;
    assert!(matches!(&refused, Err(Error::Invalid(errors)) if errors[0].field == "news"), "{refused:?}");
}
