import type { Config } from "../../config/config.ts";
import type { Manifest } from "../manifest.ts";

const apiVersion = "cilium.io/v2";
/** What ties the sessions to what is advertised in them. */
const advertised = { "oslo-cluster/advertise": "bgp" };

type Bgp = Config["cilium"]["bgpControlPlane"];

/** Sessions of the nodes with routers, and what is advertised to routers. */
export function bgpObjects({ cilium, cluster, network }: Config): Manifest[] {
  const bgp = cilium.bgpControlPlane;
  if (!bgp.enabled) return [];
  return [
    advertisement(cluster.name, bgp),
    ...bgp.peers.map((peer) => peerConfig(peer, network.families)),
    clusterConfig(cluster.name, bgp),
  ];
}

function clusterConfig(name: string, { localASN, nodeSelector, peers }: Bgp): Manifest {
  return {
    apiVersion,
    kind: "CiliumBGPClusterConfig",
    metadata: { name },
    spec: {
      ...(nodeSelector ? { nodeSelector } : {}),
      bgpInstances: [
        {
          name,
          localASN,
          peers: peers.map(({ name, peerASN, peerAddress }) => ({
            ...{ name, peerASN, peerAddress },
            peerConfigRef: { name },
          })),
        },
      ],
    },
  };
}

function peerConfig(peer: Bgp["peers"][number], families: readonly (4 | 6)[]): Manifest {
  const { gracefulRestartSeconds, authSecretRef } = peer;
  return {
    apiVersion,
    kind: "CiliumBGPPeerConfig",
    metadata: { name: peer.name },
    spec: {
      timers: {
        connectRetryTimeSeconds: peer.connectRetryTimeSeconds,
        holdTimeSeconds: peer.holdTimeSeconds,
        keepAliveTimeSeconds: peer.keepAliveTimeSeconds,
      },
      transport: { peerPort: peer.peerPort },
      ebgpMultihop: peer.ebgpMultihop,
      gracefulRestart:
        gracefulRestartSeconds > 0
          ? { enabled: true, restartTimeSeconds: gracefulRestartSeconds }
          : { enabled: false },
      ...(authSecretRef ? { authSecretRef } : {}),
      families: families.map((family) => ({
        afi: `ipv${family}`,
        safi: "unicast",
        advertisements: { matchLabels: advertised },
      })),
    },
  };
}

function advertisement(name: string, bgp: Bgp): Manifest {
  const written: readonly Partial<Bgp["advertisements"][number]>[] = bgp.advertisements;
  const advertisements = written.length > 0 ? written : [{}];
  return {
    apiVersion,
    kind: "CiliumBGPAdvertisement",
    metadata: { name, labels: advertised },
    spec: {
      advertisements: advertisements.map(
        ({ advertisementType = "Service", addresses = ["LoadBalancerIP"], selector = {} }) => ({
          advertisementType,
          // Without a selector nothing is advertised; an empty one takes all services.
          ...(advertisementType === "Service" ? { service: { addresses }, selector } : {}),
        }),
      ),
    },
  };
}
