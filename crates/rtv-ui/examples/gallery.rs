//! Writes pages made of the components, with figures that look like life, into a folder: for looking at, for
//! screenshots and for accessibility checks. Nothing is loaded and nothing served.
//!
//! `cargo run -p rtv-ui --features ssr --example gallery -- FOLDER STYLESHEET`, where STYLESHEET is the address
//! the pages link to, such as that of `style/main.css`.

use std::{env, fs, io, path::Path};

use leptos::prelude::*;
use rtv_ui::{
    AuthLayout, Badge, BareLayout, Button, ButtonKind, Card, ChartFrame, Checkbox, CheckboxGroup, CheckboxOption,
    Crumb, Definition, DefinitionList, Direction, EmptyState, ErrorPage, ErrorSummary, Field, FileField, FilterBar,
    Flash, Frame, Icon, IconName, Judgement, KpiCard, KpiChange, KpiGrid, LinkButton, NavGroup, NavItem, Notice,
    PageHeader, Pager, Picture, Progress, RadioGroup, RadioOption, SegmentLink, Segments, SelectField, SelectOption,
    Shell, Skeleton, SkeletonShape, SortHeader, SortOrder, SparkPath, Step, StepState, Steps, Table, Tally, TallyList,
    TenantLink, Tone, Variant,
};

/// Makes one page.
type Page = fn() -> AnyView;

fn main() -> io::Result<()> {
    let mut arguments = env::args().skip(1);
    let (Some(folder), Some(stylesheet)) = (arguments.next(), arguments.next()) else {
        return Err(io::Error::other(
            "two arguments are needed: the folder to write to and the address of the stylesheet",
        ));
    };
    let folder = Path::new(&folder);
    fs::create_dir_all(folder)?;
    for (name, dark) in [("chart.svg", false), ("chart-dark.svg", true)] {
        fs::write(folder.join(name), sample_chart(1160, 320, dark))?;
    }
    for (name, dark) in [("chart-narrow.svg", false), ("chart-narrow-dark.svg", true)] {
        fs::write(folder.join(name), sample_chart(400, 280, dark))?;
    }
    let pages: [(&str, Page); 8] = [
        ("sign-in", sign_in),
        ("sign-in-refused", sign_in_refused),
        ("dashboard", dashboard),
        ("posts", posts),
        ("posts-empty", posts_empty),
        ("sessions", sessions),
        ("not-found", not_found),
        ("gallery", gallery),
    ];
    for (name, page) in pages {
        let body = Owner::new().with(|| page().to_html());
        let html = format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{name}</title>\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <link rel=\"stylesheet\" href=\"{stylesheet}\"></head><body>{body}</body></html>"
        );
        fs::write(folder.join(format!("{name}.html")), html)?;
    }
    Ok(())
}

fn nav_item(label: &str, icon: IconName, current: bool) -> NavItem {
    NavItem { label: label.to_owned(), href: format!("#{label}"), icon, current }
}

fn nav(current: &str) -> Vec<NavGroup> {
    let item = |label, icon| nav_item(label, icon, label == current);
    vec![
        NavGroup {
            label: "Overview".into(),
            items: vec![
                item("Dashboard", IconName::Dashboard),
                item("Posts", IconName::Posts),
                item("Imports", IconName::Imports),
            ],
        },
        NavGroup {
            label: "Admin".into(),
            items: vec![
                item("Team", IconName::Team),
                item("Audit log", IconName::Audit),
                item("Settings", IconName::Settings),
            ],
        },
    ]
}

fn tenants() -> Vec<TenantLink> {
    let link = |name: &str, slug: &str, role: &str, current| TenantLink {
        name: name.into(),
        slug: slug.into(),
        role: role.into(),
        current,
    };
    vec![
        link("Live Sellers Thailand", "live-sellers", "Owner", true),
        link("Acme Retail Group", "acme", "Editor", false),
        link("Northwind", "northwind", "Viewer", false),
    ]
}

