#!/usr/bin/env bash
# Tries the commands of the README on a bare Debian: python3, make and nothing else.
#
#   sudo scripts/try_in_chroot.sh [root|closed|user] [COMMAND]
#
# root    as root, in a folder anyone may enter
# closed  as root, in a home with mode 0700, so that the database's own user cannot even reach its programs
# user    as an ordinary user; root installs what the first refusal asks for
#
# COMMAND is run by bash in the checkout; without one: `make setup` and the tests of the embedded database.
# Takes the committed state (HEAD). Debian's mirror, pip's and npm's settings are those of this machine.
# Needs debootstrap and root. The bare system is kept in TRY_FOLDER and used again; each try writes to a throw-away layer.
set -euo pipefail

kind=${1:-root}
command=${2:-make setup && .venv/bin/python -m pytest -q tests/base/test_postgres.py tests/base/test_supervisor.py}
folder=${TRY_FOLDER:-/var/tmp/parcelward-bare}
suite=${TRY_SUITE:-bookworm}
checkout=$(git -C "$(dirname "$0")" rev-parse --show-toplevel)

case $kind in root|closed|user) ;; *) sed -n '2,14s/^# \{0,1\}//p' "$0"; exit 2 ;; esac
[ "$(id -u)" = 0 ] || { echo "try_in_chroot: needs root, for debootstrap and chroot"; exit 1; }
command -v debootstrap >/dev/null || { echo "try_in_chroot: needs debootstrap: apt-get install debootstrap"; exit 1; }

mirror=$(sed -nE 's/^(URIs:|deb( \[[^]]*\])?) *([^ ]*debian[^ ]*).*/\3/p' /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
    grep -v security | head -n 1 || true)
if [ ! -e "$folder/base/made" ]; then
    mkdir -p "$folder"
    debootstrap --variant=minbase --include=python3,make,ca-certificates "$suite" "$folder/base" ${mirror:+"$mirror"}
    touch "$folder/base/made"
fi

layer=$(mktemp -d "$folder/try.XXXXXX")
trap 'rm -rf --one-file-system "$layer"' EXIT
mkdir "$layer"/{upper,work,root}

case $kind in
    root)   home=/srv;          who=root ;;
    closed) home=/root;         who=root ;;
    user)   home=/home/someone; who=someone ;;
esac

export home who command kind layer folder checkout
unshare --mount --pid --fork bash -euo pipefail -c '
    mount --make-rprivate /
    mount -t overlay overlay -o "lowerdir=$folder/base,upperdir=$layer/upper,workdir=$layer/work" "$layer/root"
    cd "$layer/root"
    mount -t proc proc proc
    mount --rbind /dev dev
    mount -t tmpfs tmpfs tmp
    cp -L /etc/resolv.conf /etc/hosts etc/
    cp /etc/apt/apt.conf.d/99* etc/apt/apt.conf.d/ 2>/dev/null || true
    mkdir -p etc/ssl/certs usr/local/share/ca-certificates
    cp -L /etc/ssl/certs/ca-certificates.crt etc/ssl/certs/
    [ ! -e /etc/npmrc ] || cp /etc/npmrc etc/
    if [ "$who" != root ]; then chroot . useradd --create-home --shell /bin/bash "$who"; fi
    chmod 700 root; [ "$who" = root ] || chmod 700 "./$home"
    mkdir "./$home/parcelward"
    git -C "$checkout" archive HEAD | tar -x --no-same-owner -C "./$home/parcelward"
    chroot . chown -R "$who" "$home/parcelward"

    # What this machine tells pip, npm and TLS where to look, less folders of its own; nothing else goes along.
    settings=$(env | grep -v "^PIP_FIND_LINKS=" | grep -E "^(PIP_|npm_config_|NPM_CONFIG_|NODE_EXTRA_CA_CERTS=|SSL_CERT_|REQUESTS_CA_BUNDLE=|https?_proxy=|no_proxy=)" || true)
    mapfile -t settings <<<"$settings"
    try() {
        chroot --userspec="$1" . /usr/bin/env -i HOME="$([ "$1" = root ] && echo /root || echo "$home")" \
            PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 "${settings[@]:-A=}" \
            /bin/bash -c "cd $home/parcelward && { $2; }"
    }
    if [ "$kind" = user ]; then
        echo "== as an ordinary user, before root has installed anything"
        ! try "$who" "make setup"
        echo "== root does what that line says"
        try root "apt-get update -qq && apt-get install -qq -y --no-install-recommends python3-venv >/dev/null"
    fi
    echo "== as $who in $home/parcelward: $command"
    try "$who" "$command"
'
