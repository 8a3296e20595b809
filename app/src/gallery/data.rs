//! Figures, tables, charts and what else shows data.

use leptos::prelude::*;
use rtv_core::preference::Theme;
use rtv_ui::{
    Badge, BannerFact, Button, ButtonKind, Card, ChartFrame, Definition, DefinitionList, Diff, Direction, Disclosure,
    EmptyState, FieldChange, HaltBanner, IconName, Judgement, KpiCard, KpiChange, KpiDelta, KpiGrid, LinkButton,
    Matrix, MatrixCell, MatrixMark, MatrixRow, Pager, Picture, RowLink, SortHeader, SortOrder, Sparkline, SwitchBadge,
    SwitchState, Table, TargetBar, Tone, Variant, Words,
};

use super::{PATH, course, part, specimen};

pub(super) fn section(theme: Theme) -> AnyView {
    part(
        "Data",
        view! {
            {specimen("KpiGrid and KpiCard: better, worse, as before, new, missing, long", cards())}
            {specimen("KpiDelta, a change in a row of a table", deltas())}
            {specimen("ChartFrame", chart(theme))}
            {specimen("Table with SortHeader, RowLink and Pager", table(false))}
            {specimen("Table, low rows, its headings in sight while it scrolls", table(true))}
            {specimen("Table without rows: EmptyState", empty())}
            {specimen("SwitchBadge", switches())}
            {specimen("HaltBanner: halted with more below it, halting, unknown", banners())}
            {specimen("Matrix of switches, and of permissions", matrices())}
            {specimen("Diff", diff())}
            {specimen("TargetBar: short, met, exceeded, a ceiling that is broken", targets())}
            {specimen("Card, DefinitionList and Disclosure", cards_of_words())}
        },
    )
}

fn banners() -> AnyView {
    let halted = vec![
        BannerFact::new("Global"),
        BannerFact::new("Dana K."),
        BannerFact::at("14:02 CET", "2026-11-21T13:02:00Z"),
        BannerFact::new("12 min"),
        BannerFact::new("“Wrong account”"),
        BannerFact::new("review 16:00"),
        BannerFact::new("3 in flight"),
    ];
    let halting =
        vec![BannerFact::new("Meadow Goods"), BannerFact::new("rtv accounts"), BannerFact::new("3 in flight")];
    let unknown = vec![BannerFact::new("RTV has not answered since 14:02")];
    let say = "All publishing halted";
    view! {
        <HaltBanner state=SwitchState::Halted title=say facts=halted more="+2 more" href=PATH version="1" say />
        <HaltBanner state=SwitchState::Halting title="LinkedIn of Meadow Goods halting" facts=halting href=PATH version="2" say />
        <HaltBanner state=SwitchState::Unknown title="Unknown whether anything is halted" facts=unknown version="3" say />
    }
    .into_any()
}

fn change(text: &str, direction: Direction, judgement: Judgement, sentence: &str) -> KpiChange {
    KpiChange { text: text.into(), direction, judgement, sentence: sentence.into() }
}

fn deltas() -> AnyView {
    let deltas = [
        change("+12.4%", Direction::Up, Judgement::Better, "better than 3.04M before"),
        change("−0.3 pp", Direction::Down, Judgement::Worse, "worse than 5.69% before"),
        change("0%", Direction::Flat, Judgement::Neutral, "as many as before"),
    ];
    view! {
        <div class="l-cluster" data-gap="4">
            {deltas.into_iter().map(|change| view! { <KpiDelta change /> }).collect_view()}
        </div>
    }
    .into_any()
}

fn cards() -> AnyView {
    use Direction::{Down, Flat, New, Up};
    use Judgement::{Better, Neutral, Worse};
    let line = |seed| {
        let path = rtv_charts::sparkline(&course(seed, 28), Sparkline::WIDTH, Sparkline::HEIGHT);
        let running = path.last.map(|(x, y)| format!("M{x} {y}h0"));
        Some(Sparkline { line: path.d, area: path.area, running, text: "By day: it rises.".into() })
    };
    view! {
        <KpiGrid>
            <KpiCard
                key="impressions"
                label="Impressions"
                definition="How often posts were shown."
                value="3.42M"
                exact="3418220"
                href="#main"
                change=Some(change("+12.4%", Up, Better, "better than 3.04M before"))
                basis="Lifetime"
                coverage="2 of 3 accounts"
                sparkline=line(3)
            />
            <KpiCard
                key="engagement_rate"
                label="Engagement rate"
                definition="Engagements divided by impressions: the ratio of the sums, never a mean of ratios."
                value="5.39%"
                exact="0.0539"
                href="#main"
                change=Some(change("−0.3 pp", Down, Worse, "worse than 5.69% before"))
                basis="Of impressions"
                sparkline=line(5)
            />
            <KpiCard
                key="published"
                label="Content published"
                definition="Confirmed deliveries, or imported posts."
                value="126"
                exact="126"
                change=Some(change("0%", Flat, Neutral, "as many as before"))
                basis="Period"
                sparkline=line(8)
            />
            <KpiCard
                key="conversions"
                label="Conversions"
                definition="Conversions attributed to posts."
                value="912"
                exact="912"
                href="#main"
                change=Some(change("new", New, Neutral, "none in the period before"))
                basis="Period"
            />
            <KpiCard
                key="revenue"
                label="Revenue"
                definition="Revenue attributed to posts, in the organisation's currency."
                value="Rp123,456,789,012"
                exact="123456789012"
                href="#main"
                change=Some(change("+1,218.0%", Up, Better, "better than Rp9,365,432,101 in the weeks from 6 October to 2 November"))
                basis="Period"
                note="Converted at the rates of the day of each sale"
                sparkline=line(10)
            />
            <KpiCard
                key="roi"
                label="ROI"
                definition="Revenue less cost, divided by cost."
                missing="No cost is recorded for this period, so there is nothing to divide by."
            />
        </KpiGrid>
    }
    .into_any()
}

