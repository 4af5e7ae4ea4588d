/* grader.c - lesson 19: what stays ours across an await, how many at a time, and who is told when
 * something has changed. */
#include "grader.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOKING 0.1 /* as in exercise.c */
#define MOST 12

static double moment(void) { return random_between(31, 149) / 100.0; }

static void expect_unlocked(struct run *run, const char *why)
{
    const struct result *result = result_of(run, "locked");
    if (result && strcmp(result->text, "0") != 0)
        reject(run, "All is over, and a lock is still held: whoever comes next waits for ever. %s",
               why);
}

/* What came out for this one: a number, or an error. */
static void expect_outcome(struct run *run, const char *function, const char *name,
                           const char *error, long number, const char *why)
{
    const struct result *result = result_of(run, name);
    char right[100];
    snprintf(right, sizeof right, "%ld", number);
    if (error)
        snprintf(right, sizeof right, "%s", error);
    bool as_expected = result && !strcmp(result->kind, error ? "error" : "number") &&
                       !strncmp(result->text, right, strlen(right) + !error);
    if (!as_expected)
        reject(run, "%s() for %s ended with %s, expected %s. %s", function, name,
               result ? result->text : "nothing", right, why);
}

/* -------------------------------------------------------------------------------- part 1 */

enum outcome { SOLD, SOLD_OUT, REFUSED, CANCELLED_IN_LINE, CANCELLED };

static struct guest {
    const char *name;
    int concert, seats;
    double at, pays;
    bool refused;
    double cancelled_at;  /* 0: not */
    enum outcome outcome; /* these four are what is right */
    double begins, ends;  /* when the guest has the lock; NAN: never */
    int left;
} guests[MOST];
static int guest_count, seats[2];
static const char *const concerts[] = { "jazz", "opera" };

static struct guest *guest(int concert, int wants, double at, double pays)
{
    struct guest *new = &guests[guest_count++];
    *new = (struct guest){
        .name = random_word(), .concert = concert, .seats = wants, .at = at, .pays = pays
    };
    return new;
}

static void begin_evening(int jazz, int opera)
{
    guest_count = 0;
    seats[0] = jazz;
    seats[1] = opera;
}

/* Works out what is right for the guests of a concert, who stand in the order in which they come.
 */
static void simulate(int concert)
{
    double free_at = 0;
    int left = seats[concert];
    for (int i = 0; i < guest_count; i++) {
        struct guest *g = &guests[i];
        if (g->concert != concert)
            continue;
        g->begins = fmax(g->at, free_at);
        if (g->cancelled_at > 0 && g->cancelled_at < g->begins) {
            g->outcome = CANCELLED_IN_LINE;
            g->begins = g->ends = NAN;
            continue;
        }
        double paid = g->begins + LOOKING + g->pays;
        if (left < g->seats) {
            g->outcome = SOLD_OUT;
            g->ends = g->begins + LOOKING;
        } else if (g->cancelled_at > 0) {
            g->outcome = CANCELLED;
            g->ends = g->cancelled_at;
        } else if (g->refused) {
            g->outcome = REFUSED;
            g->ends = paid;
        } else {
            g->outcome = SOLD;
            g->ends = paid + LOOKING;
            g->left = left -= g->seats;
        }
        free_at = g->ends;
    }
}

/* When this guest really gave up the book, as far as one can see. */
static double really_ends(struct run *run, const struct guest *g)
{
    double paid = when_printed(run, g->name, "paid"), refused = when_printed(run, g->name, "refused");
    return !isnan(refused)       ? refused
           : !isnan(paid)        ? fmin(paid + LOOKING, g->cancelled_at > 0 ? g->cancelled_at : INFINITY)
           : g->cancelled_at > 0 ? g->cancelled_at
                                 : 1e9;
}

