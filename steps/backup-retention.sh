# shellcheck shell=bash
# Which copies stay, here and at targets: by their names alone, which tell the time. Sourced by backup.sh.

# Which of the names on stdin the settings keep: the newest ones, and the newest of each day and week.
kept() {
  jq --raw-input --slurp --raw-output --argjson keep "$(setting .retention)" '
    def newest_of(period; count): group_by(period) | map(max) | sort | reverse | .[:count];
    [split("\n")[] | select(. != "")] | sort | reverse
    | [.[:$keep.recent], newest_of(.[:8]; $keep.daily),
       newest_of(.[:8] | strptime("%Y%m%d") | mktime | (. / 86400 + 3) / 7 | floor; $keep.weekly)]
    | add | unique[]'
}

# The names that are not kept.
dropped() { comm -23 <(sed '/^$/d' <<<"$1" | sort) <(kept <<<"$1" | sort); }

# Copies that this node has made, of any cluster's names: nothing else is ever deleted.
own_names() { grep --extended-regexp "^[0-9]{8}T[0-9]{6}Z-$node-r[0-9]+\.tar\.gz\.age$" || true; }

names_here() { find "$copies" -type f -printf '%f\n' | own_names | sort; }

retain_here() {
  local names
  [[ -z $clock_is_behind ]] || return 0
  names=$(names_here)
  dropped "$names" | while IFS= read -r old; do rm -f "${copies:?}/$old"; done
}
