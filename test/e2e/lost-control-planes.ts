import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runInLab } from "../lab/command.ts";
import type { Engine } from "../lab/engine.ts";
import * as infrastructure from "../lab/infrastructure.ts";
import { waitFor } from "../lab/shell.ts";
import { stackFile } from "../lab/stack.ts";
import type { Lab } from "../lab/verification/proof.ts";
import { kubeconfigFile } from "../lab/verification/verify.ts";
import { type Answer, lasting } from "./api-gap.ts";
import { endEstablished, establish, exchangesSince, summary } from "./established/established.ts";
import {
  describeLoss,
  type Loss,
  losses,
  lostDisk,
  type Measured,
  measure,
  summarize,
} from "./losses.ts";
import { answersOf, startProbers, stopProbers } from "./probers.ts";
import { timed } from "./timed.ts";
import { unchanged } from "./unchanged.ts";

const minutes = 60_000;
/** How often each way to lose a control plane is tried. @default 1; OSLO_LAB_CUTS overrides it */
const rounds = Number(process.env.OSLO_LAB_CUTS ?? 1);
/** Seconds within which the API answers again; a gap is known no better than by how long its clients asked nothing. */
export const bound = 6;

export interface Lossy {
  current: () => { engine: Engine; lab: Lab };
  /** Throws unless the cluster is what it was. */
  whole: () => Promise<void>;
  /** Hosts whose clients measure; a control plane first. */
  clients: readonly string[];
  /** Control planes that are lost in turn. */
  lost: readonly string[];
}

/** Control planes that are lost one after the other, each in every way. */
export function describeLosses({ current, whole, clients, lost }: Lossy): void {
  describe("one control plane is lost", () => {
    const measured: Measured[] = [];
    const [ingress = "", backend = ""] = clients.filter((name) => !lost.includes(name));
    let established: number;

    beforeAll(async () => {
      await startProbers(current().lab, clients);
      established = await establish(current().lab, { ingress, backend });
    }, 5 * minutes);

    for (let round = 0; round < rounds; round++) {
      const host = lost[round % lost.length] as string;
      // A balancer that has no processor for a second marks a server down as much later, which its clients cannot tell
      // from a fault: what takes too long is measured once more, and the summary has both.
      test.for(losses)(
        `by $name (${host}, round ${round + 1}): the API answers through every balancer`,
        { timeout: 30 * minutes },
        async (loss) => {
          for (let left = 1; ; left--) {
            const one = await measure(current().lab, loss, host, clients);
            console.log(describeLoss(one));
            measured.push(one);
            expect(one).toMatchObject({ notReady: [], unbroken: [] });
            const longest = Math.max(...[one.read, one.write, one.watch].map(lasting));
            if (left > 0 && longest > bound) continue;
            expect(longest, describeLoss(one)).toBeLessThanOrEqual(bound);
            return;
          }
        },
      );
    }

    test("by a wiped disk: it is named, and no empty cluster is found", {
      timeout: 30 * minutes,
    }, async () => {
      const wiped: Loss = {
        ...lostDisk,
        lose: async (_, host) => {
          await infrastructure.stopHost(host);
          await infrastructure.emptyDisk(host, "etcd");
          await infrastructure.startHost(host);
        },
        back: async ({ facts }, host) => {
          expect(await command(facts, "drift")).toContain(`etcd's data are gone from ${host}`);
          // Whoever has not answered within four seconds is not waited for, on a busy machine too.
          await waitFor(`status to name ${host}`, 60, async () =>
            (await command(facts, "status")).includes(`${host} has lost its data`),
          );
          await timed(
            `${host} replaced in place`,
            current().engine.up({ replace: [`${host}-identity`] }),
          );
        },
      };
      const one = await measure(current().lab, wiped, lost[0] as string, clients);
      console.log(describeLoss(one));
      expect(one.unbroken).toEqual([]);
      // A cluster without the client's objects would say that they are not there, or that it is nobody.
      const denied = ({ at, error = "" }: Answer) => at >= one.from && /status 40[134]/.test(error);
      for (const prober of clients) expect(answersOf(prober).filter(denied)).toEqual([]);
      await whole();
      expect(await current().engine.up()).toMatchObject(unchanged);
      for (const gap of [one.read, one.write])
        expect(lasting(gap), describeLoss(one)).toBeLessThanOrEqual(bound);
    });

    test("a connection whose client, ingress and backend are elsewhere loses nothing in all this", () => {
      const all = summary(exchangesSince(established));
      console.log(
        `one connection by ${ingress} to ${backend}: ${all.answers} answers, the slowest after ${all.slowestSeconds.toFixed(1)} s`,
      );
      expect(all).toMatchObject({ connections: 1, unanswered: [] });
      expect(all.answers).toBeGreaterThan(100);
    });

    afterAll(async () => {
      console.log(summarize(measured));
      await endEstablished(current().lab);
      await stopProbers(current().lab, clients);
    });
  });
}

/** What a command of the product says of the lab's stack, whatever its exit code. */
export async function command(facts: infrastructure.LabFacts, name: string): Promise<string> {
  return (await runInLab(facts, [name, stackFile], { KUBECONFIG: kubeconfigFile })).all;
}
