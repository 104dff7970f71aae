// What one box finds: a height, a hash, an asset, a company, a date, the words of a post.

import "../words/search.js";
import { get, url } from "../api.js";
import { useData } from "../data.js";
import { html, useEffect, useState } from "../html.js";
import { list, named, number, say, t } from "../lang.js";
import { Condition } from "../parts/condition.js";
import { Heading, Instead, Section } from "../parts/page.js";
import { Asset, assetUrl, Block, blockUrl, Hash, idMark, keyUrl, Party, Transaction, transactionUrl } from "../parts/names.js";
import { Time } from "../parts/numbers.js";
import { Text } from "../parts/text.js";
import { navigate } from "../router.js";

const LIMIT = 20;
const PLACES = { block: blockUrl, time: blockUrl, transaction: transactionUrl, waiting: transactionUrl, asset: assetUrl, key: keyUrl, document: (id) => `/document/${encodeURIComponent(id)}` };
const EXACT = ["block", "transaction", "waiting", "key", "document"];

export default function Search({ query }) {
  const words = (query.get("q") ?? "").trim();
  const path = words ? url("/v1/search", { q: words, limit: LIMIT }) : null;
  const { data, ...rest } = useData(path);
  const [more, setMore] = useState({ path: null, posts: [], next: null });

  // One thing that can only be meant: go there.
  useEffect(() => {
    if (data?.hits.length === 1 && data.posts.length === 0 && EXACT.includes(data.hits[0].kind)) {
      navigate(PLACES[data.hits[0].kind](data.hits[0].id), { replace: true });
    }
  }, [data]);

  const isMore = more.path === path;
  const posts = [...(data?.posts ?? []), ...(isMore ? more.posts : [])];
  const next = isMore ? more.next : data?.next;
  const older = async () => {
    const page = await get(url("/v1/search", { q: words, limit: LIMIT, before: next }));
    setMore({ path, posts: [...(isMore ? more.posts : []), ...page.posts], next: page.next });
  };
  return html`<${Heading} title=${html`${t("search.results")} “<${Text} value=${words} most=${80} />”`} window=${`${t("search.results")} ${words.slice(0, 40)}`} data=${path} />
    ${!words && html`<p class="empty">${t("search.empty")}</p>`}
    ${words && !data && html`<${Instead} ...${rest} />`}
    ${data && html`<p class="note" role="status">${summary(data, posts)}</p>`}
    ${data?.hits.length > 0 && html`<${Section} id="hits" title=${t("search.things")}>
      <ul class="hits">${data.hits.map((hit) => html`<${Hit} key=${`${hit.kind}.${hit.id}`} hit=${hit} />`)}</ul>
    <//>`}
    ${posts.length > 0 && html`<${Section} id="posts" title=${t("search.posts")}>
      <ol class="stream">${posts.map((entry) => html`<${Found} key=${`${entry.transaction}.${entry.number}`} entry=${entry} />`)}</ol>
      ${next && html`<div class="pager"><button type="button" onClick=${older}>${t("page.more")}</button></div>`}
    <//>`}`;
}

function summary(data, posts) {
  if (!data.hits.length && !posts.length) return t("search.nothing");
  const found = t("search.found", { n: data.hits.length + posts.length });
  const as = data.read_as.map((name) => named("read", name));
  return as.length ? `${found} ${t("search.read", { as: list(as) })}` : found;
}

function Hit({ hit }) {
  const place = PLACES[hit.kind]?.(hit.id);
  return html`<li>
    <span class="tag">${named("hit", hit.kind)}</span>
    <a href=${place}>${titleOf(hit)}</a>
    ${hit.party && hit.kind === "key" && html`<span><${Party} party=${hit.party} own /></span>`}
    <span class="faint">${detailOf(hit)}</span>
    ${hit.time_ms !== null && html`<span class="faint"><${Time} ms=${hit.time_ms} /></span>`}
  </li>`;
}

/** Blocks by their number, transactions and documents by their id, the rest by name. */
function titleOf(hit) {
  if (hit.kind === "block" || hit.kind === "time") return t("block.name", { n: hit.height });
  if (["transaction", "waiting", "document"].includes(hit.kind)) return html`<${Hash} value=${hit.id} />`;
  return html`<${Text} plain value=${hit.title} most=${80} />${hit.kind === "asset" && html` <span class="hash">${idMark(hit.id)}</span>`}`;
}

function detailOf(hit) {
  if (hit.kind === "block" || hit.kind === "time") return hit.transactions === null ? t("hit.stale") : t("hit.transactions", { n: hit.transactions });
  if (hit.kind === "transaction" && hit.height !== null) return t("hit.in-block", { height: number(hit.height) });
  if (hit.kind === "waiting") return t("hit.in-mempool");
  if (hit.kind === "document" && hit.transaction) return say("hit.posted", { transaction: html`<${Transaction} id=${hit.transaction} />` });
  return html`<${Text} plain value=${hit.detail} most=${120} />`; // an amount, or an address
}

function Found({ entry }) {
  const { post } = entry;
  return html`<li class="line">
    <div class="line-when"><${Time} ms=${entry.time_ms} /></div>
    <div class="line-what">
      <p class="byline"><${Condition} form=${post.author} />${post.about && html`<span class="faint"> · ${say("search.about", { asset: html`<${Asset} id=${post.about} name=${post.about_name} alike=${post.about_alike} />` })}</span>`}</p>
      <blockquote><${Highlighted} text=${post.text} marks=${entry.highlights ?? []} /></blockquote>
    </div>
    <a class="depth" href=${transactionUrl(entry.transaction)}>${t("search.block", { height: number(entry.height) })}</a>
  </li>`;
}

/** A text with the found words marked; offsets count UTF-16 units. */
export function Highlighted({ text, marks }) {
  const parts = [];
  let end = 0;
  for (const [from, to] of marks) {
    if (from < end || to > text.length) continue;
    if (from > end) parts.push(html`<${Text} plain most=${2000} value=${text.slice(end, from)} />`);
    parts.push(html`<mark><${Text} plain most=${2000} value=${text.slice(from, to)} /></mark>`);
    end = to;
  }
  if (end < text.length) parts.push(html`<${Text} plain=${parts.length > 0} most=${parts.length ? 2000 : 280} value=${text.slice(end)} />`);
  return html`<bdi class="text">${parts}</bdi>`;
}
