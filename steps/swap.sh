# shellcheck shell=bash
# No swap, now and after every boot.

check() {
  if [[ $(wc -l </proc/swaps) -gt 1 ]]; then echo "swap is on: $(awk 'NR > 1 { print $1 }' /proc/swaps | xargs)"; fi
  [[ $(systemctl is-enabled swap.target 2>/dev/null) == masked ]] || echo "swap.target is not masked"
}

apply() {
  swapoff --all
  [[ $(systemctl is-enabled swap.target 2>/dev/null) == masked ]] || : >"$state/swap-masked" # for the release
  # Masked: fstab, zram generators and a later `systemctl start` all go through it.
  systemctl --quiet mask --now swap.target
}
