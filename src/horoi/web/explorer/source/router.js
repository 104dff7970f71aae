// Addresses: links inside the explorer change the page without loading the shell again, and back and forward work.

import { match } from "./routes.js";
import { makeStore } from "./store.js";

const read = () => ({ path: location.pathname, query: new URLSearchParams(location.search), hash: location.hash });
export const place = makeStore(read());

/** Go to an address of the explorer. */
export function navigate(url, { replace = false } = {}) {
  history[replace ? "replaceState" : "pushState"](null, "", url);
  place.set(read());
}

addEventListener("popstate", () => place.set(read()));

/** The click is ours if it is a plain one on a link to a page of the explorer. */
document.addEventListener("click", (event) => {
  if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = event.target.closest?.("a[href]");
  if (!link || link.target || link.hasAttribute("download")) return;
  const url = new URL(link.href, location.href);
  if (url.origin !== location.origin || !match(url.pathname)) return;
  if (url.pathname === location.pathname && url.search === location.search && url.hash) return; // within the page
  event.preventDefault();
  navigate(url.pathname + url.search + url.hash);
});
