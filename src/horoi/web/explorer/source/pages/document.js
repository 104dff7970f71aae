// A document: who put its hash on the board and when, and the file itself where a peer keeps it.

import "../words/document.js";
import { act } from "../api.js";
import { useData } from "../data.js";
import { html, useState } from "../html.js";
import { bytes, number, t } from "../lang.js";
import { Condition } from "../parts/condition.js";
import { Facts, Heading, Instead, Section } from "../parts/page.js";
import { Block, Hash, Transaction, WholeHash } from "../parts/names.js";
import { Time } from "../parts/numbers.js";
import { Table } from "../parts/table.js";
import { Text } from "../parts/text.js";
import { token, useStore } from "../store.js";

export default function DocumentPage({ params }) {
  const path = `/v1/documents/${encodeURIComponent(params.hash)}`;
  const { data, reload, ...rest } = useData(path, { on: ["block"] });
  if (!data) return html`<${Heading} title=${t("document.document")} data=${path} /><${Instead} ...${rest} reload=${reload} />`;
  const columns = [
    { head: t("document.block"), cell: (entry) => html`<${Block} height=${entry.height} label=${number(entry.height)} />` },
    { head: t("document.time"), cell: (entry) => html`<${Time} ms=${entry.time_ms} />` },
    { head: t("document.author"), cell: (entry) => html`<${Condition} form=${entry.post.author} />` },
    { head: t("document.text"), cell: (entry) => html`<${Text} value=${entry.post.text} most=${200} />` },
    { head: t("document.transaction"), cell: (entry) => html`<${Transaction} id=${entry.transaction} />` },
  ];
  return html`<${Heading} kind=${t("document.document")} title=${html`<${Hash} value=${params.hash} length=${10} />`} window=${`${t("document.document")} ${params.hash.slice(0, 10)}`} data=${path} />
    <${Section} id="file" title=${t("document.file")} note=${t("document.note")}>
      <${Facts} rows=${[
        [t("document.hash"), html`<${WholeHash} value=${data.hash} />`, "", true],
        data.content && [t("document.size"), data.content.size_bytes === null ? t("document.unknown") : bytes(data.content.size_bytes)],
        data.content && [t("document.state"), t(`document.${data.content.state}`)],
      ]} />
      ${data.content?.state === "here" && html`<p><a href=${`${path}/content`} download=${`document-${params.hash.slice(0, 12)}`}>${t("document.download")}</a></p>`}
      ${data.content && data.content.state !== "here" && html`<${Fetch} path=${path} reload=${reload} />`}
    <//>
    <${Section} id="posted" title=${t("document.posted")}>
      <${Table} columns=${columns} rows=${data.posts} caption=${t("document.posted")} empty=${t("document.nobody")} />
    <//>`;
}

/** The owner may have the node look for the file among its peers. */
function Fetch({ path, reload }) {
  const owner = useStore(token);
  const [problem, setProblem] = useState(null);
  const fetchIt = async () => {
    try {
      await act(`${path}/fetch`, {});
      setTimeout(reload, 1_000);
    } catch (error) {
      setProblem(error);
    }
  };
  if (!owner) return html`<p class="note">${t("document.ask-owner")} <a href="/act">${t("nav.act")}</a></p>`;
  return html`<p><button type="button" onClick=${fetchIt}>${t("document.fetch")}</button></p>${problem && html`<${Instead} problem=${problem} />`}`;
}
