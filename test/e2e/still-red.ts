import type { Row } from "../../verify/run.ts";
import { waitFor } from "../lab/shell.ts";

/**
 * What is red, and stays so: none, as soon as nothing is. What was broken needs a while, as an agent that has started
 * again and makes its routes.
 *
 * @param seconds how long it is asked again
 */
export async function stillRed(ask: () => Promise<Row[]>, seconds = 60): Promise<unknown[]> {
  let red: unknown[] = ["nothing was asked"];
  await waitFor("every promise to be kept", seconds, async () => {
    red = await ask().then(
      (rows) => rows.filter(({ verdict }) => verdict === "fail"),
      (error: unknown) => [error],
    );
    return red.length === 0;
  }).catch(() => undefined);
  return red;
}
