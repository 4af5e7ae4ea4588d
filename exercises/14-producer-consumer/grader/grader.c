/* grader.c - lesson 14: a queue with a limit slows down the quick one; whoever waits at it has to
 * be told when it is over. */
#include "grader.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MOST_PHOTOS 16
#define MOST_WORKERS 8

enum step { READ, SHRINK, STORE, STEPS };
static const char *const begins[] = { "reading", "shrinking", "storing" };
static const char *const ends[] = { "read", "shrunk", "stored" };

static struct photo {
    const char *name;
    double seconds[STEPS];
    bool broken;
    double begins[STEPS], ends[STEPS]; /* when a right answer does it; NAN: never */
} photos[MOST_PHOTOS];
static int count, good; /* photos, and how many of them are not broken */

struct plan {
    double pace[STEPS]; /* about how long each step takes */
    int workers[STEPS]; /* 0: the step is left out */
    long capacity;      /* how many may wait before each step but the first */
};

/* ------------------------------------------------------------------ what a right answer does */

static struct server {
    int photo; /* that it works on, or has still in its hands; -1: none */
    double until;
} servers[STEPS][MOST_WORKERS];

static struct line_of { /* the photos that wait before a step */
    int list[MOST_PHOTOS], first, last;
} waiting[STEPS + 1];

static int length(int s) { return waiting[s].last - waiting[s].first; }

/* The step that follows in this plan; STEPS: none. */
static int step_after(int s, const struct plan *plan)
{
    do
        s++;
    while (s < STEPS && !plan->workers[s]);
    return s;
}

/* Does this photo go no further? */
static bool leaves(int photo, int s, const struct plan *plan)
{
    return step_after(s, plan) == STEPS || (s == SHRINK && photos[photo].broken);
}

/* Of the servers of this step that can hand on what they have at time t: who has been ready
 * longest. */
static struct server *ready(int s, const struct plan *plan, double t)
{
    struct server *best = NULL;
    int next = step_after(s, plan);
    for (int i = 0; i < plan->workers[s]; i++) {
        struct server *server = &servers[s][i];
        if (server->photo >= 0 && server->until < t + 1e-9 &&
            (leaves(server->photo, s, plan) || length(next) < plan->capacity) &&
            (!best || server->until < best->until))
            best = server;
    }
    return best;
}

/* Hands on what can be handed on at time t, and begins what can begin. Has anything happened? */
static bool move(int s, const struct plan *plan, double t)
{
    bool moved = false;
    int next = step_after(s, plan);
    for (struct server *server; (server = ready(s, plan, t)); moved = true) {
        if (!leaves(server->photo, s, plan))
            waiting[next].list[waiting[next].last++] = server->photo;
        photos[server->photo].ends[s] = server->until;
        server->photo = -1;
    }
    for (int i = 0; i < plan->workers[s] && length(s) > 0; i++)
        if (servers[s][i].photo < 0) {
            int k = waiting[s].list[waiting[s].first++];
            photos[k].begins[s] = t;
            servers[s][i] = (struct server){ k, t + photos[k].seconds[s] };
            moved = true;
        }
    return moved;
}

static void begin_simulation(const struct plan *plan)
{
    int first = plan->workers[READ] ? READ : SHRINK;
    memset(waiting, 0, sizeof waiting);
    for (int s = 0; s < STEPS; s++)
        for (int i = 0; i < MOST_WORKERS; i++)
            servers[s][i].photo = -1;
    for (int k = 0; k < count; k++) {
        waiting[first].list[waiting[first].last++] = k;
        for (int s = 0; s < STEPS; s++)
            photos[k].begins[s] = photos[k].ends[s] = NAN;
    }
}

/* Fills in when every photo is at which step. Returns when all are through; or NAN if two ended a
 * step at the same time, since the order in which they go on may be a matter of chance then. */
