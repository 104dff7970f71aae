// Packs the explorer: source/ and the npm packages that it imports, into built/, which a node serves.
//
//   built/files/NAME-HASH.js, .css   each with a .gz beside it; the hash is of the content, so they may be kept for ever
//   built/index.html                 the shell of every page
//   built/manifest.json              which page addresses there are, and which files
//
// Run by the build hook (hatch_build.py) and by `make explorer`.

import { readFile, writeFile, rm, mkdir, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { routes } from "./source/routes.js";

const here = dirname(fileURLToPath(import.meta.url));
const built = join(here, "built");
const fresh = `${built}.${process.pid}`; // packed aside, then swapped in: a node never reads half of it

const result = await build({
  absWorkingDir: here,
  entryPoints: ["source/main.js", "source/early.js", "source/style/all.css"],
  outdir: join(fresh, "files"),
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "none",
  charset: "utf8",
  write: false,
  metafile: true,
  logLevel: "warning",
});

await mkdir(join(fresh, "files"), { recursive: true });
const files = [];
for (const { path, contents } of result.outputFiles) {
  const zipped = gzipSync(contents, { level: 9 });
  await writeFile(path, contents);
  await writeFile(`${path}.gz`, zipped);
  files.push({ name: path.slice(join(fresh, "files").length + 1), size_bytes: contents.length, gzip_bytes: zipped.length });
}
files.sort((a, b) => (a.name < b.name ? -1 : 1));

const outputs = Object.entries(result.metafile.outputs);
const outputOf = (entry) => outputs.find(([, output]) => output.entryPoint === entry);
const nameOf = (path) => path.split("/").at(-1);
const [mainPath] = outputOf("source/main.js");
const eager = [...needed(mainPath)].map(nameOf).slice(1);
const first = {
  early: nameOf(outputOf("source/early.js")[0]),
  main: nameOf(mainPath),
  style: nameOf(outputOf("source/style/all.css")[0]),
};

const template = await readFile(join(here, "source/index.html"), "utf8");
const shell = template
  .replace("{{early}}", first.early)
  .replace("{{style}}", first.style)
  .replace("{{main}}", first.main)
  .replace("{{preload}}", eager.map((name) => `<link rel="modulepreload" href="/static/${name}">`).join("\n"));
await writeFile(join(fresh, "index.html"), shell);

const pages = routes.map((route) => route.path);
const chunks = {}; // by source file: its own file and all that it cannot start without
for (const [path, output] of outputs) if (output.entryPoint) chunks[output.entryPoint] = [...needed(path)].map(nameOf);

function needed(path, found = new Set()) {
  if (found.has(path)) return found;
  found.add(path);
  for (const i of result.metafile.outputs[path].imports) if (i.kind === "import-statement") needed(i.path, found);
  return found;
}
const manifest = { pages, first: [...Object.values(first), ...eager], chunks, files };
await writeFile(join(fresh, "manifest.json"), JSON.stringify(manifest, null, 1));

await rm(built, { recursive: true, force: true });
await rename(fresh, built);
const total = files.reduce((sum, file) => sum + file.gzip_bytes, 0);
console.log(`explorer: ${files.length} files, ${Math.round(total / 1000)} kB gzipped`);
