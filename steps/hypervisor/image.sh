# shellcheck shell=bash
# The image that guests' disks are made from: downloaded once, verified before use.

lock() { echo "$CLUSTER-image"; }

check() { [[ -f $IMAGE ]] || echo "$IMAGE: absent"; }

apply() {
  local sum
  if [[ -z ${IMAGE_URL:-} ]]; then
    sum=$(sha512sum "$IMAGE" | cut -d ' ' -f 1)
    [[ $sum == "$SHA512" ]] || mismatch "$IMAGE" "$sum"
  elif [[ ! -f $IMAGE ]]; then
    make_directory "${IMAGE%/*}"
    say "download $IMAGE_URL"
    curl --fail --silent --show-error --location --retry 3 --continue-at - --output "$IMAGE.part" "$IMAGE_URL" ||
      die "nodes.libvirt.image.url: $IMAGE_URL cannot be downloaded to $(hostname): correct the URL, or DNS, routes and firewall there"
    sum=$(sha512sum "$IMAGE.part" | cut -d ' ' -f 1)
    if [[ $sum != "$SHA512" ]]; then
      rm -f "$IMAGE.part"
      mismatch "$IMAGE_URL" "$sum"
    fi
    mv "$IMAGE.part" "$IMAGE"
  fi
  printf '{"image":"%s","bytes":%d}\n' "$IMAGE" "$(stat --format=%s "$IMAGE")"
}

mismatch() {
  die "image $1: SHA-512 is $2, nodes.libvirt.image.sha512 is $SHA512: another image, or a damaged or forged one; compare with the publisher's SHA512SUMS"
}

# An image that was there before stays.
delete() {
  [[ -n ${IMAGE_URL:-} ]] || return 0
  rm -f "$IMAGE" "$IMAGE.part"
  rmdir --ignore-fail-on-non-empty "${IMAGE%/*}" "$DIRECTORY" "${DIRECTORY%/*}" 2>/dev/null || true
}
