# evlings: `make` lists what it can do. Lessons, exercises and tests are found by wildcards: adding
# one edits nothing here. BUILD=dir builds elsewhere, CC=clang with another compiler, EXTRA=... adds
# flags, V=1 shows the commands.

CC      ?= cc
CFLAGS  ?= -O2
BUILD   ?= build
WARN     = -Wall -Wextra -Werror=return-type
FLAGS    = -std=gnu11 $(WARN) -gdwarf-4 -fno-optimize-sibling-calls $(CFLAGS) $(EXTRA)
PYTHON  ?= python3
LIBS     = $(EXTRA) -lev -lm -pthread
CHECK    = $(EXTRA) $(shell pkg-config --libs check 2>/dev/null || echo -lcheck)
SETTINGS = $(strip $(CC) $(FLAGS))
export CC CFLAGS EXTRA BUILD FLAGS LIBS SETTINGS FROM LEVEL DB

ROOMS    = core sync many io debug
RUNTIME  = $(foreach room,$(ROOMS),$(wildcard runtime/$(room)/*.c runtime/$(room)/*.S))
LIB      = $(BUILD)/libasync.a
LESSONS  = $(patsubst %.c,$(BUILD)/%,$(wildcard lessons/*/*.c))
GRADERS  = $(patsubst %.c,$(BUILD)/%,$(wildcard exercises/*/grader.c))
SOLVED   = $(patsubst %.c,$(BUILD)/%,$(wildcard solutions/*/*.c))
TESTS    = $(patsubst %.c,$(BUILD)/%,$(wildcard runtime/tests/*.c))
BENCHES  = $(patsubst %.c,$(BUILD)/%,$(wildcard runtime/bench/*.c))
GRADING  = $(patsubst %.c,$(BUILD)/%.o,$(wildcard tools/grader*.c))

comma   := ,
# Of lesson or exercise N, which may be written 4 or 04: what its commands need.
two      = $(if $(filter 1 2 3 4 5 6 7 8 9,$1),0$1,$1)
programs = $(patsubst %.c,$(BUILD)/%,$(wildcard lessons/$(call two,$1)-*/*.c))
grader   = $(patsubst %.c,$(BUILD)/%,$(wildcard exercises/$(call two,$1)-*/grader.c))
room     = $(dir $(wildcard exercises/$(call two,$1)-*/grader.c))
stage    = $(if $(call grader,$1),$(LIB) $(BUILD)/tools/stage.o $(dir $(call grader,$1))stage.o \
             $(call bridges,$(call room,$1)))

