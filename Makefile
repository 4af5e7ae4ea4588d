# evlings: `make` says where you are, `make help` lists what it can do. Lessons, exercises and tests are
# found by wildcards: adding one edits nothing here. BUILD=dir builds elsewhere, CC=clang with another
# compiler, EXTRA=... adds flags, V=1 shows the commands.

CC      ?= cc
CFLAGS  ?= -O2
BUILD   ?= build
WARN     = -Wall -Wextra -Wno-missing-field-initializers -Werror=return-type
# A call at the end of a function is no jump: endless recursion has to run out of stack and be named,
# not to loop for ever, and a backtrace shows who called. The runtime itself jumps: each frame between
# an await and the switch of stacks costs a return that the processor predicts wrongly. A product and a sum are
# rounded one after the other: so the same seed and the same picture come out the same on each kind of processor.
FLAGS    = -std=gnu11 $(WARN) -gdwarf-4 -fno-optimize-sibling-calls \
           -fstack-clash-protection -ffp-contract=off $(CFLAGS) $(EXTRA)
JUMPS    = $(filter-out -fno-optimize-sibling-calls,$(FLAGS))
INCLUDE  = -Iruntime -Iruntime/extra
LIB      = $(BUILD)/libasync.a
LIBS     = $(EXTRA) -lev -lm -pthread

ifneq ($(words $(BUILD)),1)
$(error BUILD=$(BUILD): make cannot build in a folder with a blank in its name. Another one, please)
endif

# What a user gives us is data: a $ in it stays one.
override FROM  := $(value FROM)
override SEED  := $(value SEED)
override PART  := $(value PART)
override LEVEL := $(value LEVEL)
override DB    := $(value DB)
override OUT   := $(value OUT)
override DUE   := $(value DUE)
override ONLY  := $(value ONLY)
override ONE   := $(value ONE)
override LATE  := $(value LATE)
override HIDDEN := $(value HIDDEN)
override WEIGHTS := $(value WEIGHTS)
override ARGS := $(value ARGS)
override NAME := $(value NAME)

.DEFAULT_GOAL = next
.SECONDEXPANSION:
.SECONDARY:
.DELETE_ON_ERROR:

# ----------------------------------------------------------------------- how a program is built

