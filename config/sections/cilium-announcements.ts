import { z } from "zod";
import { field } from "../field.ts";
import { address, cidr, dnsLabel } from "../formats.ts";
import { re2Error } from "../re2.ts";
import { selector } from "./selector.ts";

const block = z.strictObject({
  cidr: field(cidr.optional(), "live", "A range as a CIDR."),
  start: field(
    address.optional(),
    "live",
    "The range's first address, in the place of cidr. Default: none.",
  ),
  stop: field(address.optional(), "live", "The range's last address. Default: start."),
});

/** A CiliumLoadBalancerIPPool: addresses for services of type LoadBalancer. */
const pool = z.strictObject({
  name: field(dnsLabel, "recreate", "Name of the CiliumLoadBalancerIPPool."),
  blocks: field(z.array(block).min(1, "empty; give a block"), "live", "Ranges of addresses."),
  allowFirstLastIPs: field(
    z.boolean().default(true),
    "live",
    "Give out a CIDR's first and last address as well.",
  ),
  serviceSelector: field(
    selector.optional(),
    "live",
    "Labels of the services that the pool serves. Default: all services.",
  ),
});

export const loadBalancerIPPools = z.array(pool).default([]);

const seconds = z.int("not a whole number; write seconds").min(1, "too short; write 1 or more");

/** A CiliumL2AnnouncementPolicy: which nodes answer for which services. */
const policy = z.strictObject({
  name: field(dnsLabel, "recreate", "Name of the CiliumL2AnnouncementPolicy."),
  interfaces: field(
    z
      .array(
        z
          .string()
          .min(1, "empty; name an interface")
          .regex(/^\S*$/, "holds white space, which no interface's name does; remove it")
          .superRefine((text, context) => {
            const error = re2Error(text);
            if (error === undefined) return;
            const message = `not a regular expression that Cilium takes (RE2: ${error}); correct it`;
            context.addIssue({ code: "custom", message });
          }),
      )
      .optional(),
    "live",
    "Regular expressions of interfaces that answer. Default: network.vlan.interface alone.",
  ),
  nodeSelector: field(
    selector.optional(),
    "live",
    "Labels of the nodes that answer. Default: workers, where there are any.",
  ),
  serviceSelector: field(
    selector.optional(),
    "live",
    "Labels of the services. Default: all services.",
  ),
  loadBalancerIPs: field(z.boolean().default(true), "live", "Answer for addresses of pools."),
  externalIPs: field(z.boolean().default(false), "live", "Answer for a service's externalIPs."),
});

/** ARP and NDP answers for the addresses of services, from one node each. */
export const l2announcements = z.strictObject({
  enabled: field(
    z.boolean().default(false),
    "recreate",
    "Announce by ARP and NDP (beta). False deletes the policies.",
  ),
  leaseDurationSeconds: field(
    seconds.default(15),
    "restart",
    "After how long without a renewal another node takes a service over.",
  ),
  leaseRenewDeadlineSeconds: field(
    seconds.default(5),
    "restart",
    "How often the node in charge renews its lease.",
  ),
  leaseRetryPeriodSeconds: field(seconds.default(2), "restart", "Pause between tries."),
  policies: field(
    z.array(policy).default([]),
    "recreate",
    "Which nodes answer for which services. One that is taken out is deleted. Default: one, workers for all services.",
  ),
});

const rate = z.int("not a whole number; write requests").min(1, "too few; write 1 or more");

/** How fast an agent may talk to the API server. */
export const k8sClientRateLimit = z.strictObject({
  qps: field(
    rate.optional(),
    "restart",
    "Requests per second of an agent. Default: 10, or 100 with L2 announcements, where each service is a lease to be renewed.",
  ),
  burst: field(rate.optional(), "restart", "Requests at once. Default: twice qps."),
});
