import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { renderStep, type StepDocument } from "../../plan/step.ts";
import { scriptDigest } from "../../steps/bundle.ts";
import { onAny } from "../../steps/ssh/command.ts";
import type { Node } from "../node/node.ts";

export interface ReadyArgs {
  document: StepDocument;
  controlPlanes: Node[];
  /** It is waited for again when one of these changes. */
  since: pulumi.Output<string>[];
}

/** Waits, on any control plane that answers, until the cluster is of use. */
export function createReady(
  { document, controlPlanes, since }: ReadyArgs,
  opts: pulumi.CustomResourceOptions,
): pulumi.Resource {
  return new command.local.Command(
    "ready",
    {
      create: pulumi
        .all([pulumi.all(controlPlanes.map(({ reach }) => reach)), pulumi.all(since)])
        .apply(([reaches, ids]) =>
          [`: ${[scriptDigest("ready"), ...ids].join(" ")}`, onAny(reaches, "apply ready")].join(
            "\n",
          ),
        ),
      stdin: renderStep(document),
      logging: command.local.Logging.Stderr,
      addPreviousOutputInEnv: false,
    },
    opts,
  );
}
