# Everything a checkout needs. `make compare` is the main job, `make test` what CI runs.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := build

PACKAGES := libseccomp-dev pkg-config
# Real programs for the tests to run; one that cannot be had is said to be missing, and its tests are left out.
TEST_PACKAGES := busybox-static gcc gdb git golang-go musl-tools python3 strace
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
CORDON := .build/release/cordon
BUNDLE := .build/debug/cordonPackageTests.xctest
# Any account without privileges will do; this one exists everywhere.
ORDINARY := setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all

.PHONY: build compare test test-ordinary bench fuzz lint packages clean

build: packages
	swift build -c release --product cordon

compare: build
	$(CORDON) compare

test: PACKAGES += $(TEST_PACKAGES)
test: packages lint
	swift build --build-tests
	timeout 1800 swift test --skip-build
	@if [ "$$(id -u)" = 0 ]; then $(MAKE) --no-print-directory test-ordinary; fi

# What runs on real kernels runs as an ordinary user too. The checkout may lie where that user cannot go.
test-ordinary:
	@folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; chmod 755 "$$folder"; \
	cp $(BUNDLE) .build/debug/cordon .build/debug/ReadmeExample "$$folder"; \
	echo "as uid 65534:"; \
	cd "$$folder" && HOME="$$folder" timeout 1800 $(ORDINARY) ./cordonPackageTests.xctest \
	  --testing-library swift-testing --filter '^(IntegrationTests|CommandLineTests)\.'

bench: build
	swift build -c release --product cordon-bench
	.build/release/cordon-bench .build/bench.json

# More random filters before the kernel's judges than `make test` takes the time for.
fuzz: packages
	swift build --build-tests
	CORDON_FUZZ_CASES=$${CORDON_FUZZ_CASES:-20000} timeout 3600 swift test --skip-build --filter FilterFuzz

lint:
	swift format lint --strict --recursive --parallel Sources Tests Package.swift

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
