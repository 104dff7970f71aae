// A block: its header, the puzzle that it solves, the Merkle tree that its content hangs on, and its neighbours.

import "../words/blocks.js";
import { url } from "../api.js";
import { useData } from "../data.js";
import { html } from "../html.js";
import { bytes, compact, number, t } from "../lang.js";
import { Audit } from "../parts/audit.js";
import { Condition } from "../parts/condition.js";
import { Facts, Heading, Instead, Section } from "../parts/page.js";
import { Block, Hash, Transaction, WholeHash, blockUrl } from "../parts/names.js";
import { AmountOf, Time } from "../parts/numbers.js";
import { Table } from "../parts/table.js";
import { Puzzle } from "./block/puzzle.js";
import { Tree } from "./block/tree.js";

const PAGE = 50;

export default function BlockPage({ params, query }) {
  const offset = Number(query.get("offset")) || 0;
  const base = `/v1/blocks/${encodeURIComponent(params.id)}`;
  const path = url(base, { offset: offset || null, limit: PAGE });
  const treePath = url(`${base}/tree`, { leaf: query.get("leaf") });
  const { data: block, ...rest } = useData(path, { on: ["block", "block-removed"] });
  const tree = useData(treePath);
  if (!block) return html`<${Heading} title=${t("block.block")} data=${path} /><${Instead} ...${rest} />`;
  const { header, neighbours } = block;
  return html`<${Heading} title=${t("block.name", { n: header.height })} data=${[path, treePath]}>
      <span class=${`tag ${header.confirmations ? "good" : "warn"}`}>${header.confirmations ? t("block.deep", { n: header.confirmations }) : t("block.stale")}</span>
    <//>
    <nav class="neighbours" aria-label=${t("block.neighbours")}>
      ${neighbours?.parent ? html`<a href=${blockUrl(header.height - 1)} rel="prev">← ${t("block.name", { n: header.height - 1 })}</a>` : html`<span class="faint">${t("block.genesis")}</span>`}
      ${neighbours?.next && html`<a href=${blockUrl(header.height + 1)} rel="next">${t("block.name", { n: header.height + 1 })} →</a>`}
    </nav>
    <div class="halves">
      <${Section} id="header" title=${t("block.header")}>
        <${Facts} rows=${[
          [t("block.hash"), html`<${WholeHash} value=${header.hash} />`, "", true],
          [t("block.time"), html`<${Time} ms=${header.time_ms} />`],
          [t("block.parent"), html`<${Hash} value=${header.parent} href=${header.height > 0 ? blockUrl(header.parent) : null} />`],
          [t("block.content"), html`<${Hash} value=${header.content_root} />`, t("block.content-hint")],
          [t("block.state"), html`<${Hash} value=${header.state_root} />`, t("block.state-hint")],
          [t("block.work"), compact(header.work), t("block.work-hint")],
          [t("block.size"), bytes(block.size_bytes)],
          [t("block.nonce"), html`<span class="hash">${header.nonce}</span>`],
        ]} />
        ${neighbours?.stale?.length > 0 && html`<h3 class="apart">${t("block.rivals")}</h3><ul>${neighbours.stale.map((hash) => html`<li><${Hash} value=${hash} href=${blockUrl(hash)} length=${16} /></li>`)}</ul>`}
      <//>
      ${block.puzzle && html`<${Puzzle} header=${header} puzzle=${block.puzzle} />`}
    </div>
    <${Audit} kind="block" id=${header.hash} />
    <${Section} id="tree" title=${t("tree.title")} note=${t("tree.note")}>
      ${tree.data ? html`<${Tree} data=${tree.data} base=${blockUrl(params.id)} />` : html`<${Instead} ...${tree} />`}
    <//>
    <div class="columns">
      <${Section} id="transactions" title=${t("block.count", { n: block.transaction_count })}>
        <${Transactions} block=${block} offset=${offset} base=${blockUrl(params.id)} />
      <//>
      <${Section} id="reward" title=${t("block.reward")} note=${t("block.reward-note")}>
        <ul>${block.reward.map((output) => html`<li><${AmountOf} value=${output.amount} /> → <${Condition} form=${output.owner} /></li>`)}</ul>
        ${block.reward.length === 0 && html`<p class="empty">${t("block.reward-none")}</p>`}
      <//>
    </div>`;
}

function Transactions({ block, offset, base }) {
  const rows = block.transactions.map((id, i) => ({ id, place: offset + i }));
  const columns = [
    { head: t("block.place"), cell: ({ place }) => number(place + 1) },
    { head: t("block.transaction"), cell: ({ id }) => html`<${Transaction} id=${id} length=${16} />` },
    { head: t("tree.leaf"), cell: ({ place }) => html`<a href=${url(base, { leaf: place + 1, offset: offset || null })}>${number(place + 1)}</a>` },
  ];
  return html`<${Table} columns=${columns} rows=${rows} caption=${t("block.transactions")} rowKey=${({ id }) => id} empty=${t("block.empty")} />
    <div class="pager">
      ${offset > 0 && html`<a href=${url(base, { offset: Math.max(0, offset - PAGE) || null })}>${t("page.newer")}</a>`}
      ${offset + rows.length < block.transaction_count && html`<a href=${url(base, { offset: offset + PAGE })}>${t("page.next")}</a>`}
    </div>`;
}
