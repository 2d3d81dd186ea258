/** The program of engine.test.ts: whatever resources its configuration lists, in that order. */
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { type DescribedCluster, makeCluster } from "./objects.ts";

/** One resource of the list; names are those of earlier ones. */
export interface Described {
  name: string;
  /** By SSH, with this connection. */
  connection?: command.types.input.remote.ConnectionArgs;
  args?: Record<string, unknown>;
  /** Takes the standard input from the output of this command. */
  stdinFrom?: string;
  secretStdin?: string;
  /** Is replaced when this command is: its trigger is the other's id. */
  triggerFrom?: string;
  dependsOn?: string[];
  deletedWith?: string;
  deleteBeforeReplace?: boolean;
  ignoreChanges?: string[];
}

const config = new pulumi.Config();
const made: Record<string, pulumi.Resource> = {};
const parent = new pulumi.ComponentResource("test:index:Group", "group");
for (const described of config.getObject<Described[]>("resources") ?? []) {
  made[described.name] = make(described);
}

const cluster = config.getObject<DescribedCluster>("cluster");
if (cluster) makeCluster(cluster, made);

/** What each command printed. */
export const stdout = Object.fromEntries(
  Object.entries(made).flatMap(([name, resource]) =>
    resource instanceof command.local.Command || resource instanceof command.remote.Command
      ? [[name, resource.stdout]]
      : [],
  ),
);

const length = config.getNumber("pet");
/** Words at random, so many. */
export const pet = length === undefined ? undefined : new random.RandomPet("pet", { length }).id;

const broken = config.get("throwWhenKnown");
if (broken !== undefined) {
  pulumi.output(made[broken]?.urn).apply(() => {
    throw new Error("an apply of the program is broken");
  });
}

function make(described: Described): pulumi.Resource {
  const { name, args = {}, connection, dependsOn = [], deletedWith } = described;
  const { deleteBeforeReplace = false, ignoreChanges = [] } = described;
  const options: pulumi.CustomResourceOptions = {
    parent,
    deleteBeforeReplace,
    ignoreChanges,
    dependsOn: dependsOn.flatMap((other) => made[other] ?? []),
    ...(deletedWith ? { deletedWith: made[deletedWith] } : {}),
  };
  const source = described.stdinFrom === undefined ? undefined : made[described.stdinFrom];
  const from = source instanceof command.local.Command ? source.stdout : undefined;
  const secret = described.secretStdin && pulumi.secret(described.secretStdin);
  const stdin = from ?? secret;
  const trigger = described.triggerFrom === undefined ? undefined : made[described.triggerFrom];
  const triggers = trigger instanceof command.local.Command ? { triggers: [trigger.id] } : {};
  const inputs = { ...args, ...(stdin ? { stdin } : {}), ...triggers };
  if (connection) return new command.remote.Command(name, { ...inputs, connection }, options);
  return new command.local.Command(name, inputs, options);
}
