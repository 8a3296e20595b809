//! What each platform takes: lengths as the platform itself counts them, links, media, rates, and how soon a post can be
//! read back. One table, from which forms, validation and the documentation of platforms come. Figures are the networks'
//! published ones; a rate that a network does not publish, or gives to each customer by contract, is left out.

use core::time::Duration;

use unicode_segmentation::UnicodeSegmentation as _;

use crate::platform::Platform;

/// How a platform counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// Unicode scalar values.
    Characters,
    /// What people take for one character: grapheme clusters.
    Graphemes,
    /// As X counts: most letters of alphabets 1, other characters and each emoji 2.
    Weighted,
}

impl Count {
    /// What is counted, for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Characters | Self::Graphemes => "characters",
            Self::Weighted => "characters (emoji and most characters outside alphabets count 2)",
        }
    }
}

/// So many in so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// At most.
    pub count: u32,
    /// Within any span of that length.
    pub window: Duration,
}

/// What limits sending to a platform and reading from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Posts of one account.
    pub per_account: Option<Rate>,
    /// Posts of all accounts together.
    pub per_platform: Option<Rate>,
    /// A post that exists can be read back after at most that long.
    pub read_back_lag: Duration,
    /// A call that has no answer by then gets none.
    pub deadline: Duration,
}

/// What one platform takes and offers.
#[expect(clippy::struct_excessive_bools, reason = "a row of a table: each says one thing about the platform")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capability {
    /// The platform.
    pub platform: Platform,
    /// Whether RTV publishes there.
    pub can_publish: bool,
    /// Longest text.
    pub most: usize,
    /// How the text is counted.
    pub count: Count,
    /// What each link in the text counts as; `None`: as what it is.
    pub link_counts: Option<usize>,
    /// Whether links in a text can be followed.
    pub has_links: bool,
    /// Whether a post without a picture or film is refused.
    pub needs_media: bool,
    /// Most pictures of one post.
    pub most_media: usize,
    /// Whether the platform itself refuses to post the same request twice.
    pub has_idempotency_key: bool,
    /// Whether a post can be taken away again by a program.
    pub can_delete: bool,
    /// What limits sending and reading.
    pub limits: Limits,
}

#[expect(clippy::unnecessary_wraps, reason = "the table stays narrow")]
const fn rate(count: u32, seconds: u64) -> Option<Rate> {
    Some(Rate { count, window: Duration::from_secs(seconds) })
}

const fn limits(per_account: Option<Rate>, per_platform: Option<Rate>, read_back_seconds: u64) -> Limits {
    Limits {
        per_account,
        per_platform,
        read_back_lag: Duration::from_secs(read_back_seconds),
        deadline: Duration::from_secs(10),
    }
}

/// Every platform, in the order of [`Platform::ALL`].
static TABLE: [Capability; Platform::ALL.len()] = [
    Capability {
        platform: Platform::X,
        can_publish: false,
        most: 280,
        count: Count::Weighted,
        link_counts: Some(23),
        has_links: true,
        needs_media: false,
        most_media: 4,
        has_idempotency_key: false,
        can_delete: true,
        limits: limits(rate(100, 900), rate(10_000, 86_400), 600),
    },
    Capability {
        platform: Platform::LinkedIn,
        can_publish: false,
        most: 3_000,
        count: Count::Characters,
        link_counts: None,
        has_links: true,
        needs_media: false,
        most_media: 20,
        has_idempotency_key: false,
        can_delete: true,
        limits: limits(None, None, 600),
    },
    Capability {
        platform: Platform::Instagram,
        can_publish: false,
        most: 2_200,
        count: Count::Characters,
        link_counts: None,
        has_links: false,
        needs_media: true,
        most_media: 10,
        has_idempotency_key: false,
        can_delete: false,
        limits: limits(rate(100, 86_400), None, 600),
    },
    Capability {
        platform: Platform::Facebook,
        can_publish: false,
        most: 63_206,
        count: Count::Characters,
        link_counts: None,
        has_links: true,
        needs_media: false,
        most_media: 10,
        has_idempotency_key: false,
        can_delete: true,
        limits: limits(None, None, 600),
    },
    Capability {
        platform: Platform::Bluesky,
        can_publish: false,
        most: 300,
        count: Count::Graphemes,
        link_counts: None,
        has_links: true,
        needs_media: false,
        most_media: 4,
        has_idempotency_key: true,
        can_delete: true,
        limits: limits(rate(1_666, 3_600), None, 600),
    },
    Capability {
        platform: Platform::Mastodon,
        can_publish: false,
        most: 500,
        count: Count::Graphemes,
        link_counts: Some(23),
        has_links: true,
        needs_media: false,
        most_media: 4,
        has_idempotency_key: true,
        can_delete: true,
        limits: limits(rate(300, 300), None, 600),
    },
    Capability {
        platform: Platform::Sandbox,
        can_publish: true,
        most: 500,
        count: Count::Characters,
        link_counts: None,
        has_links: true,
        needs_media: false,
        most_media: 0,
        // It can be told to heed keys, and does not by itself: a request that is sent twice shall be seen as two posts.
        has_idempotency_key: false,
        can_delete: true,
        limits: limits(rate(300, 60), None, 20),
    },
];

