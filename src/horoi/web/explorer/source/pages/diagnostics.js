// Diagnostics: what `horoi doctor` finds, of this node.

import "../words/diagnostics.js";
import { useData } from "../data.js";
import { html } from "../html.js";
import { named, t } from "../lang.js";
import { Heading, Instead, Section } from "../parts/page.js";
import { Table } from "../parts/table.js";
import { Text } from "../parts/text.js";

const PATH = "/v1/diagnostics";
const TAGS = { ok: "good", warn: "warn", fail: "bad" };

export default function Diagnostics() {
  const { data, reload, ...rest } = useData(PATH);
  const columns = [
    { head: t("diagnostics.verdict"), cell: (check) => html`<span class=${`tag ${TAGS[check.verdict] ?? ""}`}>${named("verdict", check.verdict)}</span>` },
    { head: t("diagnostics.check"), cell: (check) => named("check", check.name) },
    { head: t("diagnostics.found"), cell: (check) => html`<span lang="en"><${Text} value=${check.found} most=${240} /></span>` },
    { head: t("diagnostics.advice"), cell: (check) => check.advice ? html`<span lang="en"><${Text} value=${check.advice} most=${300} /></span>` : "–" },
  ];
  return html`<${Heading} title=${t("diagnostics.title")} data=${PATH}><button type="button" onClick=${reload}>${t("diagnostics.again")}</button><//>
    <${Section} id="checks" title=${data ? t(`diagnostics.${data.worst}`) : t("diagnostics.checks")}>
      ${data ? html`<${Table} columns=${columns} rows=${data.checks} caption=${t("diagnostics.checks")} rowKey=${(check) => check.name} />` : html`<${Instead} ...${rest} reload=${reload} />`}
    <//>`;
}
