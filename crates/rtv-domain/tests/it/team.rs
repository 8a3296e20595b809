//! Members, roles and teams on a real database: who may change what, that nothing is silently overwritten, that the last owner
//! stays also when two act at once, and that who holds something through a team alone sees what is the team's.

use std::collections::BTreeSet;
use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rtv_core::{Error, GivenRole, Permission, Role, RoleId, TeamId, UserId};
use rtv_domain::confirmation::FRESH;
use rtv_domain::context::Access;
use rtv_domain::effective_access::{self, Finding, Question, Subject, Verdict};
use rtv_domain::member::{self, Change};
use rtv_domain::role::{self, NewRole};
use rtv_domain::roster::Roster;
use rtv_domain::session::Person;
use rtv_domain::team::{self, NewPlace, NewTeam};
use rtv_domain::{Actor, Resource, Tenant, TenantContext, access, account, campaign, target, user};
use uuid::Uuid;

use crate::figures::{Desk, over};
use crate::world::World;

fn change(role: impl ToString, permissions: &[&str], version: i64) -> Change {
    Change {
        role: role.to_string(),
        permissions: permissions.iter().map(|key| (*key).to_owned()).collect(),
        version: version.to_string(),
    }
}

fn new_role(name: &str, permissions: &[&str]) -> NewRole {
    NewRole {
        name: name.into(),
        description: String::new(),
        permissions: permissions.iter().map(|key| (*key).to_owned()).collect(),
    }
}

fn new_team(name: &str) -> NewTeam {
    NewTeam { name: name.into(), ..NewTeam::default() }
}

fn place(person: UserId, role: &str, permissions: &[&str], version: i64) -> NewPlace {
    NewPlace {
        person: person.to_string(),
        role: role.into(),
        permissions: permissions.iter().map(|key| (*key).to_owned()).collect(),
        news: Vec::new(),
        version: version.to_string(),
    }
}

fn id_of(ctx: &TenantContext) -> UserId {
    ctx.context().actor().user_id().unwrap()
}

/// Fields that were refused.
fn fields<T: core::fmt::Debug>(outcome: Result<T, Error>) -> Vec<String> {
    match outcome {
        Err(Error::Invalid(errors)) => errors.into_iter().map(|error| error.field).collect(),
        other => panic!("{other:?}"),
    }
}

/// What a conflict says.
fn conflict<T: core::fmt::Debug>(outcome: Result<T, Error>) -> String {
    match outcome {
        Err(Error::Conflict(text)) => text,
        other => panic!("{other:?}"),
    }
}

struct Office {
    world: World,
    tenant: Tenant,
    owner: TenantContext,
}

impl Office {
    async fn new() -> Self {
        let world = World::with_connections(6).await;
        let tenant = world.tenant("office", "UTC").await;
        let owner = world.member(&tenant, Role::Owner).await;
        Self { world, tenant, owner }
    }

    async fn member(&self, role: Role) -> (Person, TenantContext) {
        let person = self.world.person(&format!("{role}.{}@example.org", Uuid::now_v7().simple())).await;
        self.world.join(&person, &self.tenant, role).await;
        let ctx = self.world.enter(&person, &self.tenant).await;
        (person, ctx)
    }

    /// The same person's next request.
    async fn again(&self, person: &Person) -> TenantContext {
        self.world.enter(person, &self.tenant).await
    }

    async fn roster(&self) -> Roster {
        member::roster(&self.owner).await.unwrap()
    }

    async fn actions(&self) -> Vec<(String, String)> {
        self.world.audit(Some(&self.tenant)).await.into_iter().map(|(action, result, _)| (action, result)).collect()
    }
}

#[tokio::test]
async fn a_change_of_role_is_previewed_saved_and_holds_with_the_next_request() {
    let office = Office::new().await;
    let (person, viewer) = office.member(Role::Viewer).await;
    assert!(!viewer.access().grants(Permission::ContentPublish));
    let wanted = change("editor", &["audit:read", "analytics:read"], 1);
    let preview = member::preview(&office.owner, person.id, &wanted).await.unwrap();
    assert!(preview.gains.contains(Permission::ContentPublish) && preview.gains.contains(Permission::AuditRead));
    assert!(preview.losses.is_empty() && preview.refusal.is_none());
    assert_eq!(preview.extra.to_string(), "audit:read", "what the role gives is not given twice");
    assert_eq!(office.roster().await.members[&person.id].revision.version, 1, "nothing was saved");

    member::change(&office.owner, person.id, &wanted).await.unwrap();
    let editor = office.again(&person).await;
    assert!(editor.access().grants(Permission::ContentPublish) && editor.access().grants(Permission::AuditRead));
    assert!(editor.begin(Permission::AuditRead, Resource::Tenant).await.is_ok());
    let events = office.world.rows(&office.tenant, "audit_event").await;
    let event = events.iter().find(|event| event["action"] == "member.change").unwrap();
    assert_eq!((&event["before"]["role"], &event["after"]["role"]), (&"viewer".into(), &"editor".into()));
    assert_eq!(event["after"]["extra_permissions"][0], "audit:read");

    let back = change("viewer", &[], 2);
    let preview = member::preview(&office.owner, person.id, &back).await.unwrap();
    assert!(preview.losses.contains(Permission::AuditRead) && preview.gains.is_empty());
    member::change(&office.owner, person.id, &back).await.unwrap();
    let viewer = office.again(&person).await;
    assert_eq!(
        viewer.begin(Permission::AuditRead, Resource::Tenant).await.unwrap_err(),
        Error::Forbidden(Permission::AuditRead)
    );
}