/* Was one paying while another one of the same concert was? */
static void check_alone(struct run *run)
{
    bool left_the_line = false;
    for (int i = 0; i < guest_count; i++)
        left_the_line |= guests[i].outcome == CANCELLED_IN_LINE;
    for (int i = 0; i < guest_count; i++)
        for (int j = 0; j < guest_count; j++) {
            struct guest *a = &guests[i], *b = &guests[j];
            double first = when_printed(run, a->name, "pays"), second = when_printed(run, b->name, "pays");
            if (a != b && a->concert == b->concert && first < second + 1e-6 &&
                second < really_ends(run, a) - 1e-6)
                reject(run,
                       "A race: at %g s %s paid for %s while %s was not through. Both had seen the "
                       "same "
                       "number in the book, and the second one writes over what the first has "
                       "written. "
                       "From looking to writing one has to hold the lock of the concert%s.",
                       second, b->name, concerts[a->concert], a->name,
                       left_the_line
                           ? ". Somebody was cancelled here while he waited for it: he does not "
                             "have it, so he may not give it back. The line with async_with stands "
                             "below the acquire"
                           : "; a lock that is made anew in each call keeps out nobody");
            if (a != b && a->concert == b->concert && first < second + 1e-6 &&
                second < really_ends(run, a) + LOOKING - 1e-6)
                reject(run,
                       "A race: %s paid for %s at %g s, so the look into the book, which takes %g s, began "
                       "before %s was through: also the looking needs the lock, and the lock is held until "
                       "write_down() has ended.",
                       b->name, concerts[b->concert], second, LOOKING, a->name);
        }
}

/* What is written into the book when this guest has paid, until it is asked for another one. */
static const char *written_for(const struct guest *g)
{
    static char line[100];
    snprintf(line, sizeof line, "%s: %d free", concerts[g->concert], g->left);
    return line;
}

/* Did somebody wait for a concert that was not his? */
static void check_other_concert(struct run *run, const struct guest *g)
{
    double pays = when_printed(run, g->name, "pays");
    const char *written = written_for(g);
    if (g->outcome == SOLD && printed_at(run, g->begins + 2 * LOOKING, written))
        reject(run,
               "\"%s\" at %g s, and %s had not paid yet. A payment may be refused, and then the book would be "
               "wrong: look, let the guest pay, and then write.",
               written, g->begins + 2 * LOOKING, g->name);
    if (g->outcome == SOLD && pays > g->begins + LOOKING + 1e-6)
        reject(run,
               "%s could have looked into the book of %s at %g s, but paid only at %g s. Nobody "
               "else was "
               "at it then: who buys for one concert does not wait for another, and the lock is "
               "free as "
               "soon as somebody is through, in whatever way.",
               g->name, concerts[g->concert], g->begins, pays);
}

/* An old number has more seats in it than there are. */
static void check_old_number(struct run *run, const struct guest *g)
{
    const struct result *result = result_of(run, g->name);
    const char *written = written_for(g);
    if (g->outcome == SOLD && result && printed_at(run, g->ends, written))
        return;
    if (g->outcome == SOLD && result && strtol(result->text, NULL, 10) > g->left)
        reject(run,
               "A race: when %s had paid %s seats were left, says sell(), but there were %d. What "
               "it had "
               "looked up was older than the sale before it: also the looking needs the lock.",
               g->name, result->text, g->left);
}

static void expect_guest(struct run *run, const struct guest *g)
{
    check_old_number(run, g);
    switch (g->outcome) {
    case SOLD:
        expect_outcome(run, "sell", g->name, NULL, g->left,
                       "That is how many seats are left then.");
        break;
    case SOLD_OUT:
        expect_outcome(run, "sell", g->name, "No space left on device", 0,
                       "There were fewer seats than wanted, so ENOSPC is to be raised.");
        break;
    case REFUSED:
        expect_outcome(run, "sell", g->name, "Operation not permitted", 0,
                       "That is what pay() raised: it goes on to the caller.");
        break;
    default:
        expect_outcome(run, "sell", g->name, "CancelledError", 0,
                       "The guest was cancelled. An error that is not ours goes on.");
    }
}

