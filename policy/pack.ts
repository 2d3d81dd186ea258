import { PolicyPack } from "@pulumi/policy";
import { policies } from "./policies.ts";

// pulumi preview --policy-pack policy: held against every resource, in each preview and each up.
new PolicyPack("oslo-cluster", { policies, enforcementLevel: "mandatory" });
