import { readdirSync, rmSync } from "node:fs";
import { test as base, beforeAll, describe, expect } from "vitest";
import { makePulumi } from "../lab/artifacts/pulumi.ts";
import { pluginsOf } from "./engine/plugins.ts";
import { failureOf, journaled, Sandbox } from "./engine/sandbox.ts";
import { describeSsh } from "./engine/ssh.ts";

// What the program relies on, by Pulumi's engine with the lab's plugins; and by upstream's plugins where
// they are on PATH.

let cli: string;
beforeAll(async () => {
  cli = await makePulumi();
}, 30 * 60_000);

describe.each(pluginsOf("command"))("$whose", { timeout: 1_800_000 }, ({ path }) => {
  const test = base.extend<{ box: Sandbox }>({
    box: async ({ task: _ }, use) => {
      const box = new Sandbox(cli, path);
      await use(box);
      box.remove();
    },
  });

  test("create in dependency order, and change nothing the second time", async ({ box }) => {
    const resources = [
      journaled("a"),
      journaled("b", { stdinFrom: "a", args: { create: "cat; echo create b >>$JOURNAL" } }),
      journaled("c", { dependsOn: ["b"] }),
    ];
    expect(await box.preview(resources)).toEqual(["create a", "create b", "create c"]);
    // The program's stack and its component are resources of the engine's too.
    expect(await box.up(resources)).toMatchObject({ create: 5, update: 0, replace: 0 });
    const stdout = { a: "out of a", b: "out of a", c: "out of c" };
    expect(await box.outputs()).toEqual({ stdout });
    expect(box.journal()).toEqual(["create a", "create b", "create c"]);

    expect(await box.preview(resources)).toEqual([]);
    expect(await box.up(resources)).toMatchObject({ create: 0, update: 0, replace: 0, same: 5 });
    expect(box.journal()).toEqual([]);
  });

  test("update by `update`, else by `create`, with the output before in its environment", async ({
    box,
  }) => {
    const update = "echo update a after $PULUMI_COMMAND_STDOUT >>$JOURNAL";
    await box.up([journaled("a", { args: { update } }), journaled("b")]);
    box.journal();
    const stdin = "new";
    const changed = [
      journaled("a", { args: { update, stdin } }),
      journaled("b", { args: { stdin } }),
    ];
    expect((await box.preview(changed)).sort()).toEqual(["update a", "update b"]);
    expect(await box.up(changed)).toMatchObject({ update: 2, replace: 0 });
    expect(box.journal().sort()).toEqual(["create b", "update a after out of a"]);

    // A failed one keeps what was.
    const failing = journaled("a", { args: { stdin: "other", update: "echo reason; exit 3" } });
    const said = await failureOf(box.up([failing, journaled("b", { args: { stdin } })]));
    expect(said).toMatch(/exit status 3: running "echo reason; exit 3":\s+reason/);
    expect(await box.preview(changed)).toEqual([]);
  });

  test.for([
    { deleteBeforeReplace: false, order: ["create a", "create z", "delete a"] },
    { deleteBeforeReplace: true, order: ["delete a", "create a", "create z"] },
  ])(
    "replace for triggers, deleteBeforeReplace $deleteBeforeReplace",
    async ({ deleteBeforeReplace, order }, { box }) => {
      await box.up([journaled("a", { deleteBeforeReplace, args: { triggers: [1] } })]);
      box.journal();
      const next = [
        journaled("a", { deleteBeforeReplace, args: { triggers: [2] } }),
        journaled("z", { dependsOn: ["a"] }),
      ];
      expect(await box.preview(next)).toContain("replace a");
      expect(await box.up(next)).toMatchObject({ replace: 1, create: 1 });
      expect(box.journal()).toEqual(order);
      expect((await box.names()).sort()).toEqual(["a", "z"]);
      // Triggers that come or go replace as well.
      await box.up([journaled("a", { deleteBeforeReplace }), next[1] as (typeof next)[1]]);
      expect(box.journal().sort()).toEqual(["create a", "delete a"]);
    },
  );

  test("what is replaced, and deleted before that, takes along what must be replaced with it", async ({
    box,
  }) => {
    const machine = (trigger: number, create?: string) =>
      journaled("machine", {
        deleteBeforeReplace: true,
        args: { triggers: [trigger], ...(create ? { create } : {}) },
      });
    const dependents = [
      journaled("beside", { dependsOn: ["machine"] }),
      journaled("updated", { stdinFrom: "machine" }),
      journaled("member", { triggerFrom: "machine", deleteBeforeReplace: true }),
      journaled("within", { deletedWith: "member" }),
      journaled("further", { triggerFrom: "member", dependsOn: ["updated"] }),
    ];
    const gone = ["delete further", "delete member", "delete machine"];
    await box.up([machine(1), ...dependents]);
    box.journal();
    await failureOf(box.up([machine(2, "exit 1"), ...dependents]));
    expect(box.journal()).toEqual(gone);
    await box.up([machine(2), ...dependents]);
    const journal = box.journal();
    // What has gone is not deleted twice.
    expect(journal[0]).toBe("create machine");
    expect(journal.slice(1).sort()).toEqual(["create further", "create member", "create within"]);
    expect(await box.names()).toHaveLength(6);
  });

  test("a failed create leaves nothing, and starts nothing that depends on it", async ({ box }) => {
    const bad = { args: { create: "echo reason >&2; exit 3" } };
    const said = await failureOf(
      box.up([
        journaled("a"),
        journaled("bad", bad),
        journaled("dependent", { dependsOn: ["bad"] }),
      ]),
    );
    expect(said).toMatch(/exit status 3: running ".*":\s+reason/);
    expect(await box.names()).not.toContain("bad");
    expect(box.journal()).not.toContain("create dependent");
    await box.up([
      journaled("a"),
      journaled("bad"),
      journaled("dependent", { dependsOn: ["bad"] }),
    ]);
    expect((await box.names()).sort()).toEqual(["a", "bad", "dependent"]);
  });

  test("what the program no longer describes is removed, the last first, and only after success", async ({
    box,
  }) => {
    await box.up([journaled("a"), journaled("b", { dependsOn: ["a"] }), journaled("c")]);
    box.journal();
    await failureOf(box.up([journaled("c"), journaled("d", { args: { create: "exit 1" } })]));
    expect(box.journal()).toEqual([]);
    expect(await box.up([journaled("c"), journaled("d")])).toMatchObject({ create: 1, delete: 2 });
    expect(box.journal()).toEqual(["create d", "delete b", "delete a"]);
  });

  test("a delete has the inputs of the state; one that fails keeps what it depends on", async ({
    box,
  }) => {
    const remembers = "cat >>$JOURNAL; echo >>$JOURNAL; test -e $FOLDER/fixed";
    await box.up([
      journaled("a"),
      journaled("b", { stdinFrom: "a", args: { delete: remembers } }),
      journaled("c"),
    ]);
    box.journal();
    expect(await failureOf(box.destroy())).toContain("exit status 1");
    expect(box.journal().sort()).toEqual(["delete c", "out of a"]);
    expect((await box.names()).sort()).toEqual(["a", "b"]);
    box.write("fixed", "");
    await box.destroy();
    expect(box.journal()).toEqual(["out of a", "delete a"]);
  });

  test("deletedWith saves the delete only where the other one is deleted too", async ({ box }) => {
    const on = (name: string) => journaled(name, { deletedWith: "machine" });
    await box.up([journaled("machine"), on("a"), on("b")]);
    box.journal();
    await box.up([journaled("machine"), on("a")]);
    expect(box.journal()).toEqual(["delete b"]);
    await box.destroy();
    expect(box.journal()).toEqual(["delete machine"]);
  });

  test("a preview knows inputs, not outputs, and does nothing", async ({ box }) => {
    await box.up([journaled("a"), journaled("gone")]);
    box.journal();
    const before = await box.state();
    const previewed = async (args: Record<string, unknown>) => {
      await box.describe([
        journaled("a", { args }),
        journaled("b", { stdinFrom: "a" }),
        journaled("c", { triggerFrom: "a" }),
      ]);
      const { steps } = JSON.parse(await box.stacks.preview("test", "--json")) as Preview;
      return (name: string) => steps.find(({ urn }) => urn.endsWith(`::${name}`))?.newState?.inputs;
    };
    const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
    const changed = await previewed({ create: "echo other" });
    expect(changed("b")?.stdin).toBe(unknown);
    // An update keeps the id.
    expect(changed("c")?.triggers).not.toEqual([unknown]);
    // An input that is added leaves what was printed, in the eyes of the provider.
    expect((await previewed({ stdin: "x" }))("b")?.stdin).toBe("out of a");
    expect(box.journal()).toEqual([]);
    expect(await box.state()).toBe(before);
  });

  test("secrets are encrypted in the state; what a command prints is no secret by itself", async ({
    box,
  }) => {
    const secretStdin = "hunter2hunter2";
    await box.up([{ name: "a", secretStdin, args: { create: "cat | wc -c", logging: "none" } }]);
    const state = await box.state();
    expect(state).not.toContain(secretStdin);
    expect(state).toContain('"stdout": "14"');
    // To make a secret of it is a change, in the eyes of the provider.
    const plain = {
      name: "a",
      args: { create: "cat | wc -c", logging: "none", stdin: secretStdin },
    };
    expect(await box.preview([plain])).toEqual(["update a"]);
  });

  test("a state is a file that is replaced at once, with none beside it that a kill could cut short", async ({
    box,
  }) => {
    await box.up([journaled("a")]);
    const files = readdirSync(box.file("state"), { recursive: true, encoding: "utf8" });
    expect(files.filter((file) => file.endsWith(".attrs"))).toEqual([]);
    const saved = files.find((file) => /stacks\/.*\.json(\.zst)?$/.test(file));
    // Where there is one, docs/operations.md says what helps.
    const beside = `state/${saved}.attrs`;
    box.write(beside, "");
    expect(await failureOf(box.state())).toContain("failed to load checkpoint: EOF");
    rmSync(box.file(beside));
    expect(await box.names()).toEqual(["a"]);
  });

  test("words at random stay from one up to the next, until others are asked for", async ({
    box,
  }) => {
    const words = async (pet: number) => {
      await box.up([], { "demo:pet": pet });
      return (await box.outputs()).pet as string;
    };
    const first = await words(3);
    expect(first).toMatch(/^[a-z]+-[a-z]+-[a-z]+$/);
    expect(await words(3)).toBe(first);
    expect(await words(1)).toMatch(/^[a-z]+$/);
  });

  test("logging says what is shown; an error shows all of it", async ({ box }) => {
    const create = "echo shown; echo hidden >&2";
    await box.up([{ name: "a", args: { create, logging: "stdout" } }]);
    const printed = box.log.join("");
    expect(printed).toContain("shown");
    expect(printed).not.toContain(" hidden");
  });

  describeSsh(() => new Sandbox(cli, path));
});

interface Preview {
  steps: { urn: string; newState?: { inputs?: Record<string, unknown> } }[];
}
