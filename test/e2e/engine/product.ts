/** The product's own objects of an example, and Cilium, in the cluster of a kubeconfig. */
import * as pulumi from "@pulumi/pulumi";
import { apiAccess } from "../../../components/cluster/api.ts";
import { Cilium } from "../../../components/cluster/cilium.ts";
import { CiliumObjects } from "../../../components/cluster/cilium-objects.ts";
import { Gateway, GatewayApiCrds } from "../../../components/cluster/gateway-api.ts";
import { Namespaces } from "../../../components/cluster/namespaces.ts";
import { planOf, type stackFiles } from "../../stacks.ts";

const config = new pulumi.Config();
const plan = planOf(config.require("stack") as keyof typeof stackFiles);
const parent = new pulumi.ComponentResource("test:index:Group", "group");
const inCluster = { parent, ...apiAccess(plan.name, config.require("kubeconfig"), { parent }) };

const crds = new GatewayApiCrds("gateway-api-crds", plan.gatewayApi, inCluster);
const cilium = new Cilium(
  "cilium-cni",
  {
    plan: { ...plan.cilium, repository: config.require("charts") },
    mode: pulumi.output("dsr" as const),
  },
  { ...inCluster, dependsOn: crds.crds },
);
const namespaces = new Namespaces("namespaces", plan.namespaces, inCluster);
const after = { ...inCluster, dependsOn: [cilium.release, ...namespaces.all] };
new Gateway("gateway", plan.gatewayApi, after);
new CiliumObjects("cilium-objects", plan.ciliumObjects, after);
