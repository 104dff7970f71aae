// Before anything leaves the node: what would be signed, in words, and who has to agree. Sending it is another press of a button.

import { act, ask } from "../../api.js";
import { html, useEffect, useRef, useState } from "../../html.js";
import { number, t } from "../../lang.js";
import { Agreed } from "../../parts/agreed.js";
import { Condition } from "../../parts/condition.js";
import { Transaction } from "../../parts/names.js";
import { Instead } from "../../parts/page.js";

export function Review({ answer, back, again }) {
  const [sent, setSent] = useState(null);
  const [problem, setProblem] = useState(null);
  const [isBusy, setBusy] = useState(false);
  const heading = useRef();
  useEffect(() => heading.current?.focus(), [sent]);
  const isWhole = answer.missing.length === 0;

  const send = async (event) => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      if (isWhole) {
        const result = await ask("POST", "/v1/transactions", { body: { hex: answer.hex } });
        setSent({ id: result.id });
      } else {
        const note = new FormData(event.target).get("note")?.trim();
        const offer = await act("/v1/offers", { partial: answer.partial, ...(note && { note }) });
        setSent({ offer: offer.id });
      }
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };

  if (sent) {
    return html`<div class="done">
      <h3 tabindex="-1" ref=${heading}>${t(sent.offer ? "review.offered" : "review.sent")}</h3>
      <p>${sent.offer ? html`<a href=${`/offers/${sent.offer}`}>${t("review.see-offer")}</a>` : html`<${Transaction} id=${sent.id} length=${16} />`}</p>
      <button type="button" onClick=${again}>${t("review.again")}</button>
    </div>`;
  }
  return html`<form class="review" onSubmit=${send}>
    <h3 tabindex="-1" ref=${heading}>${t("review.title")}</h3>
    <${Agreed} sentences=${answer.sentences} words=${answer.words} />
    <p class="faint">${t("review.fee", { fee: number(answer.fee) })}</p>
    ${!isWhole && html`<p>${t("review.missing")}</p><ul>${answer.missing.map((form) => html`<li><${Condition} form=${form} /></li>`)}</ul>
      <div class="field"><label for="note">${t("review.note")} <span class="faint">${t("field.optional")}</span></label><input id="note" name="note" maxlength="200" /></div>`}
    <p class="note">${t(isWhole ? "review.last" : "review.offer-note")}</p>
    <div class="buttons"><button class="main" disabled=${isBusy}>${t(isWhole ? "review.send" : "review.offer")}</button><button type="button" onClick=${back}>${t("review.back")}</button></div>
    ${problem && html`<${Instead} problem=${problem} />`}
  </form>`;
}
