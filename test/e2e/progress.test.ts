import { expect, test } from "vitest";
import { progressOf, saidOf, spread } from "./progress.ts";

const printed = `@ updating....
 +  pulumi:pulumi:Stack oslo-cluster-lab creating (0s) warning: using pulumi-resource-command from $PATH
 +  command:remote:Command cp-1-base creating (0s) write /etc/sysctl.d/99-k8s-network.conf
 +  command:remote:Command cp-1-base created (2s) write /etc/chrony/chrony.conf
 ~  command:remote:Command worker-1-base updating (1s) [diff: ~triggers]
Resources:
    + 54 created`;

test("lines of progress, each with its resource and how many that has printed", () => {
  expect(progressOf(printed)).toEqual([
    { resource: "cp-1-base", line: 1 },
    { resource: "cp-1-base", line: 2 },
    { resource: "worker-1-base", line: 1 },
  ]);
  expect(saidOf(" +  command:local:Command ready created (36s) ")).toEqual({
    resource: "ready",
    isDone: true,
  });
});

test("events in every part of a bring-up, in its order", () => {
  const events = Array.from({ length: 100 }, (_, line) => ({ resource: "one", line }));
  const drawn = [0, 0.5, 0.999, 0.25];
  expect(spread(events, 4, () => drawn.shift() ?? 0).map(({ line }) => line)).toEqual([
    ...[0, 37, 74, 81],
  ]);
});
