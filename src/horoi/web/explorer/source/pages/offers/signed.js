// Data that only the node's owner reads, asked for again when an offer changed or a block came.

import { ask } from "../../api.js";
import { useEffect, useRef, useState } from "../../html.js";
import { useLive } from "../../live.js";

const CALM_MS = 150; // as data.js: what comes together is one reason to ask again
const KINDS = ["offer", "offer-changed", "block", "block-removed", "gap"];

/** What GET `path` answers the owner: {data, problem, isLoading, reload}. Old data stays until the new is here. */
export function useSigned(path) {
  const [answer, setAnswer] = useState({ path: null, data: null, problem: null });
  const latest = useRef({ path, timer: 0 });
  latest.current.path = path;

  async function load() {
    const asked = latest.current.path;
    let next;
    try {
      next = { path: asked, data: await ask("GET", asked, { signed: true }), problem: null };
    } catch (problem) {
      next = { path: asked, data: null, problem };
    }
    if (latest.current.path === asked) setAnswer(next);
  }

  useEffect(() => {
    load();
    return () => {
      clearTimeout(latest.current.timer);
      latest.current.timer = 0;
    };
  }, [path]);
  useLive(KINDS, () => {
    latest.current.timer ||= setTimeout(() => {
      latest.current.timer = 0;
      load();
    }, CALM_MS);
  });

  const isOurs = answer.path === path;
  return { data: isOurs ? answer.data : null, problem: isOurs ? answer.problem : null, isLoading: !isOurs, reload: load };
}
