//! Resuming: the scope's name typed, a reason, what becomes of each group that is overdue, and where two persons are needed the
//! page on which the second one decides. Nothing overdue leaves before the choice.

pub(super) mod present;

use leptos::prelude::*;
use rtv_ui::{
    Button, Card, Definition, DefinitionList, Field, LinkButton, Notice, PageHeader, SelectField, SelectOption, Table,
    TextArea, Tone, Variant,
};

use super::present::House;
use crate::page::Flash;

/// What can become of a group: what is sent, and what is read.
pub(super) const PLANS: [(&str, &str); 4] = [
    ("spread", "Publish, spread over the minutes"),
    ("reschedule", "Publish from the time on"),
    ("approval", "Back to approval"),
    ("drop", "Drop: never publish"),
];

/// The form that asks for a release.
pub(super) struct ReleaseForm {
    pub(super) scope: String,
    /// What is to be typed.
    pub(super) typed: String,
    pub(super) action: String,
    pub(super) cancel_href: String,
    pub(super) facts: Vec<Definition>,
    pub(super) groups: Vec<GroupView>,
    pub(super) takes_two: bool,
    /// In which times of the plan are typed.
    pub(super) zone: String,
    /// What else stops, and will go on stopping, parts of it.
    pub(super) still: Vec<String>,
}

/// What is overdue of one account.
pub(super) struct GroupView {
    /// What its fields are named after.
    pub(super) key: String,
    pub(super) account: String,
    pub(super) platform: String,
    pub(super) overdue: String,
    pub(super) earliest: String,
}

/// The form, drawn.
pub(super) fn form(house: &House, page: ReleaseForm, flash: &Flash) -> AnyView {
    let ReleaseForm { scope, typed, action, cancel_href, facts, groups, takes_two, zone, still } = page;
    let (typed_error, reason_error) = (flash.error("typed"), flash.error("reason"));
    let (typed_value, reason_value) = (flash.value("typed"), flash.value("reason"));
    let verb = if takes_two { "Ask for the second person" } else { "Resume" };
    let text = if takes_two {
        "Two persons release this: you ask, and somebody else with the same right approves within 10 minutes."
    } else {
        "You release this alone. Sending then begins slowly: one in a hundred at first, a tenth, then all."
    };
    let still = (!still.is_empty()).then(|| {
        let lines = still.into_iter().map(|one| view! { <li>{one}</li> }).collect_view();
        view! {
            <Notice tone=Tone::Warning>
                <p>"Other switches go on stopping parts of it:"</p>
                <ul>{lines}</ul>
            </Notice>
        }
    });
    let plan = plan_card(groups, &zone, flash);
    view! {
        {house.error_summary(flash)}
        <PageHeader title=format!("Resume {scope}?") subtitle=text />
        {still}
        <form class="l-stack" data-gap="4" method="post" action=action autocomplete="off">
            <Card title="The halt">
                <DefinitionList items=facts />
            </Card>
            {plan}
            <Card title="Are you sure?">
                <div class="l-stack c-release" data-gap="4">
                    <Field label=format!("Type “{typed}” to go on") name="typed" value=typed_value error=typed_error autocomplete="off" maxlength="200" required=true />
                    <TextArea label="Reason" name="reason" value=reason_value error=reason_error rows=2 maxlength="500" hint="Why it is safe again. Kept with the receipt." required=true />
                    <div class="l-cluster">
                        <Button variant=Variant::Danger>{verb}</Button>
                        <LinkButton href=cancel_href>"Cancel"</LinkButton>
                    </div>
                </div>
            </Card>
        </form>
    }
    .into_any()
}