fn shell(current: &str, crumbs: &[&str], page: AnyView) -> AnyView {
    let last = crumbs.len().saturating_sub(1);
    let crumbs = crumbs
        .iter()
        .enumerate()
        .map(|(index, label)| Crumb { label: (*label).to_owned(), href: (index != last).then(|| format!("#{label}")) })
        .collect::<Vec<_>>();
    view! {
        <Shell
            product="RTV"
            tenant="Live Sellers Thailand"
            tenants=tenants()
            nav=nav(current)
            crumbs=crumbs
            user_name="Dana Kim"
            user_email="dana.kim@example.com"
        >
            {page}
        </Shell>
    }
    .into_any()
}

fn sign_in() -> AnyView {
    view! {
        <AuthLayout
            product="RTV"
            title="Sign in"
            text="See what your posts achieve, and stop them when you must."
            foot=view! { <p>"Trouble signing in? Ask the person who invited you."</p> }.into_any()
        >
            <form class="l-stack" method="post" action="#">
                <Field label="Work email" name="email" kind="email" autocomplete="username" required=true />
                <Field label="Password" name="password" kind="password" autocomplete="current-password" required=true />
                <Button variant=Variant::Primary wide=true>"Sign in"</Button>
            </form>
        </AuthLayout>
    }
    .into_any()
}

fn sign_in_refused() -> AnyView {
    let problem = "The email or the password is wrong. Check both and try again.";
    view! {
        <AuthLayout
            product="RTV"
            title="Sign in"
            message=view! { <ErrorSummary errors=vec![("email".into(), problem.into())] /> }.into_any()
        >
            <form class="l-stack" method="post" action="#">
                <Field
                    label="Work email"
                    name="email"
                    kind="email"
                    value="dana.kim@example.com"
                    error=problem
                    autocomplete="username"
                    required=true
                />
                <Field label="Password" name="password" kind="password" autocomplete="current-password" required=true />
                <Button variant=Variant::Primary wide=true>"Sign in"</Button>
            </form>
        </AuthLayout>
    }
    .into_any()
}

/// A course with weekly waves, the same at every run.
fn course(seed: u32, points: u32) -> Vec<Option<f64>> {
    let mut state = seed.wrapping_mul(2_654_435_761).max(1);
    (0..points)
        .map(|day| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = f64::from(state >> 20) / 4096.0;
            let week = (f64::from(day) * std::f64::consts::TAU / 7.0).sin();
            Some(40.0 + 8.0 * week + 22.0 * noise + f64::from(day) * 0.8)
        })
        .collect()
}

fn change(text: &str, direction: Direction, judgement: Judgement, sentence: &str) -> KpiChange {
    KpiChange { text: text.into(), direction, judgement, sentence: sentence.into() }
}

