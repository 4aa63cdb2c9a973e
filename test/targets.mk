# Targets beside the build: tests, checks, benchmark, demo. Included by the Makefile.

.PHONY: help unit lint demo test test-assert test-upstream bench packages
help:
	@echo "make demo        install what is needed, build, and show envcrypt in a throw-away cluster"
	@echo "make test        the same, and run every test"
	@echo "make             build                      make install    install into PostgreSQL"
	@echo "make test-assert the tests that matter there on a PostgreSQL with assertions, built from source"
	@echo "make test-upstream  PostgreSQL's own regression tests, without envcrypt and with it, compared"
	@echo "make unit        tests of src/core          make installcheck   SQL tests against a running server"
	@echo "make lint        format, clang-tidy, clang  make bench      compare with plain text and pgcrypto"

packages:
	@.ci/install-packages

demo: packages
	@test/run demo

test: packages
	@test/run test

test-assert:
	@test/assert_server

test-upstream:
	@test/upstream

bench: packages
	@test/run bench

UNIT_OBJS = $(patsubst test/unit/%.cpp,build/unit/%.o,$(wildcard test/unit/*.cpp))
UNIT_CXXFLAGS = -std=c++20 -O2 -g -Wall -Wextra $(if $(WERROR),-Werror) -Isrc -Itest -MMD -MP

build/unit/%.o: test/unit/%.cpp
	@mkdir -p $(@D)
	$(CXX) $(UNIT_CXXFLAGS) -c $< -o $@

build/unit/run: $(UNIT_OBJS) $(CORE_OBJS)
	$(CXX) $^ -lgtest -lcrypto -lpthread -o $@

-include $(UNIT_OBJS:.o=.d)

unit: build/unit/run
	build/unit/run --gtest_brief=1

lint:
	@test/lint

# For scripts: the value of a variable.
print-%:
	@echo '$($*)'
