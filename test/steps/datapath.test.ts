import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa, type ResultPromise } from "execa";
import { test as base, expect } from "vitest";
import { probeScript } from "../../components/cluster/datapath.ts";
import { renderStep } from "../../plan/step.ts";
import { nodeReach } from "../../steps/ssh/target.ts";
import { describeOnLinux } from "../needs.ts";
import { planOf } from "../stacks.ts";

/** The operator's side, with an ssh that plays the nodes. */
class Operator {
  readonly folder = mkdtempSync(join(tmpdir(), "datapath-"));
  readonly plan = planOf("articles");

  /**
   * @param nodes Shell of each node: it has read its document, and its stdin is open. What it does
   * not say is that it ends once its stdin does.
   */
  constructor(nodes: Record<string, string>) {
    const cases = Object.entries(nodes).map(
      ([host, body]) => `*@${host}.dev.example.no) ${body} ;;`,
    );
    const script = `#!/bin/bash
here=${this.folder}
for destination in "$@"; do case $destination in *@*) break ;; esac; done
for remote in "$@"; do :; done
while IFS= read -r line; do
  printf '%s\\n' "$line" >>"$here/$destination"
  [[ $line != files: ]] || break
done
echo "$remote" >>"$here/remote"
ended() { cat >/dev/null; echo "$destination" >>"$here/ended"; exit "\${1:-0}"; }
case $destination in
${cases.join("\n")}
esac
`;
    writeFileSync(join(this.folder, "ssh"), script, { mode: 0o755 });
  }

  start(): ResultPromise<{ reject: false }> {
    const reaches = this.plan.nodes.map((node) => nodeReach(this.plan, node));
    return execa("/bin/sh", ["-c", "exec sh -s"], {
      input: probeScript(this.plan.probe?.documents ?? {}, reaches),
      env: { PATH: `${this.folder}:${process.env.PATH}`, TMPDIR: this.folder },
      reject: false,
    });
  }

  read(name: string): string {
    return readFileSync(join(this.folder, name), "utf8");
  }
}

const test = base.extend<{ operator: (nodes: Record<string, string>) => Operator }>({
  operator: async ({ task: _ }, use) => {
    const made: Operator[] = [];
    await use((nodes) => {
      made.push(new Operator(nodes));
      return made.at(-1) as Operator;
    });
    // What a killed probe has left behind may still write there.
    for (const { folder } of made)
      rmSync(folder, { recursive: true, maxRetries: 20, retryDelay: 100 });
  },
});

const says = (reading: string, more = "") => `echo '${reading}'; ${more} ended`;
const healthy = {
  "cp-1": says('{"worker-1 -> cp-1":{}}'),
  "worker-1": says('{"cp-1 -> worker-1":{"ipv4":{"plain":true}}}'),
  "worker-2": says('{"cp-1 -> worker-2":{}}'),
};

describeOnLinux("the probe of all nodes", () => {
  test("hands each node its document, as root", async ({ operator }) => {
    const made = operator(healthy);
    await made.start();
    for (const node of made.plan.nodes) {
      const document = made.plan.probe?.documents[node.name];
      expect(made.read(`root@${node.reach.host}`)).toBe(document && renderStep(document));
    }
    expect(new Set(made.read("remote").trim().split("\n"))).toEqual(
      new Set(["/usr/local/lib/oslo-cluster/oslo-step probe"]),
    );
  });

  test("puts their readings together", async ({ operator }) => {
    const { exitCode, stdout, stderr } = await operator(healthy).start();
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(JSON.parse(String(stdout))).toEqual({
      "worker-1 -> cp-1": {},
      "cp-1 -> worker-1": { ipv4: { plain: true } },
      "cp-1 -> worker-2": {},
    });
  });

  test("ends no node before the last has decided", async ({ operator }) => {
    // The last decides once it may, and the others have not ended until then.
    const made = operator({
      ...healthy,
      "worker-2": "until [[ -e $here/go ]]; do read -r -t 0.05 && exit 9; done; echo {}; ended",
    });
    const probe = made.start();
    await expect.poll(() => made.read("remote").split("\n")).toHaveLength(4);
    expect(() => made.read("ended")).toThrow();
    writeFileSync(join(made.folder, "go"), "");
    expect((await probe).exitCode).toBe(0);
    expect(made.read("ended").trim().split("\n")).toHaveLength(3);
  });

  test("fails where one node refuses, with its words, and ends all", async ({ operator }) => {
    const refusing = says("{}", "echo 'error: cp-1 -> worker-1: dropped' >&2;").replace(
      /ended$/,
      "ended 1",
    );
    const made = operator({ ...healthy, "worker-1": refusing });
    const { exitCode, stdout, stderr } = await made.start();
    expect({ exitCode, stdout, stderr }).toEqual({
      exitCode: 1,
      stdout: "",
      stderr: "error: cp-1 -> worker-1: dropped",
    });
    expect(made.read("ended").trim().split("\n")).toHaveLength(3);
  });

  test("does not wait for a node that cannot be reached", async ({ operator }) => {
    const made = operator({ ...healthy, "cp-1": "ended", "worker-1": "exit 255" });
    const { exitCode, stdout, stderr } = await made.start();
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toMatch(/^error: worker-1 does not answer by SSH/m);
    expect(made.read("ended")).toContain("root@cp-1");
  });

  test.for(["SIGKILL", "SIGTERM"] as const)(
    "ended by %s ends every node",
    async (signal, { operator }) => {
      const made = operator({ "cp-1": "ended", "worker-1": "ended", "worker-2": "ended" });
      const probe = made.start();
      await expect.poll(() => made.read("remote").split("\n")).toHaveLength(4);
      probe.kill(signal);
      expect((await probe).exitCode).not.toBe(0);
      await expect.poll(() => made.read("ended").trim().split("\n")).toHaveLength(3);
    },
  );
});
