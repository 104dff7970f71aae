// The strip of blocks: the next one, which is not there yet, then the newest and those before it.

import { useData, useNow } from "../../data.js";
import { html, useEffect, useState } from "../../html.js";
import { number, t } from "../../lang.js";
import { useLive } from "../../live.js";
import { blockUrl } from "../../parts/names.js";
import { Time } from "../../parts/numbers.js";

const SHOWN = 14; // what a wide screen takes
const PATH = `/v1/blocks?limit=${SHOWN}`;

export function Strip({ waiting }) {
  const { data } = useData(PATH, { on: ["block-removed"] });
  const [blocks, setBlocks] = useState(null);
  const now = useNow();
  useEffect(() => {
    if (data) setBlocks(data.blocks.map(({ header, transaction_count, size_bytes }) => ({ height: header.height, hash: header.hash, time_ms: header.time_ms, transactions: transaction_count, size_bytes })));
  }, [data]);
  useLive(["block"], (_, block) => {
    setBlocks((before) => before && [{ ...block, isNew: true }, ...before.filter((b) => b.height < block.height)].slice(0, SHOWN));
  });
  const most = Math.max(1, ...(blocks ?? []).map((block) => block.transactions));
  return html`<nav class="strip" aria-label=${t("strip.label")}>
    <ol>
      <li class="next"><div class="stone"><strong>${t("strip.next")}</strong><span>${t("strip.waiting", { n: waiting })}</span></div></li>
      ${(blocks ?? Array.from({ length: SHOWN }, () => null)).map((block, i) => html`<li key=${block?.hash ?? i} class=${block?.isNew ? "new" : ""}>
        ${block
          ? html`<a class="stone" href=${blockUrl(block.height)} title=${block.hash}>
              <strong>${number(block.height)}</strong>
              <span>${t("strip.transactions", { n: block.transactions })}</span>
              <span class="faint"><${Time} ms=${block.time_ms} now=${now} /></span>
              <${Level} share=${block.transactions / most} />
            </a>`
          : html`<div class="stone"></div>`}
      </li>`)}
    </ol>
  </nav>`;
}

/** How much a block carries beside its neighbours. */
function Level({ share }) {
  return html`<span class="level" aria-hidden="true"><span style=${{ width: `${Math.round(100 * share)}%` }}></span></span>`;
}
