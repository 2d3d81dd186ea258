# shellcheck shell=bash
# Rehearsals' reports, for `verify`: from targets, or from stdin. Sourced by backup.sh.

# The newest rehearsal's report and its signature, for `verify`.
fetch_report() {
  local part
  for part in report.json report.json.sig; do
    # A report is some 2 KiB; a target that gives more has no disk of this node.
    transfer cat --count 65536 "$1/rehearsal/$part" >"$work/$part" 2>/dev/null || return 0
  done
  keep_report "$work"
}

# Of several targets' reports the newest counts. Who has signed it is judged by who reads it.
keep_report() {
  local kept=$home/rehearsal before=/dev/null
  [[ -s $1/report.json.sig ]] && is_report "$1/report.json" || return 0
  [[ ! -s $kept/report.json ]] || before=$kept/report.json
  jq --exit-status --slurpfile kept "$before" '.rehearsedAt >= ($kept[0].rehearsedAt // 0)' "$1/report.json" >/dev/null || return 0
  rm -rf "$kept.new"
  mkdir -p "$kept.new"
  mv "$1/report.json" "$1/report.json.sig" "$kept.new/"
  rm -rf "$kept"
  mv "$kept.new" "$kept"
}

# Of a time to come it would be the newest one for ever.
is_report() { jq --exit-status --argjson now "$(date --utc +%s)" '.rehearsedAt | numbers | . <= $now + 600' "$1" >/dev/null 2>&1; }

# From stdin, where this node may not read at the target: the report's line, and its signature.
report() {
  local given line
  given=$(mktemp --directory "$home/report.XXXXXX")
  trap 'rm -rf "$home"/report.??????' EXIT
  IFS= read -r line || die "nothing was received: send the report on one line, and its signature after it"
  printf '%s\n' "$line" >"$given/report.json"
  cat >"$given/report.json.sig"
  is_report "$given/report.json" || die "what was received is not a rehearsal's report, or its rehearsedAt is in the future"
  keep_report "$given"
}