/// What the platform takes and offers.
pub const fn of(platform: Platform) -> &'static Capability {
    &TABLE[platform as usize]
}

/// The text as it is sent: the link, if there is one, on a line of its own below.
pub fn compose(text: &str, link: Option<&str>) -> String {
    match link.map(str::trim).filter(|link| !link.is_empty()) {
        None => text.to_owned(),
        Some(link) if text.trim().is_empty() => link.to_owned(),
        Some(link) => format!("{}\n{link}", text.trim_end()),
    }
}

/// Whether the platform would take it, as far as that can be told before asking it. The refusal is a sentence that says
/// what would be right.
pub fn validate(platform: Platform, text: &str, link: Option<&str>, media: usize) -> Result<(), String> {
    let capability = of(platform);
    let name = platform.label();
    let whole = compose(text, link);
    if whole.trim().is_empty() && media == 0 {
        return Err(format!("Write something: {name} takes no empty post."));
    }
    if let Some(wrong) = whole.chars().find(|character| character.is_control() && !matches!(character, '\n' | '\t')) {
        return Err(format!("Take out the control character U+{:04X}: {name} does not take it.", u32::from(wrong)));
    }
    let length = capability.length(&whole);
    if length > capability.most {
        let over = length - capability.most;
        return Err(format!(
            "Shorten it by {over}: {name} takes {} {}, and this has {length}{}.",
            capability.most,
            capability.count.label(),
            if link.is_some() { " with its link" } else { "" }
        ));
    }
    if capability.needs_media && media == 0 {
        return Err(format!("Add a picture: {name} takes no post without one."));
    }
    if media > capability.most_media {
        return Err(match capability.most_media {
            0 => format!("Take the pictures away: {name} takes none."),
            most => format!("Take {} pictures away: {name} takes {most}.", media - most),
        });
    }
    if link.is_some() && !capability.has_links {
        return Err(format!("Take the link away: nobody can follow a link in a post on {name}."));
    }
    Ok(())
}

impl Capability {
    /// How long the platform takes the text to be.
    pub fn length(&self, text: &str) -> usize {
        let Some(each) = self.link_counts else { return self.count_of(text) };
        let mut length = 0;
        let mut rest = text;
        while let Some(at) = link_start(rest) {
            length += self.count_of(&rest[..at]);
            let link = &rest[at..];
            let end = link.find(char::is_whitespace).unwrap_or(link.len());
            // A full stop or bracket that ends the sentence is no part of the link.
            let end = link[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '”', '"', '\'']).len();
            length += each;
            rest = &link[end..];
        }
        length + self.count_of(rest)
    }

    fn count_of(&self, text: &str) -> usize {
        match self.count {
            Count::Characters => text.chars().count(),
            Count::Graphemes => text.graphemes(true).count(),
            Count::Weighted => text.graphemes(true).map(weight).sum(),
        }
    }
}

fn link_start(text: &str) -> Option<usize> {
    // At least one character stands behind the scheme, or it is no link and would be found for ever.
    ["https://", "http://"]
        .iter()
        .filter_map(|scheme| {
            text.match_indices(scheme)
                .map(|(at, _)| at)
                .find(|at| text[at + scheme.len()..].chars().next().is_some_and(char::is_alphanumeric))
        })
        .min()
}