static double simulate(const struct plan *plan)
{
    double t = 0;
    begin_simulation(plan);
    for (bool tie = false;;) {
        double next = INFINITY;
        for (bool moved = true; moved;) {
            moved = false;
            for (int s = STEPS - 1; s >= 0; s--)
                moved |= move(s, plan, t);
        }
        for (int s = 0; s < STEPS; s++)
            for (int i = 0; i < plan->workers[s]; i++)
                if (servers[s][i].photo >= 0 && servers[s][i].until > t + 1e-9) {
                    tie |= same_time(servers[s][i].until, next);
                    next = fmin(next, servers[s][i].until);
                }
        if (isinf(next))
            return tie ? NAN : t;
        t = next;
    }
}

/* Makes so many photos; none of the first two is broken. Returns when a right answer is through. */
static double make_photos(int many, int broken, const struct plan *plan)
{
    double right;
    count = many;
    good = many - broken;
    for (int i = 0; i < count; i++)
        photos[i] = (struct photo){ .name = random_word() };
    while (broken) {
        struct photo *photo = &photos[random_between(2, count - 1)];
        broken -= !photo->broken;
        photo->broken = true;
    }
    do {
        for (int i = 0; i < count; i++)
            for (int s = 0; s < STEPS; s++)
                photos[i].seconds[s] = random_between(60 * plan->pace[s] + 1, 140 * plan->pace[s]) /
                                       100.0;
        right = simulate(plan);
    } while (isnan(right));
    return right;
}

static void will_see(void)
{
    for (int i = 0; i < count; i++)
        for (int s = 0; s < STEPS; s++) {
            if (isnan(photos[i].begins[s]))
                continue;
            will_print(photos[i].begins[s], "%s: %s", photos[i].name, begins[s]);
            will_print(photos[i].ends[s], "%s: %s", photos[i].name,
                       s == SHRINK && photos[i].broken ? "broken" : ends[s]);
        }
}

/* ---------------------------------------------------------------------- what an answer did */

/* The call of a part with so many photos, from `first` on, as the arguments of its run. */
static const char *call_of(char *to, size_t size, const char *part, double after, const struct plan *plan,
                           int first, int many)
{
    int n = snprintf(to, size, "%s %g %d %ld", part, after, plan->workers[SHRINK], plan->capacity);
    for (int i = first; i < first + many; i++)
        n += snprintf(to + n, size - n, " %s:%g:%g:%g:%d", photos[i].name, photos[i].seconds[READ],
                      photos[i].seconds[SHRINK], photos[i].seconds[STORE], photos[i].broken);
    return to;
}

static struct run *run_photos(const char *part, double after, const struct plan *plan)
{
    char call[500];
    return stage_run("%s", call_of(call, sizeof call, part, after, plan, 0, count));
}

/* Two albums at once, a small one and one that takes longer. */
static void try_two(const char *part)
{
    struct plan plan = { { 1, 1, 1 }, { 1, 2, 1 }, 2 };
    char one[250], other[250];
    make_photos(7, 0, &plan);
    about_deadlock = "There are two albums at once here: each needs queues, tasks and counts of its own, in local "
                     "variables.";
    expect_undisturbed(call_of(one, sizeof one, part, 0, &plan, 0, 2),
                       call_of(other, sizeof other, part, 0, &plan, 2, 5));
}

/* When photo i did this; NAN: it never did. */
static double when(struct run *run, int i, const char *what) { return when_printed(run, photos[i].name, what); }

/* How many photos had done this by then. */
static int done_by(struct run *run, const char *what, double at)
{
    int done = 0;
    for (int i = 0; i < count; i++)
        done += when(run, i, what) < at + 1e-6;
    return done;
}

static double sum_of(int s)
{
    double sum = 0;
    for (int i = 0; i < count; i++)
        sum += photos[i].seconds[s];
    return sum;
}

/* ------------------------------------------------------------------ mistakes of every part */

/* A timer for each step of each photo; whoever asks again and again wakes the loop more often. */
static void check_polling(struct run *run)
{
    int needed = 0;
    for (int i = 0; i < count; i++)
        for (int s = 0; s < STEPS; s++)
            needed += !isnan(photos[i].begins[s]);
    expect_wakes(run, needed, 12,
                 "Whoever sleeps a little and looks again is late and never at rest. "
                 "async_queue_put() and async_queue_get() wait by themselves, until there is room "
                 "or an item.");
}

