import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { setTimeout as pause } from "node:timers/promises";

// Reads Secrets at several API servers, and writes one now and then, until it is ended; what became of it is
// in a file at any time. Arguments: the file, a folder with ca.crt, client.crt and client.key, how many Secrets, ports.
const [file = "", folder = "", count = "", ...ports] = process.argv.slice(2);
const read = (name: string) => readFileSync(`${folder}/${name}`);
const agent = new Agent({
  keepAlive: true,
  ca: read("ca.crt"),
  cert: read("client.crt"),
  key: read("client.key"),
});
/** What readers of one API server have come to. */
export interface Results {
  reads: number;
  writes: number;
  /** Requests that a slow machine did not answer, or not in time: no word on any key. */
  unanswered: number;
  errors: string[];
}
const results: Record<string, Results> = {};

function ask(port: string, method: string, path: string, body?: string) {
  const headers = body ? { "content-type": "application/merge-patch+json" } : {};
  return new Promise<{ status: number; text: string }>((resolve) => {
    const options = { host: "10.99.0.1", port, path, method, headers, agent };
    const asked = request(options, (answer) => {
      let text = "";
      answer.on("data", (part) => {
        text += part;
      });
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    asked.on("error", ({ message: text }) => resolve({ status: 504, text }));
    asked.end(body);
  });
}

function secretIn(text: string): string {
  const { data } = JSON.parse(text) as { data?: { value?: string } };
  return Buffer.from(data?.value ?? "", "base64").toString();
}

async function readOn(port: string): Promise<never> {
  const result: Results = { reads: 0, writes: 0, unanswered: 0, errors: [] };
  results[port] = result;
  for (let turn = 0; ; turn++) {
    const i = turn % Number(count);
    const path = `/api/v1/namespaces/default/secrets/s-${i}`;
    const isWrite = turn % 20 === 19;
    const patch = JSON.stringify({ metadata: { annotations: { turn: `${turn}` } } });
    const { status, text } = await (isWrite
      ? ask(port, "PATCH", path, patch)
      : ask(port, "GET", path));
    if (status === 504) result.unanswered++;
    else if (status !== 200 || secretIn(text) !== `value-${i}`)
      result.errors.push(`${status} ${text.slice(0, 200)}`);
    if (isWrite) result.writes++;
    else result.reads++;
    await pause(25); // two cores
  }
}

setInterval(() => {
  writeFileSync(`${file}.new`, JSON.stringify(results));
  renameSync(`${file}.new`, file);
}, 500);
await Promise.all(ports.map(readOn));
