import { unitPrefix, workDirectory } from "./namespace.ts";

/** Starts tcpdump as a unit, and waits until it listens: it writes the file's head then. */
export function captureScript(name: string, device: string, filter: string): string {
  const file = `${workDirectory}/${name}.pcap`;
  return `set -e
rm -f ${file}
systemd-run --quiet --collect --unit=${unitPrefix}-${name} --property=RuntimeMaxSec=60 --property=UMask=0077 \\
  tcpdump -i ${device} -p -n -U --immediate-mode -Z root -w ${file} '${filter}'
for try in $(seq 300); do
  if [ -s ${file} ]; then exit; fi
  sleep 0.05
done
echo 'tcpdump does not listen: journalctl -u ${unitPrefix}-${name}' >&2
exit 1`;
}

/** Ends it, and prints what it saw. */
export function readScript(name: string): string {
  return `systemctl stop ${unitPrefix}-${name}
tcpdump -n -v -r ${workDirectory}/${name}.pcap 2>/dev/null`;
}

/** -v breaks a packet into lines; the further ones are indented. */
export function packets(text: string): string[] {
  return text.replaceAll(/\n\s+/g, " ").split("\n").filter(Boolean);
}
