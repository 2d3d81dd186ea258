import { describe, expect, it } from "vitest";
import {
  leftoversOfAbandoned,
  leftoversOfLog,
  leftoversOfState,
  otherRemains,
  renderReport,
  type State,
} from "../../../commands/ephemeral/leftovers.ts";
import { removeObjects } from "../../../commands/ephemeral/objects.ts";
import { deleteOverSsh } from "../../../steps/ssh/command.ts";
import { describeLeft, type Left } from "../../../steps/ssh/left.ts";
import { machineReach } from "../../../steps/ssh/target.ts";
import { planOf } from "../../stacks.ts";

const plan = planOf("libvirt");

/** The `delete` of a resource, as components write it. */
function deleting(name: string, left: Left): string {
  const reach = { host: `${name}.example.no`, port: 22, user: "root", hostKey: "ssh-ed25519 AAAA" };
  return deleteOverSsh(machineReach(plan, { name, reach }), "bash -s -- ci-pr-7", left);
}

const nodeLeft: Left = { kind: "node" };
const guestLeft: Left = {
  kind: "domain",
  domain: "ci-pr-7-worker-1",
  directory: "/srv/oslo-cluster/ci-pr-7/worker-1",
};
const resource = (name: string, left?: Left) => ({
  urn: `urn:pulumi:ephemeral-pr-7::oslo-cluster::command:local:Command::${name}`,
  ...(left === undefined
    ? {}
    : { inputs: { delete: deleting(name.split("-release")[0] as string, left) } }),
});
const state: State = {
  resources: [
    resource("vps-1-release", nodeLeft),
    { ...resource("x"), inputs: { create: ":" } },
    resource("hv-1", guestLeft),
    resource("hv-1", guestLeft),
  ],
};

describe("what is left", () => {
  it("is known from the state's own deletes: where, what, and how it is removed", () => {
    expect(leftoversOfState("pr-7", state)).toEqual([
      {
        where: "vps-1",
        what: describeLeft(nodeLeft),
        how: "the next run removes it: npm run ephemeral -- down pr-7; if vps-1 is gone for good: npm run ephemeral -- down pr-7 --abandon vps-1",
      },
      expect.objectContaining({ where: "hv-1", what: describeLeft(guestLeft) }),
    ]);
  });

  it("is reported of a command that the engine keeps as a secret", () => {
    const secret = {
      resources: [
        {
          urn: "a::b",
          inputs: {
            delete: { sig: "secret", plaintext: JSON.stringify(deleting("vps-1", nodeLeft)) },
          },
        },
      ],
    };
    expect(leftoversOfState("pr-7", secret)).toEqual([
      expect.objectContaining({ where: "vps-1", what: describeLeft(nodeLeft) }),
    ]);
  });

  it("is nothing in an empty state, and a delete that says nothing is reported by its name", () => {
    expect(leftoversOfState("pr-7", {})).toEqual([]);
    const silent = {
      resources: [
        { urn: "a::b::worker-1-leave", inputs: { delete: "ssh" } },
        ...(state.resources ?? []),
      ],
    };
    expect(otherRemains("pr-7", silent).map(({ what }) => what)).toEqual(["worker-1-leave"]);
  });
});

describe("what was given up", () => {
  const whats: [Left, RegExp][] = [
    [nodeLeft, /steps\/release\.sh: bash -s -- ci-pr-7; or reinstall/],
    [
      guestLeft,
      /virsh --connect qemu:\/\/\/system destroy ci-pr-7-worker-1; .* undefine ci-pr-7-worker-1 --nvram; rm -rf \/srv\//,
    ],
    [
      { kind: "image", file: "/srv/oslo-cluster/ci-pr-7/images/00.img" },
      /rm -f \/srv\/oslo-cluster\/ci-pr-7\/images\/00\.img$/,
    ],
    [
      { kind: "vlan", bridge: "oslo301", device: "eno1.301" },
      /disable --now oslo-cluster-vlan301\.service; rm \/etc\/systemd\/system\/oslo-cluster-vlan301\.service; ip link delete eno1\.301; ip link delete oslo301$/,
    ],
  ];

  it.each(whats)("%j: how a person removes it", (left, how) => {
    const before = { resources: [resource("hv-1", left), resource("hv-2", left)] };
    const [found, ...more] = leftoversOfAbandoned("ci-pr-7", before, { resources: [] }, ["hv-1"]);
    expect(found).toEqual({
      where: "hv-1",
      what: describeLeft(left),
      how: expect.stringMatching(how),
    });
    expect(more).toEqual([]);
  });

  it("is not what is in the state still", () => {
    expect(leftoversOfAbandoned("ci-pr-7", state, state, ["vps-1", "hv-1"])).toEqual([]);
  });
});

it("packages that a machine could not purge are reported", () => {
  const log =
    'command:local:Command vps-1-release oslo-cluster-left: {"machine":"vps-1","kind":"packages","packages":["kubelet","containerd.io"]}\n - x';
  expect(leftoversOfLog("ci-pr-7", log)).toEqual([
    {
      where: "vps-1",
      what: "the packages kubelet containerd.io",
      how: "on vps-1: apt-get purge --allow-change-held-packages kubelet containerd.io",
    },
  ]);
  expect(leftoversOfLog("ci-pr-7", "released vps-1")).toEqual([]);
});

