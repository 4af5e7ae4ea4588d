/* http_client - asks real servers for http.sh: http_client [OPTION=VALUE...] [NxURL | URL...]
 *
 * All at once. Prints a line for each outcome and how often it came: "3 x 200, 1234 bytes", or
 * "1 x No such file or directory: GET http://...: ...". Options: the numbers of struct
 * async_http_options, ca_file, cancel=SECONDS (after which everything is cancelled) and together=N
 * (so many requests for each URL). The last line is how many descriptors are left open: "0 left".
 */
#include "http.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct async_http_options options;
static double cancel_after;
static int together = 1;

static struct outcome {
    char text[1024];
    int count;
} outcomes[64];

static void note(const char *text)
{
    for (int i = 0; i < 64; i++)
        if (!outcomes[i].count || strcmp(outcomes[i].text, text) == 0) {
            snprintf(outcomes[i].text, sizeof outcomes[i].text, "%s", text);
            outcomes[i].count++;
            return;
        }
}

struct fetch { async_http_session *session; const char *url; };
static async_value fetch(void *p)
{
    struct fetch *args = p;
    char text[1024];
    size_t length;
    async_value v = async_catch(async_http_get(args->session, args->url));
    if (v.error) {
        snprintf(text, sizeof text, "%s: %s", async_error_name(v.error),
                 v.message ? v.message : "");
    } else {
        async_with(async_http_response_exit) async_http_response *response = v.ptr;
        async_http_text(response, &length);
        snprintf(text, sizeof text, "%ld, %zu bytes", async_http_status(response), length);
    }
    note(text);
    return v.error == ASYNC_CANCELLED ? v : async_none;
}

static int descriptors(void)
{
    int n = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (dir && readdir(dir))
        n++;
    if (dir)
        closedir(dir);
    return n;
}

struct fetch_all { char **urls; int count; };
static async_value fetch_all(void *p)
{
    struct fetch_all *args = p;
    async_with(async_http_session_exit) async_http_session *session =
        async_http_session_make(&options);
    size_t count = (size_t)args->count * together;
    async_awaitable *all = async_alloc(count * sizeof *all);
    for (size_t i = 0; i < count; i++)
        all[i] = async_coro(fetch, session, args->urls[i / together]);
    async_value v = async_catch(async_wait_for(async_gather_list(NULL, all, count, true),
                                               cancel_after ? cancel_after : ASYNC_NO_TIMEOUT));
    return v.error == ASYNC_TIMEOUT ? async_none : v;
}

static void option(const char *name, const char *value)
{
    double number = strtod(value, NULL);
    if (strcmp(name, "timeout") == 0)
        options.timeout = number;
    else if (strcmp(name, "connect_timeout") == 0)
        options.connect_timeout = number;
    else if (strcmp(name, "limit") == 0)
        options.limit = number;
    else if (strcmp(name, "max_redirects") == 0)
        options.max_redirects = number;
    else if (strcmp(name, "max_size") == 0)
        options.max_size = number;
    else if (strcmp(name, "ca_file") == 0)
        options.ca_file = value;
    else if (strcmp(name, "cancel") == 0)
        cancel_after = number;
    else if (strcmp(name, "together") == 0)
        together = number;
}

int main(int argc, char **argv)
{
    int first = 1, before = descriptors();
    for (; first < argc && strchr(argv[first], '=') && !strchr(argv[first], '/'); first++) {
        *strchr(argv[first], '=') = '\0';
        option(argv[first], argv[first] + strlen(argv[first]) + 1);
    }
    for (; first < argc && strncmp(argv[first], "ca_file=", 8) == 0; first++)
        options.ca_file = argv[first] + 8;
    int status = async_main(async_coro(fetch_all, argv + first, argc - first));
    for (int i = 0; i < 64 && outcomes[i].count; i++)
        printf("%d x %s\n", outcomes[i].count, outcomes[i].text);
    printf("%d left\n", descriptors() - before);
    return status;
}
