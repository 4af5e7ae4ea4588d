#!/bin/sh
# student-cc.sh - runs a compiler for somebody who is learning.
#
#   student-cc.sh COMPILER FLAG... SOURCE
#
# When it succeeds its warnings are shown: a forgotten await is one. When it fails only the first
# error is, with its line; the others mostly follow from it. Where the compiler speaks of what is
# behind a macro, a word about what was meant comes after it. The exit status is the compiler's.
set -u

# We read the messages, so they have to be in English.
LC_ALL=C.UTF-8 LANGUAGE=en
export LC_ALL LANGUAGE

# What never works, and is refused by newer compilers anyway, is refused by all.
set -- "$@" -Werror=incompatible-pointer-types -Werror=int-conversion -Werror=format \
    -Werror=implicit-function-declaration -Werror=implicit-int

# Mostly there is nothing to say. Otherwise it is compiled once more, to say it better. A grading sets TRIED.
[ -n "${TRIED:-}" ] || { said=$("$@" 2>&1) && [ -z "$said" ] && exit; }

messages=$(mktemp) || { echo "No temporary file can be made: is the disk full?" >&2; exit 1; }
trap 'rm -f "$messages"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# Macros of async.h shall not show: the learner wrote `await`, and that line is the one to name.
case $("$@" --version 2>/dev/null) in
*clang*) set -- "$@" -ferror-limit=1 -fmacro-backtrace-limit=1 ;;
*) set -- "$@" -fmax-errors=1 -ftrack-macro-expansion=0 ;;
esac

# The first error with the lines that show it. If it lies in a file that was included, also by whom.
first_error() {
    awk '
        /^(In file included from|                 from) / { if (!shown) from = from $0 "\n"; next }
        /^[^ ].*:[0-9]+(:[0-9]+)?: (fatal )?error: / && !shown { printf "%s", from; shown = showing = 1; print; next }
        showing && /: note: did you mean / { print; showing = 0; next }
        /^[^ ].*:[0-9]+(:[0-9]+)?: / || /: (In function|At top level)/ { from = ""; showing = 0; next }
        /^compilation terminated|^(fatal error|note|cc1): |^[0-9]+ .*generated\.$/ { showing = 0 }
        showing
        END { exit !shown }' "$messages"
}

# What the linker misses, or has twice, in our words. Its line names the place if the compiler left one.
first_of_linker() {
    awk -v here="$PWD/" '
        function place_in(line,   i, words, place) {
            for (i = split(line, words, " "); i > 0; i--) if (words[i] ~ /\.c:[0-9]+:$/) place = words[i] " "
            return index(place, here) == 1 ? substr(place, length(here) + 1) : place
        }
        function name_after(line, words) {
            sub(".*" words " [`'\'']", "", line); sub("'\''.*", "", line)
            return line
        }
        shown { next }
        /undefined reference to / {
            printf "%serror: there is no function %s(): is it missing, misspelt, or static?\n", place_in($0),
                   name_after($0, "undefined reference to")
            shown = 1
        }
        /multiple definition of / {
            printf "%serror: there is another %s already. Give yours another name; or write static before it, and\n" \
                   "it belongs to this file alone.\n", place_in($0), name_after($0, "multiple definition of")
            shown = 1
        }
        END { exit !shown }' "$messages"
}

