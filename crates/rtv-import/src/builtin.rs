//! The mappings that come with the crate: RTV's own export, two research data sets, and the post exports of networks.
//!
//! The columns of the networks' exports are taken from what is published about them, not from a file of ours; their `source` says so, and says
//! that the preview should be looked at. The networks do not document the columns themselves: each function names where they were found.
//! What a column of an export does not mean is written down as well, so that nobody maps it by its looks.

use crate::{
    date::DateOrder,
    mapping::{AccountRule, DateFormat, Mapping, Metric, MetricColumn, PlatformRule, PostIdRule, PublishedRule},
    number::NumberStyle,
};

/// All of them, RTV's own first.
pub(crate) fn all() -> Vec<Mapping> {
    vec![
        rtv_posts(),
        facebook_live_sellers(),
        facebook_cosmetics_2014(),
        x_content(),
        x_tweet_activity(),
        linkedin_page_posts(),
        meta_facebook_content(),
        meta_instagram_content(),
    ]
}

fn rtv_posts() -> Mapping {
    let column = |name: &str| name.to_owned();
    Mapping {
        name: "rtv-posts".to_owned(),
        title: "Posts as RTV exports them".to_owned(),
        source: "RTV's own export of posts with their figures.".to_owned(),
        platform: PlatformRule::Column(column("platform")),
        account: AccountRule::Column { id: column("account_id"), name: Some(column("account_name")) },
        post_id: PostIdRule::Column(column("post_id")),
        published: PublishedRule::Rfc3339 { column: column("published_at") },
        metrics: metrics(&Metric::ALL.map(|metric| (metric.key(), metric))),
        kind: Some(column("kind")),
        text: Some(column("text")),
        campaign: Some(column("campaign")),
        optional: ["account_name", "kind", "text", "campaign"]
            .into_iter()
            .chain(Metric::ALL.map(Metric::key))
            .map(str::to_owned)
            .collect(),
        ignored: Vec::new(),
        lacks: Vec::new(),
        numbers: NumberStyle::Plain,
    }
}

pub(crate) fn facebook_live_sellers() -> Mapping {
    let contained = "num_reactions already contains it; added to it, it would count twice.";
    Mapping {
        name: "facebook-live-sellers".to_owned(),
        title: "Facebook live sellers in Thailand (research data, 2018)".to_owned(),
        source: "Facebook Live Sellers in Thailand, Dehouche and Wongkitrungrueng, 2018, UCI Machine Learning Repository, CC BY 4.0; \
                 columns as documented there."
            .to_owned(),
        platform: PlatformRule::Fixed("facebook".to_owned()),
        account: AccountRule::PostIdPrefix,
        post_id: PostIdRule::PagePost("status_id".to_owned()),
        published: PublishedRule::Local {
            column: "status_published".to_owned(),
            formats: vec![DateFormat { pattern: "%m/%d/%Y %H:%M".to_owned(), shown: "M/D/YYYY H:MM".to_owned() }],
        },
        metrics: metrics(&[
            ("num_reactions", Metric::Reactions),
            ("num_comments", Metric::Comments),
            ("num_shares", Metric::Shares),
        ]),
        kind: Some("status_type".to_owned()),
        text: None,
        campaign: None,
        optional: Vec::new(),
        ignored: reasons(&[
            ("num_likes", contained),
            ("num_loves", contained),
            ("num_wows", contained),
            ("num_hahas", contained),
            ("num_sads", contained),
            ("num_angrys", contained),
        ]),
        lacks: sentences(&[
            "No reach and no impressions: those figures stay missing.",
            "No clicks: engagements are reactions + comments + shares.",
            "No conversions, revenue, cost or sentiment: those figures stay missing.",
            "No followers of the accounts: follower growth stays missing.",
            "Lifetime totals of each post only, not what happened on which day.",
            "No names of the accounts, only their ids; no texts and no campaigns.",
            "Times are local and name no zone: the zone is the one stated with the import.",
        ]),
        numbers: NumberStyle::Plain,
    }
}

fn facebook_cosmetics_2014() -> Mapping {
    let fans = "A part of the figure for everybody: only people who like the page.";
    Mapping {
        name: "facebook-cosmetics-2014".to_owned(),
        title: "Facebook page of a cosmetics brand (research data, 2014)".to_owned(),
        source: "Facebook metrics of a cosmetics brand's page, Moro, Rita and Vala, 2016, UCI Machine Learning Repository, CC BY 4.0; \
                 columns and the year 2014 as documented there."
            .to_owned(),
        platform: PlatformRule::Fixed("facebook".to_owned()),
        account: AccountRule::Fixed {
            external_id: "cosmetics-brand-2014".to_owned(),
            name: Some("Cosmetics brand 2014".to_owned()),
        },
        post_id: PostIdRule::RowDigest,
        published: PublishedRule::Month { column: "Month".to_owned(), year: 2014 },
        metrics: metrics(&[
            ("T_Reach", Metric::Reach),
            ("T_Impression", Metric::Impressions),
            ("like", Metric::Reactions),
            ("comment", Metric::Comments),
            ("share", Metric::Shares),
            ("Consumption", Metric::Clicks),
        ]),
        kind: Some("Type".to_owned()),
        text: None,
        campaign: None,
        optional: Vec::new(),
        ignored: reasons(&[
            ("Page_T_Likes", "A figure of the page at the time, not of the post."),
            ("Category", "A code of the content from 1 to 3 given by hand by the authors, not by the platform."),
            ("Weekday", "Which week of the month is unknown, so it does not tell the day."),
            ("Hour", "The day is unknown, so the hour does not tell the time; nor is its zone stated."),
            ("Paid", "Whether the post was advertised; without the amount it gives no cost."),
            ("Engaged_Users", "People, not clicks: who clicked anywhere in the post, each counted once."),
            ("Consumers", "People, not clicks: who clicked anywhere in the post, each counted once."),
            ("LP_Impression", fans),
            ("LP_Reach", fans),
            ("LP_Engage_With_Post", fans),
            ("T_Interactions", "The sum of comment, like and share, which are read one by one."),
        ]),
        lacks: sentences(&[
            "No date, only the month of 2014: figures can be told apart by month, not by day.",
            "No post ids: a row is known again by its content, so a row with a changed figure counts as another post.",
            "Reach is people per post: its sum is a summed reach, not a number of people.",
            "Lifetime totals of each post only, not what happened on which day.",
            "No conversions, revenue, cost or sentiment: those figures stay missing.",
            "No followers by day: follower growth stays missing.",
            "Empty cells are missing values, not 0.",
        ]),
        numbers: NumberStyle::Plain,
    }
}

/// The "content" export of X's account analytics (`account_analytics_content_….csv`), since 2024.
///
/// X publishes no list of its columns. The header and the form of the dates (`Tue, Jul 14, 2026`) are those that several unrelated public
/// programs for this export carry in their tests, cut from real files:
/// `Post id,Date,Post text,Post Link,Impressions,Likes,Engagements,Bookmarks,Shares,New follows,Replies,Reposts,Profile visits,Detail
/// Expands,URL Clicks,Hashtag Clicks,Permalink Clicks`. That reposts and not "Shares" are what RTV calls shares follows X's own definition of
/// a repost (business.x.com, "Export CSV definitions").
fn x_content() -> Mapping {
    Mapping {
        kind: None,
        text: Some("Post text".to_owned()),
        ignored: reasons(&[
            ("Post Link", "Made of the account's name and the post's id, which are known."),
            ("Engagements", SUM_OF_PARTS),
            ("Bookmarks", "RTV has no such figure."),
            (
                "Shares",
                "How often the share menu was used, also for links sent elsewhere; Reposts are the shares on X.",
            ),
            ("New follows", "A figure of the account, not of the post."),
            ("Profile visits", "A click on the name, not on the post's content."),
            ("Detail Expands", "A click that opens the post; added to the clicks on links, most of it would be noise."),
            ("Hashtag Clicks", "Clicks that lead to other posts."),
            ("Permalink Clicks", "Clicks that open the post by itself."),
        ]),
        lacks: sentences(&[
            "Only the day of a post is known: its time is stored as 12:00 in the stated zone.",
            "Clicks are clicks on links alone, so engagements are lower than the figure that X shows.",
            ACCOUNT_NOT_IN_FILE,
            "No reach, conversions, revenue, cost or sentiment: those figures stay missing.",
            LIFETIME,
        ]),
        ..network(
            "x-content",
            "X: content export of account analytics",
            PlatformRule::Fixed("x".to_owned()),
            AccountRule::Stated,
            "Post id",
            ("Date", DateOrder::MonthFirst, false),
            &[
                ("Impressions", Metric::Impressions),
                ("Likes", Metric::Reactions),
                ("Replies", Metric::Comments),
                ("Reposts", Metric::Shares),
                ("URL Clicks", Metric::Clicks),
            ],
            &["Post text", "Likes", "URL Clicks"],
        )
    }
}

