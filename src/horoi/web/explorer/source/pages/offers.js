// Offers: transactions that wait for somebody's signature. What waits for this node, what it proposed, what is over.

import "../words/offers.js";
import { url } from "../api.js";
import { useNow } from "../data.js";
import { html } from "../html.js";
import { t } from "../lang.js";
import { NeedsToken } from "../parts/owner.js";
import { Heading, Instead, Section } from "../parts/page.js";
import { Card } from "./offers/card.js";
import { useSigned } from "./offers/signed.js";

const LISTS = ["incoming", "outgoing", "done", "all"];
const PAGE = 20;

export default function Offers({ query }) {
  const state = LISTS.includes(query.get("state")) ? query.get("state") : LISTS[0];
  const offset = Math.max(0, Number.parseInt(query.get("offset") ?? "0", 10) || 0);
  return html`<${Heading} title=${t("offers.title")} data=${url("/v1/offers", { state, limit: PAGE, offset: offset || null })} signed />
    <${NeedsToken}>
      <nav class="verbs" aria-label=${t("offers.which")}>
        <ul>${LISTS.map((name) => html`<li><a href=${url("/offers", { state: name })} aria-current=${name === state ? "page" : undefined}>${t(`offers.${name}`)}</a></li>`)}</ul>
      </nav>
      <${List} ...${{ state, offset }} />
      <${Section} id="new" title=${t("offers.new")} note=${t("offers.new-note")}>
        <p class="buttons"><a class="button" href="/act?verb=hand-over">${t("offers.hand-over")}</a> <a class="button" href="/act?verb=transfer">${t("offers.transfer")}</a></p>
      <//>
    <//>`;
}

function List({ state, offset }) {
  const path = url("/v1/offers", { state, limit: PAGE, offset: offset || null });
  const { data, problem, isLoading, reload } = useSigned(path);
  const now = useNow(1000);
  const to = (first) => url("/offers", { state, offset: first || null });
  return html`<${Section} id="list" title=${t(`offers.${state}`)} note=${t(`offers.${state}-note`)}>
    <p class="unseen" role="status">${data ? t("offers.count", { n: data.count }) : ""}</p>
    ${data && data.offers.length > 0 && html`<ul class="offers">${data.offers.map((offer) => html`<li key=${offer.id}><${Card} offer=${offer} now=${now} /></li>`)}</ul>`}
    ${data && data.offers.length === 0 && html`<p class="empty">${t("offers.none")}</p>`}
    ${!data && html`<${Instead} ...${{ problem, isLoading, reload }} />`}
    ${data && data.count > PAGE && html`<p class="pager">
      ${offset > 0 && html`<a href=${to(Math.max(0, offset - PAGE))}>${t("page.newer")}</a>`}
      ${offset + PAGE < data.count && html`<a href=${to(offset + PAGE)}>${t("page.older")}</a>`}
    </p>`}
  <//>`;
}