static void will_see(const struct guest *g)
{
    double pays = g->begins + LOOKING, until = g->outcome == CANCELLED ? g->cancelled_at : INFINITY;
    if (g->outcome == CANCELLED_IN_LINE || g->outcome == SOLD_OUT || pays > until)
        return;
    will_print(pays, "%s: pays", g->name);
    if (pays + g->pays > until)
        return;
    will_print(pays + g->pays, "%s: %s", g->name, g->refused ? "refused" : "paid");
    if (g->outcome == SOLD)
        will_print(g->ends, "%s", written_for(g));
}

/* The guest goes away so long after it was his turn. */
static void cancel_after(struct guest *g, double seconds)
{
    simulate(g->concert);
    g->cancelled_at = round(100 * (g->begins + seconds)) / 100;
}

static void try_evening(void)
{
    char inputs[500];
    int n = snprintf(inputs, sizeof inputs, "sell %d %d", seats[0], seats[1]);
    double end = 0;
    simulate(0);
    simulate(1);
    about_deadlock =
        "A lock was taken and not given back. It has to be free again on every way out: also when "
        "the concert is sold out, when the payment is refused, when the guest is cancelled. "
        "async_with(async_lock_exit) does that. And only one acquire for each sale: a lock does "
        "not "
        "know its holder.";
    for (int i = 0; i < guest_count; i++) {
        const struct guest *g = &guests[i];
        n += snprintf(inputs + n, sizeof inputs - n, " %s:%s:%d:%g:%g:%d:%g", concerts[g->concert],
                      g->name, g->seats, g->at, g->pays, g->refused, g->cancelled_at);
        end = fmax(end, isnan(g->ends) ? g->cancelled_at : g->ends);
    }
    struct run *run = stage_run("%s", inputs);
    expect_no_task_left(run, "sell() awaits what it begins.");
    check_alone(run);
    for (int i = 0; i < guest_count; i++) {
        check_other_concert(run, &guests[i]);
        will_see(&guests[i]);
    }
    for (int i = 0; i < guest_count; i++)
        expect_guest(run, &guests[i]);
    expect_unlocked(run, "async_with(async_lock_exit) gives it back on every way out.");
    expect_transcript(
        run, any_order,
        "One after the other looks, pays, and writes; and each as soon as it can be.");
    expect_wakes(run, 5 * guest_count, 10,
                 "async_lock_acquire() waits by itself until the lock is free.");
    expect_seconds(run, end, "Nothing more is to be waited for then.");
}

START_TEST(selling)
{
    begin_evening(random_between(30, 90), 9); /* the race itself */
    guest(0, random_between(1, 9), 0, moment());
    guest(0, random_between(1, 9), 0, moment());
    try_evening();
    begin_evening(10, 9); /* sold out, and then not for one who wants less */
    int taken = random_between(5, 7);
    guest(0, taken, 0, moment());
    guest(0, 10 - taken + 1, 0.1, moment());
    guest(0, random_between(1, 3), 0.2, moment());
    try_evening();
    begin_evening(20, 9); /* refused, and so the next one can have all there is */
    guest(0, random_between(5, 9), 0, moment())->refused = true;
    guest(0, 20, 0.2, moment());
    try_evening();
    begin_evening(60, 9); /* cancelled in the line, at the till, and when looking and writing */
    guest(0, random_between(1, 9), 0, 1 + moment());
    guest(0, random_between(1, 9), 0.1, moment())->cancelled_at = 0.5;
    guest(0, random_between(1, 9), 0.2, moment());
    cancel_after(guest(0, random_between(1, 9), 0.3, 1 + moment()), 0.51);
    cancel_after(guest(0, random_between(1, 9), 0.32, moment()), LOOKING / 2);
    double pays = moment();
    cancel_after(guest(0, random_between(1, 9), 0.34, pays), LOOKING + pays + LOOKING / 2);
    guest(0, random_between(1, 9), 0.4, moment());
    try_evening();
    begin_evening(30, 30); /* two concerts at once; the last one goes away */
    guest(0, random_between(1, 9), 0, 2 + moment());
    guest(1, random_between(1, 9), 0.12, moment());
    guest(1, random_between(1, 9), 0.2, moment());
    guest(0, random_between(1, 9), 0.3, moment())->refused = true;
    guest(1, 29, 0.4, moment());
    try_evening();
}
END_TEST

