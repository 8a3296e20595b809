//! What the product says: messages, badges, what stands where something is missing, and the small signs.

use leptos::prelude::*;
use rtv_ui::{
    Badge, Button, ButtonKind, EmptyState, ErrorState, Flash, Icon, IconName, LinkButton, Notice, ProductMark,
    Skeleton, SkeletonShape, Toast, Tone, Variant,
};

use super::{part, specimen};

const TONES: [(Tone, &str); 5] = [
    (Tone::Neutral, "Neutral"),
    (Tone::Info, "Info"),
    (Tone::Success, "Success"),
    (Tone::Warning, "Warning"),
    (Tone::Danger, "Danger"),
];

pub(super) fn section() -> AnyView {
    part(
        "Feedback",
        view! {
            {specimen("Flash, with an act that takes it back, and long", flashes())}
            {specimen("Notice", notices())}
            {specimen("Toast: goes by itself, stays", toasts())}
            {specimen("Badge", badges())}
            {specimen("EmptyState: nothing yet, nothing found, nothing allowed", empties())}
            {specimen("ErrorState: a part that failed while the page goes on", failed())}
            {specimen("Skeleton: a part that is being loaded", skeletons())}
            {specimen("Icon and ProductMark", icons())}
        },
    )
}

/// What takes an act back. A button without a form: nothing happened here.
pub(super) fn undo() -> AnyView {
    view! { <Button small=true variant=Variant::Quiet kind=ButtonKind::Button>"Undo"</Button> }.into_any()
}

fn flashes() -> AnyView {
    let flashes = TONES
        .into_iter()
        .skip(1)
        .map(|(tone, word)| view! { <Flash tone text=format!("{word}: what happened, and what to do next.") /> })
        .collect_view();
    view! {
        <div class="l-stack" data-gap="3">
            {flashes}
            <Flash tone=Tone::Success text="The invitation of sam@acme.example was revoked." action=undo() />
            <Flash
                tone=Tone::Danger
                text="The import of facebook_live_sellers_th_with_a_name_that_does_not_end_for_a_long_time.csv was refused: row 4,711 has 12 cells where the heading has 13. Nothing was stored. Mend the row and import the file again."
            />
        </div>
    }
    .into_any()
}

fn notices() -> AnyView {
    let notices = TONES
        .into_iter()
        .map(|(tone, word)| view! { <Notice tone>{word} ": a remark in place with " <a href="#main">"a link"</a> "."</Notice> })
        .collect_view();
    view! { <div class="l-stack" data-gap="3">{notices}</div> }.into_any()
}

fn toasts() -> AnyView {
    view! {
        <div class="l-stack" data-gap="3">
            <Toast tone=Tone::Success text="Moved to Thursday, 09:00." />
            <Toast tone=Tone::Danger text="The post could not be moved: it is being published. It stays where it was." />
            <Toast tone=Tone::Neutral text="The draft was deleted." action=undo() />
        </div>
    }
    .into_any()
}

fn badges() -> AnyView {
    let badges = TONES.into_iter().map(|(tone, word)| view! { <Badge tone>{word}</Badge> }).collect_view();
    view! { <div class="l-cluster">{badges}</div> }.into_any()
}

fn empties() -> AnyView {
    view! {
        <div class="l-grid">
            <EmptyState
                title="No reports yet"
                text="A report is a dashboard that is sent on a schedule. Start from one of three templates."
                icon=IconName::Posts
                action=view! { <LinkButton href="#main" variant=Variant::Primary>"Create a report"</LinkButton> }.into_any()
            />
            <EmptyState
                title="No post matches"
                text="126 posts were published, none of them on X."
                action=view! { <LinkButton href="#main">"Show all platforms"</LinkButton> }.into_any()
            />
            <EmptyState
                title="You can’t see the audit log"
                text="It needs the permission “audit:read”. Ask an owner or an admin for a role that holds it."
                icon=IconName::Lock
            />
        </div>
    }
    .into_any()
}

fn failed() -> AnyView {
    view! {
        <ErrorState
            title="The share of voice could not be worked out"
            text="The figures of one competitor are being imported. The rest of the page is complete."
            retry_href="#main"
            request_id="019aa3cf24f07c919d446a5b1e0f8c22"
        />
    }
    .into_any()
}

fn skeletons() -> AnyView {
    view! {
        <div class="l-stack" data-gap="5">
            <Skeleton />
            <Skeleton shape=SkeletonShape::Kpi count=5 />
            <Skeleton shape=SkeletonShape::Chart count=1 />
            <Skeleton shape=SkeletonShape::Rows count=3 />
        </div>
    }
    .into_any()
}

fn icons() -> AnyView {
    let icons = IconName::ALL.into_iter().map(|name| view! { <Icon name=name /> }).collect_view();
    view! {
        <div class="l-cluster" data-gap="3">
            <ProductMark />
            {icons}
        </div>
    }
    .into_any()
}
