# "make" alone lists the targets. Go and git are all that is needed to begin with; "make setup" gets the rest.
VAULT := .cache/vault/vault-$(shell sed -n 's|^.*github.com/hashicorp/vault v||p' tools/vault/go.mod)
RACE  := $(if $(filter 1,$(shell go env CGO_ENABLED)),-race)
TAGS  := grpcnotrace# a quarter off the binary: docs/decisions/0007
FUZZTIME ?= 10s
LAWS     ?= 4

.PHONY: help build vault setup test test-fast lint fmt pages methods vuln demo conformance judges bench bench-peers pictures docs fuzz release release-check
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

build: ## build bin/bbsync
	go build -trimpath -tags $(TAGS) -o bin/bbsync ./cmd/bbsync
vault: $(VAULT) ## build the Vault server that the tests use (4 minutes, once)
setup: ## install what tests need beside Go: a C compiler (race detector) and Chromium (root, Debian)
	.ci/setup
test: vault ## run the whole suite: vet, a real Vault, a real Chromium, the race detector
	$(if $(RACE),,@echo "no C compiler: running without the race detector; make setup installs one")
	go vet ./...
	go test $(RACE) -timeout 45m $$(go list ./... | grep -v -e /internal/cli$$ -e /internal/laws$$)
	go test $(RACE) -timeout 45m ./internal/laws -run 'TestTwoAtOnce|TestFaults' # what runs within one process
	go test -timeout 45m -parallel 8 ./internal/laws -laws.times=$(LAWS) -laws.every # all, with more cases: they wait more than they work
	go test -timeout 45m -tags docs ./internal/cli # the binary as it is shipped: making RSA keys under the race detector takes minutes
	go test -C tools/manifests .
	go test -C tools/judges .
test-fast: vault ## run the whole suite without the race detector
	go test -tags docs ./...
	go test -C tools/manifests .
	go test -C tools/judges .
lint: .cache/bin/golangci-lint .cache/bin/deadcode ## check style and architecture, and that nothing is left that nothing calls
	$< run ./...
	.ci/deadcode .cache/bin/deadcode $(TAGS)
fmt: .cache/bin/golangci-lint .cache/bin/templ ## format the code
	$< fmt
	.cache/bin/templ fmt .
pages: .cache/bin/templ ## write the Go of the HTML pages from their .templ files
	$< generate
methods: ## check that the linker can drop the methods that nobody calls
	.ci/methods -tags $(TAGS)
vuln: .cache/bin/govulncheck ## look for known vulnerabilities (VULNDB=file:///... for a copy of the database)
	.ci/vuln $< $(VULNDB)
demo: build ## watch bbsync connect a fleet from nothing
	./examples/demo/run
conformance: build ## run go-tfe's own tests against the sandbox
	go run -C tools/conformance .
judges: build ## hold the sandbox to other people's clients, and say which are lacking (JUDGES=folder of repositories)
	.ci/judges
bench: build ## measure bbsync against a sandbox and print one table (ten minutes)
	go run ./tools/bench
bench-peers: build ## measure bbsync beside Terraform's own provider, the binary that TFE_PROVIDER names
	go run ./tools/bench -peers
pictures: build ## make the README's pictures from what the program prints (Chromium)
	go run ./tools/pictures
docs: ## write docs/commands from the commands
	rm -rf docs/commands && go run -tags docs ./cmd/bbsync docs --markdown docs/commands
fuzz: ## fuzz every parser for FUZZTIME each
	.ci/fuzz $(FUZZTIME)
release: ## build a release into dist/: VERSION=1.2.3
	go run -C tools/release . -version '$(VERSION)' -out '$(CURDIR)/dist'
release-check: ## build twice, as two people would, and compare
	go run -C tools/release . -check

$(VAULT): tools/vault/main.go tools/vault/go.mod
	cd tools/vault && go build -trimpath -tags minimal -ldflags '-s -w' -o ../../$@ .
.cache/bin/templ: tools/templ/go.mod
	cd tools/templ && go build -trimpath -ldflags '-s -w' -o ../../$@ github.com/a-h/templ/cmd/templ
.cache/bin/golangci-lint: PACKAGE = github.com/golangci/golangci-lint/v2/cmd/golangci-lint
.cache/bin/govulncheck: PACKAGE = golang.org/x/vuln/cmd/govulncheck
.cache/bin/deadcode: PACKAGE = golang.org/x/tools/cmd/deadcode
.cache/bin/%: tools/lint/go.mod
	cd tools/lint && go build -trimpath -ldflags '-s -w' -o ../../$@ $(PACKAGE)
