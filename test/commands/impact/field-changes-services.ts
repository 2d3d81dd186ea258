import { articles, type FieldChange, svc } from "./field-change.ts";

const pools = "cilium.loadBalancerIPPools";
const l2 = "cilium.l2announcements";
const bgp = "cilium.bgpControlPlane";
/** Of the stack `services`. */
const [edge, internal] = ["gatewayApi.gateways[0]", "gatewayApi.gateways[1]"];
const [toHttps, shop, admin] = [0, 1, 2].map((i) => `gatewayApi.routes[${i}]`);
const rule = `${shop}.rules[0]`;
const policy = "policies.networkPolicies[0]";

/** What came with addresses of services, gateways in full, policies and proofs. */
export const changesOfServices: Record<string, FieldChange> = {
  "cilium.bpf.mapDynamicSizeRatio": svc({ "cilium.bpf.mapDynamicSizeRatio": 0.01 }),
  "cilium.bpf.ctTcpMax": svc({ "cilium.bpf.ctTcpMax": 524_288 }),
  "cilium.bpf.ctAnyMax": svc({ "cilium.bpf.ctAnyMax": 262_144 }),
  "cilium.bpf.natMax": svc({ "cilium.bpf.natMax": 524_288 }),
  "cilium.bpf.lbMapMax": svc({ "cilium.bpf.lbMapMax": 262_144 }),
  "cilium.socketLB.hostNamespaceOnly": articles(
    { "cilium.socketLB.hostNamespaceOnly": true },
    { "gatewayApi.enabled": false, "gatewayApi.routes": [] },
  ),
  "cilium.encryption.enabled": svc(
    { "cilium.encryption.enabled": false },
    { "cilium.encryption.nodeEncryption": false },
  ),
  "cilium.encryption.type": { ...svc({}), onlyValue: true },
  "cilium.encryption.nodeEncryption": svc({ "cilium.encryption.nodeEncryption": false }),
  "cilium.hubble.enabled": svc(
    { "cilium.hubble.enabled": false },
    { "cilium.hubble.metrics": undefined },
  ),
  "cilium.hubble.relay.enabled": svc({ "cilium.hubble.relay.enabled": false }),
  "cilium.hubble.metrics.enabled": svc({ "cilium.hubble.metrics.enabled": ["drop"] }),
  [pools]: svc({ [`${pools}[1]`]: undefined }),
  [`${pools}[].name`]: svc({ [`${pools}[1].name`]: "other" }),
  [`${pools}[].blocks`]: svc({ [`${pools}[0].blocks[1]`]: undefined }),
  [`${pools}[].blocks[].cidr`]: svc({ [`${pools}[1].blocks[0].cidr`]: "198.51.100.16/28" }),
  [`${pools}[].blocks[].start`]: svc({ [`${pools}[0].blocks[1].start`]: "fd00:10:30::110" }),
  [`${pools}[].blocks[].stop`]: svc({ [`${pools}[0].blocks[1].stop`]: "fd00:10:30::1f0" }),
  [`${pools}[].allowFirstLastIPs`]: svc({ [`${pools}[1].allowFirstLastIPs`]: true }),
  [`${pools}[].serviceSelector`]: svc({ [`${pools}[1].serviceSelector`]: undefined }),
  [`${l2}.enabled`]: svc({ [`${l2}.enabled`]: false }, { [`${l2}.policies`]: [] }),
  [`${l2}.leaseDurationSeconds`]: svc({ [`${l2}.leaseDurationSeconds`]: 40 }),
  [`${l2}.leaseRenewDeadlineSeconds`]: svc({ [`${l2}.leaseRenewDeadlineSeconds`]: 12 }),
  [`${l2}.leaseRetryPeriodSeconds`]: svc({ [`${l2}.leaseRetryPeriodSeconds`]: 3 }),
  [`${l2}.policies`]: svc({ [`${l2}.policies[1]`]: undefined }),
  [`${l2}.policies[].name`]: svc({ [`${l2}.policies[1].name`]: "other" }),
  [`${l2}.policies[].interfaces`]: svc({ [`${l2}.policies[1].interfaces`]: ["^eth1$"] }),
  [`${l2}.policies[].nodeSelector`]: svc({ [`${l2}.policies[1].nodeSelector`]: undefined }),
  [`${l2}.policies[].serviceSelector`]: svc({ [`${l2}.policies[1].serviceSelector`]: undefined }),
  [`${l2}.policies[].loadBalancerIPs`]: svc({ [`${l2}.policies[1].loadBalancerIPs`]: false }),
  [`${l2}.policies[].externalIPs`]: svc({ [`${l2}.policies[1].externalIPs`]: false }),
  [`${bgp}.enabled`]: svc(
    { [`${bgp}.enabled`]: false, [`${bgp}.peers`]: [], [`${bgp}.advertisements`]: [] },
    // Its addresses are not on the VLAN: without BGP nobody announces them.
    { [`${pools}[1]`]: undefined },
  ),
  [`${bgp}.localASN`]: svc({ [`${bgp}.localASN`]: 64_513 }),
  [`${bgp}.nodeSelector`]: svc({ [`${bgp}.nodeSelector`]: undefined }),
  [`${bgp}.peers`]: svc({ [`${bgp}.peers[1]`]: undefined }),
  [`${bgp}.peers[].name`]: svc({ [`${bgp}.peers[1].name`]: "other" }),
  [`${bgp}.peers[].peerASN`]: svc({ [`${bgp}.peers[0].peerASN`]: 64_501 }),
  [`${bgp}.peers[].peerAddress`]: svc({ [`${bgp}.peers[0].peerAddress`]: "10.30.0.2" }),
  [`${bgp}.peers[].peerPort`]: svc({ [`${bgp}.peers[1].peerPort`]: 179 }),
  [`${bgp}.peers[].ebgpMultihop`]: svc({ [`${bgp}.peers[1].ebgpMultihop`]: 5 }),
  [`${bgp}.peers[].authSecretRef`]: svc({ [`${bgp}.peers[1].authSecretRef`]: undefined }),
  [`${bgp}.peers[].holdTimeSeconds`]: svc({ [`${bgp}.peers[0].holdTimeSeconds`]: 12 }),
  [`${bgp}.peers[].keepAliveTimeSeconds`]: svc({ [`${bgp}.peers[0].keepAliveTimeSeconds`]: 2 }),
  [`${bgp}.peers[].connectRetryTimeSeconds`]: svc({
    [`${bgp}.peers[0].connectRetryTimeSeconds`]: 60,
  }),
  [`${bgp}.peers[].gracefulRestartSeconds`]: svc({
    [`${bgp}.peers[0].gracefulRestartSeconds`]: 0,
  }),
  [`${bgp}.advertisements`]: svc({ [`${bgp}.advertisements[0]`]: undefined }),
  [`${bgp}.advertisements[].advertisementType`]: svc({
    [`${bgp}.advertisements[0].advertisementType`]: "Service",
  }),
  [`${bgp}.advertisements[].addresses`]: svc({
    [`${bgp}.advertisements[1].addresses`]: ["ClusterIP"],
  }),
  [`${bgp}.advertisements[].selector`]: svc({ [`${bgp}.advertisements[1].selector`]: undefined }),
  "cilium.k8sClientRateLimit.qps": svc({ "cilium.k8sClientRateLimit.qps": 50 }),
  "cilium.k8sClientRateLimit.burst": svc({ "cilium.k8sClientRateLimit.burst": 300 }),
  "cilium.localRedirectPolicies.enabled": articles({
    "cilium.localRedirectPolicies.enabled": true,
  }),
  "cilium.nodeLocalDns.enabled": svc({ "cilium.nodeLocalDns.enabled": false }),
  "cilium.nodeLocalDns.image": svc({ "cilium.nodeLocalDns.image": "registry.example.no/dns:2" }),

  "gatewayApi.exposure": svc(
    { "gatewayApi.exposure": "hostNetwork" },
    { [`${edge}.addresses`]: [] },
  ),
  "gatewayApi.gateways": svc({ [internal]: undefined, [`${shop}.parents[1]`]: undefined }),
  "gatewayApi.gateways[].name": svc({
    [`${internal}.name`]: "other",
    [`${shop}.parents[1].name`]: "other",
  }),
  "gatewayApi.gateways[].namespace": svc({
    [`${internal}.namespace`]: "other",
    [`${shop}.parents[1].namespace`]: "other",
  }),
  "gatewayApi.gateways[].addresses": svc({ [`${edge}.addresses`]: ["10.30.0.201"] }),
  "gatewayApi.gateways[].listeners": svc({
    [`${edge}.listeners[2]`]: undefined,
    [`${admin}.parents[0].listener`]: "https",
    [`${admin}.hostnames`]: ["admin.example.no"],
  }),
  "gatewayApi.gateways[].listeners[].name": svc({
    [`${edge}.listeners[0].name`]: "plain",
    [`${toHttps}.parents[0].listener`]: "plain",
  }),
  "gatewayApi.gateways[].listeners[].protocol": svc({
    [`${internal}.listeners[0].protocol`]: "HTTPS",
    [`${internal}.listeners[0].certificateRefs`]: [{ name: "internal" }],
  }),
  "gatewayApi.gateways[].listeners[].port": svc({ [`${internal}.listeners[0].port`]: 8081 }),
  "gatewayApi.gateways[].listeners[].hostname": svc({
    [`${edge}.listeners[2].hostname`]: "*.example.com",
  }),
  "gatewayApi.gateways[].listeners[].certificateRefs": svc({
    [`${edge}.listeners[1].certificateRefs`]: [{ name: "other" }],
  }),
  "gatewayApi.gateways[].listeners[].certificateRefs[].name": svc({
    [`${edge}.listeners[1].certificateRefs[0].name`]: "other",
  }),
  "gatewayApi.gateways[].listeners[].certificateRefs[].namespace": svc({
    [`${edge}.listeners[1].certificateRefs[0].namespace`]: "other",
  }),
  "gatewayApi.gateways[].listeners[].allowedRoutes": svc({
    [`${edge}.listeners[2].allowedRoutes`]: "All",
  }),
  "gatewayApi.routes[].parents": svc({ [`${shop}.parents[1]`]: undefined }),
  "gatewayApi.routes[].parents[].name": svc(
    { [`${shop}.parents[1].name`]: "internal" },
    { [`${shop}.parents[1].name`]: "edge" },
  ),
  "gatewayApi.routes[].parents[].namespace": svc(
    {
      [`${shop}.parents[1].namespace`]: "elsewhere",
      // Made by others.
      "gatewayApi.gateway.namespace": "elsewhere",
    },
    { [`${shop}.parents[1]`]: { name: "external-gateway", namespace: "default" } },
  ),
  "gatewayApi.routes[].parents[].listener": svc({ [`${shop}.parents[0].listener`]: undefined }),
  "gatewayApi.routes[].backends[].namespace": svc(
    { [`${admin}.backends[0].namespace`]: undefined },
    { [`${admin}.backends[0].namespace`]: "other" },
  ),
  "gatewayApi.routes[].rules": svc({ [rule]: undefined }),
  "gatewayApi.routes[].rules[].matches": svc({ [`${rule}.matches[1]`]: undefined }),
  "gatewayApi.routes[].rules[].matches[].path": svc({ [`${rule}.matches[0].path`]: "/other" }),
  "gatewayApi.routes[].rules[].matches[].pathType": svc({
    [`${rule}.matches[1].pathType`]: "PathPrefix",
  }),
  "gatewayApi.routes[].rules[].matches[].method": svc({ [`${rule}.matches[0].method`]: "POST" }),
  "gatewayApi.routes[].rules[].matches[].headers": svc({
    [`${rule}.matches[1].headers`]: { "X-Beta": "2" },
  }),
  ...Object.fromEntries(
    ["requestHeaders", "responseHeaders"].flatMap((headers): [string, FieldChange][] => [
      [`gatewayApi.routes[].rules[].${headers}`, svc({ [`${rule}.${headers}`]: undefined })],
      [
        `gatewayApi.routes[].rules[].${headers}.set`,
        svc({ [`${rule}.${headers}.set`]: { "X-Other": "a" } }),
      ],
      [
        `gatewayApi.routes[].rules[].${headers}.add`,
        svc({ [`${rule}.${headers}.add`]: { "X-Other": "b" } }),
      ],
      [
        `gatewayApi.routes[].rules[].${headers}.remove`,
        svc({ [`${rule}.${headers}.remove`]: ["X-Other"] }),
      ],
    ]),
  ),
  "gatewayApi.routes[].rules[].regionHeader": svc(
    { [`${rule}.regionHeader`]: true },
    { [`${shop}.regionHeader`]: false },
  ),
  "gatewayApi.routes[].rules[].redirectToHttps": svc({
    [`${toHttps}.rules[0]`]: { backends: [{ name: "front", port: 80 }] },
  }),
  "gatewayApi.routes[].rules[].backends": svc({
    [`${rule}.backends`]: [{ name: "cart-v1", port: 8080 }],
  }),
  "gatewayApi.routes[].rules[].backends[].name": svc({ [`${rule}.backends[1].name`]: "other" }),
  "gatewayApi.routes[].rules[].backends[].namespace": svc({
    [`${rule}.backends[1].namespace`]: undefined,
  }),
  "gatewayApi.routes[].rules[].backends[].port": svc({ [`${rule}.backends[0].port`]: 1 }),
  "gatewayApi.routes[].rules[].backends[].weight": svc({
    [`${rule}.backends[0].weight`]: 80,
    [`${rule}.backends[1].weight`]: 20,
  }),

  "policies.defaultDeny": svc({ "policies.defaultDeny": [] }),
  "policies.networkPolicies": svc({ "policies.networkPolicies[2]": undefined }),
  "policies.networkPolicies[].name": svc({ [`${policy}.name`]: "other" }),
  "policies.networkPolicies[].namespace": svc({
    "policies.networkPolicies[2].namespace": "other",
  }),
  "policies.networkPolicies[].description": svc({ [`${policy}.description`]: undefined }),
  "policies.networkPolicies[].endpointSelector": svc({
    [`${policy}.endpointSelector`]: undefined,
  }),
  "policies.networkPolicies[].ingress": svc({ [`${policy}.ingress[1]`]: undefined }),
  "policies.networkPolicies[].egress": svc({ [`${policy}.egress`]: undefined }),

  "verify.afterUp": articles({ "verify.afterUp": true }),
  "verify.clusterAdmins": articles({ "verify.clusterAdmins": ["Group:platform"] }),
  "verify.image": articles({ "verify.image": "registry.example.no/pause:1" }),
  "verify.debugImage": articles({ "verify.debugImage": "registry.example.no/netshoot:1" }),
  "verify.pwruImage": articles({ "verify.pwruImage": "registry.example.no/pwru:1" }),
  "verify.parallelism": articles({ "verify.parallelism": 8 }),
  "verify.dnsQueries": articles({ "verify.dnsQueries": 100 }),
  "verify.dnsP99Milliseconds": articles({ "verify.dnsP99Milliseconds": 20 }),
  "verify.tableUsePercent": articles({ "verify.tableUsePercent": 70 }),
  "verify.packetLossPercent": articles({ "verify.packetLossPercent": 2 }),
  "verify.softirqPercent": articles({ "verify.softirqPercent": 40 }),
  "verify.nixAddress": articles({ "verify.nixAddress": "192.0.2.1" }),
  "verify.nixRttMilliseconds": articles({ "verify.nixRttMilliseconds": 3 }),
};
