#!/usr/bin/env bash
# Tries the README's commands on a bare Debian: python3, make, git and nothing else. Stops at the first that fails.
#
#   scripts/bare_debian.sh FOLDER [root|closed|user]
#
# root    as root, in a folder that anyone may enter
# closed  as root, home and checkout under mode 0700: the database's own user cannot even reach its programs (default)
# user    as an ordinary user without sudo; root installs only what a refusal asks for
#
# Needs root, debootstrap, iproute2 and 5 GB. The bare system is kept in FOLDER/base and used again; each run writes to
# a layer of its own. HEAD is cloned. Mirror, certificates and the settings of pip and npm are this machine's.
set -euo pipefail

folder=$(realpath "${1:?which folder may hold the bare system?}")
kind=${2:-closed}
checkout=$(git -C "$(dirname "$0")" rev-parse --show-toplevel)
case $kind in
    root)   who=root;    place=/srv ;;
    closed) who=root;    place=/root ;;
    user)   who=someone; place=/home/someone ;;
    *) sed -n '2,12s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac

mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.{list,sources} 2>/dev/null |
    sed -nE 's/^(URIs:|deb( \[[^]]*\])?) +([^ ]*debian)\/?( .*)?$/\3/p' | head -n 1 || true)
if [ ! -e "$folder/base.made" ]; then
    debootstrap --variant=minbase --include=python3,make,git bookworm "$folder/base" ${mirror:+"$mirror"}
    touch "$folder/base.made"
fi

if [ -z "${LAYER:-}" ]; then # once more, in namespaces of our own: what is mounted and started ends with us
    LAYER=$(mktemp -d "$folder/run.XXXXXX")
    trap 'rm -rf --one-file-system "$LAYER"' EXIT
    LAYER=$LAYER unshare --mount --pid --fork --kill-child "$BASH" "$0" "$@"
    exit
fi
mkdir "$LAYER"/{upper,work,root}
mount -t overlay overlay -o "lowerdir=$folder/base,upperdir=$LAYER/upper,workdir=$LAYER/work" "$LAYER/root"
git -C "$checkout" bundle create --quiet "$LAYER/root/srv/parcelward.bundle" HEAD
cd "$LAYER/root"
mount -t proc proc proc
mount --rbind /sys sys
mount --rbind /dev dev
mount -t tmpfs tmpfs tmp
cp -L /etc/resolv.conf /etc/hosts etc/
rm -f etc/apt/sources.list
cp -rL /etc/apt/sources.list* /etc/apt/apt.conf.d etc/apt/
for given in /etc/pip.conf /etc/npmrc /etc/ssl/certs/ca-certificates.crt /usr/local/share/ca-certificates/*; do
    [ ! -e "$given" ] || install -D -m 644 "$given" ".$given"
done
[ "$who" = root ] || chroot . useradd --create-home --shell /bin/bash "$who"
chmod 700 root ".$place"
[ "$kind" != root ] || chmod 755 srv
mapfile -t settings < <(env | grep -E '^(PARCELWARD_PORT|PIP_|npm_config_|NODE_EXTRA_CA|SSL_CERT_FILE|https?_proxy|no_proxy)' |
    grep -v '^PIP_FIND_LINKS=') # less the folders of this machine

apart=()
as() { # USER COMMAND...: in a clean environment, in the user's folder
    local user=$1 home=/root
    [ "$user" = root ] || home=$place
    "${apart[@]}" chroot --userspec="$user" . /usr/bin/env -i HOME="$home" LANG=C.UTF-8 "${settings[@]}" \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin bash -euo pipefail -c "cd $place; $2"
}
tried() { # COMMAND [WHAT TO CALL IT]: as who is trying, in the checkout
    printf '\n== after %d s, as %s: %s\n' "$((SECONDS - began))" "$who" "${2:-$1}"
    as "$who" "cd parcelward; $1"
}
up() { # `make up` until its first page and its greeting are there, then Ctrl-C; nothing may be left
    tried 'setsid --wait env --default-signal=INT bash -c "echo \$\$ >/tmp/up.pid; exec make up" >/tmp/up.log 2>&1 & up=$!
        ask="import urllib.request as u; u.urlopen(\"http://localhost:${PARCELWARD_PORT:-8000}/\", timeout=5).read()"
        until python3 -c "$ask" 2>/dev/null; do
            kill -0 $up 2>/dev/null || { cat /tmp/up.log; exit 1; }
        done
        echo "the first page is there after $SECONDS s"
        until grep -q "Ctrl-C stops all" /tmp/up.log; do sleep 0.1; done
        sleep 10
        kill -INT -- "-$(cat /tmp/up.pid)"
        wait $up && echo "ended by itself with 0" || echo "ended with $?"
        sed "s/passphrase .*/passphrase .../" /tmp/up.log' "make up${1:-}, then Ctrl-C"
    if grep -E '^(postgres|granian|python)' proc/[0-9]*/comm; then echo "these were left"; exit 1; fi
}

began=$SECONDS
echo "$kind: $(. etc/os-release; echo "$PRETTY_NAME"), $(chroot . python3 --version), commit $(git -C "$checkout" rev-parse --short HEAD)"
as "$who" 'git -c advice.detachedHead=false clone --quiet /srv/parcelward.bundle parcelward'
if [ "$who" != root ]; then
    if tried 'make setup'; then echo "that should have been refused"; exit 1; fi
    as root 'apt-get update -qq && apt-get install -qq -y --no-install-recommends python3-venv >/dev/null'
fi
tried 'make setup'
up
apart=(unshare --net -- sh -c 'ip link set lo up && exec "$@"' --)
up ', without any network'
apart=()
some='tests/base tests/people tests/network tests/browser/test_public_pages.py'
tried "make test ARGS='$some -q'"
if [ "$who" != root ]; then
    as root 'apt-get install -qq -y --no-install-recommends chromium >/dev/null'
    tried "make test ARGS='tests/browser/test_public_pages.py -q'"
fi
printf '\n== %d s: all of it works\n' "$((SECONDS - began))"