#[tokio::test]
async fn who_is_removed_is_out_with_the_next_request_and_leaves_their_teams() {
    let office = Office::new().await;
    let (person, _) = office.member(Role::Editor).await;
    let id = team::create(&office.owner, &new_team("Crew")).await.unwrap();
    team::set_member(&office.owner, id, &place(person.id, "viewer", &[], 1)).await.unwrap();
    assert!(conflict(member::remove(&office.owner, person.id, "9").await).contains("Reload"));
    member::remove(&office.owner, person.id, "1").await.unwrap();
    let ctx = office.world.context(Actor::Person(Arc::new(person.clone())));
    assert_eq!(access::enter(&ctx, "office").await.unwrap_err(), Error::NotFound);
    assert!(access::memberships(&ctx).await.unwrap().is_empty());
    assert_eq!(member::remove(&office.owner, person.id, "1").await.unwrap_err(), Error::NotFound);
    assert!(office.roster().await.teams[&id].members.is_empty());
    assert!(office.actions().await.contains(&("member.remove".into(), "success".into())));
}

#[tokio::test]
async fn nobody_gives_what_they_lack_and_the_attempt_is_logged() {
    let office = Office::new().await;
    let (admin_person, admin) = office.member(Role::Admin).await;
    let (person, viewer) = office.member(Role::Viewer).await;
    assert_eq!(fields(member::change(&admin, person.id, &change("owner", &[], 1)).await), ["role"]);
    assert_eq!(fields(member::change(&admin, person.id, &change("viewer", &["billing:manage"], 1)).await), ["role"]);
    assert_eq!(fields(role::create(&admin, &new_role("Payer", &["billing:manage"])).await), ["permission"]);
    let all = role::create(&office.owner, &new_role("Payer", &["billing:manage", "users:manage"])).await.unwrap();
    assert_eq!(fields(member::change(&admin, person.id, &change(all, &[], 1)).await), ["role"]);
    // Nor do they change the role to hold less: that is not theirs to decide either.
    member::change(&office.owner, person.id, &change(all, &[], 1)).await.unwrap();
    let payer = role::update(&admin, all, &new_role("Payer", &["users:manage"]), "1").await;
    assert!(conflict(payer).contains("billing:manage"), "somebody has it who holds more");
    let demoted = member::change(&admin, id_of(&office.owner), &change("viewer", &[], 1)).await;
    assert_eq!(fields(demoted), ["role"], "only owners decide over owners");
    assert!(conflict(member::remove(&admin, person.id, "2").await).contains("billing:manage"));
    let viewer_tries = member::change(&viewer, admin_person.id, &change("viewer", &[], 1)).await;
    assert_eq!(viewer_tries.unwrap_err(), Error::Forbidden(Permission::UsersManage));
    let denied = office.actions().await.into_iter().filter(|(_, result)| result == "denied").count();
    assert_eq!(denied, 8, "each of them once");
}

#[tokio::test]
async fn a_custom_role_is_made_given_changed_and_goes_when_nobody_has_it() {
    let office = Office::new().await;
    let (person, _) = office.member(Role::Viewer).await;
    let id = role::create(&office.owner, &new_role(" Helper ", &["content:read", "content:create"])).await.unwrap();
    for (name, permissions, expect) in [
        ("helper", vec!["content:read"], "name"),
        ("Owner", vec!["content:read"], "name"),
        ("", vec!["content:read"], "name"),
        ("Other", vec![], "permission"),
        ("Other", vec!["moon:land"], "permission"),
    ] {
        let outcome = role::create(&office.owner, &new_role(name, &permissions)).await;
        assert_eq!(fields(outcome), [expect], "{name} {permissions:?}");
    }
    member::change(&office.owner, person.id, &change(id, &[], 1)).await.unwrap();
    let helper = office.again(&person).await;
    assert!(helper.access().grants(Permission::ContentCreate) && !helper.access().grants(Permission::AnalyticsRead));
    let mine = access::memberships(helper.context()).await.unwrap();
    assert_eq!(mine[0].holding.role.name, "Helper");
    let in_use = role::delete(&office.owner, id, "1").await;
    assert!(conflict(in_use).contains("Somebody has the role"));
    role::update(&office.owner, id, &new_role("Helper", &["content:read"]), "1").await.unwrap();
    assert!(!office.again(&person).await.access().grants(Permission::ContentCreate), "at once for who has it");
    member::change(&office.owner, person.id, &change("viewer", &[], 2)).await.unwrap();
    role::delete(&office.owner, id, "2").await.unwrap();
    assert_eq!(role::one(&office.owner, GivenRole::Custom(id)).await.unwrap_err(), Error::NotFound);
    assert_eq!(role::list(&office.owner).await.unwrap().len(), 4);
}

