#!/bin/sh
# editors.sh - prints a compile_commands.json: for each of our C files, how it is compiled. CC and FLAGS
# come from the Makefile.
set -u
cd "$(dirname "$0")/../.." || exit 1

for source in */*/*.c exercises/*/grader/*.c; do
    [ ! -f "$source" ] || echo "$source"
done | awk -v folder="$(pwd)" -v command="${CC:-cc} ${FLAGS:-}" '
    function quoted(text) { gsub(/[\\"]/, "\\\\&", text); return "\"" text "\"" }
    function includes(file,   part) {
        split(file, part, "/")
        if (file ~ /\/grader\//) return "-Itools/grading -Iexercises/" part[2]
        if (part[1] == "exercises" || part[1] == "solutions") return "-Iexercises/" part[2]
        return file ~ /^runtime\/(core|sync|many|io|debug|extra)\// ? "-DASYNC_RUNTIME" : ""
    }
    {
        count = split(command " -Iruntime -Iruntime/extra " includes($0) " -c", word, / +/)
        printf "%s  { \"directory\": %s, \"file\": %s, \"arguments\": [", NR == 1 ? "[\n" : ",\n", quoted(folder), quoted($0)
        for (i = 1; i <= count; i++) if (word[i] != "") printf "%s, ", quoted(word[i])
        printf "%s] }", quoted($0)
    }
    END { print "\n]" }'
