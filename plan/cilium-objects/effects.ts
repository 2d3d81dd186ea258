import { effect, type ObjectEffects } from "../effect.ts";

const session = effect("live", "applied in place: sessions that it is about are made anew");
const asked = effect("live", "taken away: pods ask kube-dns itself");

/** What becomes of an object, by its kind as the plan's file names have it. */
export const ciliumObjectEffects: Record<string, ObjectEffects> = {
  ciliumloadbalancerippool: {
    changes: effect(
      "live",
      "applied in place: a service whose address is in no block any more gets another one",
    ),
    goes: effect("recreate", "deleted: services lose the addresses that they have from it"),
  },
  ciliuml2announcementpolicy: {
    goes: effect("recreate", "deleted: nobody answers for the addresses that it alone covered"),
  },
  ciliumbgpclusterconfig: {
    changes: session,
    goes: effect("recreate", "deleted: the sessions with all routers end"),
  },
  ciliumbgppeerconfig: {
    changes: session,
    goes: effect("recreate", "deleted: the session with that router ends"),
  },
  ciliumbgpadvertisement: {
    changes: effect("live", "applied in place: routers are told what comes and what goes"),
    goes: effect("recreate", "deleted: routers are told nothing any more"),
  },
  ciliumnetworkpolicy: {
    comes: effect("live", "applied in place: what it does not allow is denied to its pods"),
    goes: effect(
      "recreate",
      "deleted: pods that no other policy selects are open to all, the others lose what it allowed",
    ),
  },
  ciliumlocalredirectpolicy: { goes: asked },
  daemonset: {
    changes: effect("restart", "the cache restarts, a tenth of the nodes at a time"),
    goes: asked,
  },
  configmap: {
    // Pulumi takes a ConfigMap's data for immutable.
    changes: effect("recreate", "made anew under its name; each cache reads it within minutes"),
    goes: asked,
  },
  service: { goes: asked },
  serviceaccount: { goes: asked },
};
