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

# Two savings that cost nothing: HTTP/2, which net/http would link and nothing
# here uses, and inlining in packages that messages do not pass through.
COLD       := crypto/... math/big fmt mime/... time strings bytes reflect context log/... syscall net internal/bisect internal/fmtsort \
              nhooyr.io/... github.com/eclipse/... mqttwasm/wasm mqttwasm/wasm/mqtt mqttwasm/wasm/wsconn \
              slices sort encoding/... compress/... vendor/...
WASM_FLAGS := -tags=nethttpomithttp2 $(foreach package,$(COLD),-gcflags='$(package)=-l')

$(WASM): Makefile $(GENERATED)/go-version go.mod go.sum $(call sources,wasm)
	GOOS=js GOARCH=wasm go build -trimpath -buildvcs=false -ldflags='-s -w' $(WASM_FLAGS) -o $@ ./wasm

# Support code and compiler belong together: always this toolchain's.
$(WASM_EXEC): $(GENERATED)/go-version
	cp $(GOROOT)/lib/wasm/wasm_exec.js $@

$(MODULES): web/package-lock.json web/package.json
	cd web && npm ci --no-audit --no-fund
	@touch $@

$(PAGE): $(WASM) $(WASM_EXEC) $(MODULES) web/index.html web/vite.config.ts web/tsconfig.json $(call sources,web/src web/scripts web/public)
	cd web && npx vite build

$(BINARY): $(PAGE) go.mod go.sum web/embed.go $(call sources,server)
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags='-s -w -X main.version=$(VERSION)' -o $@ ./server

.PHONY: static
static: $(BINARY) ## the page for any host of static files, into a new folder (make static DIR=site ARGS="-brokers FILE")
	$(BINARY) -static $(DIR) $(ARGS)
DIR ?= bin/static

.PHONY: load
load: $(PAGE) ## 2,000 WebSocket clients, 20,000 messages a second through the embedded broker for a minute
	MQTTWASM_LOAD=60s go test -count=1 -run TestLoad -v ./server

TEST_STEPS := deps size test-go test-wasm test-web test-e2e

.PHONY: test
test: ## run every test, installing what they need
	@status=0; summary=; \
	for step in $(TEST_STEPS); do \
		printf '\n== make %s\n' $$step; began=$$(date +%s); result=passed; \
		$(MAKE) --no-print-directory $$step || { result=FAILED; status=1; }; \
		summary="$$summary$$(printf '%-10s %s, %d s' $$step $$result $$(($$(date +%s) - began)))\n"; \
		if [ $$step$$result = depsFAILED ]; then break; fi; \
	done; \
	printf "\n== summary\n$$summary"; exit $$status

.PHONY: deps
deps: ## install what the tests need (Chromium, mosquitto, paho-mqtt, gcc)
	@web/scripts/install-test-deps.sh

.PHONY: test-go
test-go: ## Go tests, with the race detector
	go test -race ./...

# Go's Node support passes its whole environment on, and fails where that is
# larger than a few kilobytes.
.PHONY: test-wasm
test-wasm: ## the client as WebAssembly, under Node
	GOOS=js GOARCH=wasm go test -exec 'env -i PATH="$(PATH)" HOME="$(HOME)" $(GOROOT)/lib/wasm/go_js_wasm_exec' ./wasm ./wasm/mqtt ./wasm/wsconn

.PHONY: test-vectors
test-vectors: ## byte vectors against the client core (MQTT_VECTORS=DIR make test-vectors)
	@[ -n "$(MQTT_VECTORS)" ] || { echo "MQTT_VECTORS names no folder of byte vectors"; exit 1; }
	MQTT_VECTORS=$(abspath $(MQTT_VECTORS)) go test -race -count=1 -run TestVectors ./wasm/mqtt

.PHONY: test-web
test-web: $(MODULES) $(WASM) $(WASM_EXEC) ## TypeScript: types, import rules, unit tests
	cd web && npx tsc --noEmit && npx biome lint src && npx vitest run

.PHONY: test-e2e
test-e2e: $(BINARY) ## the page in Chromium, against real brokers
	cd web && npx playwright test

.PHONY: screenshots
screenshots: $(BINARY) ## pictures: the README's into web/docs, of every view into web/test-results
	cd web && SCREENSHOTS=docs npx playwright test page-screenshots

.PHONY: size
size: $(PAGE) ## what a visitor downloads; fails over the limits
	@node web/scripts/size.mjs

$(LINTER):
	GOBIN=$(CURDIR)/bin go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

.PHONY: lint
lint: $(LINTER) $(MODULES) $(WASM) $(WASM_EXEC) ## golangci-lint, gofmt, biome, tsc
	$(LINTER) run ./...
	GOOS=js GOARCH=wasm $(LINTER) run ./wasm/...
	@unformatted=$$(gofmt -l server wasm web/*.go); [ -z "$$unformatted" ] || { echo "gofmt: $$unformatted"; exit 1; }
	cd web && npx biome check && npx tsc --noEmit

.PHONY: fmt
fmt: $(MODULES) ## format everything
	gofmt -w server wasm web/*.go
	cd web && npx biome check --write