#[expect(clippy::too_many_lines, reason = "ten cards, one after another")]
fn kpi_cards() -> AnyView {
    use Direction::{Down, Flat, New, Up};
    use Judgement::{Better, Neutral, Worse};
    let line = |seed| SparkPath::through(&course(seed, 28));
    view! {
        <KpiGrid>
            <KpiCard
                key="reach"
                label="Reach"
                definition="People who saw a post at least once, as the platform reports it."
                missing="This import has no reach: the file names reactions, comments and shares only."
                basis="Lifetime"
            />
            <KpiCard
                key="impressions"
                label="Impressions"
                definition="How often posts were shown."
                value="3.42M"
                exact="3418220"
                href="#posts"
                change=Some(change("+12.4%", Up, Better, "better than 3.04M before"))
                basis="Lifetime"
                coverage="2 of 3 accounts"
                sparkline=line(3)
            />
            <KpiCard
                key="engagements"
                label="Engagements"
                definition="Reactions, comments, shares and clicks, as each platform defines them."
                value="184.2K"
                exact="184207"
                href="#posts"
                change=Some(change("+6.1%", Up, Better, "better than 173.6K before"))
                basis="Lifetime"
                sparkline=line(4)
            />
            <KpiCard
                key="engagement-rate"
                label="Engagement rate"
                definition="Engagements divided by impressions: the ratio of the sums, never a mean of ratios."
                value="5.39%"
                exact="0.0539"
                href="#posts"
                change=Some(change("−0.3 pp", Down, Worse, "worse than 5.69% before"))
                basis="Of impressions"
                sparkline=line(5)
            />
            <KpiCard
                key="follower-growth"
                label="Follower growth"
                definition="Followers at the end less followers at the start."
                value="+3,410"
                exact="3410"
                href="#posts"
                change=Some(change("+9.0%", Up, Better, "better than +3,128 before"))
                basis="Period"
                coverage="9 of 9 accounts"
                sparkline=line(6)
            />
            <KpiCard
                key="sentiment"
                label="Average sentiment"
                definition="The mean over scored engagements, from −1 to +1."
                value="+0.42"
                exact="0.42"
                href="#posts"
                change=Some(change("−0.08", Down, Worse, "worse than +0.50 before"))
                basis="2,318 scored"
                sparkline=line(7)
            />
            <KpiCard
                key="published"
                label="Content published"
                definition="Confirmed deliveries, or imported posts."
                value="126"
                exact="126"
                href="#posts"
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
                href="#posts"
                change=Some(change("new", New, Neutral, "none in the period before"))
                basis="Period"
                sparkline=line(9)
            />
            <KpiCard
                key="revenue"
                label="Revenue"
                definition="Revenue attributed to posts, in the organisation's currency."
                value="฿1.48M"
                exact="1482000.00"
                href="#posts"
                change=Some(change("+18.0%", Up, Better, "better than ฿1.26M before"))
                basis="Period"
                sparkline=line(10)
            />
            <KpiCard
                key="roi"
                label="ROI"
                definition="Revenue less cost, divided by cost."
                missing="No cost is recorded for this period, so there is nothing to divide by."
                basis="Period"
            />
        </KpiGrid>
    }
    .into_any()
}

fn option(value: &str, label: &str, selected: bool) -> SelectOption {
    SelectOption { value: value.into(), label: label.into(), selected }
}

fn tick(value: &str, label: &str, checked: bool) -> CheckboxOption {
    CheckboxOption { value: value.into(), label: label.into(), checked }
}

fn filters() -> AnyView {
    view! {
        <form method="get" action="#">
            <FilterBar actions=view! {
                <Button variant=Variant::Primary>"Apply"</Button>
                <LinkButton variant=Variant::Quiet href="#">"Reset"</LinkButton>
            }
                .into_any()>
                <SelectField
                    label="Period"
                    name="range"
                    options=vec![option("28d", "Last 28 days", true), option("90d", "Last 90 days", false)]
                />
                <div class="c-filter__dates">
                    <Field label="From" name="from" kind="date" value="2026-11-03" />
                    <Field label="To" name="to" kind="date" value="2026-11-30" />
                </div>
                <SelectField
                    label="Compare with"
                    name="compare"
                    options=vec![option("previous", "Period before", true), option("year", "Year before", false)]
                />
                <CheckboxGroup
                    label="Platform"
                    name="platform"
                    options=vec![tick("facebook", "Facebook", true), tick("x", "X", false), tick("linkedin", "LinkedIn", false)]
                />
                <CheckboxGroup
                    label="Account"
                    name="account"
                    none="All 9"
                    options=(1..=9).map(|number| tick(&number.to_string(), &format!("Live seller {number}"), false)).collect()
                />
            </FilterBar>
        </form>
    }
    .into_any()
}

