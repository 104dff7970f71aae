// Data of a page: asked for when the page opens, and again when something happened that may change it.

import { get } from "./api.js";
import { useEffect, useRef, useState } from "./html.js";
import { useLive } from "./live.js";

const CALM_MS = 150; // events that come together (a block, its posts) are one reason to ask again

/**
 * What GET `path` answers: {data, problem, isLoading, reload}. `on`: kinds of events after which it is asked again.
 * Old data stays until the new is here; a null path asks nothing.
 */
export function useData(path, { on = [] } = {}) {
  const [answer, setAnswer] = useState({ path: null, data: null, problem: null });
  const current = useRef({ path, abort: null, timer: 0 });
  current.current.path = path;

  async function load() {
    const asked = current.current.path;
    current.current.abort?.abort();
    if (!asked) return;
    const abort = new AbortController();
    current.current.abort = abort;
    try {
      const data = await get(asked, { signal: abort.signal });
      setAnswer({ path: asked, data, problem: null });
    } catch (problem) {
      if (problem.name === "AbortError") return;
      setAnswer((before) => ({ path: asked, data: before.path === asked ? before.data : null, problem }));
    }
  }

  useEffect(() => {
    load();
    return () => {
      current.current.abort?.abort();
      clearTimeout(current.current.timer);
      current.current.timer = 0;
    };
  }, [path]);

  useLive([...on, "gap"], () => {
    current.current.timer ||= setTimeout(() => {
      current.current.timer = 0;
      load();
    }, CALM_MS);
  });

  const isOurs = answer.path === path;
  return {
    data: isOurs ? answer.data : null,
    problem: isOurs ? answer.problem : null,
    isLoading: Boolean(path) && !(isOurs && (answer.data || answer.problem)),
    reload: load,
  };
}

/** The time now, every `every_ms`, for ages that grow. */
export function useNow(everyMs = 1000) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
