//! The three organisations of the demo: who they are, where they post, what they launched, and what went wrong.
//! Weeks are counted from the first one of the demo; the present week is [`WEEKS`].

use rtv_core::{Platform, Role};

use crate::demo::words::{self, Topic};

/// Whole weeks before the present one: 18 months.
pub(super) const WEEKS: u32 = 78;
/// The password of everybody in the demo.
pub const PASSWORD: &str = "demo-rtv-2026";
/// The operator's people of the demo, with their names.
pub(super) const STAFF: [(&str, &str); 2] =
    [("staff@rtv.example", "Robin Adler"), ("staff2@rtv.example", "Sascha Brandt")];
/// Roles of the four people of each organisation, in the order of their names.
pub(super) const ROLES: [Role; 4] = [Role::Owner, Role::Admin, Role::Editor, Role::Viewer];

/// One organisation.
#[derive(Debug)]
pub(super) struct Story {
    pub(super) slug: &'static str,
    pub(super) name: &'static str,
    pub(super) plan: &'static str,
    pub(super) zone: &'static str,
    pub(super) locale: &'static str,
    pub(super) currency: &'static str,
    pub(super) is_house: bool,
    /// What its dice begin with.
    pub(super) seed: u64,
    /// Names of its people, in the order of [`ROLES`].
    pub(super) people: [&'static str; 4],
    /// Posts in [`WEEKS`] weeks, unless a size was asked for.
    pub(super) posts: u32,
    pub(super) pages: &'static [Page],
    pub(super) launches: &'static [Launch],
    pub(super) crisis: Option<Crisis>,
    pub(super) topics: &'static [Topic],
    /// Price of an order, from and to, where orders are attributed to posts.
    pub(super) basket: Option<(f64, f64)>,
    /// Whether it is known what was paid for reach.
    pub(super) knows_cost: bool,
    /// Mean sentiment on an ordinary day.
    pub(super) mood: f64,
}

/// An account.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) platform: Platform,
    pub(super) handle: &'static str,
    pub(super) name: &'static str,
    /// Followers when the demo begins.
    pub(super) followers: u32,
    /// Growth in a week, as a share.
    pub(super) growth: f64,
    /// How often it posts, beside the others.
    pub(super) share: f64,
    /// Days before yesterday whose figures have not arrived.
    pub(super) late_days: u32,
}

/// A campaign around something new.
#[derive(Debug)]
pub(super) struct Launch {
    pub(super) name: &'static str,
    pub(super) week: u32,
    pub(super) weeks: u32,
    /// What its posts are about.
    pub(super) topic: usize,
    /// How much louder it is than an ordinary week.
    pub(super) boost: f64,
    /// In the organisation's currency.
    pub(super) budget: u32,
}

/// Something went wrong in public.
#[derive(Debug)]
pub(super) struct Crisis {
    pub(super) week: u32,
    /// Day of that week, Monday = 0.
    pub(super) weekday: u32,
    /// What the organisation said on the first days.
    pub(super) statements: &'static [&'static str],
}

