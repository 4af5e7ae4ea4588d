#include "http.h"
int main(void) { return async_http_x(); }
