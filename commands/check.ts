import { loadStackFile } from "../config/load.ts";
import { runCommand } from "./command.ts";

// npm run check -- <stack file>: every error of the file, without an engine, a credential or a network.
runCommand("usage: npm run check -- <stack file>, such as Pulumi.dev.yaml", 1, ([file]) => {
  const config = loadStackFile(file as string);
  const names = config.nodes.map((node) => `${node.name} (${node.role})`).join(", ");
  console.log(`${file}: cluster ${config.cluster.name}, ${names}: no errors`);
});
