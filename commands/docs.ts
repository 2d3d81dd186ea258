import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadStackFile } from "../config/load.ts";
import { stackFileSchema } from "./pages/json-schema.ts";
import { generated, renderPage } from "./pages/page.ts";
import { schemaFile } from "./stack-file.ts";

const pathOf = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url));

// npm run docs: writes the pages' tables again, from the schema, the promises and the example's plan.
const config = loadStackFile(pathOf("examples/Pulumi.articles.yaml"));
for (const path of Object.keys(generated)) {
  const page = readFileSync(pathOf(path), "utf8");
  const rendered = renderPage(path, page, config);
  if (rendered !== page) writeFileSync(pathOf(path), rendered);
  console.log(`${path}: ${rendered === page ? "as it was" : "written"}`);
}
// What editors complete a stack's file from; commands/init.ts names it in the file's first line.
writeFileSync(pathOf(schemaFile), `${JSON.stringify(stackFileSchema(), null, 1)}\n`);
