#!/bin/sh
# debug.sh - debug mode changes no order of events: with it the programs of corpus/ print the same.
cd "$(dirname "$0")/../.." || exit 1
ASYNC_DEBUG=1 exec "${BUILD:-build}/runtime/tests/test_corpus"