static void check_error(struct run *run, const char *function, const char *why)
{
    const struct result *result = result_of(run, function);
    if (result && !strcmp(result->kind, "error"))
        reject(run, "%s() ended with an error: %s. %s", function, result->text, why);
}

/* Did as many wait before a step as there is room for, when `from` went on with the next photo? */
static void check_room(struct run *run, int from, int to, int workers, long capacity)
{
    for (int i = 0; i < count; i++) {
        double at = when(run, i, begins[from]);
        int left = done_by(run, ends[from], at) - done_by(run, begins[to], at);
        if (left > capacity + workers - 1)
            reject(run,
                   "No backpressure: at %g s \"%s: %s\", while %d photos that were %s waited for "
                   "the next "
                   "step%s; there is room for %ld. Everything would pile up in memory. Only a "
                   "queue with a "
                   "capacity (async_queue_new(capacity)), and a put that is awaited, makes the "
                   "quick one wait for "
                   "the slow one.",
                   at, photos[i].name, begins[from], left, ends[from],
                   workers > 1 ? " or in the hands of a worker" : "", capacity);
    }
}

/* Did the reader wait although there was room? What it has just read waits as well. */
static void check_unused_room(struct run *run, int to, long capacity)
{
    for (int i = 1; i < count; i++) {
        double at = when(run, i - 1, ends[READ]), next = when(run, i, begins[READ]);
        int waiting = done_by(run, ends[READ], at) - done_by(run, begins[to], at);
        if (waiting <= capacity && next > at + 1e-6)
            reject(
                run,
                "\"%s: %s\" came only at %g s, though %s was read at %g s: the reader waited "
                "though there was room for %ld, and no more than %d had to wait. The queue is to "
                "have room for args->capacity.",
                photos[i].name, begins[READ], next, photos[i - 1].name, at, capacity, waiting);
    }
}

static void check_lost(struct run *run, int from, int to, const char *why)
{
    for (int i = 0; i < count; i++)
        if (!isnan(when(run, i, ends[from])) && isnan(when(run, i, begins[to])))
            reject(run, "%s was %s, but nobody went on with it: it was lost on the way. %s",
                   photos[i].name, ends[from], why);
}

/* -------------------------------------------------------------------------------- part 1 */

static void try_copy(int many, double read, double store, long capacity)
{
    struct plan plan = { { read, 1, store }, { 1, 0, 1 }, capacity };
    double right = make_photos(many, 0, &plan);
    about_deadlock =
        "Does the reader put an end marker behind the last photo, and does the writer leave its "
        "loop there? Is somebody there already who takes, when the queue is full?";
    struct run *run = run_photos("copy_album", 0, &plan);
    int ready = done_by(run, ends[READ], when(run, 0, begins[STORE]));
    expect_no_task_left(run, "Await both, the one who reads and the one who stores.");
    check_polling(run);
    check_error(run, "copy_album", "Nothing went wrong here: where does that come from?");
    if (count > capacity + 2 && ready == count)
        reject(run,
               "Everything was read before the first photo was stored (at %g s). The two have to "
               "work at the same time: start both, then wait for both.",
               when(run, 0, begins[STORE]));
    mistaken_seconds(
        run, sum_of(READ) + sum_of(STORE), right,
        "read and stored one after the other. While one "
        "photo is stored the next can be read: that takes two tasks, and a queue in between.");
    check_lost(run, READ, STORE,
               "When the queue is full async_queue_put_nowait() does not put, but gives the error "
               "ASYNC_QUEUE_FULL; and what comes behind an end marker is never seen.");
    check_room(run, READ, STORE, 1, capacity);
    check_unused_room(run, STORE, capacity);
    will_see();
    expect_transcript(run, any_order,
                      "The next photo is read as soon as the last one has its place in the queue; "
                      "one is stored as soon as the last one is.");
    expect_seconds(run, right, "copy_album() returns when the last photo is stored.");
    expect_number(run, "copy_album", many, "That is how many photos were stored.");
}

START_TEST(copying)
{
    try_copy(random_between(7, 9), 0.3, 1.5, 1);
    try_copy(random_between(7, 9), 0.3, 1.5, 2);
    try_copy(random_between(7, 9), 1.5, 0.3, random_between(1, 2));
    try_copy(random_between(8, 12), 1, 1, 3);
    try_copy(1, 1, 1, 1);
    try_two("copy_album");
}
END_TEST