/* -------------------------------------------------------------------------------- part 2 */

static struct ticket {
    const char *name;
    double seconds, begins;
    bool jams;
} tickets[MOST];
static int ticket_count, jammed;

/* Whoever stands first gets the printer that is free first. Returns when all is done, or NAN if two
 * printers were free at the same time. */
static double simulate_printers(int printers)
{
    double free_at[MOST] = { 0 }, end = 0;
    for (int i = 0; i < ticket_count; i++) {
        int best = 0;
        for (int k = 1; k < printers; k++) {
            if (i >= printers && same_time(free_at[k], free_at[best]))
                return NAN;
            if (free_at[k] < free_at[best])
                best = k;
        }
        tickets[i].begins = free_at[best];
        free_at[best] += tickets[i].seconds;
        end = fmax(end, free_at[best]);
    }
    return end;
}

/* As many at once as there are printers, and the next ones when all of these are done. */
static double in_batches(int printers)
{
    double end = 0;
    for (int i = 0; i < ticket_count; i += printers) {
        double longest = 0;
        for (int k = i; k < i + printers && k < ticket_count; k++)
            longest = fmax(longest, tickets[k].seconds);
        end += longest;
    }
    return end;
}

static double make_tickets(int many, int jams, int printers)
{
    double right;
    ticket_count = many;
    jammed = jams;
    for (int i = 0; i < many; i++)
        tickets[i] = (struct ticket){ .name = random_word(), .jams = i < jams };
    do {
        for (int i = 0; i < many; i++)
            tickets[i].seconds = moment();
        right = simulate_printers(printers);
    } while (isnan(right) ||
             (printers > 1 && many > printers && same_time(right, in_batches(printers))));
    return right;
}

static struct run *run_printers(const char *what, int printers)
{
    char inputs[500];
    int n = snprintf(inputs, sizeof inputs, "%s %d", what, printers);
    for (int i = 0; i < ticket_count; i++)
        n += snprintf(inputs + n, sizeof inputs - n, " %s:%s:%g", tickets[i].jams ? "jams" : "prints",
                      tickets[i].name, tickets[i].seconds);
    about_deadlock =
        "A printer was taken and not given back: is the semaphore released on every way out, also "
        "when a printer jams? async_with(async_semaphore_exit) does that.";
    return stage_run("%s", inputs);
}

static int most_at_once(struct run *run)
{
    int most = 0;
    for (int i = 0; i < ticket_count; i++) {
        double at = when_printed(run, tickets[i].name, "printing");
        int now = 0;
        for (int k = 0; k < ticket_count; k++) {
            double begins = when_printed(run, tickets[k].name, "printing");
            now += begins < at + 1e-6 && begins + tickets[k].seconds > at + 1e-6;
        }
        most = now > most ? now : most;
    }
    return most;
}

static void will_be_printed(void)
{
    for (int i = 0; i < ticket_count; i++) {
        will_print(tickets[i].begins, "%s: printing", tickets[i].name);
        will_print(tickets[i].begins + tickets[i].seconds, "%s: %s", tickets[i].name,
                   tickets[i].jams ? "jammed" : "printed");
    }
}

