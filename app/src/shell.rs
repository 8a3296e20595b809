//! HTML documents: the one around the application, with the small script that starts the browser's side, and the one
//! around a page that needs no script. Everything that the script needs is an address; its nonce is the only inline
//! script that the policy allows.

use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_meta::MetaTags;

use rtv_core::Preference;
use rtv_ui::BareLayout;

use crate::error::{AppError, Failed};
use crate::page::PRODUCT;
use crate::request::Assets;
use crate::routes::App;

/// The whole document of the application.
pub fn document(assets: &Assets) -> impl IntoView + use<> {
    let Assets { js, wasm, .. } = assets.clone();
    // Nothing of the program is asked for before the page stands: on a slow line it would take the line from what people
    // read. Making the program and running it are two tasks, so that a press in between is answered.
    let start = format!(
        "const start = async () => {{ \
           const program = fetch(\"{wasm}\"); \
           const {{ default: load, hydrate }} = await import(\"{js}\"); \
           await load({{ module_or_path: program }}); \
           setTimeout(hydrate); \
         }}; \
         if (document.readyState === \"complete\") start(); else addEventListener(\"load\", start);"
    );
    let preference = crate::preference::current();
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=preference.theme.key() data-density=preference.density.key()>
            <head>
                {basics(assets)}
                <script type="module" nonce=use_nonce() inner_html=start></script>
                <MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// A document without a script around a page that is complete as it is.
pub fn plain_document<V: IntoView>(
    assets: &Assets,
    title: &str,
    preference: Preference,
    page: impl FnOnce() -> V,
) -> String {
    let title = format!("{title} · {PRODUCT}");
    // Components need an owner for what they keep; it ends with the document. A root: it must not belong to the page of
    // another request that is current on this thread.
    Owner::new_root(None).with(|| {
        view! {
            <!DOCTYPE html>
            <html lang="en" data-theme=preference.theme.key() data-density=preference.density.key()>
                <head>
                    {basics(assets)}
                    <title>{title}</title>
                </head>
                <body>{page().into_any()}</body>
            </html>
        }
        .to_html()
    })
}

/// A document around an error, for answers that no page gives, with what is announced on every page. `is_page` says whether the address can be asked for again.
pub fn error_document(assets: &Assets, error: AppError, is_page: bool, announcement: String) -> String {
    plain_document(assets, error.error.title(), Preference::default(), || {
        view! {
            <div inner_html=announcement></div>
            <BareLayout product=PRODUCT>
                <Failed error is_page />
            </BareLayout>
        }
    })
}

/// What the head of every document begins with.
fn basics(assets: &Assets) -> impl IntoView + use<> {
    let Assets { css, favicon, .. } = assets.clone();
    view! {
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <link rel="stylesheet" href=css />
        <link rel="icon" href=favicon type="image/svg+xml" />
    }
}
