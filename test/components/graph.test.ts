import { beforeAll, describe, expect, it } from "vitest";
import { planOf, stackFiles, stackNames } from "../stacks.ts";
import { Graph } from "./graph.ts";
import { runProgram } from "./program.ts";

/** In the order in which they are done. */
const guestParts = ["guest", "live", "domain", "first-boot"];
const inCluster = /^kubernetes:/;
const crd = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition";

describe.each(stackNames.flatMap((stack) => [false, true].map((preview) => ({ stack, preview }))))(
  "$stack, preview: $preview",
  ({ stack, preview }) => {
    const plan = planOf(stack);
    const nodes = plan.nodes.map(({ name }) => name);
    const given = plan.nodes.filter(({ guest }) => !guest).map(({ name }) => name);
    const made = plan.nodes.filter(({ guest }) => guest).map(({ name }) => name);
    const workers = plan.nodes.filter(({ role }) => role === "worker").map(({ name }) => name);
    const controlPlanes = plan.nodes
      .filter(({ role }) => role === "control-plane")
      .map(({ name }) => name);
    const joins = [
      ...controlPlanes.map((node) => `${node}-control-plane`),
      ...workers.map((worker) => `${worker}-join`),
    ];
    /** What represents the machine that has the node's name. */
    const identityOf = (node: string) =>
      made.includes(node) ? `${node}-guest` : `${node}-identity`;
    /** What only guests and their hypervisors have is no promise of a stack without them. */
    const itOfGuests = (name: string, promise: () => void) => {
      if (made.length > 0) it(name, promise);
    };
    let graph: Graph;

    beforeAll(async () => {
      graph = new Graph((await runProgram(stackFiles[stack], { preview })).resources);
    });

    // A name that changes is a resource that is re-created: look twice before `-u`.
    it("has these resources, by type and name", async () => {
      await expect(graph.outline()).toMatchFileSnapshot(`../golden/resources-${stack}.txt`);
    });

    it("runs each step of the plan once, with its document, in one resource of its node", () => {
      for (const { name, steps, resources } of plan.nodes) {
        expect(Object.values(resources).flat(2).sort()).toEqual(Object.keys(steps).sort());
        for (const [resource, order] of Object.entries(resources)) {
          const { stdin, create } = graph.get(`${name}-${resource}`).inputs;
          const documents = (stdin as string).match(/^step: .*$/gm);
          expect(documents).toEqual(order.flat().map((step) => `step: ${step}`));
          const known = !preview || given.includes(name);
          if (known && order.length === 1) expect(create).toContain(`apply ${order[0]}`);
        }
      }
    });

    it("has these commands and no other", () => {
      const planned = plan.nodes.flatMap((node) =>
        Object.keys(node.resources).map((resource) => `${node.name}-${resource}`),
      );
      const others = [
        ...["gates", "endpoint", "bases", "balancers", "cluster", "identity", "joined", "ready"],
        ...(made.length > 0 ? ["booted"] : []),
        ...given.flatMap((node) => [`${node}-release`, `${node}-identity`]),
        ...nodes.map((node) => `${node}-leave`),
        ...made.flatMap((node) => guestParts.map((part) => `${node}-${part}`)),
        ...plan.hypervisors.flatMap(({ name }) =>
          ["preflight", "vlan", "image"].map((part) => `${name}-${part}`),
        ),
        ...(plan.verify.afterUp ? ["promises"] : []),
        ...(nodes.length > 1 ? ["datapath-probe"] : []),
      ];
      const commands = graph.ofType(/^command:/).map(({ name }) => name);
      expect(commands.sort()).toEqual([...planned, ...others].sort());
    });

    it("has a name at random that goes into nothing, and comes from nothing", () => {
      const { urn, type, dependencies, inputs } = graph.get("id");
      expect([type, dependencies, inputs]).toEqual([
        "random:index/randomPet:RandomPet",
        [],
        { length: 3 },
      ]);
      const users = graph.resources.filter((one) => one.dependencies.includes(urn));
      expect(users).toEqual([]);
    });

    it("has at most eight resources for a worker that exists", () => {
      for (const worker of workers.filter((name) => given.includes(name))) {
        const own = graph.resources.filter(
          ({ name, parent }) => name === worker || graph.nameOf(parent) === worker,
        );
        expect(own.length).toBeLessThanOrEqual(8);
      }
    });

    it("has no resource whose own dependencies grow with the nodes, but for barriers", () => {
      for (const { name, dependencies } of graph.resources) {
        if (
          ["gates", "bases", "balancers", "booted", "joined", "datapath-probe", "ready"].includes(
            name,
          )
        )
          continue;
        const named = dependencies.map((urn) => graph.nameOf(urn));
        const foreign = workers.filter(
          (worker) => !name.startsWith(worker) && named.some((one) => one.startsWith(`${worker}-`)),
        );
        // A control plane has three workers at most say whether there was a cluster.
        const few = name.endsWith("-control-plane") ? 3 : 1;
        expect({ name, foreign: foreign.length <= few || foreign }).toEqual({
          name,
          foreign: true,
        });
      }
    });

    describe("order", () => {
      itOfGuests("measures every hypervisor before anything is made on one", () => {
        const measured = plan.hypervisors.map(({ name }) => `${name}-preflight`);
        const on = plan.hypervisors.flatMap(({ name }) => [`${name}-vlan`, `${name}-image`]);
        const built = [...on, ...made.map((node) => `${node}-guest`)];
        for (const name of built) {
          expect(graph.before(name)).toEqual(expect.arrayContaining(measured));
        }
        for (const name of measured) expect(graph.before(name)).toEqual([]);
      });

      itOfGuests("makes nothing on a hypervisor that waits for what another one keeps", () => {
        for (const { name } of plan.hypervisors) {
          const kept = [...graph.before(`${name}-vlan`), ...graph.before(`${name}-image`)];
          expect(kept.filter((one) => graph.get(one).inputs.delete)).toEqual([]);
        }
        for (const { name, guest } of plan.nodes) {
          if (!guest) continue;
          const kept = graph.before(`${name}-guest`).filter((one) => graph.get(one).inputs.delete);
          expect(kept.sort()).toEqual([`${guest.hypervisor}-image`, `${guest.hypervisor}-vlan`]);
        }
      });

      it("makes a guest on its VLAN from its image, boots it, and claims it then", () => {
        for (const { name, guest } of plan.nodes) {
          if (!guest) continue;
          const parts = guestParts.map((part) => `${name}-${part}`);
          const ground = [`${guest.hypervisor}-vlan`, `${guest.hypervisor}-image`];
          const chain = [...parts, `${name}-claim`];
          for (const [i, part] of chain.entries()) {
            const before = [...ground, ...chain.slice(0, i)];
            expect(graph.before(part)).toEqual(expect.arrayContaining(before));
          }
        }
      });

      it("claims a machine before anything else is done on it, after its release is known", () => {
        for (const node of given) {
          for (const { name } of graph.stepsOf(node)) {
            expect(graph.before(name)).toContain(`${node}-release`);
            if (name !== `${node}-claim`) expect(graph.before(name)).toContain(`${node}-claim`);
          }
          expect(graph.before(`${node}-release`)).toEqual([]);
        }
      });

      it("does nothing on a machine before the one that had its name has left", () => {
        for (const node of given) expect(graph.before(identityOf(node))).toEqual([]);
        for (const node of nodes) {
          for (const { name } of graph.stepsOf(node)) {
            expect(graph.before(name)).toContain(identityOf(node));
          }
        }
      });

      it("knows how a node leaves before it joins, and joins again whoever has left", () => {
        for (const [i, node] of [...controlPlanes, ...workers].entries()) {
          const leave = graph.get(`${node}-leave`);
          expect(graph.before(leave.name)).toEqual(
            expect.arrayContaining([`${node}-claim`, "cluster"]),
          );
          expect(graph.madeOf(leave.name, "triggers")).toEqual([identityOf(node)]);
          expect(graph.madeOf(joins[i] as string, "create")).toContain(leave.name);
          expect(graph.madeOf("ready", "create")).toContain(leave.name);
        }
      });

      it("takes control planes in and out one after the other", () => {
        for (const [i, node] of controlPlanes.entries()) {
          for (const other of controlPlanes.slice(0, i)) {
            expect(graph.before(`${node}-control-plane`)).toContain(`${other}-control-plane`);
            expect(graph.before(`${node}-leave`)).toContain(`${other}-leave`);
          }
        }
      });

      it("replaces only what is deleted before that", () => {
        const replaced = graph.ofType(/^command:/).filter(({ inputs }) => "triggers" in inputs);
        expect(replaced.map(({ name }) => name).sort()).toEqual(
          [...nodes.map(identityOf), ...nodes.map((node) => `${node}-leave`)].sort(),
        );
        for (const { deleteBeforeReplace } of replaced) expect(deleteBeforeReplace).toBe(true);
      });

      it("passes every gate of every node before anything is built on one", () => {
        const claims = nodes.map((node) => `${node}-claim`);
        for (const { name } of plan.nodes) {
          expect(plan.nodes.find((node) => node.name === name)?.resources.claim?.flat()).toContain(
            "gate-host",
          );
          for (const built of [`${name}-base`, `${name}-runtime`]) {
            expect(graph.before(built)).toEqual(expect.arrayContaining(claims));
          }
        }
      });

      itOfGuests("measures the way between nodes once all of them are there", () => {
        const booted = made.map((node) => `${node}-first-boot`);
        for (const node of nodes) {
          expect(graph.before(`${node}-claim`)).toEqual(expect.arrayContaining(booted));
        }
      });

      it("installs packages before it configures them, and pulls images last", () => {
        for (const { name, role, resources } of plan.nodes) {
          const order = resources.runtime?.flat() ?? [];
          const approver = role === "control-plane" ? ["kubelet-approver"] : [];
          const expected = ["api-balancer", "packages", "containerd", ...approver, "kubelet"];
          expect(order.slice(0, expected.length)).toEqual(expected);
          if (role === "worker") expect(order.slice(-1)).toEqual(["images"]);
          else expect(graph.before(`${name}-images`)).toContain(`${name}-runtime`);
        }
      });

      it("makes the control plane on a whole baseline, and joins after it, on a whole baseline", () => {
        const baseline = (node: string) => [`${node}-base`, `${node}-runtime`];
        for (const node of controlPlanes) {
          const before = graph.before(`${node}-control-plane`);
          expect(before).toEqual(expect.arrayContaining(baseline(node)));
          expect(before).not.toContain(`${node}-images`);
        }
        for (const worker of workers) {
          const before = graph.before(`${worker}-join`);
          expect(before).toEqual(expect.arrayContaining(["identity", ...baseline(worker)]));
        }
      });

      it("asks who the cluster is as soon as one control plane is there", () => {
        const before = graph.before("identity");
        const planes = before.filter((name) => name.endsWith("-control-plane"));
        expect(planes).toEqual([`${controlPlanes[0]}-control-plane`]);
      });

      it("sends the probe's packets through every node's own kernel settings, and builds after it", () => {
        const before = graph.before("datapath-probe");
        expect(before).toEqual(expect.arrayContaining(nodes.map((node) => `${node}-base`)));
        expect(before.filter((name) => /-(runtime|control-plane|join)$/.test(name))).toEqual([]);
        for (const node of controlPlanes) {
          expect(graph.before(`${node}-control-plane`)).toContain("datapath-probe");
        }
        expect(graph.before("cilium")).toContain("datapath-probe");
      });

      it("tries out the way to the API server once machines are measured, and before there is one", () => {
        expect(graph.before("endpoint")).toContain("gates");
        expect(graph.before("endpoint").filter((name) => name.endsWith("-base"))).toEqual([]);
        for (const node of controlPlanes) {
          expect(graph.before(`${node}-control-plane`)).toContain("endpoint");
        }
      });

      it("joins no worker after another, and none after what is in the cluster", () => {
        for (const worker of workers) {
          const before = graph.before(`${worker}-join`);
          expect(before.filter((name) => name.endsWith("-join"))).toEqual([]);
          expect(before.filter((name) => inCluster.test(graph.get(name).type))).toEqual([]);
        }
      });

      it("touches the API only once it is there", () => {
        for (const { name } of graph.ofType(inCluster)) {
          expect(graph.before(name)).toContain("identity");
        }
      });

      it("has the CRDs before Cilium, and Cilium before the gateway", () => {
        const crds = graph.ofType(crd).map(({ name }) => name);
        expect(graph.before("cilium")).toEqual(expect.arrayContaining(crds));
        for (const { name } of graph.ofType(/^kubernetes:gateway\./)) {
          expect(graph.before(name)).toEqual(expect.arrayContaining([...crds, "cilium"]));
        }
        expect(crds.length).toBe(plan.gatewayApi.crds.length);
      });

      it("has Cilium's kinds before what is of them, and every namespace before what is in it", () => {
        for (const { name, type } of graph.ofType(inCluster)) {
          const [kind, namespace] = name.split("/").slice(-3);
          const inside = graph.ofType("kubernetes:core/v1:Namespace").map((one) => one.name);
          const needed = /^kubernetes:cilium\./.test(type) ? ["ready"] : [];
          if (kind && namespace && inside.includes(namespace)) needed.push(namespace);
          expect(graph.before(name)).toEqual(expect.arrayContaining(needed));
        }
        const { workload, objects } = plan.ciliumObjects;
        const made = graph.ofType(/^kubernetes:cilium\./);
        expect(made).toHaveLength(objects.length);
        for (const { name } of made) {
          const own = workload.map(({ kind, metadata }) =>
            [kind.toLowerCase(), metadata.namespace, metadata.name].filter(Boolean).join("/"),
          );
          expect(graph.before(name)).toEqual(expect.arrayContaining(own));
        }
      });

      it("proves its promises after all else, where that is asked for", () => {
        if (!plan.verify.afterUp) return expect(graph.matching(/^promises$/)).toEqual([]);
        expect(graph.before("promises")).toContain("ready");
        expect(graph.madeOf("promises", "stdin").length).toBeGreaterThan(0);
        // The SDK's mocks call the project's folder rootDirectory.
        expect(graph.get("promises").inputs.create).toMatch(
          /^: [0-9a-f]{16}; exec node commands\/main\.\[jt\]s verify rootDirectory\/Pulumi\.test\.yaml --kubeconfig - --allow-unproven$/,
        );
      });

      it("is ready last", () => {
        const images = controlPlanes.map((node) => `${node}-images`);
        const before = graph.before("ready");
        expect(before).toEqual(expect.arrayContaining(["cilium", ...joins, ...images]));
      });
    });

    describe("destroy", () => {
      it("gives each machine back, and asks it nothing besides", () => {
        for (const node of given) {
          const release = graph.get(`${node}-release`);
          expect(release.inputs.delete).toEqual(expect.any(String));
          for (const step of graph.stepsOf(node)) {
            expect(step.inputs).not.toHaveProperty("delete");
            expect(graph.nameOf(step.deletedWith)).toBe(`${node}-release`);
          }
        }
      });

      itOfGuests("removes a guest from its hypervisor, and asks the guest nothing", () => {
        for (const node of made) {
          const guest = graph.get(`${node}-guest`);
          expect(guest.inputs.delete).toContain("bash -s -- delete");
          expect(guest.deleteBeforeReplace).toBe(true);
          const steps = [...graph.stepsOf(node), ...graph.stepsOf(`${node}-vps`)];
          expect(steps.length).toBeGreaterThan(7);
          for (const step of steps) {
            if (step === guest) continue;
            expect(step.inputs).not.toHaveProperty("delete");
            expect(graph.nameOf(step.deletedWith)).toBe(guest.name);
          }
        }
      });

      it("protects what holds etcd", () => {
        for (const { name, role, guest } of plan.nodes) {
          if (guest) expect(graph.get(`${name}-guest`).protect).toBe(role === "control-plane");
        }
      });

      it("takes no node out of a cluster that is removed as a whole", () => {
        for (const node of nodes) {
          const { inputs, deletedWith } = graph.get(`${node}-leave`);
          const asked = controlPlanes.filter((one) => one !== node);
          // A guest's host key is known once it is made.
          const known = !preview || asked.every((one) => given.includes(one));
          if (known && asked.length > 0)
            expect(inputs.delete).toContain(`oslo-step leave ${node} `);
          expect(graph.nameOf(deletedWith)).toBe("cluster");
        }
        expect(graph.get("cluster").inputs).not.toHaveProperty("delete");
      });

      it("leaves namespaces to whoever else lives there", () => {
        const namespaces = graph.ofType("kubernetes:core/v1:Namespace");
        expect(namespaces.map(({ name }) => name)).toEqual(
          plan.namespaces.map(({ metadata }) => metadata.name),
        );
        for (const { retainOnDelete, formerParents } of namespaces) {
          expect(retainOnDelete).toBe(true);
          // Where an earlier version had them: moved, not deleted with all that is in them.
          const former = "oslo-cluster:index:Cluster$oslo-cluster:index:Gateway::gateway";
          expect(formerParents).toEqual([expect.stringContaining(former)]);
        }
      });

      it("applies every object as the field manager that the last run was, and takes its fields", () => {
        const objects = graph.ofType(inCluster).filter(({ type }) => !type.includes(":helm.sh/"));
        const { namespaces, gatewayApi, ciliumObjects } = plan;
        const planned = [namespaces, ...Object.values(gatewayApi), ...Object.values(ciliumObjects)];
        expect(objects).toHaveLength(planned.flat().length);
        for (const { inputs } of objects) {
          expect(inputs.metadata.annotations).toMatchObject({
            "pulumi.com/patchFieldManager": "oslo-cluster",
            "pulumi.com/patchForce": "true",
          });
        }
      });

      it("asks no API server: what is in the cluster is removed with it", () => {
        expect(graph.ofType(inCluster).length).toBeGreaterThan(0);
        for (const { deletedWith } of graph.ofType(inCluster)) {
          expect(graph.nameOf(deletedWith)).toBe("cluster");
        }
      });
    });
  },
);

it("a worker joins while Cilium is being installed", async () => {
  // Cilium's installation ends only once every worker has begun to join.
  let joins = 0;
  let allJoin = () => {};
  const joining = new Promise<void>((resolve) => {
    allJoin = resolve;
  });
  const { resources } = await runProgram(stackFiles.articles, {
    begins: (name) => {
      if (name.endsWith("-join")) joins += 1;
      if (joins === 2) allJoin();
      return name === "cilium" ? joining : undefined;
    },
  });
  expect(resources.at(-1)).toBeDefined();
  expect(joins).toBe(2);
});