# The runtime is a library, made of what lies in its rooms. Programs see of it what async.h declares: to
# the outside its parts are one piece, so that a function of yours may bear the name of one of ours ...
ROOMS    = core sync many io debug
RUNTIME  = $(foreach room,$(ROOMS),$(wildcard runtime/$(room)/*.c runtime/$(room)/*.S))

PIECE    = $(LD) -r -o $@.$$$$.o $^ && objcopy --wildcard --keep-global-symbol='async_*' $@.$$$$.o && \
           ar rcs $@.$$$$ $@.$$$$.o && rm $@.$$$$.o && mv -f $@.$$$$ $@

$(LIB): $(RUNTIME:%=$(BUILD)/%.o)
	$(DO) $(PIECE)

$(BUILD)/runtime/%.c.o: runtime/%.c $(BUILD)/settings
	$(DO) $(CC) $(JUMPS) $(OWN) -Iruntime -DASYNC_RUNTIME -c $< $(INTO)

# ... and a program of a lesson is one file, compiled and linked with it. student-cc.sh is the
# compiler with a word of help; a bridge is what a program about HTTP or databases uses besides.
$(BUILD)/lessons/%: lessons/%.c $$(call library,lessons/$$*.c)
	$(DO) sh tools/student-cc.sh $(CC) $(FLAGS) $(INCLUDE) $< $(LIBRARY) $(LIBS) $(INTO)

# A grade below full marks is no error of make's, nor is a class of whom some could not be judged. Asked a
# question (-q) it passes on a status of 1 without a word; what begins with a + is done all the same.
ifeq ($(or $(filter-out grade grade-%,$(MAKECMDGOALS)),$(if $(MAKECMDGOALS),,none)),)
MAKEFLAGS += -q
ALWAYS    := +
endif

# Begins a command that makes a file: its directory, and a word about it.
DO = $(ALWAYS)@mkdir -p $(@D) && $(if $(V),set -x,echo "  making $@" >&2) &&

# Ends it: the file comes into being whole, so several makes may go on side by side. What it was made
# from besides is noted in a .d beside it.
TO  = -o $@.$$$$ && mv -f $@.$$$$ $@
# The list of what it was made from is good for BUILD=build and for BUILD=/home/me/evlings/build.
INTO = -MMD -MP $(addprefix -MT ,$(abspath $@) $(patsubst $(CURDIR)/%,%,$(abspath $@))) -MF $@.$$$$.d -o $@.$$$$ && mv -f $@.$$$$.d $@.d && mv -f $@.$$$$ $@

# ------------------------------------------------------------------------------- the commands

# Of lesson or exercise N, which may be written 4 or 04: what its commands need.
two      = $(if $(filter 0 1 2 3 4 5 6 7 8 9,$1),0$1,$1)
programs = $(patsubst %.c,$(BUILD)/%,$(wildcard lessons/$(call two,$1)-*/*.c))
SHOW     = $(BUILD)/tools/show/show
BOOK     = $(BUILD)/tools/book/book
room     = $(wildcard exercises/$(call two,$1)-*/)
exercise = $(call library,$1)
named    = $(sort $(foreach n,$(subst $(comma), ,$(N)),$(call room,$n) $(wildcard exercises/*-*$n*/)))
chosen   = $(if $(N),$(named),$(wildcard exercises/*/))
judged   = $(foreach x,$(filter-out $(dir $(lacking)),$(chosen)),$(call exercise,$x) $(call judging,$x))
staging  = $(BUILD)/$1grader/stage
judging  = $(patsubst %.c,$(BUILD)/%,$(wildcard $1grader/grader.c)) $(call staging,$1) $(BUILD)/grade \
             $(REACHED)

next: $(BUILD)/flow FORCE ## where you are, and what now (make alone says it, too)
	@sh tools/evlings.sh next

list: FORCE ## the exercises: passed, points, hints seen
	@sh tools/evlings.sh list

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z%-]+:.*## / { sub("-%", "-N", $$1); \
	 printf "  make %-12s %s\n", $$1, $$2 }' Makefile

deps: ## install what lessons and exercises need, if it is missing
	@sh tools/deps.sh install

doctor: ## look at compiler, libraries, terminal: what is missing, and how to get it
	@sh tools/deps.sh doctor

deps-dev: deps ## install what the tests need, too
	@sh tools/deps.sh install-dev

lesson-%: $$(call programs,$$*) compile_commands.json FORCE ## build and run the programs of lesson N
	@sh tools/evlings.sh lesson $*

timeline-%: $$(if $$(PART),$$(call judging,$$(call room,$$*))) $$(if $$(FROM)$$(PART),$$(call exercise,$$(call room,$$*)),$$(call programs,$$*)) $(BUILD)/timeline FORCE ## draw what the programs of lesson N do when (FROM=dir: dir/exercise.c; PART=2: what the grader saw)
	@sh tools/evlings.sh timeline $*

show-%: $$(if $$(PART),$$(call judging,$$(call room,$$*))) $$(if $$(FROM)$$(PART),$$(call exercise,$$(call room,$$*)),$$(call programs,$$*)) $(SHOW) FORCE ## see the loop: pages on which you step through the programs of lesson N (FROM=dir: dir/exercise.c; PART=2: what the grader saw)
	@sh tools/evlings.sh show $*

read-%: $(BUILD)/flow FORCE ## read the chapter of lesson N
	@sh tools/evlings.sh read $*

# What the pictures of a chapter are drawn from.
drawable-%: $$(call programs,$$*) $(BUILD)/timeline FORCE ;

task-%: $(BUILD)/flow FORCE ## read what exercise N asks for
	@sh tools/evlings.sh task $*

exercise-%: $$(if $$(call room,$$*),$$(call exercise,$$(call room,$$*))) compile_commands.json FORCE ## build and run your program for exercise N
	@sh tools/evlings.sh exercise $*

grade-%: $$(if $$(call room,$$*),$$(call exercise,$$(call room,$$*)) $$(call judging,$$(call room,$$*))) FORCE ## grade exercise N (FROM=dir: dir/exercise.c; SEED=n)
	$(ALWAYS)@sh tools/evlings.sh grade $*

# What judges is built once, and once more with AddressSanitizer.
grade-class: $$(if $$(N),$$(judged) $$(if $$(HIDDEN),$$(patsubst exercises/%/,$$(BUILD)/hidden/%,$$(chosen)))) $(BUILD)/grade-class $(BUILD)/confine $(BUILD)/timeline FORCE ## grade a class (FROM=dir OUT=dir N=4; see exercises/README.md)
	+@unset MAKEFLAGS MFLAGS MAKELEVEL; \
	 $(if $(and $(N),$(chosen)),$(WATCHED) $(foreach room,$(chosen),watched-$(word 1,$(subst -, ,$(notdir $(room:/=))))),:) || :
	$(ALWAYS)@$(BUILD)/grade-class --from "$$FROM" --out "$$OUT" --one "$$ONE" --as '$(FORMAT)' --exercise '$(N)' --jobs '$(JOBS)' \
	 --seed "$$SEED" --due "$$DUE" --only "$$ONLY" --share '$(SHARE)' --sandbox '$(SANDBOX)' \
	 --late "$$LATE" --weights "$$WEIGHTS" --hidden "$$HIDDEN" \
	 $(if $(RERUN),--rerun) $(if $(VARIANTS),--variants) $(if $(RELEASED),--released) || \
	 { status=$$?; [ $$status -ne 3 ] || exit 1; exit $$status; }

gradescope-%: ## for instructors: an autograder for Gradescope, as build/gradescope-N.zip
	@sh tools/class/gradescope.sh $*

similar-%: $(BUILD)/grade-class $$(if $$(call room,$$*),$$(call judging,$$(call room,$$*))) ## for instructors: who wrote the same? JPlag's layout (FROM=dir OUT=dir)
	@sh tools/class/similar.sh $*

questions-%: $$(if $$(call room,$$*),$$(call exercise,$$(call room,$$*))) ## for instructors: three questions for the hall, of what is known to go wrong in exercise N
	@sh tools/class/questions.sh $*

handout: ## for instructors: what students get (OUT=dir; LESSONS=1-6 HINTS=1; make release-N OUT=dir adds a solution)
	@sh tools/class/handout.sh handout

release-%:
	@sh tools/class/handout.sh release $*

merge: $(BUILD)/grade-class ## make one class of several (FROM='out-1 out-2' OUT=dir)
	@exec $(BUILD)/grade-class --merge --out "$$OUT" -- $$FROM

hint-%: $(BUILD)/flow FORCE ## a hint for exercise N; each time one more (LEVEL=2: that one)
	@sh tools/evlings.sh hint $*

solution-%: FORCE ## show a solution of exercise N
	@sh tools/evlings.sh solution $*

reset-%: FORCE ## start exercise N afresh; what you wrote is kept beside it
	@sh tools/evlings.sh reset $*

watch-%: $(BUILD)/watch $(BUILD)/flow $(BUILD)/timeline compile_commands.json FORCE ## a screen for exercise N: task, verdict whenever you save, hints, timeline (PLAIN=1: line by line)
	@MAKE='$(MAKE)' $(BUILD)/watch $*

watch: $(BUILD)/watch $(BUILD)/flow $(BUILD)/timeline compile_commands.json FORCE
	@MAKE='$(MAKE)' $(BUILD)/watch

# Without a number: that where the reader is, which is the second word of .evlings; or which there are.
NUMBERED = read lesson timeline show task exercise grade hint solution reset
current  = $(word 2,$(file <.evlings))

$(NUMBERED): $$(addprefix $$@-,$$(current)) FORCE
	+@$(if $(current),:,sh tools/evlings.sh $@ '')

test: $(filter deps deps-dev,$(MAKECMDGOALS)) ## run the tests (ONLY=runtime: those of the runtime and the lessons)
	@sh tools/test.sh $(ONLY)

test-all: $(filter deps deps-dev,$(MAKECMDGOALS)) ## the same with gcc and clang, sanitizers, valgrind, and all known answers
	@sh tools/test.sh all

test-systems: ## try it on bare systems of other kinds, as root (SYSTEMS='debian-13 debian-sid')
	@sh tools/test-systems.sh $(SYSTEMS)

deps-class: deps ## install what grading a class needs
	@sh tools/deps.sh install-class

deps-bench: deps ## install the peers that make bench compares us with
	@sh tools/deps.sh install-bench

bench: $$(BENCHES) ## what operations cost, beside every peer that is installed (QUICK=1: fewer)
	@sh runtime/bench/bench.sh

bench-ground: $$(BENCHES) ## for authors: a tenth more instructions than now is what operations may take
	@sh runtime/tests/cost.sh ground

CHAT     = $(BUILD)/lessons/18-summary
PORT    ?= 7000
chat: $(CHAT)/chat $(CHAT)/join ## join the chat of chapter 18 (PORT=7000)
	@$(CHAT)/join $(PORT) || { echo "Is the chat open? In another terminal: $(CHAT)/chat $(PORT)"; exit 1; } >&2

conform: $(BUILD)/runtime/tests/conform ## compare random programs with asyncio (SEED=1 COUNT=5000)
	@if command -v $(PYTHON) >/dev/null; then \
	 $(PYTHON) runtime/tests/fuzz/conform.py --build $(BUILD) $(SEED:%=--seed %) $(COUNT:%=--count %) \
	  $(PROFILE:%=--profile %) $(JOBS:%=--jobs %) $(if $(FEATURES),--features '$(FEATURES)'); \
	 else echo "skipped: there is no $(PYTHON) whose asyncio we could be compared with"; fi

book: lessons $(SHOW) $(BOOK) FORCE ## all there is to read as pages for a browser, and as a PDF (PDF=no: without)
	@sh tools/book/book.sh

lessons: $$(call able,$$(LESSONS)) ## build all programs of all lessons

all: lessons $$(call able,$$(SOLVED) $$(TESTS)) $$(BENCHES) $(BUILD)/timeline $$(SHOW) $$(BOOK) $(BUILD)/flow $(BUILD)/watch graders ## build all that there is

graders: $$(foreach room,$$(filter-out $$(dir $$(lacking)),$$(wildcard exercises/*/)),$$(call judging,$$(room)))

