// An asset: how much there is, who owns and who holds it, where it came from and went, and whether its books meet.

import "../words/assets.js";
import { url } from "../api.js";
import { useData } from "../data.js";
import { html, useState } from "../html.js";
import { number, t } from "../lang.js";
import { Audit } from "../parts/audit.js";
import { Condition } from "../parts/condition.js";
import { Lines } from "../parts/lines.js";
import { Facts, Heading, Instead, Section } from "../parts/page.js";
import { Block, Copy, Hash, Transaction } from "../parts/names.js";
import { Amount } from "../parts/numbers.js";
import { Text } from "../parts/text.js";
import { Provenance } from "./asset/provenance.js";
import { Reconciliation, Shares } from "./asset/reconciliation.js";

const FORMS = ["epcis", "prov", "csv"]; // of GET /v1/assets/{id}/export

export default function AssetPage({ params }) {
  const base = `/v1/assets/${encodeURIComponent(params.id)}`;
  const [offset, setOffset] = useState(null);
  const flowPath = url(`${base}/provenance`, { offset, limit: 40 });
  const { data, ...rest } = useData(base, { on: ["block"] });
  const flow = useData(flowPath, { on: ["block"] });
  const { asset } = data ?? {};

  if (!asset) return html`<${Heading} title=${t("asset.asset")} kind="" data=${base} /><${Instead} ...${rest} />`;
  const books = flow.data?.reconciliation;
  return html`<${Heading} kind=${t("asset.asset")} title=${html`<${Text} value=${asset.name} most=${120} />`} window=${asset.name.slice(0, 60)} data=${[base, flowPath]} />
    <${Section} id="now" title=${t("asset.now")} class="now">
      <p class="figure-big"><${Amount} amount=${asset.existing_amount} unit=${asset.unit} /></p>
      <${Facts} rows=${[
        [t("asset.issuer"), html`<${Condition} form=${asset.issuer} />`],
        [t("asset.limit"), html`<${Amount} amount=${scaled(asset.limit, asset.decimals)} unit=${asset.unit} />`],
        [t("asset.defined"), html`<${Block} height=${asset.height} /> · <${Transaction} id=${asset.transaction} />`],
        [t("asset.custody"), asset.custody ? t("asset.custody-yes") : t("asset.custody-no")],
        [t("asset.transactions"), number(asset.transactions)],
        [t("asset.id"), html`<${Hash} value=${asset.id} length=${12} /><${Copy} value=${asset.id} />`],
        asset.terms && [t("asset.terms"), html`<${Hash} value=${asset.terms} href=${`/document/${asset.terms}`} />`],
      ]} />
    <//>
    <${Audit} kind="asset" id=${asset.id} />
    <${Section} id="flow" title=${t("flow.title")} note=${t("flow.note")}>
      ${flow.data
        ? html`<${Provenance} data=${flow.data} />
          ${(flow.data.previous !== null || flow.data.next !== null) && html`<div class="pager">
            <button type="button" disabled=${flow.data.previous === null} onClick=${() => setOffset(flow.data.previous)}>${t("page.older")}</button>
            <button type="button" disabled=${flow.data.next === null} onClick=${() => setOffset(flow.data.next)}>${t("page.newer")}</button>
          </div>`}`
        : html`<${Instead} ...${flow} />`}
    <//>
    <div class="halves">
      ${books && html`<${Reconciliation} books=${books} />`}
      ${books && html`<div>
        <${Shares} id="owners" title=${t("asset.owners")} rows=${books.by_owner} total=${books.existing} unit=${asset.unit} />
        ${asset.custody && html`<${Shares} id="holders" title=${t("asset.holders")} rows=${books.by_custodian} total=${books.existing} unit=${asset.unit} />`}
      </div>`}
    </div>
    <${History} base=${base} count=${asset.transactions} />
    <${Section} id="export" title=${t("asset.export")} note=${t("asset.export-note")}>
      <ul class="inline">${FORMS.map((form) => html`<li><a href=${`${base}/export?form=${form}`} download>${t(`asset.export-${form}`)}</a></li>`)}</ul>
    <//>`;
}

const PAGE = 20;

function History({ base, count }) {
  const [end, setEnd] = useState(null); // transactions from the first on up to here; null: all of them
  const until = end ?? count;
  const path = url(`${base}/history`, { offset: Math.max(0, until - PAGE), limit: Math.min(PAGE, until) || 1 });
  const { data, ...rest } = useData(path, { on: ["block"] });
  const tip = Math.max(0, ...(data?.transactions ?? []).flatMap((event) => event.lines).map((line) => line.height + line.confirmations - 1));
  return html`<${Section} id="history" title=${t("asset.history")}>
    ${data
      ? html`<${Lines} lines=${[...data.transactions].reverse().flatMap((event) => event.lines)} tip=${tip} label=${t("asset.history")} />
        ${count > PAGE && html`<div class="pager">
          <button type="button" disabled=${until <= PAGE} onClick=${() => setEnd(Math.max(PAGE, until - PAGE))}>${t("page.older")}</button>
          <button type="button" disabled=${end === null} onClick=${() => setEnd(until + PAGE >= count ? null : until + PAGE)}>${t("page.newer")}</button>
        </div>`}`
      : html`<${Instead} ...${rest} />`}
  <//>`;
}

/** Smallest units as decimal text, exactly: 1050 with two decimals is 10.50. */
export function scaled(quantity, decimals) {
  if (!decimals) return quantity;
  const digits = quantity.padStart(decimals + 1, "0");
  return `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}
