// Provenance as a Sankey diagram (Riall Sankey's steam engine, 1898): what flows in flows out, widths in proportion to quantity.
// The node gives the graph with its layers; d3-sankey places it; this file draws it.

import { sankey, sankeyLinkHorizontal } from "d3-sankey";
import { html, useMemo, useRef, useState, useEffect } from "../../html.js";
import { number, t } from "../../lang.js";
import { Figure } from "../../parts/figure.js";
import { idMark, Party, shortName, Transaction, transactionUrl } from "../../parts/names.js";
import { Amount } from "../../parts/numbers.js";
import { clip, pieces, Text } from "../../parts/text.js";

const NODE_WIDTH = 10;
const LAYER_WIDTH = 150; // room for a label between two layers
const NODE_GAP = 26; // room for a label of two lines
const COLOURS = 6; // --flow-1 ... in tokens.css
const ENDS = ["retired", "consumed"];

export function Provenance({ data }) {
  const colours = useMemo(() => colouring(data.nodes), [data]);
  const rows = data.nodes;
  const columns = [
    { head: t("flow.step"), cell: (node) => t(`flow.${node.kind}`) },
    { head: t("asset.asset"), cell: (node) => html`<${Text} value=${node.asset_name} most=${48} plain />${node.asset_alike && ` ${idMark(node.asset)}`}` },
    { head: t("flow.quantity"), right: true, cell: (node) => node.kind === "transform" ? "–" : html`<${Amount} amount=${node.amount} unit=${node.unit} />` },
    { head: t("flow.owner"), cell: (node) => node.owner ? html`<${Party} party=${node.owner} />` : "–" },
    { head: t("flow.custodian"), cell: (node) => node.custodian ? html`<${Party} party=${node.custodian} />` : "–" },
    { head: t("flow.remains"), right: true, cell: (node) => node.remains && node.remains !== "0" ? html`<${Amount} amount=${node.remains_amount} unit=${node.unit} />` : "–" },
    { head: t("flow.from"), cell: (node) => sources(data, node) },
    { head: t("tx.transaction"), cell: (node) => node.transaction ? html`<${Transaction} id=${node.transaction} />` : "–" },
  ];
  return html`<${Figure}
    caption=${t("flow.caption", { n: data.transactions })}
    picture=${html`<${Diagram} data=${data} colours=${colours} /><${Legend} nodes=${data.nodes} colours=${colours} />`}
    columns=${columns} rows=${rows} note=${data.truncated ? t("flow.truncated") : null} />`;
}

function sources(data, node) {
  const names = new Map(data.nodes.map((n) => [n.id, n]));
  return data.links.filter((link) => link.target === node.id).map((link, i) => html`${i > 0 && ", "}${number(link.amount)} ← <${Text} value=${shortName(names.get(link.source)?.owner) || t(`flow.${names.get(link.source)?.kind}`)} most=${32} plain />`);
}

/** A colour for each asset, in the order in which they appear. */
function colouring(nodes) {
  const found = new Map();
  for (const node of nodes) if (node.kind !== "transform" && !found.has(node.asset)) found.set(node.asset, 1 + (found.size % COLOURS));
  return found;
}

function Legend({ nodes, colours }) {
  const names = new Map(nodes.filter((node) => colours.has(node.asset)).map((node) => [node.asset, node]));
  if (names.size < 2) return null;
  return html`<ul class="legend">${[...names].map(([asset, node]) => html`<li><span class=${`swatch flow-${colours.get(asset)}`}></span><${Text} value=${node.asset_name} most=${40} plain />${node.asset_alike && ` ${idMark(asset)}`}</li>`)}</ul>`;
}

