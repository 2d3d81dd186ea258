/**
 * The part of the cluster's program that emulated guests can hold: from hypervisors to nodes whose
 * gates have passed and whose kernel is tuned. It places the very same components; what it leaves out
 * is Kubernetes, which takes emulated guests more than an hour and a control plane more than they have.
 */
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { Datapath } from "../../../../components/cluster/datapath.ts";
import { createGates } from "../../../../components/cluster/gates.ts";
import { createHypervisors, createNodes } from "../../../../components/node/nodes.ts";
import { loadStackFile } from "../../../../config/load.ts";
import { plan } from "../../../../plan/plan.ts";

const config = loadStackFile(join(import.meta.dirname, `Pulumi.${pulumi.getStack()}.yaml`));
const clusterPlan = plan(config);

const nodes = createNodes(clusterPlan, createHypervisors(clusterPlan, {}), {});
const passed = createGates(nodes, {});
const after = nodes.map((node) => node.run("base", [passed]));
const proven = new Datapath("datapath", { plan: clusterPlan, nodes, after });

/** What the gates measured, by node. */
export const gates = Object.fromEntries(nodes.map(({ plan, readings }) => [plan.name, readings]));
/** What passes between the nodes, and the mode that Cilium's load balancer would have for it. */
export const datapath = proven.reading;