fn chart(theme: Theme) -> AnyView {
    // What the device prefers does not matter to somebody who chose a theme.
    let (light, dark) = match theme {
        Theme::System => ("light", "dark"),
        Theme::Light => ("light", "light"),
        Theme::Dark => ("dark", "dark"),
    };
    let picture = |size: &str, width, height| Picture {
        src: format!("{PATH}/chart.svg?size={size}&theme={light}"),
        dark_src: format!("{PATH}/chart.svg?size={size}&theme={dark}"),
        width,
        height,
    };
    let rows = [("3 Nov 2026", "6,210", "5,890"), ("4 Nov 2026", "7,045", "6,120"), ("5 Nov 2026", "6,870", "—")]
        .into_iter()
        .map(|(day, this, before)| {
            view! {
                <tr>
                    <th scope="row">{day}</th>
                    <td class="u-number" data-label="This period">{this}</td>
                    <td class="u-number" data-label="Period before">{before}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <ChartFrame
            title="Engagements by day"
            takeaway="Engagements rose 6.1%, mostly on Fridays; the best day was 27 November with 11,204."
            picture=picture("wide", 1_120, 320)
            narrow=Some(picture("narrow", 400, 280))
            paper=format!("{PATH}/chart.svg?size=wide&theme=light")
            alt="Line of engagements by day for 3 to 30 November against the 28 days before"
            note="2 posts are left out: of them only the month is known."
        >
            <Table caption="Engagements by day" id="chart-data" compact=true keep=true>
                <thead>
                    <tr>
                        <th scope="col">"Day"</th>
                        <th scope="col" class="u-number">"This period"</th>
                        <th scope="col" class="u-number">"Period before"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </Table>
        </ChartFrame>
    }
    .into_any()
}

fn table(is_sticky: bool) -> AnyView {
    let id = if is_sticky { "posts-sticky" } else { "posts" };
    let row = |(time, text, kind, reactions): (&'static str, &'static str, &'static str, &'static str)| {
        view! {
            <tr>
                <th scope="row">
                    <RowLink href="#main"><span class="u-truncate">{text}</span></RowLink>
                </th>
                <td data-label="Published" class="u-nowrap">{time}</td>
                <td data-label="Type"><Badge>{kind}</Badge></td>
                <td data-label="Reactions" class="u-number">{reactions}</td>
                <td class="c-table__actions">
                    <Button small=true kind=ButtonKind::Button label=format!("Hide “{text}”")>"Hide"</Button>
                </td>
            </tr>
        }
    };
    let rows = [
        ("30 Nov 2026, 19:04", "Live tonight: winter jackets from 290 baht, sizes S to XXL", "Video", "11,204"),
        ("29 Nov 2026, 12:30", "New arrivals on the shelf", "Photo", "4,310"),
        (
            "28 Nov 2026, 20:15",
            "Thank you for two thousand viewers yesterday evening, and see you on Friday",
            "Status",
            "—",
        ),
    ];
    let count = if is_sticky { 8 } else { 1 };
    let rows = rows.into_iter().cycle().take(3 * count).map(row).collect_view();
    view! {
        <Card flush=true>
            <Table caption=if is_sticky { "Posts, low rows" } else { "Posts" } id compact=is_sticky sticky=is_sticky>
                <thead>
                    <tr>
                        <th scope="col">"Post"</th>
                        <SortHeader label="Published" href="#main" order=Some(SortOrder::Descending) />
                        <th scope="col">"Type"</th>
                        <SortHeader label="Reactions" href="#main" number=true />
                        <th scope="col"><span class="u-visually-hidden">"Actions"</span></th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </Table>
            {(!is_sticky).then(|| view! { <Pager summary="1 to 3 of 126" older="#main" label="Pages of posts" /> })}
        </Card>
    }
    .into_any()
}

fn empty() -> AnyView {
    view! {
        <EmptyState
            title="No posts in this period"
            text="Nothing was published between 3 and 30 November 2026 on the accounts you chose. The latest post is of 12 June 2018."
            icon=IconName::Calendar
            action=view! { <LinkButton href="#main" variant=Variant::Primary>"Show June 2018"</LinkButton> }.into_any()
        />
    }
    .into_any()
}

/// What a switch says in each state.
const fn words(state: SwitchState) -> &'static str {
    match state {
        SwitchState::Running => "Running",
        SwitchState::Halting => "Halting, 3 left",
        SwitchState::Halted => "Halted",
        SwitchState::Inherited => "Halted by Global",
        SwitchState::Unknown => "Unknown since 14:02",
    }
}

fn switches() -> AnyView {
    let badges =
        SwitchState::ALL.into_iter().map(|state| view! { <SwitchBadge state text=words(state) /> }).collect_view();
    view! { <div class="l-cluster">{badges}</div> }.into_any()
}

fn matrices() -> AnyView {
    let platforms = ["LinkedIn", "X", "Instagram", "Facebook", "YouTube", "TikTok"];
    let clients =
        ["All clients", "Acme Retail Group", "Globex", "A client with a name that goes on for two lines or three"];
    let rows = clients
        .into_iter()
        .zip(0_usize..)
        .map(|(client, row)| MatrixRow {
            label: client.into(),
            detail: if row == 0 { Words::from("42 clients") } else { Words::default() },
            href: if row == 0 { Words::default() } else { "#main".into() },
            cells: (0..platforms.len())
                .map(|column| {
                    let state = if column == 1 && row > 0 {
                        SwitchState::Inherited
                    } else {
                        SwitchState::ALL[(row * 2 + column * 3) % SwitchState::ALL.len()]
                    };
                    MatrixCell { mark: MatrixMark::Switch(state, words(state).into()), href: "#main".into() }
                })
                .collect(),
        })
        .collect();
    let permission = |label: &str, key: &str, marks: [MatrixMark; 4]| MatrixRow {
        label: label.into(),
        detail: key.into(),
        href: Words::default(),
        cells: marks.into_iter().map(|mark| MatrixCell { mark, href: Words::default() }).collect(),
    };
    let permissions = {
        use MatrixMark::{Locked, No, Yes};
        vec![
            permission("See figures and dashboards", "analytics:read", [Locked, Yes, Yes, Yes]),
            permission("Import files", "imports:manage", [Locked, Yes, Yes, No]),
            permission("Halt", "switches:engage", [Locked, Yes, No, No]),
        ]
    };
    let columns = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    view! {
        <div class="l-stack">
            <Matrix caption="Switches by client and platform" id="switches" corner="Client" columns=columns(&platforms) rows />
            <Matrix
                caption="Permissions by role"
                id="permissions"
                corner="Permission"
                columns=columns(&["Owner", "Admin", "Editor", "Viewer"])
                rows=permissions
            />
        </div>
    }
    .into_any()
}

fn diff() -> AnyView {
    let changed = |field: &str, before: &str, after: &str| FieldChange {
        field: field.into(),
        before: before.into(),
        after: after.into(),
    };
    view! {
        <Card>
            <Diff
                caption="Changes of the role"
                changes=vec![
                    changed("Role", "Viewer", "Editor"),
                    changed("Team", "", "EMEA"),
                    changed("Expires", "31 December 2026", ""),
                    changed("Name", "Sam Lee", "Sam Lee"),
                ]
            />
        </Card>
    }
    .into_any()
}

fn targets() -> AnyView {
    view! {
        <div class="l-grid">
            <TargetBar label="Reach" share=0.91 text="912 of 1,000 (91%)" is_met=false />
            <TargetBar label="Engagements" share=1.0 text="1,000 of 1,000 (100%)" is_met=true />
            <TargetBar label="Conversions" share=2.4 text="24 of 10 (240%)" is_met=true />
            <TargetBar label="Cost per click" share=1.3 text="€1.30 of €1.00 at most" is_met=false />
        </div>
    }
    .into_any()
}

fn cards_of_words() -> AnyView {
    view! {
        <div class="l-sidebar">
            <Card
                title="Import"
                text="3 November 2026, by Dana Kim"
                actions=view! { <LinkButton small=true href="#main">"See its posts"</LinkButton> }.into_any()
            >
                <DefinitionList items=vec![
                    Definition::new("File", "facebook_live_sellers_th_with_a_name_that_does_not_end_for_a_long_time.csv"),
                    Definition::new("Read", "7,050 rows"),
                    Definition::new("New", "6,997 posts"),
                    Definition::new("Zone", "Asia/Bangkok"),
                ] />
            </Card>
            <Card>
                <Disclosure summary="What was refused">"53 rows repeat a post that another row holds."</Disclosure>
                <Disclosure summary="What is new" open=true>
                    <Badge tone=Tone::Success>"6,997 posts"</Badge>
                </Disclosure>
            </Card>
        </div>
    }
    .into_any()
}