static void try_printers(int many, int jams, int printers)
{
    double right = make_tickets(many, jams, printers), sum = 0;
    struct run *run = run_printers("print_all", printers);
    const struct result *result = result_of(run, "print_all");
    for (int i = 0; i < many; i++)
        sum += tickets[i].seconds;
    if (result && strcmp(result->kind, "error") == 0)
        reject(run,
               "print_all() ended with an error: %s. A printer that jams (EIO) is no reason to "
               "stop the "
               "others: look at the error (async_catch()), and pass over it.",
               result->text);
    expect_no_task_left(run, "print_all() waits for every ticket.");
    int most = most_at_once(run);
    if (most > printers)
        reject(run,
               "%d tickets were being printed at the same time, and there are %d printers. A "
               "semaphore with "
               "so many permits, and each ticket acquires one before it is printed.",
               most, printers);
    if (many > 1 && printers > 1)
        mistaken_seconds(run, sum, right,
                         "one ticket after the other, although there are more printers. All begin "
                         "at once, and wait for a printer.");
    if (many > printers && printers > 1)
        mistaken_seconds(
            run, in_batches(printers), right,
            "the next ones began only when all of those before were done. A printer that is "
            "free takes the next ticket, whatever the others do.");
    will_be_printed();
    expect_transcript(run, any_order,
                      "Each begins as soon as a printer is free, in the order of the list.");
    expect_wakes(run, many, 5, "async_semaphore_acquire() waits by itself until one is free.");
    expect_number(run, "print_all", many - jams,
                  "That is how many were printed; not those that jammed.");
    expect_seconds(run, right, "It is over with the last ticket.");
}

/* The first three with one printer, and at the same time the others with two. */
static void try_two_lists(void)
{
    const char *why = "Two lists are printed at the same time, each with printers of its own. What "
                      "belongs to one call lies in its local variables: a static one is there once, "
                      "for all of them.";
    struct ticket first[3];
    double end = make_tickets(3, 1, 1);
    memcpy(first, tickets, sizeof first);
    end = fmax(end, make_tickets(5, 0, 2));
    memmove(tickets + 3, tickets, 5 * sizeof *tickets);
    memcpy(tickets, first, sizeof first);
    ticket_count = 8;
    struct run *run = run_printers("two_lists 3 1", 2);
    will_be_printed();
    expect_transcript(run, any_order, why);
    expect_number(run, "print_all", 2, why);
    expect_number(run, "other_print_all", 5, why);
    expect_seconds(run, end, why);
}

START_TEST(printing)
{
    try_printers(MOST, 0, 3);
    try_printers(random_between(6, 8), 0, 2);
    try_printers(random_between(7, 9), 3, random_between(2, 3));
    try_printers(4, 1, 1);
    try_printers(3, 0, 6);
    try_printers(1, 1, 1);
    try_two_lists();
    make_tickets(8, 0, 2);
    struct run *run = run_printers("@0.2 print_all", 2);
    expect_no_task_left(
        run, "print_all() was cancelled, and has ended, and its tickets go on without it. A gather "
             "that is cancelled cancels all that it waits for; other tasks you have to cancel.");
    expect_cancelled(run, "print_all");
    expect_seconds(run, 0.2, "Cancelled, all of it ends at once.");
}
END_TEST

/* -------------------------------------------------------------------------------- part 3 */

/* What happens to the list, in the order of time. */
static struct step {
    char name[32]; /* "+" gives seats back, "!" begins; else somebody who waits */
    double at, cancelled_at;
    int seats;
    double over;     /* what is right: when, ... */
    const char *how; /* ... and "has seats", "too late" or "gone" */
    int left;
} steps[MOST];
static int step_count;

static struct step *step(const char *name, double at, int many)
{
    struct step *new = &steps[step_count++];
    *new = (struct step){ .at = at, .seats = many };
    snprintf(new->name, sizeof new->name, "%s", name);
    return new;
}

static bool waits(const struct step *s)
{
    return strcmp(s->name, "+") != 0 && strcmp(s->name, "!") != 0;
}

/* Gives what there is at this time to those who wait, longest first. */
static int serve(double at, int left, bool closed)
{
    for (int i = 0; i < step_count; i++) {
        struct step *s = &steps[i];
        if (!waits(s) || s->at > at + 1e-9 || s->how)
            continue;
        bool gone = s->cancelled_at > 0 && s->cancelled_at < at;
        if (!gone && !closed && left < s->seats)
            continue;
        s->over = gone ? s->cancelled_at : at;
        s->how = gone ? "gone" : closed ? "too late" : "has seats";
        if (!gone && !closed)
            s->left = left -= s->seats;
    }
    return left;
}

