# envcrypt: PGXS build. `make help` lists what there is.

EXTENSION = envcrypt
ENVCRYPT_VERSION := $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" envcrypt.control)
MODULE_big = envcrypt
# The script of this version is joined from its parts, in the order of the folders of src; released ones are kept whole.
SCRIPT = build/$(EXTENSION)--$(ENVCRYPT_VERSION).sql
SCRIPT_PARTS = $(sort $(wildcard sql/parts/*.sql))
DATA = $(SCRIPT) $(wildcard sql/envcrypt--*.sql)

CORE_OBJS = $(patsubst %.cpp,%.o,$(wildcard src/core/*.cpp))
SERVER_OBJS = $(patsubst %.cpp,%.o,$(filter-out src/core/%,$(wildcard src/*/*.cpp)) $(wildcard src/*.cpp))
OBJS = $(CORE_OBJS) $(SERVER_OBJS)

# pg_regress: each test once, in this order. `make lint` checks that every file in test/sql stands here.
REGRESS = install keys types types_all type_modifiers type_casts type_order io rights rotation shred refused ddl_guard \
	foreign_tables errors protect owner_trigger manage_owners hung_triggers rekey verify row_security status owner_names \
	key_table_objects key_table_parts fixed_places dropped_bases trigger_lookups \
	plain_expressions
# PostgreSQL 15 looks for expected/ below --outputdir, later versions where --expecteddir says.
REGRESS_OPTS = --inputdir=test --outputdir=. $(if $(filter 15,$(MAJORVERSION)),,--expecteddir=.) \
	--no-locale --encoding=UTF8 --load-extension=envcrypt

# What the caller gives counts, in the environment (where PGXS does not look) as on the command line.
CALLER_CPPFLAGS := $(CPPFLAGS)
$(foreach v,CPPFLAGS CXXFLAGS LDFLAGS,$(eval ENVIRONMENT_$(v) := $(if $(filter environment%,$(origin $(v))),$($(v)))))

PG_CONFIG ?= pg_config
# -isystem: with -I, clang rejects `register` in the headers of PostgreSQL 15.
PG_CPPFLAGS = -Isrc -isystem $(shell command -v $(PG_CONFIG) >/dev/null && $(PG_CONFIG) --includedir-server) \
	-DENVCRYPT_VERSION='"$(ENVCRYPT_VERSION)"' $(ENVIRONMENT_CPPFLAGS)
# The same library wherever and by whomever it is built: debug information names no directory of the builder's.
PG_CPPFLAGS += -ffile-prefix-map=$(CURDIR)=.
# Modules are loaded RTLD_GLOBAL: with default visibility another extension's inline function could replace ours.
PG_CXXFLAGS = -std=gnu++20 -fvisibility=hidden -fvisibility-inlines-hidden -MMD -MP \
	-Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers $(ENVIRONMENT_CXXFLAGS)
# For our own tests; not for those whose compiler warns of more.
WERROR ?=
ifneq ($(WERROR),)
PG_CXXFLAGS += -Werror
endif
PG_LDFLAGS = $(ENVIRONMENT_LDFLAGS)
# PostgreSQL before 16 leaves it empty.
PG_CPPFLAGS += -DPGDLLEXPORT='__attribute__((visibility("default")))'
# Hardening that costs nothing, also where PostgreSQL was built without. PGXS links with the C compiler.
PG_CXXFLAGS += -fstack-protector-strong
SHLIB_LINK += -Wl,-z,relro,-z,now,-z,noexecstack -lcrypto -lstdc++
# PGXS's bitcode rule ignores PG_CXXFLAGS, and inlining a cipher call into JIT code gains nothing.
override with_llvm = no

EXTRA_CLEAN = $(OBJS:.o=.d) build results regression.diffs regression.out

PGXS := $(shell command -v $(PG_CONFIG) >/dev/null && $(PG_CONFIG) --pgxs)
ifeq ($(wildcard $(PGXS)),)
# Not installed yet: only the targets below, which install it first.
.DEFAULT_GOAL := help
else
include $(PGXS)
endif

all: $(SCRIPT)
$(SCRIPT): $(SCRIPT_PARTS) envcrypt.control
	@mkdir -p $(@D)
	awk 'FNR == 1 && NR > 1 { print "" } { print }' $(SCRIPT_PARTS) >$@

-include $(OBJS:.o=.d)

# The core knows no PostgreSQL: standard C++, and none of the server's headers in reach. What else PostgreSQL was built
# with (its hardening) holds for it, too.
OTHER_CPPFLAGS := $(filter-out -I% -isystem /% -DPGDLLEXPORT% -DENVCRYPT%,$(CPPFLAGS))
$(CORE_OBJS): override CPPFLAGS = -Isrc $(CALLER_CPPFLAGS) $(filter-out $(CALLER_CPPFLAGS),$(OTHER_CPPFLAGS))
$(CORE_OBJS): override CXXFLAGS := $(subst gnu++20,c++20,$(CXXFLAGS))

include test/targets.mk
