/* test_corpus.c - the programs of corpus/ print on our runtime what asyncio printed for them.
 *
 * So the comparison that `make conform` makes with random programs runs without Python as well, on
 * programs that were picked (fuzz/corpus.py) because much happens in them. Each is one test. */
#include "fuzz/interpreter.h"
#include <check.h>

#define CORPUS "runtime/tests/corpus/asyncio-3.13.txt"

static struct source *sources;

/* The first line that differs, or NULL. */
static const char *difference(const char *expected, const char *got)
{
    static char why[512];
    int number = 1;
    const char *line = expected, *start = got;
    for (; *expected == *got; expected++, got++) {
        if (!*got)
            return NULL;
        if (*got == '\n') {
            number++;
            line = expected + 1;
            start = got + 1;
        }
    }
    snprintf(why, sizeof why, "line %d is \"%.*s\", asyncio's \"%.*s\"", number,
             (int)strcspn(start, "\n"), start, (int)strcspn(line, "\n"), line);
    return why;
}

START_TEST(prints_what_asyncio_prints)
{
    const struct source *source = &sources[_i];
    char *got;
    size_t length;
    FILE *out = open_memstream(&got, &length);
    ck_assert(out && freopen("/dev/null", "w", stderr));    /* where deadlocks are reported */
    ck_assert(run_program(source, out));
    fclose(out);
    const char *why = difference(source->trace, got);
    free(got);
    ck_assert_msg(!why, "program %s of %s: %s", source->name, CORPUS, why);
}
END_TEST

int main(void)
{
    int count = 0;
    sources = read_sources(CORPUS);
    while (sources[count].text)
        count++;
    Suite *suite = suite_create("corpus");
    TCase *programs = tcase_create("programs");
    tcase_add_loop_test(programs, prints_what_asyncio_prints, 0, count);
    suite_add_tcase(suite, programs);
    SRunner *runner = srunner_create(suite);
    setenv("CK_FORK", "no", 0);     /* a process for each costs ten times what a program does */
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    keep_nothing(NULL, 0);
    return failed != 0;
}
