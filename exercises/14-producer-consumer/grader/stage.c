/* stage.c - calls what the student wrote with the inputs of this run. */
#include "exercise.h"
#include "stage.h"
#include <stdio.h>

#define MOST_PHOTOS 32

/* Cancels an import after some time; then looks whether anything of it goes on. */
struct interrupted { struct import_album what; double after; };
static async_value interrupted(void *p)
{
    struct interrupted *args = p;
    async_task task = async_create_task_named(async_coro(import_album, args->what.photos,
                                                         args->what.count, args->what.workers,
                                                         args->what.capacity), "import_album");
    await(async_sleep(args->after));
    async_cancel_msg(task, "interrupted");
    async_value ended = async_catch(task);
    printf("(ended)\n");
    stage_number("import_album", ended);
    await(async_sleep(30));
    return async_none;
}

/* Whoever has been cancelled in the end is given time for it: the first part does not ask to wait for that. */
struct copy { struct copy_album what; };
static async_value copy(void *p)
{
    struct copy_album *args = &((struct copy *)p)->what;
    async_value copied = async_catch(async_coro(copy_album, args->photos, args->count, args->capacity));
    for (int i = 0; i < 10; i++)
        await(async_sleep(0));
    return copied;
}

int main(int argc, char **argv)
{
    struct photo photos[MOST_PHOTOS];
    char names[MOST_PHOTOS][32];
    stage_open(argc, argv);
    size_t count = 0;           /* PART AFTER WORKERS CAPACITY, then a word for each photo */
    double after = stage_real(1);
    long workers = stage_integer(2), capacity = stage_integer(3);
    for (int i = 4; i < stage_words() && count < MOST_PHOTOS; i++) {
        struct photo *photo = &photos[count];
        int broken;
        if (sscanf(stage_word(i), "%31[^:]:%lf:%lf:%lf:%d", names[count], &photo->read,
                   &photo->shrink, &photo->store, &broken) != 5)
            continue;
        photo->name = names[count++];
        photo->broken = broken;
    }
    struct import_album import = { photos, count, workers, capacity };
    struct copy_album copying = { photos, count, capacity };
    if (stage_part("copy_album"))
        stage_number("copy_album", stage_run(async_coro(copy, copying)));
    if (stage_part("shrink_album"))
        stage_number("shrink_album", stage_run(async_coro(shrink_album, photos, count, workers)));
    if (stage_part("import_album"))
        stage_number("import_album", stage_run(async_coro(import_album, photos, count, workers,
                                                          capacity)));
    if (stage_part("interrupted"))
        stage_outcome("interrupted", stage_run(async_coro(interrupted, import, after)));
    return stage_close();
}
