// All assets of the ledger.

import "../words/assets.js";
import { url } from "../api.js";
import { useData } from "../data.js";
import { html } from "../html.js";
import { number, t } from "../lang.js";
import { Heading, Instead, Section } from "../parts/page.js";
import { Asset, Block } from "../parts/names.js";
import { Amount } from "../parts/numbers.js";
import { Table } from "../parts/table.js";

export default function Assets({ query }) {
  const path = url("/v1/assets", { limit: 100, after: query.get("after") });
  const { data, ...rest } = useData(path, { on: ["block"] });
  const columns = [
    { head: t("asset.asset"), cell: (asset) => html`<${Asset} id=${asset.id} name=${asset.name} alike=${asset.alike} />` },
    { head: t("asset.exists"), right: true, cell: (asset) => html`<${Amount} amount=${asset.existing_amount} unit=${asset.unit} />` },
    { head: t("asset.transactions"), right: true, cell: (asset) => number(asset.transactions) },
    { head: t("asset.defined"), right: true, cell: (asset) => html`<${Block} height=${asset.height} label=${number(asset.height)} />` },
  ];
  return html`<${Heading} title=${t("assets.title")} data=${path} />
    <${Section} id="assets" title=${t("assets.all")}>
      ${data
        ? html`<${Table} columns=${columns} rows=${data.assets} caption=${t("assets.title")} rowKey=${(asset) => asset.id} empty=${t("assets.none")} />
          <div class="pager">${query.get("after") && html`<a href="/assets">${t("page.first")}</a>`}${data.next && html`<a href=${url("/assets", { after: data.next })}>${t("page.next")}</a>`}</div>`
        : html`<${Instead} ...${rest} />`}
    <//>`;
}
