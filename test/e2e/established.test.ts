import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, expect, test } from "vitest";
import { objectsOf } from "../lab/processes.ts";
import { waitFor } from "../lab/shell.ts";
import type { Exchange } from "./established/client.ts";
import { summary } from "./established/established.ts";

// The client of established connections: what it would say of one that a lost control plane cuts.

let server: Server;

afterEach(() => void server.close());

async function ask(answer: (count: number) => "ok" | "cut"): Promise<ReturnType<typeof summary>> {
  let count = 0;
  server = createServer((request, response) => {
    count += 1;
    if (answer(count) === "cut") request.socket.resetAndDestroy();
    else response.end("ok");
  });
  // A client that gets no time for five seconds finds its connection as it was.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const script = join(import.meta.dirname, "established/client.ts");
  const client = execa(process.execPath, [script, `http://127.0.0.1:${port}/`], { reject: false });
  let log = "";
  client.stdout.on("data", (chunk) => {
    log += chunk;
  });
  await waitFor("six exchanges", 30, () => objectsOf<Exchange>(log).length >= 6);
  client.kill();
  await client;
  server.closeAllConnections();
  return summary(objectsOf<Exchange>(log).slice(0, 6));
}

test("a connection that is kept is one, and all is answered", async () => {
  expect(await ask(() => "ok")).toMatchObject({ connections: 1, unanswered: [], answers: 6 });
});

test("a connection that is cut is seen, by its question and by the next connection", async () => {
  const { connections, unanswered } = await ask((count) => (count === 3 ? "cut" : "ok"));
  expect(connections).toBe(2);
  expect(unanswered).toEqual([expect.stringMatching(/ECONNRESET|hang up/)]);
});
