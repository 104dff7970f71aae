// Charts over the chain: rate, confirmation time, stale blocks, difficulty.

import "../words/charts.js";
import { url } from "../api.js";
import { useData } from "../data.js";
import { html } from "../html.js";
import { dateTime, duration, number, t } from "../lang.js";
import { Figure } from "../parts/figure.js";
import { Heading, Instead, Section } from "../parts/page.js";
import { lang, useStore } from "../store.js";
import { Chart } from "./charts/chart.js";

const POINTS = 200;
const SPANS = [100, 1_000, 10_000, 0]; // newest blocks; 0: all of them

const rate = (value) => number(value, { maximumFractionDigits: value < 10 ? 2 : 0 });
const whole = (value) => number(value, { maximumFractionDigits: 0 });
const PICTURES = [
  { field: "rate_per_s", format: rate },
  { field: "confirmation_ms", format: duration },
  { field: "interval_ms", format: duration },
  { field: "difficulty", format: whole },
  { field: "stale", format: whole, isBars: true },
  { field: "transactions", format: whole, isBars: true },
];

export default function Charts({ query }) {
  useStore(lang);
  const last = query.has("last") ? Number(query.get("last")) : 1_000;
  const newest = useData("/v1/blocks?limit=1");
  const height = newest.data?.blocks[0]?.header.height;
  const from = height === undefined || !last ? 0 : Math.max(0, height - last + 1);
  const path = height === undefined ? null : url("/v1/charts", { from, points: POINTS });
  const charts = useData(path, { on: ["block"] });
  const { data } = charts;
  return html`<${Heading} title=${t("charts.title")} data=${path}>
      <nav class="switch" aria-label=${t("charts.span")}>${SPANS.map((span) => html`<a class="choice" href=${url("/charts", { last: span })} aria-current=${span === last ? "true" : undefined}>${span ? t("charts.last", { n: span }) : t("charts.all")}</a>`)}</nav>
    <//>
    ${data
      ? html`<div class="halves">${PICTURES.map((picture) => html`<${One} key=${picture.field} data=${data} picture=${picture} />`)}</div>`
      : html`<${Instead} ...${path ? charts : newest} />`}`;
}

function One({ data, picture }) {
  const { field, format } = picture;
  const values = data[field];
  const known = values.filter((value) => value !== null);
  const mean = known.length ? known.reduce((a, b) => a + b, 0) / known.length : null;
  const rows = data.height.map((height, i) => ({ height, time_ms: data.time_ms[i], value: values[i] }));
  const columns = [
    { head: t("charts.height"), cell: (row) => number(row.height) },
    { head: t("charts.time"), cell: (row) => dateTime(row.time_ms) },
    { head: t(`charts.${field}`), right: true, cell: (row) => (row.value === null ? "–" : format(row.value)) },
  ];
  const caption = mean === null ? t("charts.nothing") : t("charts.mean", { mean: format(mean), last: format(known.at(-1)) });
  return html`<${Section} id=${field} title=${t(`charts.${field}`)} note=${t(`charts.${field}-note`)}>
    <${Figure} caption=${caption} columns=${columns} rows=${[...rows].reverse()} picture=${html`<${Chart} times=${data.time_ms} values=${values} format=${format} isBars=${picture.isBars} label=${t(`charts.${field}`)} />`} />
  <//>`;
}
