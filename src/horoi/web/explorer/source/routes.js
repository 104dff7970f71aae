// Every page of the explorer: its address, the module that draws it, and where it stands in the navigation.
// The build writes the addresses into the manifest, and a node serves the shell at each: this is the only list.

export const routes = [
  { path: "/", load: () => import("./pages/board.js") },
  { path: "/board", load: () => import("./pages/board.js"), nav: "nav.board" },
  { path: "/assets", load: () => import("./pages/assets.js"), nav: "nav.assets", under: ["/asset/"] },
  { path: "/asset/:id", load: () => import("./pages/asset.js") },
  { path: "/key/:id", load: () => import("./pages/key.js") },
  { path: "/tx/:id", load: () => import("./pages/transaction.js") },
  { path: "/document/:hash", load: () => import("./pages/document.js") },
  { path: "/blocks", load: () => import("./pages/blocks.js"), nav: "nav.blocks", under: ["/block/"] },
  { path: "/block/:id", load: () => import("./pages/block.js") },
  { path: "/peers", load: () => import("./pages/peers.js"), nav: "nav.peers" },
  { path: "/charts", load: () => import("./pages/charts.js"), nav: "nav.charts" },
  { path: "/search", load: () => import("./pages/search.js") },
  { path: "/prove", load: () => import("./pages/prove.js"), nav: "nav.prove" },
  { path: "/offers", load: () => import("./pages/offers.js"), nav: "nav.offers", under: ["/offers/"] },
  { path: "/offers/:id", load: () => import("./pages/offer.js") },
  { path: "/act", load: () => import("./pages/act.js"), nav: "nav.act" },
  { path: "/diagnostics", load: () => import("./pages/diagnostics.js"), nav: "nav.diagnostics" },
];

/** The route of a path and the parts that its pattern names, or null. */
export function match(path) {
  for (const route of routes) {
    const params = matchOne(route.path, path);
    if (params) return { route, params };
  }
  return null;
}

function matchOne(pattern, path) {
  const wanted = pattern.split("/");
  const given = path.split("/");
  if (wanted.length !== given.length) return null;
  const params = {};
  for (let i = 0; i < wanted.length; i++) {
    if (wanted[i].startsWith(":")) {
      if (!given[i]) return null;
      try {
        params[wanted[i].slice(1)] = decodeURIComponent(given[i]);
      } catch {
        return null;
      }
    } else if (wanted[i] !== given[i]) return null;
  }
  return params;
}
