// One curve over time, by uPlot, in the page's own colours and language.

import uPlot from "uplot";
import { html, useEffect, useRef } from "../../html.js";
import { clock, day } from "../../lang.js";
import { lang, theme, useStore } from "../../store.js";

const HEIGHT = 190;
const DAY_S = 86_400;
const WHOLE = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000, 10000, 100000]; // steps between the marks of what is counted

export function Chart({ times, values, format, isBars, label }) {
  const frame = useRef();
  const chart = useRef(null);
  const colours = useStore(theme);
  const language = useStore(lang);

  useEffect(() => {
    const css = getComputedStyle(document.documentElement);
    const colour = (name) => css.getPropertyValue(name).trim();
    const axis = { stroke: colour("--faint"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: `12px ${css.getPropertyValue("--text")}` };
    const atTime = (_, splits) => splits.map((s) => (splits.at(-1) - splits[0] > 2 * DAY_S ? day(s * 1000) : clock(s * 1000)));
    const bars = isBars ? { paths: uPlot.paths.bars({ size: [0.8, 24] }), fill: colour("--flow-1"), points: { show: false } } : { fill: `${colour("--flow-1")}22`, points: { show: times.length < 60, size: 5 } };
    chart.current = new uPlot(
      {
        width: frame.current.clientWidth || 300,
        height: HEIGHT,
        legend: { show: false },
        cursor: { y: false },
        scales: { x: { time: true }, y: { range: (_, low, high) => [Math.min(0, low ?? 0), high > 0 ? high * 1.08 : 1] } },
        axes: [
          { ...axis, values: atTime, space: 90, size: 28 },
          { ...axis, values: (_, splits) => splits.map((value) => format(value)), size: 66, space: 36, ...(isBars && { incrs: WHOLE }) },
        ],
        series: [{}, { label, stroke: colour("--flow-1"), width: 1.5, spanGaps: true, ...bars }],
      },
      [times.map((ms) => ms / 1000), values],
      frame.current,
    );
    const watch = new ResizeObserver(([entry]) => chart.current?.setSize({ width: Math.max(200, Math.floor(entry.contentRect.width)), height: HEIGHT }));
    watch.observe(frame.current);
    return () => {
      watch.disconnect();
      chart.current.destroy();
      chart.current = null;
    };
  }, [colours, language, isBars, label]);

  useEffect(() => {
    chart.current?.setData([times.map((ms) => ms / 1000), values]);
  }, [times, values]);

  return html`<div class="chart" ref=${frame} role="img" aria-label=${label}></div>`;
}
