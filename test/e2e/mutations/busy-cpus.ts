import { type Change, on } from "./mutation.ts";

/** Columns of /proc/stat, counted from 0: the CPU's name is the first. */
const columns = { softirq: 7, steal: 8 } as const;

const unit = "mutant-stat";
const folder = "/run/mutant-stat";

/**
 * A host on which every CPU spends 97 % of its time in one way, by the word of /proc/stat: the kernel of the lab's
 * machine has one such file for all hosts, so that this one has a file of its own in its place. Its lines keep their
 * length, so that a reader never sees half a file.
 */
export function busyCpus(host: string, what: keyof typeof columns): Change {
  const program = `my ($column, $file) = @ARGV;
my ($cpus, $rest) = (0, "");
open(my $real, "<", "/proc/stat") or die $!;
while (<$real>) { if (/^cpu\\d/) { $cpus++ } elsif (!/^cpu /) { $rest .= $_ } }
open(my $out, ">", "$file.new") or die $!;
for (my $spent = 1000; ; $spent += 100) {
  my $text = "";
  for my $cpu (-1 .. $cpus - 1) {
    my @time = (0) x 10;
    $time[3] = $spent * 0.03;
    $time[$column - 1] = $spent * 0.97;
    $text .= "cpu" . ($cpu < 0 ? "" : $cpu) . join("", map { sprintf " %015d", $_ } @time) . "\\n";
  }
  $text .= $rest;
  sysseek($out, 0, 0);
  syswrite($out, $text);
  rename("$file.new", $file) if $spent == 1000;
  select(undef, undef, undef, 0.2);
}`;
  return on(
    host,
    `mkdir -p ${folder} && cat >${folder}/make.pl <<'END'
${program}
END
systemd-run --quiet --unit=${unit} perl ${folder}/make.pl ${columns[what]} ${folder}/stat &&
until [ -s ${folder}/stat ]; do sleep 0.1; done && mount --bind ${folder}/stat /proc/stat`,
    `umount /proc/stat; systemctl stop ${unit}; rm -rf ${folder}`,
  );
}
