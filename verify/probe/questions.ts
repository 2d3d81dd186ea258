import { toldAddress } from "../address.ts";
import type { Cluster } from "../cluster.ts";
import { inPod } from "./pods.ts";

const name = "kubernetes.default.svc.cluster.local";

/**
 * From this node's probe pod, asks for kubernetes.default over UDP, one question after the other, and
 * prints each answer's milliseconds, or `lost`; after ten that were lost in a row it asks no more. A question
 * of another type than A may have no record.
 * perl-base is an essential package of Debian and Ubuntu; 228 is clock_gettime on x86-64.
 */
export const questions = ({
  server,
  count,
  type = 1,
}: {
  server: string;
  count: number;
  type?: number;
}) => `${inPod}
inpod perl -e '
  use Socket; use IO::Socket::IP;
  my ($server, $name, $count, $type) = @ARGV;
  sub now { my $t = "\\0" x 16; syscall(228, 1, $t); my ($s, $n) = unpack("qq", $t); return $s * 1000 + $n / 1e6 }
  my $socket = IO::Socket::IP->new(PeerHost => $server, PeerPort => 53, Proto => "udp") or die "no socket: $@\\n";
  my $question = join("", map { chr(length) . $_ } split(/\\./, $name)) . "\\0" . pack("nn", $type, 1);
  my $row = 0;
  for my $id (1 .. $count) {
    last if $row >= 10;
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
    my $is_lost = !($got == $id && ($flags & 15) == 0 && ($answers > 0 || $type != 1));
    $row = $is_lost ? $row + 1 : 0;
    print $is_lost ? "lost\\n" : sprintf("%.3f\\n", now() - $start);
  }' ${server} ${name} ${count} ${type}`;

/** The address that pods ask. */
export function clusterDns(cluster: Cluster): Promise<string> {
  return cluster.once("cluster DNS", async ({ kubectl }) => {
    const address = await kubectl(
      ...["-n", "kube-system", "get", "service", "kube-dns", "-o", "jsonpath={.spec.clusterIP}"],
    );
    return toldAddress(address.trim(), "the address of service kube-dns");
  });
}
