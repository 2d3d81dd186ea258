# shellcheck shell=bash
# Kernel modules and parameters, now and after every boot.

sysctl_file=/etc/sysctl.d/99-k8s-network.conf
modules_file=/etc/modules-load.d/99-k8s-network.conf

check() {
  local key wanted actual
  files_drift
  while IFS=' =' read -r key wanted; do
    actual=$(sysctl --values "$key" 2>&1 | tr -s '\t ' ' ') || true
    [[ $actual == "$wanted" ]] || echo "$key: $actual, expected $wanted"
  done < <(settings "$WORK/files$sysctl_file")
}

apply() {
  local module
  files_apply
  for module in $(settings "$modules_file"); do
    modprobe "$module" || die "kernel module $module: cannot be loaded on $(uname -r); install the distribution's full kernel package"
  done
  remember
  sysctl --quiet --load="$sysctl_file"
}

# What was there before, for the release; once, since what comes later is our own.
remember() {
  local key
  while IFS=' =' read -r key _; do
    grep -qF "$key=" "$state/sysctls" 2>/dev/null || echo "$key=$(sysctl --values "$key")" >>"$state/sysctls"
  done < <(settings "$WORK/files$sysctl_file")
}

settings() { sed '/^#/d;/^$/d' "$1"; }