# Bridges to other people's libraries, runtime/extra/NAME.[ch], are for programs that include "NAME.h":
# USES says "NAME:file" for each. Of a source, or of a room with its last /: the objects to link with.
# A bridge may have several files: NAME.c and NAME_*.c.
NAMES   := $(basename $(notdir $(wildcard runtime/extra/*.libs)))
pieces   = $(patsubst %,$(BUILD)/%.o,$(wildcard runtime/extra/$1.c runtime/extra/$1_*.c))
OBJECTS  = $(foreach x,$(NAMES),$(call pieces,$x))
COMMON   = $(filter-out $(OBJECTS),$(patsubst %,$(BUILD)/%.o,$(wildcard runtime/extra/*.c)))
USES    := $(foreach x,$(NAMES),$(addprefix $x:,$(shell \
             grep -l '^\#include "$x\.h"' lessons/*/*.c exercises/*/*.[ch] runtime/extra/*.c runtime/tests/*.c runtime/bench/*.c)))
bridges  = $(sort $(foreach u,$(USES),$(if $(findstring :$1,$u),\
             $(call pieces,$(firstword $(subst :, ,$u))) $(BUILD)/libextra.a)))
# Without those whose library is missing here: one lesson less is no reason to have none.
lacking  = $(foreach x,$(shell CC='$(CC)' BUILD='$(BUILD)' sh tools/extra.sh lacking),\
             $(patsubst $x:%,%,$(filter $x:%,$(USES))))
able     = $(filter-out $(foreach f,$(lacking),$(BUILD)/$(basename $f) \
             $(BUILD)/$(patsubst exercises/%,solutions/%,$(dir $f))exercise),$1)

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z%-]+:.*## / { sub("-%", "-N", $$1); \
	 printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

deps: ## install what lessons and exercises need, if it is missing
	@sh tools/deps.sh install

deps-dev: deps ## install what the tests need, too
	@sh tools/deps.sh install-dev

.SECONDEXPANSION:
lesson-%: $$(call programs,$$*) FORCE ## build and run the programs of lesson N
	@sh tools/evlings.sh lesson $*

timeline-%: $$(if $$(FROM),$$(LIB) $$(call bridges,$$(call room,$$*)),$$(call programs,$$*)) $(BUILD)/tools/timeline FORCE ## draw what the programs of lesson N do when (FROM=dir: dir/exercise.c)
	@sh tools/evlings.sh timeline $*

read-%: FORCE ## read the chapter of lesson N
	@sh tools/evlings.sh read $*

exercise-%: $$(if $$(call grader,$$*),$(LIB) $$(call bridges,$$(call room,$$*))) FORCE ## build and run your program for exercise N
	@sh tools/evlings.sh exercise $*

grade-%: $$(call grader,$$*) $$(call stage,$$*) FORCE ## grade exercise N (FROM=dir: dir/exercise.c)
	@sh tools/evlings.sh grade $*

hint-%: FORCE ## a hint for exercise N; each time one more (LEVEL=2: that one)
	@sh tools/evlings.sh hint $*

solution-%: FORCE ## show a solution of exercise N
	@sh tools/evlings.sh solution $*

reset-%: FORCE ## start exercise N afresh; what you wrote is kept beside it
	@sh tools/evlings.sh reset $*

# Without a number: which there are.
lesson timeline read exercise grade hint solution reset: FORCE
	@sh tools/evlings.sh $@ ''

test: $(filter deps deps-dev,$(MAKECMDGOALS)) ## run the tests
	@sh tools/test.sh

test-all: $(filter deps deps-dev,$(MAKECMDGOALS)) ## the same with gcc and clang, sanitizers, valgrind
	@sh tools/test.sh all

conform: $(BUILD)/runtime/tests/conform ## compare random programs with asyncio (SEED=1 COUNT=5000)
	@if command -v $(PYTHON) >/dev/null; then \
	 $(PYTHON) runtime/tests/fuzz/conform.py --build $(BUILD) $(SEED:%=--seed %) $(COUNT:%=--count %) \
	  $(PROFILE:%=--profile %) $(JOBS:%=--jobs %) $(if $(FEATURES),--features '$(FEATURES)'); \
	 else echo "skipped: there is no $(PYTHON) whose asyncio we could be compared with"; fi

lessons: $$(call able,$$(LESSONS)) ## build all programs of all lessons

all: $$(call able,$$(LESSONS) $$(SOLVED) $$(TESTS)) $(GRADERS) $(BENCHES) $(BUILD)/tools/stage.o $(BUILD)/tools/timeline ## build all that there is

stubs: ## for authors: what exercises/*/exercise.c hold now is what reset brings back
	@sh tools/evlings.sh stubs

timelines: lessons $(BUILD)/tools/timeline ## for authors: draw the timelines that chapters show
	@sh tools/timelines.sh write

clean: ## remove what was built
	rm -rf $(BUILD)

# ------------------------------------------------------------------------------ how it is built

# Begins a command that makes a file: its directory, and a word about it.
DO = @mkdir -p $(@D) && $(if $(V),set -x,echo "  making $@" >&2) &&

# What programs may include, and the bridges among what they are made from, with their libraries.
INCLUDE  = -Iruntime -Iruntime/extra
BRIDGES  = $$(sh tools/extra.sh link $(patsubst solutions/%,exercises/%,$(if $(filter solutions/%,$<),$(<D),$<)))

# Rewritten when the compiler or its flags change, and then everything is built again. Before that
# it makes sure that there is a compiler, libev, and room to write.
$(BUILD)/settings: $(filter deps deps-dev,$(MAKECMDGOALS)) FORCE
	@sh tools/deps.sh settings

$(BUILD)/have-%: | $(BUILD)/settings
	@sh tools/deps.sh need $* && touch $@

$(LIB): $(RUNTIME:%=$(BUILD)/%.o)
	$(DO) rm -f $@ && ar rcs $@ $^

$(BUILD)/runtime/%.c.o: runtime/%.c $(BUILD)/settings
	$(DO) $(CC) $(FLAGS) $(OWN) -Iruntime -DASYNC_RUNTIME -MMD -MP -c $< -o $@

$(BUILD)/runtime/core/outside.c.o: private OWN = -fno-strict-aliasing   # ev.h sees one struct as another

# A bridge knows its library, and that has to be there.
$(OBJECTS): $(BUILD)/runtime/extra/%.c.o: runtime/extra/%.c $(BUILD)/settings \
 | $$(BUILD)/have-$$(shell cut -d' ' -f1 runtime/extra/$$(firstword $$(subst _, ,$$*)).libs)
	$(DO) $(CC) $(FLAGS) -Iruntime -DASYNC_RUNTIME $$(sh tools/extra.sh flags $(firstword $(subst _, ,$*))) -MMD -MP -c $< -o $@

$(BUILD)/libextra.a: $(COMMON)
	$(DO) rm -f $@ && ar rcs $@ $^

$(BUILD)/runtime/%.S.o: runtime/%.S $(BUILD)/settings
	$(DO) $(CC) $(EXTRA) -c $< -o $@

$(BUILD)/runtime/%: runtime/%.c $$(call bridges,runtime/$$*.c) $(LIB) | $(BUILD)/have-check
	$(DO) $(CC) $(FLAGS) $(INCLUDE) -MMD -MP $< $(BRIDGES) $(LIB) $(CHECK) $(LIBS) -o $@

# In this one every way to get memory can fail on demand.
$(BUILD)/runtime/tests/faults: CHECK += $(addprefix -Wl$(comma)--wrap=,malloc calloc realloc free \
	aligned_alloc strdup mmap object_new stack_take)

$(BUILD)/lessons/%: lessons/%.c $$(call bridges,lessons/$$*.c) $(LIB)
	$(DO) sh tools/student-cc.sh $(CC) $(FLAGS) $(INCLUDE) -MMD -MP $< $(BRIDGES) $(LIB) $(LIBS) -o $@

$(BUILD)/solutions/%: solutions/%.c $$(call bridges,exercises/$$(dir $$*)) $(LIB)
	$(DO) $(CC) $(FLAGS) $(INCLUDE) -I$(<D:solutions/%=exercises/%) -MMD -MP $< \
	 $(BRIDGES) $(LIB) $(LIBS) -o $@

$(BUILD)/exercises/%/stage.o: exercises/%/stage.c $(BUILD)/settings
	$(DO) $(CC) $(FLAGS) $(INCLUDE) -Itools -I$(<D) -MMD -MP -c $< -o $@

$(BUILD)/exercises/%/grader: exercises/%/grader.c $(GRADING)
	$(DO) $(CC) $(FLAGS) -Iruntime -Itools -MMD -MP $< $(GRADING) $(CHECK) -lm -o $@

$(BUILD)/tools/%.o: tools/%.c $(BUILD)/settings | $(BUILD)/have-check
	$(DO) $(CC) $(FLAGS) -Iruntime -Itools -MMD -MP -c $< -o $@

$(BUILD)/tools/timeline: $(patsubst %.c,$(BUILD)/%.o,$(wildcard tools/timeline*.c))
	$(DO) $(CC) $(EXTRA) $^ -o $@

-include $(wildcard $(BUILD)/*/*.d $(BUILD)/*/*/*.d)

FORCE:
.PHONY: help deps deps-dev test test-all conform lessons all stubs timelines clean FORCE
.SECONDARY:
.DELETE_ON_ERROR:
