# perfopt: make && make install, with PG_CONFIG=... for another PostgreSQL
# than the first in PATH.  make installcheck wants a running server that has
# t/temp.conf in its configuration; scripts/test needs none.

MODULE_big = perfopt
OBJS = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c src/*/*.c)))
PGFILEDESC = "perfopt - transparent and exact result cache"

EXTENSION = perfopt
DATA = perfopt--1.0.sql

# Only what is marked PGDLLEXPORT leaves the library.  From 16 on PostgreSQL
# arranges that itself; 15 defines PGDLLEXPORT as nothing on this platform, and
# would silently skip a hidden _PG_init, hence the definition beside the flag.
PG_CPPFLAGS = -I$(srcdir)/src '-DPGDLLEXPORT=__attribute__((visibility("default")))'
# WERROR=-Werror is for who develops (scripts/test): a compiler that is newer
# than perfopt may warn of more.
WERROR =
PG_CFLAGS = -fvisibility=hidden -Wall -Wextra $(WERROR) \
	-Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers

# "init" creates the extension, so it goes first.
sql_tests = $(patsubst sql/%.sql,%,$(sort $(wildcard sql/*.sql)))
REGRESS = $(filter init,$(sql_tests)) $(filter-out init,$(sql_tests))
REGRESS_OPTS = --temp-config=$(srcdir)/t/temp.conf
ISOLATION = $(patsubst specs/%.spec,%,$(sort $(wildcard specs/*.spec)))
ISOLATION_OPTS = --temp-config=$(srcdir)/t/temp.conf

# Bitcode for JIT inlining is of no use here and would ask for clang.
ifneq ($(origin with_llvm),command line)
override with_llvm = no
endif

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# PGXS tracks no headers; the library is small enough to say "all of them".
$(OBJS): $(wildcard src/*.h src/*/*.h)
