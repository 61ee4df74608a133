# Everything a checkout needs. `make compare` is the main job, `make test` what CI runs.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := build

PACKAGES := libseccomp-dev pkg-config
# Real programs for the tests to run; one that cannot be had is said to be missing, and its tests are left out.
TEST_PACKAGES := busybox-static gcc gdb git golang-go musl-tools python3 strace
# What `make kernels` boots, Debian's own, and what it has them measure.
KERNELS := linux-image-cloud-amd64 linux-image-6.12-cloud-amd64
KERNEL_PACKAGES := busybox-static cpio qemu-system-x86
KERNEL_WORKLOADS := getppid trap-value trap-pass regions-64 changes-100 threads-2 storm spawn harness
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
CORDON := .build/release/cordon
ORDER := Sources/cordon/start.order
BUNDLE := .build/debug/cordonPackageTests.xctest
# Any account without privileges will do; this one exists everywhere.
ORDINARY := setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all

# How much `make fuzz` does: random calls, changed filters, and seconds for each kind of input.
FUZZ_CASES ?= 1000000
FUZZ_MUTANTS ?= 10000
FUZZ_SECONDS ?= 600
FUZZ_SEED := $(or $(FUZZ_SEED),$(shell od -An -N4 -tu4 /dev/urandom | tr -d ' '))
FUZZ_INPUTS := show check cost prove diff compile
FUZZER := .build/fuzzing/release/cordon-fuzz

.PHONY: build order compare test test-ordinary bench fuzz fuzz-judged fuzz-bytes kernels lint packages clean

build: packages
	swift build -c release --static-swift-stdlib --product cordon

# What a short run goes through, for the linker to put on few pages. To be made anew where that has changed much; takes two
# minutes.
order: build
	swift build -c release --static-swift-stdlib --product link-order
	@for what in --trap=libnone.so --all; do \
	  .build/release/link-order $(CORDON) run $${what/=/ } -- /bin/true; \
	done 2>/dev/null | awk '!seen[$$0]++' > .build/start.order
	@mv .build/start.order Sources/cordon/start.order; wc -l Sources/cordon/start.order

compare: build
	$(CORDON) compare

test: PACKAGES += $(TEST_PACKAGES)
test: packages lint
	swift build -c release --static-swift-stdlib --product cordon-agent # which has to be small
	swift build --build-tests
	timeout 1800 swift test --skip-build
	@if [ "$$(id -u)" = 0 ]; then $(MAKE) --no-print-directory test-ordinary; fi

# What runs on real kernels runs as an ordinary user too. The checkout may lie where that user cannot go.
test-ordinary:
	@folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; chmod 755 "$$folder"; \
	cp $(BUNDLE) .build/debug/cordon .build/debug/link-order .build/debug/ReadmeExample .build/debug/ReadmeLiveExample "$$folder"; \
	echo "as uid 65534:"; \
	cd "$$folder" && HOME="$$folder" timeout 1800 $(ORDINARY) ./cordonPackageTests.xctest \
	  --testing-library swift-testing --filter '^(IntegrationTests|CommandLineTests)\.'

bench: build
	swift build -c release --static-swift-stdlib --product cordon-bench
	.build/release/cordon-bench --json .build/bench.json

# Random filters before the kernel's judges and mutants before the prover; then bytes of any kind into what reads files.
fuzz: fuzz-judged fuzz-bytes

# A failure prints the least filter that shows it, a line for `cordon check`, and the seed that repeats it.
fuzz-judged: packages
	swift build --build-tests
	CORDON_FUZZ_CASES=$(FUZZ_CASES) CORDON_FUZZ_MUTANTS=$(FUZZ_MUTANTS) CORDON_FUZZ_SEED=$(FUZZ_SEED) \
	  timeout 7200 swift test --skip-build --filter 'FilterFuzzTests|ProvedMutantsTests'