/// All of them, the largest first.
pub(super) static STORIES: [Story; 3] = [
    Story {
        slug: "northwind-outdoor",
        name: "Northwind Outdoor",
        plan: "enterprise",
        zone: "Europe/Berlin",
        locale: "en-GB",
        currency: "EUR",
        is_house: false,
        seed: 1_001,
        people: ["Olivia Hartmann", "Adrian Vogel", "Elif Yıldız", "Viktor Lindqvist"],
        posts: 4_200,
        pages: &[
            Page {
                platform: Platform::X,
                handle: "northwind",
                name: "Northwind Outdoor",
                followers: 21_400,
                growth: 0.001_5,
                share: 1.6,
                late_days: 0,
            },
            Page {
                platform: Platform::X,
                handle: "northwind-help",
                name: "Northwind Help",
                followers: 4_100,
                growth: 0.002,
                share: 0.7,
                late_days: 0,
            },
            Page {
                platform: Platform::LinkedIn,
                handle: "northwind",
                name: "Northwind Outdoor",
                followers: 17_900,
                growth: 0.004,
                share: 0.6,
                late_days: 2,
            },
            Page {
                platform: Platform::Instagram,
                handle: "northwind",
                name: "Northwind Outdoor",
                followers: 83_600,
                growth: 0.003_5,
                share: 1.2,
                late_days: 0,
            },
            Page {
                platform: Platform::Instagram,
                handle: "northwind-bike",
                name: "Northwind Bike",
                followers: 11_800,
                growth: 0.006,
                share: 0.7,
                late_days: 0,
            },
            Page {
                platform: Platform::Facebook,
                handle: "northwind",
                name: "Northwind Outdoor",
                followers: 61_200,
                growth: 0.000_8,
                share: 0.9,
                late_days: 0,
            },
            Page {
                platform: Platform::Facebook,
                handle: "northwind-berlin",
                name: "Northwind Berlin",
                followers: 6_300,
                growth: 0.002,
                share: 0.5,
                late_days: 0,
            },
            Page {
                platform: Platform::Bluesky,
                handle: "northwind",
                name: "Northwind Outdoor",
                followers: 2_300,
                growth: 0.012,
                share: 0.8,
                late_days: 0,
            },
            Page {
                platform: Platform::Mastodon,
                handle: "northwind",
                name: "Northwind Outdoor",
                followers: 1_900,
                growth: 0.005,
                share: 0.5,
                late_days: 0,
            },
        ],
        launches: &[
            Launch { name: "Trail Light collection", week: 5, weeks: 4, topic: 0, boost: 1.5, budget: 18_000 },
            Launch { name: "Rain Shell 3", week: 14, weeks: 4, topic: 1, boost: 1.7, budget: 26_000 },
            Launch { name: "Base Camp Kitchen", week: 24, weeks: 3, topic: 2, boost: 1.4, budget: 12_000 },
            Launch { name: "Repair weeks", week: 33, weeks: 5, topic: 3, boost: 1.25, budget: 6_000 },
            Launch { name: "Summit Down", week: 43, weeks: 5, topic: 1, boost: 1.8, budget: 34_000 },
            Launch { name: "Hut to hut", week: 54, weeks: 4, topic: 4, boost: 1.35, budget: 9_000 },
            Launch { name: "Ember stove", week: 64, weeks: 4, topic: 2, boost: 1.6, budget: 21_000 },
            Launch { name: "Bike and pack", week: 75, weeks: 6, topic: 0, boost: 1.55, budget: 24_000 },
        ],
        crisis: Some(Crisis { week: 75, weekday: 2, statements: &words::RECALL }),
        topics: &words::NORTHWIND,
        basket: Some((38.0, 142.0)),
        knows_cost: true,
        mood: 0.34,
    },
    Story {
        slug: "kaffa-coffee",
        name: "Kaffa Coffee",
        plan: "professional",
        zone: "America/New_York",
        locale: "en-US",
        currency: "USD",
        is_house: false,
        seed: 1_002,
        people: ["Owen Bekele", "Amara Fields", "Emilio Santos", "Vera Novak"],
        posts: 1_500,
        pages: &[
            Page {
                platform: Platform::Instagram,
                handle: "kaffa",
                name: "Kaffa Coffee",
                followers: 18_700,
                growth: 0.006,
                share: 1.4,
                late_days: 0,
            },
            Page {
                platform: Platform::Facebook,
                handle: "kaffa",
                name: "Kaffa Coffee",
                followers: 9_400,
                growth: 0.001_5,
                share: 0.9,
                late_days: 0,
            },
            Page {
                platform: Platform::X,
                handle: "kaffa",
                name: "Kaffa Coffee",
                followers: 3_600,
                growth: 0.001,
                share: 0.9,
                late_days: 0,
            },
            Page {
                platform: Platform::LinkedIn,
                handle: "kaffa",
                name: "Kaffa Wholesale",
                followers: 1_250,
                growth: 0.005,
                share: 0.3,
                late_days: 0,
            },
        ],
        launches: &[
            Launch { name: "Cold brew cans", week: 9, weeks: 5, topic: 1, boost: 1.6, budget: 5_000 },
            Launch { name: "Guji natural", week: 27, weeks: 3, topic: 0, boost: 1.4, budget: 2_400 },
            Launch { name: "Greenpoint opens", week: 47, weeks: 4, topic: 2, boost: 1.9, budget: 4_200 },
            Launch { name: "Growers’ letters", week: 72, weeks: 8, topic: 3, boost: 1.35, budget: 3_000 },
        ],
        crisis: None,
        topics: &words::KAFFA,
        basket: Some((16.0, 44.0)),
        knows_cost: false,
        mood: 0.46,
    },
    Story {
        slug: "house",
        name: "RTV House",
        plan: "enterprise",
        zone: "UTC",
        locale: "en-GB",
        currency: "EUR",
        is_house: true,
        seed: 1_003,
        people: ["Oona Reid", "Anton Weiss", "Esther Cole", "Vikram Rao"],
        posts: 320,
        pages: &[
            Page {
                platform: Platform::LinkedIn,
                handle: "rtv",
                name: "RTV",
                followers: 940,
                growth: 0.009,
                share: 1.0,
                late_days: 0,
            },
            Page {
                platform: Platform::Mastodon,
                handle: "rtv",
                name: "RTV",
                followers: 410,
                growth: 0.006,
                share: 0.8,
                late_days: 0,
            },
        ],
        launches: &[Launch { name: "Figures you can trace", week: 70, weeks: 6, topic: 0, boost: 1.5, budget: 0 }],
        crisis: None,
        topics: &words::HOUSE,
        basket: None,
        knows_cost: false,
        mood: 0.38,
    },
];

