import { randomInt } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Engine } from "../lab/engine.ts";
import * as infrastructure from "../lab/infrastructure.ts";
import { killAll, processesIn } from "../lab/processes.ts";
import { segment } from "../lab/segment.ts";
import { unchanged } from "./unchanged.ts";

const minutes = 60_000;

/** How often one bring-up is killed. @default 10; OSLO_LAB_KILLS overrides it */
const kills = Number(process.env.OSLO_LAB_KILLS ?? 10);
/** Chooses what is killed and when. @default a random one, printed; OSLO_LAB_SEED replays one */
const seed = Number(process.env.OSLO_LAB_SEED ?? randomInt(2 ** 31));

const faults = ["client", "ssh", "power"] as const;

/** Numbers from 0 up to 1 that follow from a seed (mulberry32). */
function numbers(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface Killed {
  /** What it is that is killed. */
  what: string;
  current: () => Engine;
  hosts: readonly string[];
  /** Makes it so that the next `up` has all of it to do again. */
  again: () => Promise<unknown>;
  /** Of the lines of progress that it prints, at most so many pass before a kill. @default 12 */
  lines?: number;
}

/**
 * One `up` that is killed again and again: the client by SIGKILL, its SSH sessions, a host by its
 * power. The lock of a client that was killed is broken as docs/operations.md says.
 */
export function describeKills({ what: subject, current, hosts, again, lines = 12 }: Killed): void {
  describe(`${subject}, killed at ${kills} events (OSLO_LAB_SEED=${seed})`, () => {
    test("each time the next one continues, and in the end it is whole", {
      timeout: (kills * 3 + 15) * minutes,
    }, async () => {
      await again();
      const next = numbers(seed);
      const pick = <T>(list: readonly T[]) => list[Math.floor(next() * list.length)] as T;
      let run = start(current());
      for (let nth = 1; nth <= kills; nth++) {
        const [fault, host] = [pick(faults), pick(hosts)];
        // So many lines of progress after the kill before.
        const line = run.lines() + 2 + Math.floor(next() * lines);
        const isWhole = (await run.until(line)) === "finished";
        if (isWhole) {
          // It was quick: once more.
          await again();
          run = start(current());
          await run.until(2 + Math.floor(next() * lines));
        }
        const what = fault === "power" ? `power of ${host}` : fault;
        console.log(`kill ${nth}: ${what}, after ${run.lines()} lines of this run`);
        if (fault === "ssh") {
          // The run reconnects and continues, or fails.
          await killAll("SSH", await sshSessions());
          continue;
        }
        if (fault === "power") await infrastructure.stopHost(host);
        run.kill();
        expect(await run.ended).toBe("killed");
        if (fault === "power") await infrastructure.startHost(host);
        await current().cancel();
        run = start(current());
      }
      await run.ended;
      await current().up();
      expect(await current().up()).toMatchObject(unchanged);
    });
  });
}

/** An `up` that counts the lines of its progress; one that fails is followed by another. */
function start(engine: Engine) {
  const kill = new AbortController();
  let lines = 0;
  let check = () => {};
  const onOutput = (text: string) => {
    lines += text
      .split("\n")
      .filter((one) => /(creat|delet)(ing|ed)|updat(ing|ed) \(/.test(one)).length;
    check();
  };
  const attempt = (left: number): Promise<"finished" | "killed"> =>
    engine.up({ kill: kill.signal, onOutput }).then(
      () => "finished" as const,
      (error: Error) => {
        if (kill.signal.aborted) return "killed" as const;
        if (left === 0) throw error;
        console.log(`up failed, and is run again: ${lastLine(error)}`);
        return attempt(left - 1);
      },
    );
  const ended = attempt(3);
  return {
    ended,
    kill: () => kill.abort(),
    lines: () => lines,
    until: (line: number): Promise<"reached" | "finished" | "killed"> =>
      Promise.race([
        ended,
        new Promise<"reached">((resolve) => {
          check = () => {
            if (lines >= line) resolve("reached");
          };
          check();
        }),
      ]),
  };
}

/** The ssh clients in the lab's network: the engine's, for nothing else connects meanwhile. */
async function sshSessions(): Promise<number[]> {
  return (await processesIn(segment.netns)).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/comm`, "utf8").trim() === "ssh";
    } catch {
      return false; // it has ended
    }
  });
}

function lastLine({ message }: Error): string {
  return message.split("\n").filter(Boolean).at(-1)?.trim().slice(0, 160) ?? "";
}