it("the report names each thing, where it is and how it is removed", () => {
  expect(renderReport("pr-7", [])).toBe("pr-7: gone; nothing is left");
  expect(renderReport("pr-7", [{ where: "hv-1", what: "the image x", how: "rm x" }])).toBe(
    "pr-7: 1 thing is left\n  hv-1: the image x\n    rm x",
  );
});

describe("load balancers and volumes", () => {
  const service = {
    kind: "Service",
    metadata: { name: "shop", namespace: "production" },
    spec: { type: "LoadBalancer" },
  };
  const volume = {
    kind: "PersistentVolume",
    metadata: { name: "pv-1" },
    spec: {
      persistentVolumeReclaimPolicy: "Delete",
      claimRef: { name: "data", namespace: "shop" },
      csi: { driver: "csi.example.no", volumeHandle: "vol-9" },
    },
  };
  const kept = {
    kind: "PersistentVolume",
    metadata: { name: "pv-2" },
    spec: { persistentVolumeReclaimPolicy: "Retain" },
  };
  const inside = {
    kind: "Service",
    metadata: { name: "kubernetes", namespace: "default" },
    spec: { type: "ClusterIP" },
  };

  /** An API in which objects go once their namespace is deleted, but for those that stay. */
  function api({
    items = [service, volume, kept, inside] as object[],
    staying = [] as object[],
    isUp = true,
  } = {}) {
    const asked: string[] = [];
    let present = items;
    const kubectl = async (args: string[]) => {
      asked.push(args.join(" "));
      const ok = (stdout: string) => ({ status: 0, stdout, stderr: "" });
      if (!isUp) throw new Error("connect: no route to host");
      const [verb, kind, name] = args;
      const gone = { service: service, persistentvolumeclaim: volume }[kind ?? ""];
      if (verb === "delete" && (name === "shop" || name === "data") && gone)
        present = present.filter((one) => staying.includes(one) || one !== gone);
      return ok(args.includes("json") ? JSON.stringify({ items: present }) : "ok");
    };
    return { kubectl, asked };
  }

  it("go first, what makes them and what holds them before; nothing in other namespaces", async () => {
    const { kubectl, asked } = api();
    expect(await removeObjects(kubectl, 10)).toEqual([]);
    const deleted = asked.filter((line) => line.startsWith("delete"));
    const rest = " --ignore-not-found --wait=false";
    const workloads = "cronjobs,jobs,statefulsets,daemonsets,deployments,replicasets";
    expect(deleted).toEqual(
      ["production", "shop"].flatMap((namespace) => [
        `delete gateways.gateway.networking.k8s.io --all --namespace ${namespace}${rest}`,
        `delete ${workloads} --all --namespace ${namespace}${rest}`,
        `delete pods --all --namespace ${namespace}${rest}`,
        namespace === "production"
          ? `delete service shop --namespace production${rest}`
          : `delete persistentvolumeclaim data --namespace shop${rest}`,
      ]),
    );
  });

  it("in the cluster's own namespaces go alone, with the gateways that make them: workloads stay", async () => {
    const own = { ...service, metadata: { name: "cilium-gateway-x", namespace: "kube-system" } };
    const { kubectl, asked } = api({ items: [own], staying: [own] });
    expect(await removeObjects(kubectl, 1)).toHaveLength(1);
    const deleted = asked.filter((line) => line.startsWith("delete"));
    expect(deleted).toEqual([
      expect.stringMatching(/^delete gateways\S+ --all --namespace kube-system /),
      expect.stringMatching(/^delete service cilium-gateway-x --namespace kube-system /),
    ]);
  });

  it("are left alone where there are none: the cluster is removed as a whole", async () => {
    const { kubectl, asked } = api({ items: [kept, inside] });
    expect(await removeObjects(kubectl, 10)).toEqual([]);
    expect(asked.some((line) => line.startsWith("delete"))).toBe(false);
  });

  it("that do not end in time are reported with what a provider calls them", async () => {
    const left = await removeObjects(api({ staying: [service, volume] }).kubectl, 1);
    expect(left.map(({ where, what }) => [where, what])).toEqual([
      ["the cluster's network", "load balancer production/shop"],
      ["csi.example.no", "volume pv-1 (vol-9)"],
    ]);
  });

  it("go though the API cuts the first connection of each question", async () => {
    const { kubectl, asked } = api();
    const cut = new Set<string>();
    const cutting = async (args: string[]) => {
      const question = args.join(" ");
      if (cut.has(question)) return kubectl(args);
      cut.add(question);
      return { status: 1, stdout: "", stderr: "unexpected EOF" };
    };
    expect(await removeObjects(cutting, 60)).toEqual([]);
    expect(asked.filter((line) => line.startsWith("get"))).toHaveLength(3);
  });

  it("may be there where the API does not answer, of which nothing else is asked", async () => {
    const { kubectl, asked } = api({ isUp: false });
    const left = await removeObjects(kubectl, 1);
    expect(left).toEqual([
      expect.objectContaining({ what: expect.stringMatching(/^perhaps .*no route to host/) }),
    ]);
    expect(new Set(asked)).toEqual(new Set(["get --raw /readyz"]));
  });
});
