// The explorer begins here.

import "./words/shell.js";
import { html, render } from "./html.js";
import { start } from "./live.js";
import { Shell } from "./shell.js";

render(html`<${Shell} />`, document.getElementById("app"));
start();
