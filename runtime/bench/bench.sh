#!/bin/sh
# bench.sh - what operations cost us and, beside us in the same rounds, every peer that is installed.
#
#   bench.sh            the table, and curves from 10 to 1,000,000 tasks (some minutes)
#   QUICK=1 bench.sh    small counts, one round, curves to 1,000 (under a minute)
#
# CPU nanoseconds an operation, medians; in brackets how many times ours. All run on one processor, one
# after the other, round by round, so that what disturbs one round disturbs all alike; an echo server's clients
# are on another, if there is one.
# Writes $BUILD/bench/table.tsv and curves.tsv, and curves as SVG where gnuplot is.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
out=$build/bench
peers=runtime/bench/peers
python=${PYTHON:-python3}
rounds=3 part=1 most=1000000
[ -z "${QUICK:-}" ] || rounds=1 part=50 most=1000
mkdir -p "$out" || exit 1
pin='' away=''
processor=$(($(getconf _NPROCESSORS_ONLN) - 1))
! taskset -c "$processor" true 2>/dev/null || pin="taskset -c $processor"
! taskset -c $((processor - 1)) true 2>/dev/null || away="taskset -c $((processor - 1))"
unset ASYNC_CLOCK ASYNC_DEBUG ASYNC_SHUFFLE ASYNC_TRACE
# shellcheck disable=SC3045  # every shell that we know has it
ulimit -n 4096 2>/dev/null

# --------------------------------------------------------------------------------- who is here

names=ours
skip() { echo "skipped: $1 ($2)" >&2; }

# peer NAME WHY-NOT COMMAND...: is there if the command, which builds or tries it, succeeds.
peer() {
    name=$1 why=$2
    shift 2
    if "$@" >/dev/null 2>&1; then names="$names $name"; else skip "$name" "$why"; fi
}

newer() { [ -n "$(find "$1" -newer "$2" 2>/dev/null)" ]; }
build_go() { newer "$out/go" $peers/go.go || GOCACHE="$PWD/$out/go-cache" GO111MODULE=off go build -o "$out/go" $peers/go.go; }
build_asio() {
    newer "$out/asio" $peers/asio.cpp ||
        ${CXX:-g++} -std=c++20 -fcoroutines -O2 $peers/asio.cpp -o "$out/asio" -pthread
}

peer asyncio "no $python with asyncio" $python -c 'import asyncio'
peer uvloop 'no uvloop for it: make deps-bench' $python -c 'import uvloop'
peer node 'no node: make deps-bench' node -e 0
peer go 'no go: make deps-bench' build_go
peer asio 'no Boost.Asio, or no C++20: make deps-bench' build_asio
peer libev 'no libev' ${CC:-cc} -O2 $peers/libev.c -lev -o "$out/libev"
skip tokio 'needs crates from the network'
skip libdill 'no system packages it'

command_of() {
    case $1 in
    ours) echo "$build/runtime/bench/bench" ;;
    asyncio) echo "$python $peers/asyncio_.py" ;;
    uvloop) echo "env UVLOOP=1 $python $peers/asyncio_.py" ;;
    node) echo "node $peers/node.js" ;;
    *) echo "$out/$1" ;;
    esac
}

# run NAME WORKLOAD N OPS: one figure, or nothing where that peer has no such thing.
run() {
    # shellcheck disable=SC2046,SC2086  # words
    case $2 in
    echo) timeout 60 ${away:-$pin} "$build/runtime/bench/echo" "$3" "$4" $pin $(command_of "$1") echo 1 1 ;;
    *) timeout 60 $pin $(command_of "$1") "$2" "$3" "$4" ;;
    esac 2>/dev/null
}

