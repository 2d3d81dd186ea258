# shellcheck shell=bash
# What a run leaves for others: status.json and a metrics file. Sourced by backup.sh.

# What `verify` and metrics read, whatever has become of the run.
finish() {
  local code=$1 error
  trap - EXIT
  error=$(printf '%s\n' "${failures[@]}" | paste -sd';')
  [[ $code == 0 || -n $error ]] || error="ended with $code; see journalctl -u oslo-cluster-backup"
  [[ -f $home/status.json ]] || echo '{}' >"$home/status.json"
  [[ -f $work/targets ]] || : >"$work/targets"
  jq --arg error "$error" --argjson now "$(date --utc +%s)" --arg started "$started" --arg name "${name:-}" \
    --arg taken "${taken:-}" --arg revision "${revision:-}" --slurpfile targets "$work/targets" \
    --argjson bytes "$(stat --format %s "$copies/${name:-none}" 2>/dev/null || echo 0)" \
    --argjson kept "$(names_here | wc -l)" '
      (.targets // [] | map({key: .name, value: .lastSuccess}) | from_entries) as $before
      | .error = (if $error == "" then null else $error end)
      | .lastRun = $now | .seconds = $now - ($started | tonumber) | .copiesHere = $kept
      | if $name == "" then . else .copy = {$name, bytes: $bytes, takenAt: ($taken | tonumber), revision: ($revision | tonumber)} end
      | if $targets == [] then . else .targets = ($targets | map(.lastSuccess = if .error == null then .at else $before[.name] end | del(.at))) end
      | if $error == "" then .lastSuccess = $now else . end' "$home/status.json" >"$home/status.new"
  mv "$home/status.new" "$home/status.json"
  metrics
  rm -rf "$work"
  exit "$code"
}

metrics() {
  local file
  file=$(setting .metricsFile)
  (umask 022 && mkdir -p "${file%/*}")
  jq --raw-output '
    "# TYPE oslo_cluster_backup_last_success_timestamp_seconds gauge",
    "oslo_cluster_backup_last_success_timestamp_seconds \(.lastSuccess // 0)",
    "# TYPE oslo_cluster_backup_failed gauge",
    "oslo_cluster_backup_failed \(if .error == null then 0 else 1 end)",
    "# TYPE oslo_cluster_backup_bytes gauge",
    "oslo_cluster_backup_bytes \(.copy.bytes // 0)",
    "# TYPE oslo_cluster_backup_seconds gauge",
    "oslo_cluster_backup_seconds \(.seconds)",
    "# TYPE oslo_cluster_backup_target_last_success_timestamp_seconds gauge",
    (.targets // [] | .[] | "oslo_cluster_backup_target_last_success_timestamp_seconds{target=\"\(.name)\"} \(.lastSuccess // 0)")
  ' "$home/status.json" >"$work/metrics"
  chmod 0644 "$work/metrics"
  # The directory may be a collector's own: nothing is written or opened through a link there.
  mv --no-target-directory "$work/metrics" "$file"
}
