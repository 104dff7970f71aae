// Before the first paint: the colours and the language that were chosen here before, so that nothing flashes.

const root = document.documentElement;
try {
  const theme = localStorage.getItem("horoi.theme");
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  const lang = localStorage.getItem("horoi.lang");
  if (lang === "en" || lang === "el") root.lang = lang;
} catch {
  // A browser that keeps nothing: its own preferences hold.
}