/// Weight of one grapheme cluster by X's table of 2018 (version 3): an emoji counts 2 however many characters it is made of.
fn weight(cluster: &str) -> usize {
    let is_emoji = cluster.chars().any(
        |character| matches!(character, '\u{1F000}'..='\u{1FAFF}' | '\u{2600}'..='\u{27BF}' | '\u{FE0F}' | '\u{20E3}'),
    );
    if is_emoji {
        return 2;
    }
    let of_one = |character: char| match character {
        '\u{0}'..='\u{10FF}' | '\u{2000}'..='\u{200D}' | '\u{2010}'..='\u{201F}' | '\u{2032}'..='\u{2037}' => 1,
        _ => 2,
    };
    cluster.chars().map(of_one).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_platform_has_its_own_row() {
        for platform in Platform::ALL {
            assert_eq!(of(platform).platform, platform);
        }
        assert!(Platform::ALL.into_iter().filter(|platform| of(*platform).can_publish).eq([Platform::Sandbox]));
    }

    #[test]
    fn a_text_is_as_long_as_the_platform_counts_it() {
        let check = |platform, text: &str, expect: usize| {
            assert_eq!(of(platform).length(text), expect, "{platform} {text}");
        };
        let family = "👨\u{200D}👩\u{200D}👧";
        check(Platform::Sandbox, "Grüße", 5);
        check(Platform::Sandbox, family, 5);
        check(Platform::Bluesky, family, 1);
        check(Platform::Bluesky, "e\u{301}", 1);
        check(Platform::X, family, 2);
        check(Platform::X, "Grüße", 5);
        check(Platform::X, "日本", 4);
        check(Platform::X, "“a”", 3);
        check(Platform::X, "see https://example.com/a/very/long/address?with=more now", 4 + 23 + 4);
        check(Platform::X, "(http://e.co)", 1 + 23 + 1);
        check(Platform::X, "https:// nothing", 16);
        check(Platform::Mastodon, "https://example.com. https://example.org", 23 + 2 + 23);
        check(Platform::LinkedIn, "https://example.com", 19);
    }

    #[test]
    fn what_a_platform_would_refuse_is_refused_in_words() {
        let check = |platform, text: &str, link: Option<&str>, media, expect: Option<&str>| {
            let refusal = validate(platform, text, link, media).err();
            match expect {
                None => assert_eq!(refusal, None),
                Some(words) => {
                    let refusal = refusal.unwrap_or_default();
                    assert!(refusal.contains(words), "{refusal}");
                }
            }
        };
        check(Platform::Sandbox, "x", None, 0, None);
        check(Platform::Sandbox, &"x".repeat(500), None, 0, None);
        check(Platform::Sandbox, &"x".repeat(501), None, 0, Some("Shorten it by 1: Sandbox takes 500 characters"));
        check(Platform::Sandbox, &"x".repeat(490), Some("https://example.com"), 0, Some("by 10"));
        check(Platform::Sandbox, "  \n", None, 0, Some("Write something"));
        check(Platform::Sandbox, "", Some("https://example.com"), 0, None);
        check(Platform::Sandbox, "a\u{0}b", None, 0, Some("U+0000"));
        check(Platform::Sandbox, "a", None, 1, Some("Take the pictures away"));
        check(Platform::X, &"日".repeat(141), None, 0, Some("by 2"));
        check(Platform::X, "a", None, 5, Some("Take 1 pictures away: X takes 4"));
        check(Platform::Instagram, "a", None, 0, Some("Add a picture"));
        check(Platform::Instagram, "a", Some("https://example.com"), 1, Some("Take the link away"));
    }

    #[test]
    fn a_link_stands_on_a_line_of_its_own() {
        assert_eq!(compose("a \n", Some(" https://e.co ")), "a\nhttps://e.co");
        assert_eq!(compose("a ", None), "a ");
        assert_eq!(compose(" ", Some("https://e.co")), "https://e.co");
        assert_eq!(compose("a", Some("")), "a");
    }
}
