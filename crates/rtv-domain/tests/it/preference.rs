//! A person's own preferences: kept, read with the session, and nobody else's to see or change.

use std::sync::Arc;

use rtv_core::{Density, Error, Preference, Theme};
use rtv_domain::Actor;
use rtv_domain::preference::{self, Change};
use rtv_domain::session::Person;
use uuid::Uuid;

use crate::world::World;

fn theme(key: &str) -> Change {
    Change { theme: Some(key.into()), ..Change::default() }
}

async fn stored(world: &World, actor: &str, user: Option<&Person>) -> Vec<(Uuid, String)> {
    let mut tx = world.marked(actor, None, user.map(|person| person.id.uuid())).await;
    sqlx::query_as("select user_id, theme from preference").fetch_all(&mut *tx).await.unwrap()
}

#[tokio::test]
async fn one_choice_leaves_the_others_as_they_are() {
    let world = World::new().await;
    let person = world.person("dana@example.org").await;
    let ctx = world.context(Actor::Person(Arc::new(person)));
    let first = preference::change(&ctx, theme("dark")).await.unwrap();
    assert_eq!(first, Preference { theme: Theme::Dark, ..Preference::default() });
    let dense = Change { density: Some("compact".into()), single_keys: Some("off".into()), ..Change::default() };
    let second = preference::change(&ctx, dense).await.unwrap();
    assert_eq!(second, Preference { theme: Theme::Dark, density: Density::Compact, has_single_keys: false });
    assert_eq!(preference::change(&ctx, Change::default()).await, Ok(second), "nothing asked for, nothing changed");
}

#[tokio::test]
async fn a_change_is_in_the_operators_log_and_no_change_is_not() {
    let world = World::new().await;
    let person = world.person("dana@example.org").await;
    let ctx = world.context(Actor::Person(Arc::new(person)));
    for _ in 0..2 {
        preference::change(&ctx, theme("light")).await.unwrap();
    }
    assert_eq!(world.audit(None).await, [("preference.change".to_owned(), "success".to_owned(), None)]);
}

#[tokio::test]
async fn what_is_no_choice_is_refused_by_name_and_changes_nothing() {
    let world = World::new().await;
    let person = world.person("dana@example.org").await;
    let ctx = world.context(Actor::Person(Arc::new(person.clone())));
    let bad = Change { theme: Some("sepia".into()), density: Some("roomy".into()), single_keys: Some("maybe".into()) };
    match preference::change(&ctx, bad).await {
        Err(Error::Invalid(errors)) => {
            let fields: Vec<&str> = errors.iter().map(|error| error.field.as_str()).collect();
            assert_eq!(fields, ["theme", "density", "single_keys"]);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(stored(&world, "person", Some(&person)).await, []);
    let anonymous = world.context(Actor::Anonymous);
    assert_eq!(preference::change(&anonymous, theme("dark")).await, Err(Error::SignedOut));
}

#[tokio::test]
async fn nobody_sees_or_changes_the_preferences_of_somebody_else() {
    let world = World::new().await;
    let (dana, sam) = (world.person("dana@example.org").await, world.person("sam@example.org").await);
    let ctx = world.context(Actor::Person(Arc::new(dana.clone())));
    preference::change(&ctx, theme("dark")).await.unwrap();
    assert_eq!(stored(&world, "person", Some(&dana)).await, [(dana.id.uuid(), "dark".to_owned())]);
    assert_eq!(stored(&world, "person", Some(&sam)).await, []);
    for actor in ["tenant", "staff", "worker", "sign_in", "session"] {
        assert_eq!(stored(&world, actor, Some(&dana)).await, [], "{actor} without the person's session");
    }
    let mut tx = world.marked("person", None, Some(sam.id.uuid())).await;
    let changed = sqlx::query("update preference set theme = 'light'").execute(&mut *tx).await.unwrap();
    assert_eq!(changed.rows_affected(), 0);
    let planted = sqlx::query(
        "insert into preference (user_id, theme, density, has_single_keys) values ($1, 'dark', 'compact', true)",
    )
    .bind(dana.id.uuid())
    .execute(&mut *tx)
    .await;
    assert!(planted.unwrap_err().to_string().contains("row-level security"));
}
