//! Mappings that a tenant saved by name.

use rtv_core::{Error, Permission, Role};
use rtv_domain::import::{Draft, DraftColumn};
use rtv_domain::mapping;

use crate::world::World;

fn draft(column: &str) -> Draft {
    Draft {
        columns: vec![DraftColumn { column: column.into(), field: Some("published_at".parse().unwrap()) }],
        platform: Some("x".into()),
        ..Draft::default()
    }
}

#[tokio::test]
async fn a_mapping_is_saved_found_renamed_and_deleted_under_its_name() {
    let world = World::new().await;
    let tenant = world.tenant("maps", "UTC").await;
    let editor = world.member(&tenant, Role::Editor).await;
    mapping::save(&editor, "  Monthly  ", &draft("Day"), false).await.unwrap();
    let taken = mapping::save(&editor, "Monthly", &draft("Date"), false).await.unwrap_err();
    assert!(matches!(&taken, Error::Invalid(errors) if errors[0].field == "name"), "{taken:?}");
    assert_eq!(mapping::find(&editor, "Monthly").await.unwrap().draft, draft("Day"), "a refused one changes nothing");
    mapping::save(&editor, "Monthly", &draft("Date"), true).await.unwrap();
    mapping::save(&editor, "Weekly", &draft("Week"), false).await.unwrap();
    let both = mapping::list(&editor).await.unwrap();
    assert_eq!(both.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["Monthly", "Weekly"]);
    assert_eq!((&both[0].draft, both[0].used), (&draft("Date"), 0));

    let refused = mapping::rename(&editor, "Weekly", "Monthly").await.unwrap_err();
    assert!(matches!(&refused, Error::Invalid(errors) if errors[0].field == "name"), "{refused:?}");
    mapping::rename(&editor, "Weekly", "Each week").await.unwrap();
    assert_eq!(mapping::rename(&editor, "Weekly", "Other").await, Err(Error::NotFound));
    mapping::delete(&editor, "Each week").await.unwrap();
    assert_eq!(mapping::delete(&editor, "Each week").await, Err(Error::NotFound));
    for name in ["", " ", "two\nlines", "rtv-posts", &"x".repeat(81)] {
        assert!(matches!(mapping::save(&editor, name, &draft("Day"), true).await, Err(Error::Invalid(_))), "{name:?}");
    }
    let actions: Vec<String> = world.audit(Some(&tenant)).await.into_iter().map(|(action, _, _)| action).collect();
    assert_eq!(
        actions,
        ["tenant.create", "mapping.save", "mapping.save", "mapping.save", "mapping.rename", "mapping.delete"]
    );
}

#[tokio::test]
async fn a_mapping_belongs_to_its_tenant_and_to_those_who_may_import() {
    let world = World::new().await;
    let tenant = world.tenant("own", "UTC").await;
    let other = world.tenant("other", "UTC").await;
    let editor = world.member(&tenant, Role::Editor).await;
    let stranger = world.member(&other, Role::Owner).await;
    let viewer = world.member(&tenant, Role::Viewer).await;
    mapping::save(&editor, "Monthly", &draft("Day"), false).await.unwrap();
    assert_eq!(mapping::find(&stranger, "Monthly").await, Err(Error::NotFound));
    assert_eq!(mapping::delete(&stranger, "Monthly").await, Err(Error::NotFound));
    mapping::save(&stranger, "Monthly", &draft("Other"), false).await.unwrap();
    assert_eq!(mapping::find(&editor, "Monthly").await.unwrap().draft, draft("Day"));
    let forbidden = Error::Forbidden(Permission::ImportsManage);
    assert_eq!(mapping::list(&viewer).await, Err(forbidden.clone()));
    assert_eq!(mapping::save(&viewer, "Mine", &draft("Day"), false).await, Err(forbidden));
}
