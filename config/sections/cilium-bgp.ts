import { z } from "zod";
import { field } from "../field.ts";
import { address, dnsLabel, port } from "../formats.ts";
import { selector } from "./selector.ts";

const asn = z
  .int("not a whole number; write an AS number")
  .min(1, "no AS number; write 1 to 4294967295")
  .max(4_294_967_295, "no AS number; write 1 to 4294967295");

const seconds = (least: number) =>
  z.int("not a whole number; write seconds").min(least, `too short; write ${least} or more`);

/** A router that the nodes talk to: a peer of the CiliumBGPClusterConfig and its CiliumBGPPeerConfig. */
const peer = z.strictObject({
  name: field(dnsLabel, "recreate", "Name of the peer and of its CiliumBGPPeerConfig."),
  peerASN: field(asn, "live", "The router's AS number."),
  peerAddress: field(address, "live", "The router's address."),
  peerPort: field(port.default(179), "live", "The router's port."),
  ebgpMultihop: field(
    z
      .int("not a whole number; write a number of hops")
      .min(1, "no hop; write 1 to 255")
      .max(255, "too many; write 1 to 255")
      .default(1),
    "live",
    "Hops to a router of another AS; 1 is a router on the VLAN.",
  ),
  authSecretRef: field(
    dnsLabel.optional(),
    "live",
    "Secret in kube-system whose key `password` signs the session (TCP MD5); you make it. Default: unsigned.",
  ),
  holdTimeSeconds: field(
    seconds(3).default(90),
    "live",
    "After how long without a message the session is dead.",
  ),
  keepAliveTimeSeconds: field(seconds(1).default(30), "live", "Pause between keepalive messages."),
  connectRetryTimeSeconds: field(seconds(1).default(120), "live", "Pause between tries."),
  gracefulRestartSeconds: field(
    z
      .int("not a whole number; write seconds")
      .min(0, "negative; write 0 or more")
      .max(4095, "too long; write 4095 or less")
      .default(120),
    "live",
    "How long the router keeps a node's routes while its agent restarts; 0 turns that off.",
  ),
});

const advertisement = z.strictObject({
  advertisementType: field(
    z.enum(["PodCIDR", "Service"], { error: "not a type; write PodCIDR or Service" }),
    "live",
    "PodCIDR: each node its share of the pod subnets. Service: addresses of services.",
  ),
  addresses: field(
    z
      .array(
        z.enum(["LoadBalancerIP", "ClusterIP", "ExternalIP"], {
          error: "not a kind of address; write LoadBalancerIP, ClusterIP or ExternalIP",
        }),
      )
      .optional(),
    "live",
    "Which of a service's addresses. Default: LoadBalancerIP.",
  ),
  selector: field(selector.optional(), "live", "Labels of the services. Default: all services."),
});

/** BGP sessions from every selected node to routers. */
export const bgpControlPlane = z.strictObject({
  enabled: field(
    z.boolean().default(false),
    "recreate",
    "Exchange routes with routers by BGP. False ends all sessions.",
  ),
  localASN: field(asn.optional(), "live", "The nodes' AS number. Default: none, needed with BGP."),
  nodeSelector: field(
    selector.optional(),
    "live",
    "Labels of the nodes that use BGP. Default: all nodes.",
  ),
  peers: field(
    z.array(peer).default([]),
    "recreate",
    "Routers. With one that is taken out the session ends. Default: none, needed with BGP.",
  ),
  advertisements: field(
    z.array(advertisement).default([]),
    "live",
    "What is advertised to routers. Default: addresses of LoadBalancer services.",
  ),
});