fn chart() -> AnyView {
    let rows = [("3 Nov 2026", "6,210", "5,890"), ("4 Nov 2026", "7,045", "6,120"), ("5 Nov 2026", "6,870", "6,640")]
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
    let segment = |label: &str, current| SegmentLink { label: label.into(), href: "#".into(), current };
    view! {
        <ChartFrame
            title="Engagements per day"
            takeaway="Engagements rose 6.1%, mostly on Fridays; the best day was 27 November with 11,204."
            picture=Picture { src: "chart.svg".into(), dark_src: "chart-dark.svg".into(), width: 1160, height: 320 }
            narrow=Some(Picture {
                src: "chart-narrow.svg".into(),
                dark_src: "chart-narrow-dark.svg".into(),
                width: 400,
                height: 280,
            })
            alt="Line of engagements per day for 3 to 30 November against the 28 days before"
            actions=view! {
                <Segments label="Metric" links=vec![segment("Engagements", true), segment("Published", false)] />
                <Segments label="Step" links=vec![segment("Day", true), segment("Week", false)] />
            }
                .into_any()
            live=view! { <div class="c-chart__live" hidden></div> }.into_any()
        >
            <Table caption="Engagements per day" id="trend-data" compact=true keep=true>
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

fn post_rows() -> AnyView {
    [
        (
            "30 Nov 2026, 19:04",
            "Live tonight: winter jackets from 290 baht, sizes S to XXL",
            "Video",
            "Live seller 3",
            "11,204",
            "812",
            "96",
        ),
        ("29 Nov 2026, 12:30", "New arrivals on the shelf", "Photo", "Live seller 1", "4,310", "120", "18"),
        (
            "28 Nov 2026, 20:15",
            "Thank you for two thousand viewers yesterday evening",
            "Status",
            "Live seller 7",
            "2,977",
            "341",
            "12",
        ),
        ("27 Nov 2026, 08:00", "Shipping pauses on 5 December", "Link", "Live seller 3", "890", "44", "5"),
        ("26 Nov 2026, 18:45", "Live: denim, denim, denim", "Video", "Live seller 2", "9,121", "1,004", "77"),
    ]
    .into_iter()
    .map(|(time, text, kind, account, reactions, comments, shares)| {
        view! {
            <tr>
                <th scope="row">
                    <a class="u-truncate" href="#post">{text}</a>
                </th>
                <td data-label="Published" class="u-nowrap">{time}</td>
                <td data-label="Type">
                    <Badge>{kind}</Badge>
                </td>
                <td data-label="Account" class="u-nowrap">{account}</td>
                <td data-label="Reactions" class="u-number">{reactions}</td>
                <td data-label="Comments" class="u-number">{comments}</td>
                <td data-label="Shares" class="u-number">{shares}</td>
            </tr>
        }
    })
    .collect_view()
    .into_any()
}

fn posts_table() -> AnyView {
    view! {
        <Table caption="Posts" id="posts">
            <thead>
                <tr>
                    <th scope="col">"Post"</th>
                    <SortHeader label="Published" href="#" order=Some(SortOrder::Descending) />
                    <th scope="col">"Type"</th>
                    <th scope="col">"Account"</th>
                    <SortHeader label="Reactions" href="#" number=true />
                    <SortHeader label="Comments" href="#" number=true />
                    <SortHeader label="Shares" href="#" number=true />
                </tr>
            </thead>
            <tbody>{post_rows()}</tbody>
        </Table>
    }
    .into_any()
}

fn dashboard() -> AnyView {
    let page = view! {
        <PageHeader
            title="Executive dashboard"
            subtitle="3–30 Nov 2026 against 6 Oct–2 Nov, Asia/Bangkok, data to 30 Nov, 09:41"
            actions=view! {
                <LinkButton href="#" icon=IconName::Print>"Print"</LinkButton>
                <LinkButton href="#" icon=IconName::Export>"Export"</LinkButton>
            }
                .into_any()
        />
        {filters()}
        {kpi_cards()}
        {chart()}
        <Card
            title="Best posts"
            text="By engagements, as they stand today"
            actions=view! { <LinkButton href="#" small=true>"All 126 posts"</LinkButton> }.into_any()
            flush=true
        >
            {posts_table()}
        </Card>
    };
    shell("Dashboard", &["Dashboard"], page.into_any())
}

fn posts() -> AnyView {
    let page = view! {
        <PageHeader title="Posts behind engagements" subtitle="126 posts, 184,207 engagements; 3–30 Nov 2026, Facebook" />
        <Notice tone=Tone::Info>"These are lifetime figures: what each post published in the period has gathered until today."</Notice>
        <Card flush=true>
            {posts_table()}
            <Pager summary="1 to 50 of 126" older="#older" label="Pages of posts" />
        </Card>
    };
    shell("Posts", &["Dashboard", "Posts behind engagements"], page.into_any())
}

fn posts_empty() -> AnyView {
    let page = view! {
        <PageHeader title="Posts" subtitle="3–30 Nov 2026" />
        <Card>
            <EmptyState
                title="No posts in this period"
                text="Nothing was published between 3 and 30 November 2026 on the accounts you chose. The latest post is of 12 June 2018."
                icon=IconName::Calendar
                action=view! { <LinkButton href="#" variant=Variant::Primary>"Show the latest month with posts"</LinkButton> }.into_any()
            />
        </Card>
    };
    shell("Posts", &["Dashboard", "Posts"], page.into_any())
}

fn sessions() -> AnyView {
    let rows = [
        ("Firefox on Windows", "Bangkok office, 203.0.113.7", "Now", true),
        ("Safari on iPhone", "198.51.100.20", "Today, 08:12", false),
        ("Chrome on Android", "192.0.2.44", "18 Nov 2026, 22:40", false),
    ]
    .into_iter()
    .map(|(device, place, seen, is_current)| {
        view! {
            <tr>
                <th scope="row">
                    <span class="l-cluster">
                        {device}
                        {is_current.then(|| view! { <Badge tone=Tone::Success>"This session"</Badge> })}
                    </span>
                </th>
                <td data-label="Address">{place}</td>
                <td data-label="Last seen" class="u-nowrap">{seen}</td>
                <td data-label="Expires" class="u-nowrap">"In 13 days"</td>
                <td class="c-table__actions">
                    <form method="post" action="#">
                        <Button small=true name="session" value="1" label=format!("End session on {device}")>"End session"</Button>
                    </form>
                </td>
            </tr>
        }
    })
    .collect_view();
    let page = view! {
        <Flash tone=Tone::Success text="The session on Edge on Windows has ended." />
        <PageHeader
            title="Your sessions"
            subtitle="Where you are signed in. End what you do not recognise, then change your password."
            actions=view! {
                <form method="post" action="#">
                    <Button variant=Variant::Neutral>"End all other sessions"</Button>
                </form>
            }
                .into_any()
        />
        <Card flush=true>
            <Table caption="Your sessions" id="sessions">
                <thead>
                    <tr>
                        <th scope="col">"Device"</th>
                        <th scope="col">"Address"</th>
                        <th scope="col">"Last seen"</th>
                        <th scope="col">"Expires"</th>
                        <th scope="col"><span class="u-visually-hidden">"Actions"</span></th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </Table>
        </Card>
    };
    shell("", &["Sessions"], page.into_any())
}

fn not_found() -> AnyView {
    view! {
        <BareLayout product="RTV">
            <ErrorPage
                status=404
                title="This page does not exist"
                text="The address may be mistyped, or what it named is gone or not yours to see. Check the address, or start from your dashboard."
                request_id="01935b7e-4f0a-7c31-9d44-6a5b1e0f8c22"
                actions=view! {
                    <LinkButton href="/" variant=Variant::Primary>"Go to your dashboard"</LinkButton>
                    <LinkButton href="/sign-in">"Sign in as somebody else"</LinkButton>
                }
                    .into_any()
            />
        </BareLayout>
    }
    .into_any()
}

fn gallery() -> AnyView {
    let tones = [
        (Tone::Neutral, "Neutral"),
        (Tone::Info, "Info"),
        (Tone::Success, "Success"),
        (Tone::Warning, "Warning"),
        (Tone::Danger, "Danger"),
    ];
    let flashes = tones
        .into_iter()
        .skip(1)
        .map(|(tone, word)| view! { <Flash tone=tone text=format!("{word}: what happened, and what to do next.") /> })
        .collect_view();
    let notices = tones
        .into_iter()
        .map(|(tone, word)| view! { <Notice tone=tone>{word}": a remark in place with "<a href="#more">"a link"</a>"."</Notice> })
        .collect_view();
    let badges = tones.into_iter().map(|(tone, word)| view! { <Badge tone=tone>{word}</Badge> }).collect_view();
    let icons = IconName::ALL.into_iter().map(|name| view! { <Icon name=name /> }).collect_view();
    let page = view! {
        <ErrorSummary errors=vec![
            ("title".into(), "Enter a title of at most 80 characters.".into()),
            (String::new(), "The file could not be read. Choose it again.".into()),
        ] />
        <PageHeader title="Components" subtitle="Every component in its states" />
        <Card title="Buttons">
            <div class="l-stack">
                <div class="l-cluster">
                    <Button variant=Variant::Primary>"Save changes"</Button>
                    <Button icon=IconName::Export>"Export"</Button>
                    <Button variant=Variant::Danger>"Delete import"</Button>
                    <Button variant=Variant::Quiet kind=ButtonKind::Button>"Cancel"</Button>
                    <LinkButton href="#go">"A link"</LinkButton>
                </div>
                <div class="l-cluster">
                    <Button small=true variant=Variant::Primary>"Save"</Button>
                    <Button small=true icon=IconName::Filter>"Filter"</Button>
                    <Button small=true variant=Variant::Danger>"End"</Button>
                    <Button small=true variant=Variant::Quiet>"More"</Button>
                </div>
            </div>
        </Card>
        <Card title="Fields" text="With hint, with error, and the choices">
            <div class="l-grid">
                <Field label="Name" name="name" value="Q4 launch" hint="Shown in reports." />
                <Field label="Title" name="title" value="" error="Enter a title of at most 80 characters." />
                <Field label="From" name="from" kind="date" value="2026-11-03" />
                <SelectField label="Zone" name="zone" options=vec![option("a", "Asia/Bangkok", true), option("b", "Europe/Berlin", false)] />
                <CheckboxGroup label="Kind" name="kind" options=vec![tick("a", "Video", true), tick("b", "Photo", true), tick("c", "Link", false)] />
                <Checkbox label="Send a copy to me" name="copy" checked=true hint="At the address of your account." />
            </div>
        </Card>
        <div class="l-stack" data-gap="3">{flashes}</div>
        <div class="l-stack" data-gap="3">{notices}</div>
        <div class="l-sidebar">
            <Card title="Badges and icons">
                <div class="l-stack">
                    <div class="l-cluster">{badges}</div>
                    <div class="l-cluster" data-gap="3">{icons}</div>
                </div>
            </Card>
            <Card title="Import">
                <DefinitionList items=vec![
                    Definition::new("File", "facebook_live_sellers_th.csv"),
                    Definition::new("Read", "7,050 rows"),
                    Definition::new("New", "6,997 posts"),
                    Definition::new("Zone", "Asia/Bangkok"),
                ] />
            </Card>
        </div>
        {file_steps()}
        <Card title="Being loaded">
            <div class="l-stack" data-gap="5">
                <Skeleton />
                <Skeleton shape=SkeletonShape::Kpi count=5 />
                <Skeleton shape=SkeletonShape::Rows count=3 />
            </div>
        </Card>
    };
    let page = view! {
        <Shell
            product="RTV"
            tenant="Staff console"
            nav=nav("Dashboard")
            crumbs=vec![Crumb { label: "Gallery".into(), href: None }]
            user_name="Sam Lee"
            user_email="sam@example.com"
            frame=Frame::Staff
        >
            {page}
        </Shell>
    };
    page.into_any()
}

/// What an import is made of.
fn file_steps() -> AnyView {
    view! {
        <Card title="A file, step by step">
            <div class="l-stack" data-gap="5">
                <Steps
                    label="Steps of the import"
                    steps=vec![
                        Step { label: "Upload".into(), state: StepState::Done, href: None },
                        Step { label: "Columns".into(), state: StepState::Done, href: Some("#columns".into()) },
                        Step { label: "Check".into(), state: StepState::Current, href: None },
                        Step { label: "Import".into(), state: StepState::Ahead, href: None },
                    ]
                />
                <FileField label="File" name="file" hint="CSV, up to 1 GB. Drop it here or choose it." />
                <RadioGroup
                    label="What comes first in the dates, the day or the month?"
                    name="order"
                    options=vec![answer("day", "31/12/2026 (day first)", true), answer("month", "12/31/2026 (month first)", false)]
                    error="Say what comes first."
                />
                <Progress label="The file is being checked" id="progress" thousandths=Some(420) text="Reading the file · 420,000 rows · about 12 s left" />
                <Progress label="Waiting" id="progress-waiting" thousandths=None text="Waiting for a worker." />
                <TallyList tallies=vec![
                    tally("new", "New posts", "6,997", Tone::Neutral),
                    tally("duplicate", "Duplicate rows", "53", Tone::Neutral),
                    tally("refused", "Refused rows", "3", Tone::Warning),
                ] />
            </div>
        </Card>
    }
    .into_any()
}

fn answer(value: &str, label: &str, checked: bool) -> RadioOption {
    RadioOption { value: value.into(), label: label.into(), hint: "What choosing it means.".into(), checked }
}

fn tally(key: &str, label: &str, value: &str, tone: Tone) -> Tally {
    Tally {
        key: key.into(),
        label: label.into(),
        value: value.into(),
        exact: value.replace(',', ""),
        note: "what it means".into(),
        tone,
    }
}

/// A stand-in for the drawn chart.
fn sample_chart(width: u32, height: u32, dark: bool) -> String {
    let (ink, line, now, before) =
        if dark { ("#a6abb5", "#30343d", "#9db0ff", "#7d8490") } else { ("#5b616c", "#dfe2e7", "#3c3fc0", "#9096a1") };
    let (left, top, right, bottom) = (44.0, 12.0, f64::from(width) - 8.0, f64::from(height) - 28.0);
    let scale = |value: f64| bottom - (value - 20.0) / 80.0 * (bottom - top);
    let path = |seed| {
        let values = course(seed, 28);
        values
            .iter()
            .flatten()
            .zip(0_u32..)
            .map(|(value, day)| format!("{:.1},{:.1}", left + f64::from(day) / 27.0 * (right - left), scale(*value)))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let grid = [20, 40, 60, 80, 100]
        .map(|value| {
            let y = scale(f64::from(value));
            format!(
                "<line x1=\"{left}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"{line}\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" fill=\"{ink}\" text-anchor=\"end\">{value}K</text>",
                left - 8.0,
                y + 4.0
            )
        })
        .concat();
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\">{grid}\
         <polyline points=\"{}\" fill=\"none\" stroke=\"{before}\" stroke-width=\"1.5\" stroke-dasharray=\"5 4\"/>\
         <polyline points=\"{}\" fill=\"none\" stroke=\"{now}\" stroke-width=\"2.5\" stroke-linejoin=\"round\"/>\
         <text x=\"{left}\" y=\"{:.0}\" fill=\"{ink}\">3 Nov</text>\
         <text x=\"{right}\" y=\"{:.0}\" fill=\"{ink}\" text-anchor=\"end\">30 Nov</text></svg>",
        path(21),
        path(4),
        bottom + 20.0,
        bottom + 20.0
    )
}
