import { execa } from "execa";
import { say } from "../../progress.ts";
import type { Sources } from "./sources.ts";

export type Origin = "upstream" | "modules";

/** Seconds within which every host must answer. */
const patience = 5;

/**
 * Where artifacts come from: OSLO_LAB_ARTIFACTS, or for `auto` upstream where all its hosts answer.
 *
 * @throws where OSLO_LAB_ARTIFACTS is none of upstream, modules and auto
 */
export async function chooseOrigin(
  sources: Sources,
  wanted = process.env.OSLO_LAB_ARTIFACTS || "auto",
): Promise<Origin> {
  if (wanted === "upstream" || wanted === "modules") return wanted;
  if (wanted !== "auto") {
    throw new Error(`OSLO_LAB_ARTIFACTS is "${wanted}"; write upstream, modules or auto`);
  }
  const hosts = hostsOf(sources);
  const answers = await Promise.all(hosts.map(isReached));
  const silent = hosts.filter((_, i) => !answers[i]);
  if (silent.length === 0) return "upstream";
  say(
    `  artifacts are built from Go modules: no answer from ${silent.map(({ host }) => host).join(", ")}`,
  );
  return "modules";
}

/** One address of each host that is asked. */
function hostsOf({ kubernetes, containerd, images, registries, ...files }: Sources): URL[] {
  const ofImages = Object.keys(images).map((reference) => reference.split("/")[0] ?? "");
  const { chart, helm, pulumi } = files;
  const all = [
    ...[kubernetes.key, containerd.key, chart.url, helm.url, pulumi.url],
    ...ofImages.map((registry) => `${registries[registry] ?? `https://${registry}`}/v2/`),
  ].map((url) => new URL(url));
  return [...new Map(all.map((url) => [url.host, url])).values()];
}

/** Any answer counts: what a host has is another question. */
async function isReached(url: URL): Promise<boolean> {
  const curl = [
    "--silent",
    "--output",
    "/dev/null",
    "--max-time",
    `${patience}`,
    "--head",
    url.href,
  ];
  return (await execa("curl", curl, { reject: false })).exitCode === 0;
}
