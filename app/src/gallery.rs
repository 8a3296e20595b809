//! `/staff/gallery`: every component of the design system in its states, in both densities and themes; what fills a page
//! by itself has one of its own. They are documents without a script and no pages of the application, so that the
//! browser's program does not carry them to everybody. A test fails when a public component of `rtv-ui` is not shown.

mod data;
mod feedback;
mod file;
mod form;
mod frame;

use leptos::prelude::*;
use rtv_charts::{NumberStyle, Role, Series, Theme, TrendChart, Unit};
use rtv_core::preference::{Density, Preference};
use rtv_ui::{
    Crumb, ErrorSummary, Frame, IconName, LinkButton, NavGroup, NavItem, PageHeader, SegmentLink, Segments, Shell,
    Toast, Toasts, Tone,
};

use crate::page::PRODUCT;
use crate::request::Assets;
use crate::shell::plain_document;

/// Its address.
pub const PATH: &str = "/staff/gallery";

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// Which page of the gallery.
    pub sheet: Sheet,
    /// In which theme and density.
    pub preference: Preference,
}

/// A page of the gallery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sheet {
    /// Everything that is a part of a page.
    Parts,
    /// Before an ordinary act that is hard to take back.
    Confirm,
    /// Before a grave one, after a refusal.
    ConfirmRefused,
    /// Signing in, refused.
    SignIn,
    /// Choosing an organisation.
    Choose,
    /// An error of that status.
    Error(u16),
}

impl Sheet {
    /// Every one.
    pub const ALL: [Self; 11] = [
        Self::Parts,
        Self::Confirm,
        Self::ConfirmRefused,
        Self::SignIn,
        Self::Choose,
        Self::Error(403),
        Self::Error(404),
        Self::Error(422),
        Self::Error(429),
        Self::Error(500),
        Self::Error(503),
    ];

    /// As written in the address.
    pub fn key(self) -> String {
        match self {
            Self::Parts => "parts".into(),
            Self::Confirm => "confirm".into(),
            Self::ConfirmRefused => "confirm-refused".into(),
            Self::SignIn => "sign-in".into(),
            Self::Choose => "choose".into(),
            Self::Error(status) => format!("error-{status}"),
        }
    }
}

impl Shown {
    /// Out of the pairs of an address; what is not known is the default.
    pub fn parse(pairs: &[(String, String)]) -> Self {
        let value = |name: &str| pairs.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
        let preference = Preference {
            theme: value("theme").parse().unwrap_or_default(),
            density: value("density").parse().unwrap_or_default(),
            ..Preference::default()
        };
        let sheet = Sheet::ALL.into_iter().find(|sheet| sheet.key() == value("show")).unwrap_or(Sheet::Parts);
        Self { sheet, preference }
    }

    fn address(self) -> String {
        let Preference { theme, density, .. } = self.preference;
        format!("{PATH}?show={}&theme={}&density={}", self.sheet.key(), theme.key(), density.key())
    }
}

/// The document, for a person of the operator.
pub fn document(assets: &Assets, name: &str, email: &str, shown: Shown) -> String {
    plain_document(assets, "Components", shown.preference, || match shown.sheet {
        Sheet::Parts | Sheet::Confirm | Sheet::ConfirmRefused => console(name.to_owned(), email.to_owned(), shown),
        Sheet::SignIn => frame::sign_in(),
        Sheet::Choose => frame::choose(),
        Sheet::Error(status) => frame::error(status),
    })
}

/// The line of the sample chart, as a picture of the given theme.
pub fn chart(theme: Theme) -> String {
    let series = |name: &str, seed, role| Series { name: name.into(), values: course(seed, 28), role };
    TrendChart {
        title: "Engagements by day".into(),
        summary: "Engagements rose over four weeks.".into(),
        unit: Unit::Count,
        categories: (3..=30).map(|day| format!("{day} Nov")).collect(),
        series: vec![series("3 – 30 Nov 2026", 4, Role::Current), series("6 Oct – 2 Nov 2026", 21, Role::Previous)],
        marks: Vec::new(),
        numbers: NumberStyle::ENGLISH,
        font_family: "system-ui, \"DejaVu Sans\", sans-serif".into(),
        no_data: "No values in this period.".into(),
    }
    .option(theme)
}

/// A course with weekly waves, the same at every run.
fn course(seed: u32, points: u32) -> Vec<Option<f64>> {
    let mut state = seed.wrapping_mul(2_654_435_761).max(1);
    (0..points)
        .map(|day| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = f64::from(state >> 20) / 4_096.0;
            let week = (f64::from(day) * core::f64::consts::TAU / 7.0).sin();
            Some(4_000.0 + 800.0 * week + 2_200.0 * noise + f64::from(day) * 80.0)
        })
        .collect()
}

/// A sheet inside the staff frame.
fn console(name: String, email: String, shown: Shown) -> AnyView {
    let item = |label: &str, sheet, icon| NavItem {
        label: label.into(),
        href: Shown { sheet, ..shown }.address(),
        icon,
        current: sheet == shown.sheet,
    };
    let nav = vec![NavGroup {
        label: "Gallery".into(),
        items: vec![
            item("Parts", Sheet::Parts, IconName::Dashboard),
            item("Confirm", Sheet::Confirm, IconName::Warning),
            item("Confirm, refused", Sheet::ConfirmRefused, IconName::Lock),
        ],
    }];
    let content = match shown.sheet {
        Sheet::ConfirmRefused => form::confirmation(true),
        Sheet::Confirm => form::confirmation(false),
        Sheet::Parts | Sheet::SignIn | Sheet::Choose | Sheet::Error(_) => parts(shown),
    };
    view! {
        <Shell
            product=PRODUCT
            tenant="Staff console"
            nav
            crumbs=vec![Crumb { label: "Components".into(), href: None }]
            user_name=name
            user_email=email
            back=PATH
            frame=Frame::Staff
        >
            {content}
        </Shell>
    }
    .into_any()
}

fn parts(shown: Shown) -> AnyView {
    let with = |preference| Shown { preference, ..shown }.address();
    let themes = rtv_core::preference::Theme::ALL
        .iter()
        .map(|theme| SegmentLink {
            label: theme.label().into(),
            href: with(Preference { theme: *theme, ..shown.preference }),
            current: *theme == shown.preference.theme,
        })
        .collect();
    let densities = Density::ALL
        .iter()
        .map(|density| SegmentLink {
            label: density.label().into(),
            href: with(Preference { density: *density, ..shown.preference }),
            current: *density == shown.preference.density,
        })
        .collect();
    let actions = view! {
        <Segments label="Theme" links=themes />
        <Segments label="Density" links=densities />
    }
    .into_any();
    let sheets = Sheet::ALL
        .into_iter()
        .skip(1)
        .map(
            |sheet| view! { <LinkButton small=true href=Shown { sheet, ..shown }.address()>{sheet.key()}</LinkButton> },
        )
        .collect_view();
    view! {
        <ErrorSummary errors=vec![
            ("title".into(), "Enter a title of at most 80 characters.".into()),
            (String::new(), "The file could not be read. Choose it again.".into()),
        ] />
        <PageHeader
            title="Components"
            subtitle="What pages are made of, in every state. Nothing here is real and nothing can be changed."
            actions
        />
        {part("Pages of their own", view! { <div class="l-cluster">{sheets}</div> })}
        {form::section()}
        {data::section(shown.preference.theme)}
        {feedback::section()}
        {file::section()}
        {frame::section()}
        <Toasts>
            <Toast tone=Tone::Neutral text="The report “Monthly performance” was deleted." action=feedback::undo() />
        </Toasts>
    }
    .into_any()
}

/// A part of the gallery.
fn part(title: &'static str, specimens: impl IntoView + 'static) -> AnyView {
    view! {
        <section class="c-gallery">
            <h2 class="c-gallery__title">{title}</h2>
            {specimens.into_any()}
        </section>
    }
    .into_any()
}

/// One component in one state, named above it.
fn specimen(name: &'static str, shown: impl IntoView + 'static) -> AnyView {
    view! {
        <div class="c-gallery__specimen">
            <h3 class="c-gallery__name">{name}</h3>
            {shown.into_any()}
        </div>
    }
    .into_any()
}
