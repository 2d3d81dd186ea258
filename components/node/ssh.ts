import { type NodeReach, quote } from "../../plan/reach.ts";

/** OpenSSH's command line for a command on a machine, as one line of sh. */
export function ssh({ sshArguments }: NodeReach, remote: string): string {
  return ["ssh", ...sshArguments, remote].map(quote).join(" ");
}

/**
 * A command for a resource's `delete`. Fails in bounded time where the machine is dead, and says what
 * stands there still and how to go on; OSLO_CLUSTER_ABANDON names machines that are gone for good.
 * @param left What stays there if it cannot be reached.
 */
export function deleteOverSsh(reach: NodeReach, remote: string, left: string): string {
  const { name } = reach;
  return `case ",\${OSLO_CLUSTER_ABANDON:-}," in
*,${name},*)
  echo "left behind on ${name}: ${left} (abandoned by OSLO_CLUSTER_ABANDON)" >&2
  exit 0 ;;
esac
status=0
timeout 900 ${ssh(reach, remote)} || status=$?
[ "$status" != 255 ] || echo "left behind on ${name}: ${left}: the machine does not answer. Destroy again when it does; if it is gone for good, destroy with OSLO_CLUSTER_ABANDON=${name}" >&2
exit "$status"`;
}
