/* grader.c - lesson 4: awaiting a coroutine is a call; only tasks go on at the same time. */
#include "grader.h"
#include <math.h>
#include <stdio.h>

struct file {
    const char *what;
    double seconds;
    long bytes;
};

/* No size fits into an int. */
static struct file random_file(void)
{
    return (struct file){ random_word(), random_seconds(), random_between(40000, 90000) * 60000L };
}

/* What a download prints if it starts at this time. */
static void will_download(struct file f, double at)
{
    will_print(at, "%s: started", f.what);
    will_print(at + f.seconds, "%s: finished", f.what);
}

START_TEST(one_file)
{
    struct file a = random_file();
    struct run *run = stage_run("download %s %g %ld", a.what, a.seconds, a.bytes);
    if (same_time(run->seconds, 0) && run->line_count == 2)
        reject(run,
               "download() did not wait: it took 0 s of virtual time, expected %g s.\nTo wait "
               "is to await: await(async_sleep(args->seconds)).",
               a.seconds);
    will_download(a, 0);
    expect_transcript(run, in_order, "One line, then the wait, then the other line.");
    expect_number(run, "download", a.bytes, "The bytes are a number: return async_num(...).");
    good_enough_for(2);
    good_enough_for(3);
    run = stage_run("@%g download %s %g %ld", a.seconds / 2, a.what, a.seconds, a.bytes);
    expect_cancelled(run, "download");
}
END_TEST

/* The arguments of a run: the function, then its files. */
static const char *write_inputs(char *to, size_t size, const char *function, const struct file *files, int count)
{
    int n = snprintf(to, size, "%s", function);
    for (int i = 0; i < count; i++)
        n += snprintf(to + n, size - n, " %s %g %ld", files[i].what, files[i].seconds, files[i].bytes);
    return to;
}

static void try_beside(const char *function, int count)
{
    struct file files[6];
    char one[200], other[200];
    for (int i = 0; i < 2 * count; i++)
        files[i] = random_file();
    expect_undisturbed(write_inputs(one, sizeof one, function, files, count),
                       write_inputs(other, sizeof other, function, files + count, count));
}

static void try_two(struct file a, struct file b)
{
    double both = a.seconds + b.seconds, longer = fmax(a.seconds, b.seconds);
    struct run *run = stage_run("two_files %s %g %ld %s %g %ld", a.what, a.seconds, a.bytes, b.what,
                                b.seconds, b.bytes);
    expect_no_task_left(run, "Who starts a task has to await it, too.");
    mistaken_seconds(run, both, longer,
                     "the two were awaited one after the other. Start both "
                     "before awaiting either: await of a coroutine is a call that comes back when "
                     "it is done; async_create_task() comes back at once (lesson 4, tasks).");
    will_download(a, 0);
    will_download(b, 0);
    expect_transcript(run, any_order,
                      "Both files are asked for at the start, and each is finished "
                      "when its own seconds are over.");
    expect_seconds(run, longer, "two_files() has to return as soon as both are here.");
    expect_number(run, "two_files", a.bytes + b.bytes,
                  "That is the sum of what the two downloads returned. (A long: an int is too small.)");
}

START_TEST(two_at_once)
{
    struct file a = random_file(), b = random_file();
    try_two(a, b);
    try_two(b, a); /* the first may be the longer one, or the second */
    a.seconds = 1, b.seconds = 2;
    for (int i = 0; base_passed() && i < 2; i++)
        expect_cancelled(stage_run("@%g two_files %s %g %ld %s %g %ld", i + 0.5, a.what, a.seconds,
                                   a.bytes, b.what, b.seconds, b.bytes), "two_files");
    try_beside("two_files", 2);
}
END_TEST

static void try_page(struct file page, struct file style, struct file image)
{
    double longer = fmax(style.seconds, image.seconds), right = page.seconds + longer;
    const char *early[] = { style.what, image.what };
    char line[100];
    struct run *run = stage_run("web_page %s %g %ld %s %g %ld %s %g %ld", page.what, page.seconds,
                                page.bytes, style.what, style.seconds, style.bytes, image.what,
                                image.seconds, image.bytes);
    expect_no_task_left(run, "Who starts a task has to await it, too.");
    for (int i = 0; i < 2; i++) {
        snprintf(line, sizeof line, "%s: started", early[i]);
        if (printed_at(run, 0, line))
            reject(run,
                   "\"%s\" at 0 s: that file is only known when the page is here, at %g s.\n"
                   "What needs the result of another has to come after its await; only what is "
                   "independent goes at once.",
                   line, page.seconds);
    }
    mistaken_seconds(run, page.seconds + style.seconds + image.seconds, right,
                     "all three were awaited one after the other. The image does not need the "
                     "style: make tasks of these two before you await either.");
    will_download(page, 0);
    will_download(style, page.seconds);
    will_download(image, page.seconds);
    will_print(right, "%s is complete", page.what);
    snprintf(line, sizeof line, "%s is complete", page.what);
    if (printed(run, line) && !printed_at(run, right, line))
        reject(run,
               "\"%s\" is printed too early or too late; not all was here before %g s.\nAwait "
               "everything first.",
               line, right);
    expect_transcript(run, any_order, "First the page, then style and image at once.");
    expect_seconds(run, right, "That is the page, and then the longer of the other two.");
    expect_number(run, "web_page", page.bytes + style.bytes + image.bytes,
                  "That is the sum of what the three downloads returned. (A long: an int is too small.)");
}

START_TEST(page_then_two)
{
    struct file page = random_file(), a = random_file(), b = random_file();
    try_page(page, a, b);
    try_page(page, b, a);
    for (int i = 0; base_passed() && i < 3; i++) /* while it waits for each of the three */
        expect_cancelled(stage_run("@%g web_page %s 1 %ld %s 1 %ld %s 2 %ld", i + 0.5, page.what,
                                   page.bytes, a.what, a.bytes, b.what, b.bytes), "web_page");
    try_beside("web_page", 3);
}
END_TEST

int main(int argc, char **argv)
{
    grader_open(argc, argv);
    shown_as("download", "await(async_coro(download, '%1', %2, %3))");
    shown_as("two_files", "await(async_coro(two_files, %3*1))");
    shown_as("web_page", "await(async_coro(web_page, %3*1))");
    shown_as("*", "{'%0', %1, %2}");
    part(1, "one file: started, waited for, finished", one_file);
    part(2, "two files at once", two_at_once);
    builds_on(1, "download");
    part(3, "a page, then what it names at once", page_then_two);
    builds_on(1, "download");
    return grader_close();
}
