import type { Proof } from "../../verify/proof.ts";
import { addressPoolsProof } from "../../verify/proofs/address-pools.ts";
import { bgpProof } from "../../verify/proofs/bgp.ts";
import { l2AnnouncementsProof } from "../../verify/proofs/l2-announcements.ts";
import { nodeLocalDnsProof } from "../../verify/proofs/node-local-dns.ts";
import { on } from "./broken.ts";
import { type Answers, addressService, advertised, cachePod, macOf, session } from "./healthy.ts";

const given = (...addresses: string[]): Answers => [
  ["-l verify-service=address", JSON.stringify({ items: [addressService(...addresses)] })],
];

const refused: Answers = [
  [
    "-l verify-service=address",
    JSON.stringify({
      items: [
        {
          metadata: { name: "address-0" },
          spec: { clusterIPs: ["10.96.0.99"] },
          status: {
            loadBalancer: {},
            conditions: [
              {
                type: "cilium.io/IPAMRequestSatisfied",
                status: "False",
                message: "There are no enabled CiliumLoadBalancerIPPools that match this service",
              },
            ],
          },
        },
      ],
    }),
  ],
];

const announcer = macOf("node-1");
const stranger = macOf("node-2");

/** What breaks the promises on the addresses of services, and what the reading must name. */
export const brokenServices: [proof: Proof, fault: string, sick: Answers, reading: RegExp][] = [
  [
    addressPoolsProof,
    "one family is missing",
    given("10.10.9.1"),
    /^public: no IPv6 address for a service$/,
  ],
  [
    addressPoolsProof,
    "no address, and why",
    refused,
    /^public: no IPv4 and IPv6 address for a service: There are no enabled/,
  ],
  [
    addressPoolsProof,
    "an address beside the range",
    given("10.10.9.10", "fd00:10:10::901"),
    /^public: 10\.10\.9\.10 was given, and is in no pool$/,
  ],
  [
    addressPoolsProof,
    "an address beside the CIDR",
    given("10.10.9.1", "fd00:10:10::a01"),
    /^public: fd00:10:10::a01 was given, and is in no pool$/,
  ],
  [l2AnnouncementsProof, "no address", refused, /^public: no address to announce$/],
  [l2AnnouncementsProof, "no lease", [["get lease", ""]], /no node has taken its service's lease/],
  [
    l2AnnouncementsProof,
    "a stranger's lease",
    [["get lease", "worker-9"]],
    /^public: worker-9 holds its lease$/,
  ],
  [
    l2AnnouncementsProof,
    "silence on the VLAN",
    [["SOCK_RAW", "silent"]],
    /^10\.10\.9\.1: nobody answers for it on eth0 of node-2; fd00:10:10::901: nobody/,
  ],
  [
    l2AnnouncementsProof,
    "silence in one family",
    [["SOCK_RAW", (_, ask) => (ask.includes("fd00:") ? "silent" : `answered\n${announcer}`)]],
    /^fd00:10:10::901: nobody answers for it on eth0 of node-2$/,
  ],
  [
    l2AnnouncementsProof,
    "another node",
    [["SOCK_RAW", `answered\n${stranger}`]],
    /^10\.10\.9\.1: 52:54:00:00:00:02 answers for it, node-1 has 52:54:00:00:00:01;/,
  ],
  [
    l2AnnouncementsProof,
    "two nodes",
    [["SOCK_RAW", `answered\n${announcer}\n${stranger}`]],
    /52:54:00:00:00:01 and 52:54:00:00:00:02 answers for it/,
  ],
  [
    l2AnnouncementsProof,
    "no answer to a datagram",
    [["SOCK_RAW", `silent\n${announcer}`]],
    /^10\.10\.9\.1: a datagram from node-2 to node-1 is not answered;/,
  ],
  [
    l2AnnouncementsProof,
    "an answer that did not come by way of the VLAN",
    [["/address-0-", ""]],
    /^10\.10\.9\.1: answered, but not by way of eth0 of node-2;/,
  ],
  [
    bgpProof,
    "a router that does not answer",
    [["bgp peers", on("node-1", sessions({ "session-state": "active" }), sessions({}))]],
    /^node-1: the session with router-2 \(fd00:10:10::ff, AS 64500\) is active$/,
  ],
  [
    bgpProof,
    "a router of another AS",
    [["bgp peers", sessions({ "peer-asn": 64_999 })]],
    /^node-0: no session with router-2 \(fd00:10:10::ff, AS 64500\); node-1: no session/,
  ],
  [bgpProof, "no session at all", [["bgp peers", "null"]], /^node-0: no session with router-1 /],
  [
    bgpProof,
    "an agent without BGP",
    [["bgp peers", on("node-2", "BGP Control Plane is disabled", sessions({}))]],
    /is not valid JSON/,
  ],
  [
    bgpProof,
    "a router that hears nothing",
    [["bgp routes advertised", (node) => JSON.stringify(advertised(node, ["10.10.0.1"]))]],
    /^node-0: router-2 does not get 10\.244\.0\.0\/24, fd00:10:244::\/64, 10\.10\.9\.1\/32, fd00:10:10::901\/128;/,
  ],
  [
    bgpProof,
    "routers that hear of no IPv6",
    [["bgp routes advertised", (node) => JSON.stringify([advertised(node)[0], null])]],
    /^node-0: router-1 does not get fd00:10:244::\/64, fd00:10:10::901\/128; node-0: router-2/,
  ],
  [
    bgpProof,
    "a node that tells another's share",
    [["bgp routes advertised", JSON.stringify(advertised("node-0"))]],
    /^node-1: router-1 does not get 10\.244\.1\.0\/24, fd00:10:244:1::\/64;/,
  ],
  [
    nodeLocalDnsProof,
    "a node without a cache, and one whose cache is not ready",
    [
      [
        "k8s-app=node-local-dns",
        JSON.stringify({ items: [cachePod("node-0"), cachePod("node-1", "False")] }),
      ],
    ],
    /^node-1: no cache is Ready there; node-2: no cache is Ready there$/,
  ],
  [
    nodeLocalDnsProof,
    "answers of kube-dns, past the cache",
    [["coredns_dns_requests_total", on("node-1", "20 0", "20 20")]],
    /^node-1: its cache \(10\.244\.1\.53\) counted 0 of 20 questions to 10\.96\.0\.10$/,
  ],
  [
    nodeLocalDnsProof,
    "some past the cache",
    [["coredns_dns_requests_total", on("node-1", "20 11", "20 20")]],
    /^node-1: its cache .* counted 11 of 20/,
  ],
  [
    nodeLocalDnsProof,
    "lost answers",
    [["coredns_dns_requests_total", on("node-1", "17 20", "20 20")]],
    /^node-1: 3 of 20 questions to 10\.96\.0\.10 are lost$/,
  ],
  [nodeLocalDnsProof, "no reading", [["coredns_dns_requests_total", ""]], /counted 0 of 20/],
  [
    nodeLocalDnsProof,
    "a cache that does not tell",
    [["coredns_dns_requests_total", new Error("the metrics of 10.244.0.53 cannot be read")]],
    /^node-0: the metrics of 10\.244\.0\.53 cannot be read/,
  ],
];

/** Sessions with both routers; what is different in that with the second. */
function sessions(differs: object): string {
  return JSON.stringify([session("10.10.0.1"), { ...session("fd00:10:10::ff"), ...differs }]);
}
