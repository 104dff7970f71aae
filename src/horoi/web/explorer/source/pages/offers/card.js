// An offer in a list.

import { html } from "../../html.js";
import { say, t } from "../../lang.js";
import { Sentence } from "../../parts/agreed.js";
import { Condition } from "../../parts/condition.js";
import { Time } from "../../parts/numbers.js";
import { Text } from "../../parts/text.js";

const TAGS = { open: "warn", complete: "good", confirmed: "good", refused: "bad", spent: "bad" };

export function State({ offer }) {
  return html`<span class=${`tag ${TAGS[offer.state] ?? ""}`}>${t(`state.${offer.state}`)}</span>`;
}

export function Card({ offer, now }) {
  return html`<article class="offer">
    <p class="offer-head"><${State} offer=${offer} />${offer.awaits_me && html` <strong class="tag warn">${t("offers.awaits")}</strong>`}
      <span class="faint">${say("offers.from", { who: html`<${Condition} form=${offer.by} />` })} · <${Time} ms=${offer.received_ms} now=${now} /></span></p>
    <p class="offer-words"><a href=${`/offers/${offer.id}`}><${Sentence} plain sentence=${offer.headlined} words=${offer.headline} /></a></p>
    ${offer.note && html`<p class="word"><${Text} value=${offer.note} most=${120} /></p>`}
  </article>`;
}
