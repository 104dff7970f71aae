// Blocks of the connected chain, newest first.

import "../words/blocks.js";
import { url } from "../api.js";
import { useData, useNow } from "../data.js";
import { html } from "../html.js";
import { bytes, compact, number, t } from "../lang.js";
import { Heading, Instead, Section } from "../parts/page.js";
import { Block, Hash, blockUrl } from "../parts/names.js";
import { Time } from "../parts/numbers.js";
import { Table } from "../parts/table.js";

const PAGE = 30;

export default function Blocks({ query }) {
  const before = query.get("before");
  const path = url("/v1/blocks", { before, limit: PAGE });
  const { data, ...rest } = useData(path, { on: before ? ["block-removed"] : ["block", "block-removed"] });
  const now = useNow(before ? 60_000 : 1_000);
  const columns = [
    { head: t("block.height"), cell: ({ header }) => html`<${Block} height=${header.height} label=${number(header.height)} />` },
    { head: t("block.time"), cell: ({ header }) => html`<${Time} ms=${header.time_ms} now=${before ? 0 : now} />` },
    { head: t("block.transactions"), right: true, cell: (block) => number(block.transaction_count) },
    { head: t("block.size"), right: true, cell: (block) => bytes(block.size_bytes) },
    { head: t("block.difficulty"), right: true, cell: ({ header }) => compact(header.difficulty) },
    { head: t("block.hash"), cell: ({ header }) => html`<${Hash} value=${header.hash} href=${blockUrl(header.hash)} />` },
  ];
  const last = data?.blocks.at(-1)?.header.height;
  return html`<${Heading} title=${t("blocks.title")} data=${path} />
    <${Section} id="blocks" title=${t("blocks.chain")}>
      ${data
        ? html`<${Table} columns=${columns} rows=${data.blocks} caption=${t("blocks.title")} rowKey=${({ header }) => header.hash} />
          <div class="pager">${before && html`<a href="/blocks">${t("page.first")}</a>`}${last > 0 && html`<a href=${url("/blocks", { before: last })}>${t("page.older")}</a>`}</div>`
        : html`<${Instead} ...${rest} />`}
    <//>`;
}
