import { beforeEach, describe, expect, it } from "vitest";
import { down } from "../../../commands/ephemeral/down.ts";
import { reap } from "../../../commands/ephemeral/reap.ts";
import { readRecord } from "../../../commands/ephemeral/stack-tags.ts";
import { up } from "../../../commands/ephemeral/up.ts";
import { FakeBackend, fakeContext } from "./fakes.ts";
import { end, hour, wish } from "./requests.ts";
import { guestTemplate, poolTemplate } from "./template.ts";

let backend: FakeBackend;
let context: ReturnType<typeof fakeContext>;
beforeEach(() => {
  backend = new FakeBackend();
  context = fakeContext(backend);
});

const recordOf = async (name: string) => {
  const stack = `ephemeral-${name}`;
  return backend.all.has(stack) ? readRecord(name, await backend.tags(stack)) : undefined;
};
const later = (hours: number) => {
  context.clock = new Date(context.clock.getTime() + hours * hour);
};

describe("up", () => {
  it("makes a stack of its own, with expiry, owner and what it takes", async () => {
    const record = await up(context, wish("a"));
    expect(record.expiresAt.toISOString()).toBe("2026-01-01T16:00:00.000Z");
    expect(await recordOf("a")).toEqual({ ...record, owner: "kari", phase: "up" });
    expect(context.stackFiles.get("ephemeral-a")).toMatchObject({ cluster: { name: "ci-a" } });
    expect(backend.asked).toEqual(["up ephemeral-a"]);
  });

  it("again prolongs, on the same machines", async () => {
    const first = await up(context, wish("a"));
    later(3);
    const second = await up(context, wish("a"));
    expect(second.claims).toEqual(first.claims);
    expect((await recordOf("a"))?.expiresAt.toISOString()).toBe("2026-01-01T19:00:00.000Z");
  });

  it("two names at once, from two machines that choose at the same moment, get different ones", async () => {
    const other = fakeContext(backend, "runner-2");
    other.pause = () => new Promise((resolve) => setTimeout(resolve, 50));
    const both = await Promise.all([
      up(context, wish("a", guestTemplate())),
      up(other, wish("b", guestTemplate())),
    ]);
    expect(both.map(({ claims }) => claims[0]).sort()).toEqual(["slot:ci/a", "slot:ci/b"]);
  });

  it("withdraws where another has chosen the same between its look and its word", async () => {
    let rival = true;
    backend.afterTag = async (stack, key) => {
      if (stack !== "ephemeral-a" || key !== "oslo-cluster:claims" || !rival) return;
      rival = false;
      const claims = (await backend.tags(stack))[key] as string;
      await backend.create("ephemeral-b");
      await backend.setTag("ephemeral-b", "oslo-cluster:expires", "2026-01-01T16:00:00.000Z");
      await backend.setTag("ephemeral-b", "oslo-cluster:claims", claims);
    };
    const { claims } = await up(context, wish("a"));
    expect(context.lines).toEqual(["a: b chose the same; once more"]);
    expect(
      claims.filter((claim) =>
        (backend.all.get("ephemeral-b")?.tags.get("oslo-cluster:claims") ?? "").includes(claim),
      ),
    ).toEqual([]);
  });

  it("that is killed at any word it writes leaves what reap removes, or nothing", async () => {
    for (let words = 1; words <= 6; words++) {
      backend = new FakeBackend();
      context = fakeContext(backend);
      let written = 0;
      backend.afterTag = () => {
        if (++written >= words) throw new Error("killed");
      };
      await expect(up(context, wish("a"))).rejects.toThrow("killed");
      backend.afterTag = () => {};
      later(5);
      expect(await reap(context, 60)).toEqual([{ name: "a", outcome: "gone", leftovers: [] }]);
      expect(backend.all.size).toBe(0);
    }
  });

  it("that fails keeps its machines and its expiry, and continues when run again", async () => {
    backend.atRun = () => {
      throw new Error("no kernel");
    };
    await expect(up(context, wish("a"))).rejects.toThrow("no kernel");
    expect((await recordOf("a"))?.claims).toHaveLength(2);
    expect((await recordOf("a"))?.operation).toBeUndefined();
    backend.atRun = () => {};
    await up(context, wish("a"));
  });

  it.each([
    [
      "a cluster on its way down",
      async () => {
        await up(context, wish("a"));
        await backend.setTag("ephemeral-a", "oslo-cluster:phase", "down");
      },
      /is being taken down/,
    ],
    [
      "a stack that it did not make",
      async () => {
        await backend.create("ephemeral-a");
        await backend.up("ephemeral-a");
      },
      /did not make/,
    ],
    [
      "a cluster that would move",
      async () => {
        await up(context, wish("a", guestTemplate()));
      },
      /is on other machines/,
    ],
  ])("refuses %s", async (_, prepare, message) => {
    await prepare();
    backend.asked.length = 0;
    await expect(up(context, wish("a"))).rejects.toThrow(message);
    expect(backend.asked).toEqual([]);
  });

  it("changes nothing where there is no room, or the configuration is not valid", async () => {
    await up(context, wish("a", poolTemplate({}, 2)));
    await expect(up(context, wish("b", poolTemplate({}, 2)))).rejects.toThrow(/0 of 2 are free/);
    await expect(up(context, wish("c", poolTemplate({ "network.mtu": 1 }, 4)))).rejects.toThrow(
      /mtu/,
    );
    await expect(up(context, wish("C"))).rejects.toThrow(/not a name/);
    expect([...backend.all.keys()]).toEqual(["ephemeral-a"]);
  });
});

describe("down", () => {
  it("asks the API first, then destroys; stack, file and claims are gone", async () => {
    await up(context, wish("a"));
    expect(await down(context, end("a"))).toEqual([]);
    expect(backend.asked.slice(1)).toEqual(["objects", "destroy ephemeral-a"]);
    expect(backend.all.size).toBe(0);
    expect(context.stackFiles.size).toBe(0);
  });

  it("of what is not there is done", async () => {
    expect(await down(context, end("a"))).toEqual([]);
    expect(backend.asked).toEqual([]);
  });

  it("never touches a stack without an expiry", async () => {
    await backend.create("ephemeral-a");
    await backend.up("ephemeral-a");
    await expect(down(context, end("a"))).rejects.toThrow(/has no expiry/);
    expect(backend.asked).toEqual(["up ephemeral-a"]);
  });

  it("with a dead node keeps that node's part alone, its claim too; done when it answers", async () => {
    const { claims } = await up(context, wish("a"));
    backend.dead.add("vps-1");
    const left = await down(context, end("a"));
    expect(left.map(({ where }) => where)).toEqual(["vps-1"]);
    expect(context.lines.at(-1)).toBe("a: destroy failed");
    expect(await recordOf("a")).toMatchObject({ phase: "down", claims });
    backend.dead.clear();
    backend.asked.length = 0;
    expect(await down(context, end("a"))).toEqual([]);
    // The API was asked by the first run, and is gone.
    expect(backend.asked).toEqual(["destroy ephemeral-a"]);
  });

  it("with a node that is abandoned is done, and says how what is left is removed", async () => {
    await up(context, wish("a"));
    backend.dead.add("vps-1");
    const left = await down(context, end("a", ["vps-1"]));
    expect(left).toEqual([
      expect.objectContaining({
        where: "vps-1",
        how: expect.stringContaining("release.sh: bash -s -- ci-a"),
      }),
    ]);
    expect(backend.all.size).toBe(0);
  });

  it("refuses to abandon a machine that is none of the cluster's", async () => {
    await up(context, wish("a"));
    await expect(down(context, end("a", ["vps-9"]))).rejects.toThrow(
      "--abandon: vps-9: no machine of a; it has vps-0, vps-1",
    );
    expect(backend.asked).toEqual(["up ephemeral-a"]);
  });

  it("tells what the API did not remove, and what machines kept, though the stack is gone", async () => {
    await up(context, wish("a"));
    context.objects = [{ where: "csi", what: "volume pv-1", how: "delete it" }];
    backend.output =
      'oslo-cluster-left: {"machine":"vps-0","kind":"packages","packages":["kubelet"]}\n';
    const left = await down(context, end("a"));
    expect(left.map(({ what }) => what)).toEqual(["volume pv-1", "the packages kubelet"]);
    expect(backend.all.size).toBe(0);
  });

  it("that fails for another reason says so, and keeps the stack", async () => {
    await up(context, wish("a"));
    backend.atRun = () => {
      backend.all.get("ephemeral-a")?.state.resources?.splice(0);
      throw new Error("passphrase must be set");
    };
    await expect(down(context, end("a"))).rejects.toThrow("passphrase must be set");
    expect(backend.all.size).toBe(1);
  });
});

describe("reap", () => {
  it("removes what has expired, and nothing before", async () => {
    await up(context, wish("a"));
    later(2);
    await up(context, wish("b"));
    expect((await reap(context, 60)).map(({ outcome }) => outcome)).toEqual(["living", "living"]);
    later(2);
    expect((await reap(context, 60)).map(({ outcome }) => outcome)).toEqual(["gone", "living"]);
    expect([...backend.all.keys()]).toEqual(["ephemeral-b"]);
    expect((await reap(context, 60)).map(({ outcome }) => outcome)).toEqual(["living"]);
  });

  it("finishes a down that was killed, long before the expiry", async () => {
    await up(context, wish("a"));
    backend.atRun = () => new Promise(() => {}); // killed here: nothing after it runs
    void down(context, end("a"));
    while (!backend.asked.includes("destroy ephemeral-a")) await Promise.resolve();
    backend.atRun = () => {};
    const next = Object.assign(fakeContext(backend), { clock: context.clock });
    expect(await reap(next, 60)).toEqual([{ name: "a", outcome: "gone", leftovers: [] }]);
    expect(backend.asked).toContain("unlock ephemeral-a");
  });

  it("never touches other stacks, nor one without an expiry, however old", async () => {
    for (const stack of ["production", "ephemeral-x"]) {
      await backend.create(stack);
      await backend.up(stack);
    }
    later(24 * 365);
    expect(await reap(context, 60)).toEqual([{ name: "x", outcome: "no expiry", leftovers: [] }]);
    expect(backend.asked).toEqual(["up production", "up ephemeral-x"]);
  });

  it("does not mind a stack that is removed while it looks", async () => {
    await up(context, wish("a"));
    const stacks = backend.stacks.bind(backend);
    let looks = 0;
    backend.stacks = async () => (looks++ === 0 ? ["ephemeral-a", "ephemeral-gone"] : stacks());
    expect((await reap(context, 60)).map(({ name }) => name)).toEqual(["a"]);
    backend.stacks = async () => ["ephemeral-a", "ephemeral-gone"];
    await expect(reap(context, 60)).rejects.toThrow(/no stack named/);
  });

  it("leaves alone what somebody works on, and one that fails keeps nobody else", async () => {
    for (const name of ["a", "b", "c"]) await up(context, wish(name, poolTemplate({}, 6)));
    later(5);
    context.held.add("a");
    backend.atRun = (_, stack) => {
      if (stack !== "ephemeral-b") return;
      backend.all.get(stack)?.state.resources?.splice(0);
      throw new Error("no backend");
    };
    const results = await reap(context, 60);
    expect(results.map(({ outcome }) => outcome)).toEqual(["busy", "failed", "gone"]);
    expect(results[1]?.error).toContain("no backend");
  });

  it("continues with what a dead machine has left, until it answers", async () => {
    await up(context, wish("a"));
    backend.dead.add("vps-1");
    later(5);
    for (let i = 0; i < 2; i++)
      expect(await reap(context, 60)).toMatchObject([
        { outcome: "left", leftovers: [{ where: "vps-1" }] },
      ]);
    backend.dead.clear();
    expect((await reap(context, 60)).map(({ outcome }) => outcome)).toEqual(["gone"]);
    expect(await reap(context, 60)).toEqual([]);
  });
});