/// What a platform tells about a post, beside reactions, comments and shares.
#[derive(Debug, Clone, Copy)]
pub(super) struct Habits {
    pub(super) reports_reach: bool,
    pub(super) reports_impressions: bool,
    pub(super) reports_clicks: bool,
    /// Times shown for each follower of a page whose post is neither good nor bad.
    pub(super) shown: f64,
    /// Reactions, comments and shares for each time shown.
    pub(super) engaged: f64,
    /// Days after which the gains of a day have fallen to about a third.
    pub(super) fades: f64,
    /// Days on which a post gains anything.
    pub(super) days: u32,
    /// How much is posted on each day of the week, Monday first.
    pub(super) week: [f64; 7],
    /// Hours at which it is posted, each with its weight.
    pub(super) hours: &'static [(u32, f64)],
    /// The hour at which a post is answered best, and how many hours beside it are still good.
    pub(super) best: (f64, f64),
    /// Kinds of posts, each with its weight and with how much further it goes than others.
    pub(super) kinds: &'static [(&'static str, f64, f64)],
}

const EVERY_DAY: [f64; 7] = [1.0, 1.05, 1.1, 1.1, 1.0, 0.7, 0.65];
const OFFICE: [f64; 7] = [0.9, 1.3, 1.35, 1.25, 0.9, 0.08, 0.05];
const EVENINGS: [f64; 7] = [0.9, 0.95, 1.0, 1.1, 1.15, 1.05, 1.1];
const DAYTIME: &[(u32, f64)] = &[
    (7, 0.8),
    (8, 1.4),
    (9, 1.5),
    (10, 1.2),
    (11, 1.0),
    (12, 1.5),
    (14, 0.9),
    (16, 1.0),
    (17, 1.3),
    (19, 0.9),
    (21, 0.5),
];
const OFFICE_HOURS: &[(u32, f64)] = &[(7, 0.7), (8, 1.8), (9, 1.7), (10, 1.2), (12, 1.3), (15, 0.6), (17, 0.9)];
const EVENING: &[(u32, f64)] =
    &[(8, 0.5), (11, 0.9), (12, 1.4), (13, 0.8), (17, 1.1), (18, 1.7), (19, 2.0), (20, 1.5), (21, 0.8)];

/// What the platform is like.
pub(super) const fn habits(platform: Platform) -> Habits {
    let plain = Habits {
        reports_reach: false,
        reports_impressions: false,
        reports_clicks: false,
        shown: 0.3,
        engaged: 0.028,
        fades: 1.0,
        days: 7,
        week: EVERY_DAY,
        hours: DAYTIME,
        best: (12.0, 4.0),
        kinds: &[("text", 1.0, 0.9), ("photo", 1.2, 1.1), ("link", 0.8, 0.75)],
    };
    match platform {
        Platform::X => Habits {
            reports_impressions: true,
            reports_clicks: true,
            shown: 0.2,
            engaged: 0.016,
            fades: 0.8,
            days: 7,
            best: (9.0, 2.5),
            ..plain
        },
        Platform::LinkedIn => Habits {
            reports_reach: true,
            reports_impressions: true,
            reports_clicks: true,
            shown: 0.28,
            engaged: 0.03,
            fades: 3.2,
            days: 16,
            week: OFFICE,
            hours: OFFICE_HOURS,
            best: (9.0, 2.0),
            kinds: &[
                ("text", 0.7, 1.0),
                ("document", 0.6, 1.4),
                ("photo", 1.0, 1.0),
                ("link", 0.9, 0.7),
                ("video", 0.3, 1.2),
            ],
        },
        Platform::Instagram => Habits {
            reports_reach: true,
            reports_impressions: true,
            shown: 0.34,
            engaged: 0.042,
            fades: 2.2,
            days: 13,
            week: EVENINGS,
            hours: EVENING,
            best: (19.0, 2.5),
            kinds: &[("photo", 1.0, 0.85), ("carousel", 0.9, 1.15), ("reel", 0.8, 1.7)],
            ..plain
        },
        Platform::Facebook => Habits {
            reports_reach: true,
            reports_impressions: true,
            reports_clicks: true,
            shown: 0.13,
            engaged: 0.02,
            fades: 2.0,
            days: 11,
            week: EVENINGS,
            hours: EVENING,
            best: (18.0, 3.0),
            kinds: &[("photo", 1.1, 1.0), ("link", 1.0, 0.8), ("video", 0.6, 1.4), ("text", 0.3, 0.8)],
        },
        Platform::Bluesky => Habits { engaged: 0.03, ..plain },
        Platform::Mastodon => Habits { engaged: 0.034, fades: 1.3, days: 8, ..plain },
        Platform::Sandbox => plain,
    }
}
