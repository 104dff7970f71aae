// The board.

import { useData } from "../data.js";
import { html } from "../html.js";
import { t } from "../lang.js";
import { Heading, Instead } from "../parts/page.js";
import { Text } from "../parts/text.js";
import "../words/board.js";

export default function Board() {
  const path = "/v1/posts";
  const { data, problem, isLoading, reload } = useData(path, { on: ["block"] });
  return html`<${Heading} title=${t("board.title")} data=${path} />
    ${data ? html`<ol class="stream">${data.posts.map((entry) => html`<li><${Text} value=${entry.post.text} /></li>`)}</ol>` : html`<${Instead} ...${{ problem, isLoading, reload }} />`}`;
}
