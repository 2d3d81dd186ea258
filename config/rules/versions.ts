import type { Rule } from "../rule.ts";

/**
 * Which versions were made for each other: Cilium's minor version, the Kubernetes minor versions
 * that its release is tested with, and the Gateway API whose CRDs its operator asks for.
 * Source: Cilium's documentation, "Kubernetes compatibility" and "Gateway API support".
 */
export const compatibility: Record<string, { kubernetes: readonly string[]; gatewayApi: string }> =
  {
    "1.20": { kubernetes: ["1.33", "1.34", "1.35", "1.36"], gatewayApi: "1.6.1" },
  };

/** Packages are looked for where they are: in a repository of that minor version and of that distribution's release. */
export const matchingRepositories: Rule = function* ({ artifacts, kubernetes }) {
  const { url } = artifacts.kubernetes;
  const [, minor = kubernetes.minor] = /[/:]v(\d+\.\d+)(?=\/|$)/.exec(url) ?? [];
  if (minor !== kubernetes.minor) {
    yield {
      path: "artifacts.kubernetes.url",
      value: url,
      why: `a repository of Kubernetes ${minor}, which has no packages of ${kubernetes.version}`,
      fix: `write that of v${kubernetes.minor}`,
    };
  }
  const { suite } = artifacts.containerd;
  const version = kubernetes.containerd.packageVersion;
  const [, release = suite] = /~[a-z]+\.[\d.]+~([a-z]+)$/.exec(version) ?? [];
  if (release !== suite) {
    yield {
      path: "kubernetes.containerd.packageVersion",
      value: version,
      why: `a package of ${release}, and artifacts.containerd.suite is ${suite}`,
      fix: `write the version of ${suite} (apt-cache madison containerd.io), or suite: ${release}`,
    };
  }
};

/** Versions outside the table are untested together. */
export const knownVersions: Rule = function* ({ kubernetes, cilium, gatewayApi }) {
  const minor = cilium.version.split(".").slice(0, 2).join(".");
  const row = compatibility[minor];
  if (row === undefined) {
    yield {
      path: "cilium.version",
      value: cilium.version,
      why: "not in this program's table of versions",
      fix: `write a version of ${Object.keys(compatibility).join(", ")}`,
    };
    return;
  }
  if (!row.kubernetes.includes(kubernetes.minor)) {
    yield {
      path: "kubernetes.version",
      value: kubernetes.version,
      why: `Cilium ${minor} is not tested with Kubernetes ${kubernetes.minor}`,
      fix: `write a version of ${row.kubernetes.join(", ")}`,
    };
  }
  if (gatewayApi.enabled && gatewayApi.version !== row.gatewayApi) {
    yield {
      path: "gatewayApi.version",
      value: gatewayApi.version,
      why: `Cilium ${minor} asks for the CRDs of ${row.gatewayApi}`,
      fix: `write ${row.gatewayApi}`,
    };
  }
};
