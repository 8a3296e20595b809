//! Who is told by mail of what: whom a team has chosen, once, and exactly when its cause was committed.

use std::collections::HashSet;
use std::time::Duration;

use rtv_core::{Error, MailId, News, Platform, Role, Scope, TeamId, UserId};
use rtv_domain::import::Options;
use rtv_domain::kill_switch::news::TellHalt;
use rtv_domain::kill_switch::{
    self, Asked, ChoiceWords, PlanWords, Ramp, ReleaseRequest, Side, Why, approve_release, ask_release, record,
};
use rtv_domain::member::{self, Change};
use rtv_domain::news::{self, TellNews};
use rtv_domain::session::Person;
use rtv_domain::team::{self, NewPlace, NewTeam};
use rtv_domain::{Actor, Tenant, TenantContext, account, life_cycle};

use crate::world::{World, outbox, vault};

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
        let jobs: Vec<(String, serde_json::Value)> = sqlx::query_as(
            "select kind, payload from job where kind like 'news.%' and finished_at is null order by id",
        )
        .fetch_all(&mut *tx)
        .await
        .unwrap();
        sqlx::query("update job set finished_at = now(), outcome = 'done' where kind like 'news.%'")
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let ctx = self.world.context(Actor::System("news"));
        for (kind, payload) in &jobs {
            for _ in 0..2 {
                if kind == "news.halt" {
                    let job: TellHalt = serde_json::from_value(payload.clone()).unwrap();
                    kill_switch::news::carry_out(&ctx, &outbox(), &job).await.unwrap();
                } else {
                    let job: TellNews = serde_json::from_value(payload.clone()).unwrap();
                    news::carry_out(&ctx, &outbox(), &job).await.unwrap();
                }
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

const RAMP: Ramp = Ramp { step: Duration::ZERO };

fn on(tenant: Option<&Tenant>, platform: Option<Platform>) -> Scope {
    Scope::Part { tenant: tenant.map(|one| one.id), platform, action: None }
}

fn wanted(typed: &str) -> ReleaseRequest {
    let all = ChoiceWords { what: "drop".into(), ..ChoiceWords::default() };
    ReleaseRequest {
        typed: typed.into(),
        reason: "Tokens are mended".into(),
        plan: PlanWords { all, groups: Vec::new() },
    }
}

impl Office {
    async fn record(&self) {
        record::record(&self.world.context(Actor::System("switch recorder"))).await.unwrap();
    }

    /// Addresses and subjects of the mail since the last look.
    async fn new_mails(&self, seen: &mut HashSet<MailId>) -> Vec<(String, String)> {
        let all = rtv_domain::mail::list(&self.world.operator()).await.unwrap();
        let mut new: Vec<(String, String)> =
            all.into_iter().filter(|mail| seen.insert(mail.id)).map(|mail| (mail.to, mail.subject)).collect();
        new.sort();
        new
    }

    async fn text_of(&self, to: &str, subject: &str) -> String {
        let operator = self.world.operator();
        let all = rtv_domain::mail::list(&operator).await.unwrap();
        let found = all.iter().find(|mail| mail.to == to && mail.subject == subject).unwrap();
        rtv_domain::mail::read(&operator, &vault(), found.id).await.unwrap().1.unwrap()
    }

    /// Accounts on two platforms, and teams: North has the one on X, South the one on LinkedIn, Desk none.
    async fn with_accounts(self) -> (Self, [TeamId; 3]) {
        let file =
            format!("{HEADER}\nx,page,p1,2026-11-20T10:00:00Z,Spring,5\nlinkedin,firm,p2,2026-11-20T10:00:00Z,,5\n");
        self.world.import_text(&self.owner, &file, Options::default()).await.unwrap();
        let accounts = account::list(&self.owner).await.unwrap();
        let of = |platform| accounts.iter().find(|one| one.platform == platform).unwrap().id.to_string();
        let teams = [self.team("North").await, self.team("South").await, self.team("Desk").await];
        for (team, platform) in teams.iter().zip([Platform::X, Platform::LinkedIn]) {
            team::set_subjects(&self.owner, *team, &[of(platform)], "1").await.unwrap();
        }
        (self, teams)
    }
}

#[tokio::test]
async fn a_halt_and_its_end_are_told_once_to_the_teams_that_they_concern() {
    let (office, [north, south, desk]) = Office::new().await.with_accounts().await;
    let [ann, bob, eve, mia] = [
        office.person("ann@example.org").await,
        office.person("bob@example.org").await,
        office.person("eve@example.org").await,
        office.person("mia@example.org").await,
    ];
    let halting = office.world.person("halting@example.org").await;
    office.world.join(&halting, &office.tenant, Role::Admin).await;
    let halting_ctx = office.world.enter(&halting, &office.tenant).await;
    office.put(&office.owner, north, ann.id, &[News::Halts]).await;
    office.put(&office.owner, south, ann.id, &[News::Halts]).await;
    office.put(&office.owner, south, bob.id, &[News::Halts]).await;
    office.put(&office.owner, desk, eve.id, &[News::Halts]).await;
    // One who is told of something else, and the one who halts.
    office.put(&office.owner, north, mia.id, &[News::Members]).await;
    office.put(&office.owner, north, halting.id, &[News::Halts]).await;
    office.tell().await;
    let mut seen = HashSet::new();
    office.new_mails(&mut seen).await;

    let scope = on(Some(&office.tenant), Some(Platform::X));
    let why = Why { reason: "wrong-account".into(), note: "See INC-231".into(), ..Why::default() };
    let done = kill_switch::engage(Side::Tenant(&halting_ctx), &scope, &why).await.unwrap();
    assert_eq!(office.tell().await, 0, "whoever halts writes no job");
    for _ in 0..2 {
        office.record().await;
    }
    assert_eq!(office.tell().await, 1);
    let halted = "The office: The office / X is halted";
    assert_eq!(
        office.new_mails(&mut seen).await,
        [mail("ann@example.org", halted), mail("eve@example.org", halted)],
        "the team whose only account is elsewhere is not concerned"
    );
    assert_eq!(
        office.text_of("ann@example.org", halted).await,
        format!(
            "Hello,\n\nThe office / X is halted: halting@example.org halted it on Nov 21, 2026, 09:00 UTC (wrong account).\n\n\
             “See INC-231”\n\nNothing that it covers goes out until a person releases it. What comes due meanwhile is held.\n\n\
             https://rtv.example/t/office/switches/halts/{}\n\n\
             You are told because the team “North” of The office has it so. Whoever manages the team can change that.\n",
            done.halt
        )
    );
    // Who halts what is halted tells nothing new.
    kill_switch::engage(Side::Tenant(&office.owner), &scope, &Why::default()).await.unwrap();
    office.record().await;
    assert_eq!(office.tell().await, 0);

    let side = Side::Tenant(&halting_ctx);
    let asked = ask_release(side, done.switch, &wanted("The office / X"), RAMP).await.unwrap();
    let Asked::Waits { release, .. } = asked else { panic!("{asked:?}") };
    office.record().await;
    assert_eq!(office.tell().await, 0, "asking is no release");
    approve_release(Side::Tenant(&office.owner), release, RAMP).await.unwrap();
    for _ in 0..2 {
        office.record().await;
    }
    assert_eq!(office.tell().await, 1);
    let released = "The office: The office / X is released";
    assert_eq!(
        office.new_mails(&mut seen).await,
        [mail("ann@example.org", released), mail("eve@example.org", released)],
        "who released it is not told"
    );
    let text = office.text_of("eve@example.org", released).await;
    let approved_by = office.owner.context().actor().label();
    for part in [
        "halting@example.org released it on Nov 21, 2026, 09:00 UTC",
        &format!("with the approval of {approved_by}."),
        "“Tokens are mended”",
        "the team “Desk” of The office has it so",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }

    // A halt of one account is its teams' alone, and one that is over before anybody wrote it down is told from both ends.
    let account =
        account::list(&office.owner).await.unwrap().iter().find(|one| one.platform == Platform::LinkedIn).unwrap().id;
    let scope = Scope::Account { tenant: office.tenant.id, account };
    let done = kill_switch::engage(side, &scope, &Why::default()).await.unwrap();
    ask_release(side, done.switch, &wanted("The office / firm"), RAMP).await.unwrap();
    office.record().await;
    assert_eq!(office.tell().await, 2);
    let told = office.new_mails(&mut seen).await;
    for person in ["ann@example.org", "bob@example.org"] {
        for what in ["halted", "released"] {
            assert!(told.contains(&mail(person, &format!("The office: The office / firm is {what}"))), "{told:?}");
        }
    }
    assert_eq!(told.len(), 4, "{told:?}");
}

#[tokio::test]
async fn a_halt_of_the_operators_is_told_in_the_tenants_that_it_meets() {
    let (office, [north, _, _]) = Office::new().await.with_accounts().await;
    let ann = office.person("ann@example.org").await;
    office.put(&office.owner, north, ann.id, &[News::Halts]).await;
    // A tenant with an account elsewhere, and one with none.
    for (slug, file) in [("shop", Some("linkedin,shop,p1,2026-11-20T10:00:00Z,,5")), ("empty", None)] {
        let tenant = office.world.tenant(slug, "Europe/Berlin").await;
        let owner = office.world.member(&tenant, Role::Owner).await;
        if let Some(line) = file {
            office.world.import_text(&owner, &format!("{HEADER}\n{line}\n"), Options::default()).await.unwrap();
        }
        let person = office.world.person(&format!("bob@{slug}.example")).await;
        office.world.join(&person, &tenant, Role::Viewer).await;
        let crew = team::create(&owner, &NewTeam { name: "Crew".into(), ..NewTeam::default() }).await.unwrap();
        office.put(&owner, crew, person.id, &[News::Halts]).await;
    }
    office.tell().await;
    let mut seen = HashSet::new();
    office.new_mails(&mut seen).await;
    let (operator, second) = (office.world.operator(), office.world.context(Actor::Operator("second@ops-1".into())));
    let side = Side::Operator(&operator);
    let on_x = kill_switch::engage(side, &on(None, Some(Platform::X)), &Why::default()).await.unwrap();
    office.record().await;
    assert_eq!(office.tell().await, 1);
    assert_eq!(office.new_mails(&mut seen).await, [mail("ann@example.org", "The office: X is halted")]);
    kill_switch::engage(side, &Scope::Everything, &Why::default()).await.unwrap();
    office.record().await;
    assert_eq!(office.tell().await, 1);
    assert_eq!(
        office.new_mails(&mut seen).await,
        [
            mail("ann@example.org", "The office: Everything is halted"),
            mail("bob@shop.example", "The shop: Everything is halted")
        ]
    );
    let text = office.text_of("bob@shop.example", "The shop: Everything is halted").await;
    assert!(text.contains("root@ops-1 halted it on") && text.contains("10:00 CET"), "{text}");
    let asked = ask_release(side, on_x.switch, &wanted("X"), RAMP).await.unwrap();
    let Asked::Waits { release, .. } = asked else { panic!("{asked:?}") };
    approve_release(Side::Operator(&second), release, RAMP).await.unwrap();
    office.record().await;
    assert_eq!(office.tell().await, 1);
    assert_eq!(office.new_mails(&mut seen).await, [mail("ann@example.org", "The office: X is released")]);
}

#[tokio::test]
async fn a_recorder_that_dies_has_told_of_exactly_what_it_has_written_down() {
    let (office, _) = Office::new().await.with_accounts().await;
    let gate = office.world.context(Actor::System("gate"));
    let account = account::list(&office.owner).await.unwrap()[0].id;
    let scope = Scope::Account { tenant: office.tenant.id, account };
    let counted = async || -> (i64, i64) {
        let mut tx = office.world.marked("gate", None, None).await;
        // In one statement: the commit of a recorder that was cut off may still arrive at any time.
        sqlx::query_as(
            "select (select count(*) + count(*) filter (where is_release_told) from halt),
                (select count(*) from job where kind = 'news.halt')",
        )
        .fetch_one(&mut *tx)
        .await
        .unwrap()
    };
    let mut died = 0;
    for round in 0..40_u64 {
        let owner = Side::Tenant(&office.owner);
        let done = kill_switch::engage(owner, &scope, &Why::default()).await.unwrap();
        for step in 0..2 {
            if step == 1 {
                ask_release(owner, done.switch, &wanted("The office / firm"), RAMP).await.unwrap();
            }
            let moment = Duration::from_micros((round + 1) * 400);
            died += u32::from(tokio::time::timeout(moment, record::record(&gate)).await.is_err());
            let (told, jobs) = counted().await;
            assert_eq!(told, jobs, "round {round}, step {step}");
        }
    }
    assert!(died > 0, "no recorder was cut off");
    while record::record(&gate).await.unwrap() {}
    assert_eq!(counted().await, (80, 80));
}
