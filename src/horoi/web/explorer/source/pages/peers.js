// The overlay as this node sees it: who is linked, how fast, how much flows, and who is first with news.

import "../words/peers.js";
import { act } from "../api.js";
import { useData, useNow } from "../data.js";
import { html, useState } from "../html.js";
import { bytes, number, t } from "../lang.js";
import { Figure } from "../parts/figure.js";
import { Heading, Instead, Section } from "../parts/page.js";
import { Hash } from "../parts/names.js";
import { Time } from "../parts/numbers.js";
import { Table } from "../parts/table.js";
import { Text } from "../parts/text.js";
import { token, useStore } from "../store.js";
import { TAGS } from "./board/agreement.js";
import { Overlay } from "./peers/overlay.js";

const PATH = "/v1/network";

export default function Peers() {
  const { data, ...rest } = useData(PATH, { on: ["peer", "peer-lost", "agreement", "block"] });
  const now = useNow(5_000);
  const owner = useStore(token);
  if (!data) return html`<${Heading} title=${t("peers.title")} data=${PATH} /><${Instead} ...${rest} />`;
  const linked = data.nodes.filter((node) => node.kind !== "known");
  const columns = [
    { head: t("peers.node"), cell: (node) => html`<${Text} plain most=${48} value=${node.label} />${node.agent && html`<br /><span class="faint"><${Text} plain most=${40} value=${node.agent} /></span>`}` },
    { head: t("peers.state"), cell: (node) => html`<span class=${`tag ${TAGS[node.state] ?? ""}`}>${node.kind === "self" ? t("party.own") : t(`peer.${node.state}`)}</span>` },
    { head: t("peers.height"), right: true, cell: (node) => node.height === null ? "–" : html`${number(node.height)}${node.behind > 0 ? html` <span class="faint">(−${number(node.behind)})</span>` : ""}` },
    { head: t("peers.tip"), cell: (node) => html`<${Hash} value=${node.tip} length=${6} />` },
    { head: t("peers.latency"), right: true, cell: (node) => node.latency_ms === null ? "–" : `${number(node.latency_ms, { maximumFractionDigits: 1 })} ms` },
    { head: t("peers.traffic"), right: true, cell: (node) => node.kind === "self" ? "–" : html`↓ ${bytes(node.bytes_in)}<br />↑ ${bytes(node.bytes_out)}` },
    { head: t("peers.gave"), right: true, cell: (node) => node.kind === "self" ? "–" : html`${t("peers.blocks", { n: node.first_blocks })}<br />${t("peers.transactions", { n: node.first_transactions })}` },
    { head: t("peers.link"), cell: (node) => node.kind === "self" ? "–" : html`${t(node.outbound ? "peers.outbound" : "peers.inbound")}<br /><span class="faint">${node.since_ms && html`<${Time} ms=${node.since_ms} now=${now} />`}</span>` },
    { head: t("peers.points"), right: true, cell: (node) => number(node.points) },
  ];
  return html`<${Heading} title=${t("peers.title")} data=${PATH} />
    <${Section} id="overlay" title=${t("peers.overlay")} note=${t("peers.note", { n: data.known_addresses })}>
      <${Figure} caption=${t("peers.caption", { n: linked.length - 1 })} picture=${html`<${Overlay} data=${data} />`} columns=${columns} rows=${data.nodes} />
    <//>
    <${Section} id="linked" title=${t("peers.linked")}>
      <${Table} columns=${columns} rows=${linked} caption=${t("peers.linked")} rowKey=${(node) => node.id} />
    <//>
    ${owner && html`<${Dial} />`}`;
}

/** The owner may add a peer by its address. */
function Dial() {
  const [answer, setAnswer] = useState({});
  const dial = async (event) => {
    event.preventDefault();
    const address = new FormData(event.target).get("address").trim();
    try {
      setAnswer({ said: (await act("/v1/peers", { address })).address });
    } catch (problem) {
      setAnswer({ problem });
    }
  };
  return html`<${Section} id="dial" title=${t("peers.dial")}>
    <form class="row" onSubmit=${dial}>
      <label>${t("peers.address")} <input name="address" required minlength="3" maxlength="262" placeholder="198.51.100.7:7700" /></label>
      <button>${t("peers.dial-go")}</button>
    </form>
    <div role="status">${answer.said && t("peers.dialing", { address: answer.said })}</div>
    ${answer.problem && html`<${Instead} problem=${answer.problem} />`}
  <//>`;
}
