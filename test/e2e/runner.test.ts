import { once } from "node:events";
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { execa } from "execa";
import { test as base, describe, expect, vi } from "vitest";
import { destroy, preview, RunFailed, type RunResult, up } from "../lab/runner/index.ts";
import { Connection, sshArguments } from "../lab/runner/providers/ssh.ts";
import { journaled, Sandbox } from "./runner-sandbox.ts";

const test = base.extend<{ box: Sandbox }>({
  box: async ({ task: _ }, use) => {
    const box = new Sandbox();
    await use(box);
    box.remove();
  },
});

// It stands on Linux's process groups, flock and setpriv, as the lab does.
describe
  .runIf(process.platform === "linux")
  .concurrent("the lab's runner", { timeout: 120_000 }, () => {
    test("creates in dependency order, and changes nothing the second time", async ({ box }) => {
      const resources = [
        journaled("a"),
        journaled("b", { stdinFrom: "a", args: { create: "cat; echo create b >>$JOURNAL" } }),
        journaled("c", { dependsOn: ["b"] }),
        { name: "p", kind: "password" } as const,
        { name: "i", kind: "id" } as const,
      ];
      const first = await box.up(resources);
      expect(first.summary).toEqual({ create: 5, update: 0, replace: 0, delete: 0, same: 0 });
      expect(first.outputs.stdout).toEqual({ a: "out of a", b: "out of a", c: "out of c" });
      expect(first.outputs.passwords).toEqual([expect.stringMatching(/^.{20}$/)]);
      expect(first.secretOutputs).toEqual(["passwords"]);
      expect(box.journal()).toEqual(["create a", "create b", "create c"]);

      const second = await box.up(resources);
      expect(second.summary).toEqual({ create: 0, update: 0, replace: 0, delete: 0, same: 5 });
      expect(second.outputs).toEqual(first.outputs);
      expect(box.journal()).toEqual([]);
    });

    test("runs what is independent side by side", async ({ box }) => {
      // Each waits for a line of the other: one after the other they would never end.
      await execa("mkfifo", [box.file("ab"), box.file("ba")]);
      const result = await box.up([
        { name: "a", args: { create: "echo 1 >$FOLDER/ab; read x <$FOLDER/ba; echo $x" } },
        { name: "b", args: { create: "read x <$FOLDER/ab; echo 2 >$FOLDER/ba; echo $x" } },
      ]);
      expect(result.outputs.stdout).toEqual({ a: "2", b: "1" });
    });

    test("updates by `update`, else by `create`, with the output before in its environment", async ({
      box,
    }) => {
      const update = "echo update a after $PULUMI_COMMAND_STDOUT >>$JOURNAL";
      await box.up([journaled("a", { args: { update } }), journaled("b")]);
      box.journal();
      const stdin = "new";
      const result = await box.up([
        journaled("a", { args: { update, stdin } }),
        journaled("b", { args: { stdin } }),
      ]);
      expect(result.summary).toMatchObject({ update: 2, same: 0 });
      expect(box.journal().sort()).toEqual(["create b", "update a after out of a"]);
    });

    test("runs behind a prefix", async ({ box }) => {
      const prefix = ["env", "BEHIND=a prefix"];
      const resources = [{ name: "a", args: { create: "echo $BEHIND" } }];
      const result = await up({ ...box.programOptions(resources), prefix });
      expect(result.outputs.stdout).toEqual({ a: "a prefix" });
    });

    test("leaves ignored changes alone", async ({ box }) => {
      const ignoreChanges = ["environment.X"];
      await box.up([journaled("a", { ignoreChanges, args: { environment: { X: "1" } } })]);
      const again = await box.up([
        journaled("a", { ignoreChanges, args: { environment: { X: "2" } } }),
      ]);
      expect(again.summary).toMatchObject({ same: 1, update: 0 });
    });

    test.for([
      { deleteBeforeReplace: false, order: ["create a", "create z", "delete a"] },
      { deleteBeforeReplace: true, order: ["delete a", "create a", "create z"] },
    ])(
      "replaces, deleteBeforeReplace $deleteBeforeReplace",
      async ({ deleteBeforeReplace, order }, { box }) => {
        await box.up([journaled("a", { deleteBeforeReplace, args: { triggers: [1] } })]);
        box.journal();
        const result = await box.up([
          journaled("a", { deleteBeforeReplace, args: { triggers: [2] } }),
          journaled("z", { dependsOn: ["a"] }),
        ]);
        expect(result.summary).toMatchObject({ replace: 1, create: 1, delete: 0 });
        expect(box.journal()).toEqual(order);
        expect(box.stateNames()).toEqual(["a", "z"]);
      },
    );

    describe("what is replaced, and deleted before that", () => {
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
      const madeAnew = ["create machine", "create member", "create within", "create further"];
      const deleted = ["delete further", "delete member", "delete machine"];

      test("takes along what must be replaced with it, the last first", async ({ box }) => {
        await box.up([machine(1), ...dependents]);
        box.journal();
        const planned = await preview(box.programOptions([machine(2), ...dependents]));
        const result = await box.up([machine(2), ...dependents]);
        expect(result.summary).toMatchObject({ replace: 4, create: 0, delete: 0, same: 2 });
        expect(planned.summary).toMatchObject({ ...result.summary, update: 1, same: 1 });
        const journal = box.journal();
        expect(journal.slice(0, 3)).toEqual(deleted);
        expect(journal.slice(3).sort()).toEqual(madeAnew.toSorted());
        expect(journal[3]).toBe("create machine");
        expect(box.stateNames()).toHaveLength(6);
      });

      test("stays where one of these cannot be deleted, and a later run finishes", async ({
        box,
      }) => {
        const stuck = { ...dependents[2], name: "member" } as (typeof dependents)[number];
        stuck.args = {
          ...stuck.args,
          delete: "echo try member >>$JOURNAL; test -e $FOLDER/mended",
        };
        const resources = dependents.with(2, stuck);
        await box.up([machine(1), ...resources]);
        box.journal();
        await failureOf(box.up([machine(2), ...resources]));
        expect(box.journal()).toEqual(["delete further", "try member"]);
        writeFileSync(box.file("mended"), "");
        expect((await box.up([machine(2), ...resources])).summary).toMatchObject({ replace: 4 });
        expect(box.journal().slice(0, 4)).toEqual([
          ...["delete further", "try member", "delete machine", "create machine"],
        ]);
      });

      test("that could not be made anew is not deleted twice", async ({ box }) => {
        await box.up([machine(1), ...dependents]);
        box.journal();
        await failureOf(box.up([machine(2, "exit 1"), ...dependents]));
        expect(box.journal()).toEqual(deleted);
        await box.up([machine(2), ...dependents]);
        // Its dependents are: a delete that runs again must find nothing to do.
        expect(box.journal().slice(0, 3)).toEqual([...deleted.slice(0, 2), "create machine"]);
        await box.destroy();
        expect(box.journal().sort()).toEqual(
          ["beside", "further", "machine", "member", "updated"].map((name) => `delete ${name}`),
        );
      });
    });

    test("a failed create leaves nothing, lets running ones end and starts nothing after", async ({
      box,
    }) => {
      await execa("mkfifo", [box.file("gate")]);
      const waits = "read x <$FOLDER/gate; echo create running >>$JOURNAL";
      const resources = [
        journaled("running", { args: { create: waits } }),
        journaled("bad", { args: { create: "echo told >&2; exit 3" } }),
        journaled("dependent", { dependsOn: ["bad"] }),
        journaled("later", { dependsOn: ["running"] }),
      ];
      const run = failureOf(box.up(resources));
      await vi.waitFor(() => expect(box.log.join("\n")).toContain("!! command"), 30_000);
      await writeFile(box.file("gate"), "open\n");
      const failed = await run;
      expect(failed.result?.errors).toEqual([
        expect.stringMatching(/bad: .*exit status 3:\ntold/s),
      ]);
      expect(failed.message).toContain("exit status 3");
      expect(box.journal()).toEqual(["create running"]);
      expect(box.stateNames()).toEqual(["running"]);

      const mended = resources.map((one) => (one.name === "bad" ? journaled("bad") : one));
      expect((await box.up(mended)).summary).toMatchObject({ same: 1, create: 3 });
      expect(box.stateNames()).toHaveLength(4);
    });

    test("a failed update keeps what was", async ({ box }) => {
      await box.up([journaled("a")]);
      await failureOf(box.up([journaled("a", { args: { stdin: "x", update: "exit 1" } })]));
      expect((await box.up([journaled("a")])).summary).toMatchObject({ same: 1 });
    });

    test("deletes what the program no longer describes, and only after success", async ({
      box,
    }) => {
      await box.up([journaled("a"), journaled("b", { dependsOn: ["a"] }), journaled("c")]);
      box.journal();
      await failureOf(box.up([journaled("c"), journaled("d", { args: { create: "exit 1" } })]));
      expect(box.journal()).toEqual([]);
      const result = await box.up([journaled("c"), journaled("d")]);
      expect(result.summary).toMatchObject({ same: 1, create: 1, delete: 2 });
      expect(box.journal()).toEqual(["create d", "delete b", "delete a"]);
      expect(box.stateNames()).toEqual(["c", "d"]);
    });

    test("destroys in reverse, with the inputs of the state", async ({ box }) => {
      const resources = [
        journaled("a"),
        journaled("b", {
          stdinFrom: "a",
          args: { delete: "cat >>$JOURNAL; echo >>$JOURNAL; echo delete b >>$JOURNAL" },
        }),
        journaled("c", { dependsOn: ["b"] }),
      ];
      await box.up(resources);
      box.journal();
      expect((await box.destroy()).summary).toMatchObject({ delete: 3 });
      expect(box.journal()).toEqual(["delete c", "out of a", "delete b", "delete a"]);
      expect(box.stateNames()).toEqual([]);
    });

    test("a failed delete keeps the resource and what it depends on", async ({ box }) => {
      await box.up([
        journaled("a"),
        journaled("b", { dependsOn: ["a"], args: { delete: "exit 1" } }),
        journaled("c"),
      ]);
      box.journal();
      const failed = await failureOf(box.destroy());
      expect(failed.result?.errors).toEqual([
        expect.stringContaining("b: the command: exit status 1"),
      ]);
      expect(box.journal()).toEqual(["delete c"]);
      expect(box.stateNames()).toEqual(["a", "b"]);
    });

    test("deletedWith saves the delete only where the other one goes too", async ({ box }) => {
      const machine = journaled("machine");
      const on = (name: string) => journaled(name, { deletedWith: "machine" });
      await box.up([machine, on("a"), on("b")]);
      box.journal();
      await box.up([machine, on("a")]);
      expect(box.journal()).toEqual(["delete b"]);
      await box.destroy();
      expect(box.journal()).toEqual(["delete machine"]);
      expect(box.stateNames()).toEqual([]);
    });

    test("a preview tells what would be done and does nothing", async ({ box }) => {
      await box.up([journaled("a"), journaled("gone")]);
      box.journal();
      const before = readFileSync(box.file("state.json"), "utf8");
      const result = await preview(
        box.programOptions([
          journaled("a", { args: { triggers: [1] } }),
          journaled("b", { stdinFrom: "a" }),
        ]),
      );
      expect(result.timings.map(({ op, name }) => `${op} ${name}`)).toEqual([
        "replace a",
        "create b",
        "delete gone",
      ]);
      expect(result.outputs.stdout).toEqual({ a: "[unknown]", b: "[unknown]" });
      expect(box.journal()).toEqual([]);
      expect(readFileSync(box.file("state.json"), "utf8")).toBe(before);
    });

    test("an error in the program fails the run, and deletes nothing", async ({ box }) => {
      await box.up([journaled("a"), journaled("b")]);
      box.journal();
      const failed = await failureOf(box.up([journaled("a")], { "demo:throwWhenKnown": "a" }));
      expect(failed.result?.errors).toEqual([
        expect.stringContaining("an apply of the program is broken"),
      ]);
      expect(box.journal()).toEqual([]);
    });

    test("refuses a stack's file with an encrypted value", async ({ box }) => {
      const failed = await failureOf(box.up([], { "demo:key": { secure: "v1:abc" } }));
      expect(failed.message).toContain("demo:key is encrypted");
    });

    test("keeps secrets out of the log, and the state from other users", async ({ box }) => {
      const secretStdin = "hunter2hunter2";
      const leaky = { create: "cat; cat >&2; exit $FAIL", environment: { FAIL: "0" } };
      await box.up([{ name: "a", secretStdin, args: leaky }]);
      const args = { ...leaky, environment: { FAIL: "1" }, update: "cat >&2; exit 1" };
      const failed = await failureOf(box.up([{ name: "a", secretStdin, args }]));
      const told = [...box.log, failed.message].join("\n");
      expect(told).not.toContain(secretStdin);
      expect(told).toContain("[secret]");
      expect(statSync(box.file("state.json")).mode & 0o777).toBe(0o600);
    });

    test("logging none tells nothing of what a command printed", async ({ box }) => {
      const create = "echo private; echo private >&2; exit 1";
      const failed = await failureOf(box.up([{ name: "a", args: { create, logging: "none" } }]));
      expect([...box.log, failed.message].join("\n")).not.toContain("private\n");
      expect(failed.message).toContain("its output is withheld");
    });

    test.for(["SIGKILL", "SIGTERM"] as const)(
      "%s in the middle, then it converges",
      async (signal, { box }) => {
        const begins = "echo $$ >$FOLDER/pid; echo begin b >>$JOURNAL; read x <$FOLDER/gate";
        const resources = [
          journaled("a"),
          journaled("b", {
            dependsOn: ["a"],
            args: { create: `${begins}; echo create b >>$JOURNAL` },
          }),
          journaled("c", { dependsOn: ["b"] }),
        ];
        await execa("mkfifo", [box.file("gate")]);
        const run = box.startUp(resources);
        await vi.waitFor(() => expect(box.read("journal")).toContain("begin b"), 30_000);
        run.kill(signal);
        await once(run, "exit");
        const pid = readFileSync(box.file("pid"), "utf8").trim();
        await vi.waitFor(() => expect(existsSync(`/proc/${pid}`)).toBe(false), 10_000);
        expect(run.exitCode ?? run.signalCode).toBe(signal === "SIGTERM" ? 143 : "SIGKILL");
        expect(box.journal()).toEqual(["create a", "begin b"]);
        expect(box.stateNames()).toEqual(["a"]);

        rmSync(box.file("gate"));
        writeFileSync(box.file("gate"), "open\n");
        expect((await box.up(resources)).summary).toMatchObject({ same: 1, create: 2 });
        expect(box.journal()).toEqual(["begin b", "create b", "create c"]);
      },
    );

    test("Kubernetes objects and releases go through kubectl and helm", async ({ box }) => {
      const kubectl = box.fakeTool("kubectl", "cat");
      const helm = box.fakeTool("helm", `echo '{"name": "cilium", "version": 1}'`);
      const kubeconfig = "apiVersion: v1\nkind: Config\n";
      const cluster = {
        ...box.programOptions([], { "demo:kubeconfig": kubeconfig }),
        kubectl,
        helm,
      };
      expect((await up(cluster)).summary).toMatchObject({ create: 4 });
      expect(box.journal()).toEqual([
        expect.stringMatching(/^kubectl .*apply --server-side .*--force-conflicts .*-f -$/),
        expect.stringMatching(
          /^kubectl .*wait --for=condition=Established .*crd\/things.example.org$/,
        ),
        expect.stringMatching(
          /^helm upgrade --install cilium cilium .*--version 1.20.2 --repo http:/,
        ),
        expect.stringMatching(/^kubectl .*apply /),
      ]);
      expect((await up(cluster)).summary).toMatchObject({ same: 4 });
      await destroy({ ...box.options, kubectl, helm });
      expect(box.journal()).toEqual([
        expect.stringMatching(/^kubectl .*delete --ignore-not-found/),
        expect.stringMatching(/^helm uninstall .*cilium --namespace kube-system/),
        expect.stringMatching(/^kubectl .*delete --ignore-not-found/),
      ]);
    });
  });

