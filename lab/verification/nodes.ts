import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { labEnvironment } from "../engine.ts";
import { inNamespace } from "../shell.ts";
import { stackFile } from "../stack.ts";
import { onEveryHost, type Proof } from "./proof.ts";

const project = fileURLToPath(new URL("../..", import.meta.url));

/** What holds on the machines themselves. */
export const nodeProofs: Proof[] = [
  {
    promise: "every step's desired state holds on every node (npm run drift)",
    async prove({ facts }) {
      const [command = "", ...args] = inNamespace(facts.netns, [
        process.execPath,
        "commands/drift.ts",
        stackFile,
      ]);
      const { exitCode, stdout, stderr } = await execa(command, args, {
        cwd: project,
        env: labEnvironment(facts),
        reject: false,
      });
      const lines = [stdout, stderr].join("\n").trim().split("\n");
      return { result: exitCode === 0 ? "passed" : "failed", reading: lines.slice(-3).join("; ") };
    },
  },
  {
    promise: "every kernel parameter that a host of the lab can hold reads back",
    async prove(lab) {
      const readings = await onEveryHost(
        lab,
        `set -e; n=0; while IFS=' =' read -r key value; do
           actual=$(sysctl -n "$key" | tr -s '\\t ' ' '); [ "$actual" = "$value" ] || { echo "$key is $actual"; exit 1; }; n=$((n+1))
         done <<EOF
$(grep -v '^#' /etc/sysctl.d/99-k8s-network.conf)
EOF
         echo "$n hold, $(grep -c 'left out' /etc/sysctl.d/99-k8s-network.conf) left out"`,
      );
      return {
        result: "passed",
        reading: readings.map(({ host, output }) => `${host}: ${output} (host-wide)`).join("; "),
      };
    },
  },
  {
    promise: "packages are held at exact versions",
    async prove(lab) {
      const held = await onEveryHost(lab, "apt-mark showhold | sort | xargs");
      const wrong = held.filter(({ output }) => output !== "containerd.io kubeadm kubectl kubelet");
      return {
        result: wrong.length === 0 ? "passed" : "failed",
        reading: (wrong[0] ?? held[0])?.output ?? "",
      };
    },
  },
  {
    promise: "the state holds no token, no private key and no admin credential",
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
      return {
        result: found.length === 0 ? "passed" : "failed",
        reading: found.join(", ") || `${state.length} characters searched`,
      };
    },
  },
];
