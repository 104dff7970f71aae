// This node's answer to an offer. Signing is two steps: the button says what is about to happen, the second one does it.

import { act } from "../../api.js";
import { html, useEffect, useRef, useState } from "../../html.js";
import { t } from "../../lang.js";
import { Agreed } from "../../parts/agreed.js";
import { Instead, Section } from "../../parts/page.js";
import { Refusal } from "../../parts/refusal.js";
import "../../words/rules.js";

const MOST_REASON = 200; // characters, as the node takes them

export function Answer({ offer, done }) {
  const [step, setStep] = useState("");
  const [problem, setProblem] = useState(null);
  const [isBusy, setBusy] = useState(false);
  const heading = useRef();
  useEffect(() => {
    if (step) heading.current?.focus();
  }, [step]);

  const say = async (what, body = {}) => {
    setBusy(true);
    setProblem(null);
    try {
      await act(`/v1/offers/${offer.id}/${what}`, body);
      setStep("");
      await done();
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };

  const isOver = !["open", "complete"].includes(offer.state);
  const isMine = offer.direction === "outgoing";
  const note = offer.problem ? t("answer.problem") : t(noteOf(offer));
  return html`<${Section} id="answer" title=${t(offer.awaits_me ? "answer.yours" : "answer.now")}>
    <p role="status">${note}</p>
    ${offer.problem && html`<${Refusal} problem=${{ code: offer.problem_rule, values: {}, message: offer.problem }} />`}
    ${step && html`<${Step} ...${{ step, offer, heading, isBusy, say }} back=${() => setStep("")} />`}
    ${!step && html`<div class="buttons">
      ${offer.awaits_me && html`<button type="button" class="main" onClick=${() => setStep("accept")}>${t("answer.accept")}</button>
        <button type="button" onClick=${() => setStep("refuse")}>${t("answer.refuse")}</button>`}
      ${isMine && offer.state === "open" && html`<button type="button" onClick=${() => setStep("withdraw")}>${t("answer.withdraw")}</button>`}
      ${isMine && isOver && ["withdrawn", "refused", "expired"].includes(offer.state) && html`<button type="button" onClick=${() => setStep("spend")}>${t("answer.spend")}</button>`}
    </div>`}
    ${problem && html`<${Instead} problem=${problem} />`}
  <//>`;
}

function noteOf(offer) {
  if (offer.state !== "open") return `answer.${offer.state}`;
  if (offer.awaits_me) return "answer.asked";
  return offer.direction === "outgoing" ? "answer.waiting" : offer.direction === "incoming" ? "answer.signed" : "answer.others";
}

function Step({ step, offer, heading, isBusy, say, back }) {
  const send = (event) => {
    event.preventDefault();
    if (step === "accept") return say("accept");
    if (step === "refuse") return say("refuse", { reason: new FormData(event.target).get("reason").trim() });
    return say("withdraw", { spend: step === "spend" });
  };
  return html`<form class="review" onSubmit=${send}>
    <h3 tabindex="-1" ref=${heading}>${t(`step.${step}`)}</h3>
    ${step === "accept" && html`<${Agreed} sentences=${offer.sentences} words=${offer.words} />`}
    ${step === "refuse" && html`<div class="field"><label for="reason">${t("step.reason")} <span class="faint">${t("field.optional")}</span></label><input id="reason" name="reason" maxlength=${MOST_REASON} autocomplete="off" /></div>`}
    <p class="note">${t(`step.${step}-note`)}</p>
    <div class="buttons"><button class="main" disabled=${isBusy}>${t(`step.${step}-do`)}</button><button type="button" onClick=${back}>${t("step.back")}</button></div>
  </form>`;
}
