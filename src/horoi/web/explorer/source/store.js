// Small values that the whole page shares: language and colours (kept in this browser), and the owner's token
// (kept for this tab only: sessionStorage is gone when the tab is).

import { useEffect, useState } from "./html.js";

export function makeStore(value) {
  const listeners = new Set();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...listeners]) listener(value);
    },
    on(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** A store's value, and a new drawing when it changes. */
export function useStore(store) {
  const [value, setValue] = useState(store.get());
  useEffect(() => {
    setValue(store.get());
    return store.on((next) => setValue(next));
  }, [store]);
  return value;
}

function kept(storage, name, value, allowed) {
  let found = null;
  try {
    found = storage()?.getItem(name);
  } catch {
    // Storage is forbidden here: the value lasts as long as the page.
  }
  const store = makeStore(found !== null && (!allowed || allowed.includes(found)) ? found : value);
  store.on((next) => {
    try {
      if (next) storage().setItem(name, next);
      else storage().removeItem(name);
    } catch {
      // As above.
    }
  });
  return store;
}

const ofBrowser = (navigator.language || "en").toLowerCase().startsWith("el") ? "el" : "en";

export const lang = kept(() => localStorage, "horoi.lang", ofBrowser, ["en", "el"]);
export const theme = kept(() => localStorage, "horoi.theme", "", ["light", "dark"]);
export const token = kept(() => sessionStorage, "horoi.token", "");
