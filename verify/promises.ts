import type { Proof } from "./proof.ts";
import { accessProof } from "./proofs/access.ts";
import { addressPoolsProof } from "./proofs/address-pools.ts";
import { backupProof, rehearsalProof } from "./proofs/backup.ts";
import { bandwidthProof } from "./proofs/bandwidth.ts";
import { bgpProof } from "./proofs/bgp.ts";
import { canaryProof } from "./proofs/canary.ts";
import { certificatesProof } from "./proofs/certificates.ts";
import { clientAddressProof } from "./proofs/client-address.ts";
import { conntrackProof } from "./proofs/conntrack.ts";
import { cpuProof } from "./proofs/cpu.ts";
import { credentialsProof } from "./proofs/credentials.ts";
import { datagramsProof } from "./proofs/datagrams.ts";
import { deniedCallProof } from "./proofs/denied-call.ts";
import { dnsProof } from "./proofs/dns.ts";
import { dsrProof } from "./proofs/dsr.ts";
import { encryptionProof } from "./proofs/encryption.ts";
import { etcdMembersProof } from "./proofs/etcd-members.ts";
import { gatewayCrdsProof } from "./proofs/gateway-crds.ts";
import { gatewayStatusProof, routeStatusProof } from "./proofs/gateway-status.ts";
import { kubeProxyProof } from "./proofs/kube-proxy.ts";
import { kubeletCertificatesProof } from "./proofs/kubelet-certificates.ts";
import { l2AnnouncementsProof } from "./proofs/l2-announcements.ts";
import { modesProof } from "./proofs/modes.ts";
import { nixProof } from "./proofs/nix.ts";
import { nodeLocalDnsProof } from "./proofs/node-local-dns.ts";
import { nodesProof } from "./proofs/nodes.ts";
import { overlayProof } from "./proofs/overlay.ts";
import { packagesProof } from "./proofs/packages.ts";
import { packetLossProof } from "./proofs/packet-loss.ts";
import { podSubnetsProof } from "./proofs/pod-subnets.ts";
import { podTrafficProof } from "./proofs/pod-traffic.ts";
import { reversePathProof } from "./proofs/reverse-path.ts";
import { routesProof } from "./proofs/routes.ts";
import { secretsAtRestProof } from "./proofs/secrets-at-rest.ts";
import { serviceAccountsProof } from "./proofs/service-accounts.ts";
import { sysctlsProof } from "./proofs/sysctls.ts";
import { virtualAddressProof } from "./proofs/virtual-address.ts";
import { xdpProof } from "./proofs/xdp.ts";

/** Everything that is promised, in the order of reports. docs/verification.md is made from it. */
export const promises: readonly Proof[] = [
  nodesProof,
  virtualAddressProof,
  etcdMembersProof,
  podSubnetsProof,
  packagesProof,
  sysctlsProof,
  cpuProof,
  kubeProxyProof,
  modesProof,
  bandwidthProof,
  xdpProof,
  overlayProof,
  routesProof,
  reversePathProof,
  podTrafficProof,
  packetLossProof,
  encryptionProof,
  dsrProof,
  clientAddressProof,
  datagramsProof,
  addressPoolsProof,
  l2AnnouncementsProof,
  bgpProof,
  dnsProof,
  nodeLocalDnsProof,
  conntrackProof,
  nixProof,
  gatewayCrdsProof,
  gatewayStatusProof,
  routeStatusProof,
  canaryProof,
  deniedCallProof,
  secretsAtRestProof,
  credentialsProof,
  accessProof,
  kubeletCertificatesProof,
  serviceAccountsProof,
  certificatesProof,
  backupProof,
  rehearsalProof,
];
