import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { GuestPlan } from "../../plan/libvirt/guest.ts";
import type { ClusterPlan, NodePlan } from "../../plan/plan.ts";
import { hypervisorScript } from "../../steps/hypervisor/bundle.ts";
import { ssh } from "../../steps/ssh/command.ts";
import { nodeReach } from "../../steps/ssh/target.ts";
import type { Hypervisor } from "./hypervisor.ts";

export interface KvmVpsArgs {
  cluster: Pick<ClusterPlan, "dial" | "bastion">;
  node: NodePlan & { guest: GuestPlan };
  hypervisor: Hypervisor;
  /** The VLAN and the image on its hypervisor. */
  after: pulumi.Resource[];
}

/**
 * A KVM guest, from a verified image to an SSH server that shows the pinned key. Three resources by
 * what a change means, so that a preview tells: `<node>-guest` is replaced, `<node>-domain` is taken
 * at the next boot, `<node>-live` at once.
 */
export class KvmVps extends pulumi.ComponentResource {
  /** Made on the hypervisor before the first boot, in OpenSSH's format. */
  readonly hostKey: pulumi.Output<string>;
  /** Everything that lives on the guest is removed with this. */
  readonly machine: pulumi.CustomResource;
  /** The guest answers SSH, and cloud-init is done. */
  readonly booted: pulumi.Resource;

  constructor(name: string, args: KvmVpsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("oslo-cluster:index:KvmVps", name, {}, opts);
    const { node, hypervisor, after } = args;
    const { guest, domain, live, identity } = node.guest;

    const machine = hypervisor.run(
      `${node.name}-guest`,
      guest,
      {
        parent: this,
        dependsOn: after,
        left: {
          kind: "domain",
          domain: `${guest.vars.DOMAIN}`,
          directory: `${guest.vars.DIRECTORY}`,
        },
        deleteBeforeReplace: true,
        protect: node.guest.protected,
      },
      { triggers: [identity] },
    );
    const withMachine = { parent: this, deletedWith: machine };
    const sized = hypervisor.run(`${node.name}-live`, live, {
      ...withMachine,
      dependsOn: [machine],
    });
    const running = hypervisor.run(`${node.name}-domain`, domain, {
      ...withMachine,
      dependsOn: [sized],
    });

    this.machine = machine;
    this.hostKey = machine.stdout.apply((text) => text.trim());
    this.booted = this.createFirstBoot(args, running);
    this.registerOutputs({ hostKey: this.hostKey });
  }

  /** Waits for the guest, then takes away from the hypervisor what held its host key. */
  private createFirstBoot(
    { cluster, node, hypervisor }: KvmVpsArgs,
    running: pulumi.Resource,
  ): command.local.Command {
    const forget = ssh(hypervisor.reach, hypervisor.reach.asRoot("bash -s -- forget-seed"));
    return new command.local.Command(
      `${node.name}-first-boot`,
      {
        create: this.hostKey.apply((hostKey) =>
          firstBoot(node.name, ssh(nodeReach(cluster, node, hostKey), cloudInitDone), forget),
        ),
        stdin: hypervisorScript(node.guest.guest),
        logging: command.local.Logging.Stderr,
        addPreviousOutputInEnv: false,
      },
      { parent: this, dependsOn: [running], deletedWith: this.machine },
    );
  }
}

/** Status 2 is a guest that booted with warnings of cloud-init's. */
const cloudInitDone = "cloud-init status --wait >/dev/null || [ $? = 2 ]";

/** Seconds that a first boot may take, emulation included. */
const bootDeadline = 900;

function firstBoot(name: string, ask: string, forget: string): string {
  return `document=$(cat)
deadline=$(($(date +%s) + ${bootDeadline}))
status=255
while [ "$status" = 255 ]; do
  status=0
  answer=$(${ask} </dev/null 2>&1) || status=$?
  case $answer in *"Host key verification failed"*)
    echo "${name}: another machine than the one that was made answers at its address: $answer" >&2
    exit 1 ;;
  esac
  [ "$status" != 255 ] || sleep 1
  if [ "$status" = 255 ] && [ "$(date +%s)" -ge "$deadline" ]; then
    echo "${name}: no SSH within ${bootDeadline} s of its start: $answer. See virsh console on its hypervisor; check that this machine reaches the VLAN" >&2
    exit 1
  fi
done
if [ "$status" != 0 ]; then
  echo "${name}: cloud-init failed: $answer" >&2
  exit 1
fi
printf '%s\\n' "$document" | ${forget}`;
}