/// The "by Tweet" export of Twitter Analytics (`tweet_activity_metrics_….csv`), until 2024.
///
/// The header, the form of the times (`2015-09-30 18:42 +0000`), counts with a decimal (`424.0`) and `-` for nothing known are those in the
/// tests of public programs that read this export. Before 2015 the column "likes" was called "favorites"; such a file is mapped by hand.
fn x_tweet_activity() -> Mapping {
    Mapping {
        kind: None,
        text: Some("Tweet text".to_owned()),
        ignored: reasons(&[
            ("Tweet permalink", "Made of the account's name and the post's id, which are known."),
            ("engagements", SUM_OF_PARTS),
            ("engagement rate", RATIO),
            ("user profile clicks", "A click on the name, not on the post's content."),
            ("hashtag clicks", "Clicks that lead to other posts."),
            ("detail expands", "A click that opens the post; added to the clicks on links, most of it would be noise."),
            ("permalink clicks", "Clicks that open the post by itself."),
            ("follows", "A figure of the account, not of the post."),
            ("media views", "Counts views of the picture or video, which the impressions contain."),
            ("media engagements", "Contained in the engagements."),
        ]),
        lacks: sentences(&[
            "Clicks are clicks on links alone, so engagements are lower than the figure that X shows.",
            "What was promoted stands in columns of its own and is not added.",
            ACCOUNT_NOT_IN_FILE,
            "No reach, conversions, revenue, cost or sentiment: those figures stay missing.",
            LIFETIME,
        ]),
        ..network(
            "x-tweet-activity",
            "X: tweet activity, the older export by tweet",
            PlatformRule::Fixed("x".to_owned()),
            AccountRule::Stated,
            "Tweet id",
            ("time", DateOrder::YearFirst, true),
            &[
                ("impressions", Metric::Impressions),
                ("likes", Metric::Reactions),
                ("replies", Metric::Comments),
                ("retweets", Metric::Shares),
                ("url clicks", Metric::Clicks),
            ],
            &["url clicks"],
        )
    }
}

