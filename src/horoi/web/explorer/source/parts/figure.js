// A picture, and the same as a table: a reader who cannot see the picture, or wants the figures, loses nothing.

import { html, useState } from "../html.js";
import { t } from "../lang.js";
import { Table } from "./table.js";

/** `picture` is hidden from screen readers, which get the table; `columns`, `rows` and `caption` are the table's. */
export function Figure({ picture, caption, columns, rows, note }) {
  const [isTable, setTable] = useState(false);
  return html`<figure class="figure">
    <div class="figure-head">
      <figcaption>${caption}</figcaption>
      <div class="switch" role="group" aria-label=${t("figure.as")}>
        <button type="button" aria-pressed=${!isTable} onClick=${() => setTable(false)}>${t("figure.picture")}</button>
        <button type="button" aria-pressed=${isTable} onClick=${() => setTable(true)}>${t("figure.table")}</button>
      </div>
    </div>
    ${isTable ? html`<${Table} columns=${columns} rows=${rows} caption=${caption} />` : html`<div class="picture">${picture}</div>`}
    ${note && html`<p class="note">${note}</p>`}
  </figure>`;
}
