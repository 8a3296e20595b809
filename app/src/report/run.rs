//! What was made of a report once: its figures as they were then, its files, and what has changed since. And the whole of a table.

use leptos::prelude::*;
use rtv_ui::{
    Badge, Button, Card, Crumb, Definition, DefinitionList, IconName, LinkButton, Notice, PageHeader, Progress, Tone,
    Variant,
};

use super::list::Pager;
use crate::page::{Drawn, Framed};

/// Everything that the page of a run shows.
#[derive(Debug, Clone, PartialEq)]
pub struct RunView {
    pub(super) report: String,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) subtitle: String,
    /// State as stored, word, tone.
    pub(super) state: (&'static str, &'static str, Tone),
    /// What it is at, and how many of how many steps are done.
    pub(super) progress: Option<(String, i32, i32)>,
    pub(super) failure: Option<String>,
    pub(super) facts: Vec<(String, String)>,
    pub(super) files: Vec<FileView>,
    pub(super) notes: Vec<String>,
    /// Whether it holds figures that whoever looks does not see.
    pub(super) is_hidden: bool,
    /// What is different now, in sentences; `None` where it was not looked at.
    pub(super) changed: Option<Vec<String>>,
    /// That it came late, and for what it stands.
    pub(super) late: Option<String>,
    pub(super) mailings: Vec<MailingView>,
    /// The permission that sending again needs, where something could be and the reader lacks it.
    pub(super) repeat_needs: Option<&'static str>,
    /// When, what was tried, what came of it.
    pub(super) attempts: Vec<(String, String, String)>,
    /// Which of them these are, as a sentence.
    pub(super) attempts_told: String,
    pub(super) can_cancel: bool,
    pub(super) can_run: bool,
    /// The sheets, drawn.
    pub(super) sheets: Option<String>,
}

/// A report on its way to one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailingView {
    pub(super) id: String,
    pub(super) to: String,
    pub(super) state: (&'static str, &'static str, Tone),
    pub(super) detail: String,
    pub(super) can_repeat: bool,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileView {
    pub(super) href: String,
    pub(super) label: String,
    pub(super) title: String,
    pub(super) detail: String,
    /// The same with text as it is, for a CSV.
    pub(super) raw: Option<String>,
}

/// The whole of a table, a page of it.
#[derive(Debug, Clone, PartialEq)]
pub struct WholeTable {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) subtitle: String,
    /// Where it belongs: address and words.
    pub(super) back: (String, &'static str),
    /// What was not kept, and where there is all of it.
    pub(super) cut: Option<(String, Option<String>)>,
    pub(super) pager: Option<Pager>,
    pub(super) sheets: String,
}

/// The page of a run, drawn.
pub(super) fn drawn(page: Framed<RunView>) -> Drawn {
    let Framed { frame, content: run } = page;
    let report = format!("/t/{}/reports/{}", frame.slug, run.report);
    let path = format!("{report}/runs/{}", run.id);
    let crumbs =
        vec![Crumb { label: run.name.clone(), href: Some(report.clone()) }, Crumb { label: "Run".into(), href: None }];
    let (key, word, tone) = run.state;
    let badge = view! { <span data-state=key><Badge tone>{word}</Badge></span> };
    let again = run.can_run.then(|| {
        view! {
            <form method="post" action=format!("{path}/again")>
                <Button icon=IconName::Report>"Make it again"</Button>
            </form>
        }
    });
    let is_open = run.progress.is_some();
    let progress = run.progress.map(|(step, done, total)| {
        let cancel = run.can_cancel.then(|| {
            view! { <form method="post" action=format!("{path}/cancel")><Button>"Cancel"</Button></form> }
        });
        let thousandths = (total > 0).then(|| u32::try_from(done * 1_000 / total).unwrap_or(0));
        let text = if total > 0 { format!("{done} of {total} steps") } else { "Waiting for a worker".to_owned() };
        view! {
            <Card title="Being made" text="The page looks again by itself; without scripts, load it again.">
                <div class="l-stack" data-gap="3">
                    <Progress label=step id="run-progress" thousandths text />
                    {cancel}
                </div>
            </Card>
        }
    });
    // Where scripts run, `watch.rs` fetches the page anew; elsewhere the browser does.
    let refresh = is_open.then(
        || view! { <div data-follows="moving"><noscript><meta http-equiv="refresh" content="2" /></noscript></div> },
    );
    let failure = run
        .failure
        .map(|reason| view! { <Notice tone=Tone::Danger>{format!("It could not be made. {reason}")}</Notice> });
    let hidden = run.is_hidden.then(|| {
        view! {
            <Notice tone=Tone::Info>
                "It holds figures that you may not see: of the whole organisation, or of a team that is not yours. Who made it can send it to you."
            </Notice>
        }
    });
    let late = run.late.map(|text| view! { <Notice tone=Tone::Warning>{text}</Notice> });
    let mailings = (!run.mailings.is_empty()).then(|| mailings(&path, run.mailings, run.repeat_needs));
    let attempts = (!run.attempts.is_empty()).then(|| attempts(run.attempts, run.attempts_told));
    let files = (!run.files.is_empty()).then(|| files(run.files));
    let notes = (!run.notes.is_empty()).then(|| {
        let notes = run.notes.into_iter().map(|note| view! { <li>{note}</li> }).collect_view();
        view! { <Card title="What to know about the files"><ul class="c-sheet__notes">{notes}</ul></Card> }
    });
    let changed = run.changed.map(|changed| {
        if changed.is_empty() {
            return view! { <Notice tone=Tone::Success>"Nothing has changed since: the same report made now has the same figures."</Notice> }.into_any();
        }
        let lines = changed.into_iter().map(|line| view! { <li>{line}</li> }).collect_view();
        view! {
            <Notice tone=Tone::Info>
                <p>"Changed since: data has arrived or was corrected after this was made. The files keep what they said."</p>
                <ul class="c-sheet__notes" data-changed="">{lines}</ul>
            </Notice>
        }
        .into_any()
    });
    let facts: Vec<Definition> = run.facts.into_iter().map(|(term, value)| Definition::new(term, value)).collect();
    let sheets = run.sheets.map(|html| view! { <div inner_html=html></div> });
    let html = view! {
        {refresh}
        <PageHeader title=run.name subtitle=run.subtitle actions=view! { {badge} {again} }.into_any() />
        <div class="c-run">
            <div class="l-stack" data-gap="4">
                {progress}
                {failure}
                {late}
                {hidden}
                {changed}
                {sheets}
            </div>
            <div class="l-stack" data-gap="4">
                {files}
                {mailings}
                {attempts}
                {notes}
                <Card title="How it was made"><DefinitionList items=facts /></Card>
            </div>
        </div>
    };
    Drawn::new(crumbs, false, html)
}

