import type { Config } from "../config/config.ts";
import { effect, type StepEffects } from "./effect.ts";
import { type StepDocument, step } from "./step.ts";

/** Swap off for good: the kubelet refuses to start with it, and etcd must not be paged out. */
export function swapStep(): StepDocument {
  return step("swap");
}

/** chrony against the configured servers alone. */
export function timeSyncStep({ tuning }: Pick<Config, "tuning">): StepDocument {
  return step(
    "time-sync",
    { HOST_WIDE: tuning.hostWide },
    {
      "/etc/chrony/chrony.conf": `${tuning.ntpServers.map((server) => `server ${server} iburst`).join("\n")}
driftfile /var/lib/chrony/chrony.drift
# Step the clock at start only; certificates and etcd leases dislike jumps later.
makestep 1.0 3
rtcsync
leapsectz right/UTC
`,
      // A node that shares its host's clock measures, and leaves the clock alone.
      ...(tuning.hostWide ? {} : { "/etc/default/chrony": 'DAEMON_OPTS="-F 1 -x"\n' }),
    },
  );
}

export const swapEffects: StepEffects = { again: effect("live", "swap off, at once") };

export const timeSyncEffects: StepEffects = {
  again: effect("restart", "chrony restarts; pods see nothing"),
};
