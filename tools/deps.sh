#!/bin/sh
# deps.sh - what evlings needs from the system: is it there, and if not, how to get it.
#
#   deps.sh install        what lessons and exercises need; does nothing when all is there
#   deps.sh install-dev    what the tests use besides; what cannot be had is only mentioned
#   deps.sh install-class  what make grade-class needs besides
#   deps.sh install-bench  what make bench compares us with
#   deps.sh need NAME...   says what is missing, and fails
#   deps.sh have NAME      is it there?
#   deps.sh doctor         looks at all of it, and at the terminal; says what is missing and how to get it
#   deps.sh settings       makes sure that we can build into $BUILD, notes $SETTINGS there
#
# Whether a thing is there we find out by using it, never by asking a package manager: it may have
# come from elsewhere, and it may be installed and not work.
set -u

build=${BUILD:-build}
cc=${CC:-cc}
needed='compiler pkg-config libev check libcurl sqlite3 libpq cmark-gfm'
wanted='gcc-sanitizers clang clang-sanitizers valgrind patch shellcheck nginx openssl certificates postgresql chromium tidy bubblewrap libarchive jansson libmd libseccomp jq xmllint tmux'
class='bubblewrap libarchive jansson libmd libseccomp gcc-sanitizers'
peers='node go uvloop asio gnuplot'

# What it is called where: need, apt, dnf, pacman, apk, zypper, brew; a plus stands between two packages.
# Only apt's names were ever tried by us, the others are from these systems' own lists.
packages() {
    cat <<'EOF'
compiler         gcc+libc6-dev        gcc+glibc-devel         gcc+glibc       gcc+musl-dev    gcc+glibc-devel         gcc
pkg-config       pkg-config           pkgconf-pkg-config      pkgconf         pkgconf         pkgconf-pkg-config      pkgconf
libev            libev-dev            libev-devel             libev           libev-dev       libev-devel             libev
check            check                check-devel             check           check-dev       check-devel             check
libcurl          libcurl4-openssl-dev libcurl-devel           curl            curl-dev        libcurl-devel           curl
sqlite3          libsqlite3-dev       sqlite-devel            sqlite          sqlite-dev      sqlite3-devel           sqlite
libpq            libpq-dev            libpq-devel             postgresql-libs libpq-dev       postgresql-devel        libpq
bubblewrap       bubblewrap           bubblewrap              bubblewrap      bubblewrap      bubblewrap              -
libarchive       libarchive-dev       libarchive-devel        libarchive      libarchive-dev  libarchive-devel        libarchive
jansson          libjansson-dev       jansson-devel           jansson         jansson-dev     libjansson-devel        jansson
libmd            libmd-dev            libmd-devel             libmd           libmd-dev       libmd-devel             libmd
jq               jq                   jq                      jq              jq              jq                      jq
xmllint          libxml2-utils        libxml2                 libxml2         libxml2-utils   libxml2-tools           -
libseccomp       libseccomp-dev       libseccomp-devel        libseccomp      libseccomp-dev  libseccomp-devel        -
cmark-gfm        libcmark-gfm-dev+libcmark-gfm-extensions-dev - cmark-gfm - - cmark-gfm
gcc-sanitizers   gcc+libc6-dev        gcc+libasan+libubsan    gcc             -               gcc                     -
clang            clang                clang                   clang           clang           clang                   llvm
clang-sanitizers libclang-rt-dev      compiler-rt             compiler-rt     compiler-rt     clang                   llvm
valgrind         valgrind             valgrind+valgrind-devel valgrind        valgrind        valgrind+valgrind-devel -
postgresql       postgresql           postgresql-server       postgresql      postgresql      postgresql-server       postgresql
patch            patch                patch                   patch           patch           patch                   gpatch
chromium         chromium             chromium                chromium        chromium        chromium                chromium
tidy             tidy                 tidy                    tidy            tidyhtml        tidy                    tidy-html5
shellcheck       shellcheck           ShellCheck              shellcheck      shellcheck      ShellCheck              shellcheck
nginx            nginx-light          nginx                   nginx           nginx           nginx                   nginx
openssl          openssl              openssl                 openssl         openssl         openssl                 openssl
certificates     ca-certificates      ca-certificates         ca-certificates ca-certificates ca-certificates-mozilla ca-certificates
go               golang-go            golang                  go              go              go                      go
node             nodejs               nodejs                  nodejs          nodejs          nodejs                  node
uvloop           python3-uvloop       python3-uvloop          python-uvloop   py3-uvloop      python3-uvloop          -
asio             libboost-dev         boost-devel             gcc+boost       boost-dev       boost-devel             boost
gnuplot          gnuplot-nox          gnuplot                 gnuplot         gnuplot         gnuplot                 gnuplot
tmux             tmux                 tmux                    tmux            tmux            tmux                    tmux
debootstrap      debootstrap          debootstrap             debootstrap     debootstrap     debootstrap             -
EOF
}

