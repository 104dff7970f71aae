// What a signer agrees to, in the reader's language. The node sends every sentence in parts, and beside it in English, which is
// what stands here for a kind that this page does not know. An asset always shows the beginning of its id: anybody may define
// another of the same name.

import "../words/agreed.js";
import { html } from "../html.js";
import { has, number, say, t } from "../lang.js";
import { assetUrl } from "./names.js";
import { Amount } from "./numbers.js";
import { Text } from "./text.js";
import { Who } from "./who.js";

const SHOWN_ID_CHARACTERS = 16; // as at the terminal (explain.py)
const COIN = "0".repeat(64);
const MOST = 400; // characters of a text or of a whole English sentence before it is cut

/** All sentences, as a list. */
export function Agreed({ sentences, words }) {
  return html`<ol class="agreed">${words.map((english, i) => html`<li><${Sentence} sentence=${sentences?.[i]} words=${english} /></li>`)}</ol>`;
}

/** One sentence. `plain`: without links and buttons, for places in links. */
export function Sentence({ sentence, words, plain = false }) {
  const key = `agreed.${sentence?.kind}`;
  if (!has(key)) return html`<span lang="en"><${Text} ...${{ value: words, most: MOST, plain }} /></span>`;
  return html`<span class="sentence">${say(key, partsOf(sentence, plain))}</span>`;
}

/** The parts that the words of any kind may name; what a sentence does not have is empty. */
function partsOf(s, plain) {
  const who = (party) => party && html`<${Who} party=${party} plain=${plain} />`;
  const much = (value) => html`<${Much} value=${value} plain=${plain} />`;
  const asset = s.asset ? html`<${Named} id=${s.asset} name=${s.asset_name} plain=${plain} />` : "";
  const hash = (value) => html`<span class="hash">${value}</span>`;
  const amount = s.amount ? much(s.amount) : "";
  const recipes = joined((s.recipes ?? []).map((recipe) => say("clause.recipe", { sources: joined(recipe.sources.map(much), t("part.and")), product: much(recipe.product) })), t("part.or"));
  const { defined } = s;
  return {
    who: who(s.who) ?? t("clause.nobody"),
    to: who(s.to) ?? t("clause.nobody"),
    owned: s.owner ? say("clause.owned", { owner: who(s.owner) }) : "",
    still: s.owner ? say("clause.still", { owner: who(s.owner) }) : "",
    amount,
    asset,
    sources: joined((s.sources ?? []).map(much), t("part.and")),
    right: s.recipes?.length ? say("clause.make-right", { amount, recipes }) : say("clause.issue-right", { amount }),
    about: s.asset ? say("clause.about", { asset }) : "",
    document: s.document ? say("clause.document", { hash: hash(s.document) }) : "",
    text: quoted(s.text, plain),
    height: number(s.height ?? 0),
    signers: s.signers?.length ? joined(s.signers.map(who), "; ") : t("clause.nobody"),
    name: quoted(defined?.name, plain),
    limit: defined && html`<${Amount} amount=${defined.limit} unit=${defined.unit} />`,
    custody: t(defined?.custody ? "clause.custody" : "clause.no-custody"),
    terms: defined?.terms ? say("clause.terms", { hash: hash(defined.terms) }) : "",
  };
}

const joined = (parts, word) => parts.map((part, i) => html`${i > 0 && word}${part}`);

// Marked by more than quotation marks, which a stranger can type too.
const quoted = (text, plain) => html`<span class="said">“<${Text} ...${{ value: text ?? "", most: MOST, plain }} />”</span>`;

/** "6,327 bbl of Thasos crude oil [0707070707070707]". */
function Much({ value, plain }) {
  if (value.asset === COIN) return html`<span>${t("part.coins", { n: value.quantity, count: number(value.quantity) })}</span>`;
  const count = value.amount === null ? say("part.smallest", { count: number(value.quantity) }) : html`<${Amount} value=${value} />`;
  return html`<span>${say("part.amount", { count, asset: html`<${Named} id=${value.asset} name=${value.name} plain=${plain} />` })}</span>`;
}

function Named({ id, name, plain }) {
  if (id === COIN) return t("part.coin");
  const label = html`${name ? html`<${Text} plain most=${64} value=${name} />` : t("part.unknown")} <span class="hash">[${id.slice(0, SHOWN_ID_CHARACTERS)}]</span>`;
  return plain ? html`<span class="asset">${label}</span>` : html`<a class="asset" href=${assetUrl(id)} title=${id}>${label}</a>`;
}
