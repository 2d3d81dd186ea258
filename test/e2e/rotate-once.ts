import { readFileSync } from "node:fs";
import { ask } from "../../commands/encryption/nodes.ts";
import { outlook, rotate } from "../../commands/encryption/rotate.ts";
import { type LocalPlane, localPlanes } from "./local-planes.ts";

// A rotation in a process of its own, which a test ends where it likes.
const planes = localPlanes(JSON.parse(readFileSync(0, "utf8")) as LocalPlane[]);
const { key } = outlook(await ask(planes));
console.log(JSON.stringify(await rotate(planes, { key, say: (line) => console.error(line) })));
