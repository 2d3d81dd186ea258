/**
 * Asks one question after another on one connection, ten times a second, until it is ended. Prints a line of JSON for
 * each answer and each failure. A connection that is lost is followed by another, with the next number.
 *
 *     node client.ts URL
 */
import { Agent, get } from "node:http";

/** What one line says. */
export interface Exchange {
  /** When it ended, in seconds since 1970. */
  at: number;
  /** How long it took, in seconds. */
  seconds: number;
  /** Which connection carried it, from 1. */
  connection: number;
  /** Why there was no answer. @default there was one */
  error?: string;
}

/** Between an answer and the next question. */
const milliseconds = 100;

function main(url: string): void {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let connection = 0;
  const ask = () => {
    const start = Date.now();
    let ended = false;
    const end = (error?: string) => {
      if (ended) return;
      ended = true;
      const at = Date.now();
      const line: Exchange = { at: at / 1000, seconds: (at - start) / 1000, connection };
      console.log(JSON.stringify(error === undefined ? line : { ...line, error }));
      setTimeout(ask, milliseconds);
    };
    const asked = get(url, { agent }, (response) => {
      response.resume();
      response.once("end", () =>
        end(response.statusCode === 200 ? undefined : `status ${response.statusCode}`),
      );
      response.once("error", ({ message }) => end(message));
    });
    // Node says so of a socket that carried a request before.
    asked.once("socket", () => {
      if (!asked.reusedSocket) connection += 1;
    });
    asked.once("error", ({ message }) => end(message));
  };
  ask();
}

if (import.meta.main) main(process.argv[2] ?? "");