fn plan_card(groups: Vec<GroupView>, zone: &str, flash: &Flash) -> AnyView {
    if groups.is_empty() {
        return view! {
            <Card title="What became overdue">
                <p class="u-muted">"Nothing. What is due later goes out at its own time."</p>
            </Card>
        }
        .into_any();
    }
    let rows = groups
        .into_iter()
        .map(|group| {
            let name = format!("plan-{}", group.key);
            let minutes = format!("minutes-{}", group.key);
            let chosen = flash.value(&name).unwrap_or_else(|| PLANS[0].0.to_owned());
            let options = PLANS
                .into_iter()
                .map(|(value, label)| SelectOption { value: value.into(), label: label.into(), selected: value == chosen })
                .collect();
            let at = format!("at-{}", group.key);
            let (plan_error, minutes_error, at_error) = (flash.error(&name), flash.error(&minutes), flash.error(&at));
            let typed = flash.value(&minutes).unwrap_or_else(|| "30".to_owned());
            let typed_at = flash.value(&at);
            let about = group.account.clone();
            view! {
                <tr>
                    <th scope="row">
                        {group.account}
                        <span class="c-table__detail">{group.platform}</span>
                    </th>
                    <td data-label="Overdue" class="u-number">{group.overdue}</td>
                    <td data-label="Oldest was due">{group.earliest}</td>
                    <td data-label="What becomes of it">
                        <div class="c-plan">
                            <SelectField label=format!("What becomes of {about}") hide_label=true name options error=plan_error />
                            <Field label="Minutes" name=minutes kind="number" value=typed error=minutes_error min="1" max="1440" inputmode="numeric" />
                            <Field label="Time" name=at kind="datetime-local" value=typed_at error=at_error />
                        </div>
                    </td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Card
            title="What became overdue"
            text=format!("Nothing of it leaves before you choose. Minutes count for spreading, the time ({zone}) for a later beginning.")
            flush=true
        >
            <Table caption="What became overdue" id="plan">
                <thead>
                    <tr>
                        <th scope="col">"Account"</th>
                        <th scope="col" class="u-number">"Overdue"</th>
                        <th scope="col">"Oldest was due"</th>
                        <th scope="col">"What becomes of it"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </Table>
        </Card>
    }
    .into_any()
}

/// A release that waits for a second person, or what became of it.
pub(super) struct Asked {
    pub(super) scope: String,
    pub(super) subtitle: String,
    pub(super) facts: Vec<Definition>,
    pub(super) plan: Vec<[String; 3]>,
    pub(super) back_href: String,
    /// Where the approval is sent, for who may give it.
    pub(super) approve_action: Option<String>,
    /// Where it is taken back.
    pub(super) withdraw_action: Option<String>,
    /// Why the reader does not decide.
    pub(super) why_not: Option<String>,
}

/// The page, drawn.
pub(super) fn asked(page: Asked) -> AnyView {
    let Asked { scope, subtitle, facts, plan, back_href, approve_action, withdraw_action, why_not } = page;
    let plan = if plan.is_empty() {
        view! { <p class="u-muted">"Nothing was overdue."</p> }.into_any()
    } else {
        let rows = plan
            .into_iter()
            .map(|[account, overdue, what]| {
                view! {
                    <tr>
                        <th scope="row">{account}</th>
                        <td data-label="Overdue" class="u-number">{overdue}</td>
                        <td data-label="What becomes of it">{what}</td>
                    </tr>
                }
            })
            .collect_view();
        view! {
            <Table caption="The plan" id="plan" compact=true>
                <thead>
                    <tr>
                        <th scope="col">"Account"</th>
                        <th scope="col" class="u-number">"Overdue"</th>
                        <th scope="col">"What becomes of it"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </Table>
        }
        .into_any()
    };
    let approve = approve_action.map(|action| {
        view! {
            <form method="post" action=action>
                <Button variant=Variant::Danger>"Approve and resume"</Button>
            </form>
        }
    });
    let withdraw = withdraw_action.map(|action| {
        view! {
            <form method="post" action=action>
                <Button>"Take the request back"</Button>
            </form>
        }
    });
    view! {
        <PageHeader title=format!("Resume {scope}: asked for") subtitle />
        <div data-follows="moving" class="l-grid" data-columns="2">
            <Card title="The request">
                <DefinitionList items=facts />
            </Card>
            <Card title="The plan for what is overdue">{plan}</Card>
        </div>
        {why_not.map(|words| view! { <Notice tone=Tone::Info>{words}</Notice> })}
        <div class="l-cluster">{approve} {withdraw} <LinkButton href=back_href variant=Variant::Quiet>"All kill switches"</LinkButton></div>
    }
    .into_any()
}

/// What became of a request, or of a switch that somebody was about to resume.
pub(super) struct Ended {
    pub(super) scope: String,
    /// How it ended, in a word or two.
    pub(super) word: &'static str,
    pub(super) tone: Tone,
    /// The same as a sentence: who, and when.
    pub(super) words: String,
    /// Whether what it was about is halted now.
    pub(super) now: &'static str,
    /// What the facts are about.
    pub(super) about: &'static str,
    pub(super) facts: Vec<Definition>,
    /// Where somebody asks anew, for who may.
    pub(super) again_href: Option<String>,
    /// The request that took its place.
    pub(super) newest_href: Option<String>,
    pub(super) receipt_href: Option<String>,
    pub(super) back_href: String,
}

/// The page, drawn.
pub(super) fn ended(page: Ended) -> AnyView {
    let Ended { scope, word, tone, words, now, about, facts, again_href, newest_href, receipt_href, back_href } = page;
    let newest = newest_href
        .map(|href| view! { <LinkButton href variant=Variant::Primary>"See the newer request"</LinkButton> });
    let again = again_href.map(|href| view! { <LinkButton href>"Ask again…"</LinkButton> });
    let receipt = receipt_href.map(|href| view! { <LinkButton href>"Receipt of the halt"</LinkButton> });
    view! {
        <PageHeader title=format!("Resume {scope}: {word}") subtitle=now />
        <Notice tone><strong>{words}</strong></Notice>
        <Card title=about>
            <DefinitionList items=facts />
        </Card>
        <div class="l-cluster">
            {newest} {receipt} {again}
            <LinkButton href=back_href variant=Variant::Quiet>"All kill switches"</LinkButton>
        </div>
    }
    .into_any()
}
