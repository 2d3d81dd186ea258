/**
 * Runs in a host's network until it is ended, and asks the API through the node's own balancer as a client
 * without retries: a read and a write ten times a second, a new connection each; and watches that send
 * nothing, each opened again when it ends, and all of them at SIGUSR2. Prints a line of JSON for each
 * answer, failure and event.
 *
 *     node api-gap.ts NAME CA_FILE TOKEN_FILE    NAME: of the ConfigMap in kube-system that it may use
 */
import { readFileSync } from "node:fs";
import type { ClientRequest } from "node:http";
import { request } from "node:https";
import type { TLSSocket } from "node:tls";

/** What one line says. */
export interface Answer {
  /** When it came, in seconds since 1970. */
  at: number;
  kind: "read" | "write" | "watch";
  /** How long it took; of a watch, since it was opened. */
  seconds: number;
  /** Why there was no answer. @default there was one */
  error?: string;
  /** Which of the watches. */
  watch?: number;
  /** The control plane that a watch hangs on. */
  by?: string;
}

/** Enough that each control plane has one: the balancer gives a connection to whoever has fewest. */
const watches = 3;
/** Between two requests of a kind. */
const milliseconds = 100;
/** After which a request is given up; the next ones have long been sent. */
const limit = 5000;

/** In seconds. A client that asks a little late all the time still knows how long a gap is. */
const shortestPause = 0.3;

/** A time without an answer. */
export interface Gap {
  seconds: number;
  /** Of these, how long the client itself asked nothing, for want of a processor: no gap is known better than that. */
  idle: number;
}

/**
 * The longest time without an answer, less that in which nothing was asked, up to a moment that had better not be the
 * end of a gap.
 * @param answers of the kind that is asked for
 * @param all of the same client
 */
export function longestGap(
  answers: readonly Answer[],
  all: readonly Answer[],
  from: number,
  until: number,
): Gap {
  const answered = answers.filter(({ error }) => error === undefined).map(({ at }) => at);
  const asked = all.filter(({ kind }) => kind !== "watch").map(({ at, seconds }) => at - seconds);
  let found: Gap = { seconds: 0, idle: 0 };
  for (const [begin, end] of spans(answered, from, until)) {
    if (end - begin <= lasting(found)) continue;
    const between = spans(asked, begin, end);
    // What was asked at last may wait yet, and be printed later.
    if (end === until) between.pop();
    const pauses = between.map(([a, b]) => b - a).filter((length) => length >= shortestPause);
    const idle = pauses.reduce((sum, length) => sum + length - milliseconds / 1000, 0);
    found = longest([found, { seconds: end - begin, idle }]);
  }
  return found;
}

/** One phrase for a person. */
export function describeGap({ seconds, idle }: Gap): string {
  const less = idle > 0 ? `, of which the client asked nothing for ${idle.toFixed(1)} s` : "";
  return `${seconds.toFixed(1)} s${less}`;
}

/** By what is left where the client's own pauses are left out. */
export function longest(gaps: readonly Gap[]): Gap {
  return gaps.reduce((one, other) => (lasting(other) > lasting(one) ? other : one), {
    seconds: 0,
    idle: 0,
  });
}

/** Seconds of a gap in which somebody asked. */
export function lasting({ seconds, idle }: Gap): number {
  return seconds - idle;
}

function spans(times: readonly number[], from: number, until: number): [number, number][] {
  const inside = times.filter((at) => at >= from && at <= until).sort((a, b) => a - b);
  const all = [from, ...inside, until];
  return all.slice(1).map((at, i) => [all[i] as number, at]);
}

function main([name = "", caFile = "", tokenFile = ""]: readonly string[]): void {
  const ca = readFileSync(caFile, "utf8");
  const path = "/api/v1/namespaces/kube-system/configmaps";
  const common = {
    host: "127.0.0.1",
    port: 7443,
    ca,
    servername: "kubernetes",
    // A connection of its own, without a session of an earlier one.
    agent: false as const,
    headers: { authorization: `Bearer ${readFileSync(tokenFile, "utf8").trim()}` },
  };
  const print = (start: number, rest: Omit<Answer, "at" | "seconds">) => {
    const at = Date.now() / 1000;
    const seconds = Math.round(at * 1000 - start) / 1000;
    console.log(JSON.stringify({ at, seconds, ...rest }));
  };

  const ask = (kind: "read" | "write") => {
    const start = Date.now();
    const said = (error?: string) => print(start, { kind, ...(error ? { error } : {}) });
    const patch = {
      method: "PATCH",
      headers: { ...common.headers, "content-type": "application/merge-patch+json" },
    };
    const asked = request(
      { ...common, ...(kind === "write" ? patch : {}), path: `${path}/${name}` },
      (response) => {
        response.resume();
        response.once("end", () =>
          said(response.statusCode === 200 ? undefined : `status ${response.statusCode}`),
        );
        response.once("error", ({ message }) => said(message));
      },
    );
    asked.once("error", ({ message }) => said(message));
    setTimeout(() => asked.destroy(new Error("given up")), limit).unref();
    asked.end(kind === "write" ? JSON.stringify({ data: { at: String(start) } }) : undefined);
  };

  const opened = new Map<number, ClientRequest>();
  const open = (watch: number) => {
    const start = Date.now();
    let ended = false;
    const end = (error: string) => {
      if (ended) return;
      ended = true;
      print(start, { kind: "watch", watch, error });
      setTimeout(open, milliseconds, watch);
    };
    const query = new URLSearchParams({ watch: "1", fieldSelector: `metadata.name=${name}` });
    const asked = request({ ...common, path: `${path}?${query}` }, (response) => {
      const names = (response.socket as TLSSocket).getPeerCertificate().subjectaltname ?? "";
      const by = names.match(/DNS:([a-z]+-\d+)/)?.[1] ?? "unknown";
      if (response.statusCode !== 200) {
        asked.destroy();
        return end(`status ${response.statusCode}`);
      }
      response.on("data", () => print(start, { kind: "watch", watch, by }));
      response.once("end", () => end("ended"));
      response.once("error", ({ message }) => end(message));
    });
    asked.once("error", ({ message }) => end(message));
    asked.end();
    opened.set(watch, asked);
  };
  process.on("SIGUSR2", () => {
    for (const asked of opened.values()) asked.destroy();
  });

  setInterval(ask, milliseconds, "read");
  setTimeout(() => setInterval(ask, milliseconds, "write"), milliseconds / 2);
  for (let watch = 0; watch < watches; watch++) open(watch);
}

if (import.meta.main) main(process.argv.slice(2));
