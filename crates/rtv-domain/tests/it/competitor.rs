//! Competitors: who keeps them, what is refused, files that are taken whole or not at all, and what reports make of them.

use rtv_core::filter::PageFilter;
use rtv_core::report::{
    Block, Cell, Content, Definition, Dimension, Filled, FilledContent, Measure, Query, Section, Source, Table,
};
use rtv_core::{CompetitorId, Error, Permission, Role};
use rtv_domain::TenantContext;
use rtv_domain::competitor::{self, NewMonth, Taken};
use rtv_domain::format::Format;
use rtv_domain::report::{self, Asked, Shown};
use uuid::Uuid;

use crate::figures::{Desk, period};

fn month(platform: &str, month: &str, figures: [&str; 3]) -> NewMonth {
    let [followers, posts, interactions] = figures.map(str::to_owned);
    NewMonth { platform: platform.into(), month: month.into(), followers, posts, interactions }
}

fn fields<T: core::fmt::Debug>(outcome: Result<T, Error>) -> Vec<String> {
    match outcome {
        Err(Error::Invalid(errors)) => errors.into_iter().map(|error| error.field).collect(),
        other => panic!("{other:?}"),
    }
}

fn words<T: core::fmt::Debug>(outcome: Result<T, Error>) -> Vec<String> {
    match outcome {
        Err(Error::Invalid(errors)) => errors.into_iter().map(|error| error.message).collect(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_competitor_is_kept_with_its_months_and_every_act_is_in_the_audit_log() {
    let desk = Desk::new("UTC").await;
    let id = competitor::add(&desk.ctx, "  Ridgeline ").await.unwrap();
    competitor::set_month(&desk.ctx, id, &month("X", "2026-09", ["1,000", "12", ""])).await.unwrap();
    competitor::set_month(&desk.ctx, id, &month("x", "2026-10-01", ["1100", "", "70"])).await.unwrap();
    competitor::set_month(&desk.ctx, id, &month("x", "2026-09", ["1,000", "13", ""])).await.unwrap();
    competitor::rename(&desk.ctx, id, "Ridgeline Gear").await.unwrap();
    let one = competitor::one(&desk.ctx, id).await.unwrap();
    let months: Vec<_> = one
        .months
        .iter()
        .map(|one| (one.month.to_string(), one.figures.followers, one.figures.posts, one.figures.interactions))
        .collect();
    assert_eq!(
        months,
        [("2026-10-01".into(), Some(1100), None, Some(70)), ("2026-09-01".to_owned(), Some(1000), Some(13), None)],
        "what is not known is missing, not zero"
    );
    competitor::remove_month(&desk.ctx, id, "x", "2026-10").await.unwrap();
    assert_eq!(competitor::remove_month(&desk.ctx, id, "x", "2026-10").await, Err(Error::NotFound));
    competitor::remove(&desk.ctx, id).await.unwrap();
    assert!(competitor::list(&desk.ctx).await.unwrap()[0].is_removed);
    competitor::bring_back(&desk.ctx, id).await.unwrap();
    let listed = competitor::list(&desk.ctx).await.unwrap();
    assert_eq!(
        (listed[0].name.as_str(), listed[0].is_removed, listed[0].platforms.len()),
        ("Ridgeline Gear", false, 1)
    );
    let actions: Vec<_> = desk.world.audit(Some(&desk.tenant)).await.into_iter().map(|event| event.0).collect();
    let actions: Vec<_> = actions.iter().filter_map(|action| action.strip_prefix("competitor.")).collect();
    assert_eq!(actions, ["add", "enter", "enter", "enter", "rename", "take_out", "remove", "bring_back"]);
}

#[tokio::test]
async fn what_cannot_be_a_month_is_refused_by_its_field() {
    let desk = Desk::new("UTC").await;
    let id = competitor::add(&desk.ctx, "Other").await.unwrap();
    let set = async |new: NewMonth| fields(competitor::set_month(&desk.ctx, id, &new).await);
    assert_eq!(set(month("myspace", "soon", ["", "", ""])).await, ["platform", "month"]);
    assert_eq!(set(month("x", "2026-10", ["", " ", ""])).await, ["followers"], "nothing is known of it");
    assert_eq!(set(month("x", "2026-10", ["-5", "1.5", "many"])).await, ["followers", "posts", "interactions"]);
    assert_eq!(set(month("x", "2026-11", ["5", "", ""])).await, ["month"], "November is not over");
    assert_eq!(set(month("x", "2026-10-02", ["5", "", ""])).await, ["month"], "a month has one first day");
    assert_eq!(fields(competitor::add(&desk.ctx, "OTHER").await), ["name"]);
    assert_eq!(fields(competitor::add(&desk.ctx, "a\nb").await), ["name"]);
    assert_eq!(fields(competitor::rename(&desk.ctx, id, " ").await), ["name"]);
    assert!(competitor::one(&desk.ctx, id).await.unwrap().months.is_empty(), "nothing was stored");
}

#[tokio::test]
async fn a_file_is_taken_whole_or_not_at_all_and_says_which_line_is_wrong() {
    let desk = Desk::new("UTC").await;
    let upload = async |text: &str| competitor::upload(&desk.ctx, text.as_bytes()).await;
    let good = "Competitor;Platform;Month;Interactions;Followers\nRidgeline;Twitter;2026-09;1200;\nRidgeline;LinkedIn;2026-09;;500\nÖtzi;x;2026-09;3;\n";
    assert_eq!(upload(good).await.unwrap(), Taken { new_competitors: 2, new: 3, changed: 0, unchanged: 0 });
    let again = good.replace("1200", "1300");
    assert_eq!(upload(&again).await.unwrap(), Taken { new_competitors: 0, new: 0, changed: 1, unchanged: 2 });
    let bad =
        "competitor,platform,month,posts\nNew,x,2026-09,1\nNew,x,2026-09,2\n,x,2026-09,2\nNew,x,2026-13,two\nNew,x\n";
    let told = words(upload(bad).await);
    assert_eq!(told.len(), 5, "{told:?}");
    for (told, expect) in told.iter().zip(["Line 3", "Line 4: competitor", "Line 5: month", "Line 5: posts", "Line 6"])
    {
        assert!(told.starts_with(expect), "{told}");
    }
    assert_eq!(competitor::list(&desk.ctx).await.unwrap().len(), 2, "the good line of a bad file was not taken");
    let polar = competitor::list(&desk.ctx).await.unwrap()[1].id;
    competitor::remove(&desk.ctx, polar).await.unwrap();
    assert!(words(upload(good).await)[0].contains("was removed; bring it back first"));
    assert!(words(upload("name,month\na,2026-09\n").await)[0].contains("competitor, platform, month"));
    assert_eq!(words(upload("").await), ["choose a file."]);
}

#[tokio::test]
async fn who_only_reads_changes_nothing_and_those_of_others_are_none() {
    let desk = Desk::new("UTC").await;
    let id = competitor::add(&desk.ctx, "Other").await.unwrap();
    let viewer = desk.world.member(&desk.tenant, Role::Viewer).await;
    let refused = Err(Error::Forbidden(Permission::CompetitorsManage));
    assert_eq!(competitor::add(&viewer, "New").await, Err(Error::Forbidden(Permission::CompetitorsManage)));
    assert_eq!(competitor::rename(&viewer, id, "New").await, refused);
    assert_eq!(competitor::remove(&viewer, id).await, refused);
    assert_eq!(competitor::set_month(&viewer, id, &month("x", "2026-09", ["5", "", ""])).await, refused);
    assert_eq!(competitor::list(&viewer).await.unwrap().len(), 1, "but sees them");
    let elsewhere = desk.world.tenant("other", "UTC").await;
    let theirs = desk.world.member(&elsewhere, Role::Owner).await;
    let nobody = CompetitorId::from(Uuid::now_v7());
    for id in [id, nobody] {
        assert_eq!(competitor::one(&theirs, id).await, Err(Error::NotFound));
        assert_eq!(competitor::rename(&theirs, id, "Mine").await, Err(Error::NotFound));
        assert_eq!(competitor::remove(&theirs, id).await, Err(Error::NotFound));
        let new = month("x", "2026-09", ["5", "", ""]);
        assert_eq!(competitor::set_month(&theirs, id, &new).await, Err(Error::NotFound));
    }
}

/// Three posts on X and one on Facebook in March, one there in February; two competitors.
async fn market() -> Desk {
    let desk = Desk::new("Europe/Berlin").await;
    desk.posts(&[
        // 12 that anybody can see, and 5 clicks.
        "x,a,p1,2026-03-02T10:00:00Z,100,200,10,1,1,5",
        "x,a,p2,2026-03-02T12:00:00Z,50,100,5",
        "x,b,p3,2026-03-09T10:00:00Z,,50,30",
        // 23:30 in UTC is the next day in Berlin, and still March.
        "facebook,c,p4,2026-03-30T22:30:00Z,10,,4",
        "facebook,c,p5,2026-02-10T10:00:00Z,10,10,7",
    ])
    .await;
    desk.followers("a", &[("2026-02-27", 90), ("2026-03-31", 100)]).await;
    let file = "competitor,platform,month,followers,posts,interactions\nAlder,x,2026-02,400,9,80\nAlder,x,2026-03,500,10,94\nBirch,x,2026-03,50,,\nBirch,facebook,2026-03,70,3,12\nBirch,facebook,2026-02,60,2,7\n";
    competitor::upload(&desk.ctx, file.as_bytes()).await.unwrap();
    desk
}

async fn block(ctx: &TenantContext, parameters: &str, content: Content) -> Filled {
    let definition = Definition {
        name: "Market".into(),
        parameters: parameters.into(),
        sections: vec![Section {
            id: 1,
            title: "All".into(),
            blocks: vec![Block { id: 2, title: String::new(), content }],
        }],
        ..Definition::default()
    };
    let filter = PageFilter::parse(parameters.split('&').filter_map(|pair| pair.split_once('='))).unwrap();
    let asked = Asked { parameters: &filter, version: None, shown: Shown::AsDefined, address: "/r" };
    report::fill(ctx, &definition, &asked).await.unwrap()
}

fn ask(dimensions: &[Dimension], measures: &[Measure], is_compared: bool) -> Query {
    Query {
        source: Source::Competitors,
        dimensions: dimensions.to_vec(),
        measures: measures.to_vec(),
        sort: None,
        limit: None,
        is_compared,
    }
}

async fn asked(ctx: &TenantContext, parameters: &str, query: Query) -> Result<Table, String> {
    let filled = block(ctx, parameters, Content::Table { query, has_totals: true }).await;
    match filled.sections[0].blocks[0].content.clone() {
        FilledContent::Table(table) => Ok(table),
        FilledContent::Refused(why) => Err(why),
        other => panic!("{other:?}"),
    }
}

/// Rows, then totals, as text.
fn text(table: &Table) -> Vec<String> {
    let cell = |cell: &Cell| match cell {
        Cell::Missing => "-".to_owned(),
        Cell::Text(text) => text.clone(),
        Cell::Day(day) => day.to_string(),
        Cell::Number(value) => value.round_dp(4).normalize().to_string(),
        other => panic!("{other:?}"),
    };
    let row = |row: &Vec<Cell>| row.iter().map(cell).collect::<Vec<_>>().join(" | ");
    table.rows.iter().chain(&table.totals).map(row).collect()
}

const MARCH: &str = "range=custom&from=2026-03-01&to=2026-03-31";

#[tokio::test]
async fn brands_stand_beside_each_other_by_what_anybody_can_see_and_the_denominator_is_stated() {
    let desk = market().await;
    let measures =
        [Measure::ShareOfVoice, Measure::Position, Measure::Interactions, Measure::Published, Measure::Followers];
    let by_brand = asked(&desk.ctx, MARCH, ask(&[Dimension::Brand], &measures, false)).await.unwrap();
    // 47 on X and 4 on Facebook without the clicks, of 51 + 94 + 12.
    assert_eq!(
        text(&by_brand),
        [
            "The desk | 0.3248 | 2 | 51 | 4 | 100",
            "Alder | 0.5987 | 1 | 94 | 10 | 500",
            "Birch | 0.0764 | 3 | 12 | 3 | 120",
            "- | 1 | - | 157 | 17 | 720",
        ]
    );
    let notes = by_brand.notes.join("\n");
    assert!(notes.contains("out of 157 public interactions of The desk, Alder and Birch."), "{notes}");
    assert!(notes.contains("and interactions and posts of Birch on X in Mar 2026."), "{notes}");
    assert!(notes.contains("Whole calendar months only: Mar 2026."), "{notes}");
    let own = block(&desk.ctx, MARCH, Content::Metric { query: ask(&[], &[Measure::ShareOfVoice], true) }).await;
    let FilledContent::Metric(share) = &own.sections[0].blocks[0].content else { panic!("{own:?}") };
    assert_eq!(share.value.map(|value| value.round_dp(4).to_string()), Some("0.3248".into()), "of one's own brand");
    // The 31 days before begin in January, so February is whole: 7 of 7 + 80 + 7.
    assert_eq!(share.previous.map(|value| value.round_dp(4).to_string()), Some("0.0745".into()));
}

#[tokio::test]
async fn a_figure_names_the_months_that_it_is_compared_with_and_keeps_all_its_notes() {
    let desk = market().await;
    let one = async |parameters: &str| {
        let content = Content::Metric { query: ask(&[], &[Measure::ShareOfVoice], true) };
        let filled = block(&desk.ctx, parameters, content).await;
        let FilledContent::Metric(share) = filled.sections[0].blocks[0].content.clone() else { panic!("{filled:?}") };
        (share, filled.previous)
    };
    let (share, previous) = one(MARCH).await;
    let february = period("2026-02-01", "2026-02-28");
    assert_eq!(previous, Some(period("2026-01-29", "2026-02-28")), "as many days, which are no month");
    assert_eq!(share.compared_with, Some(february));
    let format = Format::of(desk.ctx.tenant());
    let change = report::change(&format, &share, previous).unwrap();
    assert!(change.words.ends_with(&format!(" in {}", format.period(february))), "{change:?}");
    let note = share.remarks.join("\n");
    for part in [
        "Whole calendar months only: Mar 2026, compared with Feb 2026.",
        "The figures are those of The desk.",
        "Share of voice is out of 157 public interactions of The desk, Alder and Birch.",
        "Figures of competitors are entered by people",
    ] {
        assert!(note.contains(part), "{part:?} is missing in {note}");
    }
    let (share, previous) = one(&format!("{MARCH}&compare=none")).await;
    assert_eq!((share.compared_with, previous), (None, None));
}

#[tokio::test]
async fn a_competitor_of_whom_nothing_is_known_is_named_and_not_counted_in_the_denominator() {
    let desk = market().await;
    competitor::add(&desk.ctx, "Cedar").await.unwrap();
    let notes = async |parameters: &str| {
        let query = ask(&[Dimension::Brand], &[Measure::ShareOfVoice], false);
        asked(&desk.ctx, parameters, query).await.unwrap().notes.join("\n")
    };
    let all = notes(MARCH).await;
    assert!(all.contains("out of 157 public interactions of The desk, Alder and Birch."), "{all}");
    assert!(all.contains("Nothing of this is known of Cedar in Mar 2026, so it is not counted."), "{all}");
    let facebook = notes(&format!("{MARCH}&platform=facebook")).await;
    assert!(facebook.contains("out of 16 public interactions of The desk and Birch."), "{facebook}");
    let told = "Nothing of this is known of Alder and Cedar on Facebook in Mar 2026, so they are not counted.";
    assert!(facebook.contains(told), "{facebook}");
    // Of the own brand the interactions are known, and its followers are not.
    let query = ask(&[Dimension::Brand], &[Measure::Interactions, Measure::Followers], false);
    let part = asked(&desk.ctx, &format!("{MARCH}&platform=facebook"), query).await.unwrap().notes.join("\n");
    let told = "No followers are known of The desk on Facebook in Mar 2026, so none are counted.";
    assert!(part.contains(told), "{part}");
    // Alone with those of whom nothing is known, the own brand has all of it, and that is said.
    for one in competitor::list(&desk.ctx).await.unwrap() {
        if one.name != "Cedar" {
            competitor::remove(&desk.ctx, one.id).await.unwrap();
        }
    }
    let own = block(&desk.ctx, MARCH, Content::Metric { query: ask(&[], &[Measure::ShareOfVoice], false) }).await;
    let FilledContent::Metric(share) = &own.sections[0].blocks[0].content else { panic!("{own:?}") };
    assert_eq!(share.value, Some(1.into()));
    let note = share.remarks.join("\n");
    assert!(note.contains("out of 51 public interactions of The desk."), "{note}");
    assert!(note.contains("Nothing of this is known of Cedar in Mar 2026, so it is not counted."), "{note}");
}

#[tokio::test]
async fn months_and_platforms_are_told_apart_and_only_whole_ones_that_are_over_count() {
    let desk = market().await;
    let by = async |parameters: &str, dimensions: &[Dimension]| {
        asked(&desk.ctx, parameters, ask(dimensions, &[Measure::Interactions, Measure::Followers], false)).await
    };
    let both = "range=custom&from=2026-01-15&to=2026-03-31";
    assert_eq!(
        text(&by(both, &[Dimension::Month, Dimension::Brand]).await.unwrap()),
        [
            "2026-02-01 | The desk | 7 | 90",
            "2026-02-01 | Alder | 80 | 400",
            "2026-02-01 | Birch | 7 | 60",
            "2026-03-01 | The desk | 51 | 100",
            "2026-03-01 | Alder | 94 | 500",
            "2026-03-01 | Birch | 12 | 120",
            "- | - | 251 | 720",
        ],
        "January is not whole; followers are those at the end"
    );
    assert_eq!(
        text(&by(MARCH, &[Dimension::Platform, Dimension::Brand]).await.unwrap()),
        [
            "X | The desk | 47 | 100",
            "X | Alder | 94 | 500",
            "X | Birch | - | 50",
            "Facebook | The desk | 4 | -",
            "Facebook | Birch | 12 | 70",
            "- | - | 157 | 720",
        ],
        "a brand has no row where it is not"
    );
    assert_eq!(
        text(&by(&format!("{MARCH}&platform=facebook"), &[Dimension::Brand]).await.unwrap()),
        ["The desk | 4 | -", "Alder | - | -", "Birch | 12 | 70", "- | 16 | 70"]
    );
    let refused = by("range=custom&from=2026-03-02&to=2026-03-31", &[Dimension::Brand]).await.unwrap_err();
    assert!(refused.contains("this period holds none that is whole and over"), "{refused}");
    let running = by("range=custom&from=2026-11-01&to=2026-11-30", &[Dimension::Brand]).await.unwrap_err();
    assert!(running.contains("whole and over"), "{running}");
}

#[tokio::test]
async fn as_many_whole_months_are_compared_with_and_what_is_not_known_of_them_is_said() {
    let desk = market().await;
    let query = || ask(&[Dimension::Month], &[Measure::Published], true);
    // The 90 days before the first quarter begin on 3 October: by days there would be two whole months of three.
    let quarter = asked(&desk.ctx, "range=custom&from=2026-01-01&to=2026-03-31", query()).await.unwrap();
    assert_eq!(
        text(&quarter),
        ["2026-01-01 | 0 | 0", "2026-02-01 | 1 | 0", "2026-03-01 | 4 | 0", "- | 5 | 0"],
        "each month has one beside it"
    );
    let words = |table: &Table| table.notes.join("\n");
    assert!(words(&quarter).contains("Jan 2026 to Mar 2026, compared with Oct 2025 to Dec 2025."), "{quarter:?}");
    let year = asked(&desk.ctx, &format!("{MARCH}&compare=year"), query()).await.unwrap();
    assert!(words(&year).contains("Mar 2026, compared with Mar 2025."), "{year:?}");
    let share = ask(&[Dimension::Brand], &[Measure::ShareOfVoice], true);
    let share = asked(&desk.ctx, MARCH, share).await.unwrap();
    assert!(
        words(&share).contains("Not known of the months compared with: interactions of Birch on X in Feb 2026."),
        "{share:?}"
    );
}

#[tokio::test]
async fn a_part_of_the_brand_is_not_compared_and_removed_competitors_neither() {
    let desk = market().await;
    let query = || ask(&[Dimension::Brand], &[Measure::Interactions], false);
    let account = desk.account_id("a").await;
    let part = asked(&desk.ctx, &format!("{MARCH}&account={account}"), query()).await.unwrap_err();
    assert!(part.contains("leave accounts, campaigns and teams out"), "{part}");
    for one in competitor::list(&desk.ctx).await.unwrap() {
        competitor::remove(&desk.ctx, one.id).await.unwrap();
    }
    let none = asked(&desk.ctx, MARCH, query()).await.unwrap_err();
    assert!(none.contains("there are none yet"), "{none}");
}
