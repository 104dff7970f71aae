// Lines of the board as sentences in the reader's language, with every name a link.

import "../words/lines.js";
import { html } from "../html.js";
import { clock, dateTime, has, number, say, t } from "../lang.js";
import { Asset, Block, Party, transactionUrl } from "./names.js";
import { Amount } from "./numbers.js";
import { Text } from "./text.js";

/** One line as a sentence. */
export function Sentence({ line }) {
  const key = `line.${line.kind}`;
  if (!has(key) || !line.actor || (!line.amount && line.kind !== "posted")) return html`<span lang="en"><${Text} value=${line.words} most=${240} /></span>`;
  return html`<span class="sentence">${say(key, {
    actor: html`<${Party} party=${line.actor} />`,
    counterpart: html`<${Party} party=${line.counterpart} />`,
    amount: html`<${Amount} value=${line.amount} />`,
    asset: line.amount && html`<${Asset} id=${line.amount.asset} name=${line.amount.name} alike=${line.amount.alike} />`,
    reason: html`<${Text} value=${line.reason} most=${80} />`,
    sources: (line.sources ?? []).map((source, i) => html`${i > 0 && ", "}<${Amount} value=${source} /> <${Asset} id=${source.asset} name=${source.name} alike=${source.alike} />`),
  })}${line.owner && line.kind === "handed-over" && html`<span class="faint"> · ${say("line.owned", { owner: html`<${Party} party=${line.owner} />` })}</span>`}</span>`;
}

/** A line as plain text, for what is only heard. */
export function spoken(line) {
  const key = `line.${line.kind}`;
  if (line.kind === "posted") return `${line.actor?.text ?? ""}: ${line.text ?? ""}`.slice(0, 200);
  if (!has(key) || !line.amount) return line.words.slice(0, 200);
  return t(key, {
    actor: line.actor?.text ?? "",
    counterpart: line.counterpart?.text ?? "",
    amount: `${line.amount.amount ?? line.amount.quantity} ${line.amount.unit ?? ""}`,
    asset: line.amount.name ?? line.amount.asset.slice(0, 8),
    reason: line.reason ?? "",
    sources: "",
  }).slice(0, 200);
}

/** A list of lines, those of one transaction together. `tip`: the height now, from which depths are counted. */
export function Lines({ lines, tip, label }) {
  const groups = [];
  for (const line of lines) {
    if (groups.at(-1)?.[0].transaction === line.transaction) groups.at(-1).push(line);
    else groups.push([line]);
  }
  return html`<ol class="stream" aria-label=${label}>${groups.map((group) => html`<${Group} key=${group[0].transaction} lines=${group} tip=${tip} />`)}</ol>`;
}

function Group({ lines, tip }) {
  const [first] = lines;
  return html`<li class=${`line ${first.height === null ? "waits" : ""}`}>
    <div class="line-when"><time datetime=${first.time} title=${dateTime(first.time_ms)}>${clock(first.time_ms)}</time>${first.height !== null && html`<${Block} height=${first.height} label=${t("line.block", { height: number(first.height) })} />`}</div>
    <div class="line-what">${lines.map((line) => html`<${Line} key=${line.id} line=${line} />`)}</div>
    <${Depth} line=${first} tip=${tip} />
  </li>`;
}

function Line({ line }) {
  if (line.kind !== "posted") return html`<p class="moved"><${Sentence} line=${line} /></p>`;
  return html`<div class="post">
    <p class="byline"><${Party} party=${line.actor} />${line.about && html`<span class="faint"> · ${say("line.about", { asset: html`<${Asset} id=${line.about} name=${line.about_name} alike=${line.about_alike} />` })}</span>`}${line.document && html` · <a href=${`/document/${line.document}`}>${t("line.document")}</a>`}</p>
    ${line.text && html`<blockquote><${Text} value=${line.text} most=${280} /></blockquote>`}
  </div>`;
}

function Depth({ line, tip }) {
  const depth = line.height === null ? 0 : Math.max(1, tip - line.height + 1);
  const title = depth ? t("line.deep-long", { n: depth }) : t("line.waits-long");
  return html`<a class=${`depth ${depth ? "" : "waits"}`} href=${transactionUrl(line.transaction)} title=${title}>${depth ? t("line.deep", { n: depth }) : t("line.waits")}</a>`;
}
