/** What stays on a machine that does not answer when its part of the cluster is removed. */
export type Left =
  | { kind: "node" }
  | { kind: "domain"; domain: string; directory: string }
  | { kind: "image"; file: string }
  | { kind: "vlan"; bridge: string; device: string }
  | { kind: "packages"; packages: string[] };

export type LeftOn = Left & { machine: string };

/** What it is, for people. */
export function describeLeft(left: Left): string {
  switch (left.kind) {
    case "node":
      return "Kubernetes, its data and packages, /var/lib/oslo-cluster";
    case "domain":
      return `the domain ${left.domain} and ${left.directory}`;
    case "image":
      return `the image ${left.file}`;
    case "vlan":
      return `the bridge ${left.bridge} and ${left.device}`;
    case "packages":
      return `the packages ${left.packages.join(" ")}`;
  }
}

// steps/release.sh prints such a line too.
const mark = "oslo-cluster-left: ";

/** The same for programs, in one line that a shell's comment or a log can hold. */
export function leftLine(left: LeftOn): string {
  return `${mark}${JSON.stringify(left)}`;
}

/** What the lines of a text say is left. */
export function readLeft(text: string): LeftOn[] {
  return text.split("\n").flatMap((line) => {
    const at = line.indexOf(mark);
    return at < 0 ? [] : [JSON.parse(line.slice(at + mark.length)) as LeftOn];
  });
}
