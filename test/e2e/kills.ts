import { spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Engine } from "../lab/engine.ts";
import { diskPaths } from "../lab/hosts/disk.ts";
import * as infrastructure from "../lab/infrastructure.ts";
import { killAll, processesIn } from "../lab/processes.ts";
import { hostNamespace, segment } from "../lab/segment.ts";
import { inNamespace, run as runCommand, waitFor } from "../lab/shell.ts";
import { type ProgressEvent, progressOf, saidOf, spread } from "./progress.ts";
import { unchanged } from "./unchanged.ts";

const minutes = 60_000;

/** How often one bring-up is killed. @default 10; OSLO_LAB_KILLS overrides it */
const kills = Number(process.env.OSLO_LAB_KILLS ?? 10);
/**
 * Chooses what is killed and when.
 * @default the commit's, so that a run of the same commit kills the same; where it cannot be read a random one.
 * Printed; OSLO_LAB_SEED names another one
 */
const seed = Number(process.env.OSLO_LAB_SEED ?? seedOfCommit());

function seedOfCommit(): number {
  const { stdout, status } = spawnSync("git", ["rev-parse", "HEAD"], { encoding: "utf8" });
  return status === 0 ? Number.parseInt(stdout.slice(0, 7), 16) : randomInt(2 ** 31);
}

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
  /**
   * What the CLI has printed of one that nothing disturbed: kills are spread over its length, by resources.
   * @default each comes soon after the one before
   */
  whole?: () => string;
  /** Without `whole`: of the lines of progress that it prints, at most so many pass before a kill. @default 12 */
  lines?: number;
}

/**
 * One `up` that is killed again and again: the client by SIGKILL, its SSH sessions, a host by its
 * power. The lock of a client that was killed is broken as docs/operations.md says.
 */
export function describeKills({
  what: subject,
  current,
  hosts,
  again,
  whole,
  lines = 12,
}: Killed): void {
  describe(`${subject}, killed at ${kills} events (OSLO_LAB_SEED=${seed})`, () => {
    test("each time the next one continues, and in the end it is whole", {
      timeout: (kills * 5 + 20) * minutes,
    }, async () => {
      await again();
      const next = numbers(seed);
      const pick = <T>(list: readonly T[]) => list[Math.floor(next() * list.length)] as T;
      const events = whole && spread(progressOf(whole()), kills, next);
      const begin = () => start(current(), hosts);
      let [run, made, hit] = [begin(), new Set<string>(), 0];
      /** Whether the run has come to where it is killed. */
      const reached = (nth: number) => {
        const isThere = events
          ? reaches(run, events.slice(nth - 1), made)
          : // So many lines of progress after the kill before.
            isAtLine(run, run.lines() + 2 + Math.floor(next() * lines));
        return run.until(isThere);
      };
      for (let nth = 1; nth <= kills; nth++) {
        const [fault, host] = [pick(faults), pick(hosts)];
        if ((await reached(nth)) === "finished") {
          // It was quick: once more.
          await again();
          [run, made] = [begin(), new Set()];
          if ((await reached(nth)) === "finished") continue;
        }
        hit++;
        const event = events?.[nth - 1];
        const what = fault === "power" ? `power of ${host}` : fault;
        console.log(
          `kill ${nth}: ${what}, after ${run.lines()} lines of this run${event ? `, at line ${event.line} of ${event.resource}` : ""}`,
        );
        if (fault === "ssh") {
          // The run reconnects and continues, or fails.
          run.mayFail();
          await killAll("SSH", await sshSessions());
          continue;
        }
        if (fault === "power") await infrastructure.stopHost(host);
        run.kill();
        // It may have ended in that moment: then the next one has nothing to do, or a host to repair.
        await run.ended;
        for (const resource of run.made) made.add(resource);
        if (fault === "power") await infrastructure.startHost(host);
        await current().cancel();
        run = begin();
      }
      await run.ended;
      await current().up();
      expect(await current().up()).toMatchObject(unchanged);
      // Twice it was whole before its kill came: that may be the case now and then.
      expect(hit).toBeGreaterThan(0.8 * kills);
    });
  });
}

