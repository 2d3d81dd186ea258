import { defineConfig } from "vitest/config";

declare module "vitest" {
  interface ProvidedContext {
    /** True with -u: golden files are written again. */
    updatesGoldenFiles: boolean;
  }
}

const updatesGoldenFiles = ["-u", "--update"].some((flag) => process.argv.includes(flag));
const minutes = 60_000;
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
].map((name) => `test/e2e/${name}.e2e.ts`);

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
          globalSetup: "test/compile-cache.ts",
          // Of seconds, on a machine that has other work too; hooks as well, or their tests are skipped.
          testTimeout: minutes,
          hookTimeout: 2 * minutes,
          expect: { poll: { timeout: minutes / 2 } },
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
          testTimeout: 2 * minutes,
          hookTimeout: 10 * minutes,
          sequence: { groupOrder: 1 },
        },
      },
      // The real thing, one file after the other: they share one lab.
      {
        test: {
          name: "lab",
          include: ["test/e2e/**/*.e2e.ts"],
          exclude: long,
          testTimeout: 60 * minutes,
          hookTimeout: 80 * minutes,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
      // What takes longer than CI may: .ci/long runs it.
      {
        test: {
          name: "long",
          include: long,
          testTimeout: 60 * minutes,
          hookTimeout: 80 * minutes,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