function Diagram({ data, colours }) {
  const frame = useRef();
  const [room, setRoom] = useState(900);
  useEffect(() => {
    const watch = new ResizeObserver(([entry]) => setRoom(Math.floor(entry.contentRect.width)));
    watch.observe(frame.current);
    return () => watch.disconnect();
  }, []);
  const layers = 1 + Math.max(0, ...data.nodes.map((node) => node.layer));
  const tallest = Math.max(1, ...Array.from({ length: layers }, (_, i) => data.nodes.filter((node) => node.layer === i).length));
  const width = Math.max(room, layers * LAYER_WIDTH);
  const height = Math.min(900, Math.max(190, 90 + tallest * 62));
  const graph = useMemo(() => placed(data, width, height, layers), [data, width, height]);
  if (data.nodes.length === 0) return html`<p class="empty" ref=${frame}>${t("flow.none")}</p>`;
  return html`<div class="scroller" ref=${frame} ...${width > room ? { tabindex: 0, role: "region", "aria-label": t("flow.title") } : {}}>
    <svg class="sankey" width=${width} height=${height} viewBox=${`0 0 ${width} ${height}`} role="group" aria-label=${t("flow.aria")}>
      <g class="flows">${graph.links.map((link) => html`<path key=${link.index} class=${`flow flow-${colours.get(link.asset) ?? COLOURS}`} d=${sankeyLinkHorizontal()(link)} stroke-width=${Math.max(1, link.width)}>
        <title>${`${ownerOf(link.source)} → ${ownerOf(link.target)}: ${number(link.amount)}`}</title>
      </path>`)}</g>
      ${graph.nodes.map((node) => html`<${Node} key=${node.id} node=${node} colour=${colours.get(node.asset)} isLast=${node.x1 + LAYER_WIDTH > width} />`)}
    </svg>
  </div>`;
}

function placed(data, width, height, layers) {
  if (data.nodes.length === 0) return null; // defined and not issued yet: d3-sankey wants a layer
  const known = new Set(data.nodes.map((node) => node.id));
  const layout = sankey()
    .nodeId((node) => node.id)
    .nodeAlign((node) => Math.min(layers - 1, node.layer))
    .nodeWidth(NODE_WIDTH)
    .nodePadding(NODE_GAP)
    .extent([[1, 14], [width - (layers === 1 ? LAYER_WIDTH : 1), height - 18]]);
  const linked = new Set(data.links.flatMap((link) => [link.source, link.target]));
  const nodes = data.nodes.map((node) => (linked.has(node.id) ? { ...node } : { ...node, fixedValue: Math.max(Number(node.amount) || 0, 1e-9) }));
  const links = data.links.filter((link) => known.has(link.source) && known.has(link.target)).map((link) => ({ ...link, value: Math.max(link.value, 1e-9) }));
  return layout({ nodes, links });
}

/** Whether somebody else than the owner holds it. */
const isElsewhere = (node) => node.owner && node.custodian && node.owner.text !== shortName(node.custodian);

const ownerOf = (node) => plainly(shortName(node.owner) || (node.kind === "transform" ? "" : node.label) || t(`flow.${node.kind}`));
const amountOf = (node) => (node.kind === "transform" ? t("flow.transform") : `${number(node.amount)} ${plainly(node.unit)}`);

/** A label as text alone, for SVG: what would be a mark in HTML is written out. */
const plainly = (text) => pieces(clip(String(text ?? ""), 26)).map((piece) => (typeof piece === "string" ? piece : `[${piece.code}]`)).join("");

function Node({ node, colour, isLast }) {
  const x = isLast ? node.x0 - 6 : node.x1 + 6;
  const y = (node.y0 + node.y1) / 2;
  const isEnd = ENDS.includes(node.kind);
  const shape = html`<rect x=${node.x0} y=${node.y0} width=${node.x1 - node.x0} height=${Math.max(1.5, node.y1 - node.y0)} class=${`flow-node flow-${colour} ${isEnd ? "end" : node.kind}`} />
    <text class="flow-label" x=${x} y=${y} text-anchor=${isLast ? "end" : "start"} dir="ltr">
      <tspan x=${x} dy="-0.15em" class="flow-amount">${amountOf(node)}</tspan>
      <tspan x=${x} dy="1.15em">${isEnd ? plainly(node.reason || t(`flow.${node.kind}`)) : ownerOf(node)}</tspan>
      ${isElsewhere(node) && html`<tspan x=${x} dy="1.15em" class="flow-holder">${t("flow.held", { who: plainly(shortName(node.custodian)) })}</tspan>`}
    </text>
    <title>${`${t(`flow.${node.kind}`)}: ${ownerOf(node)}, ${amountOf(node)}`}</title>`;
  return node.transaction ? html`<a href=${transactionUrl(node.transaction)} class="flow-link">${shape}</a>` : html`<g>${shape}</g>`;
}
