/* grader_run.h - what a run left behind, between the files that start, read and judge it. */
#ifndef GRADER_RUN_H
#define GRADER_RUN_H

#include "grader.h"

#define MOST_OUTPUT (1024 * 1024)       /* bytes, of each file; to write more ends the stage */

#define CPU_SECONDS 5                   /* the stage itself gives up earlier, if it still can */

struct raw {
    char nonce[40];
    bool in_time;                       /* it ended; or else all of it slept for too long */
    int status;                         /* as wait4 gives it */
    char out[MOST_OUTPUT], err[MOST_OUTPUT], report[MOST_OUTPUT];
    size_t out_length;

    /* From the report: */
    bool ready;                         /* the stage was set up; what came then is the student's */
    bool complete;                      /* its last line gave the nonce back */
    size_t end;                         /* how much output there was then */
    const char *gave_up;                /* stuck, busy or overtime, or NULL */
    int crash;                          /* the signal that the stage got, or 0 */
    const char *task;                   /* that ran when the stage gave up or crashed; "-": none */
    const char *hog;                    /* the task that computed for long without a pause, or NULL */
    const char *blocked;                /* the first call that blocks, or NULL */
    double blocked_seconds;
    const char *blocked_at;             /* its address */
    const char *frames[MOST_FRAMES];    /* addresses, innermost first */
    int frame_count;
};

void run_read(struct run *run, struct raw *raw);
void run_judge(struct run *run, struct raw *raw);
void judge_memory(struct run *run);     /* a part of it */
bool memory_is_sound(const char *said); /* by a stage with AddressSanitizer: would that find nothing to reject? */

/* In the second pass, in which AddressSanitizer makes each process dear: all runs of the first pass, which are in
 * `list`, in one. If it found nothing there is nothing to say; otherwise each is looked at alone. */
bool runs_are_sound(int list);

/* Where in the student's file the first of these addresses is that lies there: " in make_toast
 * (exercise.c:12)", or "" if that cannot be found out. */
const char *student_place(const char *const *addresses, int count);

/* What went wrong is ours and not the student's: ends the grading without a score. */
__attribute__((noreturn))
void grader_cannot(const char *format, ...) PRINTF(1, 2);
#define NOT_JUDGED 2            /* how a grader then exits */

extern int grader_timeouts;     /* so far; after two we stop trying */
const char *grader_stage(void);
bool grader_watches_memory(void);   /* this is the second pass, in which all takes longer */
#define MOST_WORDS 64
#define MOST_RUNS (1024 * 1024)         /* bytes of the words of all runs */
const char *grader_picture(void);   /* a line that says how to have the run of this part drawn, or "" */
const char *grader_base(void);      /* what this part builds on and has to be repaired first, or NULL */
void grader_failed(void);           /* this part */
void grader_remember(const char *inputs);       /* of a run, to be shown, or run again */
void grader_split(char *inputs, char **words);  /* into MOST_WORDS at most, and NULL */
void grader_open_report(void);      /* what a stage needs to run without a grader's eyes, as 3 and 4 */
void grader_new_inputs(void);   /* the bags of random_word and random_seconds are full again */

const char *case_of(const struct run *run);     /* its inputs as a call in C */

/* Text of the student's for the eyes of a reader: control characters are spelled out. */
const char *visible(const char *text, char *to, size_t size);

#endif
