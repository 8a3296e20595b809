//! The roles, the database and the rights that RTV needs, in one script that may run any number of times.
//! `rtv_owner` owns and migrates; `rtv_app` serves, and is deliberately too weak to get around row security.
//! Tables and their grants are the migrations' business.

use crate::Purpose;
use crate::error::Error;

/// The owner of the database and of everything in it. Not a superuser: that would hide faults in row policies.
pub const OWNER: &str = "rtv_owner";

/// The role that RTV serves and works with.
pub const APP: &str = "rtv_app";

/// Checks that a name needs no quoting and harms no database of PostgreSQL's own.
pub(crate) fn check_database_name(name: &str) -> Result<(), Error> {
    let is_plain = name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.len() <= 63
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if is_plain && !["postgres", "template0", "template1"].contains(&name) {
        return Ok(());
    }
    Err(Error::DatabaseName { name: name.to_owned() })
}

/// The script, for psql as superuser in database `postgres`.
pub(crate) fn script(database: &str, purpose: Purpose) -> String {
    let createdb = match purpose {
        Purpose::Durable => "nocreatedb",
        // Tests clone a database each.
        Purpose::Throwaway => "createdb",
    };
    format!(
        r#"
set client_min_messages = warning;
select format('create role %I', name)
from unnest(array['{OWNER}', '{APP}']) name
where not exists (select from pg_roles where rolname = name) \gexec
alter role {OWNER} login nosuperuser {createdb} nocreaterole noreplication nobypassrls;
alter role {APP} login nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
select 'create database "{database}" owner {OWNER}'
where not exists (select from pg_database where datname = '{database}') \gexec
revoke all on database "{database}" from public;
grant connect, temporary on database "{database}" to {APP};
\connect "{database}"
set client_min_messages = warning;
alter schema public owner to {OWNER};
revoke all on schema public from public;
grant usage on schema public to {APP};
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_name_a_database() {
        let check = |name: &str, expect: bool| assert_eq!(check_database_name(name).is_ok(), expect, "{name}");
        check("rtv", true);
        check("rtv_test_2", true);
        check("", false);
        check("2rtv", false);
        check("Rtv", false);
        check("rtv\"; drop", false);
        check("postgres", false);
        check(&"a".repeat(64), false);
    }
}
