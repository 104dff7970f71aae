// Text that a stranger typed, made harmless to look at. It is always a text node, so markup is letters. What is left are the
// tricks of Unicode: characters that turn the direction of what follows (CVE-2021-42574, "Trojan Source"), that nobody sees, or
// that pile up over other lines; and mere length. Such characters are shown as their number, long text is cut with a button
// that shows the rest, and <bdi> keeps its direction from the words around it.

import { t } from "../lang.js";
import { html, useState } from "../html.js";

const LONG = 160; // characters of a name or a post before it is cut; a guess: two lines
const MARKS = 3; // combining marks on one letter that real writing uses (Vietnamese and polytonic Greek need three)

// Controls, the bidirectional controls, invisible spaces and fillers, tags, unpaired surrogates.
const ODD =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e0fff}]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|\p{M}{4,}/gu;

/** Pieces of a text: strings, and {code, shown} for what is shown as its number. */
export function pieces(text) {
  const found = [];
  let end = 0;
  for (const { 0: odd, index } of text.matchAll(ODD)) {
    const isPile = /^\p{M}/u.test(odd) && [...odd].length > MARKS;
    const kept = isPile ? [...odd].slice(0, MARKS).join("") : "";
    const before = text.slice(end, index) + kept;
    if (before) found.push(before);
    if (isPile) found.push({ code: `+${[...odd].length - MARKS}`, pile: true });
    else if (odd === "\n") found.push({ code: "¶" });
    else found.push({ code: odd.codePointAt(0).toString(16).toUpperCase().padStart(4, "0") });
    end = index + odd.length;
  }
  if (end < text.length) found.push(text.slice(end));
  return found;
}

/** The first `most` characters, never half of one. */
export function clip(text, most) {
  if (text.length <= most) return text;
  const { segment } = clip;
  let end = 0;
  for (const { index, segment: grapheme } of segment.segment(text.slice(0, most + 64))) {
    if (index + grapheme.length > most) break;
    end = index + grapheme.length;
  }
  return text.slice(0, end || most);
}
clip.segment = new Intl.Segmenter("en", { granularity: "grapheme" });

/** A stranger's text. `most`: characters before it is cut; `whole`: the text without a button, for places in links. */
export function Text({ value, most = LONG, plain = false }) {
  const [isOpen, setOpen] = useState(false);
  const text = String(value ?? "");
  const cut = isOpen ? text : clip(text, most);
  const isCut = cut.length < text.length;
  const shown = pieces(cut).map((piece) => (typeof piece === "string" ? piece : html`<${Odd} ...${piece} />`));
  if (plain) return html`<bdi class="text">${shown}${isCut && "…"}</bdi>`;
  return html`<bdi class="text">${shown}${isCut && "…"}</bdi>${(isCut || isOpen) &&
    html` <button type="button" class="quiet" aria-expanded=${isOpen} onClick=${() => setOpen(!isOpen)}>
      ${isOpen ? t("text.less") : t("text.more", { n: [...text].length })}
    </button>`}`;
}

function Odd({ code, pile }) {
  const name = pile ? t("text.pile") : code === "¶" ? t("text.newline") : t("text.hidden", { code: `U+${code}` });
  return html`<span class="odd" title=${name}><span class="unseen">${name}</span><span aria-hidden="true">${code}</span></span>`;
}
