//! The HTML document around the application: head, style sheet, and the small script that starts the browser's side.
//! Everything that the script needs is an address; its nonce is the only inline script that the policy allows.

use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_meta::MetaTags;

use rtv_ui::BareLayout;

use crate::error::{AppError, Failed};
use crate::page::PRODUCT;
use crate::request::Assets;
use crate::routes::App;

/// The whole document.
pub fn document(assets: &Assets) -> impl IntoView + use<> {
    let Assets { js, wasm, css, favicon, .. } = assets.clone();
    let start = format!(
        "import {{ default as load, hydrate }} from \"{js}\"; load({{ module_or_path: \"{wasm}\" }}).then(() => hydrate());"
    );
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <link rel="stylesheet" href=css />
                <link rel="icon" href=favicon type="image/svg+xml" />
                <link rel="modulepreload" href=js nonce=use_nonce() />
                <link rel="preload" href=wasm r#as="fetch" r#type="application/wasm" crossorigin="anonymous" />
                <script type="module" nonce=use_nonce() inner_html=start></script>
                <MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// A document around an error, for answers that no page gives. It has no script.
pub fn error_document(assets: &Assets, error: AppError) -> String {
    let Assets { css, favicon, .. } = assets.clone();
    let title = format!("{} · {PRODUCT}", error.error.title());
    // Components need an owner for what they keep; it ends with the document. A root: it must not belong to the page of
    // another request that is current on this thread.
    Owner::new_root(None).with(|| {
        view! {
            <!DOCTYPE html>
            <html lang="en">
                <head>
                    <meta charset="utf-8" />
                    <meta name="viewport" content="width=device-width, initial-scale=1" />
                    <meta name="color-scheme" content="light dark" />
                    <link rel="stylesheet" href=css />
                    <link rel="icon" href=favicon type="image/svg+xml" />
                    <title>{title}</title>
                </head>
                <body>
                    <BareLayout product=PRODUCT>
                        <Failed error />
                    </BareLayout>
                </body>
            </html>
        }
        .to_html()
    })
}
