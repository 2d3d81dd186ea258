#!/usr/bin/env bash
# Makes a signed apt repository out of a directory of packages.
#
# usage: apt-repository.sh flat  PACKAGES OUT KEY_HOME ORIGIN
#        apt-repository.sh suite PACKAGES OUT KEY_HOME ORIGIN SUITE COMPONENT
#   flat    is laid out as pkgs.k8s.io: everything in one directory, the key in Release.key
#   suite   is laid out as download.docker.com: dists/SUITE/COMPONENT, the key in gpg
#   KEY_HOME is a GnuPG home directory with one secret key
set -euo pipefail

layout=${1:?} packages=${2:?} out=${3:?} key_home=${4:?} origin=${5:?}
suite=${6:-} component=${7:-}

release() {
  apt-ftparchive -o "APT::FTPArchive::Release::Origin=$origin" \
    -o "APT::FTPArchive::Release::Label=$origin" \
    -o "APT::FTPArchive::Release::Architectures=amd64" "$@"
}

sign() {
  gpg --homedir "$key_home" --batch --yes --clearsign --output InRelease Release
  gpg --homedir "$key_home" --batch --yes --armor --detach-sign --output Release.gpg Release
}

index() {
  apt-ftparchive packages "$1" >"$2/Packages"
  gzip --keep --best --no-name "$2/Packages"
}

export GNUPGHOME=$key_home
mkdir -p "$out"
cd "$out"
case $layout in
  flat)
    ln "$packages"/*.deb . 2>/dev/null || cp "$packages"/*.deb .
    index . .
    release release . >Release.new
    mv Release.new Release
    sign
    gpg --homedir "$key_home" --armor --output Release.key --export
    ;;
  suite)
    mkdir -p pool "dists/$suite/$component/binary-amd64"
    ln "$packages"/*.deb pool/ 2>/dev/null || cp "$packages"/*.deb pool/
    index pool "dists/$suite/$component/binary-amd64"
    cd "dists/$suite"
    release -o "APT::FTPArchive::Release::Suite=$suite" \
      -o "APT::FTPArchive::Release::Codename=$suite" \
      -o "APT::FTPArchive::Release::Components=$component" release . >Release.new
    mv Release.new Release
    sign
    cd "$out"
    gpg --homedir "$key_home" --armor --output gpg --export
    ;;
  *)
    echo "apt-repository.sh: unknown layout '$layout'; flat or suite" >&2
    exit 2
    ;;
esac
gpgconf --homedir "$key_home" --kill gpg-agent
