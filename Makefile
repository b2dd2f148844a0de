# `make help` lists the targets. Nothing here needs more than Go, make and git.

SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c

# Tools are built from pinned modules into a cache outside the work tree, so that
# a clean checkout does not build them again.
CACHE  ?= $(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME),$(HOME)/.cache)/provider-nlb
GENDIR := $(CACHE)/tools/gen-$(shell cat go.tools.mod go.tools.sum | sha256sum | cut -c1-12)
PROMMOD := cluster/local/programs/promtool
PROMDIR := $(CACHE)/tools/promtool-$(shell cat $(PROMMOD)/go.mod $(PROMMOD)/go.sum | sha256sum | cut -c1-12)
LINTDIR := $(CACHE)/tools/lint-$(shell cat go.lint.mod go.lint.sum | sha256sum | cut -c1-12)

# A semantic version, which Crossplane asks for: the tag, or where the commit is from
# there.
VERSION ?= $(shell git describe --tags --match 'v[0-9]*' --dirty 2>/dev/null || \
	{ commit=$$(git describe --always --dirty --exclude '*' 2>/dev/null) && echo "v0.0.0-g$$commit"; } || echo v0.0.0-dev)
LDFLAGS := -s -w -X main.version=$(VERSION)

.PHONY: help
help: ## List the targets.
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /\1\t/' | expand -t 16

$(GENDIR)/.done:
	@echo "building controller-gen and angryjet (about 2 minutes, once)"
	@mkdir -p $(GENDIR)
	@go build -modfile=go.tools.mod -o $(GENDIR)/ sigs.k8s.io/controller-tools/cmd/controller-gen github.com/crossplane/crossplane-tools/cmd/angryjet
	@touch $@

$(LINTDIR)/.done:
	@echo "building golangci-lint (about 5 minutes, once)"
	@mkdir -p $(LINTDIR)
	@go build -modfile=go.lint.mod -o $(LINTDIR)/ github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	@touch $@

# Without service discovery, which a rule test does not need.
$(PROMDIR)/.done:
	@echo "building promtool (about 3 minutes, once)"
	@mkdir -p $(PROMDIR)
	@cd $(PROMMOD) && CGO_ENABLED=0 go build -trimpath -tags remove_all_sd -o $(PROMDIR)/ github.com/prometheus/prometheus/cmd/promtool
	@touch $@

.PHONY: generate
generate: $(GENDIR)/.done ## Generate code and CRDs from apis/, and XRDs.
	@$(GENDIR)/controller-gen object paths=./apis/...
	@rm -rf package/provider/crds
	@$(GENDIR)/controller-gen crd:allowDangerousTypes=false paths=./apis/... output:crd:artifacts:config=package/provider/crds
	@for scope in namespaced cluster; do \
		$(GENDIR)/angryjet generate-methodsets --filename-managed=zz_generated.managed.go --filename-managed-list=zz_generated.managedlist.go --filename-resolvers=zz_generated.resolvers.go --filename-pc=zz_generated.pc.go --filename-pcu=zz_generated.pcu.go --filename-pcu-list=zz_generated.pculist.go ./apis/$$scope/...; \
	done
	@rm -rf package/configuration/xrds && mkdir -p package/configuration/xrds
	@$(GENDIR)/controller-gen crd:allowDangerousTypes=false paths=./internal/composition output:crd:stdout | go run ./internal/composition/xrds package/configuration/xrds
	@{ printf '%s\n' '# Generated from alerts.yaml by make generate.' 'apiVersion: monitoring.coreos.com/v1' 'kind: PrometheusRule' 'metadata:' '  name: provider-nlb' 'spec:'; sed '/./s/^/  /' package/monitoring/alerts.yaml; } > package/monitoring/prometheusrule.yaml

# What Flux's source-controller and Argo CD need for their own tests cannot be had, so
# those two cannot be tidied: docs/decisions/0019.
PINNED := controlplane $(addprefix programs/,crossplane patch-and-transform auto-ready kustomize-controller kustomize redis promtool)

.PHONY: tidy
tidy: ## Tidy the Go modules.
	@go mod tidy
	@for module in $(PINNED); do (cd cluster/local/$$module && go mod tidy); done
	@cd cmd/function && go mod tidy
	@cd cluster/images && go mod tidy

.PHONY: lint
lint: $(LINTDIR)/.done ## Lint, import directions included.
	@$(LINTDIR)/golangci-lint run --allow-parallel-runners ./...
	@cd cmd/function && $(LINTDIR)/golangci-lint run --allow-parallel-runners ./...
	@cd cluster/images && $(LINTDIR)/golangci-lint run --allow-parallel-runners ./...

.PHONY: check
check: generate tidy lint ## Everything that must hold before a push; fails on a dirty tree.
	@go vet ./...
	@cd cmd/function && go vet ./...
	@if [ -n "$$(git status --porcelain)" ]; then \
		echo "the work tree is dirty: commit what 'make generate tidy' changed" >&2; git status --short >&2; git --no-pager diff --stat >&2; exit 1; fi