/* -------------------------------------------------------------------------------- part 2 */

/* How many were at this step at the same time, at most. */
static int most_at_once(struct run *run, int s)
{
    int most = 0;
    for (int i = 0; i < count; i++) {
        int now = 0;
        double at = when(run, i, begins[s]);
        for (int k = 0; k < count; k++) {
            double end = when(run, k, s == SHRINK && photos[k].broken ? "broken" : ends[s]);
            now += when(run, k, begins[s]) < at + 1e-6 && !(end < at + 1e-6);
        }
        most = now > most ? now : most;
    }
    return most;
}

static void check_workers(struct run *run, int workers)
{
    int most = most_at_once(run, SHRINK);
    if (most > workers)
        reject(run,
               "%d photos were made smaller at the same time, but there are %d workers, each for "
               "one photo at "
               "a time. Not a task for each photo, but one for each worker: in a loop it takes the "
               "next photo "
               "from the queue.",
               most, workers);
}

/* Was every photo begun, and was every one that was begun brought to its end? */
static void check_all_shrunk(struct run *run)
{
    for (int i = 0; i < count; i++) {
        double begun = when(run, i, begins[SHRINK]);
        double ended = when(run, i, photos[i].broken ? "broken" : ends[SHRINK]);
        if (!isnan(begun) && isnan(ended))
            reject(
                run,
                "%s was cut off in the middle: a worker had begun with it at %g s, and "
                "shrink_album() did not "
                "wait for its end. That the queue is empty only says that all photos were *taken*. "
                "async_queue_join() waits until each was marked by async_queue_task_done(), which "
                "says "
                "that the work with one item is *done*: after the work, once for each.",
                photos[i].name, begun);
    }
    for (int i = 0; i < count; i++)
        if (isnan(when(run, i, begins[SHRINK])))
            reject(run,
                   "Nobody took %s. All photos have to be done, also those behind a broken one: "
                   "the error of one "
                   "photo must not be the end of the worker (async_catch() lets it go on), and "
                   "nobody may go home "
                   "before all are done.",
                   photos[i].name);
}

static void try_shrink(int many, int workers, int broken)
{
    struct plan plan = { { 1, 1, 1 }, { 0, workers, 0 }, 1 };
    double right = make_photos(many, broken, &plan);
    about_deadlock = "With async_queue_join(): every photo that a worker takes needs its "
                     "async_queue_task_done(), a "
                     "broken one as well, and a worker that ends with an error calls it no more. "
                     "With end markers: "
                     "each worker takes one away, so there have to be as many as workers.";
    struct run *run = run_photos("shrink_album", 0, &plan);
    check_error(run, "shrink_album",
                "A broken photo is an error of shrink_photo(), which the worker has to look at "
                "(async_catch()) and pass over; then it takes the next one.");
    expect_no_task_left(run, count_events(run, "cancelled", NULL)
                                 ? "async_cancel() only asks: await the workers after it, so that "
                                   "they have really gone home."
                                 : "The workers wait at the queue for ever. When all is done they "
                                   "have to go home: cancel each of them after "
                                   "the join, or put an end marker for each; and await them.");
    check_polling(run);
    check_workers(run, workers);
    if (workers > 1)
        mistaken_seconds(run, sum_of(SHRINK), right,
                         "one photo after the other. Start all workers, each as a "
                         "task, before you wait for any of them.");
    check_all_shrunk(run);
    if (broken && run->seconds > right + 1e-6)
        reject(run,
               "took %g s of virtual time, expected %g s. Do all workers go on after a broken "
               "photo? Its error "
               "must end neither a worker nor anybody else.",
               run->seconds, right);
    will_see();
    expect_transcript(run, any_order,
                      "Whoever is free takes the next photo at once, in the order of the album.");
    expect_seconds(run, right, "shrink_album() returns as soon as the last photo is done.");
    expect_number(run, "shrink_album", good,
                  "That is how many went well; broken ones don't count.");
}

