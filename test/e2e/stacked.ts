import { expect } from "vitest";
import { waitFor } from "../lab/shell.ts";
import type { Overrides } from "../lab/stack-file.ts";
import type { Lab } from "../lab/verification/proof.ts";

// Several control planes in the lab, and the etcd that is stacked on them.

/** Two cores for all hosts: an etcd with its usual clock would elect all day. */
export const slowEtcd: Overrides = (config) => {
  config.kubernetes = {
    ...config.kubernetes,
    etcd: { heartbeatMilliseconds: 250, electionMilliseconds: 2500 },
  };
};

/** Members of etcd as a control plane lists them: `name voter` or `name learner`. */
export async function members(lab: Lab, by: string): Promise<string[]> {
  // While etcd elects it lists nobody.
  const text = await waitFor(`${by} to list etcd's members`, 60, async () =>
    (await lab.onHost(by, inLibrary("etcd_members")).catch(() => "")).trim(),
  );
  const lines = text.split("\n");
  return lines.map((line) => line.split("\t").slice(1, 3).join(" ")).sort();
}

/** A function of etcd.sh, as root on a control plane. */
export const inLibrary = (call: string) =>
  `bash -c 'source /usr/local/lib/oslo-cluster/lib.sh; source /usr/local/lib/oslo-cluster/etcd.sh; ${call}'`;

export const voters = (names: readonly string[]) => names.map((name) => `${name} voter`).sort();

/** What stays the same for a cluster's whole life. */
export interface Identity {
  uid: string;
  /** Of its certificate, the SHA-256 digest. */
  ca: string;
}

export async function identity(lab: Lab, by = "cp-1"): Promise<Identity> {
  const uid = ["get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"];
  const ca = "sha256sum /etc/kubernetes/pki/ca.crt | cut -d' ' -f1";
  return { uid: await lab.kubectl(...uid), ca: (await lab.onHost(by, ca)).trim() };
}

interface Nodes {
  items: {
    metadata: { name: string };
    status: { conditions: { type: string; status: string }[] };
  }[];
}

export async function nodesReady(lab: Lab, names: readonly string[]): Promise<void> {
  await waitFor(`${names.join(", ")} to be all the nodes there are, and Ready`, 240, async () => {
    const text = await lab.kubectl("get", "nodes", "-o", "json").catch(() => '{"items":[]}');
    const { items } = JSON.parse(text) as Nodes;
    const ready = items.filter(({ status }) =>
      status.conditions.some(({ type, status: is }) => type === "Ready" && is === "True"),
    );
    const found = ready.map(({ metadata }) => metadata.name).sort();
    return items.length === names.length && found.join() === [...names].sort().join();
  });
}

/** All nodes Ready, every control plane a voter by everyone's word, nobody else, and the cluster that it was. */
export async function expectWhole(
  lab: Lab,
  planes: readonly string[],
  workers: readonly string[],
  born: Identity,
): Promise<void> {
  await nodesReady(lab, [...planes, ...workers]);
  for (const by of planes) expect(await members(lab, by)).toEqual(voters(planes));
  expect(await identity(lab)).toEqual(born);
}
