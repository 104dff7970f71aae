// What only the node's owner may do stands behind the node's token. It is kept for this tab alone (sessionStorage), and sent as a
// header that no other site's page can make a browser send: so no cross-site request signs anything.

import "../words/owner.js";
import { get, ask } from "../api.js";
import { html, useState } from "../html.js";
import { t } from "../lang.js";
import { token, useStore } from "../store.js";
import { Instead } from "./page.js";

const FORM = /^[0-9a-f]{64}$/;

/** Its children, once a token that the node takes was given; a form for it before. */
export function NeedsToken({ children }) {
  const shown = useStore(token);
  return shown ? html`${children}<${Forget} />` : html`<${Entry} />`;
}

function Entry() {
  const [problem, setProblem] = useState(null);
  const [wrong, setWrong] = useState("");
  const take = async (event) => {
    event.preventDefault();
    const text = new FormData(event.target).get("token").trim();
    setProblem(null);
    if (!FORM.test(text)) return setWrong(t("owner.form"));
    setWrong("");
    try {
      await ask("GET", "/v1/wallet/keys", { signed: text });
      token.set(text);
    } catch (error) {
      setProblem(error);
    }
    return undefined;
  };
  return html`<section class="section" aria-labelledby="owner">
    <h2 id="owner">${t("owner.title")}</h2>
    <p class="note">${t("owner.note")}</p>
    <form class="stack" onSubmit=${take}>
      <label for="token">${t("owner.token")}</label>
      <input id="token" name="token" type="password" autocomplete="off" spellcheck=${false} required aria-invalid=${Boolean(wrong)} aria-describedby="token-wrong" />
      <p id="token-wrong" class="wrong" role="alert">${wrong}</p>
      <div><button class="main">${t("owner.take")}</button></div>
    </form>
    ${problem && html`<${Instead} problem=${problem} />`}
  </section>`;
}

function Forget() {
  return html`<p class="forget"><button type="button" class="quiet" onClick=${() => token.set("")}>${t("owner.forget")}</button></p>`;
}

/** Data that only the owner may read; used once the token is there. */
export const getSigned = (path, options) => get(path, { ...options, signed: true });