#[tokio::test]
async fn the_later_of_two_saves_is_told_who_changed_what_and_overwrites_nothing() {
    let office = Office::new().await;
    let (person, _) = office.member(Role::Viewer).await;
    let (_, admin) = office.member(Role::Admin).await;
    member::change(&admin, person.id, &change("editor", &[], 1)).await.unwrap();
    let text = conflict(member::change(&office.owner, person.id, &change("admin", &[], 1)).await);
    let label = admin.context().actor().label();
    for part in [label.as_str(), "role from “viewer” to “editor”", "Nothing of yours was saved", "Reload"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(office.roster().await.members[&person.id].role, GivenRole::BuiltIn(Role::Editor));
    let without = Change { version: String::new(), ..change("admin", &[], 2) };
    assert_eq!(fields(member::change(&office.owner, person.id, &without).await), ["version"]);

    let id = role::create(&admin, &new_role("Helper", &["content:read"])).await.unwrap();
    role::update(&admin, id, &new_role("Helpers", &["content:read"]), "1").await.unwrap();
    let text = conflict(role::update(&office.owner, id, &new_role("Hands", &["content:read"]), "1").await);
    assert!(text.contains("name from “Helper” to “Helpers”"), "{text}");

    let crew = team::create(&admin, &new_team("Crew")).await.unwrap();
    team::set_member(&admin, crew, &place(person.id, "", &[], 1)).await.unwrap();
    team::update(&admin, crew, &new_team("The crew"), "2").await.unwrap();
    let text = conflict(team::update(&office.owner, crew, &new_team("Band"), "1").await);
    for part in ["name from “Crew” to “The crew”", "other changes before it"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(office.roster().await.teams[&crew].name, "The crew");
}

#[tokio::test]
async fn two_owners_who_demote_each_other_at_once_leave_one() {
    let office = Office::new().await;
    for round in 0..10 {
        let (first_person, first) = office.member(Role::Owner).await;
        let (second_person, second) = office.member(Role::Owner).await;
        if round == 0 {
            member::change(&first, id_of(&office.owner), &change("admin", &[], 1)).await.unwrap();
        }
        let demote = change("viewer", &[], 1);
        let (one, other) = tokio::join!(
            member::change(&first, second_person.id, &demote),
            member::change(&second, first_person.id, &demote)
        );
        assert!(one.is_ok() != other.is_ok(), "one of the two wins: {one:?} {other:?}");
        let lost = one.err().or(other.err()).unwrap();
        assert_eq!(lost, Error::Forbidden(Permission::UsersManage), "what was taken is not used any more");
        let mut tx = office.world.as_tenant(&office.tenant).await;
        let owners: i64 = sqlx::query_scalar("select count(*) from membership where role = 'owner'")
            .fetch_one(&mut *tx)
            .await
            .unwrap();
        drop(tx);
        assert_eq!(owners, 1, "round {round}");
        // The one who is left steps aside for the next round, by the rows.
        office.world.execute(&office.tenant, "update membership set role = 'admin' where role = 'owner'").await;
    }
}

#[tokio::test]
async fn whoever_changes_owners_must_have_proved_a_moment_ago_who_they_are() {
    let office = Office::new().await;
    let mut person = office.world.person("earlier@example.org").await;
    person.proved_at = Some(office.world.clock.now() - FRESH);
    office.world.join(&person, &office.tenant, Role::Owner).await;
    let earlier = office.world.enter(&person, &office.tenant).await;
    let (other, _) = office.member(Role::Viewer).await;
    assert_eq!(member::change(&earlier, other.id, &change("owner", &[], 1)).await.err(), Some(Error::NotFresh));
    assert_eq!(member::remove(&earlier, id_of(&office.owner), "1").await.err(), Some(Error::NotFresh));
    // Whatever leaves the owners as they are needs no proof.
    member::change(&earlier, other.id, &change("editor", &[], 1)).await.unwrap();
    person.proved_at = Some(office.world.clock.now());
    let now = office.world.enter(&person, &office.tenant).await;
    member::change(&now, other.id, &change("owner", &[], 2)).await.unwrap();
}

#[tokio::test]
async fn the_last_owner_is_neither_removed_demoted_nor_disabled() {
    let office = Office::new().await;
    let owner = id_of(&office.owner);
    let email = office.owner.context().actor().label();
    assert!(conflict(member::change(&office.owner, owner, &change("admin", &[], 1)).await).contains("last owner"));
    assert!(conflict(member::remove(&office.owner, owner, "1").await).contains("last owner"));
    let operator = office.world.operator();
    assert!(conflict(user::set_disabled(&operator, &email, true).await).contains("office"));
    let visiting = access::enter_as_operator(&operator, &office.tenant.slug, "test").await.unwrap();
    assert!(conflict(member::remove(&visiting, owner, "1").await).contains("last owner"));

    let (second, _) = office.member(Role::Owner).await;
    assert_eq!(user::set_disabled(&operator, &email, true).await, Ok(true));
    assert_eq!(user::set_disabled(&operator, &email, true).await, Ok(false), "it is so already");
    let text = conflict(user::set_disabled(&operator, second.email.as_str(), true).await);
    assert!(text.contains("office"), "the other one is disabled, and no owner to rely on: {text}");
    assert_eq!(user::set_disabled(&operator, &email, false).await, Ok(true));
    assert_eq!(user::set_disabled(&operator, second.email.as_str(), true).await, Ok(true));
    for event in ["user.disable", "user.enable"] {
        assert!(
            office.actions().await.contains(&(event.into(), "success".into())),
            "{event} stands in the tenant's log"
        );
    }
    assert_eq!(fields(user::set_disabled(&operator, "nobody@example.org", true).await), ["email"]);
    let person = office.world.context(Actor::Person(Arc::new(second)));
    assert_eq!(user::set_disabled(&person, &email, true).await.unwrap_err(), Error::NotFound);
}

#[tokio::test]
async fn members_roles_and_teams_of_another_tenant_are_like_none() {
    let office = Office::new().await;
    let other = office.world.tenant("other", "UTC").await;
    let theirs = office.world.member(&other, Role::Owner).await;
    let foreign_role = role::create(&theirs, &new_role("Helper", &["content:read"])).await.unwrap();
    let foreign_team = team::create(&theirs, &new_team("Crew")).await.unwrap();
    let (person, _) = office.member(Role::Viewer).await;
    let crew = team::create(&office.owner, &new_team("Crew")).await.unwrap();
    for (user, role, team) in [
        (id_of(&theirs), foreign_role, foreign_team),
        (UserId::from(Uuid::now_v7()), RoleId::from(Uuid::now_v7()), TeamId::from(Uuid::now_v7())),
    ] {
        let owner = &office.owner;
        assert_eq!(member::one(owner, user).await.unwrap_err(), Error::NotFound);
        assert_eq!(member::change(owner, user, &change("viewer", &[], 1)).await.unwrap_err(), Error::NotFound);
        assert_eq!(member::preview(owner, user, &change("viewer", &[], 1)).await.unwrap_err(), Error::NotFound);
        assert_eq!(member::remove(owner, user, "1").await.unwrap_err(), Error::NotFound);
        assert_eq!(role::one(owner, GivenRole::Custom(role)).await.unwrap_err(), Error::NotFound);
        let renamed = role::update(owner, role, &new_role("Mine", &["content:read"]), "1").await;
        assert_eq!(renamed.unwrap_err(), Error::NotFound);
        assert_eq!(role::delete(owner, role, "1").await.unwrap_err(), Error::NotFound);
        assert_eq!(team::one(owner, team).await.unwrap_err(), Error::NotFound);
        assert_eq!(team::update(owner, team, &new_team("Mine"), "1").await.unwrap_err(), Error::NotFound);
        assert_eq!(team::delete(owner, team, "1").await.unwrap_err(), Error::NotFound);
        assert_eq!(team::set_subjects(owner, team, &[], "1").await.unwrap_err(), Error::NotFound);
        assert_eq!(fields(member::change(owner, person.id, &change(role, &[], 1)).await), ["role"]);
        assert_eq!(fields(team::set_member(owner, crew, &place(user, "viewer", &[], 1)).await), ["person"]);
        assert_eq!(fields(team::set_member(owner, crew, &place(person.id, &role.to_string(), &[], 1)).await), ["role"]);
        let asked = Question { person: user, permission: Permission::AnalyticsRead, subject: None };
        assert_eq!(fields(effective_access::ask(owner, Some(asked)).await), ["person"]);
    }
    assert_eq!(role::list(&theirs).await.unwrap().len(), 5, "it is still there");
    assert_eq!(member::roster(&theirs).await.unwrap().teams.len(), 1);
}

#[tokio::test]
async fn a_suspended_tenant_changes_nobody() {
    let office = Office::new().await;
    let (person, _) = office.member(Role::Viewer).await;
    let crew = team::create(&office.owner, &new_team("Crew of old")).await.unwrap();
    team::set_member(&office.owner, crew, &place(person.id, "viewer", &[], 1)).await.unwrap();
    office.world.execute(&office.tenant, "update tenant set status = 'suspended'").await;
    let mut owner = office.world.person("late@example.org").await;
    office.world.join(&owner, &office.tenant, Role::Owner).await;
    owner.name = "Late".into();
    let owner = office.world.enter(&owner, &office.tenant).await;
    let changed = member::change(&owner, person.id, &change("editor", &[], 1)).await;
    assert!(matches!(changed, Err(Error::ReadOnly(_))), "{changed:?}");
    let created = team::create(&owner, &new_team("Crew")).await;
    assert!(matches!(created, Err(Error::ReadOnly(_))), "{created:?}");
    let place = place(id_of(&owner), "viewer", &[], 2);
    assert!(matches!(team::set_member(&owner, crew, &place).await, Err(Error::ReadOnly(_))));
    assert!(matches!(team::delete(&owner, crew, "2").await, Err(Error::ReadOnly(_))));
    assert!(member::roster(&owner).await.is_ok(), "it can be read");
    // What only takes away goes on: who has left a client must not read on because the client has not paid.
    team::remove_member(&owner, crew, person.id, "2").await.unwrap();
    let viewer = office.world.enter(&person, &office.tenant).await;
    let forbidden = Err(Error::Forbidden(Permission::UsersManage));
    assert_eq!(member::remove(&viewer, id_of(&owner), "1").await.map(drop), forbidden, "for whom it did before");
    member::remove(&owner, person.id, "1").await.unwrap();
    let gone = access::enter(viewer.context(), office.tenant.slug.as_str()).await;
    assert_eq!(gone.map(drop), Err(Error::NotFound));
}

/// What each of two accounts and two campaigns has, and a team that is responsible for one of each.
struct Limited {
    desk: Desk,
    person: Person,
    owner: TenantContext,
    team: TeamId,
}

impl Limited {
    async fn new() -> Self {
        let desk = Desk::new("UTC").await;
        desk.posts(&["x,a,p1,2026-03-02T10:00:00Z", "x,b,p2,2026-03-02T11:00:00Z", "x,b,p3,2026-03-03T11:00:00Z"])
            .await;
        // One post of b belongs to a campaign, so the campaign reaches further than the account.
        for statement in [
            "insert into campaign (tenant_id, id, name) values (rtv_tenant(), '00000000-0000-7000-8000-0000000000c1', 'Spring')",
            "insert into campaign (tenant_id, id, name) values (rtv_tenant(), '00000000-0000-7000-8000-0000000000c2', 'Autumn')",
            "update post set campaign_id = '00000000-0000-7000-8000-0000000000c1' where external_id = 'p3'",
            "update kpi_daily set campaign_id = '00000000-0000-7000-8000-0000000000c1' where first_day = '2026-03-03'",
            "update post_hour set campaign_id = '00000000-0000-7000-8000-0000000000c1' where first_day = '2026-03-03'",
        ] {
            desk.world.execute(&desk.tenant, statement).await;
        }
        let owner = desk.world.member(&desk.tenant, Role::Owner).await;
        let person = desk.world.person("sam@example.org").await;
        desk.world.join(&person, &desk.tenant, Role::Viewer).await;
        let nothing = role::create(&owner, &new_role("Guest", &["reports:read"])).await.unwrap();
        member::change(&owner, person.id, &change(nothing, &[], 1)).await.unwrap();
        let team = team::create(&owner, &new_team("EMEA")).await.unwrap();
        team::set_member(&owner, team, &place(person.id, "viewer", &[], 1)).await.unwrap();
        Self { desk, person, owner, team }
    }

    async fn enter(&self) -> TenantContext {
        self.desk.world.enter(&self.person, &self.desk.tenant).await
    }

    async fn answer(&self, permission: Permission, subject: Option<Subject>) -> effective_access::Answer {
        let question = Question { person: self.person.id, permission, subject };
        effective_access::ask(&self.owner, Some(question)).await.unwrap().answer.unwrap()
    }
}

#[tokio::test]
async fn who_reads_figures_through_a_team_alone_sees_what_is_the_teams() {
    let limited = Limited::new().await;
    let a = limited.desk.account_id("a").await;
    let spring = "cmp_000000000000700080000000000000c1";
    let seen = async |ctx: &TenantContext| {
        let mut tx = ctx.begin(Permission::AnalyticsRead, Resource::Posts).await.unwrap();
        let posts: Vec<String> =
            sqlx::query_scalar("select external_id from post order by 1").fetch_all(tx.queue()).await.unwrap();
        let rolled: i64 =
            sqlx::query_scalar("select coalesce(sum(posts), 0)::bigint from kpi_daily where basis = 'lifetime'")
                .fetch_one(tx.queue())
                .await
                .unwrap();
        let hours: i64 = sqlx::query_scalar("select coalesce(sum(posts), 0)::bigint from post_hour")
            .fetch_one(tx.queue())
            .await
            .unwrap();
        let count = i64::try_from(posts.len()).unwrap();
        assert_eq!((rolled, hours), (count, count), "the roll-ups are narrowed alike");
        posts
    };
    // A team that is responsible for nothing yet: nothing, and no error.
    let sam = limited.enter().await;
    assert!(
        !sam.access().grants(Permission::AnalyticsRead) && sam.access().grants_somewhere(Permission::AnalyticsRead)
    );
    assert_eq!(seen(&sam).await, Vec::<String>::new());
    assert!(account::list(&sam).await.unwrap().is_empty());

    team::set_subjects(&limited.owner, limited.team, &[a.to_string()], "2").await.unwrap();
    let sam = limited.enter().await;
    assert_eq!(seen(&sam).await, ["p1"]);
    let names = async |ctx: &TenantContext| -> Vec<String> {
        account::list(ctx).await.unwrap().into_iter().map(|one| one.external_id).collect()
    };
    assert_eq!(names(&sam).await, ["a"]);
    assert!(campaign::list(&sam).await.unwrap().is_empty());

    team::set_subjects(&limited.owner, limited.team, &[a.to_string(), spring.to_owned()], "3").await.unwrap();
    let sam = limited.enter().await;
    assert_eq!(seen(&sam).await, ["p1", "p3"], "the campaign with its post on another account");
    assert_eq!(names(&sam).await, ["a", "b"], "which is named, so that the post can be");
    assert_eq!(campaign::list(&sam).await.unwrap().len(), 1);
    assert_eq!(seen(&limited.owner).await, ["p1", "p2", "p3"], "others see everything");

    // Figures come from what is seen.
    let query = over("2026-03-01", "2026-03-31");
    let counts = async |ctx: &TenantContext| {
        let summary = rtv_domain::kpi::summary(ctx, &query).await.unwrap();
        let published = summary.figures.iter().find(|one| one.kpi == rtv_core::Kpi::Published).unwrap();
        published.value.unwrap().to_string()
    };
    assert_eq!((counts(&sam).await, counts(&limited.owner).await), ("2".to_owned(), "3".to_owned()));

    // Targets of the whole tenant, and everything that is not a list, are not the team's.
    target::set(&limited.owner, &target::NewTarget { kpi: "reach".into(), aim: "all".into(), amount: "5".into() })
        .await
        .unwrap();
    target::set(&limited.owner, &target::NewTarget { kpi: "reach".into(), aim: a.to_string(), amount: "5".into() })
        .await
        .unwrap();
    assert_eq!(target::list(&sam).await.unwrap().targets.len(), 1);
    assert_eq!(
        sam.begin(Permission::AnalyticsRead, Resource::Tenant).await.unwrap_err(),
        Error::Forbidden(Permission::AnalyticsRead)
    );
    assert_eq!(
        sam.begin(Permission::ImportsManage, Resource::Posts).await.unwrap_err(),
        Error::Forbidden(Permission::ImportsManage)
    );

    // Out of the team, out of everything, at once.
    team::remove_member(&limited.owner, limited.team, limited.person.id, "4").await.unwrap();
    let sam = limited.enter().await;
    assert_eq!(account::list(&sam).await.unwrap_err(), Error::Forbidden(Permission::AnalyticsRead));
}

#[tokio::test]
async fn figures_are_narrowed_to_teams_and_never_widened_by_them() {
    let limited = Limited::new().await;
    let [a, b] = [limited.desk.account_id("a").await, limited.desk.account_id("b").await];
    team::set_subjects(&limited.owner, limited.team, &[a.to_string()], "2").await.unwrap();
    let rest = NewTeam { name: "Rest".into(), zone: "Asia/Tokyo".into(), ..NewTeam::default() };
    let rest = team::create(&limited.owner, &rest).await.unwrap();
    team::set_subjects(&limited.owner, rest, &[b.to_string()], "1").await.unwrap();
    let seen = async |ctx: &TenantContext| -> Vec<String> {
        account::list(ctx).await.unwrap().into_iter().map(|one| one.external_id).collect()
    };
    let names = |choices: &[team::Choice]| -> Vec<String> { choices.iter().map(|one| one.name.clone()).collect() };

    let all = team::choices(&limited.owner).await.unwrap();
    assert_eq!(names(&all), ["EMEA", "Rest"]);
    let tokyo = chrono_tz::Asia::Tokyo;
    for (wanted, expect, zone) in [
        (vec![], vec!["a", "b"], chrono_tz::UTC),
        (vec![limited.team], vec!["a"], chrono_tz::UTC),
        (vec![rest], vec!["b"], tokyo),
        (vec![limited.team, rest], vec!["a", "b"], chrono_tz::UTC),
    ] {
        let narrowed = team::narrow(&limited.owner, &all, &wanted).unwrap();
        assert_eq!(
            (seen(&narrowed.ctx).await, narrowed.zone),
            (expect.iter().map(|one| (*one).to_owned()).collect(), zone)
        );
    }
    // A team with nothing shows nothing.
    let empty = team::create(&limited.owner, &new_team("Empty")).await.unwrap();
    let all = team::choices(&limited.owner).await.unwrap();
    assert!(seen(&team::narrow(&limited.owner, &all, &[empty]).unwrap().ctx).await.is_empty());

    // Who sees figures through one team chooses that one, and gets no other by naming it.
    let sam = limited.enter().await;
    let theirs = team::choices(&sam).await.unwrap();
    assert_eq!(names(&theirs), ["EMEA"]);
    assert_eq!(fields(team::narrow(&sam, &theirs, &[rest])), ["team"]);
    assert_eq!(seen(&team::narrow(&sam, &theirs, &[limited.team]).unwrap().ctx).await, ["a"]);
    let forged = team::narrow(&sam, &all, &[rest]).unwrap().ctx;
    assert_eq!(account::list(&forged).await.unwrap_err(), Error::Forbidden(Permission::AnalyticsRead));
    let both = team::narrow(&sam, &all, &[rest, limited.team]).unwrap().ctx;
    assert_eq!(seen(&both).await, ["a"]);

    // Of another tenant it is none.
    let other = limited.desk.world.tenant("other", "UTC").await;
    let stranger = limited.desk.world.member(&other, Role::Owner).await;
    let choices = team::choices(&stranger).await.unwrap();
    assert_eq!(fields(team::narrow(&stranger, &choices, &[rest])), ["team"]);
}

#[tokio::test]
async fn settings_of_a_team_are_kept_and_refused_by_name() {
    let office = Office::new().await;
    let typed = NewTeam {
        name: "Crew".into(),
        description: "All of it".into(),
        range: "90d".into(),
        platforms: vec!["x".into()],
        zone: "Europe/Oslo".into(),
    };
    let id = team::create(&office.owner, &typed).await.unwrap();
    let one = team::one(&office.owner, id).await.unwrap().team;
    assert_eq!((one.zone, one.platforms.len()), (Some(chrono_tz::Europe::Oslo), 1));
    let wrong = NewTeam { range: "custom".into(), zone: "Europe/Atlantis".into(), ..typed.clone() };
    assert_eq!(fields(team::update(&office.owner, id, &wrong, "1").await), ["range", "zone"]);
    team::update(&office.owner, id, &NewTeam { zone: String::new(), ..typed }, "1").await.unwrap();
    assert_eq!(team::one(&office.owner, id).await.unwrap().team.zone, None);
    let log = office.world.rows(&office.tenant, "audit_event").await;
    let event = log.iter().find(|event| event["action"] == "team.update").unwrap();
    assert_eq!((&event["before"]["zone"], &event["after"]["zone"]), (&"Europe/Oslo".into(), &serde_json::Value::Null));
}

#[tokio::test]
async fn the_answer_about_access_names_every_step_and_marks_the_one_that_decided() {
    let limited = Limited::new().await;
    let (a, b) = (limited.desk.account_id("a").await, limited.desk.account_id("b").await);
    team::set_subjects(&limited.owner, limited.team, &[a.to_string()], "2").await.unwrap();
    let deciding = |answer: &effective_access::Answer| {
        let step = answer.steps.iter().find(|step| step.is_deciding).unwrap();
        (step.label.clone(), step.finding)
    };
    let answer = limited.answer(Permission::AnalyticsRead, Some(Subject::Account(a))).await;
    assert_eq!((answer.verdict.clone(), deciding(&answer)), (Verdict::Allowed, ("Team EMEA".into(), Finding::Grants)));
    let labels: Vec<&str> = answer.steps.iter().map(|step| step.label.as_str()).collect();
    assert_eq!(labels, ["Sign-in", "Role Guest", "Extra permissions", "Team EMEA"]);
    let answer = limited.answer(Permission::AnalyticsRead, Some(Subject::Account(b))).await;
    assert_eq!(
        (answer.verdict.clone(), deciding(&answer)),
        (Verdict::Denied, ("Nothing else".into(), Finding::Denies))
    );
    let answer = limited.answer(Permission::AnalyticsRead, None).await;
    assert_eq!(answer.verdict, Verdict::Limited(vec!["EMEA".into()]));
    let answer = limited.answer(Permission::UsersManage, Some(Subject::Account(a))).await;
    assert_eq!(answer.verdict, Verdict::Denied);
    assert!(answer.steps.iter().any(|step| step.text.contains("organisation as a whole")), "{answer:?}");
    let answer = limited.answer(Permission::ReportsRead, None).await;
    assert_eq!((answer.verdict.clone(), deciding(&answer)), (Verdict::Allowed, ("Role Guest".into(), Finding::Grants)));

    member::change(
        &limited.owner,
        limited.person.id,
        &change(office_role(&limited.owner).await, &["analytics:read"], 2),
    )
    .await
    .unwrap();
    let answer = limited.answer(Permission::AnalyticsRead, Some(Subject::Account(b))).await;
    assert_eq!(deciding(&answer), ("Extra permissions".into(), Finding::Grants));
    user::set_disabled(&limited.desk.world.operator(), "sam@example.org", true).await.unwrap();
    let answer = limited.answer(Permission::AnalyticsRead, Some(Subject::Account(b))).await;
    assert_eq!((answer.verdict.clone(), deciding(&answer)), (Verdict::Denied, ("Sign-in".into(), Finding::Denies)));
}

async fn office_role(ctx: &TenantContext) -> GivenRole {
    role::list(ctx).await.unwrap().into_iter().find(|one| one.role.name == "Guest").unwrap().role.role
}

#[tokio::test]
async fn looking_at_anothers_sessions_is_logged_and_ones_own_is_not() {
    let office = Office::new().await;
    let (person, admin) = office.member(Role::Admin).await;
    let seen = member::one(&office.owner, person.id).await.unwrap();
    assert_eq!(seen.sessions.unwrap().count, 0);
    member::one(&admin, person.id).await.unwrap();
    let looks = office.actions().await.into_iter().filter(|(action, _)| action == "session.count").count();
    assert_eq!(looks, 1);
    assert_eq!(office.roster().await.members[&person.id].last_seen_at, None);
    member::remember_visit(&admin).await.unwrap();
    assert_eq!(office.roster().await.members[&person.id].last_seen_at, Some(office.world.clock.now()));
}

/// The same people as `roster.rs` throws them, through the real doors: after every act what somebody gained its actor held, and
/// what a person finds on entering is what the roster says.
#[tokio::test]
async fn of_random_acts_on_a_database_nobody_ends_with_more_than_they_were_granted() {
    let seed: u64 = std::env::var("RTV_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(rand::random);
    println!("RTV_TEST_SEED={seed} repeats this run");
    let mut dice = StdRng::seed_from_u64(seed);
    let desk = Desk::new("UTC").await;
    desk.posts(&["x,a,p1,2026-03-02T10:00:00Z", "x,b,p2,2026-03-02T11:00:00Z"]).await;
    let (a, b) = (desk.account_id("a").await, desk.account_id("b").await);
    let world = &desk.world;
    let mut people = Vec::new();
    for (index, role) in [Role::Owner, Role::Admin, Role::Admin, Role::Editor, Role::Viewer].into_iter().enumerate() {
        let person = world.person(&format!("person{index}@example.org")).await;
        world.join(&person, &desk.tenant, role).await;
        people.push(person);
    }
    let owner = world.enter(&people[0], &desk.tenant).await;
    let keys = ["analytics:read", "content:publish", "users:manage", "teams:manage", "roles:manage", "billing:manage"];
    let mut roles = Vec::new();
    for (index, held) in [&keys[..2], &keys[2..5], &keys[..]].into_iter().enumerate() {
        roles.push(role::create(&owner, &new_role(&format!("Role {index}"), held)).await.unwrap());
    }
    let mut teams = Vec::new();
    for name in ["North", "South"] {
        teams.push(team::create(&owner, &new_team(name)).await.unwrap());
    }
    let places = [None, Some(Subject::Account(a)), Some(Subject::Account(b))];
    let held = |roster: &Roster, who: UserId, place: Option<Subject>| match (place, roster.holding(who)) {
        (_, None) => BTreeSet::new(),
        (None, Some(holding)) => holding.everywhere().iter().collect::<BTreeSet<_>>(),
        (Some(place), Some(_)) => roster.on(who, place).iter().collect(),
    };
    let watcher = access::enter_as_operator(&world.operator(), &desk.tenant.slug, "test").await.unwrap();
    let (mut made, mut refused) = (0, 0);
    for act in 0..150 {
        let before = member::roster(&watcher).await.unwrap();
        let actor = people[dice.random_range(0..people.len())].clone();
        let who = people[dice.random_range(0..people.len())].id;
        let ctx = world.enter(&actor, &desk.tenant).await;
        let given = match dice.random_range(0..7) {
            number @ 0..4 => GivenRole::BuiltIn(Role::ALL[number]),
            number => GivenRole::Custom(roles[number - 4]),
        };
        let extra: Vec<&str> = keys.into_iter().filter(|_| dice.random_bool(0.2)).collect();
        let team = teams[dice.random_range(0..teams.len())];
        let team_version = before.teams[&team].revision.version;
        let outcome = match dice.random_range(0..5) {
            0 | 1 => {
                let version = before.members[&who].revision.version;
                member::change(&ctx, who, &change(given, &extra, version)).await.map(|_| ())
            }
            2 => {
                let role = roles[dice.random_range(0..roles.len())];
                let version = before.roles[&role].revision.version.to_string();
                let new = new_role(&before.roles[&role].name, if extra.is_empty() { &keys[..1] } else { &extra });
                role::update(&ctx, role, &new, &version).await
            }
            3 => {
                let extra: Vec<&str> =
                    extra.into_iter().filter(|key| key.contains("read") || key.contains("publish")).collect();
                let given = if given.is_owner() { String::new() } else { given.to_string() };
                team::set_member(&ctx, team, &place(who, &given, &extra, team_version)).await.map(|_| ())
            }
            _ => {
                let subjects: Vec<String> =
                    [a, b].into_iter().filter(|_| dice.random_bool(0.5)).map(|id| id.to_string()).collect();
                team::set_subjects(&ctx, team, &subjects, &team_version.to_string()).await
            }
        };
        let after = member::roster(&watcher).await.unwrap();
        match outcome {
            Ok(()) => made += 1,
            Err(Error::Forbidden(_) | Error::Invalid(_) | Error::Conflict(_)) => {
                refused += 1;
                assert_eq!(before, after, "a refusal changes nothing");
            }
            Err(other) => panic!("seed {seed}, act {act}: {other:?}"),
        }
        for person in &people {
            for place in places {
                let gained = held(&after, person.id, place)
                    .difference(&held(&before, person.id, place))
                    .copied()
                    .collect::<BTreeSet<_>>();
                assert!(
                    gained.is_subset(&held(&before, actor.id, place)),
                    "seed {seed}, act {act}: {} gained {gained:?} at {place:?} from {}",
                    person.email,
                    actor.email
                );
            }
            let entered = world.enter(person, &desk.tenant).await;
            assert_eq!(entered.access(), &Access::Member(after.holding(person.id).unwrap().into()), "{}", person.email);
        }
        assert!(after.members.values().any(|member| member.role.is_owner()), "seed {seed}, act {act}");
    }
    println!("{made} acts were made and {refused} refused");
    assert!(made > 20 && refused > 20, "{made} made, {refused} refused");
}
