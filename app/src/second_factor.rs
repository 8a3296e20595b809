//! `/me/second-factor`: setting up codes of an authenticator app, the recovery codes, which are shown once, and removing it.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use rtv_ui::{Button, Card, ErrorSummary, Field, LinkButton, Notice, PageHeader, Tone, Variant};
use serde::{Deserialize, Serialize};

use crate::error::AppError;
use crate::not_found::FailedPage;
use crate::page::{Around, PersonPage};

/// Where the page is.
pub const PATH: &str = "/me/second-factor";
/// The value of a message that carries new recovery codes to the page, with spaces between them. Never stored.
pub const CODES: &str = "recovery_codes";

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondFactor {
    /// Since when a code is asked for.
    since: Option<String>,
    codes_left: u32,
    set_up: Option<SetUp>,
    /// Recovery codes that were made just now.
    codes: Vec<String>,
    errors: Vec<(String, String)>,
    /// The page that led here, because it wants a second factor.
    next: Option<String>,
    around: Around,
}

/// A key that waits for its first code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetUp {
    key: String,
    picture: Option<Picture>,
}

/// A QR code: dark squares as one path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// Squares along a side, with the quiet zone.
    size: usize,
    path: String,
}

/// The person's own second factor.
#[server(prefix = "/fn", endpoint = "second-factor", input = server_fn::codec::Json)]
pub async fn read_second_factor(next: String) -> Result<SecondFactor, AppError> {
    let request = crate::request::current();
    let vault = expect_context::<rtv_domain::vault::Vault>();
    let state = rtv_domain::second_factor::state(&request.context, &vault).await?;
    let flash = request.flash.clone().unwrap_or_default();
    Ok(SecondFactor {
        since: state.since.map(|at| at.format("%Y-%m-%d %H:%M UTC").to_string()),
        codes_left: state.codes_left,
        set_up: state.set_up.map(|set_up| SetUp { picture: picture(&set_up.address), key: set_up.key }),
        codes: flash.value(CODES).map(|codes| codes.split(' ').map(str::to_owned).collect()).unwrap_or_default(),
        errors: flash.errors,
        next: crate::request::local_path(&next).map(str::to_owned),
        around: crate::request::around(None).await?,
    })
}

/// The text as a QR code. The path runs over the dark squares of each row; scanners want four light squares around.
#[cfg(feature = "ssr")]
fn picture(text: &str) -> Option<Picture> {
    use core::fmt::Write as _;
    const QUIET: usize = 4;
    let code = qrcode::QrCode::with_error_correction_level(text, qrcode::EcLevel::M).ok()?;
    let width = code.width();
    let mut path = String::new();
    for (y, row) in code.to_colors().chunks(width).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|one, other| one == other) {
            if run[0] == qrcode::Color::Dark {
                let _ = write!(path, "M{} {}h{}v1h-{}z", x + QUIET, y + QUIET, run.len(), run.len());
            }
            x += run.len();
        }
    }
    Some(Picture { size: width + 2 * QUIET, path })
}