fn mailings(path: &str, mailings: Vec<MailingView>, needs: Option<&'static str>) -> AnyView {
    let rows = mailings
        .into_iter()
        .map(|one| {
            let (key, word, tone) = one.state;
            let again = one.can_repeat.then(|| {
                let label = format!("Send again to {}", one.to);
                view! {
                    <form method="post" action=format!("{path}/mails/{}/again", one.id)>
                        <Button small=true label>"Send again"</Button>
                    </form>
                }
            });
            view! {
                <li class="c-mailing" data-state=key>
                    <span class="c-mailing__to">{one.to}<span class="c-table__detail">{one.detail}</span></span>
                    <Badge tone>{word}</Badge>
                    {again}
                </li>
            }
        })
        .collect_view();
    let needs = needs.map(|permission| {
        let text = format!("Whoever holds the permission “{permission}” can send again what failed.");
        view! { <p class="u-small">{text}</p> }
    });
    view! { <Card title="Goes to"><ul class="c-mailings">{rows}</ul>{needs}</Card> }.into_any()
}

fn attempts(attempts: Vec<(String, String, String)>, text: String) -> AnyView {
    let rows = attempts
        .into_iter()
        .map(|(at, what, outcome)| {
            view! { <li>{what}<span class="c-table__detail">{format!("{at}. {outcome}")}</span></li> }
        })
        .collect_view();
    view! { <Card title="Attempts" text><ul class="c-runs">{rows}</ul></Card> }.into_any()
}

fn files(files: Vec<FileView>) -> AnyView {
    let rows = files
        .into_iter()
        .map(|file| {
            let raw = file.raw.map(|href| view! { " " <a class="u-small" href=href download="" rel="external">"as it is"</a> });
            view! {
                <li class="c-files__row">
                    <LinkButton href=file.href external=true icon=IconName::Export>{file.label}</LinkButton>
                    <span class="c-files__title">{file.title}<span class="c-table__detail">{file.detail}{raw}</span></span>
                </li>
            }
        })
        .collect_view();
    view! {
        <Card title="Files" text="All of them hold the same figures as this page.">
            <ul class="c-files">{rows}</ul>
        </Card>
    }
    .into_any()
}

/// The whole of a table, drawn.
pub(super) fn drawn_table(page: Framed<WholeTable>) -> Drawn {
    let WholeTable { name, title, subtitle, back: (href, words), cut, pager, sheets } = page.content;
    let crumbs = vec![Crumb { label: name, href: Some(href.clone()) }, Crumb { label: title.clone(), href: None }];
    let back = view! { <LinkButton href variant=Variant::Quiet icon=IconName::ChevronLeft>{words}</LinkButton> };
    let cut = cut.map(|(words, now)| {
        let now = now.map(|href| view! { " " <a href=href>"See the whole table as it is now"</a> });
        view! { <Notice tone=Tone::Info>{words}{now}</Notice> }
    });
    let above = pager.clone().map(|pager| pager.drawn("Pages of rows, above"));
    let below = pager.map(|pager| pager.drawn("Pages of rows"));
    let html = view! {
        <PageHeader title subtitle actions=back.into_any() />
        {cut}
        {above}
        <div inner_html=sheets></div>
        {below}
    };
    Drawn::new(crumbs, false, html)
}
