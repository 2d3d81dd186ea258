import type { Origin } from "./artifacts/upstream/origin.ts";
import type { Timing } from "./progress.ts";

/** A signed apt repository of the lab. */
export interface AptSource {
  url: string;
  /** 40 upper-case hexadecimal digits. */
  keyFingerprint: string;
}

/** What a program needs to know to use the lab as if it were rented machines and mirrors. */
export interface LabFacts {
  /** The network namespace from which hosts and mirrors can be reached. */
  netns: string;
  hosts: {
    name: string;
    address: string;
    address6: string;
    /** "ssh-ed25519 AAAA…" */
    hostKey: string;
  }[];
  /** Present where the lab has hypervisors. */
  virtual?: {
    hypervisors: {
      name: string;
      /** On the management segment. */
      address: string;
      /** "ssh-ed25519 AAAA…" */
      hostKey: string;
      /** Interface that carries the VLAN. */
      uplink: string;
      /** Directory for disks. */
      storage: string;
    }[];
    /** A bootable Debian with cloud-init and everything that the step `prerequisites` asks for. */
    image: { url: string; sha512: string };
    /** The guests' network; gateways are the lab's own, from where the mirrors answer too. */
    vlan: {
      id: number;
      /** True where this machine's kernel has no 802.1Q, and the lab's BPF programs tag the frames. */
      tagsByLab: boolean;
      subnets: string[];
      gateways: string[];
      /** What the trunk lets through, in bytes. */
      mtu: number;
    };
  };
  /** Socket of the ssh-agent with the key that hosts let in as root. */
  sshAuthSock: string;
  mirrors: {
    /** Flat, as pkgs.k8s.io; its key is Release.key. */
    kubernetesApt: AptSource;
    /** By suite, as download.docker.com; its key is gpg. */
    containerdApt: AptSource & { suite: string; component: string };
    /** http://ADDRESS:PORT; images lie under the name of their upstream host. */
    registry: string;
    charts: string;
    /** Address of the NTP server. */
    ntp: string;
  };
  /** What this machine cannot give to its hosts, and a rented VPS can. */
  machine: {
    /** With 1, kubelet needs failCgroupV1: false and kubeadm skips SystemVerification. */
    cgroupVersion: 1 | 2;
    /** False where CAP_SYS_RESOURCE is missing: containerd needs restrict_oom_score_adj. */
    lowersOomScore: boolean;
  };
  versions: {
    kubernetes: string;
    kubernetesPackage: string;
    containerdPackage: string;
    cilium: string;
  };
  /** Whether the mirrors hold upstream's own artifacts, or what was built from Go modules. */
  origin: Origin;
  /** Paths of commands on this machine. */
  helm: string;
  kubectl: string;
  kubeadm: string;
  pulumi: string;
  /** Path of Cilium's packaged chart. */
  chart: string;
  timings: Timing[];
}

/** @throws Error where the lab has no host of that name */
export function hostNamed(
  { hosts }: Pick<LabFacts, "hosts">,
  name: string,
): LabFacts["hosts"][number] {
  const host = hosts.find((one) => one.name === name);
  if (host === undefined) throw new Error(`no host ${name}`);
  return host;
}