say() { printf '%s\n' "$*" >&2; }

# ------------------------------------------------------------------------------ is it there?

# A directory for tiny programs, made when the first of them is compiled.
scratch=
clean_up() { rm -rf ${scratch:+"$scratch"} "$build/settings.$$"; }
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

make_scratch() {
    [ -n "$scratch" ] || scratch=$(mktemp -d 2>/dev/null) || {
        say "No temporary file can be made in ${TMPDIR:-/tmp}: is the disk full?"
        exit 1
    }
}

# compiles SOURCE COMPILER FLAG...: does this program build and run?
compiles() {
    make_scratch
    printf '%s\n' "$1" > "$scratch/try.c" || exit 1
    shift
    compiler=$1
    shift
    # shellcheck disable=SC2086  # CC may hold words of its own, as in "ccache gcc"
    $compiler "$scratch/try.c" -o "$scratch/try" "$@" >/dev/null 2>&1 && "$scratch/try" >/dev/null 2>&1
}

plain='#include <stdio.h>
int main(void) { return puts("hello") < 0; }'
with_ev='#include <ev.h>
int main(void) { return ev_version_major() < 4; }'
with_check='#include <check.h>
int main(void) { srunner_free(srunner_create(suite_create("try"))); return 0; }'

with_curl='#include <curl/curl.h>
int main(void) { return curl_global_init(CURL_GLOBAL_ALL) != CURLE_OK; }'
with_sqlite='#include <sqlite3.h>
int main(void) { return sqlite3_libversion_number() < 3007000; }'
with_cmark='#include <cmark-gfm-core-extensions.h>
int main(void) { cmark_gfm_core_extensions_ensure_registered(); return 0; }'
with_archive='#include <archive.h>
int main(void) { return archive_version_number() < 3000000; }'
with_jansson='#include <jansson.h>
int main(void) { json_decref(json_object()); return 0; }'
with_seccomp='#include <seccomp.h>
int main(void) { return seccomp_version() == 0; }'
with_md='#include <sys/types.h>
#include <sha2.h>
int main(void) { return !SHA256Data((const uint8_t *)"", 0, (char[65]){ 0 }); }'
with_libpq='#include <libpq-fe.h>
int main(void) { return PQlibVersion() < 90000; }'

# shellcheck disable=SC2046  # the flags from pkg-config are meant to be split
have() {
    case $1 in
    compiler) compiles "$plain" "$cc" ;;
    pkg-config) pkg-config --version >/dev/null 2>&1 ;;
    libev) compiles "$with_ev" "$cc" -lev ;;
    check) compiles "$with_check" "$cc" $(pkg-config --cflags --libs check 2>/dev/null || echo -lcheck) ;;
    libcurl) compiles "$with_curl" "$cc" $(pkg-config --cflags --libs libcurl 2>/dev/null || echo -lcurl) ;;
    sqlite3) compiles "$with_sqlite" "$cc" $(pkg-config --cflags --libs sqlite3 2>/dev/null || echo -lsqlite3) ;;
    libpq) compiles "$with_libpq" "$cc" $(pkg-config --cflags --libs libpq 2>/dev/null || echo -lpq) ;;
    libarchive) compiles "$with_archive" "$cc" $(pkg-config --cflags --libs libarchive 2>/dev/null || echo -larchive) ;;
    jansson) compiles "$with_jansson" "$cc" $(pkg-config --cflags --libs jansson 2>/dev/null || echo -ljansson) ;;
    libmd) compiles "$with_md" "$cc" $(pkg-config --cflags --libs libmd 2>/dev/null || echo -lmd) ;;
    libseccomp) compiles "$with_seccomp" "$cc" $(pkg-config --cflags --libs libseccomp 2>/dev/null || echo -lseccomp) ;;
    jq) jq --version >/dev/null 2>&1 ;;
    xmllint) xmllint --version >/dev/null 2>&1 ;;
    bubblewrap) bwrap --version >/dev/null 2>&1 ;;
    cmark-gfm) compiles "$with_cmark" "$cc" -lcmark-gfm -lcmark-gfm-extensions ;;
    postgresql) sh tools/postgres.sh have ;;
    gcc) compiles "$plain" gcc ;;
    gcc-sanitizers) compiles "$plain" gcc -fsanitize=address,undefined ;;
    clang) compiles "$plain" clang ;;
    clang-sanitizers) compiles "$plain" clang -fsanitize=address,undefined ;;
    valgrind) compiles "$plain" "$cc" && valgrind -q "$scratch/try" >/dev/null 2>&1 ;;
    patch) patch --version >/dev/null 2>&1 ;;
    go) go version >/dev/null 2>&1 ;;
    node) node -e 0 >/dev/null 2>&1 ;;
    uvloop) "${PYTHON:-python3}" -c 'import uvloop' >/dev/null 2>&1 ;;
    asio) echo '#include <boost/asio.hpp>' | ${CXX:-g++} -x c++ -M - >/dev/null 2>&1 ;;
    gnuplot) gnuplot --version >/dev/null 2>&1 ;;
    tmux) tmux -V >/dev/null 2>&1 ;;
    chromium) sh tools/show/browser.sh ;;
    tidy) tidy -version >/dev/null 2>&1 ;;
    shellcheck) shellcheck --version >/dev/null 2>&1 ;;
    nginx) PATH=$PATH:/usr/sbin nginx -v >/dev/null 2>&1 ;;
    openssl) openssl version >/dev/null 2>&1 ;;
    certificates) [ -e "$(curl-config --ca 2>/dev/null || echo /)" ] ;;     # what libcurl trusts
    debootstrap) PATH=$PATH:/usr/sbin command -v debootstrap >/dev/null ;;
    *) say "deps.sh knows of no '$1'"; exit 2 ;;
    esac
}

