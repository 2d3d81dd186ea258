import { effect } from "../effect.ts";
import { defineStep } from "../step.ts";

/** chrony against the configured servers alone. */
export const timeSync = defineStep({
  name: "time-sync",
  resource: "base",
  document: ({ tuning, sharedKernel }) => ({
    vars: { HOST_WIDE: sharedKernel.hostWide },
    files: {
      "/etc/chrony/chrony.conf": `${tuning.ntpServers.map((server) => `server ${server} iburst`).join("\n")}
driftfile /var/lib/chrony/chrony.drift
# Step the clock at start only; certificates and etcd leases dislike jumps later.
makestep 1.0 3
rtcsync
leapsectz right/UTC
`,
      // A node that shares its host's clock measures, and leaves the clock alone.
      ...(sharedKernel.hostWide ? {} : { "/etc/default/chrony": 'DAEMON_OPTS="-F 1 -x"\n' }),
    },
  }),
  effects: { default: effect("restart", "chrony restarts; pods see nothing") },
});
