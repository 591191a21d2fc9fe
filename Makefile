# "make help" lists the targets.

GENERATED := web/src/worker/generated
WASM      := $(GENERATED)/mqttwasm.wasm
WASM_EXEC := $(GENERATED)/wasm_exec.js
MODULES   := web/node_modules/.package-lock.json
PAGE      := web/dist/index.html
BINARY    := bin/mqttwasm
LINTER    := bin/golangci-lint

GOROOT  := $(shell go env GOROOT)
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

sources = $(shell find $(1) -type f -not -name '*_test.go' -not -name '*.test.*' -not -path '$(GENERATED)/*' 2>/dev/null)

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: $(BINARY) ## build everything into one binary, bin/mqttwasm

.PHONY: run
run: $(BINARY) ## build, then serve http://127.0.0.1:8080 (flags: make run ARGS="-addr :9000")
	@$(BINARY) $(ARGS)

# Written only when the toolchain changes, so that what depends on it is rebuilt then.
$(GENERATED)/go-version: FORCE
	@mkdir -p $(@D)
	@go version | cmp -s - $@ || go version > $@
.PHONY: FORCE
FORCE:

$(WASM): Makefile web/scripts/go-without-net.sh web/scripts/join-data.mjs $(GENERATED)/go-version go.mod go.sum $(call sources,wasm)
	web/scripts/go-without-net.sh build -trimpath -buildvcs=false -ldflags='-s -w' -o $@.linked ./wasm
	node web/scripts/join-data.mjs $@.linked
	mv $@.linked $@

# Support code and compiler belong together: always this toolchain's.
$(WASM_EXEC): $(GENERATED)/go-version
	cp $(GOROOT)/lib/wasm/wasm_exec.js $@

$(MODULES): web/package-lock.json web/package.json
	cd web && npm ci --no-audit --no-fund
	@touch $@

$(PAGE): $(WASM) $(WASM_EXEC) $(MODULES) web/index.html web/vite.config.ts web/tsconfig.json $(call sources,web/src web/scripts web/public)
	cd web && npx vite build

# The same sources, version and toolchain give the same bytes, wherever they are built.
SERVER_BUILD := CGO_ENABLED=0 GOAMD64=v1 GOARM64=v8.0 go build -trimpath -buildvcs=false -ldflags='-s -w -X main.version=$(VERSION)'

$(BINARY): $(PAGE) go.mod go.sum web/embed.go $(call sources,server)
	$(SERVER_BUILD) -o $@ ./server

PLATFORMS := linux-amd64 linux-arm64 darwin-amd64 darwin-arm64 windows-amd64 windows-arm64
# The wasm has no build information that tools can read, so its modules are listed.
GOMOD_BOM := go run github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.9.0

