//! The network as people see it: the timeline with filters, a post, an account that was just made. Plain HTML with a style
//! of its own; no script.

use core::fmt::Write as _;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use crate::answer;
use crate::api::Shared;
use crate::clock;
use crate::dials::Kind;
use crate::ledger::Post;
use crate::network::{Network, Refused};

const STYLE: &str = include_str!("style.css");
/// Posts of a page.
const PAGE: usize = 50;
/// Accounts that are listed.
const MOST_ACCOUNTS: usize = 200;

/// Filters of the timeline.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Filter {
    account: String,
    fault: String,
    q: String,
    before: String,
}

pub(crate) async fn style() -> Response {
    answer::with_type(StatusCode::OK, "text/css; charset=utf-8", STYLE.to_owned())
}

pub(crate) async fn timeline(State(shared): State<Shared>, Query(filter): Query<Filter>) -> Response {
    let body = draw_timeline(&shared.network(), &filter);
    document(StatusCode::OK, "Timeline", &body)
}

pub(crate) async fn post(State(shared): State<Shared>, Path(id): Path<String>) -> Response {
    let network = shared.network();
    let (status, body) = match network.any_post(&id) {
        Some(post) => (
            StatusCode::OK,
            format!("<div class=\"sheet\"><ul class=\"posts\">{}</ul></div>", draw_post(&network, post)),
        ),
        None => {
            (StatusCode::NOT_FOUND, format!("<div class=\"sheet\"><p>There is no post {}.</p></div>", escaped(&id)))
        }
    };
    document(status, &format!("Post {}", escaped(&id)), &body)
}

pub(crate) fn new_account(id: &str, handle: &str, token: &str) -> Response {
    let body = format!(
        "<div class=\"sheet\"><h2>Account @{handle} was made</h2>\
         <p>Its id is <code>{id}</code>. Its token is shown this once:</p><p><code>{token}</code></p>\
         <p><a href=\"/\">Back to the timeline</a></p></div>",
        handle = escaped(handle),
        id = escaped(id),
        token = escaped(token),
    );
    document(StatusCode::CREATED, "New account", &body)
}

pub(crate) fn refused(refused: &Refused) -> Response {
    let status = StatusCode::from_u16(refused.status).unwrap_or(StatusCode::BAD_REQUEST);
    let body = format!(
        "<div class=\"sheet\"><h2>That did not work</h2><p>{}</p><p><a href=\"/\">Back to the timeline</a></p></div>",
        escaped(&refused.message)
    );
    document(status, "Refused", &body)
}

fn draw_timeline(network: &Network, filter: &Filter) -> String {
    let words = filter.q.trim().to_lowercase();
    let before = Some(filter.before.as_str()).filter(|before| !before.is_empty());
    let (posts, has_more) = network.timeline(before, PAGE, |post| {
        (filter.account.is_empty() || post.account == filter.account)
            && match filter.fault.as_str() {
                "" => true,
                "any" => post.fault.is_some(),
                fault => post.fault.as_deref() == Some(fault),
            }
            && (words.is_empty() || post.text.to_lowercase().contains(&words))
    });
    let mut list = String::new();
    for post in &posts {
        list.push_str(&draw_post(network, post));
    }
    let empty = "<p class=\"quiet\">Nothing here. Posts appear when somebody posts, and filters may hide some.</p>";
    let list = if posts.is_empty() { empty.to_owned() } else { format!("<ul class=\"posts\">{list}</ul>") };
    let older = posts.last().filter(|_| has_more).map_or_else(String::new, |last| {
        format!("<p><a href=\"/?{}\">Older posts</a></p>", query(&filter.account, &filter.fault, &filter.q, &last.id))
    });
    format!(
        "<div class=\"columns\"><section class=\"sheet\" aria-labelledby=\"posts\"><h2 id=\"posts\">Posts</h2>{}{list}{older}</section>\
         <div>{}{}</div></div>",
        draw_filter(network, filter),
        draw_accounts(network),
        draw_faults(network),
    )
}

fn draw_filter(network: &Network, filter: &Filter) -> String {
    let mut accounts = option("", "All accounts", &filter.account);
    for account in network.accounts().iter().take(MOST_ACCOUNTS) {
        accounts.push_str(&option(&account.id, &format!("@{}", account.handle), &filter.account));
    }
    let mut faults = option("", "With and without faults", &filter.fault);
    faults.push_str(&option("any", "Any fault", &filter.fault));
    for kind in Kind::ALL {
        faults.push_str(&option(kind.key(), kind.key(), &filter.fault));
    }
    format!(
        "<form method=\"get\" action=\"/\"><label>Account<select name=\"account\">{accounts}</select></label>\
         <label>Fault<select name=\"fault\">{faults}</select></label>\
         <label>Text<input type=\"search\" name=\"q\" value=\"{}\"></label><button>Filter</button></form>",
        escaped(&filter.q)
    )
}

fn option(value: &str, label: &str, chosen: &str) -> String {
    let selected = if value == chosen { " selected" } else { "" };
    format!("<option value=\"{}\"{selected}>{}</option>", escaped(value), escaped(label))
}

