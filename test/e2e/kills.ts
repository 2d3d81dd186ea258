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

/**
 * One bring-up from nothing that is killed again and again: the client by SIGKILL, its SSH sessions, a
 * host by its power. The lock of a client that was killed is broken as the README says.
 */
export function describeKills(current: () => Engine, hosts: readonly string[]): void {
  describe(`one bring-up, killed at ${kills} events (OSLO_LAB_SEED=${seed})`, () => {
    test("each time it goes on, and in the end it is whole", {
      timeout: (kills * 3 + 15) * minutes,
    }, async () => {
      const next = numbers(seed);
      const pick = <T>(list: readonly T[]) => list[Math.floor(next() * list.length)] as T;
      for (let nth = 1; nth <= kills; nth++) {
        const fault = pick(faults);
        const host = pick(hosts);
        // After so many lines of the engine's progress; later ones come only after earlier ones hold.
        const line = 4 + Math.floor(next() * 6 * nth);
        const ended = await killAt(current(), { fault, host, line });
        console.log(
          `kill ${nth}: ${fault === "power" ? `power of ${host}` : fault} at line ${line}: ${ended}`,
        );
      }
      await current().up();
      expect(await current().up()).toMatchObject(unchanged);
    });
  });
}

interface Kill {
  fault: (typeof faults)[number];
  host: string;
  line: number;
}

/** Runs `up` until it has printed so many lines, and breaks something; says how `up` ended. */
async function killAt(engine: Engine, { fault, host, line }: Kill): Promise<string> {
  const kill = new AbortController();
  let reached = () => {};
  const atLine = new Promise<void>((resolve) => {
    reached = resolve;
  });
  let lines = 0;
  const onOutput = (text: string) => {
    lines += text.split("\n").filter((one) => /creat(ing|ed)|updat(ing|ed) \(/.test(one)).length;
    if (lines >= line) reached();
  };
  const running = engine.up({ kill: kill.signal, onOutput }).then(
    () => "finished",
    (error: Error) => (kill.signal.aborted ? "killed" : `failed: ${lastLine(error)}`),
  );
  const first = await Promise.race([atLine.then(() => "reached"), running]);
  if (first !== "reached") return `${first} before that`;
  if (fault === "client") kill.abort();
  if (fault === "ssh") await killAll("SSH", await sshSessions());
  if (fault === "power") {
    await infrastructure.stopHost(host);
    kill.abort();
  }
  const ended = await running;
  if (fault === "power") await infrastructure.startHost(host);
  if (kill.signal.aborted) await engine.cancel();
  return ended;
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
