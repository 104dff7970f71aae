// Diagnostics: what `horoi doctor` finds, of this node.

import "../words/diagnostics.js";
import { useData } from "../data.js";
import { html } from "../html.js";
import { has, named, number, say, t } from "../lang.js";
import { Heading, Instead, Section } from "../parts/page.js";
import { Table } from "../parts/table.js";
import { Text } from "../parts/text.js";

const PATH = "/v1/diagnostics";
const TAGS = { ok: "good", warn: "warn", fail: "bad" };

/** What was found, or what to do, by its code; in the node's own English where this page has no words for it. */
function Said({ word, english, values }) {
  if (!has(word)) return html`<span lang="en"><${Text} value=${english} most=${300} /></span>`;
  return html`<span>${say(word, Object.fromEntries(Object.entries(values ?? {}).map(([name, value]) => [name, shown(value)])))}</span>`;
}

const shown = (value) => (typeof value === "number" ? number(value, { maximumFractionDigits: 1 }) : html`<${Text} value=${value} most=${240} />`);

export default function Diagnostics() {
  const { data, reload, ...rest } = useData(PATH);
  const columns = [
    { head: t("diagnostics.verdict"), cell: (check) => html`<span class=${`tag ${TAGS[check.verdict] ?? ""}`}>${named("verdict", check.verdict)}</span>` },
    { head: t("diagnostics.check"), cell: (check) => named("check", check.name) },
    { head: t("diagnostics.found"), cell: (check) => html`<${Said} word=${`found.${check.code}`} english=${check.found} values=${check.values} />` },
    { head: t("diagnostics.advice"), cell: (check) => check.advice ? html`<${Said} word=${`advice.${check.code}`} english=${check.advice} values=${check.values} />` : "–" },
  ];
  return html`<${Heading} title=${t("diagnostics.title")} data=${PATH}><button type="button" onClick=${reload}>${t("diagnostics.again")}</button><//>
    <${Section} id="checks" title=${data ? t(`diagnostics.${data.worst}`) : t("diagnostics.checks")}>
      ${data ? html`<${Table} columns=${columns} rows=${data.checks} caption=${t("diagnostics.checks")} rowKey=${(check) => check.name} />` : html`<${Instead} ...${rest} reload=${reload} />`}
    <//>`;
}
