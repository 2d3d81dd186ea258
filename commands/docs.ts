import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadStackFile } from "../config/load.ts";
import { renderReadme } from "./readme/readme.ts";

const pathOf = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url));

// npm run docs: writes the README's tables anew, from the schema, the promises and the example's plan.
const readme = readFileSync(pathOf("README.md"), "utf8");
const rendered = renderReadme(readme, loadStackFile(pathOf("Pulumi.dev.yaml")));
if (rendered !== readme) writeFileSync(pathOf("README.md"), rendered);
console.log(`README.md: ${rendered === readme ? "as it was" : "written"}`);
