import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { expectNothing, fail, pass } from "../../../verify/proof.ts";
import { labEnvironment } from "../engine.ts";
import { inNamespace } from "../shell.ts";
import { stackFile } from "../stack.ts";
import type { LabProof } from "./proof.ts";

const project = fileURLToPath(new URL("../../..", import.meta.url));

/** What needs the lab's knowledge: its stack's state, its own route, the other commands. */
export const labProofs: LabProof[] = [
  {
    promise: "The route and its gateway are as written",
    proof: "weights and header of the HTTPRoute, class of the Gateway, as the API server has them",
    async prove({ kubectl }) {
      const weights = await kubectl(
        ...["-n", "finance", "get", "httproute", "payment-processor", "-o"],
        "jsonpath={.spec.rules[0].backendRefs[*].weight} {.spec.rules[0].filters[0].requestHeaderModifier.set[0]}",
      );
      const gateway = await kubectl(
        ...["get", "gateway", "external-gateway", "--ignore-not-found", "-o"],
        "jsonpath={.spec.gatewayClassName}",
      );
      const reading = `gateway of class ${gateway || "(not made)"}; weights and header: ${weights}`;
      const holds =
        gateway === "cilium" && weights.startsWith("95 5 ") && weights.includes("NO-OSL-1");
      return holds ? pass(reading) : fail(reading);
    },
  },
  {
    promise: "Every step's desired state holds on every node",
    proof: "npm run drift",
    async prove({ facts }) {
      const [command = "", ...args] = inNamespace(facts.netns, [
        process.execPath,
        "commands/main.ts",
        "drift",
        stackFile,
      ]);
      const { exitCode, stdout, stderr } = await execa(command, args, {
        cwd: project,
        env: labEnvironment(facts),
        reject: false,
      });
      // Progress comes on standard error.
      const reading = (stdout.trim() || stderr.trim()).split("\n").slice(-3).join("; ");
      return exitCode === 0 ? pass(reading) : fail(reading);
    },
  },
  {
    promise: "The state holds no token, no private key and no admin credential",
    proof: "a search of the exported state, for their forms and for the admin key itself",
    async prove({ engine, onHost }) {
      const state = await engine.exportedState();
      const adminKey = (
        await onHost("cp-1", "awk '/client-key-data/ { print $2 }' /etc/kubernetes/admin.conf")
      ).trim();
      const found = [
        [/PRIVATE KEY/, "a private key"],
        [/(?<![a-z0-9])[a-z0-9]{6}\.[a-z0-9]{16}(?![a-z0-9])/, "a bootstrap token"],
        [/client-key-data\W+[A-Za-z0-9+/]{64}/, "a client key"],
      ].flatMap(([pattern, what]) => ((pattern as RegExp).test(state) ? [what as string] : []));
      if (adminKey && state.includes(adminKey)) found.push("the admin key");
      if (state.length < 1000)
        found.push(`only ${state.length} characters of state: nothing was searched`);
      return expectNothing(found, `${state.length} characters searched`);
    },
  },
];