static void simulate_list(void)
{
    int left = 0;
    bool closed = false;
    for (int i = 0; i < step_count; i++) {
        left += strcmp(steps[i].name, "+") == 0 ? steps[i].seats : 0;
        closed |= strcmp(steps[i].name, "!") == 0;
        left = serve(steps[i].at, left, closed);
    }
}

static void check_told(struct run *run, const struct step *s)
{
    const struct result *result = result_of(run, s->name);
    if (result && strcmp(result->kind, "number") == 0 && strtol(result->text, NULL, 10) < 0)
        reject(run,
               "wait_for_seats() for %s took %d seats, and then %s were left. To be woken only "
               "means that "
               "something has changed, and not that it is enough: ask again, each time "
               "(async_condition_wait_for() does that).",
               s->name, s->seats, result->text);
    double got = when_printed(run, s->name, "has seats");
    if (!strcmp(s->how, "has seats") && (isnan(got) || got > s->over + 1e-6))
        reject(
            run,
            "At %g s there were seats enough for %s, who wanted %d, but wait_for_seats() did not "
            "return "
            "then. Who gives seats back has to tell all who wait (async_condition_notify_all()): "
            "the first of them may want more than there is, and another one less.",
            s->over, s->name, s->seats);
    if (got < s->over - 1e-6 || (!isnan(got) && strcmp(s->how, "has seats") != 0))
        reject(run,
               "%s wanted %d seats and had them at %g s, when there were not so many. Take them "
               "only when "
               "there are as many as are wanted, and the concert has not begun.",
               s->name, s->seats, got);
    if (!strcmp(s->how, "gone") && ended_well(run, s->name))
        reject(run,
               "%s was cancelled at %g s, and yet wait_for_seats() ended as if nothing had "
               "happened: a "
               "swallowed cancellation.",
               s->name, s->cancelled_at);
}

static void try_list(void)
{
    char inputs[500];
    int n = snprintf(inputs, sizeof inputs, "waiting");
    double end = 0;
    simulate_list();
    about_deadlock =
        "Somebody waits for seats and is never told, or a lock was not given back. begin_concert() "
        "tells all who wait (async_condition_notify_all()), and each of them asks whether the "
        "concert "
        "has begun; async_with(async_condition_exit) gives the lock back on every way out.";
    for (int i = 0; i < step_count; i++) {
        n += snprintf(inputs + n, sizeof inputs - n, " %s:%g:%d:%g", steps[i].name, steps[i].at,
                      steps[i].seats, steps[i].cancelled_at);
        end = fmax(end, waits(&steps[i]) ? steps[i].over : steps[i].at);
    }
    struct run *run = stage_run("%s", inputs);
    expect_no_task_left(run, "None of these three needs a task.");
    expect_wakes(run, 2 * step_count, 4,
                 "Who sleeps a little and looks again is late and never at rest. A condition wakes "
                 "those who "
                 "wait when something has changed.");
    for (int i = 0; i < step_count; i++)
        if (waits(&steps[i]))
            check_told(run, &steps[i]);
    for (int i = 0; i < step_count; i++) {
        const struct step *s = &steps[i];
        if (!waits(s))
            continue;
        will_print(s->over, "%s: %s", s->name, s->how);
        if (!strcmp(s->how, "has seats"))
            expect_outcome(run, "wait_for_seats", s->name, NULL, s->left,
                           "So many are left when those that one has are taken off.");
        else
            expect_outcome(
                run, "wait_for_seats", s->name, *s->how == 't' ? "Error" : "CancelledError", 0,
                *s->how == 't' ? "The concert has begun: TOO_LATE." : "It was cancelled.");
    }
    expect_unlocked(run, "async_with(async_condition_exit) gives it back on every way out.");
    expect_transcript(run, any_order,
                      "Who has waited longest is asked first; nobody who can have seats waits.");
    expect_seconds(run, end, "Nothing more is to be waited for then.");
}

