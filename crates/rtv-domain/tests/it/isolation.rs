//! Tenants cannot see or touch each other, whatever a query forgets. The catalogue test reads PostgreSQL's own
//! catalogue, so a new table, view, function or grant that breaks the rule fails it without anybody listing it here;
//! what is listed here are the exceptions, each with its reason.

use sqlx::{AssertSqlSafe, PgConnection, Postgres, Transaction};
use uuid::Uuid;

use crate::world::{World, rows_of, set_markers, tenant_tables};

/// Tables without a tenant as first part of every key. All but the first have forced row security all the same.
const GLOBAL: [(&str, &str); 16] = [
    ("_sqlx_migrations", "the owner's list of migrations; the serving role may only read it"),
    ("tenant", "the tenants themselves: their id is the tenant"),
    ("app_user", "a person may belong to many tenants"),
    ("user_credential", "a person signs in before a tenant is known"),
    ("staff_member", "staff stand above tenants"),
    ("session", "a session belongs to a person, not to a tenant"),
    ("preference", "what a person chose holds in all of their tenants"),
    ("sign_in_limit", "attempts are counted before a tenant is known"),
    ("mail", "mail to a person may belong to no tenant; a tenant writes it and never reads it"),
    ("password_reset", "a password belongs to a person"),
    ("totp", "a second factor belongs to a person"),
    ("recovery_code", "a second factor belongs to a person"),
    ("maintenance", "one row for the whole installation, announced to everybody"),
    ("job", "workers claim across tenants, and work of the operator has no tenant"),
    ("sender", "a process sends for all tenants"),
    ("switch_drill", "a drill stops nothing and belongs to nobody"),
];

/// What a policy of a tenant table says when it says nothing but “rows of this tenant”.
const OWN_ROWS: &str = "(tenant_id = ( SELECT rtv_tenant() AS rtv_tenant))";

/// Policies of tenant tables that say something else.
const OTHER_POLICIES: [(&str, &str); 70] = [
    ("membership_of_person", "a person lists the own memberships, to choose a tenant"),
    ("audit_event_of_operator", "staff read the operator's chain, which is no tenant's"),
    ("invitation_by_token", "who holds the link of an invitation sees that one"),
    ("custom_role_of_invitation", "who holds the link of an invitation reads the name of the role in it"),
    ("api_key_by_token", "a program that shows a key sees that one"),
    ("api_answer_seen_by_worker", "a worker finds in all tenants the answers that are not given again"),
    ("api_answer_swept_by_worker", "and removes them"),
    ("import_seen_by_worker", "a worker finds in all tenants what to sweep, and does it inside each"),
    (
        "report_run_seen_by_worker",
        "a worker finds in all tenants the runs that nobody works at, and ends each inside its own",
    ),
    ("report_schedule_seen_by_worker", "likewise schedules that are due, each made inside its own"),
    ("report_mail_seen_by_worker", "likewise mails that nobody works at any more"),
    ("report_file_seen_by_worker", "likewise files that have been kept long enough"),
    ("audit_event_added", "sign-ins, staff and workers add to the operator's chain"),
    ("membership_seen_by_staff", "the operator disables nobody who is the last owner of a tenant"),
    ("membership_of_session", "an open page asks who looks and what they hold in one statement"),
    ("custom_role_of_session", "likewise the role that they have there"),
    ("team_member_of_person", "a person reads what they hold before a tenant is entered"),
    ("custom_role_of_person", "likewise the roles that they have"),
    ("team_of_person", "likewise the teams that they are in"),
    ("member_visit_of_person", "a person writes that they were here"),
    ("member_visit_seen_by_staff", "the console says when somebody was last in a tenant"),
    ("staff_visit_of_visitor", "staff find the visit that they began before a tenant is entered"),
    ("staff_visit_seen_by_worker", "a worker ends visits whose time is over, each in its tenant"),
    ("tenant_limit_set_by_staff", "a tenant reads its limits, and only staff write them"),
    ("post_of_teams", "restrictive: who reads through teams alone sees what these are responsible for"),
    ("kpi_daily_of_teams", "likewise"),
    ("post_hour_of_teams", "likewise"),
    ("account_daily_of_teams", "likewise"),
    ("target_of_teams", "likewise"),
    ("post_daily_of_teams", "likewise"),
    ("account_of_teams", "likewise"),
    ("campaign_of_teams", "likewise"),
    ("audit_event_dropped", "retention empties events of the tenant that are sealed and old"),
    ("audit_unsealed_added", "comes with an event, so it may what that may"),
    ("audit_unsealed_sealed", "only the sealer takes events of the tenant out"),
    ("audit_unsealed_of_operator", "staff read the operator's chain, which is no tenant's"),
    ("audit_unsealed_seen_by_worker", "a worker finds the chains that have something to do"),
    ("audit_seal_of_operator", "staff read the operator's chain, which is no tenant's"),
    ("audit_seal_added", "only the sealer adds seals, in the tenant"),
    ("audit_head_of_operator", "staff read the operator's chain, which is no tenant's"),
    ("audit_head_added", "only the sealer adds heads, in the tenant"),
    ("audit_chain_of_operator", "staff read the operator's chain, which is no tenant's"),
    ("audit_chain_added", "only the sealer begins a chain, in the tenant"),
    ("audit_chain_moved", "only the sealer moves the tip, in the tenant"),
    ("audit_chain_seen_by_worker", "a worker finds the chains that have something to do"),
    ("kill_switch_of_operator", "what the operator halts it halts for every tenant, which may know who, when and why"),
    ("kill_switch_seen_by_gate", "senders read all switches, or one would be forgotten"),
    ("kill_switch_flipped_by_gate", "staff and guards halt in all tenants, and the recorder notes what it wrote"),
    ("halt_of_operator", "likewise its history, without what it met"),
    ("halt_of_gate", "the recorder writes it for all tenants, and staff read it"),
    ("halt_receipt_of_gate", "likewise"),
    ("switch_release_of_gate", "staff ask for releases of what staff engaged, also in a tenant"),
    ("sender_file_of_gate", "a sender shows the files that halt it, whomever they are about"),
    ("sender_file_of_operator", "a file that halts everything halts every tenant, which may know"),
    ("halt_file_of_gate", "the recorder takes over files, whomever they are about"),
    ("account_for_gate", "staff read the names of what is halted"),
    ("campaign_for_gate", "likewise"),
    ("content_of_sender", "a sender reads what it sends, in all tenants; the gate, what it holds"),
    ("delivery_of_sender", "likewise it claims, settles and reads back"),
    ("attempt_of_sender", "likewise"),
    ("delivery_event_of_sender", "likewise it writes down what happened"),
    ("account_connection_of_sender", "likewise it opens tokens and keeps whose they are"),
    ("rate_window_of_sender", "a rate of a platform is shared by all tenants"),
    ("account_for_sender", "a sender reads the names of the accounts that it sends for"),
    ("delivery_seen_by_staff", "staff who know an id find out whose it is, and see what is in it inside its tenant"),
    ("delivery_of_teams", "restrictive: who reads through teams alone sees what these are responsible for"),
    ("content_of_teams", "likewise; content is written before its deliveries, whose check holds"),
    ("attempt_of_teams", "likewise"),
    ("delivery_event_of_teams", "likewise"),
    ("account_connection_of_teams", "likewise"),
];

