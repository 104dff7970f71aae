// Acting for the node: choose what to do, fill in a form, read in words what would be signed, then send it, or offer it to the
// others who have to sign.

import "../words/act.js";
import { url } from "../api.js";
import { useData } from "../data.js";
import { html, useState } from "../html.js";
import { t } from "../lang.js";
import { Heading, Section } from "../parts/page.js";
import { NeedsToken } from "../parts/owner.js";
import { status } from "../status.js";
import { useStore } from "../store.js";
import { Form } from "./act/form.js";
import { Review } from "./act/review.js";
import { VERBS } from "./act/verbs.js";

export default function Act({ query }) {
  const asked = query.get("verb");
  const verb = VERBS.find((v) => v.name === asked) ?? VERBS[0];
  return html`<${Heading} title=${t("act.title")} data="/openapi.json" />
    <${NeedsToken}>
      <nav class="verbs" aria-label=${t("act.what")}><ul>${VERBS.map((v) => html`<li><a href=${url("/act", { verb: v.name })} aria-current=${v === verb ? "page" : undefined}>${t(`act.${v.name}`)}</a></li>`)}</ul></nav>
      <${Doing} key=${verb.name} verb=${verb} query=${query} />
    <//>`;
}

function Doing({ verb, query }) {
  const node = useStore(status);
  const own = node?.key ?? null;
  const holdings = useData(own && url("/v1/holdings", { address: own, limit: 10_000 }), { on: ["block"] });
  const rights = useData(own && url("/v1/rights", { address: own }), { on: ["block"] });
  const [draft, setDraft] = useState({ values: Object.fromEntries(query), answer: null });
  if (node && !own) return html`<p class="empty">${t("act.no-key")}</p>`;
  return html`<${Section} id="act" title=${t(`act.${verb.name}`)} note=${t(`act.${verb.name}-note`)}>
    ${draft.answer
      ? html`<${Review} answer=${draft.answer} back=${() => setDraft({ ...draft, answer: null })} again=${() => setDraft({ values: {}, answer: null })} />`
      : html`<${Form} verb=${verb} values=${draft.values} own=${own} holdings=${holdings.data?.sums ?? []} rights=${rights.data?.outputs ?? []} done=${(values, answer) => setDraft({ values, answer })} />`}
  <//>`;
}
