// Whether the peers stand at the same tip as this node, and who does not.

import { useData } from "../../data.js";
import { html } from "../../html.js";
import { number, t } from "../../lang.js";
import { useLive } from "../../live.js";
import { useEffect, useState } from "../../html.js";
import { JsonLinks } from "../../parts/json.js";
import { Instead, Section } from "../../parts/page.js";
import { Text } from "../../parts/text.js";

const PATH = "/v1/network";
const SHOWN = 8;
export const TAGS = { agrees: "good", lags: "warn", ahead: "warn", differs: "bad", unknown: "" };

export function Agreement() {
  const { data, problem, reload } = useData(PATH, { on: ["peer", "peer-lost", "agreement"] });
  const [agreement, setAgreement] = useState(null);
  useEffect(() => {
    if (data) setAgreement(data.agreement);
  }, [data]);
  useLive(["agreement"], (_, now) => setAgreement(now));
  const linked = (data?.nodes ?? []).filter((node) => node.kind === "peer");
  return html`<${Section} id="agreement" title=${t("agreement.title")} beside=${html`<${JsonLinks} data=${PATH} />`}>
    ${agreement
      ? html`<p class=${`standing ${agreement.peers === 0 ? "" : agreement.agreed ? "good" : "warn"}`} role="status">
          <span class="seal" aria-hidden="true">${agreement.peers === 0 ? "·" : agreement.agreed ? "✓" : "≠"}</span>
          <span>${agreement.peers === 0 ? t("agreement.alone") : agreement.agreed ? t("agreement.all", { n: agreement.peers }) : t("agreement.some", { same: number(agreement.same_tip), n: agreement.peers })}</span>
        </p>
        <ul class="nodes">${linked.slice(0, SHOWN).map((node) => html`<li key=${node.id}>
          <${Text} plain most=${40} value=${node.label} />
          <span class="number">${node.height === null ? "–" : number(node.height)}</span>
          <span class=${`tag ${TAGS[node.state] ?? ""}`}>${t(`peer.${node.state}`)}</span>
        </li>`)}</ul>
        ${linked.length > SHOWN && html`<p><a href="/peers">${t("agreement.more", { n: linked.length - SHOWN })}</a></p>`}`
      : html`<${Instead} ...${{ problem, isLoading: !problem, reload }} />`}
  <//>`;
}
