#!/bin/sh
# places.sh - the macros of async.h that note where a call stands are made from its declarations.
#
#   places.sh          are they what the declarations give?
#   places.sh write    writes them, between the two lines that say so
set -u
cd "$(dirname "$0")/../.." || exit 1
header=runtime/async.h
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT

# But for these: they fail nowhere that a report could name, or are told the place in another way.
none='aclose_exit alloc concurrent_cancel concurrent_free concurrent_result condition_exit contextvar_get
      contextvar_set coro_new current_task error_name generator_new get_running_loop group_errors leave leave_at
      leave_with leaving lock_exit main main_with new_event_loop run run_threadsafe_call run_with runner_new
      semaphore_exit server_exit stream_exit stream_lines strf taskgroup_exit text timeout_exit to_process_call
      to_thread_call token_exit'

awk -v none="$none" '
    BEGIN { split(none, names); for (i in names) plain["async_" names[i]] = 1 }
    /^.. ---.* the fine print/ { told = 1 }
    !told && /^[a-z]/ && !/^(typedef|static|return|extern)/ && match($0, /async_[a-z_]+\(/) {
        name = substr($0, RSTART, RLENGTH - 1)
        nothing = substr($0, RSTART + RLENGTH, 5) == "void)"
        if (!(name in plain) && !made[name]++)
            printf "%-45s ASYNC_AT(%s%s)\n", "#define " name (nothing ? "()" : "(...)"), name,
                   nothing ? "" : ", __VA_ARGS__"
    }' $header > "$scratch/macros"
awk -v macros="$scratch/macros" '
    /^\/\* Made by/ { print; while ((getline line < macros) > 0) print line; made = 1; next }
    made && /^\/\* End of/ { made = 0 }
    !made' $header > "$scratch/header"

[ "${1:-}" = write ] && { cp "$scratch/header" $header; exit; }
if cmp -s "$scratch/header" $header; then
    echo "1 passed, 0 failed"
else
    diff $header "$scratch/header"
    echo "async.h declares what its macros do not follow: sh runtime/tests/places.sh write"
    echo "0 passed, 1 failed"
    exit 1
fi
