#!/bin/sh
# test-systems.sh - does it work where we don't live? On bare systems, each in a directory of its own,
# the two commands of README's first lines are run; a table says how that went.
#
#   test-systems.sh [SYSTEM...]     debian-12, debian-13, debian-sid, debian-13-arm64 (by emulation),
#                                   debian-13-musl (the runtime and the lessons with another C library);
#                                   without a name all of them. ONLY=runtime: instead of all tests only
#                                   the runtime's and the lessons', as it is under emulation anyway;
#                                   ONLY=none: only the first command, and a grading
#
# It needs root, debootstrap and a Debian mirror, the one that apt uses here; what is missing is skipped.
# A bare system is kept below $BUILD/systems and is copied for each run.
set -u
cd "$(dirname "$0")/.." || exit 1
unset MAKEFLAGS MFLAGS MAKELEVEL FROM LEVEL DB DATABASE_URL
base=${BUILD:-build}
passed=0 failed=0 skipped=0
mkdir -p "$base/systems" && systems=$(cd "$base/systems" && pwd) || exit 1
table=$systems/table
: > "$table"

row() { printf '%-16s  %-24s  %-11s  %s\n' "$@" >> "$table"; }

skip() {
    skipped=$((skipped + 1))
    echo "skipped: $system: $1"
    row "$system" - skipped "$1"
}

# The address of the Debian mirror in apt's own settings, or nothing.
mirror() { apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Label: Debian' 2>/dev/null | head -n 1; }

# Why this system cannot be tried here, or nothing.
obstacle() {
    if [ "$(id -u)" -ne 0 ]; then echo 'only root can make a system'
    elif ! command -v debootstrap >/dev/null; then echo 'debootstrap is not installed'
    elif ! unshare --mount --pid --fork mount --bind / /mnt 2>/dev/null; then echo 'mounting is not allowed here'
    elif [ -z "$(mirror)" ]; then echo 'apt knows of no Debian mirror'
    elif [ "$arch" = arm64 ] && ! arch-test arm64 >/dev/null 2>&1; then
        echo 'nothing for arm64 can run here (packages: qemu-user-static binfmt-support arch-test)'
    fi
}

# bare SUITE ARCH: the smallest system there is and make, in $root. What debootstrap did not finish is no root.
bare() {
    [ ! -f "$root/made" ] || return 0
    rm -rf "$root"
    mkdir -p "$root"
    DPKG_FORCE=unsafe-io debootstrap --variant=minbase --arch="$2" --include=make "$1" "$root" "$(mirror)" \
        < /dev/null > "$log" 2>&1 && cp /etc/resolv.conf "$root/etc/" && touch "$root/made"
}

# within COMMAND: runs it in a fresh copy of the system, in our project. The copy becomes the root of a tree of
# mounts of its own where it may: in a mere chroot the kernel allows no sandbox.
within() {
    # shellcheck disable=SC2016  # for the inner shell
    unshare --mount --pid --fork sh -c '
        mount --rbind "$0" "$0" && cd "$0" && mount -t proc proc proc && mount --rbind /dev dev &&
        if pivot_root . mnt; then cd / && umount -l /mnt && enter=; else enter="chroot ."; fi &&
        exec $enter env -i PATH="$PATH" HOME=/root CI=true DEBIAN_FRONTEND=noninteractive \
            DPKG_FORCE=unsafe-io sh -c "cd /evlings && $1"' "$copy" "$1" < /dev/null >> "$log" 2>&1
}

# try SUITE ARCH: both commands, one after the other.
try() {
    arch=$2
    why=$(obstacle)
    [ -z "$why" ] || { skip "$why"; return; }
    root=$systems/$system/root copy=$systems/$system/run log=$systems/$system.log
    echo "== $system: making it" >&2
    bare "$@" || { skip "debootstrap could not make it: $(tail -n 1 "$log")"; return; }
    rm -rf "$copy"
    cp -a "$root" "$copy" && mkdir "$copy/evlings" &&
        tar cf - --exclude='./build*' --exclude=./.git . | tar xf - -C "$copy/evlings" || exit 1
    tests=${ONLY:-} first='make deps lesson-1'
    if [ "$arch" = "$(dpkg --print-architecture)" ]; then
        [ ! -d solutions ] || first="$first && make grade-4 FROM=solutions/04-await"
    else
        tests=${tests:-runtime}                 # a grading needs AddressSanitizer, which does not start there
    fi
    second="make deps-dev test${tests:+ ONLY=$tests}"
    [ "$system" != debian-13-musl ] || second='apt-get -qq install -y musl-tools && sh tools/test-musl.sh'
    : > "$log"
    ok=0 lesson=failed result=-
    echo "== $system: make deps lesson-1" >&2
    if within "$first"; then
        lesson=ok
        if [ "$tests" = none ]; then
            ok=1
        else
            echo "== $system: $second" >&2
            within "$second" && ok=1
            result=$(grep '^[0-9]* passed, ' "$log" | tail -n 1)
        fi
    fi
    row "$system" "$(chroot "$copy" gcc --version 2>/dev/null | sed -n '1s/ (.*) / /p')" "$lesson" "$result"
    if [ "$ok" -eq 1 ]; then
        passed=$((passed + 1))
        rm -rf "$copy"
    else
        failed=$((failed + 1))
        grep -B40 '^FAIL' "$log" || tail -n 5 "$log"
        echo "== $system: all that was printed is in $log, the system in $copy"
    fi
}

[ $# -gt 0 ] || set -- debian-12 debian-13 debian-sid debian-13-arm64 debian-13-musl
for system; do
    case $system in
    debian-12) try bookworm amd64 ;;
    debian-13 | debian-13-musl) try trixie amd64 ;;
    debian-sid) try sid amd64 ;;
    debian-13-arm64) try trixie arm64 ;;
    *) echo "test-systems.sh knows of no '$system'"; exit 2 ;;
    esac
done

echo
printf '%-16s  %-24s  %-11s  %s\n' system compiler lesson-1 tests
cat "$table"
[ "$skipped" -eq 0 ] || more=", $skipped skipped"
echo "$passed passed, $failed failed${more:-}"
[ "$failed" -eq 0 ]
