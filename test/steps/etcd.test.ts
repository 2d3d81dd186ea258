import { test as base, expect } from "vitest";
import { describeOnLinux } from "../needs.ts";
import { Machine } from "./machine.ts";

/** etcd's gateways by their host: a cluster's id each; no file, no answer. */
const curl = `host=\${*: -1} host=\${host#https://} host=\${host%%:*}
id=$(cat "$MACHINE/clusters/$host" 2>/dev/null) || exit 7
echo '{"header":{"cluster_id":"'"$id"'","member_id":"1"},"leader":"1"}'`;

const test = base.extend<{ machine: Machine }>({
  machine: async ({ task: _ }, use) => {
    const machine = new Machine("oslo");
    machine.install("etcd.sh");
    machine.addProgram("curl", curl);
    machine.addProgram("hostname", "echo cp-1");
    // `oslo-step` runs a script of its folder by its name.
    machine.addStep(
      "identity",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's.
      'source "${0%/*}/lib.sh"; source "${0%/*}/etcd.sh"; etcd_alone cp-2=https://cp-2:2379 cp-3=https://cp-3:2379',
    );
    await use(machine);
    machine.remove();
  },
});

const own = "127.0.0.1";

describeOnLinux("a member of etcd", () => {
  test.for<[string, Record<string, string>, string]>([
    ["of one cluster with the others", { [own]: "9", "cp-2": "9", "cp-3": "9" }, ""],
    ["with one of the others", { [own]: "9", "cp-2": "9", "cp-3": "7" }, ""],
    ["whose others do not answer", { [own]: "9" }, ""],
    [
      "that began a cluster of its own",
      { [own]: "7", "cp-2": "9", "cp-3": "9" },
      "etcd's member on cp-1 is alone in cluster 7, and cp-2 cp-3 in 9: it lost its data and began again; replace this control plane",
    ],
    [
      "that began a cluster of its own while another is away",
      { [own]: "7", "cp-3": "9" },
      "etcd's member on cp-1 is alone in cluster 7, and cp-3 in 9: it lost its data and began again; replace this control plane",
    ],
    ["that has ended", { "cp-2": "9", "cp-3": "9" }, "etcd's member on cp-1 does not answer"],
  ])("%s", async ([, clusters, says], { machine }) => {
    for (const [host, id] of Object.entries(clusters)) machine.write(`clusters/${host}`, id);
    const { exitCode, stdout } = await machine.call(["identity"]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: says });
  });
});