/* It is cancelled while somebody else has the lock of the condition. */
static void try_held(const char *function)
{
    about_deadlock = "It was cancelled while it waited for the lock of the condition, and went on all the "
                     "same: the error with which that acquire ends is to be passed on.";
    struct run *run = stage_run("held %s", function);
    const struct result *locked = result_of(run, "locked");
    if (locked && strcmp(locked->text, "1") != 0)
        reject(run,
               "%s() was cancelled while it waited for the lock of the condition, which somebody else "
               "held, and then that lock was free. Who has not got a lock may not give it back: an "
               "acquire that fails ends the function, and the line with async_with stands below it.",
               function);
    if (*function == 'w' && ended_well(run, function))
        reject(run, "%s() was cancelled while it waited, and yet it ended as if nothing had happened: a "
                    "swallowed cancellation.",
               function);
}

START_TEST(waiting)
{
    int few = random_between(1, 3), many = random_between(6, 9);
    double t = moment();
    step_count = 0; /* they come back, all of them */
    step(random_word(), 0, many);
    step("+", t, many + few);
    step(random_word(), t + 1, few);
    step("!", t + 2, 0);
    try_list();
    step_count = 0; /* enough for the second only, then for the first */
    step(random_word(), 0, many);
    step(random_word(), 0.1, few);
    step(random_word(), 0.2, few + 1);
    step("+", t + 0.3, few + 1);
    step("+", t + 1.3, few + 1);
    step("+", t + 2.3, many);
    step("!", t + 3.3, 0);
    try_list();
    step_count = 0; /* enough for the last only */
    for (int i = 0; i < 3; i++)
        step(random_word(), 0.1 * i, many);
    step(random_word(), 0.3, 1);
    step("+", t + 0.4, 1);
    step("!", t + 1.4, 0);
    try_list();
    step_count = 0; /* two want the same; one goes away; one comes too late */
    step(random_word(), 0, few);
    step(random_word(), 0.1, few)->cancelled_at = t + 0.5;
    step(random_word(), 0.2, few);
    step(random_word(), 0.25, many);
    step("+", t + 0.3, few);
    step("+", t + 1, few);
    step("!", t + 2, 0);
    step(random_word(), t + 3, few);
    try_list();
    step_count = 0; /* nothing comes back */
    for (int i = 0; i < 3; i++)
        step(random_word(), 0.1 * i, random_between(1, 9));
    step("!", t + 1, 0);
    step("+", t + 2, many);
    step(random_word(), t + 3, few);
    try_list();
    try_held("wait_for_seats");
    try_held("give_back");
    try_held("begin_concert");
}
END_TEST

int main(int argc, char **argv)
{
    grader_open(argc, argv);
    shown_as("sell", "jazz.free = %1, opera.free = %2: %*3");
    shown_as("jazz", "at %3 s sell(&jazz, {'%1', %2, %4, %?5})<, cancelled at %6 s>");
    shown_as("opera", "at %3 s sell(&opera, {'%1', %2, %4, %?5})<, cancelled at %6 s>");
    shown_as("print_all", "await(async_coro(print_all, tickets, %#2, %1)), tickets = {%*2}");
    shown_as("two_lists",
             "two print_all at once, the first %1 tickets with %2, the others with %3, tickets = {%*4}");
    shown_as("prints", "{'%1', %2, false}");
    shown_as("jams", "{'%1', %2, true}");
    shown_as("waiting", "%*1");
    shown_as("+", "at %1 s give_back(&list, %2)");
    shown_as("!", "at %1 s begin_concert(&list)");
    shown_as("held", "%1() is cancelled while somebody else has the lock of list.changed");
    shown_as("*", "at %1 s %0 calls wait_for_seats(&list, %2)<, cancelled at %3 s>");
    part(3, "looking, paying, writing, and nobody in between", selling);
    part(2, "many tickets, few printers", printing);
    part(3, "told when something has changed", waiting);
    return grader_close();
}