# A word about the first error, where the compiler sees what is behind our macros and not what was
# meant. Names and lines of source come from its own message.
explain() {
    awk '
        NR == 1 || !place { if (match($0, /^[^ ].*:[0-9]+(:[0-9]+)?: (fatal )?error: /)) { error = place = $0; at = NR } }
        { line[NR] = $0; all = all $0 "\n" }

        # The line of the source at which the error is, for compilers that do not show it.
        function source_line(   parts, text, n) {
            split(place, parts, ":")
            while ((getline text < parts[1]) > 0 && ++n < parts[2]) ;
            close(parts[1])
            return n == parts[2] ? text : ""
        }

        # Of a macro whose ) never comes: the first call that is still open at the end of the file.
        function open_call(name,   parts, text, n, i, c, depth, was, begun) {
            split(place, parts, ":")
            while ((getline text < parts[1]) > 0) {
                n++
                gsub(/"([^"\\]|\\.)*"/, "\"\"", text)
                sub(/\/\/.*/, "", text)
                for (i = 1; i <= length(text); i++) {
                    c = substr(text, i, 1)
                    if (!depth && substr(text, i, length(name) + 1) == name "(" &&
                        (i == 1 || substr(text, i - 1, 1) !~ /[A-Za-z0-9_]/)) {
                        begun = n; was = text; depth = 1; i += length(name)
                    } else if (depth && c == "(") depth++
                    else if (depth && c == ")") depth--
                }
            }
            close(parts[1])
            return depth ? parts[1] ":" begun ": error: a ) is missing: this " name "( is not closed.\n" was : ""
        }

        END {
            code = source_line()
            # What shall be written instead, the line has said; in a macro of ours it stands below the wrong word.
            for (i = at + 1; i <= NR; i++) if (line[i] ~ /^ *[|] +(->|[A-Za-z_0-9]+)$/) line[i] = ""
            if (error ~ /unterminated (argument list|function-like macro)/) {
                name = error ~ /invoking macro/ ? error : ""
                gsub(/.*invoking macro [^A-Za-z_]*|[^A-Za-z0-9_]*$/, "", name)
                said = name != "" ? open_call(name) : ""
                if (said != "") { print said; exit }
                note = "A ) is missing: what was opened here is not closed."
            } else if (error ~ /(undefined|incomplete) type .*struct / && code ~ /async_(coro|generator|to_thread)/) {
                name = error; sub(/.*struct /, "", name); gsub(/[^A-Za-z0-9_].*/, "", name)
                note = "The arguments of " name "() are a struct of the same name, and there is no struct " name " before this line:\n" \
                       "struct " name " { ... }; async_value " name "(void *args)."
            } else if (error ~ /(is a pointer; did you mean|is a pointer, not|member reference type)/ &&
                       code ~ /\.(num|str|ptr|real|error|message)/) {
                sub(/; did you mean.*/, "", line[at])
                note = "A task, a future or a coroutine is not its result. Await it, and the result is in what that gives:\n" \
                       "await(task).num, or async_value v = await(task) and then v.num."
            } else if (error ~ /when returning type .* but [^a-z]*async_value|from a function with incompatible result type [^a-z]*async_value/)
                note = "A coroutine function returns an async_value: async_num(n) for a number, async_str(text) for a text,\n" \
                       "async_text(format, ...) for one made now, async_ptr(p) for a pointer; or async_none."
            else if (error ~ /(initializing|assigning( to)?) (type )?.*(using|from) type [^a-z]*async_value|(initializing|assigning to) .* .*incompatible type [^a-z]*async_value/)
                note = "await gives an async_value, and what was returned is in it: await(x).num is a number, .str a text,\n" \
                       ".ptr a pointer."
            else if (error ~ /to parameter of incompatible type [^a-z]*async_value/ ||
                     error ~ /incompatible type for argument . of [^a-z]*async_(queue_put|set_result|yield_value|sleep_result|contextvar_set)/)
                note = "Here an async_value is wanted: async_num(n) for a number, async_str(text) for a text, async_ptr(p)\n" \
                       "for a pointer; or async_none."
            else if (error ~ /argument 1 of [^a-z]*async_gather_list|to parameter of type [^a-z]*async_value \*/)
                note = "What stands first in async_gather is the array that gets the results, or NULL; then come coroutines\n" \
                       "and tasks."
            else if (error ~ /async_value.* to parameter of incompatible type/ ||
                     error ~ /incompatible type for argument . of [^a-z]*async_/ && all ~ /\n *\| +async_value/)
                note = "Here a coroutine function is called like any other, and what goes on is its result. async_coro(f, ...)\n" \
                       "makes a coroutine of f, which can be awaited, or given to async_create_task."
            else if (error ~ /static.assert/ && code ~ /async_gather/) {
                sub(/error: .*/, "error: the array of results has fewer places than there is to gather", line[at])
                note = "async_gather(results, ...) writes a result for each of what follows: async_value results[3] for three."
            } else if (all code ~ /async_with/ &&
                       (error ~ /empty declaration|.cleanup. attribute cannot be applied|type (defaults|specifier)/ ||
                        error ~ /expected (identifier|declaration specifiers|parameter)/))
                note = "async_with(exit) stands before a variable, of which exit gets the address when its block is left:\n" \
                       "async_with(exit) struct thing *x = ..."
            else if (error ~ /(void|await)|return.* with a value|should not return a value/ && all ~ /[^a-zA-Z_]await +[a-zA-Z_]/)
                note = "await takes parentheses: await(x)."
            else if (all ~ /[^a-zA-Z_]await\(/ &&
                     error ~ /async_value.*(return|result)|return.*async_value|return.* with a value|should not return a value/)
                note = "await leaves its function when there is an error, so it can stand only in one that returns\n" \
                       "async_value: a coroutine function. Elsewhere: async_run(x), or in an exit function async_catch(x)."
            else if (error ~ /implicit declaration of function|undeclared function/)
                note = "There is no function of that name before this line: is it misspelt, or is its #include missing?"
            for (i = 1; i <= NR; i++) if (line[i] != "") print line[i]
            if (note && NR == at && code != "") print "      | " code    # gcc shows no line behind a macro
            if (note) print note
        }'
}

"$@" 2> "$messages"
status=$?
# gcc only warns of an async_with that stands before nothing, and then nothing is ever left.
if [ "$status" -eq 0 ] && grep -q 'warning: empty declaration' "$messages"; then
    sed -i 's/warning: \(empty declaration\)/error: \1/' "$messages"
    status=1
fi
if [ "$status" -eq 0 ]; then
    cat "$messages" >&2
else
    { first_error || first_of_linker || cat "$messages"; } | explain >&2
fi
exit "$status"
