# Targets beside the build: tests, checks, benchmark, demo. Included by the Makefile.

.PHONY: help unit lint demo test test-versions test-assert test-upstream test-package bench packages dist \
	sanitizers sanitize coverage
help:
	@echo "make demo        install what is needed, build, and show envcrypt in a throw-away cluster"
	@echo "make test        the same, and run every test"
	@echo "make test-versions   every test on PostgreSQL 17 and 18, in throw-away Debian systems"
	@echo "make             build                      make install    install into PostgreSQL"
	@echo "make test-assert the tests that matter there on a PostgreSQL with assertions, built from source"
	@echo "make test-upstream  PostgreSQL's own regression tests, without envcrypt and with it, compared"
	@echo "make test-package the Debian package, built twice, compared, installed and tested in a throw-away system"
	@echo "make dist        the source package of this commit (build/dist)"
	@echo "make unit        tests of src/core          make installcheck   SQL tests against a running server"
	@echo "make sanitize    src/core with ASan and UBSan: the unit tests, and each fuzzer for a minute"
	@echo "make coverage    lines that tests reach, of src/core and of the rest (SUITES='unit regress' for some)"
	@echo "make lint        format, clang-tidy, clang  make bench      compare with plain text and pgcrypto"

packages:
	@.ci/install-packages

demo: packages
	@test/run demo

test: packages
	@test/run test

test-versions:
	@test/versions all

test-assert:
	@test/assert_server

test-upstream:
	@test/upstream

# Another system: PACKAGE_SUITE=trixie.
PACKAGE_SUITE ?= bookworm
test-package:
	@test/debian $(PACKAGE_SUITE) test/package

bench: packages
	@test/run bench

# For PGXN and packagers: what is committed, under the version in the control file, which alone decides.
DIST = envcrypt-$(ENVCRYPT_VERSION)
dist:
	@test/dist $(DIST)

UNIT_OBJS = $(patsubst test/unit/%.cpp,build/unit/%.o,$(wildcard test/unit/*.cpp))
UNIT_CXXFLAGS = -std=c++20 -O2 -g -Wall -Wextra $(if $(WERROR),-Werror) -Isrc -Itest -MMD -MP

build/unit/%.o: test/unit/%.cpp
	@mkdir -p $(@D)
	$(CXX) $(UNIT_CXXFLAGS) -c $< -o $@

build/unit/run: $(UNIT_OBJS) $(CORE_OBJS)
	$(CXX) $(ENVIRONMENT_LDFLAGS) $^ -lgtest -lcrypto -lpthread -o $@

-include $(UNIT_OBJS:.o=.d)

unit: build/unit/run
	build/unit/run --gtest_brief=1

# With Address- and UndefinedBehaviorSanitizer: the unit tests (here), the fuzzers (there, too).
SANITIZE_CXX = clang++
SANITIZE_CXXFLAGS = -std=c++20 -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all \
	-Isrc -Itest -MMD -MP
SANITIZED_CORE = $(patsubst %.cpp,build/sanitize/%.o,$(wildcard src/core/*.cpp))
SANITIZED_UNIT = $(patsubst %.cpp,build/sanitize/%.o,$(wildcard test/unit/*.cpp))
FUZZERS = $(patsubst test/fuzz/%.cpp,build/sanitize/%,$(wildcard test/fuzz/*.cpp))

# fuzzer-no-link: the fuzzers see which lines of the core they reach.
$(SANITIZED_CORE): build/sanitize/%.o: %.cpp
	@mkdir -p $(@D)
	$(SANITIZE_CXX) $(SANITIZE_CXXFLAGS) -fsanitize=fuzzer-no-link -c $< -o $@

$(SANITIZED_UNIT): build/sanitize/%.o: %.cpp
	@mkdir -p $(@D)
	$(SANITIZE_CXX) $(SANITIZE_CXXFLAGS) -c $< -o $@

build/sanitize/unit: $(SANITIZED_UNIT) $(SANITIZED_CORE)
	$(SANITIZE_CXX) $(SANITIZE_CXXFLAGS) $^ -lgtest -lcrypto -lpthread -o $@

$(FUZZERS): build/sanitize/%: test/fuzz/%.cpp $(SANITIZED_CORE)
	$(SANITIZE_CXX) $(SANITIZE_CXXFLAGS) -fsanitize=fuzzer $(filter %.cpp %.o,$^) -lcrypto -o $@

-include $(SANITIZED_CORE:.o=.d) $(SANITIZED_UNIT:.o=.d) $(FUZZERS:=.d)

sanitizers: build/sanitize/unit $(FUZZERS)

# SUITES: which, of those that test/run knows.
coverage: packages
	@test/coverage $(SUITES)

sanitize: sanitizers
	@test/sanitize

lint:
	@test/lint

# For scripts: the value of a variable.
print-%:
	@echo '$($*)'
