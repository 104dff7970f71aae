// What stands around every page: the name of the house, the search box, the navigation, language and colours, whether the
// stream is live; and the page itself, fetched when it is opened.

import { get } from "./api.js";
import { html, useEffect, useRef, useState } from "./html.js";
import { t } from "./lang.js";
import { state as liveState, useLive } from "./live.js";
import { Text } from "./parts/text.js";
import { Instead } from "./parts/page.js";
import { navigate, place } from "./router.js";
import { match, routes } from "./routes.js";
import { lang, theme, useStore } from "./store.js";
import { status } from "./status.js";

export function Shell() {
  const language = useStore(lang);
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  return html`
    <a class="skip" href="#content">${t("skip")}</a>
    <${Top} />
    <main id="content" tabindex="-1"><${Page} /></main>
    <${Foot} />
  `;
}

function Top() {
  const [isOpen, setOpen] = useState(false);
  const here = useStore(place);
  const node = useStore(status);
  useEffect(() => setOpen(false), [here]);
  return html`<header class="top">
    <div class="bar">
      <a class="brand" href="/" title=${t("brand.about")}>
        <span class="mark" lang="el">ΗΟΡΟΙ</span>
        ${node && html`<span class="network"><${Text} plain most=${60} value=${node.network.name} /></span>`}
      </a>
      <${SearchBox} />
      <div class="tools">
        <${LiveSign} />
        <button type="button" class="tool" lang=${lang.get() === "el" ? "en" : "el"} onClick=${() => lang.set(lang.get() === "el" ? "en" : "el")}>${t("lang.switch")}</button>
        <${ThemeSwitch} />
        <button type="button" class="tool menu" aria-expanded=${isOpen} aria-controls="nav" onClick=${() => setOpen(!isOpen)}>${t("nav.menu")}</button>
      </div>
    </div>
    <nav id="nav" class=${isOpen ? "nav open" : "nav"} aria-label=${t("nav")}>
      <ul>${routes.filter((r) => r.nav).map((r) => html`<li><a href=${r.path} aria-current=${isHere(r, here.path) ? "page" : undefined}>${t(r.nav)}</a></li>`)}</ul>
    </nav>
  </header>`;
}

const isHere = (route, path) => path === route.path || (path === "/" && route.path === "/board") || (route.under ?? []).some((p) => path.startsWith(p));

function SearchBox() {
  const input = useRef();
  const here = useStore(place);
  const asked = here.path === "/search" ? here.query.get("q") ?? "" : "";
  useEffect(() => {
    const focus = (event) => {
      const inField = event.target.closest?.("input, textarea, select, [contenteditable]");
      if (event.key !== "/" || inField || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      input.current.focus();
      input.current.select();
    };
    document.addEventListener("keydown", focus);
    return () => document.removeEventListener("keydown", focus);
  }, []);
  const go = (event) => {
    event.preventDefault();
    const words = input.current.value.trim();
    if (words) navigate(`/search?q=${encodeURIComponent(words)}`);
  };
  return html`<form class="search" role="search" onSubmit=${go}>
    <input ref=${input} type="search" name="q" key=${asked} defaultValue=${asked} maxlength="400" autocomplete="off" spellcheck=${false} aria-label=${t("search")} placeholder=${t("search.hint")} aria-keyshortcuts="/" />
    <kbd aria-hidden="true">/</kbd>
  </form>`;
}

function LiveSign() {
  const now = useStore(liveState);
  return html`<span class=${`live ${now}`} role="status" title=${t(`live.${now}`)}><span class="dot" aria-hidden="true"></span><span class="live-word">${t(`live.${now}`)}</span></span>`;
}

function ThemeSwitch() {
  const chosen = useStore(theme);
  const dark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const change = () => {
    const next = dark ? "light" : "dark";
    document.documentElement.dataset.theme = next;
    theme.set(next);
  };
  const label = t(dark ? "theme.to-light" : "theme.to-dark");
  return html`<button type="button" class="tool" onClick=${change} aria-label=${label} title=${label}><span aria-hidden="true">${dark ? "☀" : "☾"}</span></button>`;
}

// ---- the page -----------------------------------------------------------------------------------------------

function Page() {
  const here = useStore(place);
  const found = match(here.path);
  const [opened, setOpened] = useState({ route: null, module: null, error: null });
  const isFirst = useRef(true);

  useEffect(() => {
    if (!found) return undefined;
    let isWanted = true;
    found.route.load().then(
      (module) => isWanted && setOpened({ route: found.route, module, error: null }),
      (error) => isWanted && setOpened({ route: found.route, module: null, error }),
    );
    return () => {
      isWanted = false;
    };
  }, [found?.route]);

  // A new page begins at its top, and a screen reader hears its heading; the first one is where the browser put it.
  useEffect(() => {
    if (isFirst.current) isFirst.current = false;
    else {
      scrollTo(0, 0);
      document.getElementById("content").focus({ preventScroll: true });
    }
  }, [here.path]);

  if (!found) return html`<div class="problem" role="alert"><strong>${t("problem.page")}</strong><p><bdi class="hash">${here.path}</bdi></p></div>`;
  if (opened.route !== found.route) return html`<${Instead} isLoading />`;
  if (opened.error) return html`<div class="problem" role="alert"><strong>${t("problem.code")}</strong></div>`;
  return html`<${opened.module.default} key=${here.path} params=${found.params} query=${here.query} />`;
}

function Foot() {
  const node = useStore(status);
  const read = async () => {
    try {
      status.set(await get("/v1/status"));
    } catch {
      // The sign in the top bar says that the node is silent.
    }
  };
  useEffect(() => {
    read();
  }, []);
  useLive(["gap"], read);
  return html`<footer class="foot">
    <span>${node ? html`${t("foot.node")} <span class="hash">${node.node_id.slice(0, 12)}</span> · Horoi ${node.version}` : " "}</span>
    <span><a href="/api">${t("foot.api")}</a> · <a href="/openapi.json" target="_blank" rel="noopener">OpenAPI</a></span>
  </footer>`;
}