# measure FILE WORKLOAD N OPS: a line "workload n name figure" for each who knows it, appended.
measure() {
    for name in $names; do
        case $name:$2 in
        libev:echo) count=$4 ;;
        libev:*) continue ;;
        asyncio:* | uvloop:* | node:*) count=$(($4 / 10)) ;;    # they are slow enough for that
        *) count=$4 ;;
        esac
        [ "$count" -ge "$3" ] || [ "$2" = park ] || count=$3
        figure=$(run "$name" "$2" "$3" "$count")
        [ -z "$figure" ] || printf '%s\t%s\t%s\t%s\n' "$2" "$3" "$name" "$figure" >> "$1"
    done
}

# medians FILE: of the lines above, one for each workload, n and name, in the order in which they came.
medians() {
    awk -F '\t' -v OFS='\t' '
        { key = $1 OFS $2 OFS $3 }
        !(key in count) { order[++keys] = key }
        { value[key, ++count[key]] = $4 }
        END {
            for (k = 1; k <= keys; k++) {
                key = order[k]; n = count[key]
                for (i = 2; i <= n; i++)
                    for (j = i; j > 1 && value[key, j - 1] + 0 > value[key, j] + 0; j--) {
                        t = value[key, j]; value[key, j] = value[key, j - 1]; value[key, j - 1] = t
                    }
                print key, value[key, int((n + 1) / 2)]
            }
        }' "$1"
}

# ---------------------------------------------------------------------------------- the table

raw=$out/raw.tsv
: > "$raw"
round=0
while [ $round -lt $rounds ]; do
    round=$((round + 1))
    while read -r workload n ops; do
        measure "$raw" "$workload" "$n" $((ops / part)) < /dev/null
    done <<'EOF'
yield 2 2000000
yield 1000 2000000
call 1 2000000
create 1 500000
gather 100000 300000
sleepers 100000 300000
queue 1 500000
queue 1000 1000000
cancel 1 200000
park 100000 100000
echo 100 100000
echo 1000 100000
EOF
done
medians "$raw" > "$out/table.tsv"

awk -F '\t' -v names="$names" '
    { figure[$1 " " $2, $3] = $4; if (!(($1 " " $2) in seen)) { seen[$1 " " $2]; rows[++count] = $1 " " $2 } }
    END {
        n = split(names, name, " ")
        printf "%-18s", "CPU ns (times ours)"
        for (i = 1; i <= n; i++) printf "%17s", name[i]
        print ""
        for (r = 1; r <= count; r++) {
            row = rows[r]; ours = figure[row, "ours"]
            printf "%-19s", (row ~ /^park/ ? row ", bytes" : row)
            for (i = 1; i <= n; i++) {
                x = figure[row, name[i]]
                if (x == "") printf "%17s", "-"
                else if (i == 1 || !ours) printf "%17.0f", x
                else printf "%9.0f (%5.2f)", x, x / ours
            }
            print ""
        }
    }' "$out/table.tsv"

# --------------------------------------------------------------------------------- the curves

: > "$raw"
n=10
while [ $n -le $most ]; do
    for workload in yield gather sleepers; do
        ops=$((n > 100000 ? n : 100000 / part))
        measure "$raw" $workload $n $ops
    done
    n=$((n * 10))
done
medians "$raw" > "$out/curves.tsv"
echo "$out/table.tsv and $out/curves.tsv have all figures."
if ! gnuplot --version >/dev/null 2>&1; then
    skip 'the plots' 'no gnuplot: make deps-bench'
    exit 0
fi
for workload in yield gather sleepers; do
    lines=
    for name in $names; do
        points=$out/$workload-$name.tsv
        awk -F '\t' -v OFS='\t' -v workload=$workload -v name="$name" \
            '$1 == workload && $3 == name { print $2, $4 }' "$out/curves.tsv" > "$points"
        [ -s "$points" ] || { rm -f "$points"; continue; }
        lines="$lines${lines:+, }'$points' with linespoints title '$name'"
    done
    gnuplot <<EOF && echo "$out/$workload.svg"
set terminal svg size 720,400
set output '$out/$workload.svg'
set logscale xy
set grid
set key outside
set title '$workload: CPU ns for one operation'
set xlabel 'tasks'
plot $lines
EOF
done
