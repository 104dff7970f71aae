// A company, or any key: what it owns and holds, what it did and said, and by what name this node knows it.

import "../words/key.js";
import { act, get, url } from "../api.js";
import { useData } from "../data.js";
import { html, useEffect, useState } from "../html.js";
import { number, t } from "../lang.js";
import { readNames } from "../names.js";
import { Lines } from "../parts/lines.js";
import { Facts, Heading, Instead, Section } from "../parts/page.js";
import { Asset, Block, Transaction, WholeHash } from "../parts/names.js";
import { Amount, AmountOf } from "../parts/numbers.js";
import { Table } from "../parts/table.js";
import { Text } from "../parts/text.js";
import { token, useStore } from "../store.js";
import { status } from "../status.js";

const PAGE = 20;

export default function KeyPage({ params }) {
  const base = `/v1/keys/${encodeURIComponent(params.id)}`;
  const path = url(base, { limit: PAGE });
  const { data, reload, ...rest } = useData(path, { on: ["block", "block-removed"] });
  const [older, setOlder] = useState({ lines: [], next: undefined });
  const node = useStore(status);
  const owner = useStore(token);
  if (!data) return html`<${Heading} title=${t("key.key")} data=${path} /><${Instead} ...${rest} reload=${reload} />`;

  const { party } = data;
  const seen = new Set(data.lines.map((line) => line.id));
  const lines = [...data.lines, ...older.lines.filter((line) => !seen.has(line.id))];
  const next = older.next === undefined ? data.next : older.next;
  const more = async () => {
    const page = await get(url(base, { before: next, limit: PAGE }));
    setOlder({ lines: [...older.lines, ...page.lines], next: page.next });
  };
  const isTrusted = party.source === "book" || party.source === "own";
  return html`<${Heading} kind=${isTrusted ? t(`key.${party.source}`) : t("key.key")} title=${html`<${Text} value=${party.text} most=${80} />`} window=${party.text.slice(0, 60)} data=${path}>
      ${node?.key === party.address && html`<span class="tag good">${t("party.own")}</span>`}
    <//>
    <${Section} id="who" title=${t("key.who")}>
      <${Facts} rows=${[
        party.address && [t("key.address"), html`<${WholeHash} value=${party.address} />`, "", true],
        party.key && [t("key.public"), html`<${WholeHash} value=${party.key} />`, "", true],
        data.transactions !== undefined && [t("key.transactions"), number(data.transactions)],
      ]} />
      ${data.claims.length > 0 && html`<div class="claims"><p class="note">${t("key.claims-note")}</p>
        <ul>${data.claims.map((claim) => html`<li><span class="claim">“<${Text} value=${claim.name} most=${64} />” ${t("party.claim")}</span> · <${Block} height=${claim.height} /> · <${Transaction} id=${claim.transaction} /></li>`)}</ul></div>`}
      ${owner && party.address && html`<${Naming} party=${party} reload=${reload} />`}
    <//>
    <div class="halves">
      <${Section} id="has" title=${t("key.has")}>
        <${Table} caption=${t("key.has")} rows=${data.sums} rowKey=${(sum) => sum.owned.asset} empty=${t("key.nothing")} columns=${[
          { head: t("key.asset"), cell: (sum) => html`<${Asset} id=${sum.owned.asset} name=${sum.owned.name} alike=${sum.owned.alike} />` },
          { head: t("key.owns"), right: true, cell: (sum) => html`<${Amount} value=${sum.owned} />` },
          { head: t("key.holds"), right: true, cell: (sum) => html`<${Amount} value=${sum.held} />` },
        ]} />
        ${data.truncated && html`<p class="note">${t("key.truncated")}</p>`}
      <//>
      <${Section} id="rights" title=${t("key.rights")} note=${t("key.rights-note")}>
        <ul>${data.rights.map((right) => html`<li class="line-short"><${AmountOf} value=${right.amount} />
          ${right.recipes.length > 0 && html`<ul class="inner faint">${right.recipes.map((recipe) => html`<li>${t("key.recipe")} <${Amount} value=${recipe.product} /> ← ${recipe.sources.map((source, i) => html`${i > 0 && " + "}<${AmountOf} value=${source} />`)}</li>`)}</ul>`}</li>`)}</ul>
        ${data.rights.length === 0 && html`<p class="empty">${t("key.none")}</p>`}
      <//>
    </div>
    <${Section} id="did" title=${t("key.did")}>
      ${lines.length ? html`<${Lines} lines=${lines} tip=${tipOf(lines)} label=${t("key.did")} />` : html`<p class="empty">${t("key.never")}</p>`}
      ${next && html`<div class="pager"><button type="button" onClick=${more}>${t("page.older")}</button></div>`}
    <//>`;
}

/** The height now, as the lines' own depths tell it. */
function tipOf(lines) {
  return Math.max(0, ...lines.map((line) => (line.height === null ? 0 : line.height + line.confirmations - 1)));
}

/** The owner of the node gives a key the name that he knows it by. */
function Naming({ party, reload }) {
  const [problem, setProblem] = useState(null);
  const [name, setName] = useState(party.source === "book" ? party.name : "");
  useEffect(() => setName(party.source === "book" ? party.name : ""), [party.name]);
  const save = async (event) => {
    event.preventDefault();
    try {
      await act("/v1/names", { name: name.trim(), address: party.address });
      await readNames();
      setProblem(null);
      reload();
    } catch (error) {
      setProblem(error);
    }
  };
  return html`<form class="row" onSubmit=${save}>
    <label>${t("key.call")} <input value=${name} maxlength="64" onInput=${(event) => setName(event.target.value)} /></label>
    <button>${t("key.save")}</button>
    ${problem && html`<${Instead} problem=${problem} />`}
  </form>`;
}
