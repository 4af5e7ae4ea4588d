#!/bin/sh
# postgres.sh - a PostgreSQL server of our own, for as long as it is needed and no longer.
#
#   postgres.sh run [FILE.sql...] -- COMMAND...
#                           starts one, has it run these files, runs the command with its URL in
#                           DATABASE_URL, then removes it all; also on Ctrl-C
#   postgres.sh start PID   starts one that ends with that process at the latest; prints its URL and
#                           its directory, one a line
#   postgres.sh kill DIR    as a crash would: all its processes at once
#   postgres.sh again DIR   starts it again, with the data it had
#   postgres.sh stop DIR    stops it and removes it all
#   postgres.sh have        is PostgreSQL installed?
#
# The server has a directory of its own below $BUILD, listens on a Unix socket in there and nowhere
# else, and knows no password. It never runs as root: if we are, it runs as postgres or nobody.
set -u
build=${BUILD:-build}

say() { printf '%s\n' "$*" >&2; }

# ------------------------------------------------------------------------------ where things are

# Sets `bin`, where the newest server's programs are. Many systems keep them out of the PATH.
find_bin() {
    bin=
    for place in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/libexec/postgresql*/ \
        /opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin \
        "$(pg_config --bindir 2>/dev/null)" "$(dirname "$(command -v initdb || echo /)")"; do
        [ ! -x "$place/initdb" ] || [ ! -x "$place/pg_ctl" ] || [ ! -x "$place/psql" ] || bin=$place
    done
    [ -n "$bin" ]
}

# Sets `user` if we are root and have to be somebody else.
find_user() {
    user=
    [ "$(id -u)" -eq 0 ] || return 0
    for user in postgres nobody; do
        ! id "$user" >/dev/null 2>&1 || return 0
    done
    say 'PostgreSQL does not run as root, and there is neither a user postgres nor nobody.'
    return 1
}

# as_user COMMAND...: as that user, in the server's directory.
as_user() {
    if [ -z "$user" ]; then (cd "$dir" && "$@"); return; fi
    # shellcheck disable=SC2016  # for the inner shell
    (cd "$dir" && su -s /bin/sh "$user" -c '"$0" "$@"' -- "$@")
}

# A directory that the server's user can reach, with a path that is short enough for a socket.
make_dir() {
    mkdir -p "$build" || return 1
    dir=$(cd "$build" && mktemp -d "$PWD/postgres.XXXXXX") || return 1
    [ -z "$user" ] || chown "$user" "$dir"
    if [ "${#dir}" -le 80 ] && as_user test -w "$dir" 2>/dev/null; then return 0; fi
    rmdir "$dir"
    dir=$(mktemp -d "${TMPDIR:-/tmp}/postgres.XXXXXX") || return 1
    [ -z "$user" ] || chown "$user" "$dir"
}

# ---------------------------------------------------------------------------------- a server's life

# What it wrote, if something went wrong.
complain() {
    say "$1"
    tail -n 20 "$dir/log" "$dir/server.log" 2>/dev/null >&2
    return 1
}

# pg_ctl COMMAND...: what it starts must not hold on to our descriptors, or a pipe would never end.
control() { as_user "$bin/pg_ctl" -D "$dir/data" -w -t 60 "$@" >> "$dir/log" 2>&1 < /dev/null; }

create() {
    : > "$dir/log"
    as_user "$bin/initdb" -D "$dir/data" -U evlings -A trust -E UTF8 --locale=C --no-sync \
        >> "$dir/log" 2>&1 < /dev/null || complain 'PostgreSQL could not make a database.' || return 1
    cat >> "$dir/data/postgresql.conf" <<END
listen_addresses = ''
unix_socket_directories = '$dir'
unix_socket_permissions = 0700
fsync = off
full_page_writes = off
max_connections = 50
END
}

start() { control -l "$dir/server.log" start || complain 'PostgreSQL could not be started.'; }

url() {
    printf 'postgresql:///postgres?user=evlings&host=%s\n' "$(printf '%s' "$dir" |
        sed 's/%/%25/g; s/ /%20/g; s/&/%26/g; s/?/%3F/g; s/#/%23/g; s/+/%2B/g')"
}

# Nothing is removed but what make_dir has made.
stop() {
    case $dir in
    /*/postgres.??????) [ -d "$dir" ] || return 0 ;;
    *) return 1 ;;
    esac
    control -m immediate stop || :
    rm -rf "$dir"
}

# The postmaster and all its children, which are in a session of their own.
crash() {
    pid=$(head -n 1 "$dir/data/postmaster.pid") || return 1
    children=$(ps -e -o pid= -o ppid= | awk -v parent="$pid" '$2 == parent { print $1 }')
    # shellcheck disable=SC2086  # numbers
    kill -9 "$pid" $children
    while ps -e -o pid= -o stat= | awk -v pids=" $pid $children " '
        BEGIN { gsub("\n", " ", pids) }
        $2 !~ /^Z/ && index(pids, " " $1 " ") { found = 1 }
        END { exit !found }'; do sleep 1; done
    # Where nobody reaps it, the zombie would look like a server.
    rm -f "$dir/data/postmaster.pid" "$dir"/.s.PGSQL.*
}

# Somebody may not live to call `stop`.
stop_after() {
    (
        trap '' INT HUP TERM
        while kill -0 "$1" 2>/dev/null && [ -d "$dir" ]; do sleep 1; done
        stop
    ) < /dev/null > /dev/null 2>&1 &
}

set_up() {
    find_bin || { say 'PostgreSQL is not installed. (make deps-dev gets it)'; return 1; }
    find_user && make_dir && create && start
}

# Whatever ends us takes with it what we have made so far.
clean_up() {
    dir=
    trap '[ -z "$dir" ] || stop' EXIT
    trap 'exit 143' INT TERM HUP
}

# As long as we are in here, Ctrl-C ends the command, and then us.
run() {
    clean_up
    trap : INT
    set_up || exit 1
    DATABASE_URL=$(url)
    export DATABASE_URL
    while [ "$1" != -- ]; do
        "$bin/psql" -X -q -v ON_ERROR_STOP=1 -f "$1" "$DATABASE_URL" >&2 || exit 1
        shift
    done
    shift
    "$@"
    exit $?
}

# ----------------------------------------------------------------------------------- what to do

command=${1:-}
[ $# -eq 0 ] || shift
dir=${1:-}
case $command in
run) run "$@" ;;
start)
    pid=${1:-$PPID}
    clean_up
    set_up || exit 1
    stop_after "$pid"
    trap - EXIT
    url
    echo "$dir"
    ;;
kill) crash ;;
again) find_bin && find_user && start ;;
stop) find_bin && find_user && stop ;;
have) find_bin ;;
*) sed -n '2,16s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