type Run = ReturnType<typeof start>;

/**
 * Whether a run has come to the first of some events, or past it. Of what had been made by an earlier run it says
 * nothing: then whether it says anything.
 */
function reaches(
  run: Run,
  [event, ...later]: readonly ProgressEvent[],
  made: ReadonlySet<string>,
): () => boolean {
  if (event === undefined || made.has(event.resource)) return isAtLine(run, run.lines() + 1);
  const isAt = ({ resource, line }: ProgressEvent) =>
    run.said(resource) >= line || run.made.has(resource);
  // A group of resources that is in the state already is not mentioned either.
  const ahead = later.filter(({ resource }) => !made.has(resource));
  return () => isAt(event) || ahead.some(isAt);
}

function isAtLine(run: Run, line: number): () => boolean {
  return () => run.lines() >= line;
}

/**
 * An `up` that counts the lines of its progress; one that fails is followed by another. Where there is an API server
 * that may be starting yet, as after a power cut late in the bring-up, it is so once that is ready.
 */
function start(engine: Engine, hosts: readonly string[]) {
  const kill = new AbortController();
  const said = new Map<string, number>();
  const made = new Set<string>();
  let [lines, rest] = [0, ""];
  let check = () => {};
  const onOutput = (text: string) => {
    const all = (rest + text).split("\n");
    rest = all.pop() ?? "";
    for (const one of all) {
      const progress = saidOf(one);
      if (progress === undefined) continue;
      lines++;
      said.set(progress.resource, (said.get(progress.resource) ?? 0) + 1);
      if (progress.isDone) made.add(progress.resource);
    }
    check();
  };
  // How often it may: for machines that restart, and once more each time that its sessions are killed.
  let failures = 3;
  const attempt = (): Promise<"finished" | "killed"> =>
    engine.up({ kill: kill.signal, onOutput }).then(
      () => "finished" as const,
      async (error: Error) => {
        if (kill.signal.aborted) return "killed" as const;
        if (failures === 0) throw error;
        failures--;
        console.log(`up failed, and is run again: ${lastLine(error)}`);
        // Where none comes, the next attempt says so.
        await waitFor(
          "an API server to be ready",
          180,
          async () => kill.signal.aborted || (await someAnswers(hosts)),
        ).catch(() => {});
        if (kill.signal.aborted) return "killed" as const;
        return attempt();
      },
    );
  const ended = attempt();
  return {
    ended,
    kill: () => kill.abort(),
    mayFail: () => {
      failures++;
    },
    lines: () => lines,
    /** How many of them were of a resource. */
    said: (resource: string) => said.get(resource) ?? 0,
    made,
    until: (isThere: () => boolean): Promise<"reached" | "finished" | "killed"> =>
      Promise.race([
        ended,
        new Promise<"reached">((resolve) => {
          check = () => {
            if (isThere()) resolve("reached");
          };
          check();
        }),
      ]),
  };
}

const manifest = "etc/kubernetes/manifests/kube-apiserver.yaml";

/** Whether the API server of one of the control planes is ready, or none of them is to have one yet. */
async function someAnswers(hosts: readonly string[]): Promise<boolean> {
  const ready = ["curl", "-sk", "--max-time", "5", "https://127.0.0.1:6443/readyz"];
  const begun = hosts.filter((host) => existsSync(join(diskPaths(host).root, manifest)));
  if (begun.length === 0) return true;
  for (const host of begun) {
    const [command, ...args] = inNamespace(hostNamespace(host), ready) as [string, ...string[]];
    if ((await runCommand(command, args).catch(() => "")) === "ok") return true;
  }
  return false;
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
