//! The small set of line icons, each one path in a 20 by 20 box. They only repeat what a word beside them
//! says and are therefore hidden from screen readers.

use leptos::prelude::*;

/// The icons there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IconName {
    /// Four panels.
    Dashboard,
    /// A sheet with lines of text.
    Posts,
    /// A sheet with bars on it.
    Report,
    /// An arrow into a tray.
    Imports,
    /// An arrow out of a tray.
    Export,
    /// A screen, for a signed-in device.
    Sessions,
    /// A person.
    User,
    /// Several persons.
    Team,
    /// A house for one organisation.
    Tenant,
    /// A chart line.
    Trend,
    /// Circles around a point, for targets.
    Target,
    /// A list with a shield, for the audit log.
    Audit,
    /// A cog, for settings.
    Settings,
    /// The stop square of a kill switch.
    Stop,
    /// Points down; menus and disclosures.
    ChevronDown,
    /// Points to the start of a line.
    ChevronLeft,
    /// Points to the end of a line.
    ChevronRight,
    /// Points up and down, for a switcher.
    ChevronsUpDown,
    /// Risen.
    ArrowUp,
    /// Fallen.
    ArrowDown,
    /// Unchanged.
    Flat,
    /// New: there was nothing to compare with.
    New,
    /// A warning triangle.
    Warning,
    /// A letter i in a circle.
    Info,
    /// A tick in a circle.
    Success,
    /// A cross in a circle.
    Danger,
    /// A tick.
    Check,
    /// A cross.
    Close,
    /// A short line: no.
    Minus,
    /// A calendar sheet.
    Calendar,
    /// A funnel of lines.
    Filter,
    /// An arrow out of a box: leaves the product.
    External,
    /// An arrow out of a door.
    SignOut,
    /// Three lines.
    Menu,
    /// Three dots.
    More,
    /// A magnifying glass.
    Search,
    /// A padlock.
    Lock,
    /// A table.
    Table,
    /// A printer.
    Print,
    /// A keyboard.
    Keyboard,
    /// A clock, for what was there before.
    Recent,
    /// A pencil, for what is written.
    Write,
    /// A paper plane, for what is sent.
    Send,
}

impl IconName {
    /// Every icon, for galleries and tests.
    pub const ALL: [Self; 43] = [
        Self::Dashboard,
        Self::Posts,
        Self::Imports,
        Self::Export,
        Self::Sessions,
        Self::User,
        Self::Team,
        Self::Tenant,
        Self::Trend,
        Self::Target,
        Self::Audit,
        Self::Settings,
        Self::Stop,
        Self::ChevronDown,
        Self::ChevronLeft,
        Self::ChevronRight,
        Self::ChevronsUpDown,
        Self::ArrowUp,
        Self::ArrowDown,
        Self::Flat,
        Self::New,
        Self::Warning,
        Self::Info,
        Self::Success,
        Self::Danger,
        Self::Check,
        Self::Close,
        Self::Minus,
        Self::Calendar,
        Self::Filter,
        Self::External,
        Self::SignOut,
        Self::Menu,
        Self::More,
        Self::Search,
        Self::Lock,
        Self::Table,
        Self::Print,
        Self::Keyboard,
        Self::Recent,
        Self::Write,
        Self::Report,
        Self::Send,
    ];

    const fn path(self) -> &'static str {
        match self {
            Self::Dashboard => {
                "M3.5 4.5a1 1 0 0 1 1-1h3a1 1 0 0 1 1 1v4a1 1 0 0 1-1 1h-3a1 1 0 0 1-1-1zM3.5 13.5a1 1 0 0 1 1-1h3a1 1 0 0 1 1 1v2a1 1 0 0 1-1 1h-3a1 1 0 0 1-1-1zM11.5 4.5a1 1 0 0 1 1-1h3a1 1 0 0 1 1 1v2a1 1 0 0 1-1 1h-3a1 1 0 0 1-1-1zM11.5 11.5a1 1 0 0 1 1-1h3a1 1 0 0 1 1 1v4a1 1 0 0 1-1 1h-3a1 1 0 0 1-1-1z"
            }
            Self::Posts => {
                "M5 2.75h6.5L15.5 6.75v9.5a1 1 0 0 1-1 1h-9.5a1 1 0 0 1-1-1V3.75a1 1 0 0 1 1-1zM11.25 3v4h4M7 10.25h5.5M7 13.25h3.5"
            }
            Self::Imports => "M10 3v9M6.5 8.75 10 12.25l3.5-3.5M3.5 12.5v3a1 1 0 0 0 1 1h11a1 1 0 0 0 1-1v-3",
            Self::Export => "M10 12.25v-9M6.5 6.5 10 3l3.5 3.5M3.5 12.5v3a1 1 0 0 0 1 1h11a1 1 0 0 0 1-1v-3",
            Self::Sessions => {
                "M3.5 4h13a1 1 0 0 1 1 1v7.5a1 1 0 0 1-1 1h-13a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1zM7 16.75h6M10 13.5v3.25"
            }
            Self::User => "M10 9.5a3.25 3.25 0 1 0 0-6.5 3.25 3.25 0 0 0 0 6.5zM3.75 17a6.25 6.25 0 0 1 12.5 0",
            Self::Team => {
                "M7.5 9.5a2.75 2.75 0 1 0 0-5.5 2.75 2.75 0 0 0 0 5.5zM2.5 16.5a5 5 0 0 1 10 0M13 4.25a2.75 2.75 0 0 1 0 5M14.5 12a5 5 0 0 1 3 4.5"
            }
            Self::Tenant => {
                "M4 17V4a1 1 0 0 1 1-1h6a1 1 0 0 1 1 1v13M12 8h3a1 1 0 0 1 1 1v8M2.5 17h15M7 6.5h2M7 9.75h2M7 13h2"
            }
            Self::Trend => "M3 3.5v12a1 1 0 0 0 1 1h13M6 12.5l3.25-3.75 2.75 2.5L16.5 6",
            Self::Target => {
                "M10 17.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15zM10 13.75a3.75 3.75 0 1 0 0-7.5 3.75 3.75 0 0 0 0 7.5zM10 10v.1"
            }
            Self::Audit => "M10 2.75l6 2.25v4.5c0 3.75-2.5 6.5-6 7.75-3.5-1.25-6-4-6-7.75V5zM7.25 10l2 2 3.5-3.75",
            Self::Settings => {
                "M3 6h6.5M14.5 6H17M3 14h2.5M10.5 14H17M12 8.25a2.25 2.25 0 1 0 0-4.5 2.25 2.25 0 0 0 0 4.5zM8 16.25a2.25 2.25 0 1 0 0-4.5 2.25 2.25 0 0 0 0 4.5z"
            }
            Self::Stop => "M10 17.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15zM7.5 7.5h5v5h-5z",
            Self::ChevronDown => "M5.5 8l4.5 4.5L14.5 8",
            Self::ChevronLeft => "M12 5.5L7.5 10l4.5 4.5",
            Self::ChevronRight => "M8 5.5l4.5 4.5L8 14.5",
            Self::ChevronsUpDown => "M6.5 8L10 4.5 13.5 8M6.5 12l3.5 3.5 3.5-3.5",
            Self::ArrowUp => "M10 16V4.5M5.25 9.25L10 4.5l4.75 4.75",
            Self::ArrowDown => "M10 4v11.5M5.25 10.75L10 15.5l4.75-4.75",
            Self::Flat => "M4.5 10h11M12 6.5l3.5 3.5-3.5 3.5",
            Self::New => "M10 3.5v13M4.4 6.75l11.2 6.5M15.6 6.75l-11.2 6.5",
            Self::Warning => "M10 3.25L17.5 16.25h-15zM10 8v4M10 14.1v.1",
            Self::Info => "M10 17.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15zM10 9.25v4.5M10 6.4v.1",
            Self::Success => "M10 17.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15zM6.75 10.25l2.25 2.25 4.25-4.75",
            Self::Danger => "M10 17.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15zM7.5 7.5l5 5M12.5 7.5l-5 5",
            Self::Check => "M4.5 10.5l3.75 3.75L15.5 6.5",
            Self::Close => "M5.5 5.5l9 9M14.5 5.5l-9 9",
            Self::Minus => "M5.5 10h9",
            Self::Calendar => {
                "M4 4.25h12a1 1 0 0 1 1 1v10.5a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V5.25a1 1 0 0 1 1-1zM3 8h14M6.75 2.5v3M13.25 2.5v3"
            }
            Self::Filter => "M3 5.5h14M5.75 10h8.5M8.25 14.5h3.5",
            Self::External => {
                "M8 4.5H5a1 1 0 0 0-1 1V15a1 1 0 0 0 1 1h9.5a1 1 0 0 0 1-1v-3M11.5 3.5h5v5M16.25 3.75L9.5 10.5"
            }
            Self::SignOut => "M8.5 3.5h-4a1 1 0 0 0-1 1v11a1 1 0 0 0 1 1h4M12.75 6.5l3.5 3.5-3.5 3.5M16 10H8",
            Self::Menu => "M3 5.5h14M3 10h14M3 14.5h14",
            Self::More => {
                "M5 10a.5.5 0 1 1-1 0 .5.5 0 0 1 1 0zM10.5 10a.5.5 0 1 1-1 0 .5.5 0 0 1 1 0zM16 10a.5.5 0 1 1-1 0 .5.5 0 0 1 1 0z"
            }
            Self::Search => "M9 14.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11zM13 13l4 4",
            Self::Lock => {
                "M5 9h10a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1v-6a1 1 0 0 1 1-1zM6.75 9V6.25a3.25 3.25 0 0 1 6.5 0V9"
            }
            Self::Table => {
                "M4 4h12a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1zM3 8h14M3 12h14M8.5 8v8"
            }
            Self::Recent => "M10 17.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15zM10 5.75V10l2.75 2",
            Self::Report => {
                "M5.5 2.75h6.25L15.5 6.5v9.75a1 1 0 0 1-1 1h-9a1 1 0 0 1-1-1V3.75a1 1 0 0 1 1-1zM11.5 2.75V6.5h4M7.5 14v-2.5M10 14V9.5M12.5 14v-1.5"
            }
            Self::Write => {
                "M12.25 4.75l3 3M4 16l.75-3.5 8.75-8.75a1.4 1.4 0 0 1 2 0l.75.75a1.4 1.4 0 0 1 0 2L7.5 15.25z"
            }
            Self::Send => "M17 3L3 8.75l5.5 2.75L11.25 17zM8.5 11.5L17 3",
            Self::Keyboard => {
                "M3.5 5h13a1 1 0 0 1 1 1v8a1 1 0 0 1-1 1h-13a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1zM5.75 8.25h.1M8.6 8.25h.1M11.4 8.25h.1M14.2 8.25h.1M6.5 11.75h7"
            }
            Self::Print => {
                "M6 7V3.5h8V7M6 14H4a1 1 0 0 1-1-1V8a1 1 0 0 1 1-1h12a1 1 0 0 1 1 1v5a1 1 0 0 1-1 1h-2M6 11.5h8v5H6z"
            }
        }
    }
}

/// An icon, 20 pixels unless the class of its surroundings says otherwise.
#[component]
pub fn Icon(
    /// Which one.
    name: IconName,
) -> impl IntoView {
    view! {
        <svg class="c-icon" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false">
            <path d=name.path()></path>
        </svg>
    }
}
