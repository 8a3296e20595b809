//! `/search?tenant=&q=`: finds pages, tenants and help without a script, as the palette does with one. It does not look
//! into posts: their texts have no index that row security lets be used, and reading all of them is too slow.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use rtv_ui::{Button, EmptyState, Field, LinkButton, PageHeader, ResultList, Variant};

use crate::error::AppError;
use crate::not_found::FailedPage;
use crate::page::{Around, PersonPage, Place};
use crate::palette;

/// What stands around the page: the tenant that the address names, else the one that the person was in last.
#[server(prefix = "/fn", endpoint = "search", input = server_fn::codec::Json)]
pub async fn read_search(tenant: String) -> Result<Around, AppError> {
    Ok(crate::request::around(Some(tenant.as_str()).filter(|slug| !slug.is_empty())).await?)
}

/// The page.
#[component]
pub fn SearchPage() -> impl IntoView {
    let query = use_query_map();
    let asked = Memo::new(move |_| {
        let query = query.read();
        (query.get("tenant").unwrap_or_default(), query.get("q").unwrap_or_default())
    });
    let around = Resource::new(move || asked.get(), |(tenant, _)| read_search(tenant));
    view! {
        <Transition>
            {move || Suspend::new(async move {
                match around.await {
                    Ok(around) => view! { <Found around typed=asked.get_untracked().1 /> }.into_any(),
                    Err(error) => view! { <FailedPage error /> }.into_any(),
                }
            })}
        </Transition>
    }
}

#[component]
fn Found(around: Around, typed: String) -> impl IntoView {
    let typed = typed.trim().to_owned();
    let groups = palette::find(&palette::entries(around.frame(), None, ""), &typed);
    let slug = around.frame().map(|frame| frame.slug.clone()).unwrap_or_default();
    let posts = around.frame().filter(|frame| frame.places.contains(&Place::Posts)).map(|frame| {
        view! { <LinkButton href=Place::Posts.address(&frame.slug)>"Find posts by period and account"</LinkButton> }
    });
    let count: usize = groups.iter().map(|group| group.items.len()).sum();
    let subtitle = match (typed.is_empty(), count) {
        (true, _) => "Pages, organisations and help that you can open.".to_owned(),
        (false, 1) => format!("1 result for “{typed}”."),
        (false, _) => format!("{count} results for “{typed}”."),
    };
    let found = if groups.is_empty() {
        view! {
            <EmptyState
                title=format!("Nothing is called “{typed}”")
                text="Search finds pages, organisations and help by their names. It does not look into posts: those are found by period, platform and account."
                action=view! { {posts} }.into_any()
            />
        }
        .into_any()
    } else {
        view! { <ResultList groups /> }.into_any()
    };
    view! {
        <PersonPage around title="Search">
            <PageHeader title="Search" subtitle />
            <form class="c-search-form" method="get" action=palette::SEARCH>
                {(!slug.is_empty()).then(|| view! { <input type="hidden" name="tenant" value=slug /> })}
                <Field label="Find a page or an organisation" name="q" kind="search" value=typed autocomplete="off" />
                <Button variant=Variant::Primary>"Search"</Button>
            </form>
            {found}
        </PersonPage>
    }
}