answers: $$(judged) ## for authors: do the graders judge all known answers right? (N=4 SEEDS=50)
	@sh tools/grading/answers.sh $(N)

mutants: $$(judged) $(BUILD)/tools/mutants/mutants ## for authors: would the graders notice small mistakes in the solutions? (N=4)
	@sh tools/mutants/mutants.sh $(N)

run: $(if $(FILE),$(firstword $(shell BUILD='$(BUILD)' sh tools/extra.sh link '$(FILE)'))) ## build and run a program of your own (FILE=my.c ARGS="one 'two three'")
	@sh tools/own.sh run

new: ## write a program of your own to begin with (NAME=proxy: proxy.c)
	@sh tools/own.sh new

install: $(BUILD)/libasync$(addprefix -,$(subst $(empty) $(empty),+,$(sort $(BRIDGES)))).a ## put async.h and the library where other projects find them (PREFIX=/usr/local BRIDGES="http sqlite")
	@sh tools/own.sh install

stubs: ## for authors: what exercises/*/exercise.c hold now is what reset brings back
	@sh tools/evlings.sh stubs

timelines: lessons $(BUILD)/timeline ## for authors: draw the timelines that chapters show
	@sh tools/timeline/timelines.sh write

clean: ## remove what was built
	rm -rf $(BUILD)