/// Everything in the schema that breaks isolation, as sentences.
async fn complaints(connection: &mut PgConnection) -> Vec<String> {
    let mut complaints = relations(connection).await;
    complaints.extend(keys(connection).await);
    complaints.extend(foreign_keys(connection).await);
    complaints.extend(policies(connection).await);
    complaints.extend(functions(connection).await);
    complaints.extend(rights(connection).await);
    complaints
}

fn is_global(table: &str) -> bool {
    GLOBAL.iter().any(|(name, _)| *name == table)
}

async fn relations(connection: &mut PgConnection) -> Vec<String> {
    let rows: Vec<(String, String, bool, bool, Vec<String>, bool)> = sqlx::query_as(
        r"
        select
          relname::text, relkind::text, relrowsecurity, relforcerowsecurity, coalesce(reloptions, '{}'),
          exists (
            select 1
            from pg_attribute
            where attrelid = pg_class.oid and attname = 'tenant_id' and attnotnull and atttypid = 'uuid'::regtype and not attisdropped
          )
        from pg_class
        where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f')
        order by relname
        ",
    )
    .fetch_all(connection)
    .await
    .unwrap();
    assert!(rows.len() > 15, "the catalogue was not read");
    let mut complaints = Vec::new();
    for (name, kind, is_secured, is_forced, options, has_tenant) in rows {
        match kind.as_str() {
            "r" | "p" => {
                if name != "_sqlx_migrations" && !is_secured {
                    complaints.push(format!("table {name} has no row security"));
                }
                if name != "_sqlx_migrations" && !is_forced {
                    complaints.push(format!("table {name} does not force row security"));
                }
                if !is_global(&name) && !has_tenant {
                    complaints.push(format!("table {name} has no tenant_id uuid not null"));
                }
            }
            "v" if options
                .iter()
                .any(|option| option == "security_invoker=true" || option == "security_invoker=on") => {}
            "v" => complaints.push(format!("view {name} reads with its owner's rights")),
            _ => complaints.push(format!("{name} is of a kind that cannot have row security")),
        }
    }
    complaints
}

async fn keys(connection: &mut PgConnection) -> Vec<String> {
    let keys: Vec<(String, String, bool, Option<String>)> = sqlx::query_as(
        r"
        select tables.relname::text, indexes.relname::text, indisprimary, attname::text
        from pg_index
        join pg_class as tables on tables.oid = indrelid
        join pg_class as indexes on indexes.oid = indexrelid
        left join pg_attribute on attrelid = indrelid and attnum = indkey[0] and attnum > 0
        where tables.relnamespace = 'public'::regnamespace and indisunique
        ",
    )
    .fetch_all(&mut *connection)
    .await
    .unwrap();
    let tables: Vec<String> = sqlx::query_scalar(
        "select relname::text from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')",
    )
    .fetch_all(connection)
    .await
    .unwrap();
    let mut complaints = Vec::new();
    for table in tables.iter().filter(|table| !is_global(table)) {
        if !keys.iter().any(|(of, _, is_primary, _)| of == table && *is_primary) {
            complaints.push(format!("table {table} has no primary key"));
        }
    }
    for (table, key, _, first) in keys {
        if !is_global(&table) && first.as_deref() != Some("tenant_id") {
            complaints.push(format!("key {key} of {table} does not begin with tenant_id"));
        }
    }
    complaints
}

async fn foreign_keys(connection: &mut PgConnection) -> Vec<String> {
    let keys: Vec<(String, String, String, String, String)> = sqlx::query_as(
        r"
        select
          conname::text, from_table.relname::text, from_column.attname::text, to_table.relname::text, to_column.attname::text
        from pg_constraint
        join pg_class as from_table on from_table.oid = conrelid
        join pg_class as to_table on to_table.oid = confrelid
        join pg_attribute as from_column on from_column.attrelid = conrelid and from_column.attnum = conkey[1]
        join pg_attribute as to_column on to_column.attrelid = confrelid and to_column.attnum = confkey[1]
        where contype = 'f' and from_table.relnamespace = 'public'::regnamespace
        ",
    )
    .fetch_all(connection)
    .await
    .unwrap();
    let mut complaints = Vec::new();
    for (name, from, from_column, to, to_column) in keys {
        let is_sound = match (is_global(&from), to.as_str()) {
            (false, "tenant") => from_column == "tenant_id",
            (false, to) if is_global(to) => true,
            (false, _) => from_column == "tenant_id" && to_column == "tenant_id",
            // A global row that points into a tenant would let two tenants meet there.
            (true, to) => is_global(to),
        };
        if !is_sound {
            complaints.push(format!("foreign key {name} of {from} does not begin with tenant_id"));
        }
    }
    complaints
}

/// Table, name, command, `using` and `with check`.
type Policy = (String, String, String, Option<String>, Option<String>);

