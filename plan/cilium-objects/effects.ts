import { effect, type ObjectEffects } from "../effect.ts";

const session = effect("live", "applied in place: sessions that it is about are re-established");
const asked = effect("live", "taken away: pods ask kube-dns itself");

/** What becomes of an object, by its kind as the plan's file names have it. */
export const ciliumObjectEffects: Record<string, ObjectEffects> = {
  ciliumloadbalancerippool: {
    changes: effect(
      "live",
      "applied in place: a service whose address is in no block any more gets another one",
    ),
    removed: effect("recreate", "deleted: services lose the addresses that they have from it"),
  },
  ciliuml2announcementpolicy: {
    removed: effect("recreate", "deleted: nobody answers for the addresses that it alone covered"),
  },
  ciliumbgpclusterconfig: {
    changes: session,
    removed: effect("recreate", "deleted: the sessions with all routers end"),
  },
  ciliumbgppeerconfig: {
    changes: session,
    removed: effect("recreate", "deleted: the session with that router ends"),
  },
  ciliumbgpadvertisement: {
    changes: effect("live", "applied in place: routers learn what is added and what is removed"),
    removed: effect("recreate", "deleted: nothing is advertised to routers any more"),
  },
  ciliumnetworkpolicy: {
    added: effect("live", "applied in place: what it does not allow is denied to its pods"),
    removed: effect(
      "recreate",
      "deleted: pods that no other policy selects are open to all, the others lose what it allowed",
    ),
  },
  ciliumlocalredirectpolicy: { removed: asked },
  daemonset: {
    changes: effect("restart", "the cache restarts, a tenth of the nodes at a time"),
    removed: asked,
  },
  configmap: {
    // Pulumi takes a ConfigMap's data for immutable.
    changes: effect("recreate", "re-created under its name; each cache reads it within minutes"),
    removed: asked,
  },
  service: { removed: asked },
  serviceaccount: { removed: asked },
};