START_TEST(workers)
{
    try_shrink(random_between(7, 9), 3, 0);
    try_shrink(7, 2, 4);
    try_shrink(random_between(9, 12), random_between(2, 4), random_between(1, 2));
    try_shrink(5, 1, 1);
    try_shrink(10, MOST_WORKERS, 0);
    try_shrink(2, 5, 0);
    try_two("shrink_album");
}
END_TEST

/* -------------------------------------------------------------------------------- part 3 */

/* The rest of a right import: everything is done, once, and in good time. */
static void check_import(struct run *run, double right, int workers)
{
    for (int i = 0; i < count; i++)
        if (photos[i].broken && !isnan(when(run, i, begins[STORE])))
            reject(run,
                   "%s is broken, and was stored all the same. shrink_photo() ends with the error "
                   "EIO then: look at "
                   "it (async_catch()) before you hand the photo on.",
                   photos[i].name);
    if (run->seconds > right + 1e-6)
        reject(run,
               "took %g s of virtual time, expected %g s. All three steps go on at the same time, "
               "with %d worker%s in "
               "the middle; each hands a photo on as soon as there is room, and takes the next as "
               "soon as "
               "there is one. Do all workers go on after a broken photo?",
               run->seconds, right, workers, workers == 1 ? "" : "s");
    will_see();
    expect_transcript(
        run, any_order,
        "Each hands a photo on as soon as there is room for it, and takes the next as "
        "soon as there is one; each queue has room for `capacity`.");
    expect_seconds(run, right, "import_album() returns when the last photo is stored.");
    expect_number(run, "import_album", good, "That is how many were stored; broken ones are not.");
}

static void try_import(int many, struct plan plan, int broken)
{
    double right = make_photos(many, broken, &plan);
    double sum = sum_of(READ) + sum_of(SHRINK);
    int workers = plan.workers[SHRINK];
    for (int i = 0; i < count; i++)
        sum += photos[i].broken ? 0 : photos[i].seconds[STORE];
    about_deadlock =
        "An end marker ends one who waits, so behind the last photo there has to be one for each "
        "worker. "
        "And the writer needs one, too, but only when the last worker has gone: behind its marker "
        "nobody takes anything any more. Do all workers go on after a broken photo?";
    struct run *run = run_photos("import_album", 0, &plan);
    check_error(run, "import_album",
                "A broken photo is an error of shrink_photo(), which the worker has to look at "
                "(async_catch()) and pass over; then it takes the next one.");
    expect_no_task_left(
        run, "All have to go home: reader, workers and writer. Put end markers for them, or cancel "
             "them after the joins; and await every one.");
    check_polling(run);
    check_workers(run, workers);
    mistaken_seconds(
        run, sum, right,
        "one photo after the other, one step after the other. Start everybody, each as a "
        "task, before you wait for any of them.");
    check_lost(run, READ, SHRINK,
               "Do all workers go on after a broken photo, and does nobody go home too early?");
    check_lost(run, SHRINK, STORE,
               "The writer's end marker may come only when the last worker has gone, and not when "
               "the first one has: what comes behind it is never seen.");
    check_room(run, READ, SHRINK, 1, plan.capacity);
    check_room(run, SHRINK, STORE, workers, plan.capacity);
    check_unused_room(run, SHRINK, plan.capacity);
    check_import(run, right, workers);
}

#define WHO_GOES_ON \
    "Either a worker takes its cancellation for a broken photo: pass over EIO, and no other " \
    "error. Or it is a task that " \
    "nobody has cancelled: a cancelled gather cancels all that it waits for, but a task that you " \
    "await in another way " \
    "you have to cancel yourself."

/* Cancelled after this part of the time that it takes. Which step is the slow one decides where everybody
 * is then: at work, at a put into a queue that is full, or at a get from one that is empty. */