async fn policies(connection: &mut PgConnection) -> Vec<String> {
    let policies: Vec<Policy> = sqlx::query_as(
        r"
        select tablename::text, policyname::text, cmd, qual, with_check
        from pg_policies
        where schemaname = 'public'
        ",
    )
    .fetch_all(connection)
    .await
    .unwrap();
    let mut complaints = Vec::new();
    for (table, name, command, using, check) in policies {
        if using.is_none() && command != "INSERT" {
            complaints.push(format!("policy {name} of {table} has no using"));
        }
        if check.is_none() && matches!(command.as_str(), "INSERT" | "UPDATE" | "ALL") {
            complaints.push(format!("policy {name} of {table} has no with check"));
        }
        let is_listed = OTHER_POLICIES.iter().any(|(listed, _)| *listed == name);
        let says_own_rows = using.iter().chain(check.iter()).all(|expression| expression == OWN_ROWS);
        if !is_global(&table) && !is_listed && !says_own_rows {
            complaints.push(format!("policy {name} of {table} says more than rows of the tenant, and is not listed"));
        }
        if using.iter().chain(check.iter()).any(|expression| expression == "true") {
            complaints.push(format!("policy {name} of {table} lets everything through"));
        }
    }
    complaints
}

async fn functions(connection: &mut PgConnection) -> Vec<String> {
    let functions: Vec<(String, bool, bool)> = sqlx::query_as(
        "select proname::text, prosecdef, proleakproof from pg_proc where pronamespace = 'public'::regnamespace",
    )
    .fetch_all(connection)
    .await
    .unwrap();
    let mut complaints = Vec::new();
    for (name, is_definer, is_leakproof) in functions {
        if is_definer {
            complaints.push(format!("function {name} runs with its owner's rights"));
        }
        if is_leakproof {
            complaints.push(format!("function {name} is run before row security"));
        }
    }
    complaints
}

/// What the serving role may do, and what everybody may.
async fn rights(connection: &mut PgConnection) -> Vec<String> {
    let mut complaints: Vec<String> = sqlx::query_scalar(
        r"
        select 'rtv_app is more than an ordinary role'
        from pg_roles
        where rolname = 'rtv_app' and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication)
        union all
        select 'rtv_app is a member of ' || roleid::regrole::text from pg_auth_members where member = 'rtv_app'::regrole
        union all
        select 'rtv_app owns ' || relname from pg_class where relowner = 'rtv_app'::regrole and relpersistence <> 't'
        union all
        select 'rtv_app owns function ' || proname from pg_proc where proowner = 'rtv_app'::regrole
        union all
        select 'rtv_app may create in schema ' || nspname
        from pg_namespace
        where nspname not like 'pg\_%' and (has_schema_privilege('rtv_app', oid, 'create') or nspowner = 'rtv_app'::regrole)
        union all
        select 'rtv_app may ' || privilege || ' ' || relname
        from pg_class
        cross join unnest(array['truncate', 'references', 'trigger']) as privilege
        where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f')
          and has_table_privilege('rtv_app', pg_class.oid, privilege)
        union all
        select 'rtv_app may ' || privilege || ' columns of ' || relname
        from pg_class
        cross join unnest(array['insert', 'update', 'references']) as privilege
        where relname = '_sqlx_migrations' and has_any_column_privilege('rtv_app', pg_class.oid, privilege)
        union all
        select 'rtv_app may change the audit log: ' || privilege
        from unnest(array['update', 'delete', 'truncate']) as privilege
        where has_table_privilege('rtv_app', 'audit_event', privilege)
        union all
        select 'rtv_app may change ' || attname || ' of the audit log'
        from pg_attribute
        where attrelid = 'audit_event'::regclass and attnum > 0 and not attisdropped
          and has_column_privilege('rtv_app', 'audit_event', attnum, 'update')
          -- What retention empties, under a policy of its own.
          and attname not in ('payload_salt', 'detail', 'before', 'after', 'address', 'user_agent')
        union all
        select 'rtv_app may ' || privilege || ' ' || relname
        from unnest(array['audit_seal', 'audit_head']) as relname
        cross join unnest(array['update', 'delete']) as privilege
        where has_table_privilege('rtv_app', relname, privilege)
        union all
        select 'everybody may ' || lower(privilege_type) || ' ' || relname
        from pg_class
        cross join lateral aclexplode(relacl)
        where relnamespace = 'public'::regnamespace and grantee = 0
        ",
    )
    .fetch_all(&mut *connection)
    .await
    .unwrap();
    let exists: bool = sqlx::query_scalar("select exists (select 1 from pg_roles where rolname = 'rtv_app')")
        .fetch_one(connection)
        .await
        .unwrap();
    if !exists {
        complaints.push("there is no role rtv_app".into());
    }
    complaints
}

#[tokio::test]
async fn the_catalogue_has_nothing_that_breaks_isolation() {
    let world = World::new().await;
    let owner = world.db.owner_pool().await;
    let complaints = complaints(&mut owner.acquire().await.unwrap()).await;
    assert!(complaints.is_empty(), "{complaints:#?}");
}

