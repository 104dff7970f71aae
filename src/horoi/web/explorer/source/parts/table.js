// A table that a phone can read: it scrolls inside its own frame, never the page, and the frame can be reached by keyboard.

import { html, useEffect, useId, useRef, useState } from "../html.js";

/**
 * `columns`: {head, cell: (row) => child, right, narrow}; `caption` says what it is, to the eye or (quiet) to readers only.
 */
export function Table({ columns, rows, caption, isQuiet = true, rowKey = (row, i) => i, empty }) {
  const frame = useRef();
  const id = useId();
  const [scrolls, setScrolls] = useState(false);
  useEffect(() => {
    const watch = new ResizeObserver(() => frame.current && setScrolls(frame.current.scrollWidth > frame.current.clientWidth));
    watch.observe(frame.current);
    return () => watch.disconnect();
  }, []);
  const more = scrolls ? { tabindex: 0, role: "region", "aria-labelledby": id } : {};
  return html`<div class="table" ref=${frame} ...${more}>
    <table>
      <caption id=${id} class=${isQuiet ? "unseen" : ""}>${caption}</caption>
      <thead><tr>${columns.map((c) => html`<th scope="col" class=${c.right ? "right" : ""}>${c.head}</th>`)}</tr></thead>
      <tbody>
        ${rows.map((row, i) => html`<tr key=${rowKey(row, i)}>${columns.map((c) => html`<td class=${c.right ? "right" : ""}>${c.cell(row, i)}</td>`)}</tr>`)}
        ${rows.length === 0 && empty && html`<tr><td colspan=${columns.length} class="empty">${empty}</td></tr>`}
      </tbody>
    </table>
  </div>`;
}
