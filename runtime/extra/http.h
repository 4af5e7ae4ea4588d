#include "async.h"
int async_http_x(void);
