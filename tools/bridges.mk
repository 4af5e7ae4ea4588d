# bridges.mk - a part of the Makefile: what programs use of runtime/extra/, where the bridges to other
# people's libraries are.
#
# A bridge NAME has a header, NAME.h, for programs to include; a line about its library, NAME.libs;
# and one or more files, NAME.c and NAME_*.c.

# USES says "NAME:file" for each program that includes "NAME.h". A reader may have put a pipe or a folder where
# an exercise was: only files are read.
NAMES   := $(basename $(notdir $(wildcard runtime/extra/*.libs)))
USES    := $(filter $(addsuffix :%,$(NAMES)),$(shell find -L lessons/*/*.c exercises/*/*.[ch] runtime/extra/*.c \
             runtime/tests/*.c runtime/bench/*.c -maxdepth 0 -type f -exec \
             awk -F '[".]' '/^.include "[a-z]*\.h"/ { print $$2 ":" FILENAME }' {} + 2>/dev/null))

# Of a source, or of a room with its last /: which bridges, of what objects, and the library to link
# with, which is the runtime and these bridges in one piece (libasync-http+sqlite.a) ...
empty   :=
pieces   = $(patsubst %,$(BUILD)/%.o,$(wildcard runtime/extra/$1.c runtime/extra/$1_*.c))
bridges  = $(sort $(foreach u,$(USES),$(if $(findstring :$1,$u),$(firstword $(subst :, ,$u)))))
parts    = $(foreach x,$(call bridges,$1),$(call pieces,$x))
library  = $(BUILD)/libasync$(addprefix -,$(subst $(empty) $(empty),+,$(call bridges,$1))).a

# ... and in a rule, that of its first source with other people's; a solution has its exercise's.
LIBRARY  = $$(sh tools/extra.sh link $(patsubst solutions/%,exercises/%,$(if $(filter solutions/%,$<),$(<D),$<)))

# Programs without those whose library is missing here: one lesson less is no reason to have none. To
# find out costs a run of the compiler for each library, so it is done only for what builds them all.
lacking  = $(if $(filter all book graders lessons timelines answers,$(MAKECMDGOALS)),$(foreach x,\
             $(shell CC='$(CC)' BUILD='$(BUILD)' sh tools/extra.sh lacking),\
             $(patsubst $x:%,%,$(filter $x:%,$(USES)))))
able     = $(filter-out $(foreach f,$(lacking),$(BUILD)/$(basename $f) \
             $(BUILD)/$(patsubst exercises/%,solutions/%,$(dir $f))exercise),$1)

# A bridge knows its library, and that has to be there. What several have in common needs none.
OBJECTS  = $(foreach x,$(NAMES),$(call pieces,$x))
COMMON   = $(filter-out $(OBJECTS),$(patsubst %,$(BUILD)/%.o,$(wildcard runtime/extra/*.c)))
its      = $(firstword $(subst _, ,$1))

$(OBJECTS): $(BUILD)/runtime/extra/%.c.o: runtime/extra/%.c $(BUILD)/settings \
 | $$(BUILD)/have-$$(firstword $$(file <runtime/extra/$$(call its,$$*).libs))
	$(DO) $(CC) $(FLAGS) -Iruntime -DASYNC_RUNTIME $$(sh tools/extra.sh flags $(call its,$*)) -c $< $(INTO)

$(BUILD)/libasync-%.a: $$(foreach x,$$(subst +, ,$$*),$$(call pieces,$$x)) $(COMMON) $(RUNTIME:%=$(BUILD)/%.o)
	$(DO) $(PIECE)
