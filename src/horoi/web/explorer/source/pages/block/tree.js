// The Merkle tree of a block (RFC 9162, section 2.1): change one transaction and every hash above it changes, up to the root in
// the header. A chosen leaf shows its path: the hashes that prove it is in the tree.

import { html } from "../../html.js";
import { number, t } from "../../lang.js";
import { url } from "../../api.js";
import { Figure } from "../../parts/figure.js";
import { Hash, Transaction } from "../../parts/names.js";

const SLOT = 58; // pixels of a leaf's place where hashes are written
const NARROW = 17; // and where there are too many for that
const ROW = 54;
const WRITTEN = 16; // leaves whose hashes are written out

export function Tree({ data, base }) {
  const chosen = data.path?.leaf ?? null;
  const columns = [
    { head: t("tree.leaf"), cell: (item) => html`<a href=${url(base, { leaf: item.index })} aria-current=${item.index === chosen ? "true" : undefined}>${number(item.index)}</a>` },
    { head: t("tree.what"), cell: (item) => t(`tree.${item.kind}`) },
    { head: t("tree.id"), cell: (item) => item.kind === "transaction" ? html`<${Transaction} id=${item.id} />` : html`<${Hash} value=${item.id} />` },
    { head: t("tree.hash"), cell: (item) => html`<${Hash} value=${item.hash} />` },
  ];
  return html`<${Figure} caption=${t("tree.caption", { n: data.leaves })} columns=${columns} rows=${data.items} picture=${html`<${Drawing} data=${data} base=${base} chosen=${chosen} />`} note=${data.omitted_levels ? t("tree.omitted", { n: data.omitted_levels }) : null} />
    ${data.path && html`<${Path} path=${data.path} root=${data.root} />`}`;
}

function Drawing({ data, base, chosen }) {
  const levels = data.levels;
  const bottom = levels.at(-1) ?? [];
  const isWritten = bottom.length <= WRITTEN;
  const slot = isWritten ? SLOT : NARROW;
  const width = Math.max(200, bottom.length * slot);
  const height = levels.length * ROW;
  const depth = levels.length - 1;
  const onPath = new Set();
  const siblings = new Set();
  if (chosen !== null) {
    for (let level = 0, i = chosen >> data.omitted_levels; level <= depth; level++, i >>= 1) {
      onPath.add(`${depth - level}.${i}`);
      siblings.add(`${depth - level}.${i ^ 1}`);
    }
  }
  // A node stands in the middle of the leaves below it.
  const spot = (level, index) => {
    const span = 2 ** (depth - level);
    const from = index * span;
    const to = Math.min(bottom.length, from + span);
    return { x: ((from + to) / 2) * slot, y: level * ROW + ROW / 2 };
  };
  return html`<div class="scroller" tabindex="0" role="region" aria-label=${t("tree.aria")}><svg class="tree" width=${width} height=${height} viewBox=${`0 0 ${width} ${height}`} role="group" aria-label=${t("tree.aria")}>
    ${levels.map((nodes, level) => level > 0 && nodes.map((node) => {
      const [a, b] = [spot(level, node.index), spot(level - 1, node.index >> 1)];
      const isOn = onPath.has(`${level}.${node.index}`);
      return html`<path class=${`branch ${isOn ? "on" : ""}`} d=${`M${a.x},${a.y}V${(a.y + b.y) / 2}H${b.x}V${b.y}`} />`;
    }))}
    ${levels.map((nodes, level) => nodes.map((node) => {
      const { x, y } = spot(level, node.index);
      const name = `${level}.${node.index}`;
      const kind = onPath.has(name) ? "on" : chosen !== null && siblings.has(name) && level > 0 ? "sibling" : "";
      const isWide = isWritten || nodes.length * SLOT <= width;
      const shape = html`<rect class=${`knot ${kind}`} x=${x - (isWide ? 25 : 6)} y=${y - (isWide ? 11 : 6)} width=${isWide ? 50 : 12} height=${isWide ? 22 : 12} rx="2" /><title>${node.hash}</title>${isWide && html`<text class="knot-label" x=${x} y=${y + 4} text-anchor="middle">${node.hash.slice(0, 6)}</text>`}`;
      const isLeaf = level === depth && !data.omitted_levels;
      return isLeaf ? html`<a href=${url(base, { leaf: node.index })} aria-label=${`${t("tree.leaf-n", { n: node.index })}: ${node.hash.slice(0, 6)}`}>${shape}</a>` : html`<g>${shape}</g>`;
    }))}
  </svg></div>`;
}

function Path({ path, root }) {
  return html`<div class="path">
    <h3>${t("tree.path", { leaf: number(path.leaf) })}</h3>
    <ol>
      <li><span class="faint">${t("tree.leaf-hash")}</span> <${Hash} value=${path.hash} length=${12} /></li>
      ${path.siblings.map((hash) => html`<li><span class="faint">${t("tree.with")}</span> <${Hash} value=${hash} length=${12} /></li>`)}
      <li><span class="faint">${t("tree.gives")}</span> <${Hash} value=${root} length=${12} /></li>
    </ol>
  </div>`;
}
