// One offer: what its signers agree to, who has signed, what every party has before and after; and this node's answer.

import "../words/offers.js";
import { useNow } from "../data.js";
import { html } from "../html.js";
import { number, t } from "../lang.js";
import { Agreed } from "../parts/agreed.js";
import { Condition } from "../parts/condition.js";
import { Block, Transaction, WholeHash } from "../parts/names.js";
import { Time } from "../parts/numbers.js";
import { NeedsToken } from "../parts/owner.js";
import { Facts, Heading, Instead, Section } from "../parts/page.js";
import { Table } from "../parts/table.js";
import { Text } from "../parts/text.js";
import { Answer } from "./offers/answer.js";
import { State } from "./offers/card.js";
import { Changes } from "./offers/changes.js";
import { useSigned } from "./offers/signed.js";

export default function Offer({ params }) {
  const path = `/v1/offers/${encodeURIComponent(params.id)}`;
  return html`<${Heading} title=${t("offer.title")} data=${path} signed /><${NeedsToken}><${Shown} path=${path} /><//>`;
}

function Shown({ path }) {
  const { data: offer, problem, isLoading, reload } = useSigned(path);
  const now = useNow(1000);
  if (!offer) return html`<${Instead} ...${{ problem, isLoading, reload }} />`;
  return html`<div class="columns">
    <div>
      <${Section} id="says" title=${t("offer.says")} note=${t("offer.says-note")} beside=${html`<${State} offer=${offer} />`}>
        <${Agreed} sentences=${offer.sentences} words=${offer.words} />
        ${offer.note && html`<blockquote class="word"><${Text} value=${offer.note} most=${240} /></blockquote>`}
      <//>
      <${Answer} offer=${offer} done=${reload} />
      <${Section} id="changes" title=${t("offer.changes")} note=${t("offer.changes-note")}><${Changes} offer=${offer} /><//>
    </div>
    <div>
      <${Section} id="signers" title=${t("offer.signers")} note=${t("offer.signers-note")}><${Signers} offer=${offer} /><//>
      <${Section} id="facts" title=${t("offer.facts")}>
        <${Facts} rows=${[
          [t("offer.by"), html`<${Condition} form=${offer.by} />`],
          [t("offer.received"), html`<${Time} ms=${offer.received_ms} now=${now} />`],
          [t("offer.expires"), html`<${Time} ms=${offer.expires_ms} />`],
          [t("offer.fee"), number(offer.fee)],
          [t("offer.block"), offer.height === null ? null : html`<${Block} height=${offer.height} />`],
          [t("offer.transaction"), offer.height === null && offer.state !== "complete" ? html`<span class="hash">${offer.transaction}</span>` : html`<${Transaction} id=${offer.transaction} length=${16} />`],
          [t("offer.id"), html`<${WholeHash} value=${offer.id} />`],
        ]} />
      <//>
    </div>
  </div>`;
}

const TAGS = { signed: "good", refused: "bad", missing: "" };

function Signers({ offer }) {
  const columns = [
    { head: t("offer.signer"), cell: (s) => html`<${Condition} form=${s.address} />${s.mine && html` <span class="tag">${t("party.own")}</span>`}` },
    { head: t("offer.has"), cell: (s) => html`<span class=${`tag ${TAGS[s.state]}`}>${t(`signer.${s.state}`)}</span>${s.reason && html` <${Text} value=${s.reason} most=${80} />`}` },
  ];
  return html`<${Table} columns=${columns} rows=${offer.signers} rowKey=${(s) => s.key} caption=${t("offer.signers")} />`;
}
