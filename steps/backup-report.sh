# shellcheck shell=bash
# Rehearsals' reports, for `verify`: from targets, or from stdin. Sourced by backup.sh.

# The newest rehearsal's report and its signature, for `verify`.
fetch_report() {
  local part
  for part in report.json report.json.sig; do
    transfer cat "$1/rehearsal/$part" >"$work/$part" 2>/dev/null || return 0
  done
  keep_report "$work"
}

# Of several targets' reports the newest counts. Who has signed it is judged by who reads it.
keep_report() {
  local kept=$home/rehearsal
  [[ -s $1/report.json && -s $1/report.json.sig ]] || return 0
  if [[ -s $kept/report.json ]] &&
    ! jq --exit-status --slurpfile kept "$kept/report.json" '.rehearsedAt >= $kept[0].rehearsedAt' "$1/report.json" >/dev/null; then
    return 0
  fi
  rm -rf "$kept.new"
  mkdir -p "$kept.new"
  mv "$1/report.json" "$1/report.json.sig" "$kept.new/"
  rm -rf "$kept"
  mv "$kept.new" "$kept"
}

# From stdin, where this node may not read at the target: the report's line, and its signature.
report() {
  local given line
  given=$(mktemp --directory "$home/report.XXXXXX")
  trap 'rm -rf "$home"/report.??????' EXIT
  IFS= read -r line || die "a line with the report is wanted, and its signature"
  printf '%s\n' "$line" >"$given/report.json"
  cat >"$given/report.json.sig"
  jq --exit-status .rehearsedAt "$given/report.json" >/dev/null 2>&1 || die "what was received is not a report"
  keep_report "$given"
}
