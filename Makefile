# SPDX-License-Identifier: MIT
# The commands of the README. Meson does the work; this file only spares the typing.
# Each target installs what it needs by itself (tools/setup).

BUILD := build/release
PREFIX ?= /usr/local
export PATH := $(CURDIR)/build/venv/bin:$(PATH)

.PHONY: all help build demo check schedules examples bench format lint install clean

all: build

help:
	@echo 'make            build the library and the examples (in $(BUILD))'
	@echo 'make demo       fern at work on real input, in about a minute'
	@echo 'make check      all tests, along every axis; QUICK=1 for the default build alone,'
	@echo '                AXES="tsan clang" for some (the list: tools/axes)'
	@echo 'make schedules  two million random programs held against models of fern;'
	@echo '                COUNT=1000 for so many of each, SEED=4711 for another seed to begin with'
	@echo 'make examples   build and run the examples, and compare what they print'
	@echo 'make bench      ours and the peers in turn (bench/README.md); ONLY=yield,echo for some,'
	@echo '                PROGRAMS=fern,go for some programs, ROUNDS=5 for fewer rounds'
	@echo 'make format     lay out the code as .clang-format says'
	@echo 'make lint       the static checks: rooms, comments, sizes, headers, stack use'
	@echo 'make install    into PREFIX (/usr/local), under DESTDIR when set'

build:
	@tools/setup build
	@mkdir -p build
	@[ -f $(BUILD)/build.ninja ] || meson setup $(BUILD) -Dtests=false >$(BUILD).log 2>&1 || \
		{ cat $(BUILD).log; exit 1; }
	@ninja --quiet -C $(BUILD)

demo: build
	@tools/setup demo
	@python3 demo/run $(BUILD)

check:
	@tools/setup build check
	@QUICK=$(QUICK) tools/axes $(AXES)

schedules:
	@tools/setup build check
	@mkdir -p build
	@[ -f build/schedules/build.ninja ] || \
		meson setup build/schedules -Dexamples=false >build/schedules.log 2>&1 || \
		{ cat build/schedules.log; exit 1; }
	@ninja --quiet -C build/schedules tests/random/random_schedules \
		tests/random/random_sync_schedules
	@build/schedules/tests/random/random_schedules --count $(or $(COUNT),1000000) \
		--seed $(or $(SEED),1)
	@build/schedules/tests/random/random_sync_schedules --count $(or $(COUNT),1000000) \
		--seed $(or $(SEED),1)

examples:
	@tools/setup build
	@NOUN=examples tools/axes examples

bench:
	@tools/setup build bench
	@command -v go >/dev/null || tools/setup go
	@ONLY='$(ONLY)' PROGRAMS='$(PROGRAMS)' ROUNDS='$(ROUNDS)' python3 bench/run.py

format:
	@tools/setup lint
	@tools/format

lint:
	@tools/setup build lint
	@tools/lint

install: build
	@meson configure $(BUILD) -Dprefix='$(PREFIX)'
	@ninja --quiet -C $(BUILD)
	@meson install --no-rebuild --quiet -C $(BUILD) --destdir '$(DESTDIR)'

clean:
	rm -rf build
