// What an offer changes, for each party and asset: before, by how much, after.

import { html } from "../../html.js";
import { number, t } from "../../lang.js";
import { Condition } from "../../parts/condition.js";
import { Asset } from "../../parts/names.js";
import { Table } from "../../parts/table.js";
import { Text } from "../../parts/text.js";

export function Changes({ offer }) {
  const columns = [
    { head: t("offer.party"), cell: (c) => html`<${Condition} form=${c.who} />${c.mine && html` <span class="tag">${t("party.own")}</span>`}` },
    { head: t("offer.asset"), cell: (c) => html`<${Asset} id=${c.asset} name=${c.name} alike />` },
    { head: t("offer.owns"), right: true, cell: (c) => html`<${Step} before=${c.owns_before} change=${c.owns_change} after=${c.owns_after} unit=${c.unit} />` },
    { head: t("offer.holds"), right: true, cell: (c) => html`<${Step} before=${c.holds_before} change=${c.holds_change} after=${c.holds_after} unit=${c.unit} />` },
  ];
  return html`<${Table} columns=${columns} rows=${offer.changes} rowKey=${(c, i) => i} caption=${t("offer.changes")} empty=${t("offer.no-changes")} />`;
}

/** "100 → 40 bbl (−60)"; the change alone where the sums are not known. */
function Step({ before, change, after, unit }) {
  if (change === null) return html`<span class="faint">–</span>`;
  const isSame = !/[1-9]/.test(change);
  const by = html`<span class=${isSame ? "faint" : change.startsWith("-") ? "falls" : "rises"}>${isSame ? t("offer.same") : `${change.startsWith("-") ? "−" : "+"}${number(change.slice(1))}`}</span>`;
  const named = unit ? html` <${Text} plain most=${16} value=${unit} />` : "";
  if (before === null || after === null) return html`<span class="number">${by}${named}</span>`;
  if (isSame) return html`<span class="number">${number(after)}${named} ${by}</span>`;
  return html`<span class="number">${number(before)} <span aria-hidden="true">→</span><span class="unseen">${t("offer.then")}</span> ${number(after)}${named} (${by})</span>`;
}
