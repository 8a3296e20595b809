// Turns the picture of a chart into a chart that answers to the pointer. The picture comes with the page and stays until the chart
// stands; whatever goes wrong, the picture remains and nobody is bothered. Knows ECharts' address and the option's, nothing else.

const DARK = matchMedia("(prefers-color-scheme: dark)");

/** The theme that the person chose, else the device's. */
const theme = () => ({ light: "light", dark: "dark" })[document.documentElement.dataset.theme] ?? (DARK.matches ? "dark" : "light");

/** Options are plain data; where one needs a function it says the name of one of these. */
const FORMATTERS = {
  // One point where the chart tells things apart, several where it tells places of an axis apart.
  names: (points) => [points].flat().map((point) => point.name).join("\n"),
};

/** One promise for the whole page: the library is loaded once, and only when the page has nothing better to do. */
let library;

function loadLibrary(url) {
  library ??= whenIdle().then(
    () =>
      new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.src = url;
        script.onload = () => resolve(window.echarts);
        script.onerror = () => {
          library = undefined;
          reject(new Error("the chart library could not be loaded"));
        };
        document.head.append(script);
      }),
  );
  return library;
}

async function whenIdle() {
  if (document.readyState !== "complete") {
    await new Promise((resolve) => addEventListener("load", resolve, { once: true }));
  }
  // Safari has no idle callback.
  await new Promise((resolve) => (window.requestIdleCallback ?? setTimeout)(resolve));
}

/**
 * Resolves when the element is on the screen or close to it: until then the picture does, and nothing is fetched. On a
 * telephone the chart stands below the figures, and who reads only those pays nothing for it.
 */
const whenSeen = (element, signal) =>
  new Promise((resolve) => {
    const seen = new IntersectionObserver(
      (entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        seen.disconnect();
        resolve();
      },
      { rootMargin: "200px" },
    );
    seen.observe(element);
    signal.addEventListener("abort", () => seen.disconnect(), { once: true });
  });

/**
 * Draws the option found at `optionUrl` (JSON, asked for with `theme=light` or `dark`) into `element`, which is hidden
 * and covers its parent's picture once it is shown. Returns a handle whose `dispose()` hides it again.
 */
export function mount(element, optionUrl, echartsUrl) {
  const host = document.createElement("div");
  const stop = new AbortController();
  let chart;
  let asked = 0;

  const size = () => ({ width: host.clientWidth, height: host.clientHeight });
  const resized = new ResizeObserver(() => {
    if (!chart || element.parentElement.clientWidth === 0) return;
    fit();
    chart.resize(size());
  });

  // The picture keeps its place when it is covered, so the chart has exactly its size.
  function fit() {
    const box = element.parentElement.getBoundingClientRect();
    host.style.width = `${Math.round(box.width) || 640}px`;
    host.style.height = `${Math.round(box.height) || 320}px`;
    return { width: Math.round(box.width) || 640, height: Math.round(box.height) || 320 };
  }

  async function draw() {
    const turn = ++asked;
    const url = new URL(optionUrl, document.baseURI);
    // Paper is light whatever the screen is.
    url.searchParams.set("theme", element.dataset.theme ?? theme());
    const answer = await fetch(url, { signal: stop.signal, headers: { accept: "application/json" } });
    if (!answer.ok) throw new Error(`the chart's data came with status ${answer.status}`);
    const [option, echarts] = await Promise.all([answer.json(), loadLibrary(echartsUrl)]);
    // Meanwhile the theme may have changed again, or the page moved on.
    if (stop.signal.aborted || turn !== asked) return;
    chart ??= echarts.init(host, null, { renderer: "svg", ...fit() });
    if (option.tooltip) option.tooltip.formatter = FORMATTERS[option.tooltip.formatter];
    chart.setOption(option, { notMerge: true });
    if (!host.isConnected) {
      element.append(host);
      element.hidden = false;
      resized.observe(element.parentElement);
    }
  }

  const redraw = () => draw().catch(() => {});
  whenSeen(element.parentElement, stop.signal)
    .then(whenIdle)
    .then(() => {
      if (stop.signal.aborted) return;
      DARK.addEventListener("change", redraw, { signal: stop.signal });
      redraw();
    });

  return {
    dispose() {
      stop.abort();
      resized.disconnect();
      chart?.dispose();
      host.remove();
      element.hidden = true;
    },
  };
}

/**
 * Mounts the chart of each place that names its option (`data-chart`), now and on every page that comes after this one, and takes
 * away those whose place is gone: for pages that are drawn whole on the server.
 */
export function follow(echartsUrl) {
  const mounted = new Map();
  let isLooking = false;
  const look = () => {
    isLooking = false;
    for (const [place, chart] of mounted) {
      if (place.isConnected) continue;
      chart.dispose();
      mounted.delete(place);
    }
    for (const place of document.querySelectorAll("[data-chart]")) {
      if (!mounted.has(place)) mounted.set(place, mount(place, place.dataset.chart, echartsUrl));
    }
  };
  // Charts change the page themselves as they are drawn; one look for all of what happened is enough.
  new MutationObserver(() => {
    if (isLooking) return;
    isLooking = true;
    requestAnimationFrame(look);
  }).observe(document.body, { childList: true, subtree: true });
  look();
}