# -------------------------------------------------------------------------- how to get it

# Sets manager, its column in the table above, and the commands.
find_manager() {
    manager='' refresh=:
    if command -v apt-get; then
        manager=apt column=2 refresh='apt-get update' install='apt-get install -y --no-install-recommends'
    elif command -v dnf; then manager=dnf column=3 install='dnf install -y'
    elif command -v pacman; then
        manager=pacman column=4 refresh='pacman -Sy' install='pacman -S --needed --noconfirm'
    elif command -v apk; then manager=apk column=5 install='apk add'
    elif command -v zypper; then manager=zypper column=6 install='zypper --non-interactive install'
    elif command -v brew; then manager=brew column=7 install='brew install'
    fi >/dev/null
}

# package NEED: its packages, as words; nothing where there is none.
package() {
    packages | awk -v need="$1" -v column="${column:-2}" \
        '$1 == need && $column != "-" { gsub("[+]", " ", $column); print $column }'
}

# Sets `become`, the words before a command that needs root. Fails when we cannot be it.
find_root() {
    become=
    if [ "$manager" = brew ] || [ "$(id -u)" -eq 0 ]; then return 0; fi
    command -v sudo >/dev/null || return 1
    become=sudo
    [ -t 0 ] || become='sudo -n'      # nobody is there to type a password
    $become true
}

# tell NEED...: what is missing, and the command that would install it.
tell() {
    all=
    for need; do
        name=$(package "$need")
        say "  missing: $need${name:+ (package: $name)}"
        all="$all${name:+ $name}"
    done
    if [ -z "$manager" ]; then
        say "No package manager that we know (apt, dnf, pacman, apk, zypper, brew): please install them by hand."
    elif [ -n "$all" ]; then
        prefix='sudo '
        [ "$manager" != brew ] && [ "$(id -u)" -ne 0 ] || prefix=
        say "  to install by hand: $prefix$install$all"
    fi
}

# Sets `lost`: which of them are not there. Printed, it would be known only to a shell that leaves its scratch behind.
missing() {
    lost=
    for need; do
        have "$need" || lost="$lost$need "
    done
}

# get NEED: installs it unless something that came before brought it along.
get() {
    ! have "$1" || return 0
    names=$(package "$1")
    [ -n "$names" ] || return 1
    say "== ${become:+$become }$install $names"
    # shellcheck disable=SC2086
    $become env DEBIAN_FRONTEND=noninteractive $install $names </dev/null >&2 && have "$1"
}

# get_all NEED...: installs what is missing; prints what is missing still.
get_all() {
    # shellcheck disable=SC2086
    [ "$refresh" = : ] || $become $refresh >&2 || true   # one broken source need not stop the others
    for need; do
        get "$need" || printf '%s ' "$need"
    done
}

install() {
    find_manager
    missing "$@"
    # shellcheck disable=SC2086
    if [ -n "$lost" ] && [ -n "$manager" ] && find_root; then
        lost=$(get_all $lost)
    fi
    [ -n "$lost" ] || return 0
    # shellcheck disable=SC2086
    tell $lost
    [ "$lost" = 'cmark-gfm ' ]          # chapters can be read without it
}

