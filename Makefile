# unasked: `make help` lists the targets.

GO      ?= go
BIN     := bin/unasked
AUDITS  ?= audits
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
export CGO_ENABLED ?= 0

.PHONY: account help demo build test check bench groundtruth needs-demo needs-test needs-bench apps clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: needs-demo build ## audit both calibration apps on the embedded device and say where the reports are
	@sh scripts/demo.sh $(BIN) $(AUDITS)

account: needs-demo build ## run the whole experiment on accounts on the guilty calibration app (two minutes)
	@$(BIN) audit emulator/virtual/apps/clipshare.apk --virtual --protocol account --out $(AUDITS)/account-$$(date +%Y%m%d-%H%M%S); code=$$?; [ $$code -eq 1 ] || exit $$code

build: ## build the program, bin/unasked
	@$(GO) build -trimpath -ldflags "-X main.revision=$(VERSION)" -o $(BIN) ./cmd/unasked

test: needs-test check ## run the whole test suite
	@CGO_ENABLED=1 $(GO) test -race -timeout 14m ./...

check: ## gofmt, go vet, staticcheck
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$unformatted" ] || { echo "gofmt would change: $$unformatted" >&2; exit 1; }
	@$(GO) vet ./...
	@$(GO) tool staticcheck ./...

groundtruth: needs-test ## play services of which it is known what they create, and print what was found
	@$(GO) run ./scenarios/groundtruth/matrix

bench: needs-bench ## measure against other programs and write the table of docs/performance.md (six minutes)
	@npm ci --prefix bench/trackhar --silent --no-audit --no-fund
	@cd bench && $(GO) vet . && $(GO) run . -root .. -table ../docs/performance.md

apps: needs-test ## build the calibration apps' APKs from their sources
	@sh emulator/virtual/apps/build.sh

needs-demo:
	@sh scripts/need.sh demo

needs-test:
	@sh scripts/need.sh test

needs-bench:
	@sh scripts/need.sh bench

clean: ## remove what was built
	@rm -rf bin