# --------------------------------------------------------------------- how the rest is built

LESSONS  = $(patsubst %.c,$(BUILD)/%,$(wildcard lessons/*/*.c))
SOLVED   = $(patsubst %.c,$(BUILD)/%,$(wildcard solutions/*/*.c))
TESTS    = $(patsubst %.c,$(BUILD)/%,$(wildcard runtime/tests/*.c))
BENCHES  = $(patsubst %.c,$(BUILD)/%,$(wildcard runtime/bench/*.c))
GRADING  = $(patsubst %.c,$(BUILD)/%.o,$(wildcard tools/grading/grader*.c) tools/grading/child.c)
STAGE    = $(patsubst %.c,$(BUILD)/%.o,$(wildcard tools/grading/stage*.c))
REACHED  = $(patsubst %,$(BUILD)/include/%,$(notdir runtime/async.h $(filter-out %_parts.h %driver.h,$(wildcard runtime/extra/*.h))) systems compile compile-watched assemble)
CHECK    = $(EXTRA) $(shell pkg-config --libs check 2>/dev/null || echo -lcheck)
PYTHON  ?= python3
# With -Werror the same is made, or nothing.
SETTINGS = $(strip $(CC) $(filter-out -Werror,$(FLAGS)))
export PLAIN PDF CC CFLAGS EXTRA BUILD FLAGS LIBS COMPILE ASSEMBLE SETTINGS MAKE FROM SEED PART LEVEL DB OUT DUE ONLY ONE LATE HIDDEN WEIGHTS \
       ARGS NAME PYTHON QUICK

comma   := ,

include tools/bridges.mk

# For editors: what clangd and its like need to complete, and to warn while one types. It is made with
# the first program, and made anew when there are other files or other flags.
compile_commands.json: $(BUILD)/settings tools/desk/editors.sh $(wildcard lessons/. exercises/. runtime/*/.)
	@sh tools/desk/editors.sh > $@.$$$$ && mv -f $@.$$$$ $@ || rm -f $@.$$$$

# Rewritten when the compiler or its flags change, and then everything is built again. Before that
# it makes sure that there is a compiler, libev, and room to write.
$(BUILD)/settings: $(filter deps deps-dev,$(MAKECMDGOALS)) FORCE
	$(ALWAYS)@sh tools/deps.sh settings

$(BUILD)/have-%: | $(BUILD)/settings
	$(ALWAYS)@sh tools/deps.sh need $* && touch $@

$(BUILD)/runtime/core/poll.c.o: private OWN = -fno-strict-aliasing   # ev.h sees one struct as another

$(BUILD)/runtime/%.S.o: runtime/%.S $(BUILD)/settings
	$(DO) $(CC) $(CFLAGS) $(EXTRA) -c $< $(TO)

# The runtime's own tests may look inside: theirs is an ordinary library.
$(BUILD)/libruntime.a: $(RUNTIME:%=$(BUILD)/%.o) $(COMMON)
	$(DO) ar rcs $@.$$$$ $^ && mv -f $@.$$$$ $@

$(BUILD)/runtime/%: runtime/%.c $$(call parts,runtime/$$*.c) $(BUILD)/libruntime.a | $(BUILD)/have-check
	$(DO) $(CC) $(FLAGS) $(INCLUDE) $(filter-out %.h,$^) $$(sh tools/extra.sh libs $<) \
	 $(CHECK) $(LIBS) $(INTO)

# In this one every way to get memory can fail on demand.
$(BUILD)/runtime/tests/faults: CHECK += $(addprefix -Wl$(comma)--wrap=,malloc calloc realloc free \
	aligned_alloc strdup mmap object_new coro_new async_coro_new stack_take)

# A test's own code runs once: what it takes to compile is what counts.
$(TESTS): private CFLAGS = -O0

# What a program does that was built without our flags.
$(BUILD)/runtime/tests/test_unprotected: private FLAGS += -fno-stack-clash-protection

$(BUILD)/solutions/%: solutions/%.c $$(call library,exercises/$$(dir $$*))
	$(DO) $(CC) $(FLAGS) $(INCLUDE) -I$(<D:solutions/%=exercises/%) $< \
	 $(LIBRARY) $(LIBS) $(INTO)

# A report that names the places of tasks says of ours that they are the grader's: no file to look into.
$(BUILD)/exercises/%/grader/stage.o: exercises/%/grader/stage.c $(BUILD)/settings
	$(DO) $(CC) $(FLAGS) -fmacro-prefix-map=$<=grader $(INCLUDE) -Itools/grading -Iexercises/$* -c $< $(INTO)

# Linked once, with the stub for the submission, which takes its place as a library of the same name. Each run is a
# copy of it: so what it calls is looked up before. The stub needs nothing of libm and libgcc, but a submission may.
$(BUILD)/exercises/%/grader/stage: exercises/%/grader/stub.c $(BUILD)/exercises/%/grader/stage.o \
 $(STAGE) $$(call library,exercises/$$*/)
	$(DO) $(CC) $(FLAGS) -w -fPIC -shared $(INCLUDE) -Iexercises/$* -Dmain=student_main -Wl,-soname,exercise.so \
	 $< -o $(@D)/exercise.so && $(CC) $(FLAGS) -rdynamic -Wl,-z,now $(filter %.o,$^) $(@D)/exercise.so \
	 $$(sh tools/extra.sh link exercises/$*) -shared-libgcc -Wl,--no-as-needed -lm $(LIBS) $(TO)

GRADER   = $(CC) $(FLAGS) -Iruntime -Itools/grading $< $(GRADING) $(CHECK) -lm

$(BUILD)/exercises/%/grader/grader: exercises/%/grader/grader.c $(GRADING)
	$(DO) $(GRADER) $(INTO)

# The same with the parts of an instructor's, always made anew: that folder's name is for a shell.
$(BUILD)/hidden/%: exercises/%/grader/grader.c $(GRADING) FORCE
	$(ALWAYS)@[ -f "$$HIDDEN/$*.c" ] || { echo "HIDDEN=$$HIDDEN: there is no $*.c with the parts for exercise $*."; exit 2; } >&2
	$(DO) $(GRADER) -Werror=incompatible-pointer-types "$$HIDDEN/$*.c" $(TO) || \
	 { echo "HIDDEN=$$HIDDEN: $*.c does not compile. A part is a START_TEST, as in the graders."; exit 2; } >&2

$(BUILD)/tools/%.o: tools/%.c $(BUILD)/settings | $(BUILD)/have-check
	$(DO) $(CC) $(FLAGS) -fmacro-prefix-map=$<=grader -Iruntime -c $< $(INTO)

$(BUILD)/grade: $(patsubst %,$(BUILD)/tools/grading/%.o,grade child contract hold)
	$(DO) $(CC) $(FLAGS) $^ $(TO)

CLASS    = $(patsubst %.c,$(BUILD)/%.o,$(filter-out %/confine.c,$(wildcard tools/class/*.c)))
$(CLASS): $(BUILD)/tools/class/%.o: tools/class/%.c $(BUILD)/settings | $(BUILD)/have-libarchive $(BUILD)/have-jansson $(BUILD)/have-libmd $(BUILD)/have-libseccomp
	$(DO) $(CC) $(FLAGS) -Iruntime -c $< $(INTO)

$(BUILD)/grade-class: $(CLASS) $(LIB)
	$(DO) $(CC) $^ $$(pkg-config --libs libarchive jansson libmd libseccomp) $(LIBS) $(TO)

$(BUILD)/confine: $(BUILD)/tools/class/confine.o $(BUILD)/tools/grading/child.o
	$(DO) $(CC) $(FLAGS) $^ $(TO)

# What a submission can include: these headers, and those of the system, which the compiler names.
$(BUILD)/include/%.h: runtime/%.h
	$(DO) cp $< $@.$$$$ && mv $@.$$$$ $@

$(BUILD)/include/%.h: runtime/extra/%.h
	$(DO) cp $< $@.$$$$ && mv $@.$$$$ $@

# How a submission is made an object that can be part of a library, and what the compiler would start for that: gradings
# do so themselves, in a folder of their own, which is @HERE@. Compilers say it when they are asked (-###), in a line that
# begins with a blank. Of what is there for a debugger only lines are needed.
COMPILE  = -O1 -g1 -fPIC -ftls-model=initial-exec -U__SANITIZE_ADDRESS__ -Iinclude -MD -MF included -S -o exercise.s exercise.c
ASSEMBLE = -Wno-unused-command-line-argument -c exercise.s -o exercise.o
ASKED    = place=$$(mktemp -d) && touch $$place/exercise.c $$place/exercise.s && \
           eval "set -- $$(cd $$place && $(CC) $(FLAGS) $1 '-\#\#\#' 2>&1 | sed -n "s|$$place|@HERE@|g; /^ .*exercise\.s/p")" && \
           printf '%s\n' "$$@" > $@.$$$$ && mv $@.$$$$ $@ && rm -r $$place

$(BUILD)/include/compile: $(BUILD)/settings Makefile
	$(DO) $(call ASKED,-fdebug-prefix-map=$$place=. $(COMPILE))

$(BUILD)/include/compile-watched: $(BUILD)/settings Makefile    # what there is to warn of has been said
	$(DO) $(call ASKED,-fsanitize=address -w -fdebug-prefix-map=$$place=. $(COMPILE))

$(BUILD)/include/assemble: $(BUILD)/settings Makefile
	$(DO) $(call ASKED,$(ASSEMBLE))

$(BUILD)/include/systems: $(BUILD)/settings
	$(DO) $(CC) $(FLAGS) -E -v -xc /dev/null 2>&1 | sed -n '/^#include </,/^End of/s/^ //p' > $@.$$$$ && mv $@.$$$$ $@

# The same stage once more, to be watched: make calls itself with a sanitizer, if something is newer than
# what was made then.
WATCHED  = $(MAKE) -s BUILD='$(BUILD)/memory' EXTRA='$(EXTRA) -fsanitize=address'
watched-%: $$(if $$(call room,$$*),$$(call exercise,$$(call room,$$*)) $$(call staging,$$(call room,$$*)))
	@touch $(call staging,$(call room,$*)).watched

# For make watch: the same, ahead of the grading that needs it, which waits for its turn.
memory-%: FORCE
	+@exec 9>$(BUILD)/memory.lock && { ! command -v flock >/dev/null || flock 9; } && \
	 $(WATCHED) watched-$(call two,$*) >/dev/null 2>&1

$(BUILD)/tools/mutants/mutants: tools/mutants/mutants.c $(BUILD)/settings
	$(DO) $(CC) $(FLAGS) $< $(TO)

$(BUILD)/timeline: $(patsubst %.c,$(BUILD)/%.o,$(wildcard tools/timeline/*.c))
	$(DO) $(CC) $(EXTRA) $^ $(TO)

$(SHOW): $(patsubst %.c,$(BUILD)/%.o,$(wildcard tools/show/*.c)) tools/show/page.html
	$(DO) cp tools/show/page.html $(@D) && $(CC) $(EXTRA) $(filter %.o,$^) $(TO)

$(BUILD)/watch: $(patsubst %.c,$(BUILD)/%.o,$(filter-out %/flow.c,$(wildcard tools/desk/*.c))) $(LIB)
	$(DO) $(CC) $^ $(LIBS) $(TO)

# Sets chapters and hints for a terminal. They can be read without it, so it may be missing: then what
# stands there about its library is said by evlings.sh.
$(BUILD)/flow: $(wildcard tools/desk/flow.c tools/desk/text.[ch])
	@! sh tools/deps.sh have cmark-gfm 2>/dev/null || ! mkdir -p $(@D) 2>/dev/null || \
	 $(CC) -std=gnu11 -O2 $(WARN) $(filter %.c,$^) -lcmark-gfm -lcmark-gfm-extensions $(TO)

$(BOOK): $(wildcard tools/book/*.[ch]) tools/show/json.h runtime/debug/utf8.h
	@if sh tools/deps.sh have cmark-gfm; then mkdir -p $(@D) && \
	 $(CC) -std=gnu11 -O2 $(WARN) -Iruntime $(filter %.c,$^) -lcmark-gfm -lcmark-gfm-extensions $(TO); fi

# The compiler writes these beside what it makes: make need not look for other rules, which takes longer than all else.
DEPENDS := $(wildcard $(BUILD)/*/*/*.d $(BUILD)/*/*/*/*.d)
$(DEPENDS): ;
-include $(DEPENDS)

FORCE:
.PHONY: next list watch doctor book help $(NUMBERED) deps deps-dev deps-class deps-bench grade-class merge handout chat test test-all test-systems bench bench-ground conform \
        lessons all graders answers mutants run new install stubs timelines clean FORCE