/// The sheet "All posts" of the content export of a LinkedIn page, saved as CSV.
///
/// LinkedIn publishes no list of its columns. Several unrelated public programs that read the sheet name the same ones: `Post title, Post
/// link, Post type, Campaign name, Posted by, Created date, Campaign start date, Campaign end date, Audience, Impressions, Views, Offsite Views,
/// Clicks, Click through rate (CTR), Likes, Comments, Reposts, Follows, Engagement rate, Content Type` (among them the README of
/// `NicoMandala/salesstrategy`). The sheet has a note above the header, which is passed over. Dates are written month first. What counts as a
/// click and that engagement is clicks + likes + comments + shares: LinkedIn's API, as quoted by help.dashthis.com, "LinkedIn Pages metrics".
fn linkedin_page_posts() -> Mapping {
    Mapping {
        kind: Some("Content Type".to_owned()),
        text: Some("Post title".to_owned()),
        campaign: Some("Campaign name".to_owned()),
        ignored: reasons(&[
            ("Post type", "Organic or sponsored."),
            ("Posted by", "The person, not the page."),
            ("Campaign start date", "A date of the campaign, not of the post."),
            ("Campaign end date", "A date of the campaign, not of the post."),
            ("Audience", "Who was aimed at; RTV has no such field."),
            ("Views", "Views of a video, which are fewer than the impressions."),
            ("Offsite Views", "Views of a video outside LinkedIn."),
            ("Click through rate (CTR)", RATIO),
            ("Engagement rate", RATIO),
            ("Follows", "A figure of the page, not of the post."),
        ]),
        lacks: sentences(&[
            "Only the day of a post is known: its time is stored as 12:00 in the stated zone.",
            "The post's link is its id.",
            ACCOUNT_NOT_IN_FILE,
            "No reach, conversions, revenue, cost or sentiment: those figures stay missing.",
            "The figures are those of the period that was exported, which may be shorter than the post's life.",
        ]),
        ..network(
            "linkedin-page-posts",
            "LinkedIn page: posts of the content export",
            PlatformRule::Fixed("linkedin".to_owned()),
            AccountRule::Stated,
            "Post link",
            ("Created date", DateOrder::MonthFirst, false),
            &[
                ("Impressions", Metric::Impressions),
                ("Likes", Metric::Reactions),
                ("Comments", Metric::Comments),
                ("Reposts", Metric::Shares),
                ("Clicks", Metric::Clicks),
            ],
            &["Post title", "Campaign name", "Content Type"],
        )
    }
}

/// The content export of Meta Business Suite for a Facebook page, in English.
///
/// Meta publishes no list of its columns, and they vary from month to month, so only those that every description has are required. Two public
/// descriptions of real files (a data catalogue over twelve of them, and the tests of a program) agree on `Post ID, Page ID, Page name, Title,
/// Description, Duration (sec), Publish time, Permalink, Post type, Views, Reach, "Reactions, Comments and Shares", Reactions, Comments, Shares,
/// Total clicks`, on UTF-8 with a mark, and on times written `09/27/2026 18:30`. In 2025 "Views" took the place of "Impressions"; an older file
/// is mapped by hand. The title holds the caption in nearly all rows, the description in half of them.
fn meta_facebook_content() -> Mapping {
    Mapping {
        kind: Some("Post type".to_owned()),
        text: Some("Title".to_owned()),
        ignored: reasons(&[
            ("Description", "Holds the text of some videos; the title holds that of nearly all posts."),
            ("Permalink", "The address of the post, whose id is read."),
            ("Reactions, Comments and Shares", SUM_OF_PARTS),
            ("Reactions, comments and shares", SUM_OF_PARTS),
            ("Date", "\"Lifetime\" for totals; an export by day has each post many times and cannot be read as posts."),
            ("Duration (sec)", "RTV has no such figure."),
            ("Seconds viewed", "RTV has no such figure."),
            ("Average Seconds viewed", "RTV has no such figure."),
            ("Estimated earnings (USD)", "Paid by Meta; not revenue from customers."),
        ]),
        lacks: sentences(&[
            "Impressions are what Meta calls views since 2025.",
            META_TIMES,
            "No conversions, revenue, cost or sentiment: those figures stay missing.",
            LIFETIME,
        ]),
        ..network(
            "meta-facebook-content",
            "Meta Business Suite: content of a Facebook page",
            PlatformRule::Fixed("facebook".to_owned()),
            AccountRule::Column { id: "Page ID".to_owned(), name: Some("Page name".to_owned()) },
            "Post ID",
            ("Publish time", DateOrder::MonthFirst, false),
            &[
                ("Reach", Metric::Reach),
                ("Views", Metric::Impressions),
                ("Reactions", Metric::Reactions),
                ("Comments", Metric::Comments),
                ("Shares", Metric::Shares),
                ("Total clicks", Metric::Clicks),
            ],
            &["Page name", "Title", "Views", "Total clicks"],
        )
    }
}

