# A thin face on meson and ninja (docs/decisions/build.md): it installs what is missing, then builds and tests.
BUILD ?= build
PREFIX ?=
MESON_FLAGS ?= $(if $(PREFIX),--prefix=$(PREFIX))
FUZZ_SECONDS ?= 20
export FUZZ_SECONDS

SANITIZE = -Db_sanitize=address,undefined -Db_lundef=false

.PHONY: all try tests check check-all check-clients check-compat check-fast install clean asan clang torture gates fuzz bench format help

all: ## build coffer, srt, coffer-launch and libcoffer into build/
	@tools/deps build
	@tools/build $(BUILD) all $(MESON_FLAGS)

try: all ## build, then show on this machine what a sandbox does
	@COFFER_BUILD="$(CURDIR)/$(BUILD)" examples/try.sh

tests: ## build the programs for tests as well
	@tools/deps build test
	@tools/build $(BUILD) checks $(MESON_FLAGS)

check: ## build, run every suite, attack, torture
	@tools/deps build test
	@tools/build build checks $(MESON_FLAGS)
	@tools/build build-torture run -Dtorture=true
	@tests/run unit golden e2e escape torture@build-torture replay code sdk compat examples

check-all: ## the same under both compilers and the sanitizers, with fuzzing and the gates
	@tools/deps build test gates
	@tools/build build checks $(MESON_FLAGS)
	@tools/build build-torture checks -Dtorture=true
	@CC=clang tools/build build-clang checks
	@CC=clang tools/build build-asan checks $(SANITIZE)
	@CC=clang tools/build build-fuzz checks $(SANITIZE) -Dfuzz=true
	@FUZZ_SECONDS=$${CHECK_FUZZ_SECONDS:-5} tests/run unit golden e2e escape unit@build-torture torture@build-torture replay code sdk compat examples \
		unit@build-clang smoke@build-clang unit@build-asan smoke@build-asan replay@build-asan fuzz@build-fuzz gates

check-compat: tests ## compare with npm's srt itself, fetched by its lock file (about a quarter of an hour)
	@tools/deps compat
	@tests/run oracle

check-clients: tests ## real clients inside against real servers: nginx, ssh, PostgreSQL, Java, Go, npm … (half a gigabyte of packages)
	@tools/deps clients
	@tests/run clients

check-fast: ## what needs no privilege and less than a minute
	@tools/deps build test
	@tools/build build checks $(MESON_FLAGS)
	@tests/run unit golden replay

install: all ## install below DESTDIR and PREFIX (/usr/local)
	@meson install -C $(BUILD) --no-rebuild

asan: ## build with clang's address and undefined-behaviour sanitizers into build-asan/, and test that
	@tools/deps build test gates
	@CC=clang tools/build build-asan checks $(SANITIZE)
	@tests/run unit@build-asan smoke@build-asan replay@build-asan

clang: ## build with clang into build-clang/, and test that
	@tools/deps build test gates
	@CC=clang tools/build build-clang checks
	@tests/run unit@build-clang smoke@build-clang

torture: ## fail every operation once, and look at the host afterwards
	@tools/deps build test
	@tools/build build-torture checks -Dtorture=true
	@tests/run unit@build-torture torture@build-torture

gates: all ## the house rules: layers, symbols, limits, words, header, format, clang-tidy
	@tools/deps test gates
	@tests/run gates

fuzz: ## every fuzz target for FUZZ_SECONDS (default 20)
	@tools/deps build gates
	@CC=clang tools/build build-fuzz checks $(SANITIZE) -Dfuzz=true
	@tests/run fuzz@build-fuzz

bench: tests ## measure against the peers that are installed
	@tools/deps bench
	@tests/bench/run $(BUILD)

format: ## lay the C files out as clang-format 14 does
	@tools/deps gates
	@tools/format --fix

clean: ## remove every build folder
	@rm -rf build build-torture build-clang build-asan build-fuzz

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1\t\2/p' Makefile | expand -t 14