.PHONY: build
build: ## Build the provider and the function into _output/.
	@CGO_ENABLED=0 go build -trimpath -tags grpcnotrace -ldflags '$(LDFLAGS)' -o _output/provider ./cmd/provider
	@cd cmd/function && CGO_ENABLED=0 go build -trimpath -tags grpcnotrace -ldflags '$(LDFLAGS)' -o ../../_output/function .

IMAGES = cd cluster/images && go run . --release='$(VERSION)' --registry='$(REGISTRY)' $(if $(FORCE),--force)

.PHONY: package
package: ## Build the Crossplane packages into _output/package/.
	@rm -rf _output/package
	@$(IMAGES) build $(PLATFORMS:%=--platform=%)

# The first look at what stands in the way is before minutes of compiling.
.PHONY: publish
publish: ## Build the packages and push them: REGISTRY=host/path, VERSION=v1.2.3.
	@$(IMAGES) check
	@$(MAKE) --no-print-directory package
	@$(IMAGES) publish

.PHONY: controlplane
controlplane: ## Build the local control plane (about 8 minutes, once).
	@go run ./cluster/local/cmd/controlplane-build >/dev/null

.PHONY: e2e-tools
e2e-tools: ## Build Crossplane and functions too (about 10 minutes, once).
	@go run ./cluster/local/cmd/controlplane-build -beside >/dev/null

.PHONY: demo
demo: e2e-tools ## Show the whole story on a local control plane; KEEP=1 leaves it running.
	@go run ./cluster/local/cmd/controlplane-build -flux >/dev/null
	@go run ./cluster/test/demo $(if $(KEEP),-keep)

# Packages with tests on the real API server run two at a time: each has a control
# plane of its own.
.PHONY: test
test: controlplane ## All tests up to the real API server.
	go test -race -p 2 -timeout 20m $$(go list ./... | grep -vE '/cluster/(test/e2e|test/install|test/gitops/flux|test/gitops/argocd|local/crossplane)$$')
	go test -timeout 20m ./internal/histories -run 'TestRandomHistories|TestKilledAtEveryCall' -histories=1000 -every-fate
	cd cmd/function && go test -timeout 5m ./...
	cd cluster/images && go test -timeout 20m ./...
	@$(MAKE) --no-print-directory test-render test-alerts

.PHONY: test-alerts
test-alerts: $(PROMDIR)/.done ## Test the alerts with Prometheus's own rule engine.
	PROMTOOL_BINARY=$(PROMDIR)/promtool go test -count=1 -tags promtool -run 'TestAlertsFire|TestQueriesOfTheDashboard' ./cmd/provider

# The race detector makes a history ten times as long, so make test has 60 with it and
# 1,000 without, and a process that dies with a call does so in one way with it and in
# every way without.
.PHONY: soak
soak: ## Live through many random histories of the binding: HISTORIES=20000, FIRST=1.
	go test -timeout 0 -v ./internal/histories -run TestRandomHistories -histories=$(or $(HISTORIES),20000) -first=$(or $(FIRST),1)

.PHONY: calls
calls: controlplane ## Count the AWS calls of a round of polls of 500 objects in sync (about 10 minutes).
	go test -count=1 -timeout 20m -v ./internal/conformance -run TestARoundOfPollsSharesCalls -full-round

.PHONY: test-render
test-render: e2e-tools ## Render claims with Crossplane itself and its functions.
	tools=$$(go run ./cluster/local/cmd/controlplane-build -beside); cd cmd/function && \
		CROSSPLANE_BINARY=$$(grep '/crossplane$$' <<<"$$tools") AUTO_READY_BINARY=$$(grep '/function-auto-ready$$' <<<"$$tools") \
		go test -count=1 -tags render -run TestRender .

.PHONY: e2e
e2e: e2e-tools ## End-to-end tests: nodes, pods, simulated AWS, the provider's process, Crossplane, Flux.
	@go run ./cluster/local/cmd/controlplane-build -flux >/dev/null
	go test -count=1 -p 1 -timeout 60m ./cluster/local/crossplane ./cluster/test/e2e ./cluster/test/install ./cluster/test/gitops/flux

# Not part of .ci/run: it is slow to build, and needs a newer Go, which the go command
# fetches.
.PHONY: e2e-argocd
e2e-argocd: controlplane ## The same from Git with Argo CD (another 15 minutes, once).
	@go run ./cluster/local/cmd/controlplane-build -argocd >/dev/null
	go test -count=1 -timeout 30m ./cluster/test/gitops/argocd

.PHONY: bench
bench: controlplane ## Measure the provider under production traffic (about 30 minutes); writes docs/benchmarks.md.
	go run ./cluster/test/bench -json _output/bench.json -docs docs/benchmarks.md

.PHONY: e2e-awscli
e2e-awscli: ## The simulated AWS answers the AWS CLI (needs aws: Debian package awscli).
	go test -count=1 -tags awscli -run CommandLine ./internal/awssim ./cluster/test/e2e

.PHONY: clean-cache
clean-cache: ## Remove the tools and the control plane from the cache.
	@rm -rf $(CACHE)