describe("ssh", () => {
  const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIF0";
  const connection = Connection.parse({ host: "10.1.2.3", port: 2222, hostKey, perDialTimeout: 7 });

  test("its options are ones that ssh takes, with the host's key pinned", async () => {
    const { stdout } = await execa("ssh", ["-G", ...sshArguments(connection), "10.1.2.3"]);
    const settings = stdout.split("\n");
    expect(settings).toEqual(
      expect.arrayContaining([
        "user root",
        "port 2222",
        "batchmode yes",
        "stricthostkeychecking true",
        "userknownhostsfile none",
        "globalknownhostsfile none",
        `knownhostscommand /bin/echo %H ${hostKey}`,
        "connecttimeout 7",
        "identityfile none",
      ]),
    );
  });

  test("a bastion is reached with its own key", async () => {
    const proxied = { ...connection, proxy: { ...connection, host: "bastion", port: 22 } };
    const { stdout } = await execa("ssh", ["-G", ...sshArguments(proxied), "10.1.2.3"]);
    const command = stdout.split("\n").find((line) => line.startsWith("proxycommand "));
    expect(command).toContain(`'KnownHostsCommand=/bin/echo %%H ${hostKey}'`);
    expect(command).toMatch(/-W '\[%h\]:%p' -- 'bastion'$/);
  });

  test("a credential in the connection is refused", () => {
    const result = Connection.safeParse({ ...connection, privateKey: "key" });
    expect(result.error?.message).toContain("privateKey");
  });
});

async function failureOf(run: Promise<RunResult>): Promise<RunFailed> {
  const error = await run.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof RunFailed) return error;
  throw new Error(`expected RunFailed, got ${error}`);
}
