//! The trend chart: a picture of its own address in the first HTML, a chart that answers the pointer once the browser
//! has time for it, and the same data as a table.

use leptos::html::Div;
use leptos::prelude::*;
use rtv_core::Theme;
use rtv_ui::{Button, ChartFrame, Picture, SegmentLink, Segments, SelectField};

use crate::dashboard::TrendView;
use crate::dashboard::filter::{AddressForm, hidden_fields, select_options};

/// Size of the wide picture in CSS pixels.
const WIDE: (u32, u32) = (1_120, 320);
/// Size of the picture for a tablet, where the wide one would become too small to read.
const MEDIUM: (u32, u32) = (720, 280);
/// Size of the picture for a phone.
const NARROW: (u32, u32) = (400, 280);

/// The chart with its choices.
#[component]
pub fn Trend(trend: TrendView, path: String, theme: Theme) -> impl IntoView {
    let live = NodeRef::<Div>::new();
    #[cfg(feature = "hydrate")]
    bring_to_life(live, trend.chart_js.clone(), trend.option.clone(), trend.echarts.clone());
    // Who chose a theme has it whatever the device says.
    let (light, dark) = match theme {
        Theme::System => ("light", "dark"),
        Theme::Light => ("light", "light"),
        Theme::Dark => ("dark", "dark"),
    };
    let picture = |(width, height): (u32, u32)| Picture {
        src: format!("{}&theme={light}&width={width}&height={height}", trend.picture),
        dark_src: format!("{}&theme={dark}&width={width}&height={height}", trend.picture),
        width,
        height,
    };
    let (wide, medium, narrow) = (picture(WIDE), picture(MEDIUM), picture(NARROW));
    let grains = trend
        .grains
        .into_iter()
        .map(|grain| SegmentLink { label: grain.label, href: grain.href, current: grain.is_current })
        .collect();
    let paper = format!("{}&theme=light&width={}&height={}", trend.picture, WIDE.0, WIDE.1);
    let actions = view! {
        <Segments label="Step" links=grains />
        <AddressForm action=path>
            {hidden_fields(trend.hidden)}
            <div class="l-cluster" data-gap="2">
                <SelectField label="Metric" name="metric" options=select_options(trend.metrics) />
                <Button>"Show"</Button>
            </div>
        </AddressForm>
    }
    .into_any();
    view! {
        <ChartFrame
            title=trend.title.clone()
            takeaway=trend.takeaway
            picture=wide
            narrow=Some(narrow)
            medium=Some(medium)
            paper
            alt=trend.alt
            live=view! { <div class="c-chart__live" hidden node_ref=live></div> }.into_any()
            actions
            note=trend.note
        >
            <div inner_html=trend.table></div>
        </ChartFrame>
    }
}

#[cfg(feature = "hydrate")]
mod live {
    use wasm_bindgen::prelude::*;

    // The chart's script has an address of its own with a hash in it, which only the page knows.
    #[wasm_bindgen(inline_js = "export async function mount_chart(module, element, option, echarts) {
        return (await import(module)).mount(element, option, echarts);
    }
    export function dispose_chart(handle) { handle.dispose(); }")]
    extern "C" {
        #[wasm_bindgen(catch)]
        pub(super) async fn mount_chart(
            module: &str,
            element: &web_sys::Element,
            option: &str,
            echarts: &str,
        ) -> Result<JsValue, JsValue>;
        pub(super) fn dispose_chart(handle: &JsValue);
    }
}

/// Mounts the chart when its place is on the page, and takes it away with the page. What fails leaves the picture.
#[cfg(feature = "hydrate")]
fn bring_to_life(place: NodeRef<Div>, module: String, option: String, echarts: String) {
    let handle = StoredValue::new_local(None::<wasm_bindgen::JsValue>);
    let is_gone = StoredValue::new(false);
    Effect::new(move || {
        let Some(element) = place.get() else { return };
        let (module, option, echarts) = (module.clone(), option.clone(), echarts.clone());
        leptos::task::spawn_local(async move {
            if let Ok(mounted) = live::mount_chart(&module, &element, &option, &echarts).await {
                // The page may have been left while the script was loading.
                if is_gone.try_get_value().unwrap_or(true) {
                    live::dispose_chart(&mounted);
                } else {
                    handle.try_set_value(Some(mounted));
                }
            }
        });
    });
    on_cleanup(move || {
        is_gone.try_set_value(true);
        if let Some(mounted) = handle.try_get_value().flatten() {
            live::dispose_chart(&mounted);
        }
    });
}
