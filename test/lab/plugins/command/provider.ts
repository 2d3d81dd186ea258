import type { Provider } from "../protocol/provider.ts";
import { versionOf } from "../protocol/version.ts";
import { commandResource } from "./command.ts";
import { LocalInputs, runLocal } from "./local.ts";
import { RemoteInputs, runRemote } from "./remote.ts";

// @pulumi/command: what it does at version 1.2.1, for the resources that a cluster uses.

const resources = {
  "command:local:Command": commandResource(LocalInputs, runLocal),
  "command:remote:Command": commandResource(RemoteInputs, runRemote),
};

export const commandProvider: Provider = {
  version: versionOf("@pulumi/command"),
  diffConfig: () => [],
  resource: (type) => {
    if (type in resources) return resources[type as keyof typeof resources];
    throw new Error(`${type}: the lab's plugin has ${Object.keys(resources).join(" and ")} alone`);
  },
};
