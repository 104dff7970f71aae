// The board: what was said and what moved, as it happens; the blocks that it stands in; what waits; whether all agree.
// The page reads each part once, and then follows the stream; it reads again only after a gap or when blocks were undone.

import "../words/board.js";
import { get, url } from "../api.js";
import { useData, useNow } from "../data.js";
import { html, useEffect, useRef, useState } from "../html.js";
import { t } from "../lang.js";
import { useLive } from "../live.js";
import { Lines, spoken } from "../parts/lines.js";
import { Heading, Instead, Section } from "../parts/page.js";
import { Agreement } from "./board/agreement.js";
import { Strip } from "./board/strip.js";
import { Waiting } from "./board/waiting.js";

const FIRST = 40; // lines of the first look
const MOST = 400; // lines kept while the page is open
const SPOKEN_EVERY_MS = 4_000; // a screen reader is told of news this often at most

const BOARD = url("/v1/board", { limit: FIRST });

export default function Board() {
  const first = useData(BOARD, { on: ["block-removed"] });
  const [board, setBoard] = useState(null);
  useEffect(() => {
    if (first.data) setBoard({ ...first.data, count: first.data.waiting_count });
  }, [first.data]);

  useLive(["movement", "waiting", "transaction-removed", "block"], (kind, data) => {
    setBoard((now) => now && followed(now, kind, data));
  });

  const older = async () => {
    const page = await get(url("/v1/board", { before: board.next, limit: FIRST, waiting: false }));
    setBoard((now) => ({ ...now, lines: merged(now.lines, page.lines, Infinity), next: page.next }));
  };

  return html`<${Heading} title=${t("board.title")} data=${[BOARD, "/v1/events"]} />
    <${Strip} waiting=${board?.count ?? 0} />
    <div class="columns board">
      <${Section} id="stream" title=${t("board.stream")}>
        ${board
          ? html`<${Lines} lines=${board.lines} tip=${board.height} label=${t("board.stream")} />
            ${board.lines.length === 0 && html`<p class="empty">${t("board.nothing")}</p>`}
            ${board.next && html`<div class="pager"><button type="button" onClick=${older}>${t("page.older")}</button></div>`}`
          : html`<${Instead} ...${first} isLoading=${!first.problem} />`}
      <//>
      <div>
        <${Agreement} />
        <${Waiting} lines=${board?.waiting ?? []} count=${board?.count ?? 0} isLoading=${!board} />
      </div>
    </div>
    <${News} lines=${board?.lines} />`;
}

/** The board after an event of the stream. */
function followed(board, kind, data) {
  if (kind === "block") return { ...board, height: data.height, tip: data.hash };
  if (kind === "movement") return { ...board, lines: merged(board.lines, [data], MOST) };
  if (kind === "waiting") {
    if (board.waiting.some((line) => line.id === data.id)) return board;
    const isNew = !board.waiting.some((line) => line.transaction === data.transaction);
    return { ...board, waiting: [data, ...board.waiting].slice(0, 100), count: board.count + (isNew ? 1 : 0) };
  }
  const waiting = board.waiting.filter((line) => line.transaction !== data.id);
  return { ...board, waiting, count: Math.max(0, board.count - 1) };
}

/** Newest transaction first, the lines of one in their order, each once. */
function merged(lines, more, most) {
  const byId = new Map([...lines, ...more].map((line) => [line.id, line]));
  const place = (line) => [line.height, line.position, -Number(line.id.split(".").at(-1))];
  return [...byId.values()]
    .sort((a, b) => {
      const [x, y] = [place(a), place(b)];
      return y[0] - x[0] || y[1] - x[1] || y[2] - x[2];
    })
    .slice(0, most);
}

/** Tells a screen reader what came, politely and not too often. */
function News({ lines }) {
  const [words, setWords] = useState("");
  const latest = useRef(null);
  const newest = lines?.[0];
  const now = useNow(SPOKEN_EVERY_MS);
  useEffect(() => {
    if (!newest) return;
    if (latest.current && latest.current !== newest.id) setWords(spoken(newest));
    latest.current = newest.id;
  }, [now]);
  return html`<p class="unseen" role="status" aria-live="polite">${words}</p>`;
}
