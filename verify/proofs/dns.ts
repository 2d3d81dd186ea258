import { onEveryNode } from "../cluster.ts";
import { inPod, probes } from "../probe/pods.ts";
import { fail, type Proof, pass } from "../proof.ts";

/**
 * Asks over UDP, one question after the other, and prints each answer's milliseconds, or `lost`.
 * perl-base is an essential package of Debian and Ubuntu; 228 is clock_gettime on x86-64.
 */
const script = (server: string, name: string, count: number) => `${inPod}
inpod perl -e '
  use Socket; use IO::Socket::IP;
  my ($server, $name, $count) = @ARGV;
  sub now { my $t = "\\0" x 16; syscall(228, 1, $t); my ($s, $n) = unpack("qq", $t); return $s * 1000 + $n / 1e6 }
  my $socket = IO::Socket::IP->new(PeerHost => $server, PeerPort => 53, Proto => "udp") or die "no socket: $@\\n";
  my $question = join("", map { chr(length) . $_ } split(/\\./, $name)) . "\\0" . pack("nn", 1, 1);
  for my $id (1 .. $count) {
    my $start = now();
    $socket->send(pack("n6", $id, 0x0100, 1, 0, 0, 0) . $question);
    my ($answer, $mask) = ("", "");
    while (1) {
      vec($mask = "", fileno($socket), 1) = 1;
      last unless select($mask, undef, undef, 2);
      defined $socket->recv($answer, 4096) or last;
      last if unpack("n", $answer) == $id;
    }
    my ($got, $flags, undef, $answers) = length($answer) >= 12 ? unpack("n4", $answer) : (0, 15, 0, 0);
    print $got == $id && ($flags & 15) == 0 && $answers > 0 ? sprintf("%.3f\\n", now() - $start) : "lost\\n";
  }' ${server} ${name} ${count}`;

/** The value below which this share of the sorted values lies: nearest rank. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

export const dnsProof: Proof = {
  promise: "DNS answers every pod fast",
  proof:
    "verify.dnsQueries questions for kubernetes.default from a pod on each node, through the DNS service; bound of the 99th percentile: verify.dnsP99Milliseconds; a lost answer fails",
  limitSeconds: 110,
  async prove(cluster) {
    const { dnsQueries, dnsP99Milliseconds } = cluster.config.verify;
    await probes(cluster);
    const server = (
      await cluster.kubectl(
        ...["-n", "kube-system", "get", "service", "kube-dns", "-o", "jsonpath={.spec.clusterIP}"],
      )
    ).trim();
    const name = "kubernetes.default.svc.cluster.local";
    const answers = await onEveryNode(cluster, script(server, name, dnsQueries));
    const byNode = answers.map(({ node, output }) => {
      const lines = output.split("\n");
      const times = lines.filter((line) => line !== "lost").map(Number);
      return { node, times, lost: lines.length - times.length };
    });
    const lost = byNode.filter((one) => one.lost > 0 || one.times.length === 0);
    if (lost.length > 0) {
      return fail(lost.map((one) => `${one.node}: ${one.lost} of ${dnsQueries} lost`).join("; "));
    }
    const times = byNode.flatMap((one) => one.times);
    const at = (share: number) => percentile(times, share).toFixed(2);
    const slowest = byNode.toSorted(
      (a, b) => percentile(b.times, 0.99) - percentile(a.times, 0.99),
    )[0];
    const reading = `${times.length} answers of ${server}: p50 ${at(0.5)} ms, p90 ${at(0.9)} ms, p99 ${at(0.99)} ms; slowest node ${slowest?.node}, p99 ${percentile(slowest?.times ?? [], 0.99).toFixed(2)} ms`;
    if (percentile(times, 0.99) <= dnsP99Milliseconds) return pass(reading);
    return fail(
      `${reading}: above ${dnsP99Milliseconds} ms; NodeLocal DNSCache is recommended (answers from the pod's own node)`,
    );
  },
};
