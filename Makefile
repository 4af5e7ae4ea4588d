# evlings: `make` lists what it can do. Lessons, exercises and tests are found by wildcards: adding
# one edits nothing here.

CC      ?= cc
CFLAGS  ?= -O2 -g
BUILD   ?= build
WARN     = -Wall -Wextra -Werror=return-type
FLAGS    = -std=gnu11 $(WARN) $(CFLAGS) $(EXTRA) -Iruntime
LIBS     = $(EXTRA) -lev -lm -pthread
CHECK    = $(shell pkg-config --libs check 2>/dev/null || echo -lcheck)

RUNTIME  = $(wildcard runtime/*.c runtime/*.S)
OBJECTS  = $(RUNTIME:%=$(BUILD)/%.o)
LIB      = $(BUILD)/libasync.a
LESSONS  = $(patsubst %.c,$(BUILD)/%,$(wildcard lessons/*/*.c))
TESTS    = $(patsubst %.c,$(BUILD)/%,$(wildcard runtime/tests/test_*.c))
NUMBERED = lesson read exercise grade hint solution reset

help: ## list these commands
	@sed -n 's/^\([a-zA-Z][^:]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | sed 's/-%/-N/' \
	 | awk -F'|' '{ printf "  make %-14s %s\n", $$1, $$2 }'

lessons: $(LESSONS) ## build every lesson's programs

test: $(TESTS) ## run every test
	@for t in $(TESTS); do echo "== $$t"; $$t || exit 1; done

clean: ## remove what was built
	rm -rf $(BUILD)

# ------------------------------------------------------------------------------ how it is built

$(LIB): $(OBJECTS)
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/runtime/%.c.o: runtime/%.c
	@mkdir -p $(@D)
	$(CC) $(FLAGS) -DASYNC_RUNTIME -MMD -c $< -o $@

$(BUILD)/runtime/%.S.o: runtime/%.S
	@mkdir -p $(@D)
	$(CC) $(EXTRA) -c $< -o $@

$(BUILD)/lessons/%: lessons/%.c $(LIB)
	@mkdir -p $(@D)
	$(CC) $(FLAGS) -MMD $< $(LIB) $(LIBS) -o $@

$(BUILD)/runtime/tests/%: runtime/tests/%.c $(LIB)
	@mkdir -p $(@D)
	$(CC) $(FLAGS) -MMD $< $(LIB) $(CHECK) $(LIBS) -o $@

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

.PHONY: help lessons test clean
.DELETE_ON_ERROR:
