//! Whose figures a run holds and who may see them: an author who sees figures through teams makes reports of these alone, by whatever
//! way, and a run shows nobody more than they see anyway.

use rtv_core::filter::PageFilter;
use rtv_core::report::{Dimension, FileFormat, Filled, Measure, Rhythm, Source, Way};
use rtv_core::{Error, Permission, ReportId, Role, RunId, TeamId};
use rtv_domain::member::{self, Change};
use rtv_domain::report::schedule::{self, Plan};
use rtv_domain::report::{self, Asked, Dispatch, NewFile, Shown, TakenUp, Ticket};
use rtv_domain::role::{self, NewRole};
use rtv_domain::session::Person;
use rtv_domain::settings::{self, General};
use rtv_domain::team::{self, NewPlace, NewTeam};
use rtv_domain::{TenantContext, access};

use crate::figures::Desk;
use crate::report::{MARCH, ask, desk, filter, report_of, table_of, text};
use crate::world::outbox;

/// Two teams, one for the account a and one for b, and people who see figures through them alone.
struct Office {
    desk: Desk,
    owner: TenantContext,
    report: ReportId,
    north: TeamId,
    south: TeamId,
    role: String,
}

impl Office {
    async fn new() -> Self {
        let desk = desk().await;
        let owner = desk.world.member(&desk.tenant, Role::Owner).await;
        let new = NewRole {
            name: "Reporter".into(),
            description: String::new(),
            permissions: ["reports:read", "reports:manage", "reports:schedule"].map(str::to_owned).to_vec(),
        };
        let role = role::create(&owner, &new).await.unwrap().to_string();
        let mut teams = Vec::new();
        for (name, account) in [("North", "a"), ("South", "b")] {
            let new = NewTeam { name: name.into(), zone: "Asia/Tokyo".into(), ..NewTeam::default() };
            let team = team::create(&owner, &new).await.unwrap();
            let account = desk.account_id(account).await;
            team::set_subjects(&owner, team, &[account.to_string()], "1").await.unwrap();
            teams.push(team);
        }
        let table = ask(Source::Platforms, &[Dimension::Account], &[Measure::Engagements]);
        let report = report::create(&desk.ctx, &report_of(vec![table_of(table)]), "Started").await.unwrap();
        Self { desk, owner, report, north: teams[0], south: teams[1], role }
    }

    /// Somebody who builds reports, and sees figures through this team alone; through none at all without one.
    async fn reporter(&self, email: &str, team: Option<TeamId>) -> (Person, TenantContext) {
        let person = self.desk.world.person(email).await;
        self.desk.world.join(&person, &self.desk.tenant, Role::Viewer).await;
        let change = Change { role: self.role.clone(), permissions: Vec::new(), version: "1".into() };
        member::change(&self.owner, person.id, &change).await.unwrap();
        if let Some(team) = team {
            let version = team::one(&self.owner, team).await.unwrap().team.revision.version.to_string();
            let place =
                NewPlace { person: person.id.to_string(), role: "viewer".into(), version, ..NewPlace::default() };
            team::set_member(&self.owner, team, &place).await.unwrap();
        }
        let ctx = self.enter(&person).await;
        (person, ctx)
    }

    async fn enter(&self, person: &Person) -> TenantContext {
        self.desk.world.enter(person, &self.desk.tenant).await
    }

    async fn taken(&self, run: RunId) -> TakenUp {
        let ticket = Ticket { tenant: self.desk.tenant.id, run };
        report::take_up(&self.desk.world.worker(), ticket).await.unwrap().unwrap()
    }

    /// What a worker makes of a run, which it ends with a file.
    async fn made(&self, run: RunId) -> Filled {
        let taken = self.taken(run).await;
        let made = fill(&taken, &taken.parameters).await.unwrap();
        let file = NewFile {
            format: FileFormat::Csv,
            part: 1,
            title: "Accounts".into(),
            file_name: "march.csv".into(),
            bytes: 3,
            sha256: [7; 32],
        };
        assert!(report::finish(&taken.ctx, &outbox(), &taken.run, &made, &[file], None, &[]).await.unwrap());
        made
    }
}

async fn fill(taken: &TakenUp, parameters: &PageFilter) -> Result<Filled, Error> {
    let asked = Asked { parameters, version: Some(1), shown: Shown::AsDefined, address: "" };
    report::fill(&taken.ctx, &taken.definition, &asked).await
}

fn rows(filled: &Filled) -> Vec<String> {
    text(filled.tables().next().unwrap())
}

fn of_team(team: impl std::fmt::Display) -> PageFilter {
    filter(&format!("{MARCH}&team={team}"))
}

fn plan() -> Plan {
    let rhythm = [("frequency", "daily"), ("time", "08:00"), ("zone", "Europe/Berlin")];
    Plan {
        rhythm: Rhythm::parse(rhythm).unwrap(),
        range: None,
        dispatch: Dispatch {
            way: Way::Link,
            formats: vec![FileFormat::Csv],
            recipients: vec!["client@client.example".parse().unwrap()],
            skips_empty: false,
            is_test: false,
        },
    }
}

/// The fields that were refused.
fn fields<T: std::fmt::Debug>(outcome: Result<T, Error>) -> Vec<String> {
    match outcome {
        Err(Error::Invalid(errors)) => errors.into_iter().map(|error| error.field).collect(),
        other => panic!("{other:?}"),
    }
}

const FORBIDDEN: Error = Error::Forbidden(Permission::AnalyticsRead);

#[tokio::test]
async fn a_run_holds_the_figures_of_its_authors_teams_and_says_so_whatever_it_is_narrowed_to() {
    let office = Office::new().await;
    let (_, sam) = office.reporter("sam@example.org", Some(office.north)).await;
    let definition = report::one(&sam, office.report).await.unwrap().definition;
    for parameters in [None, Some(of_team(office.north))] {
        let run = report::begin(&sam, office.report, parameters.as_ref()).await.unwrap();
        let made = office.made(run).await;
        assert_eq!(rows(&made), ["a | 17", "- | 17"], "{parameters:?}");
        assert_eq!(made.filters, ["Team: North"]);
        assert_eq!(
            made.zone,
            chrono_tz::Europe::Berlin,
            "days are the tenant's, whatever zone the team looks at times in"
        );
        // It is what its author sees before.
        let asked = Asked { parameters: &filter(MARCH), version: Some(1), shown: Shown::AsDefined, address: "" };
        let seen = report::fill(&sam, &definition, &asked).await.unwrap();
        assert_eq!((rows(&seen), &seen.filters), (rows(&made), &made.filters));
    }
    // Another team, and one that there is not, are refused alike where it is asked for.
    let nobody = TeamId::from(uuid::Uuid::now_v7());
    let refused = async |team: TeamId| report::begin(&sam, office.report, Some(&of_team(team))).await;
    assert_eq!(fields(refused(office.south).await), ["team"]);
    assert_eq!(refused(office.south).await, refused(nobody).await);
    let both = filter(&format!("{MARCH}&team={}&team={}", office.north, office.south));
    assert_eq!(fields(report::begin(&sam, office.report, Some(&both)).await), ["team"]);
    // And where it is made, however the filter came into the run.
    let run = report::begin(&sam, office.report, None).await.unwrap();
    let taken = office.taken(run).await;
    assert_eq!(fields(fill(&taken, &of_team(office.south)).await), ["team"]);
    assert_eq!(fields(fill(&taken, &both).await), ["team"]);
    // Others make it of everything, or of the teams that they choose.
    let run = report::begin(&office.owner, office.report, Some(&both)).await.unwrap();
    let made = office.made(run).await;
    assert_eq!(
        (rows(&made), made.filters),
        (vec!["a | 17".into(), "b | 30".into(), "- | 47".into()], vec!["Team: North, South".into()])
    );
}

#[tokio::test]
async fn narrowed_to_a_team_no_other_team_has_a_row_with_a_part_of_its_figures() {
    let office = Office::new().await;
    // South answers for a too, which North shares with it.
    let version = team::one(&office.owner, office.south).await.unwrap().team.revision.version.to_string();
    let accounts = [office.desk.account_id("a").await.to_string(), office.desk.account_id("b").await.to_string()];
    team::set_subjects(&office.owner, office.south, &accounts, &version).await.unwrap();
    let definition = report_of(vec![table_of(ask(Source::Teams, &[Dimension::Team], &[Measure::Engagements]))]);
    let made = async |parameters: PageFilter| {
        let asked = Asked { parameters: &parameters, version: Some(1), shown: Shown::AsDefined, address: "" };
        report::fill(&office.owner, &definition, &asked).await.unwrap()
    };
    let all = made(filter(MARCH)).await;
    assert_eq!(rows(&all), ["North | 17", "South | 47", "No team | 4", "- | 51"]);
    let north = made(of_team(office.north)).await;
    assert_eq!(rows(&north), ["North | 17", "- | 17"]);
    assert_eq!(north.filters, ["Team: North"]);
    let shared =
        |filled: &Filled| filled.tables().any(|table| table.notes.iter().any(|note| note.contains("counts with both")));
    assert_eq!((shared(&all), shared(&north)), (true, false));
    let both = made(filter(&format!("{MARCH}&team={}&team={}", office.north, office.south))).await;
    assert_eq!(rows(&both), ["North | 17", "South | 47", "- | 47"]);
}

#[tokio::test]
async fn a_schedule_holds_the_figures_of_its_authors_teams_and_is_made_by_nobody_without_figures() {
    let office = Office::new().await;
    let (_, sam) = office.reporter("sam@example.org", Some(office.north)).await;
    let (_, nobody) = office.reporter("nobody@example.org", None).await;
    let id = schedule::create(&sam, office.report, &plan()).await.unwrap();
    let run = schedule::run_now(&sam, office.report, id).await.unwrap();
    assert_eq!(rows(&office.made(run).await), ["a | 17", "- | 17"]);
    let seen = schedule::one(&sam, office.report, id).await.unwrap().version.to_string();
    assert_eq!(schedule::create(&nobody, office.report, &plan()).await.err(), Some(FORBIDDEN));
    assert_eq!(schedule::save(&nobody, office.report, id, &seen, &plan()).await.err(), Some(FORBIDDEN));
    assert_eq!(schedule::copy(&nobody, office.report, id).await.err(), Some(FORBIDDEN));
    assert_eq!(schedule::run_now(&nobody, office.report, id).await.err(), Some(FORBIDDEN));

    // A report that is narrowed to another team is none that Sam may send.
    let definition = report::one(&sam, office.report).await.unwrap().definition;
    let other = rtv_core::report::Definition { parameters: of_team(office.south).to_query(), ..definition };
    report::save(&office.owner, office.report, "1", &other, "South").await.unwrap();
    assert_eq!(fields(schedule::create(&sam, office.report, &plan()).await), ["team"]);
    assert_eq!(fields(schedule::save(&sam, office.report, id, &seen, &plan()).await), ["team"]);
    assert_eq!(fields(schedule::run_now(&sam, office.report, id).await), ["team"]);
    assert_eq!(fields(report::begin(&sam, office.report, None).await), ["team"]);
}

/// A refusal in so many words.
#[track_caller]
fn refused<T: std::fmt::Debug>(outcome: Result<T, Error>, word: &str) {
    assert!(matches!(&outcome, Err(Error::Conflict(text)) if text.contains(word)), "{outcome:?}");
}

#[tokio::test]
async fn a_schedule_goes_on_sending_the_figures_of_its_own_teams_whoever_saves_it_copies_it_or_has_it_sent() {
    let office = Office::new().await;
    let (_, sam) = office.reporter("sam@example.org", Some(office.north)).await;
    let (_, kim) = office.reporter("kim@example.org", Some(office.south)).await;
    let of_sam = schedule::create(&sam, office.report, &plan()).await.unwrap();
    let whole = schedule::create(&office.owner, office.report, &plan()).await.unwrap();
    let north = ["a | 17", "- | 17"];
    // Its readers get what they get each time, also where somebody presses who sees more.
    for run in [
        schedule::run_now(&office.owner, office.report, of_sam).await.unwrap(),
        schedule::test(&office.owner, office.report, of_sam).await.unwrap(),
    ] {
        assert_eq!(rows(&office.made(run).await), north);
    }
    schedule::save(&office.owner, office.report, of_sam, "1", &plan()).await.unwrap();
    let copied = schedule::copy(&office.owner, office.report, of_sam).await.unwrap();
    for id in [of_sam, copied] {
        assert_eq!(schedule::one(&office.owner, office.report, id).await.unwrap().teams, [office.north]);
        let run = schedule::run_now(&office.owner, office.report, id).await.unwrap();
        assert_eq!(rows(&office.made(run).await), north);
    }
    // Who does not see what it sends neither changes that nor has it sent.
    for (who, id) in [(&kim, of_sam), (&kim, whole), (&sam, whole)] {
        let word = "figures that you do not see";
        refused(schedule::run_now(who, office.report, id).await, word);
        refused(schedule::test(who, office.report, id).await, word);
        refused(schedule::copy(who, office.report, id).await, word);
        let seen = schedule::one(who, office.report, id).await.unwrap().version.to_string();
        refused(schedule::save(who, office.report, id, &seen, &plan()).await, word);
        schedule::pause(who, office.report, id).await.unwrap();
        schedule::resume(who, office.report, id).await.unwrap();
    }
    // A filter by the one team leaves what Sam sees; saved by Sam it stays that, also without the filter.
    let definition = report::one(&sam, office.report).await.unwrap().definition;
    let narrowed = rtv_core::report::Definition { parameters: of_team(office.north).to_query(), ..definition.clone() };
    report::save(&office.owner, office.report, "1", &narrowed, "North").await.unwrap();
    let seen = schedule::one(&sam, office.report, whole).await.unwrap().version.to_string();
    schedule::save(&sam, office.report, whole, &seen, &plan()).await.unwrap();
    report::save(&office.owner, office.report, "2", &definition, "All").await.unwrap();
    let run = schedule::run_now(&office.owner, office.report, whole).await.unwrap();
    assert_eq!(rows(&office.made(run).await), north);
    // A report that is narrowed to another team is none that it sends.
    let other = rtv_core::report::Definition { parameters: of_team(office.south).to_query(), ..definition };
    report::save(&office.owner, office.report, "3", &other, "South").await.unwrap();
    refused(schedule::run_now(&office.owner, office.report, of_sam).await, "narrowed to a team");
}

/// Makes what is due at 08:01 in Berlin on this day of November 2026.
async fn tick(office: &Office, day: u32) -> u32 {
    let now = crate::world::at(&format!("2026-11-{day}T07:01:00Z"));
    let worker = office.desk.world.context_at(now, rtv_domain::Actor::System("test"));
    schedule::tick(&worker, &outbox()).await.unwrap()
}

#[tokio::test]
async fn a_schedule_stops_when_whoever_keeps_it_may_not_send_it_any_more_and_goes_on_when_somebody_else_saves_it() {
    let office = Office::new().await;
    let owner = office.owner.context().person().unwrap().email.to_string();
    let (person, sam) = office.reporter("sam@example.org", Some(office.north)).await;
    let id = schedule::create(&sam, office.report, &plan()).await.unwrap();
    assert_eq!(schedule::count_kept(&office.owner, person.id).await, Ok(1));
    assert_eq!(tick(&office, 22).await, 1);

    let version = team::one(&office.owner, office.north).await.unwrap().team.revision.version.to_string();
    team::remove_member(&office.owner, office.north, person.id, &version).await.unwrap();
    assert_eq!(tick(&office, 23).await, 0);
    let trouble = schedule::one(&office.owner, office.report, id).await.unwrap().trouble.unwrap().1;
    assert!(trouble.contains("does not see all figures"), "{trouble}");
    assert!(office.desk.world.mail_to(&owner).await.unwrap().1.contains(&trouble), "the owners can mend it");
    assert!(office.desk.world.mail_to("sam@example.org").await.is_none(), "Sam cannot");
    assert!(office.desk.world.mail_to("client@client.example").await.is_none_or(|mail| !mail.1.contains(&trouble)));

    let seen = schedule::one(&office.owner, office.report, id).await.unwrap().version.to_string();
    schedule::save(&office.owner, office.report, id, &seen, &plan()).await.unwrap();
    assert_eq!(tick(&office, 23).await, 1, "what was due is made up for");
    assert_eq!(schedule::count_kept(&office.owner, person.id).await, Ok(0));

    // Who is taken out of the organisation, or may not schedule any more, keeps nothing either.
    let (gone, leaver) = office.reporter("leaver@example.org", Some(office.north)).await;
    let (demoted, viewer) = office.reporter("viewer@example.org", Some(office.north)).await;
    let of_leaver = schedule::create(&leaver, office.report, &plan()).await.unwrap();
    let of_viewer = schedule::create(&viewer, office.report, &plan()).await.unwrap();
    member::remove(&office.owner, gone.id, "2").await.unwrap();
    let change = Change { role: "viewer".into(), permissions: Vec::new(), version: "2".into() };
    member::change(&office.owner, demoted.id, &change).await.unwrap();
    assert_eq!(tick(&office, 24).await, 1, "the owner's alone");
    for (id, word) in [(of_leaver, "has left"), (of_viewer, "reports:schedule")] {
        let trouble = schedule::one(&office.owner, office.report, id).await.unwrap().trouble.unwrap().1;
        assert!(trouble.contains(word), "{trouble}");
    }
}

#[tokio::test]
async fn a_team_that_is_no_more_stops_no_schedule_of_others_and_the_last_one_stops_it() {
    let office = Office::new().await;
    let (person, _) = office.reporter("sam@example.org", Some(office.north)).await;
    let remove = async |team: TeamId| {
        let version = team::one(&office.owner, team).await.unwrap().team.revision.version.to_string();
        team::delete(&office.owner, team, &version).await.unwrap();
    };
    let version = team::one(&office.owner, office.south).await.unwrap().team.revision.version.to_string();
    let place = NewPlace { person: person.id.to_string(), role: "viewer".into(), version, ..NewPlace::default() };
    team::set_member(&office.owner, office.south, &place).await.unwrap();
    let sam = office.enter(&person).await;
    let id = schedule::create(&sam, office.report, &plan()).await.unwrap();
    assert_eq!(schedule::one(&sam, office.report, id).await.unwrap().teams.len(), 2);
    remove(office.south).await;
    let sam = office.enter(&person).await;
    assert_eq!(tick(&office, 22).await, 1);
    let run = schedule::run_now(&sam, office.report, id).await.unwrap();
    assert_eq!(rows(&office.made(run).await), ["a | 17", "- | 17"]);
    remove(office.north).await;
    assert_eq!(tick(&office, 23).await, 0, "no team would mean all figures");
    refused(schedule::run_now(&office.owner, office.report, id).await, "are no more");
}