fn draw_post(network: &Network, post: &Post) -> String {
    let handle = |id: &str| network.account(id).map_or_else(|| id.to_owned(), |account| account.handle.clone());
    let mut facts = String::new();
    if let Some(fault) = &post.fault {
        _ = write!(facts, "<span class=\"fault\">{}</span>", escaped(fault));
    }
    if post.caller != post.account {
        _ = write!(facts, "<span class=\"fault\">sent by @{}</span>", escaped(&handle(&post.caller)));
    }
    if post.visible_at > clock::now() {
        _ = write!(facts, "<span class=\"quiet\">hidden until {}</span>", clock::text(post.visible_at));
    }
    if let Some(key) = &post.key {
        _ = write!(facts, "<span class=\"quiet\">key {}</span>", escaped(key));
    }
    format!(
        "<li><p class=\"facts\"><strong>@{handle}</strong><a href=\"/p/{id}\"><time datetime=\"{at}\">{at}</time></a>{facts}</p>\
         <p class=\"text\">{text}</p></li>",
        handle = escaped(&handle(&post.account)),
        id = escaped(&post.id),
        at = clock::text(post.at),
        text = escaped(&post.text),
    )
}

fn draw_accounts(network: &Network) -> String {
    let mut rows = String::new();
    for account in network.accounts().iter().take(MOST_ACCOUNTS) {
        _ = write!(
            rows,
            "<tr><td><a href=\"/?{}\">@{}</a></td><td>{}</td><td class=\"number\">{}</td></tr>",
            query(&account.id, "", "", ""),
            escaped(&account.handle),
            escaped(&account.id),
            account.made()
        );
    }
    let more = network.accounts().len().saturating_sub(MOST_ACCOUNTS);
    let more = if more == 0 { String::new() } else { format!("<p class=\"quiet\">and {more} more</p>") };
    let table = if rows.is_empty() {
        "<p class=\"quiet\">No accounts yet.</p>".to_owned()
    } else {
        format!(
            "<table><thead><tr><th scope=\"col\">Name</th><th scope=\"col\">Id</th><th scope=\"col\" class=\"number\">Posts</th></tr></thead><tbody>{rows}</tbody></table>{more}"
        )
    };
    format!(
        "<section class=\"sheet\" aria-labelledby=\"accounts\"><h2 id=\"accounts\">Accounts</h2>{table}\
         <form method=\"post\" action=\"/accounts\"><label>Name<input name=\"handle\" required pattern=\"[A-Za-z0-9._\\-]{{1,40}}\"></label>\
         <button>Make an account</button></form></section>"
    )
}

fn draw_faults(network: &Network) -> String {
    let dials = network.dials();
    let mut rows = String::new();
    for kind in Kind::ALL {
        let (probability, fired) = (dials.kinds.get(kind), network.fired().get(kind.key()));
        if probability.is_none() && fired.is_none() {
            continue;
        }
        _ = write!(
            rows,
            "<tr><th scope=\"row\">{}<br><span class=\"quiet\">{}</span></th><td class=\"number\">{:.1} %</td><td class=\"number\">{}</td></tr>",
            kind.key(),
            kind.label(),
            probability.copied().unwrap_or(0.0) * 100.0,
            fired.copied().unwrap_or(0)
        );
    }
    let table = if rows.is_empty() {
        "<p class=\"quiet\">None is dialled: every request is answered as it should be.</p>".to_owned()
    } else {
        format!(
            "<table><thead><tr><th scope=\"col\">Kind</th><th scope=\"col\" class=\"number\">Dialled</th><th scope=\"col\" class=\"number\">Happened</th></tr></thead><tbody>{rows}</tbody></table>"
        )
    };
    let rate = dials.rate.map_or_else(
        || "Posts are not limited.".to_owned(),
        |rate| format!("An account makes at most {} posts in {} seconds.", rate.posts, rate.seconds),
    );
    let keys = if dials.honour_idempotency { "heeded" } else { "not heeded" };
    format!(
        "<section class=\"sheet\" aria-labelledby=\"faults\"><h2 id=\"faults\">Faults</h2>{table}\
         <p class=\"quiet\">{rate} Keys of requests are {keys}. Dial with <code>PUT /faults</code>.</p></section>"
    )
}

fn document(status: StatusCode, title: &str, body: &str) -> Response {
    let text = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title} · Sandbox network</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><link rel=\"stylesheet\" href=\"/style.css\"></head>\
         <body><header><h1><a href=\"/\">Sandbox network</a></h1><span class=\"quiet\">for trials and tests; nothing here is public</span></header>\
         <main>{body}</main></body></html>"
    );
    answer::with_type(status, "text/html; charset=utf-8", text)
}

/// What stands behind the `?`, without what is empty.
fn query(account: &str, fault: &str, words: &str, before: &str) -> String {
    let pairs = [("account", account), ("fault", fault), ("q", words), ("before", before)];
    let text: Vec<String> = pairs
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={}", percent_encoded(value)))
        .collect();
    text.join("&amp;")
}

fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') {
            encoded.push(char::from(byte));
        } else {
            _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut escaped, character| {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
        escaped
    })
}