static void try_interrupted(double part, int many, int workers, int broken, double read, double shrink,
                            double store)
{
    struct plan plan = { { read, shrink, store }, { 1, workers, 1 }, 2 };
    double after = part * make_photos(many, broken, &plan);
    about_deadlock = "import_album() was cancelled, and its end was waited for. async_cancel() "
                     "asks each task once: "
                     "whoever goes on all the same, since it was taken for a broken photo, or nobody "
                     "looked how a put had ended, waits for ever. Pass over EIO only; any other "
                     "error goes on to whoever awaits the task.";
    after = floor(after * 10) / 10 + 0.003; /* nothing else happens then */
    struct run *run = run_photos("interrupted", after, &plan);
    const struct result *result = result_of(run, "import_album");
    int ended = 0;
    while (ended < run->line_count && strcmp(run->lines[ended].text, "(ended)") != 0)
        ended++;
    if (result && strcmp(result->kind, "error") != 0)
        reject(run,
               "A swallowed cancellation: import_album() was cancelled at %g s, but ended as if "
               "all were well. When "
               "it is cancelled it cleans up, and then passes the error on.",
               after);
    if (ended + 1 < run->line_count)
        reject(run,
               "import_album() was cancelled at %g s and has ended; but then, at %g s, there was "
               "\"%s\": somebody "
               "works on. " WHO_GOES_ON,
               after, run->lines[ended + 1].at, run->lines[ended + 1].text);
    expect_no_task_left(
        run,
        "import_album() was cancelled and has ended, but not all of its tasks have. " WHO_GOES_ON);
    if (ended < run->line_count && run->lines[ended].at > after + 1e-6)
        reject(run,
               "import_album() was cancelled at %g s and ended only at %g s. Who is cancelled "
               "stops at once.",
               after, run->lines[ended].at);
    expect_error(run, "import_album", "CancelledError", "It was cancelled.");
}

START_TEST(importing)
{
    int few = random_between(2, 3);
    try_import(random_between(10, 12), (struct plan){ { 0.3, 0.5, 2 }, { 1, few, 1 }, 1 }, 0);
    try_import(random_between(10, 12), (struct plan){ { 0.2, 2.5, 0.3 }, { 1, few, 1 }, 2 }, 0);
    try_import(random_between(10, 12), (struct plan){ { 0.2, 0.5, 2 }, { 1, few, 1 }, 3 }, 0);
    try_import(9, (struct plan){ { 0.5, 1.5, 0.5 }, { 1, 4, 1 }, 1 }, 5);
    try_import(10, (struct plan){ { 0.5, 2, 0.9 }, { 1, few, 1 }, 2 }, random_between(1, 2));
    try_import(6, (struct plan){ { 0.5, 1, 1.2 }, { 1, 1, 1 }, 1 }, 1);
    try_import(2, (struct plan){ { 1, 1, 1 }, { 1, 5, 1 }, 3 }, 0);
    try_two("import_album");
    try_interrupted(0.5, 10, few, 0, 0.5, 1, 0.7);
    try_interrupted(0.5, 10, few, 1, 0.5, 1, 0.7);
    try_interrupted(0.5, 10, few, 0, 0.1, 3, 0.1);
    try_interrupted(0.1, 10, few, 0, 0.1, 3, 0.1); /* the reader waits in its put, and there are more to read */
    try_interrupted(0.5, 10, few, 0, 0.1, 0.2, 3);
    try_interrupted(0.1, 10, few, 0, 0.1, 0.2, 3); /* the workers do so, too */
    try_interrupted(0.5, 10, few, 0, 3, 0.1, 0.1);
    try_interrupted(0.2, few + 2, few, 0, 0.02, 9, 0.02); /* all are read, and the queue is full */
}
END_TEST

int main(int argc, char **argv)
{
    grader_open(argc, argv);
    shown_as("copy_album", "await(async_coro(copy_album, photos, %#4, %3)), photos = {%*4}");
    shown_as("shrink_album", "await(async_coro(shrink_album, photos, %#4, %2)), photos = {%*4}");
    shown_as("import_album", "await(async_coro(import_album, photos, %#4, %2, %3)), photos = {%*4}");
    shown_as("interrupted",
             "await(async_coro(import_album, photos, %#4, %2, %3)), cancelled after %1 s, photos = "
             "{%*4}");
    shown_as("*", "{'%0', %1, %2, %3, %?4}");
    part(2, "reading and storing at once, with a limit between them", copying);
    part(2, "several workers, one queue, a clean end", workers);
    part(3, "three steps, two queues, and everybody goes home", importing);
    return grader_close();
}
