/* conform.c - runs programs of the fuzz language on our runtime and prints their traces.
 *
 *      build/runtime/tests/conform FILE        on the virtual clock, whatever the environment says
 *
 * FILE holds one program, or a bundle of them; see fuzz/FORMAT.md. asyncio must print the same for
 * them (fuzz/run_py.py), line by line; `make conform` holds one against the other. */
#include "fuzz/interpreter.h"

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: conform FILE   (programs of the language in fuzz/FORMAT.md)\n");
        return 2;
    }
    for (struct source *one = read_sources(argv[1]); one->text; one++) {
        if (one->name) {
            printf("=== %s\n", one->name);
            fflush(stdout);
        }
        if (!run_program(one, stdout))
            bad_program("no memory for", "a loop");
    }
    keep_nothing(NULL, 0);
    return 0;
}
