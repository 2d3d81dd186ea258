# shellcheck shell=bash
# Pulls images while other work is under way, so that no pod waits for them, and a mirror that lacks
# one is found out early.

# The kubelet may have cleaned up since; it pulls again where it needs to.
check() { :; }

# A registry may fail once.
pull() { ctr --namespace k8s.io images pull --hosts-dir /etc/containerd/certs.d "$1" >/dev/null </dev/null; }

apply() {
  local image
  for image in $IMAGES; do
    say "pull $image"
    in_three_tries pull "$image" ||
      die "image $image: cannot be pulled on $(hostname), for the reason above: correct DNS, routes and firewall there, or name a mirror in artifacts.registries"
  done
}