# libFuzzer comes with the toolchain; all that it feeds is built for it, in a folder of its own. An input that crashes,
# takes more than a minute or needs more than 1 GiB stays in .build/fuzzing/found.
# SwiftPM tries to link the agent as well, for a plugin that nothing here uses: with these flags that fails, which does
# not matter, so what the build says is shown only where the fuzzer has not come of it.
fuzz-bytes: packages
	@mkdir -p .build/fuzzing; echo "building $(FUZZER)"; \
	swift build --package-path Tests/Fuzzing --product cordon-fuzz --scratch-path .build/fuzzing -c release \
	  -Xswiftc -sanitize=fuzzer -Xcc -fsanitize=fuzzer-no-link -Xswiftc -use-ld=lld > .build/fuzzing/build.log 2>&1 \
	  || { cat .build/fuzzing/build.log; exit 1; }
	$(FUZZER) seeds .build/fuzzing/seeds Filters/*.yaml
	@mkdir -p .build/fuzzing/found; export SWIFT_BACKTRACE=enable=no; \
	for input in $(FUZZ_INPUTS); do \
	  mkdir -p .build/fuzzing/corpus/$$input; echo "$$input for $(FUZZ_SECONDS) s"; \
	  $(FUZZER) $$input -max_total_time=$(FUZZ_SECONDS) -timeout=60 -rss_limit_mb=1024 -max_len=4096 -print_final_stats=1 -seed=$(FUZZ_SEED) \
	    -artifact_prefix=.build/fuzzing/found/$$input- -dict=.build/fuzzing/seeds/$$input.dict \
	    .build/fuzzing/corpus/$$input .build/fuzzing/seeds/$$input > .build/fuzzing/$$input.log 2>&1 \
	    || { tail -20 .build/fuzzing/$$input.log; echo "make: repeat it with $(FUZZER) $$input FILE" >&2; exit 1; }; \
	  grep -E '^(Done|stat::)' .build/fuzzing/$$input.log; \
	done

# Whether it works on stock kernels: each one boots in an emulator, probes every mechanism and measures it a little.
kernels: PACKAGES += $(KERNEL_PACKAGES)
kernels: build
	@mkdir -p .build/kernels; \
	for kernel in $(KERNELS); do \
	  Tests/Kernels/boot.sh $$kernel $(CORDON) .build/kernels/$$kernel $(KERNEL_WORKLOADS); \
	done; \
	$(CORDON) compare --quick $(KERNEL_WORKLOADS:%=--workload %) --json .build/kernels/here.json >/dev/null; \
	$(CORDON) compare --merge .build/kernels/here.json $(KERNELS:%=.build/kernels/%/report.json) --html .build/kernels.html

# The linker passes over names that it does not find, so a list for an older start would do nothing and nobody would know:
# where there is a command newer than the list, it has to have nearly all of them.
lint:
	swift format lint --strict --recursive --parallel Sources Tests Package.swift
	@if [ $(CORDON) -nt $(ORDER) ]; then \
	  lost=$$(nm $(CORDON) | awk '{ print $$NF }' | LC_ALL=C sort -u | LC_ALL=C comm -13 - <(LC_ALL=C sort -u $(ORDER)) | wc -l); \
	  if [ "$$lost" -gt 20 ]; then \
	    echo "make: $(CORDON) has $$lost of the functions in $(ORDER) no more: run 'make order'" >&2; exit 1; \
	  fi; \
	fi

# Only asks for what is missing, so that it needs no privileges where nothing is.
packages:
	@command -v swift >/dev/null || { \
	  echo "make: no Swift toolchain: install Swift 6.2 or later (https://www.swift.org/install)" >&2; exit 69; }
	@missing=; for package in $(PACKAGES); do \
	  dpkg-query -W -f='$${db:Status-Status}' $$package 2>/dev/null | grep -qx installed || missing="$$missing $$package"; \
	done; \
	if [ -n "$$missing" ]; then \
	  echo "installing$$missing"; \
	  $(SUDO) apt-get update -qq && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $$missing; \
	fi

clean:
	rm -rf .build