/// Each fault is planted as the owner could by a careless migration, found, and taken back.
#[tokio::test]
async fn a_planted_fault_is_found_by_the_catalogue_test() {
    let world = World::new().await;
    let owner = world.db.owner_pool().await;
    let own_rows = "using (tenant_id = (select rtv_tenant())) with check (tenant_id = (select rtv_tenant()))";
    let sound = format!(
        "create table plant (tenant_id uuid not null, id uuid not null, constraint plant_key primary key (tenant_id, id));
         alter table plant enable row level security;
         alter table plant force row level security;
         create policy plant_of_tenant on plant {own_rows};
         grant select, insert, update, delete on plant to rtv_app;"
    );
    let check = async |statements: &str, expect: Option<&str>| {
        let mut tx = owner.begin().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(statements.to_owned()))
            .execute(&mut *tx)
            .await
            .unwrap_or_else(|error| panic!("{statements}: {error}"));
        let found = complaints(&mut tx).await;
        tx.rollback().await.unwrap();
        match expect {
            Some(expect) => assert!(
                found.iter().any(|found| found == expect),
                "{statements}\nexpected “{expect}”, found {found:#?}"
            ),
            None => assert!(found.is_empty(), "{statements}\nfound {found:#?}"),
        }
    };
    check(&sound, None).await;
    let after = |rest: &str| format!("{sound} {rest}");
    for (statements, expect) in [
        (after("alter table plant no force row level security"), "table plant does not force row security"),
        (after("alter table plant disable row level security"), "table plant has no row security"),
        ("alter table post no force row level security".into(), "table post does not force row security"),
        ("create table plant (id uuid primary key)".into(), "table plant has no tenant_id uuid not null"),
        (
            after("alter table plant drop constraint plant_key, add constraint plant_key primary key (id)"),
            "key plant_key of plant does not begin with tenant_id",
        ),
        (after("alter table plant drop constraint plant_key"), "table plant has no primary key"),
        (after("alter table plant add constraint plant_unique unique (id)"), "key plant_unique of plant does not begin with tenant_id"),
        (
            after("create unique index plant_index on plant ((id::text), tenant_id)"),
            "key plant_index of plant does not begin with tenant_id",
        ),
        (
            after("alter table plant add constraint plant_post foreign key (id, tenant_id) references plant (id, tenant_id)")
                .replace("primary key (tenant_id, id)", "primary key (tenant_id, id), constraint plant_swapped unique (id, tenant_id)"),
            "foreign key plant_post of plant does not begin with tenant_id",
        ),
        (
            after("alter table job add constraint job_plant foreign key (tenant_id, id) references plant (tenant_id, id)"),
            "foreign key job_plant of job does not begin with tenant_id",
        ),
        (
            after("drop policy plant_of_tenant on plant; create policy plant_of_tenant on plant using (tenant_id = (select rtv_tenant()))"),
            "policy plant_of_tenant of plant has no with check",
        ),
        (after("create policy plant_open on plant for select using (true)"), "policy plant_open of plant lets everything through"),
        (
            after("create policy plant_wide on plant for select using ((select rtv_actor()) = 'tenant')"),
            "policy plant_wide of plant says more than rows of the tenant, and is not listed",
        ),
        ("create view plant as select id from post".into(), "view plant reads with its owner's rights"),
        ("create view plant with (security_invoker = false) as select id from post".into(), "view plant reads with its owner's rights"),
        ("create materialized view plant as select 1 as one".into(), "plant is of a kind that cannot have row security"),
        (
            "create function plant() returns bigint language sql security definer return 1::bigint".into(),
            "function plant runs with its owner's rights",
        ),
        ("grant truncate on post to rtv_app".into(), "rtv_app may truncate post"),
        ("grant references on post to rtv_app".into(), "rtv_app may references post"),
        ("grant trigger on post to rtv_app".into(), "rtv_app may trigger post"),
        ("grant update on audit_event to rtv_app".into(), "rtv_app may change the audit log: update"),
        ("grant delete on audit_event to rtv_app".into(), "rtv_app may change the audit log: delete"),
        ("grant update (action) on audit_event to rtv_app".into(), "rtv_app may change action of the audit log"),
        ("grant update on audit_seal to rtv_app".into(), "rtv_app may update audit_seal"),
        ("grant select on post to public".into(), "everybody may select post"),
        ("grant create on schema public to rtv_app".into(), "rtv_app may create in schema public"),
        ("grant update on _sqlx_migrations to rtv_app".into(), "rtv_app may update columns of _sqlx_migrations"),
    ] {
        check(&statements, Some(expect)).await;
    }
    check("create view plant with (security_invoker = true) as select id from post", None).await;
}

#[tokio::test]
async fn a_list_of_exceptions_holds_nothing_that_is_gone() {
    let world = World::new().await;
    for (table, reason) in GLOBAL {
        let exists: bool =
            sqlx::query_scalar("select to_regclass($1) is not null").bind(table).fetch_one(&world.app).await.unwrap();
        assert!(exists, "{table} ({reason})");
    }
    for (policy, reason) in OTHER_POLICIES {
        let exists: bool = sqlx::query_scalar("select exists (select 1 from pg_policies where policyname = $1)")
            .bind(policy)
            .fetch_one(&world.app)
            .await
            .unwrap();
        assert!(exists, "{policy} ({reason})");
    }
}