.PHONY: release
release: $(PAGE) ## binaries for all platforms, checksums and bills of materials, into release/
	rm -rf release && mkdir release
	set -e; for platform in $(PLATFORMS); do \
		case $$platform in windows-*) exe=.exe;; *) exe=;; esac; \
		GOOS=$${platform%-*} GOARCH=$${platform#*-} $(SERVER_BUILD) -o release/mqttwasm-$$platform$$exe ./server; \
	done
	@copy=$$(mktemp -d); trap 'rm -rf "$$copy"' EXIT; \
	mkdir $$copy/web && cp -r go.mod go.sum server $$copy && cp -r web/embed.go web/dist $$copy/web && \
	(cd $$copy && GOOS=linux GOARCH=amd64 $(SERVER_BUILD) -o again ./server) && cmp $$copy/again release/mqttwasm-linux-amd64 && \
	echo "built again in another folder: the same bytes"
	$(GOMOD_BOM) bin -json -noserial -std -version $(VERSION) -output release/server.cdx.json release/mqttwasm-linux-amd64
	{ go version; GOOS=js GOARCH=wasm go list -deps -f '{{with .Module}}{{if .Version}}{{.Path}} {{.Version}} {{.Sum}}{{end}}{{end}}' ./wasm | sort -u; } > release/wasm.modules.txt
	cd web && npm sbom --sbom-format cyclonedx --omit dev > ../release/page.cdx.json
	node web/scripts/steady-boms.mjs "$$(git log -1 --format=%cI 2>/dev/null)" release/*.cdx.json
	cd release && sha256sum * > SHA256SUMS

.PHONY: static
static: $(BINARY) ## the page for any host of static files, into a new folder (make static DIR=site ARGS="-brokers FILE")
	$(BINARY) -static $(DIR) $(ARGS)
DIR ?= bin/static

.PHONY: load
load: $(PAGE) ## the embedded broker's figures: 2,000 WebSocket clients for a minute; -data; attacks
	MQTTWASM_LOAD=60s go test -count=1 -run TestLoad -v ./server

# Its tarball lies beside it.
PACKAGE := web/package/package.json

$(PACKAGE): README.md $(WASM) $(WASM_EXEC) $(MODULES) web/tsconfig.json web/tsconfig.package.json $(wildcard web/docs/*.md web/docs/*/*.md) \
            $(wildcard web/scripts/*.mjs) \
            $(call sources,web/src/brokers web/src/client web/src/compat web/src/elements web/src/platform web/src/protocol web/src/worker)
	cd web && node scripts/package.mjs

.PHONY: package
package: $(PACKAGE) ## the npm package, in web/package

TEST_STEPS := deps size test-go test-wasm test-web test-e2e test-package lint-go lint-web audit

# The linter takes minutes to compile where that was never done, so it gets the
# time that the other steps leave. What failed is told once more at the end.
.PHONY: test
test: ## run every test and linter, installing what they need
	@nice $(MAKE) --no-print-directory $(LINTER) & \
	linter=$$!; status=0; said=$$(mktemp -d); trap 'rm -r $$said' EXIT; \
	for step in $(TEST_STEPS); do \
		printf '\n== make %s\n' $$step; began=$$(date +%s); result=passed; \
		if [ $$step = lint-go ]; then wait $$linter; fi; \
		{ $(MAKE) --no-print-directory $$step 2>&1 || touch $$said/failed; } | tee $$said/output; \
		if [ -e $$said/failed ]; then rm $$said/failed; result=FAILED; status=1; fi; \
		printf '%-12s %s, %d s\n' $$step $$result $$(($$(date +%s) - began)) >> $$said/summary; \
		if [ $$result = passed ]; then continue; fi; \
		{ awk '/✘|--- FAIL|^panic:|^ *FAIL /; /^ +[0-9]+\) \[/ { lines = 16 } lines-- > 0' $$said/output | grep . || tail -n 5 $$said/output; } | \
			head -n 60 | cut -c 1-200 >> $$said/summary; \
		if [ $$step = deps ]; then break; fi; \
	done; \
	printf '\n== summary\n'; cat $$said/summary; exit $$status

# What passed before and has not changed is not run again: Go's cache knows, and
# Vitest by what has changed since the last commit.
.PHONY: test-quick quick-go quick-web
test-quick: $(BINARY) ## before each commit: types, linters, Go without -race, unit tests of what has changed, README
	@$(MAKE) --no-print-directory -j2 -O quick-go quick-web
quick-go:
	go vet ./... && go test ./...
quick-web: lint-web
	cd web && npx vitest run --changed --passWithNoTests && npx playwright test readme

.PHONY: deps
deps: ## install what the tests need (browsers, mosquitto, paho-mqtt, gcc)
	@web/scripts/install-test-deps.sh

.PHONY: test-go
test-go: ## Go tests, with the race detector
	go test -race ./...

# Go's Node support passes its whole environment on, and fails where that is
# larger than a few kilobytes. Here net/http is whole, as in a plain go build;
# the wasm that ships is what the tests of the page and of the package run.
.PHONY: test-wasm
test-wasm: ## the client as WebAssembly, under Node
	GOOS=js GOARCH=wasm go build -o /dev/null ./wasm
	GOOS=js GOARCH=wasm go test -exec 'env -i PATH="$(PATH)" HOME="$(HOME)" $(GOROOT)/lib/wasm/go_js_wasm_exec' ./wasm/...

.PHONY: test-vectors
test-vectors: ## byte vectors against the client core (MQTT_VECTORS=DIR make test-vectors)
	@[ -n "$(MQTT_VECTORS)" ] || { echo "MQTT_VECTORS names no folder of byte vectors"; exit 1; }
	MQTT_VECTORS=$(abspath $(MQTT_VECTORS)) go test -race -count=1 -run TestVectors ./wasm/mqtt

.PHONY: test-web
test-web: $(MODULES) $(WASM) $(WASM_EXEC) ## TypeScript: unit tests (types and import rules: make lint-web)
	cd web && npx vitest run

.PHONY: test-e2e
test-e2e: $(BINARY) ## the page in Chromium, Firefox and WebKit, against real brokers
	cd web && status=0; \
	npx playwright test --workers=3 --grep-invert '@alone|@timed' || status=1; \
	npx playwright test --workers=2 --grep @timed --output test-results/timed || status=1; \
	npx playwright test --workers=1 --grep @alone --output test-results/alone || status=1; \
	exit $$status

web/package-test/node_modules/.package-lock.json: web/package-test/package-lock.json web/package-test/package.json
	cd web/package-test && npm ci --no-audit --no-fund --ignore-scripts
	@touch $@

.PHONY: test-package
test-package: $(PACKAGE) $(MODULES) web/package-test/node_modules/.package-lock.json ## the npm package in every bundler, in Node, and in the examples
	cd web && npx playwright test --config package-test

.PHONY: docs
docs: web/package-test/node_modules/.package-lock.json $(MODULES) ## the reference of the JavaScript API, from its types
	cd web && package-test/node_modules/.bin/typedoc

BENCH_MODULES := web/bench/node_modules/.package-lock.json
FLOODER       := bin/bench-flooder

$(BENCH_MODULES): web/bench/package-lock.json web/bench/package.json
	cd web/bench && npm ci --no-audit --no-fund
	@touch $@

$(FLOODER): go.mod $(call sources,web/bench/flooder)
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -o $@ ./web/bench/flooder

.PHONY: bench
bench: $(BINARY) $(FLOODER) $(BENCH_MODULES) deps ## against a bare WebSocket, MQTT.js and Paho JS (BENCH_ROUNDS=5 BENCH_ONLY=regexp)
	@node web/bench/run.mjs

.PHONY: screenshots
screenshots: $(BINARY) ## pictures: the README's into web/docs, of every view into web/test-results
	cd web && SCREENSHOTS=docs npx playwright test page-screenshots elements-gallery page-look page-fleet page-scripts page-login

.PHONY: look
look: $(BINARY) ## store anew what the page looks like, with which page-look compares it
	cd web && LOOK=store npx playwright test page-look

.PHONY: bench-console
bench-console: $(BINARY) ## the page under load, in Chromium (BENCH_SECONDS, BENCH_RUNS, BENCH_ONLY)
	cd web && npx playwright test -c bench/console

.PHONY: size
size: $(PAGE) ## what a visitor downloads; fails over the limits
	@node web/scripts/size.mjs

$(LINTER):
	@web/scripts/install-go-tool.sh github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

.PHONY: lint
lint: lint-go lint-web audit ## every linter

# With the flags of the server's build and of the wasm's tests, for which the
# packages that ours import are compiled already.
.PHONY: lint-go
lint-go: $(LINTER) ## Go: gofmt, golangci-lint
	@status=0; \
	unformatted=$$(gofmt -l server wasm web/*.go web/examples); \
	[ -z "$$unformatted" ] || { echo "gofmt: $$unformatted"; status=1; }; \
	if [ -x $(LINTER) ]; then \
		CGO_ENABLED=0 GOFLAGS="$$(go env GOFLAGS) -trimpath" $(LINTER) run ./... || status=1; \
		GOOS=js GOARCH=wasm $(LINTER) run ./wasm/... || status=1; \
	else \
		echo "golangci-lint: not installed, skipped"; \
	fi; \
	exit $$status

.PHONY: lint-web
lint-web: $(MODULES) $(WASM) $(WASM_EXEC) ## TypeScript: types, import rules, format; no file of more than 400 lines, Go included
	@long=$$(git ls-files -- '*.go' '*.ts' '*.tsx' '*.mjs' '*.css' | xargs awk 'FNR == 401 { print FILENAME }'); \
	[ -z "$$long" ] || { echo "more than 400 lines: $$long"; exit 1; }
	cd web && status=0; npx tsc --noEmit || status=1; npx biome check || status=1; exit $$status

.PHONY: audit
audit: $(MODULES) ## look for known vulnerabilities, where the databases can be reached
	@web/scripts/audit.sh

.PHONY: fmt
fmt: $(MODULES) ## format everything
	gofmt -w server wasm web/*.go web/examples
	cd web && npx biome check --write