need() {
    missing "$@"
    [ -n "$lost" ] || return 0
    find_manager
    # shellcheck disable=SC2086
    tell $lost
    say "  or let us do it: make deps"
    return 1
}

# ------------------------------------------------------------------------------- the doctor

# line WELL WHAT TEXT: WELL is ok, or a word about what is wrong.
line() { printf '  %-8s %-14s %s\n' "$1" "$2" "$3"; }

# what_for NEED: what is it that you cannot do without it?
what_for() {
    case $1 in
    compiler) $cc --version | head -n 1 ;;
    pkg-config) echo 'finds the libraries' ;;
    libev) echo 'the event loop rests on it: nothing works without' ;;
    check) echo 'graders and tests are written with it' ;;
    libcurl) echo 'for lesson 12' ;;
    sqlite3 | libpq) echo 'for lesson 13' ;;
    cmark-gfm) echo 'sets chapters in the width of your terminal' ;;
    esac 2>/dev/null
}

doctor_terminal() {
    well=ok
    [ -n "${TERM:-}" ] && [ "${TERM:-}" != dumb ] || well=plain
    columns=${COLUMNS:-$(stty size 2>/dev/null < /dev/tty | cut -d' ' -f2)}
    line "$well" terminal "${TERM:-unknown}${columns:+, $columns columns}${NO_COLOR:+, NO_COLOR is set}"
    well=ok
    [ "$(locale charmap 2>/dev/null)" = UTF-8 ] || well=poor
    line "$well" locale "$(locale charmap 2>/dev/null || echo unknown)$([ "$well" = ok ] ||
        echo ': timelines are drawn with what ASCII has; export LC_ALL=C.UTF-8 helps')"
}

doctor_system() {
    well=ok most=$(getconf OPEN_MAX)
    [ "$most" = undefined ] || [ "$most" -ge 256 ] || well=low
    line "$well" descriptors "$most at once$([ "$well" = ok ] || echo ': ulimit -n 256 would be enough')"
    well=ok
    if ! { mkdir -p "$build" && [ -w "$build" ]; } 2>/dev/null; then well=closed; fi
    line "$well" "$build/" "$(df -Ph "$build" 2>/dev/null | awk 'NR == 2 { print $4 " free" }')$([ "$well" = ok ] ||
        echo '; we cannot write there: make BUILD=/tmp/evlings builds elsewhere')"
    well=ok
    [ -r /proc/sys/fs/inotify/max_user_watches ] || well=slower
    line "$well" inotify "make watch notices a save $([ "$well" = ok ] && echo at once || echo within half a second)"
}

doctor() {
    missing $wanted
    extra=$lost
    missing $needed
    for need in $needed; do
        case " $lost" in
        *" compiler "*) line MISSING "$need" "$([ "$need" = compiler ] && echo "$cc does not compile" || echo 'if only for want of a compiler')" ;;
        *" $need "*) line MISSING "$need" "$(what_for "$need")" ;;
        *) line ok "$need" "$(what_for "$need")" ;;
        esac
    done
    doctor_terminal
    doctor_system
    [ -z "$extra" ] || echo "  For those who work on evlings, make deps-dev gets: $extra"
    if [ -z "$lost" ]; then
        echo "All that evlings needs is here."
        return 0
    fi
    find_manager
    tell $lost
    say "  or let us do it: make deps"
    return 1
}

# ------------------------------------------------------------------------------ settings

writable() {
    if mkdir -p "$build" 2>/dev/null && true 2>/dev/null > "$build/settings.$$"; then return 0; fi
    say "We cannot write into $build/. Is the disk full, or does it belong to somebody else?"
    say "  to take it back:    sudo chown -R $(id -un) $build"
    say "  to build elsewhere: make BUILD=/tmp/evlings-$(id -un) ..."
    return 1
}

settings() {
    [ "$(cat "$build/settings" 2>/dev/null)" != "$SETTINGS" ] || [ ! -w "$build" ] || return 0
    writable && need compiler libev &&
        printf '%s\n' "$SETTINGS" > "$build/settings.$$" && rm -f "$build"/have-* &&
        mv "$build/settings.$$" "$build/settings"
}

# shellcheck disable=SC2086  # lists of words
case ${1:-} in
install) install $needed ;;
install-class) install $needed $class ;;
install-bench) install $peers || say "  make bench goes without them." ;;
install-dev) install $wanted || say "  The tests that need them will be skipped." ;;
need) shift; need "$@" ;;
doctor) doctor ;;
have) have "${2:-}" ;;
settings) settings ;;
*) sed -n '2,12s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