/// One row in every tenant table, the same ids in each tenant: a key that forgot the tenant would collide.
const SEED: &str = r"
    insert into membership (tenant_id, user_id, role) values (rtv_tenant(), '00000000-0000-7000-8000-00000000aaaa', 'owner');
    insert into tenant_logo (tenant_id, kind, content, sha256) values (rtv_tenant(), 'image/png', '\x01', '\x02');
    insert into account (tenant_id, id, platform, external_id, name)
      values (rtv_tenant(), '00000000-0000-7000-8000-000000000001', 'x', 'page', 'Page');
    insert into staff_visit (tenant_id, id, user_id, visitor, reason, began_at, ends_at)
      values (
        rtv_tenant(), '00000000-0000-7000-8000-00000000000c', '00000000-0000-7000-8000-00000000aaaa', 'a', 'r',
        '2026-03-01T10:00Z', '2026-03-01T11:00Z'
      );
    insert into campaign (tenant_id, id, name) values (rtv_tenant(), '00000000-0000-7000-8000-000000000002', 'Spring');
    insert into import (
      tenant_id, id, file_name, file_sha256, file_bytes, mapping, duplicate_rule, state, rows_read, rows_new, rows_changed,
      rows_unchanged, rows_duplicate, rows_refused, notes, actor_label, started_at, finished_at
    ) values (
      rtv_tenant(), '00000000-0000-7000-8000-000000000003', 'f.csv', '\x00', 1, 'm', 'first', 'done', 1, 1, 0, 0, 0, 1, '[]', 'a', now(), now()
    );
    insert into post (tenant_id, id, account_id, campaign_id, external_id, published_from, published_to, reach, content_digest, import_id)
      values (
        rtv_tenant(), '00000000-0000-7000-8000-000000000004', '00000000-0000-7000-8000-000000000001',
        '00000000-0000-7000-8000-000000000002', 'p1', '2026-03-01', '2026-03-01', 7, '\x01', '00000000-0000-7000-8000-000000000003'
      );
    insert into post_daily (tenant_id, post_id, day, reach)
      values (rtv_tenant(), '00000000-0000-7000-8000-000000000004', '2026-03-01', 7);
    insert into account_daily (tenant_id, account_id, day, followers)
      values (rtv_tenant(), '00000000-0000-7000-8000-000000000001', '2026-03-01', 9);
    insert into kpi_daily (
      tenant_id, basis, first_day, last_day, account_id, campaign_id, posts, reach_posts, impressions_posts, engagements_posts,
      rate_engagements, rate_impressions, rate_by_reach_engagements, rate_reach, rate_posts, conversions_posts, revenue_posts,
      roi_revenue, roi_cost, roi_posts, sentiment_sum, sentiment_count, sentiment_posts
    ) values (
      rtv_tenant(), 'lifetime', '2026-03-01', '2026-03-01', '00000000-0000-7000-8000-000000000001',
      '00000000-0000-7000-8000-000000000002', 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
    );
    insert into target (tenant_id, id, kpi, account_id, amount)
      values (rtv_tenant(), '00000000-0000-7000-8000-000000000006', 'reach', '00000000-0000-7000-8000-000000000001', 5);
    insert into competitor (tenant_id, id, name, created_at, created_by, updated_at, changed_by)
      values (rtv_tenant(), '00000000-0000-7000-8000-0000000000c1', 'Other', now(), 'a', now(), 'a');
    insert into competitor_month (tenant_id, competitor_id, platform, month, followers, changed_at, changed_by)
      values (rtv_tenant(), '00000000-0000-7000-8000-0000000000c1', 'x', '2026-03-01', 5, now(), 'a');
    insert into post_hour (
      tenant_id, first_day, last_day, hour, account_id, campaign_id, posts, engagements, engagements_posts, rate_engagements,
      rate_base, rate_posts
    ) values (
      rtv_tenant(), '2026-03-01', '2026-03-01', 10, '00000000-0000-7000-8000-000000000001',
      '00000000-0000-7000-8000-000000000002', 1, 0, 0, 0, 0, 0
    );
    insert into import_change (tenant_id, import_id, post_id)
      values (rtv_tenant(), '00000000-0000-7000-8000-000000000003', '00000000-0000-7000-8000-000000000004');
    insert into import_refusal (tenant_id, import_id, row_number, reason, raw)
      values (rtv_tenant(), '00000000-0000-7000-8000-000000000003', 1, 'r', 'w');
    insert into custom_role (tenant_id, id, name, permissions, changed_by)
      values (rtv_tenant(), '00000000-0000-7000-8000-000000000007', 'Helper', '{content:read}', 'a');
    insert into team (tenant_id, id, name, changed_by) values (rtv_tenant(), '00000000-0000-7000-8000-000000000008', 'Crew', 'a');
    insert into team_member (tenant_id, team_id, user_id)
      values (rtv_tenant(), '00000000-0000-7000-8000-000000000008', '00000000-0000-7000-8000-00000000aaaa');
    insert into team_account (tenant_id, team_id, account_id)
      values (rtv_tenant(), '00000000-0000-7000-8000-000000000008', '00000000-0000-7000-8000-000000000001');
    insert into team_campaign (tenant_id, team_id, campaign_id)
      values (rtv_tenant(), '00000000-0000-7000-8000-000000000008', '00000000-0000-7000-8000-000000000002');
    insert into member_visit (tenant_id, user_id, last_seen_at)
      values (rtv_tenant(), '00000000-0000-7000-8000-00000000aaaa', now());
    insert into invitation (tenant_id, id, email, role, token_hash, inviter_name, expires_at)
      values (rtv_tenant(), '00000000-0000-7000-8000-000000000009', 'new@example.org', 'viewer', '\x02', 'Dana', now() + interval '1 day');
    insert into api_key (
      tenant_id, id, name, prefix, secret_hash, permissions, created_by, author_label, expires_at
    ) values (
      rtv_tenant(), '00000000-0000-7000-8000-00000000000a', 'Nightly', 'rtv_00000000', decode(repeat('05', 32), 'hex'),
      '{content:read}', '00000000-0000-7000-8000-00000000aaaa', 'both@example.org', now() + interval '1 day'
    );
    insert into api_use (tenant_id, minute, requests) values (rtv_tenant(), now(), 1);
    insert into api_answer (tenant_id, api_key_id, idempotency_key, request_digest, status, body, created_at)
      values (
        rtv_tenant(), '00000000-0000-7000-8000-00000000000a', 'k', decode(repeat('06', 32), 'hex'), 200, '{}', now()
      );
    insert into saved_mapping (tenant_id, name, draft, actor_label) values (rtv_tenant(), 'm', '{}', 'a');
    insert into report (tenant_id, id, name, created_at, created_by, updated_at, changed_by)
      values (rtv_tenant(), '00000000-0000-7000-8000-0000000000e1', 'Monthly', '2026-11-20', 'a', '2026-11-20', 'a');
    insert into report_version (tenant_id, report_id, number, definition, summary, created_at, created_by)
      values (rtv_tenant(), '00000000-0000-7000-8000-0000000000e1', 1, '{}', 'Started', '2026-11-20', 'a');
    insert into report_run (
      tenant_id, id, report_id, version, name, parameters, zone, period_from, period_to, author, created_at
    )
      values (
        rtv_tenant(), '00000000-0000-7000-8000-0000000000e2', '00000000-0000-7000-8000-0000000000e1', 1, 'Monthly', '', 'UTC',
        '2026-10-01', '2026-10-31', 'a', '2026-11-20'
      );
    insert into report_file (tenant_id, run_id, format, part, title, file_name, size_bytes, sha256, created_at)
      values (rtv_tenant(), '00000000-0000-7000-8000-0000000000e2', 'pdf', 1, 'Monthly', 'm.pdf', 1, '\x02', '2026-11-20');
    insert into report_schedule (
      tenant_id, id, report_id, rhythm, dispatch, awaited, awaited_at, created_at, created_by, updated_at, changed_by
    )
      values (
        rtv_tenant(), '00000000-0000-7000-8000-0000000000e3', '00000000-0000-7000-8000-0000000000e1', '{}', '{}', '2026-11-23 08:00',
        '2026-11-23T07:00:00Z', '2026-11-20', 'a', '2026-11-20', 'a'
      );
    insert into report_mail (tenant_id, id, run_id, recipient, state, created_at, changed_at)
      values (
        rtv_tenant(), '00000000-0000-7000-8000-0000000000e4', '00000000-0000-7000-8000-0000000000e2', 'a@client.example', 'sent',
        '2026-11-20', '2026-11-20'
      );
    insert into report_attempt (tenant_id, id, run_id, mail_id, at, outcome)
      values (
        rtv_tenant(), '00000000-0000-7000-8000-0000000000e5', '00000000-0000-7000-8000-0000000000e2',
        '00000000-0000-7000-8000-0000000000e4', '2026-11-20', 'Sent'
      );
    insert into report_unsubscription (tenant_id, schedule_id, recipient, at)
      values (rtv_tenant(), '00000000-0000-7000-8000-0000000000e3', 'a@client.example', '2026-11-20');
    insert into content (tenant_id, id, body, created_by, changed_by)
      values (rtv_tenant(), '00000000-0000-7000-8000-0000000000c1', 'Hello', 'a', 'a');
    insert into delivery (tenant_id, id, content_id, account_id, platform, scheduled_at, due_at)
      values (
        rtv_tenant(), '00000000-0000-7000-8000-0000000000c2', '00000000-0000-7000-8000-0000000000c1',
        '00000000-0000-7000-8000-000000000001', 'x', now(), now()
      );
    insert into attempt (
      tenant_id, delivery_id, attempt_no, account_id, platform, state, permit, sender_id, text_sha256, idempotency_key,
      switch_epoch, claimed_at, deadline_at
    ) values (
      rtv_tenant(), '00000000-0000-7000-8000-0000000000c2', 1, '00000000-0000-7000-8000-000000000001', 'x', 'not_sent',
      '00000000-0000-7000-8000-0000000000c3', '00000000-0000-7000-8000-0000000000c4', '\x01', 'k', 1, now(), now()
    );
    insert into delivery_event (tenant_id, delivery_id, id, at, what, to_state, attempt_no, who)
      values (
        rtv_tenant(), '00000000-0000-7000-8000-0000000000c2', '00000000-0000-7000-8000-0000000000c5', now(), 'w', 'draft', 0, 'a'
      );
    insert into account_connection (
      tenant_id, account_id, sealed_token, remote_id, remote_name, verified_at, verified_version, connected_at, connected_by
    ) values (rtv_tenant(), '00000000-0000-7000-8000-000000000001', '\x01', 'page', 'Page', now(), 1, now(), 'a');
    insert into rate_window (tenant_id, platform, account_id, starts_at, ends_at, reserved)
      values (rtv_tenant(), 'x', '00000000-0000-7000-8000-000000000001', now(), now(), 1);
    insert into audit_event (
      tenant_id, id, occurred_at, actor_kind, actor_label, action, resource_kind, resource_id, result
    ) values (
      rtv_tenant(), '00000000-0000-7000-8000-000000000005', now(), 'system', 'a', 'b', 'c', 'd', 'success'
    );
    insert into audit_retention (tenant_id) values (rtv_tenant());
    insert into job (id, kind, payload, tenant_id, max_attempts, unique_key)
      values (gen_random_uuid(), 'k', '{}', rtv_tenant(), 1, 'once');
    select set_config('rtv.actor', 'sealer', true);
    insert into audit_seal (tenant_id, seq, event_id, payload_hash, chain_hash, sealed_at)
      values (
        rtv_tenant(), 1, '00000000-0000-7000-8000-000000000005', decode(repeat('00', 32), 'hex'), decode(repeat('00', 32), 'hex'), now()
      );
    insert into audit_head (tenant_id, seq, chain_hash, signed_at, key_id, signature)
      values (rtv_tenant(), 1, decode(repeat('00', 32), 'hex'), now(), 'k', decode(repeat('00', 64), 'hex'));
    insert into audit_chain (tenant_id) values (rtv_tenant());
    select set_config('rtv.actor', 'tenant', true);
