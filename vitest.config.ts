import { defineConfig } from "vitest/config";

declare module "vitest" {
  interface ProvidedContext {
    /** True with -u: golden files are written again. */
    updatesGoldenFiles: boolean;
  }
}

const updatesGoldenFiles = ["-u", "--update"].some((flag) => process.argv.includes(flag));
const minutes = 60_000;
/** Of clusters and of upstream's programs: the first run builds them. */
const patience = { testTimeout: 60 * minutes, hookTimeout: 80 * minutes };
/** What takes longer than CI may, each in a file of its own. */
const long = [
  "control-planes",
  "certificates-hours",
  "restore",
  "virtual-address",
  "virtual-address-cluster",
  "encryption",
  "guests",
  "ephemeral",
  "upstream-cluster",
].map(endToEnd);
/** Clusters on the lab's hosts: they share one lab. */
const lab = ["lab", "losses"].map(endToEnd);

function endToEnd(name: string): string {
  return `test/e2e/${name}.e2e.ts`;
}

export default defineConfig({
  test: {
    reporters: ["default", "./test/closing-line.ts"],
    projects: [
      // Seconds, anywhere: no root, no network, no engine.
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/e2e/**"],
          // Files of one worker share the modules that they import: Pulumi's SDK takes a second.
          isolate: false,
          // Many wait for a process of their own.
          maxWorkers: "100%",
          globalSetup: "test/compile-cache.ts",
          // Of seconds, on a machine that has other work too; hooks as well, or their tests are skipped.
          testTimeout: 5 * minutes,
          hookTimeout: 10 * minutes,
          expect: { poll: { timeout: 2 * minutes } },
          provide: { updatesGoldenFiles },
          // Without a shell above it, bash takes a socket as its input for sshd's, and reads its own settings.
          env: { SHLVL: "2" },
          sequence: { groupOrder: 0 },
        },
      },
      // Pulumi's engine and the lab's plugins, against processes of their own.
      {
        test: {
          name: "engine",
          include: ["test/e2e/**/*.test.ts"],
          testTimeout: 10 * minutes,
          hookTimeout: 30 * minutes,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      // Upstream's own programs in network namespaces of their own, and hosts without a cluster. They wait more than
      // they compute.
      {
        test: {
          name: "loopback",
          include: ["test/e2e/**/*.e2e.ts"],
          exclude: [...lab, ...long],
          ...patience,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      // The real thing, one file after the other.
      {
        test: {
          name: "lab",
          include: lab,
          ...patience,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
      // What takes longer than CI may: .ci/long runs it.
      {
        test: {
          name: "long",
          include: long,
          ...patience,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
