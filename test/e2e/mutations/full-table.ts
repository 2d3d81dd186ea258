import { type Change, on } from "./mutation.ts";

/** How full, in percent of nf_conntrack_max; verify.tableUsePercent is 80 where nothing else was asked for. */
const percent = 85;
/** Entries of datagrams that nobody answers are kept for 30 s otherwise. */
const keptSeconds = 180;

const usual = 30;
const timeout = "net.netfilter.nf_conntrack_udp_timeout";

/** One port of ever more addresses, from 127.64.0.1 on; or ever more ports of one, with a socket for each 50000. */
const asked = {
  addresses: `socket(my $s, AF_INET, SOCK_DGRAM, 17) or die $!;
for my $i (1 .. $n) { send($s, "", 0, pack_sockaddr_in(9, pack("C4", 127, 64 + ($i >> 16), ($i >> 8) & 255, $i & 255))) }`,
  ports: `my $to = pack("C4", 127, 64, 0, 1); my @kept;
for (my $left = $n; $left > 0; $left -= 50000) {
  socket(my $s, AF_INET, SOCK_DGRAM, 17) or die $!;
  push @kept, $s;
  for my $i (1 .. ($left < 50000 ? $left : 50000)) { send($s, "", 0, pack_sockaddr_in(10000 + $i, $to)) }
}`,
} as const;

/** Fills a node's table of connections with datagrams to its own loopback: nothing leaves the node. */
export function fullTable(host: string, what: keyof typeof asked): Change {
  return on(
    host,
    `sysctl -qw ${timeout}=${keptSeconds} &&
perl -e 'use Socket; my ($n) = @ARGV; ${asked[what]}' $(($(sysctl -n net.netfilter.nf_conntrack_max) * ${percent} / 100))`,
    `sysctl -qw ${timeout}=${usual}; conntrack -D -p udp -d 127.64.0.0/10 >/dev/null 2>&1; true`,
  );
}
