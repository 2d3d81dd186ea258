import { bgpProof } from "../../../verify/proofs/bgp.ts";
import { clientAddressProof } from "../../../verify/proofs/client-address.ts";
import { conntrackProof } from "../../../verify/proofs/conntrack.ts";
import { datagramsProof } from "../../../verify/proofs/datagrams.ts";
import { deniedCallProof } from "../../../verify/proofs/denied-call.ts";
import { dnsProof } from "../../../verify/proofs/dns.ts";
import { dsrProof } from "../../../verify/proofs/dsr.ts";
import { l2AnnouncementsProof } from "../../../verify/proofs/l2-announcements.ts";
import { packetLossProof } from "../../../verify/proofs/packet-loss.ts";
import { podTrafficProof } from "../../../verify/proofs/pod-traffic.ts";
import { routesProof } from "../../../verify/proofs/routes.ts";
import { fullTable } from "./full-table.ts";
import { type Batch, on, onPort, withoutObject, withoutXdpOnPort } from "./mutation.ts";

/** What a provider's network takes away, and ways that nodes have lost. */
export const ports: readonly Batch[] = [
  {
    name: "a port that lets pass no source but the node's own address",
    mutations: [
      {
        name: "foreign sources are dropped",
        breaks: [
          { proof: podTrafficProof, reading: /worker-1 → cp-1 10\.244\.\d+\.\d+: no answer/ },
          { proof: packetLossProof, reading: /worker-1 → pod-on-cp-1 10\.244\S+: 100 % lost/ },
          { proof: dsrProof, reading: /\(cp-1, backend on worker-1\): no answer/ },
          { proof: clientAddressProof, reading: /\(cp-1\): no answer/ },
          { proof: datagramsProof, reading: /\(cp-1\): not even 512 bytes are answered/ },
          { proof: l2AnnouncementsProof, reading: /is not answered/ },
          { proof: deniedCallProof, reading: /the allowed port is silent too/ },
        ],
        mayBreak: [dnsProof],
        ...onPort("worker-1", "foreign sources"),
      },
      {
        name: "no route to the other node's pods",
        breaks: [
          { proof: routesProof, reading: /^cp-1: no route 10\.244\.\d+\.0\/24 via 10\.10\.0\.12 / },
        ],
        ...withoutRoute("cp-1", "10.10.0.12"),
      },
    ],
  },
  {
    name: "a port that lets pass pods, and no other node's address",
    mutations: [
      {
        name: "other nodes' addresses are dropped",
        breaks: [
          { proof: dsrProof, reading: /\(cp-1, backend on worker-1\): no answer/ },
          { proof: clientAddressProof, reading: /\(cp-1\): no answer/ },
          { proof: datagramsProof, reading: /\(cp-1\): not even 512 bytes are answered/ },
          { proof: l2AnnouncementsProof, reading: /is not answered/ },
        ],
        ...onPort("worker-1", "other hosts' addresses"),
      },
      {
        name: "no route from the other node",
        breaks: [
          {
            proof: routesProof,
            reading: /^worker-1: no route 10\.244\.\d+\.0\/24 via 10\.10\.0\.11 /,
          },
          { proof: podTrafficProof, reading: /worker-1 → cp-1 10\.244\S+: no answer to ping/ },
          // All but those of the moment in which the agent has made the route again.
          {
            proof: packetLossProof,
            reading: /worker-1 → pod-on-cp-1 10\.244\S+: (100|9\d(\.\d)?) % lost/,
          },
          { proof: deniedCallProof, reading: /the allowed port is silent too/ },
        ],
        mayBreak: [dnsProof],
        ...withoutRoute("worker-1", "10.10.0.11"),
      },
    ],
  },
  {
    name: "a port that drops IP options",
    mutations: [
      {
        name: "nothing that is advertised to routers",
        breaks: [{ proof: bgpProof, reading: /does not get/ }],
        ...withoutObject("ciliumbgpadvertisements.cilium.io", "oslo-lab"),
      },
      {
        name: "a program that asks more addresses than the table has room for",
        breaks: [{ proof: conntrackProof, reading: /cp-1: nf_conntrack 8\d\S* % / }],
        ...fullTable("cp-1", "addresses"),
      },
      {
        name: "a program that asks more ports than the table has room for",
        breaks: [{ proof: conntrackProof, reading: /worker-1: nf_conntrack 8\d\S* % / }],
        ...fullTable("worker-1", "ports"),
      },
      {
        name: "IP options are dropped",
        breaks: [
          { proof: dsrProof, reading: /\(worker-1, backend on cp-1\): no answer/ },
          { proof: clientAddressProof, reading: /\(worker-1\): no answer/ },
          { proof: datagramsProof, reading: /\(worker-1\)/ },
        ],
        ...onPort("worker-1", "IP options"),
      },
      {
        // Its status is green all the while: XDP is attached, and what it sends back never leaves.
        name: "a link that loses what XDP sends back",
        breaks: [
          { proof: dsrProof, reading: /\(cp-1, backend on worker-1\): no answer/ },
          { proof: clientAddressProof, reading: /\(cp-1\): no answer/ },
          { proof: datagramsProof, reading: /\(cp-1\)/ },
        ],
        mayBreak: [l2AnnouncementsProof],
        ...withoutXdpOnPort("cp-1"),
      },
    ],
  },
];

/** A node's route to the pods of the node of an address, and at once each time that the agent makes it again. */
function withoutRoute(host: string, address: string) {
  const [unit, kept] = ["mutant-route", "/run/mutant-route"];
  const route = `ip route | grep ' via ${address} '`;
  const taken = `stdbuf -oL ip monitor route | while read -r _; do ip route delete $(cat ${kept}) 2>/dev/null; done`;
  return on(
    host,
    `${route} >${kept} && systemd-run --quiet --unit=${unit} sh -c '${taken}' && while ${route}; do ip route delete $(cat ${kept}); sleep 0.1; done`,
    `systemctl stop ${unit}; [ ! -s ${kept} ] || ip route replace $(cat ${kept}); rm -f ${kept}`,
  );
}