/// The page.
#[component]
pub fn SecondFactorPage() -> impl IntoView {
    let query = use_query_map();
    let page = Resource::new(move || query.read().get("next").unwrap_or_default(), read_second_factor);
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                match page.await {
                    Ok(page) => view! { <Page page /> }.into_any(),
                    Err(error) => view! { <FailedPage error /> }.into_any(),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Page(page: SecondFactor) -> impl IntoView {
    let SecondFactor { since, codes_left, set_up, codes, errors, next, around } = page;
    let is_on = since.is_some();
    let code_error = errors.iter().find(|(field, _)| field == "code").map(|(_, message)| message.clone());
    let go_on = next.clone();
    let content = match (since, set_up) {
        (Some(since), _) => {
            let codes = (!codes.is_empty()).then(|| view! { <Codes codes go_on /> });
            view! {
                {codes}
                <On since codes_left />
            }
            .into_any()
        }
        (None, Some(set_up)) => view! { <Confirm set_up error=code_error next=next.clone() /> }.into_any(),
        (None, None) => view! { <Begin next=next.clone() /> }.into_any(),
    };
    let demand = (next.is_some() && !is_on).then(|| {
        view! {
            <Notice tone=Tone::Warning>
                "The organisation that you want to open asks its members for a second factor. Set one up; then you go on to where you wanted."
            </Notice>
        }
    });
    view! {
        <PersonPage around title="Second factor">
            <ErrorSummary errors />
            <PageHeader
                title="Second factor"
                subtitle="Beside your password, a code that only your phone can make. A stolen password alone then opens nothing."
            />
            {demand}
            {content}
        </PersonPage>
    }
}

/// The way on that a form carries along.
fn hidden(next: Option<String>) -> impl IntoView {
    next.map(|next| view! { <input type="hidden" name="next" value=next /> })
}

#[component]
fn Begin(next: Option<String>) -> impl IntoView {
    view! {
        <Card title="Not set up">
            <div class="l-stack" data-gap="4">
                <p>
                    "You need an authenticator app on your phone, such as those that come with password managers. It takes about a minute."
                </p>
                <form method="post" action=format!("{PATH}/begin")>
                    {hidden(next)}
                    <Button variant=Variant::Primary>"Set up"</Button>
                </form>
            </div>
        </Card>
    }
}

#[component]
fn Confirm(set_up: SetUp, error: Option<String>, next: Option<String>) -> impl IntoView {
    let SetUp { key, picture } = set_up;
    let picture = picture.map(|Picture { size, path }| {
        view! {
            <svg class="c-qr" viewBox=format!("0 0 {size} {size}") role="img" aria-label="QR code with the key below">
                <rect class="c-qr__light" width=size.to_string() height=size.to_string()></rect>
                <path class="c-qr__dark" d=path></path>
            </svg>
        }
    });
    let restart = next.clone();
    view! {
        <div class="l-grid" data-columns="2">
            <Card title="1. Give the key to your app" text="Scan the picture with the app, or type the key into it.">
                <div class="l-stack" data-gap="4">
                    {picture}
                    <p>
                        "Key: "
                        <code class="c-qr__key" data-key=key.replace(' ', "")>{key.clone()}</code>
                    </p>
                    <p class="u-muted">"Time-based, SHA-1, six digits, thirty seconds: what apps take without asking."</p>
                </div>
            </Card>
            <Card title="2. Enter the code that it shows" text="It shows that the app has the key and your phone the right time.">
                <div class="l-stack" data-gap="4">
                    <form class="l-stack" data-gap="4" method="post" action=PATH autocomplete="off">
                        <input type="hidden" name="act" value="confirm" />
                        {hidden(next)}
                        <Field
                            label="Code"
                            name="code"
                            error
                            inputmode="numeric"
                            autocomplete="one-time-code"
                            maxlength="12"
                            required=true
                        />
                        <div>
                            <Button variant=Variant::Primary>"Turn on"</Button>
                        </div>
                    </form>
                    <form method="post" action=format!("{PATH}/begin")>
                        {hidden(restart)}
                        <Button variant=Variant::Quiet>"Begin again with another key"</Button>
                    </form>
                </div>
            </Card>
        </div>
    }
}

#[component]
fn Codes(codes: Vec<String>, go_on: Option<String>) -> impl IntoView {
    let codes = codes.into_iter().map(|code| view! { <li><code>{code}</code></li> }).collect_view();
    let go_on = go_on.map(|next| {
        view! {
            <div>
                <LinkButton href=next variant=Variant::Primary>"I have kept them, go on"</LinkButton>
            </div>
        }
    });
    view! {
        <Card title="Your recovery codes" text="Each signs you in once when your phone is lost. They are shown now and never again: print them or keep them in a password manager.">
            <div class="l-stack" data-gap="4">
                <ol class="c-codes">{codes}</ol>
                {go_on}
            </div>
        </Card>
    }
}

#[component]
fn On(since: String, codes_left: u32) -> impl IntoView {
    let left = match codes_left {
        0 => "No recovery code is left. Make new ones.".to_owned(),
        1 => "One recovery code is left. Make new ones.".to_owned(),
        left => format!("{left} recovery codes are left."),
    };
    view! {
        <div class="l-grid" data-columns="2">
            <Card title="Turned on" text=format!("Since {since}. A code is asked for at each sign-in.")>
                <form method="post" action=format!("{PATH}/remove")>
                    <Button variant=Variant::Danger>"Remove second factor"</Button>
                </form>
            </Card>
            <Card title="Recovery codes" text=left>
                <form method="post" action=PATH>
                    <input type="hidden" name="act" value="codes" />
                    <Button>"Make new recovery codes"</Button>
                </form>
            </Card>
        </div>
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn the_picture_is_a_square_with_the_marks_of_a_qr_code_in_three_corners() {
        let Picture { size, path } =
            picture("otpauth://totp/RTV:dana@example.org?secret=ABC&issuer=RTV").expect("a short text fits");
        let width = size - 8;
        assert!(width >= 21 && (width - 17) % 4 == 0, "{width} is the width of no QR code");
        // The upper edge of a mark is seven dark squares; two marks stand in the first row and one begins in the last rows.
        assert!(path.starts_with("M4 4h7v1h-7z"), "{path}");
        assert!(path.contains(&format!("M{} 4h7v1h-7z", 4 + width - 7)), "{path}");
        assert!(path.contains(&format!("M4 {}h7v1h-7z", 4 + width - 7)), "{path}");
    }
}
