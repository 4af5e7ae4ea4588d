#!/bin/sh
# test-musl.sh - another C library: the runtime is built with musl, and with it every lesson that needs no bridge to
# somebody else's library. They print what they print elsewhere.
#
# Debian has no libev for musl, so its source is fetched with apt and built, too.
set -u
cd "$(dirname "$0")/.." || exit 1
unset MAKEFLAGS MFLAGS MAKELEVEL
mkdir -p "${BUILD:-build}/musl/apt/lists/partial" && musl=$(cd "${BUILD:-build}/musl" && pwd) || exit 1

skip() { echo "skipped: $1"; echo '0 passed, 0 failed, 1 skipped'; exit 0; }
musl-gcc --version >/dev/null 2>&1 || skip 'musl-gcc is not installed (package: musl-tools)'

# Debian's sources, from where its packages come.
fetch() {
    apt-get indextargets --format 'deb-src $(SITE) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 'Label: Debian' |
        sort -u > "$musl/apt/sources.list"
    set -- -qq -o Dir::Etc::sourcelist="$musl/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::State::lists="$musl/apt/lists" -o APT::Sandbox::User=root
    apt-get "$@" update && cd "$musl" || return
    apt-get "$@" source --download-only libev   # its authors' archive will do; Debian's own files may be missing
    tar xf libev_*.orig.tar.*
}

if [ ! -f "$musl/libev.a" ]; then
    (fetch) > "$musl/log" 2>&1 || skip "apt cannot fetch libev's source: $(tail -n 1 "$musl/log")"
    mkdir -p "$musl/include" && cp "$musl"/libev-*/ev.h "$musl/include" &&
        ln -s /usr/include/linux /usr/include/asm-generic "/usr/include/$(gcc -print-multiarch)/asm" "$musl/include" &&
        musl-gcc -w -O2 -idirafter "$musl/include" -DEV_STANDALONE -DHAVE_CLOCK_GETTIME -DEV_USE_EPOLL=1 -DEV_USE_POLL=1 \
            -DEV_USE_MONOTONIC=1 -DEV_USE_REALTIME=1 -DEV_USE_NANOSLEEP=1 -DEV_USE_EVENTFD=1 \
            -c "$musl"/libev-*/ev.c -o "$musl/ev.o" && ar rcs "$musl/libev.a" "$musl/ev.o" || exit 1
fi
export CC="musl-gcc -static -idirafter $musl/include -L$musl"
make -s CC="$CC" BUILD="$musl/build" EXTRA=-Werror lessons && sh tools/check-lessons.sh "$musl/build"
