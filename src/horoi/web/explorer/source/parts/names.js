// Names of things: hashes, companies, assets, transactions, blocks, each a link to its page.

import { html, useState } from "../html.js";
import { t } from "../lang.js";
import { names, useName } from "../names.js";
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
  return html`<button type="button" class="quiet copy" onClick=${copy} aria-label=${isDone ? t("copy.done") : t("copy")} title=${t("copy")}><svg width="13" height="13" viewBox="0 0 13 13" aria-hidden="true">${isDone ? html`<path d="M2 7l3 3 6-7" />` : html`<rect x="1.5" y="3.5" width="7" height="8" /><path d="M4.5 3.5v-2h7v8h-3" />`}</svg></button>`;
}

export const assetUrl = (id) => `/asset/${encodeURIComponent(id)}`;
export const keyUrl = (id) => `/key/${encodeURIComponent(id)}`;
export const transactionUrl = (id) => `/tx/${encodeURIComponent(id)}`;
export const blockUrl = (id) => `/block/${encodeURIComponent(id)}`;

/** An asset by its name. Anybody may give that name again: where it could be taken for another's, the id begins beside it. */
export function Asset({ id, name, alike }) {
  return html`<a class="asset" href=${assetUrl(id)} title=${id}>${name ? html`<${Text} plain most=${48} value=${name} />${alike && html` <span class="hash">${idMark(id)}</span>`}` : html`<${Hash} value=${id} />`}</a>`;
}

/** The beginning of an id in brackets, which stands beside a name that is not enough. */
export const idMark = (id) => `[${id.slice(0, 8)}]`;

/**
 * A party as the API describes it: a name that this node trusts, or the shortened address; what a key says of itself is marked
 * as such. Of a custodian from whom the goods may be taken back ("A, or the owner after a time"), A is shown, and that.
 */
export function Party({ party, own }) {
  if (!party) return html`<span class="faint">${t("party.nobody")}</span>`;
  const holder = party.key ? null : holderOf(party.condition);
  if (holder) return html`<${Address} address=${holder} /> <span class="tag" title=${party.text}>${t("party.reclaimable")}</span>`;
  const label = html`<${Text} plain most=${48} value=${party.text} />`;
  const place = party.address ?? party.key;
  const isNamed = party.source === "book" || party.source === "own";
  const linked = place ? html`<a class=${isNamed ? "party" : "party hash"} href=${keyUrl(place)} title=${place}>${label}</a>` : html`<span class="party">${label}</span>`;
  const claim = party.source === "claim" && party.name ? html` <span class="claim">“<${Text} plain most=${32} value=${party.name} />” ${t("party.claim")}</span>` : "";
  return html`${linked}${claim}${own && party.source === "own" ? html` <span class="tag">${t("party.own")}</span>` : ""}`;
}

/** The one plain key of a choice between it and what an owner may do later; else null. */
function holderOf(condition) {
  if (!Array.isArray(condition?.any)) return null;
  const keys = condition.any.filter((form) => typeof form === "string");
  return keys.length === 1 ? keys[0] : null;
}

/** A party's name as bare text, for pictures. */
export function shortName(party) {
  if (!party) return "";
  const holder = party.key ? null : holderOf(party.condition);
  return holder ? names.get()?.get(holder)?.name ?? `${holder.slice(0, 12)}…` : party.text;
}

/** An address, by its name if this node has one for it. */
export function Address({ address }) {
  const name = useName(address);
  const short = address.length > 24 ? `${address.slice(0, 12)}…${address.slice(-6)}` : address;
  return html`<a class=${name ? "party" : "party hash"} href=${keyUrl(address)} title=${address}>${name ? html`<${Text} plain most=${48} value=${name} />` : short}</a>`;
}

export function Transaction({ id, length }) {
  return html`<${Hash} value=${id} href=${transactionUrl(id)} length=${length} />`;
}

export function Block({ height, id, label }) {
  return html`<a class="number" href=${blockUrl(id ?? height)}>${label ?? t("block.name", { n: height })}</a>`;
}
