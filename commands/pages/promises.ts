import { promises } from "../../verify/promises.ts";
import { table, text } from "./markdown.ts";

/** Everything that is promised, with its proof, in the order of reports. */
export function promiseTable(): string {
  return table(
    ["Promise", "How it is proven"],
    promises.map(({ promise, proof }) => [text(promise), text(proof)]),
  );
}
