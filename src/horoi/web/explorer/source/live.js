// The node's stream of events (server-sent events), one connection for the whole page.
//
// It reconnects by itself, with growing pauses. While the tab is hidden it is closed, because a browser opens six connections
// to a node at most, over all tabs. After every gap `gap` is told, so that whoever shows data asks for it again.

import { useEffect, useRef } from "./html.js";
import { makeStore } from "./store.js";

// What some page listens to, and no more: the node drops whoever falls behind, and a burst has thousands of transactions.
const KINDS = ["block", "block-removed", "movement", "waiting", "transaction-removed", "agreement", "peer", "peer-lost", "offer", "offer-changed"];
const LONGEST_PAUSE_MS = 30_000;
const HIDDEN_MS = 10_000; // a tab that is hidden this long lets its connection go

/** "opening", "open", "waiting" (for the next try), or "paused" (hidden). */
export const state = makeStore("opening");
const listeners = new Map();
let source = null;
let tries = 0;
let hadGap = false;
let retry = 0;
let hiding = 0;

/** Call `listener(kind, data)` for these kinds of events, each of KINDS or "gap". */
export function on(kinds, listener) {
  for (const kind of kinds) {
    if (kind !== "gap" && !KINDS.includes(kind)) throw new Error(`events of kind ${kind} are not asked for`);
    if (!listeners.has(kind)) listeners.set(kind, new Set());
    listeners.get(kind).add(listener);
  }
  return () => kinds.forEach((kind) => listeners.get(kind)?.delete(listener));
}

export function useLive(kinds, listener) {
  const latest = useRef(listener);
  latest.current = listener;
  useEffect(() => on(kinds, (kind, data) => latest.current(kind, data)), [kinds.join()]);
}

function tell(kind, data) {
  for (const listener of [...(listeners.get(kind) ?? [])]) listener(kind, data);
}

function hear(from, kind) {
  from.addEventListener(kind, (event) => tell(kind, JSON.parse(event.data)));
}

function open() {
  clearTimeout(retry);
  source?.close();
  source = new EventSource(`/v1/events?types=${KINDS.join()}`);
  source.onopen = () => {
    tries = 0;
    state.set("open");
    if (hadGap) tell("gap", null);
    hadGap = false;
  };
  source.onerror = () => {
    hadGap = true;
    state.set("waiting");
    if (source.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
    tries += 1;
    retry = setTimeout(open, Math.min(LONGEST_PAUSE_MS, 500 * 2 ** tries));
  };
  for (const kind of KINDS) hear(source, kind);
}

function pause() {
  clearTimeout(retry);
  source?.close();
  source = null;
  hadGap = true;
  state.set("paused");
}

export function start() {
  open();
  document.addEventListener("visibilitychange", () => {
    clearTimeout(hiding);
    if (document.hidden) hiding = setTimeout(pause, HIDDEN_MS);
    else if (!source) open();
  });
  addEventListener("pagehide", () => source?.close());
}