#[tokio::test]
async fn a_run_shows_its_figures_to_who_sees_them_anyway_and_to_whom_it_was_sent() {
    let office = Office::new().await;
    let (sams, sam) = office.reporter("sam@example.org", Some(office.north)).await;
    let (_, kim) = office.reporter("kim@example.org", Some(office.south)).await;
    let (_, nobody) = office.reporter("nobody@example.org", None).await;
    let whole = report::begin(&office.owner, office.report, None).await.unwrap();
    let of_sam = report::begin(&sam, office.report, None).await.unwrap();
    let narrowed = report::begin(&office.owner, office.report, Some(&of_team(office.north))).await.unwrap();
    for run in [whole, of_sam, narrowed] {
        office.made(run).await;
    }
    for (who, run, is_shown) in [
        (&office.owner, whole, true),
        (&office.owner, of_sam, true),
        (&sam, of_sam, true),
        (&sam, narrowed, true),
        (&sam, whole, false),
        (&kim, of_sam, false),
        (&kim, narrowed, false),
        (&kim, whole, false),
        (&nobody, of_sam, false),
        (&nobody, whole, false),
    ] {
        let expect = if is_shown { None } else { Some(FORBIDDEN) };
        let one = report::run(who, run).await.unwrap();
        assert_eq!(report::is_shown(who, &one).await, Ok(is_shown));
        assert_eq!(report::result(who, run).await.err(), expect);
        assert_eq!(report::file(who, run, FileFormat::Csv, 1).await.err(), expect);
    }
    let refusals = office.desk.world.audit(Some(&office.desk.tenant)).await;
    assert!(refusals.iter().any(|(action, ..)| action == "permission.refused"), "{refusals:?}");
    // Whoever schedules it has it go to whom they choose.
    for (state, is_shown) in [("withheld", false), ("delivered", true)] {
        let mut tx = office.desk.world.as_tenant(&office.desk.tenant).await;
        sqlx::query(
            "insert into report_mail (tenant_id, id, run_id, recipient, number, state, created_at, changed_at)
             values (rtv_tenant(), $1, $2, $3, $4, $5, '2026-11-20', '2026-11-20')",
        )
        .bind(uuid::Uuid::now_v7())
        .bind(whole.uuid())
        .bind(sams.email.as_str())
        .bind(if is_shown { 2 } else { 1 })
        .bind(state)
        .execute(&mut *tx)
        .await
        .unwrap();
        tx.commit().await.unwrap();
        assert_eq!(report::result(&sam, whole).await.is_ok(), is_shown, "{state}");
    }
}

#[tokio::test]
async fn a_run_is_made_again_of_its_own_teams_or_not_at_all() {
    let office = Office::new().await;
    let (_, sam) = office.reporter("sam@example.org", Some(office.north)).await;
    let (_, kim) = office.reporter("kim@example.org", Some(office.south)).await;
    let of_sam = report::begin(&sam, office.report, None).await.unwrap();
    let whole = report::begin(&office.owner, office.report, None).await.unwrap();
    let narrowed = report::begin(&office.owner, office.report, Some(&of_team(office.north))).await.unwrap();
    for (who, run, expect) in [
        (&sam, of_sam, Some("- | 17")),
        (&office.owner, of_sam, Some("- | 17")),
        (&sam, narrowed, Some("- | 17")),
        (&office.owner, whole, Some("- | 51")),
        (&sam, whole, None),
        (&kim, of_sam, None),
        (&kim, narrowed, None),
    ] {
        match (report::begin_again(who, run).await, expect) {
            (Ok(again), Some(total)) => {
                let made = office.made(again).await;
                assert_eq!(rows(&made).last().map(String::as_str), Some(total));
            }
            (Err(Error::Conflict(words)), None) => assert!(words.contains("your teams"), "{words}"),
            other => panic!("{other:?}"),
        }
    }
    // Its days cannot be counted in the zone that they were counted in.
    let now = settings::read(&office.owner).await.unwrap();
    let form = General {
        name: now.tenant.name.clone(),
        zone: "Asia/Bangkok".into(),
        locale: now.tenant.locale.clone(),
        currency: now.tenant.currency.clone(),
        week_start: now.tenant.week_start.to_string(),
        is_relabelled: false,
        version: now.revision.version.to_string(),
    };
    settings::change_general(&office.owner, &form).await.unwrap();
    let slug = office.desk.tenant.slug.as_str();
    let owner = access::enter(office.owner.context(), slug).await.unwrap();
    let refused = report::begin_again(&owner, whole).await;
    let Err(Error::Conflict(words)) = refused else { panic!("{refused:?}") };
    assert!(words.contains("Europe/Berlin") && words.contains("Asia/Bangkok"), "{words}");
    // One that waits is made of the days that there are, and says so.
    let taken = office.taken(whole).await;
    let made = fill(&taken, &taken.parameters).await.unwrap();
    assert_eq!((taken.run.zone, made.zone), (chrono_tz::Asia::Bangkok, chrono_tz::Asia::Bangkok));
}
