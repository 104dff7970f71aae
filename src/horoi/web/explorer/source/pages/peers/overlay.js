// The overlay drawn as a graph: this node in the middle, its peers around it, and outside the nodes that peers told of.
// The places are computed, not simulated: the same peers stand in the same places at every visit.

import { html, useEffect, useMemo, useRef, useState } from "../../html.js";
import { number, t } from "../../lang.js";
import { clip, pieces } from "../../parts/text.js";

const WIDEST = 860;
const HEIGHT = 420;
const MOST_KNOWN = 60; // nodes that are only heard of and drawn

export function Overlay({ data }) {
  const frame = useRef();
  const [width, setWidth] = useState(WIDEST);
  useEffect(() => {
    const watch = new ResizeObserver(([entry]) => setWidth(Math.min(WIDEST, Math.max(240, Math.floor(entry.contentRect.width)))));
    watch.observe(frame.current);
    return () => watch.disconnect();
  }, []);
  const { nodes, links } = useMemo(() => placed(data, width), [data, width]);
  const busiest = Math.max(1, ...data.nodes.map((node) => node.bytes_in + node.bytes_out));
  return html`<div ref=${frame}><svg class="overlay" width=${width} height=${HEIGHT} viewBox=${`0 0 ${width} ${HEIGHT}`} role="img" aria-label=${t("peers.aria", { n: data.nodes.filter((node) => node.kind === "peer").length })}>
    ${links.map(({ a, b, kind, traffic }) => html`<line class=${`edge ${kind}`} x1=${a.x} y1=${a.y} x2=${b.x} y2=${b.y} stroke-width=${kind === "linked" ? 1 + 5 * Math.sqrt(traffic / busiest) : 1} />`)}
    ${links.filter((link) => link.latency !== null).map(({ a, b, latency }) => html`<text class="edge-label" x=${(a.x + b.x) / 2 + 9} y=${(a.y + b.y) / 2 - 7} text-anchor="start">${number(latency, { maximumFractionDigits: 1 })} ms</text>`)}
    ${nodes.map((node) => html`<g key=${node.id} class=${`vertex ${node.kind} ${node.state}`}>
      <circle cx=${node.x} cy=${node.y} r=${node.kind === "known" ? 5 : node.kind === "self" ? 15 : 11} />
      ${node.kind !== "known" && html`<text x=${node.x} y=${node.y + (node.y < HEIGHT / 2 ? -18 : 28)} text-anchor="middle">${node.kind === "self" ? t("party.own") : plainly(node.label)}</text>
        <text class="vertex-height" x=${node.x} y=${node.y + 4} text-anchor="middle">${node.height === null ? "" : node.height > 9999 ? "" : node.height}</text>`}
      <title>${`${plainly(node.label)} ${node.address ?? ""}`}</title>
    </g>`)}
  </svg></div>`;
}

const plainly = (text) => pieces(clip(String(text ?? ""), 24)).map((piece) => (typeof piece === "string" ? piece : `[${piece.code}]`)).join("");

function placed(data, width) {
  const centre = { x: width / 2, y: HEIGHT / 2 };
  const peers = data.nodes.filter((node) => node.kind === "peer");
  const known = data.nodes.filter((node) => node.kind === "known").slice(0, MOST_KNOWN);
  const ring = (list, rx, ry, turn) => list.map((node, i) => {
    const angle = turn + (2 * Math.PI * i) / Math.max(1, list.length);
    return { ...node, x: centre.x + rx * Math.cos(angle), y: centre.y + ry * Math.sin(angle) };
  });
  const self = data.nodes.filter((node) => node.kind === "self").map((node) => ({ ...node, ...centre }));
  const nodes = [...ring(known, width * 0.46, HEIGHT * 0.46, 0.3), ...ring(peers, width * 0.3, HEIGHT * 0.33, -Math.PI / 2), ...self];
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const links = data.links
    .map((link) => {
      const [a, b] = [byId.get(link.source), byId.get(link.target)];
      const peer = a?.kind === "self" ? b : a;
      return { ...link, a, b, traffic: peer ? peer.bytes_in + peer.bytes_out : 0, latency: link.kind === "linked" ? (peer?.latency_ms ?? null) : null };
    })
    .filter((link) => link.a && link.b);
  return { nodes, links };
}
