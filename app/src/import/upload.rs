//! The form that takes a file. It is a plain form; with a script the file goes the same way, and the page shows how much
//! of it has gone. What the server refuses is sent once more by the browser itself, whose answer is the page with the
//! reason: a refusal comes at the first bytes, so that costs nothing.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use rtv_ui::{Button, ButtonKind, FileField, IconName, Notice, Progress, Tone, Variant};

const MEGABYTE: f64 = 1_048_576.0;

/// How much of a file has gone.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Sent {
    /// Bytes that have gone, and all of them.
    bytes: f64,
    of_bytes: f64,
    /// Since when.
    seconds: f64,
}

/// Where an upload stands. Only a browser sends.
#[cfg_attr(not(feature = "hydrate"), allow(dead_code))]
#[derive(Debug, Clone, Copy, PartialEq)]
enum Sending {
    /// On its way.
    Sent(Sent),
    /// The connection broke.
    Broken,
}

impl Sent {
    /// The whole of it is 1,000.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Between 0 and 1,000.
    fn thousandths(self) -> Option<u32> {
        (self.of_bytes > 0.0).then(|| (self.bytes / self.of_bytes * 1_000.0).clamp(0.0, 1_000.0) as u32)
    }

    /// Whole numbers alone, which are written alike in every language.
    fn text(self) -> String {
        if self.bytes >= self.of_bytes {
            return "All of it has arrived; RTV is looking at it.".into();
        }
        let mut parts = vec![format!("{:.0} of {:.0} MB", self.bytes / MEGABYTE, (self.of_bytes / MEGABYTE).max(1.0))];
        // Before that nobody can know how fast it goes.
        if self.seconds >= 1.0 && self.bytes > 0.0 {
            let rate = self.bytes / self.seconds;
            let left = (self.of_bytes - self.bytes) / rate;
            parts.push(if rate >= MEGABYTE {
                format!("{:.0} MB/s", rate / MEGABYTE)
            } else {
                format!("{:.0} KB/s", rate / 1_024.0)
            });
            parts.push(if left < 90.0 {
                format!("about {:.0} s left", left.max(1.0))
            } else {
                format!("about {:.0} minutes left", left / 60.0)
            });
        }
        parts.join(" · ")
    }
}

/// The form.
#[component]
pub(super) fn UploadForm(
    /// Where the file is sent.
    path: String,
    /// Which files are taken, in a sentence.
    accepted: String,
    /// How much room the tenant's files take.
    usage: Option<String>,
    /// Why the file was refused.
    error: Option<String>,
) -> impl IntoView {
    let sending = RwSignal::new(None::<Sending>);
    let sent = move || match sending.get() {
        Some(Sending::Sent(sent)) => Some(sent),
        _ => None,
    };
    let is_sending = Memo::new(move |_| sent().is_some());
    let is_cancellable =
        Memo::new(move |_| sent().is_some_and(|sent| sent.of_bytes == 0.0 || sent.bytes < sent.of_bytes));
    let on_submit = move |event: SubmitEvent| {
        #[cfg(feature = "hydrate")]
        sender::send(&event, sending);
        #[cfg(not(feature = "hydrate"))]
        let _ = event;
    };
    view! {
        <form method="post" action=path enctype="multipart/form-data" class="l-stack" on:submit=on_submit>
            <FileField
                label="File"
                name="file"
                accept=".csv,.tsv,.txt,text/csv,text/tab-separated-values,text/plain"
                hint=accepted
                error=error
            />
            <div class="l-cluster" data-gap="3">
                <Button variant=Variant::Primary icon=IconName::Imports>"Upload"</Button>
                {usage.map(|usage| view! { <p class="u-muted u-small">{usage}</p> })}
            </div>
            {move || is_sending.get().then(|| view! {
                <Progress
                    label="The file is being uploaded"
                    id="upload"
                    thousandths=Signal::derive(move || sent().and_then(Sent::thousandths))
                    text=Signal::derive(move || sent().map(Sent::text).unwrap_or_default())
                />
                {move || is_cancellable.get().then(|| view! {
                    <div class="l-cluster">
                        // What sends hears of it with its next piece.
                        <div on:click=move |_| sending.set(None)>
                            <Button kind=ButtonKind::Button>"Cancel the upload"</Button>
                        </div>
                        <p class="u-muted u-small">"Stay on this page until the file is there."</p>
                    </div>
                })}
            })}
            <div role="status" class="c-import-said">
                {move || (sending.get() == Some(Sending::Broken)).then(|| view! {
                    <Notice tone=Tone::Danger>"The upload broke off, and nothing of it was kept. Check the connection and upload the file again."</Notice>
                })}
            </div>
        </form>
    }
}

