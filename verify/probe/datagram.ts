/** Who answers for an address on the VLAN, and whether a datagram to it does come back. */
export interface Answer {
  isAnswered: boolean;
  /** MAC addresses that ARP or neighbour discovery brought; several where several machines answer. */
  macs: string[];
}

/**
 * Asks on the VLAN itself. A connection from a node would be led to the backend by Cilium in that node,
 * before any packet: a raw socket's datagram leaves with the service's address, as a neighbour's does.
 * The port that it comes from is held by a second socket, which takes the answer. 17 is UDP, 25
 * SO_BINDTODEVICE; 41 and 7 have the kernel fill in the checksum that IPv6 wants, at byte 6.
 * @param own address of the node that asks, of the same family
 */
export const askScript = (
  { address, port, device, own }: { address: string; port: number; device: string; own: string },
  word: string,
) => `ip neighbour flush to ${address} dev ${device} 2>/dev/null || true
perl -e '
  use Socket qw(:DEFAULT inet_pton pack_sockaddr_in6 unpack_sockaddr_in6);
  my ($to, $device, $port, $word) = @ARGV;
  my $six = $to =~ /:/;
  my $family = $six ? AF_INET6 : AF_INET;
  my $host = inet_pton($family, $to);
  my $there = $six ? pack_sockaddr_in6(0, $host) : pack_sockaddr_in(0, $host);
  my $any = $six ? pack_sockaddr_in6(0, inet_pton($family, "::")) : pack_sockaddr_in(0, INADDR_ANY);
  sub parts { $six ? unpack_sockaddr_in6($_[0]) : unpack_sockaddr_in($_[0]) }
  my ($bound, $raw);
  socket($bound, $family, SOCK_DGRAM, 17) && bind($bound, $any) or die "no socket: $!\\n";
  my ($own) = parts(getsockname($bound));
  socket($raw, $family, SOCK_RAW, 17) && setsockopt($raw, SOL_SOCKET, 25, $device) or die "no raw socket: $!\\n";
  !$six || setsockopt($raw, 41, 7, pack("i", 6)) or die "no checksum: $!\\n";
  for (1 .. 2) {
    send($raw, pack("n4", $own, $port, 8 + length($word), 0) . $word, 0, $there);
    vec(my $mask = "", fileno($bound), 1) = 1;
    next unless select($mask, undef, undef, 1);
    my $from = recv($bound, my $got, 4096, 0);
    next unless defined $from && $got eq $word;
    my ($port_of, $host_of) = parts($from);
    next unless $port_of == $port && $host_of eq $host;
    print "answered\\n";
    exit;
  }
  print "silent\\n";' ${address} ${device} ${port} ${word} || exit
{
  ip neighbour show to ${address} dev ${device} | sed -n 's/.*lladdr \\([0-9a-f:]*\\).*/\\1/p'
${
  // IPv6 has no arping: the entry that the datagram has left tells one machine alone.
  address.includes(":")
    ? ""
    : `  { arping -b -c 2 -w 3 -I ${device} -s ${own} ${address} 2>/dev/null || true; } |
    awk '$2 == "reply" { print tolower(substr($5, 2, 17)) }'`
}
} | sort -u
ip neighbour flush to ${address} dev ${device} 2>/dev/null || true`;

export function answerOf(output: string): Answer {
  const [said, ...macs] = output.split("\n");
  return { isAnswered: said === "answered", macs };
}
