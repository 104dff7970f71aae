// The hash puzzle (Dwork and Naor 1992; Back 2002): a nonce was searched until the header's hash fell under a target.

import { html } from "../../html.js";
import { compact, number, t } from "../../lang.js";
import { Facts, Section } from "../../parts/page.js";

export function Puzzle({ header, puzzle }) {
  return html`<${Section} id="puzzle" title=${t("puzzle.title")} note=${t("puzzle.note")} beside=${html`<span class=${`tag ${puzzle.is_solved ? "good" : "bad"}`}>${t(puzzle.is_solved ? "puzzle.solved" : "puzzle.unsolved")}</span>`}>
    <dl class="compare">
      <dt>${t("puzzle.hash")}</dt><dd><${Digits} value=${puzzle.hash} /></dd>
      <dt>${t("puzzle.target")}</dt><dd><${Digits} value=${puzzle.target} /></dd>
    </dl>
    <${Facts} rows=${[
      [t("puzzle.difficulty"), html`${number(puzzle.difficulty)} <span class="faint">${t("puzzle.hashes")}</span>`],
      [t("puzzle.bits"), html`<span class="hash">${header.target}</span>`],
      puzzle.times_easier !== null && puzzle.times_easier !== undefined && [t("puzzle.margin"), t("puzzle.times", { times: compact(puzzle.times_easier) })],
    ]} />
  <//>`;
}

/** The leading zeros are what was worked for. */
function Digits({ value }) {
  const zeros = value.match(/^0*/)[0];
  return html`<span class="hash digits"><span class="zeros">${zeros}</span>${value.slice(zeros.length)}</span>`;
}
