import { join } from "node:path";
import { execa, type ResultPromise } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hostNamespace, segment } from "../lab/segment.ts";
import { inNamespace, waitFor } from "../lab/shell.ts";
import type { Lab } from "../lab/verification/proof.ts";
import { root } from "../root.ts";
import { describeGap, lasting } from "./api-gap.ts";
import { isBack, type Loss, losses } from "./losses.ts";
import { onPort } from "./mutations/mutation.ts";
import { Watch } from "./vlan/watch.ts";

/** Seconds: until the operator is answered again, and that two may have the address. */
const bounds = { gap: 5, holders: 4 };
const minutes = 60_000;
const seconds = 1000;

interface Moving {
  current: () => Lab;
  address: string;
  planes: readonly string[];
}

/** Whoever of the control planes has the virtual address loses it in each way. */
export function describeMoves({ current, address, planes }: Moving): void {
  const watch = new Watch(address);
  let client: ResultPromise<{ reject: false }> | undefined;

  async function follow(plane: string): Promise<void> {
    const monitor = inside(hostNamespace(plane), ...Watch.monitor);
    const show = ["ip", "-oneline", "address", "show", "to", address];
    const [program = "", ...args] = inNamespace(hostNamespace(plane), show);
    watch.follow(plane, monitor, (await execa(program, args)).stdout !== "");
  }

  describe("whoever has the virtual address loses", () => {
    beforeAll(async () => {
      for (const plane of planes) await follow(plane);
      const script = join(root, "test/e2e/vlan/client.mjs");
      client = inside(segment.netns, process.execPath, script, address);
      watch.ask(client);
      await waitFor("the operator to be answered", 60, () => watch.hasAnsweredSince(0));
    }, 2 * minutes);

    afterAll(() => void client?.kill());

    test.for([...losses, split])(
      "$name: another takes it, and keeps it",
      {
        timeout: 10 * minutes,
      },
      async ({ name, lose, back }) => {
        const lab = current();
        await waitFor("one to have the address", 60, () => watch.holders().length === 1);
        const [holder = "nobody"] = watch.holders();
        watch.forget();
        const from = Date.now();
        await lose(lab, holder);
        await pause(20);
        const gap = watch.gap(from);
        const survivor = planes.find((plane) => plane !== holder) as string;
        await back(lab, holder);
        if (name === "its power") await follow(holder);
        await isBack(lab, holder, survivor);
        await pause(5);
        const together = watch.together();
        const said = `${holder} lost ${name}: no answer for ${describeGap(gap)}; two had the address for ${together.toFixed(1)} s; it is at ${watch.holders().join(" and ")}`;
        console.log(said);
        expect(watch.holders()).toHaveLength(1);
        expect(watch.holders()).not.toContain(holder);
        expect(lasting(gap), said).toBeLessThanOrEqual(bounds.gap);
        expect(together, said).toBeLessThanOrEqual(bounds.holders);
      },
    );
  });
}

/** Whoever has the address does not hear the others, nor they it; its own link is up. */
const split: Loss = {
  name: "the others, since the VLAN splits",
  lose: async (lab, host) => void (await onPort(host, "everything").make(lab)),
  back: async (lab, host) => void (await onPort(host, "everything").undo(lab)),
};

/** In the network of a host or the operator, before what else the machine does: seconds are measured. */
function inside(namespace: string, ...command: string[]): ResultPromise<{ reject: false }> {
  const [program = "", ...args] = inNamespace(namespace, ["nice", "-n", "-15", ...command]);
  return execa(program, args, { reject: false });
}

const pause = (length: number) => new Promise((resolve) => setTimeout(resolve, length * seconds));