#[cfg(feature = "hydrate")]
mod sender {
    use leptos::ev::SubmitEvent;
    use leptos::prelude::*;
    use wasm_bindgen::JsCast as _;
    use wasm_bindgen::closure::Closure;
    use web_sys::{FormData, HtmlFormElement, ProgressEvent, XmlHttpRequest};

    use super::{Sending, Sent};

    /// Sends the form in the browser's place. Where that cannot be, the browser does it.
    pub(super) fn send(event: &SubmitEvent, sending: RwSignal<Option<Sending>>) {
        if matches!(sending.get_untracked(), Some(Sending::Sent(_))) {
            event.prevent_default();
            return;
        }
        let form: HtmlFormElement = event_target(event);
        let (Ok(body), Ok(request)) = (FormData::new_with_form(&form), XmlHttpRequest::new()) else { return };
        let Ok(upload) = request.upload() else { return };
        if request.open("POST", &form.action()).is_err() {
            return;
        }
        let began = event.time_stamp();
        let sender = request.clone();
        let on_progress = Closure::<dyn FnMut(ProgressEvent)>::new(move |event: ProgressEvent| {
            // Cancelled, or the page was left.
            if !matches!(sending.try_get_untracked(), Some(Some(Sending::Sent(_)))) {
                let _ = sender.abort();
                return;
            }
            let seconds = (event.time_stamp() - began) / 1_000.0;
            let sent = Sent { bytes: event.loaded(), of_bytes: event.total(), seconds };
            sending.set(Some(Sending::Sent(sent)));
        });
        upload.set_onprogress(Some(on_progress.into_js_value().unchecked_ref()));
        let answered = request.clone();
        let on_load = Closure::<dyn FnMut()>::new(move || {
            // The page that the answer led to; of a refusal the browser shows the page itself.
            let shown = if answered.status().is_ok_and(|status| status < 400) {
                answered.response_url()
            } else {
                String::new()
            };
            if shown.is_empty() || window().location().assign(&shown).is_err() {
                let _ = form.submit();
            }
        });
        request.set_onload(Some(on_load.into_js_value().unchecked_ref()));
        let on_error = Closure::<dyn FnMut()>::new(move || {
            let _ = sending.try_set(Some(Sending::Broken));
        });
        request.set_onerror(Some(on_error.into_js_value().unchecked_ref()));
        if request.send_with_opt_form_data(Some(&body)).is_err() {
            return;
        }
        event.prevent_default();
        sending.set(Some(Sending::Sent(Sent { bytes: 0.0, of_bytes: 0.0, seconds: 0.0 })));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_far_an_upload_is_stands_in_whole_numbers() {
        let sent =
            |megabytes: f64, seconds: f64| Sent { bytes: megabytes * MEGABYTE, of_bytes: 200.0 * MEGABYTE, seconds };
        assert_eq!((sent(0.0, 0.2).text(), sent(0.0, 0.2).thousandths()), ("0 of 200 MB".into(), Some(0)));
        assert_eq!(sent(50.0, 10.0).text(), "50 of 200 MB · 5 MB/s · about 30 s left");
        assert_eq!(sent(1.0, 4.0).text(), "1 of 200 MB · 256 KB/s · about 13 minutes left");
        assert_eq!(sent(50.0, 10.0).thousandths(), Some(250));
        assert_eq!(sent(200.0, 40.0).text(), "All of it has arrived; RTV is looking at it.");
        assert_eq!(Sent { bytes: 0.0, of_bytes: 0.0, seconds: 0.0 }.thousandths(), None);
    }
}
