#include "http.h"
#include <curl/curl.h>
int async_http_x(void) { return curl_global_init(0); }
