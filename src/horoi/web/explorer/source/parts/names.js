// Names of things: hashes, companies, assets, transactions, blocks, each a link to its page.

import { html, useState } from "../html.js";
import { t } from "../lang.js";
import { Text } from "./text.js";

/** A hash in short: its beginning and end, whole as its title. */
export function Hash({ value, href, length = 8 }) {
  if (!value) return "–";
  const short = value.length > 2 * length ? `${value.slice(0, length)}…${value.slice(-4)}` : value;
  return href
    ? html`<a class="hash" href=${href} title=${value}>${short}</a>`
    : html`<span class="hash" title=${value}>${short}</span>`;
}

/** A hash whole, with a button that copies it. */
export function WholeHash({ value, href }) {
  return html`<span class="whole">${href ? html`<a class="hash" href=${href}>${value}</a>` : html`<span class="hash">${value}</span>`}<${Copy} value=${value} /></span>`;
}

export function Copy({ value }) {
  const [isDone, setDone] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(value);
      setDone(true);
      setTimeout(() => setDone(false), 1500);
    } catch {
      setDone(false); // not allowed here: the text can still be selected
    }
  };
  return html`<button type="button" class="quiet copy" onClick=${copy} aria-label=${isDone ? t("copy.done") : t("copy")} title=${t("copy")}>${isDone ? "✓" : "⧉"}</button>`;
}

export const assetUrl = (id) => `/asset/${encodeURIComponent(id)}`;
export const keyUrl = (id) => `/key/${encodeURIComponent(id)}`;
export const transactionUrl = (id) => `/tx/${encodeURIComponent(id)}`;
export const blockUrl = (id) => `/block/${encodeURIComponent(id)}`;

export function Asset({ id, name }) {
  return html`<a class="asset" href=${assetUrl(id)} title=${id}>${name ? html`<${Text} plain most=${48} value=${name} />` : html`<${Hash} value=${id} />`}</a>`;
}

/**
 * A party as the API describes it: a name that this node trusts, or the shortened address; what a key says of itself is marked
 * as such. A compound condition has no single key and so no link.
 */
export function Party({ party, own }) {
  if (!party) return html`<span class="faint">${t("party.nobody")}</span>`;
  const label = html`<${Text} plain most=${48} value=${party.text} />`;
  const linked = party.key || party.address ? html`<a class=${party.source === "book" || party.source === "own" ? "party" : "party hash"} href=${keyUrl(party.address ?? party.key)} title=${party.address ?? party.key}>${label}</a>` : html`<span class="party">${label}</span>`;
  const claim = party.source === "claim" && party.name ? html` <span class="claim">“<${Text} plain most=${32} value=${party.name} />” ${t("party.claim")}</span>` : "";
  return html`${linked}${claim}${own && party.source === "own" ? html` <span class="tag">${t("party.own")}</span>` : ""}`;
}

export function Transaction({ id, length }) {
  return html`<${Hash} value=${id} href=${transactionUrl(id)} length=${length} />`;
}

export function Block({ height, id, label }) {
  return html`<a class="number" href=${blockUrl(id ?? height)}>${label ?? t("block.name", { n: height })}</a>`;
}
