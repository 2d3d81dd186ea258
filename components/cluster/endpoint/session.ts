import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** A conversation with `oslo-step endpoint` on a node, over one SSH connection. */
export interface Session {
  name: string;
  /** Says a word; answers the line of JSON that comes back. @throws Error with what the node said instead */
  ask<T>(word?: string): Promise<T>;
  /** Ends it, and waits until all of it has ended on the node. */
  close(): Promise<void>;
}

/** @param command The command line that runs it. @param document What the node reads first. */
export function open(name: string, [command = "", ...args]: string[], document: string): Session {
  const child = spawn(command, args, { stdio: "pipe" });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    said += text;
  });
  child.stdin.on("error", () => {}); // its end is what tells
  child.stdin.write(document);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ended = new Promise<string>((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("close", (status) =>
      resolve(
        status === 255
          ? `${name} does not answer by SSH, or the connection was lost: ${said.trim()}; run it again`
          : said.trim() || `the try on ${name} ended with ${status}`,
      ),
    );
  });
  return {
    name,
    async ask<T>(word?: string) {
      if (word !== undefined) child.stdin.write(`${word}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error((await ended).replace(/^error: /, ""));
      return JSON.parse(value) as T;
    },
    async close() {
      child.stdin.end();
      await ended;
    },
  };
}