";

async fn mirrored(world: &World) -> (Uuid, Uuid) {
    let one = world.tenant("one", "UTC").await;
    let other = world.tenant("other", "UTC").await;
    let mut tx = world.marked("staff", None, None).await;
    sqlx::raw_sql(
        "insert into app_user (id, email, name) values ('00000000-0000-7000-8000-00000000aaaa', 'both@example.org', 'Both');
         insert into app_user (id, email, name) values ('00000000-0000-7000-8000-00000000bbbb', 'none@example.org', 'None');
         insert into user_credential (user_id, password_hash) values ('00000000-0000-7000-8000-00000000aaaa', 'x');
         insert into staff_member (user_id) values ('00000000-0000-7000-8000-00000000bbbb');",
    )
    .execute(&mut *tx)
    .await
    .unwrap();
    set_markers(&mut tx, "sign_in", None, Some(Uuid::from_u128(0x7000_8000_0000_0000_aaaa))).await;
    sqlx::raw_sql(
        r"insert into mail (id, kind, recipient, subject, sealed_body, state)
            values (gen_random_uuid(), 'notice', 'both@example.org', 's', '\x01', 'caught');
          insert into password_reset (token_hash, user_id, expires_at)
            values ('\x03', '00000000-0000-7000-8000-00000000aaaa', now() + interval '1 day');
          insert into totp (user_id, sealed_secret, confirmed_at)
            values ('00000000-0000-7000-8000-00000000aaaa', '\x01', now());
          insert into recovery_code (user_id, code_hash) values ('00000000-0000-7000-8000-00000000aaaa', '\x01');",
    )
    .execute(&mut *tx)
    .await
    .unwrap();
    set_markers(&mut tx, "sign_in", None, None).await;
    sqlx::raw_sql(
        r"insert into sign_in_limit (key, window_started_at, attempts) values ('\x01', now(), 1);
          select set_config('rtv.session', '0102', true);
          insert into session (id_hash, public_id, user_id, data, expires_at)
            values ('\x0102', gen_random_uuid(), '00000000-0000-7000-8000-00000000aaaa', '{}', now());
          select set_config('rtv.session', '', true);",
    )
    .execute(&mut *tx)
    .await
    .unwrap();
    set_markers(&mut tx, "gate", None, None).await;
    sqlx::raw_sql(
        "insert into sender (id, name, lease_expires_at) values ('00000000-0000-7000-8000-00000000bbbb', 's', now())",
    )
    .execute(&mut *tx)
    .await
    .unwrap();
    for tenant in [one.id.uuid(), other.id.uuid()] {
        set_markers(&mut tx, "tenant", Some(tenant), None).await;
        sqlx::raw_sql(SEED).execute(&mut *tx).await.unwrap();
        sqlx::raw_sql(SWITCH_SEED).execute(&mut *tx).await.unwrap();
        set_markers(&mut tx, "staff", Some(tenant), None).await;
        sqlx::raw_sql("insert into tenant_limit values (rtv_tenant(), 'users', 7, now(), 'staff')")
            .execute(&mut *tx)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    (one.id.uuid(), other.id.uuid())
}

/// What has happened to the switches that each tenant has from the beginning.
const SWITCH_SEED: &str = r"
    insert into sender_file (tenant_id, sender_id, name)
      values (rtv_tenant(), '00000000-0000-7000-8000-00000000bbbb', 'stop.json');
    insert into halt_file (tenant_id, name, sha256, taken_over_at) values (rtv_tenant(), 'stop.json', '\x01', now());
    insert into halt (
      tenant_id, id, switch_id, epoch, kind, scope_name, engaged_at, clicked_at, actor_kind, actor_label, is_staff, is_automatic,
      reason, needed_epoch
    )
    select tenant_id, '00000000-0000-7000-8000-0000000000b1', id, 1, kind, 'All', now(), now(), 'user', 'a', false, false, 'other', 1
    from kill_switch
    where tenant_id = rtv_tenant() and scope = 'part:*:*';
    insert into halt_receipt (tenant_id, halt_id, receipt) values (rtv_tenant(), '00000000-0000-7000-8000-0000000000b1', '{}');
    insert into switch_release (tenant_id, id, switch_id, epoch, reason, plan, asked_at, expires_at, asked_by, is_staff)
    select tenant_id, '00000000-0000-7000-8000-0000000000b2', id, 1, 'r', '{}', now(), now(), 'a', false
    from kill_switch
    where tenant_id = rtv_tenant() and scope = 'part:*:*';";

/// Tables in which a tenant sees rows of the operator beside its own: what the operator halts concerns it.
const WITH_OPERATORS: [&str; 3] = ["kill_switch", "halt", "sender_file"];

async fn count(tx: &mut Transaction<'static, Postgres>, query: String) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(&mut **tx).await.unwrap()
}

/// Runs a statement that may be refused, and leaves the transaction usable. The code of the refusal, or how many rows.
async fn attempt(tx: &mut Transaction<'static, Postgres>, statement: String) -> Result<u64, String> {
    sqlx::query("savepoint attempt").execute(&mut **tx).await.unwrap();
    let done = sqlx::query(AssertSqlSafe(statement)).execute(&mut **tx).await;
    match done {
        Ok(done) => Ok(done.rows_affected()),
        Err(error) => {
            sqlx::query("rollback to savepoint attempt").execute(&mut **tx).await.unwrap();
            Err(error.as_database_error().unwrap_or_else(|| panic!("{error}")).code().unwrap_or_default().into_owned())
        }
    }
}

/// The code of “not allowed”, by grant and by row security alike.
const REFUSED: &str = "42501";

#[tokio::test]
async fn a_tenant_sees_and_touches_no_row_of_another() {
    let world = World::new().await;
    let (one, other) = mirrored(&world).await;
    for (own, foreign) in [(one, other), (other, one)] {
        let mut tx = world.marked("tenant", Some(own), None).await;
        let tables = tenant_tables(&mut tx).await;
        assert!(tables.len() >= 12, "{tables:?}");
        for table in tables {
            let seen = count(&mut tx, format!("select count(*) from {table}")).await;
            assert!(seen > 0, "{table} has no row to prove anything with: add one to SEED");
            let operators = if WITH_OPERATORS.contains(&&*table) {
                format!(" and tenant_id <> '{}'", Uuid::nil())
            } else {
                String::new()
            };
            let query = format!("select count(*) from {table} where tenant_id is distinct from '{own}'{operators}");
            let foreign_rows = count(&mut tx, query).await;
            assert_eq!(foreign_rows, 0, "{table}: foreign rows are seen");

            // What the other tenant has, to be compared with afterwards and to be smuggled in.
            set_markers(&mut tx, "tenant", Some(foreign), None).await;
            let before = rows_of(&mut tx, &table).await;
            assert_eq!(i64::try_from(before.len()).unwrap(), seen, "the two tenants are mirrored");
            set_markers(&mut tx, "tenant", Some(own), None).await;

            sqlx::query("savepoint table_begins").execute(&mut *tx).await.unwrap();
            let targeted =
                attempt(&mut tx, format!("update {table} set tenant_id = tenant_id where tenant_id = '{foreign}'"))
                    .await;
            assert!(targeted == Ok(0) || targeted == Err(REFUSED.into()), "{table}: update {targeted:?}");
            let moved = attempt(&mut tx, format!("update {table} set tenant_id = '{foreign}'")).await;
            assert!(
                moved.is_err() || matches!(table.as_str(), "job" | "tenant_limit") && moved == Ok(0),
                "{table}: rows were moved to the other tenant: {moved:?}"
            );
            let targeted = attempt(&mut tx, format!("delete from {table} where tenant_id = '{foreign}'")).await;
            assert!(targeted == Ok(0) || targeted == Err(REFUSED.into()), "{table}: delete {targeted:?}");
            let _ = attempt(&mut tx, format!("update {table} set tenant_id = tenant_id")).await;
            let _ = attempt(&mut tx, format!("delete from {table}")).await;

            let columns: String = sqlx::query_scalar(
                "select string_agg(quote_ident(attname), ', ') from pg_attribute
                 where attrelid = to_regclass($1) and attnum > 0 and not attisdropped and attgenerated = ''",
            )
            .bind(&table)
            .fetch_one(&mut *tx)
            .await
            .unwrap();
            let smuggled = before[0].to_string().replace('\'', "''");
            let insert = format!(
                "insert into {table} ({columns}) select {columns} from jsonb_populate_record(null::{table}, '{smuggled}'::jsonb)"
            );
            assert_eq!(
                attempt(&mut tx, insert).await,
                Err(REFUSED.into()),
                "{table}: a row of the other tenant was inserted"
            );

            set_markers(&mut tx, "tenant", Some(foreign), None).await;
            assert_eq!(rows_of(&mut tx, &table).await, before, "{table}: the other tenant's rows have changed");
            set_markers(&mut tx, "tenant", Some(own), None).await;
            sqlx::query("rollback to savepoint table_begins").execute(&mut *tx).await.unwrap();
        }
    }
}

#[tokio::test]
async fn inside_a_tenant_the_global_tables_show_only_what_belongs_to_it() {
    let world = World::new().await;
    let (one, _) = mirrored(&world).await;
    let mut tx = world.marked("tenant", Some(one), None).await;
    for (table, expect) in [
        ("tenant", 1),
        ("app_user", 1),
        ("user_credential", 0),
        ("staff_member", 0),
        ("session", 0),
        ("sign_in_limit", 0),
        ("mail", 0),
        ("password_reset", 0),
        ("totp", 0),
        ("recovery_code", 0),
        ("job", 1),
    ] {
        assert_eq!(count(&mut tx, format!("select count(*) from {table}")).await, expect, "{table}");
        let deleted = attempt(&mut tx, format!("delete from {table}")).await;
        assert!(deleted == Ok(0) || deleted == Err(REFUSED.into()), "{table}: delete {deleted:?}");
    }
    let updated = attempt(&mut tx, "update tenant set name = 'Mine'".into()).await;
    assert_eq!(updated, Ok(1), "a tenant's own row and no other");
    for statement in [
        "update app_user set name = 'x'",
        "update user_credential set password_hash = 'x'",
        "update session set user_id = null",
        "update sign_in_limit set attempts = 0",
        "update job set payload = '{}'",
    ] {
        assert_eq!(attempt(&mut tx, statement.into()).await, Ok(0), "{statement}");
    }
    for statement in [
        "insert into tenant (id, slug, name, plan, status, time_zone, locale, currency)
           values (gen_random_uuid(), 'x', 'x', 'free', 'active', 'UTC', 'en-US', 'USD')",
        "insert into app_user (id, email, name) values (gen_random_uuid(), 'x@example.org', 'x')",
        "insert into staff_member (user_id) values ('00000000-0000-7000-8000-00000000aaaa')",
        "insert into job (id, kind, payload, max_attempts) values (gen_random_uuid(), 'k', '{}', 1)",
    ] {
        assert_eq!(attempt(&mut tx, statement.into()).await, Err(REFUSED.into()), "{statement}");
    }
}

#[tokio::test]
async fn without_a_marker_there_are_no_rows() {
    let world = World::new().await;
    mirrored(&world).await;
    // The owner is under row security as well: forced.
    for pool in [world.app.clone(), world.db.owner_pool().await] {
        let mut tx = pool.begin().await.unwrap();
        let tables: Vec<String> = sqlx::query_scalar(
            "select relname::text from pg_class
             where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and relname <> '_sqlx_migrations'",
        )
        .fetch_all(&mut *tx)
        .await
        .unwrap();
        for table in tables {
            assert_eq!(count(&mut tx, format!("select count(*) from {table}")).await, 0, "{table}");
            let deleted = attempt(&mut tx, format!("delete from {table}")).await;
            assert!(deleted == Ok(0) || deleted == Err(REFUSED.into()), "{table}: {deleted:?}");
        }
    }
}

#[tokio::test]
async fn markers_end_with_their_transaction() {
    let world = World::new().await;
    let (one, _) = mirrored(&world).await;
    let mut connection = world.app.acquire().await.unwrap();
    for end in ["commit", "rollback"] {
        sqlx::query("begin").execute(&mut *connection).await.unwrap();
        sqlx::query("select set_config('rtv.actor', 'tenant', true), set_config('rtv.tenant_id', $1, true)")
            .bind(one.to_string())
            .execute(&mut *connection)
            .await
            .unwrap();
        let inside: i64 = sqlx::query_scalar("select count(*) from post").fetch_one(&mut *connection).await.unwrap();
        sqlx::query(end).execute(&mut *connection).await.unwrap();
        let outside: i64 = sqlx::query_scalar("select count(*) from post").fetch_one(&mut *connection).await.unwrap();
        assert_eq!((inside, outside), (1, 0), "{end}");
    }
}

/// A foreign key is checked past row security, so one without the tenant would tell which ids others have.
#[tokio::test]
async fn a_row_cannot_point_into_another_tenant() {
    let world = World::new().await;
    let (one, other) = mirrored(&world).await;
    let secret_account = Uuid::now_v7();
    let mut tx = world.marked("tenant", Some(other), None).await;
    sqlx::query(
        "insert into account (tenant_id, id, platform, external_id, name) values ($1, $2, 'x', 'secret', 'Secret')",
    )
    .bind(other)
    .bind(secret_account)
    .execute(&mut *tx)
    .await
    .unwrap();
    set_markers(&mut tx, "tenant", Some(one), None).await;
    let mut answers = Vec::new();
    for account in [secret_account, Uuid::now_v7()] {
        let insert = format!(
            "insert into post (tenant_id, id, account_id, external_id, published_from, published_to, content_digest)
             values ('{one}', gen_random_uuid(), '{account}', 'p9', '2026-03-01', '2026-03-01', '')"
        );
        answers.push(attempt(&mut tx, insert).await);
    }
    assert_eq!(answers[0], Err("23503".into()), "a foreign account is no account");
    assert_eq!(answers[0], answers[1], "a foreign account and one that does not exist answer alike");
    let update = format!("update post set account_id = '{secret_account}'");
    assert_eq!(attempt(&mut tx, update).await, Err("23503".into()));
}
