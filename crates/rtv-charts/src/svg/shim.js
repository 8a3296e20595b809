// The little of a browser that ECharts looks for, and the one function that the renderer calls. Runs in QuickJS, after it `echarts`.
"use strict";
const nothing = () => {};
globalThis.console = { log: nothing, info: nothing, warn: nothing, error: nothing, debug: nothing };
// Pictures hold still: what ECharts puts off until later would never be seen.
globalThis.setTimeout = () => 0;
globalThis.clearTimeout = nothing;

globalThis.draw = (option, width, height) => {
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width, height });
  try {
    chart.setOption({ ...JSON.parse(option), animation: false });
    return chart.renderToSVGString().toWellFormed();
  } finally {
    chart.dispose();
  }
};

globalThis.prepare = () => {
  echarts.setPlatformAPI({
    measureText: (text, font) => ({ width: textWidth(String(text ?? "").toWellFormed(), String(font ?? "")) }),
  });
};