/// The content export of Meta Business Suite for an Instagram account, in English.
///
/// As for Facebook, from public programs that read it and have it in their tests: `Post ID, Account ID, Account username, Account name,
/// Description, Duration (sec), Publish time, Permalink, Post type, Data comment, Date, Views, Reach, Likes, Shares, Follows, Comments, Saves`,
/// in different orders, with times written `03/27/2026 06:08`.
fn meta_instagram_content() -> Mapping {
    Mapping {
        kind: Some("Post type".to_owned()),
        text: Some("Description".to_owned()),
        ignored: reasons(&[
            ("Account name", "The name to show; the user name is the one that others know the account by."),
            ("Permalink", "The address of the post, whose id is read."),
            ("Saves", "RTV has no such figure."),
            ("Follows", "A figure of the account, not of the post."),
            ("Date", "\"Lifetime\" for totals; an export by day has each post many times and cannot be read as posts."),
            ("Duration (sec)", "RTV has no such figure."),
        ]),
        lacks: sentences(&[
            "Impressions are what Meta calls views since 2025.",
            META_TIMES,
            "No clicks: engagements are reactions + comments + shares.",
            "No conversions, revenue, cost or sentiment: those figures stay missing.",
            LIFETIME,
        ]),
        ..network(
            "meta-instagram-content",
            "Meta Business Suite: content of an Instagram account",
            PlatformRule::Fixed("instagram".to_owned()),
            AccountRule::Column { id: "Account ID".to_owned(), name: Some("Account username".to_owned()) },
            "Post ID",
            ("Publish time", DateOrder::MonthFirst, false),
            &[
                ("Reach", Metric::Reach),
                ("Views", Metric::Impressions),
                ("Likes", Metric::Reactions),
                ("Comments", Metric::Comments),
                ("Shares", Metric::Shares),
            ],
            &["Account username", "Description", "Views"],
        )
    }
}

const SUM_OF_PARTS: &str = "A sum of figures that are read one by one.";
const RATIO: &str = "A ratio; RTV computes it from the figures, so that sums stay right.";
const LIFETIME: &str = "Totals of each post at the time of the export, not what happened on which day.";
const ACCOUNT_NOT_IN_FILE: &str = "The file does not name the account: it is the one stated with the import.";
const META_TIMES: &str =
    "Times are read month first, as English exports write them, and in the stated zone: the file names none.";

/// What the networks' exports have in common. The account's name is optional with the columns in `optional`.
#[allow(clippy::too_many_arguments)] // One row of a table, whose columns are named where it is called.
fn network(
    name: &str,
    title: &str,
    platform: PlatformRule,
    account: AccountRule,
    post_id: &str,
    (published, order, has_offset): (&str, DateOrder, bool),
    figures: &[(&str, Metric)],
    optional: &[&str],
) -> Mapping {
    Mapping {
        name: name.to_owned(),
        title: title.to_owned(),
        source: "From documentation by others, not yet tried on a real export: look at the preview before you import."
            .to_owned(),
        platform,
        account,
        post_id: PostIdRule::Column(post_id.to_owned()),
        published: PublishedRule::Written { column: published.to_owned(), time: None, order, has_offset },
        metrics: metrics(figures),
        numbers: NumberStyle::DecimalPoint,
        kind: None,
        text: None,
        campaign: None,
        optional: optional.iter().map(|&column| column.to_owned()).collect(),
        ignored: Vec::new(),
        lacks: Vec::new(),
    }
}

fn metrics(columns: &[(&str, Metric)]) -> Vec<MetricColumn> {
    columns.iter().map(|&(column, metric)| MetricColumn { column: column.to_owned(), metric }).collect()
}

fn reasons(columns: &[(&str, &str)]) -> Vec<(String, String)> {
    columns.iter().map(|&(column, reason)| (column.to_owned(), reason.to_owned())).collect()
}

fn sentences(sentences: &[&str]) -> Vec<String> {
    sentences.iter().map(|&sentence| sentence.to_owned()).collect()
}
