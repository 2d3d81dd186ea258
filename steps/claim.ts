import { claimScript } from "./bundle.ts";

// For components/node/send-claim.sh: the scripts are read when they are sent, and are in no state.
process.stdout.write(claimScript());
