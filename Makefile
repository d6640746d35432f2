# A newcomer's commands are "make bench", "make test" and, for the real Xen,
# "make bench-xen".

GO      ?= go
# As in Xen 3.2's Config.mk: the framework, and the module built with it. They
# choose what "make model" builds; "make bench" builds all three ways, and others on
# request: ARGS='--builds native,dummy,flask,silo'.
XSM_ENABLE   ?= y
FLASK_ENABLE ?= n

# What "make bench" measures: 8 rounds take some three minutes on two cores, and
# balance the order of three builds and their controls.
ROUNDS ?= 8
RUN    ?= runs/bench
ARGS   ?=

comma      := ,
model_tags := $(if $(filter y,$(XSM_ENABLE)),xsm$(if $(filter y,$(FLASK_ENABLE)),$(comma)flask))

# Packages whose code the build tags of the framework change. Others that are
# about builds make them in their tests.
tagged := ./cmd/xsmmodel ./hv/model ./hv/model/flasktest ./hv/model/guest ./hv/model/toolstack ./xsm ./xsm/flask

# Packages in which goroutines meet, for the race detector. Those above the
# history are left out: SQLite, translated to Go, takes minutes to compile for it.
concurrent := ./bench/... ./experiment ./hv/... ./results ./workloads/... ./xsm/... \
	./reports/compare ./reports/stats

# Those that are tested where hooks are inlined checks, and direct calls: of the
# module that is linked, so that not every program can be.
inlined := ./hv/model ./hv/model/guest ./xsm
direct := ./hv/model/guest ./hv/model/toolstack ./xsm
direct_flask := ./hv/model/flasktest ./xsm/flask

# Packages that are tested as 386, which is an architecture of the model. QEMU's
# user mode can run them: with -short, they start no programs. Again nothing with
# SQLite.
emulated := ./abi/... ./bench/... ./hv/model ./hv/model/flasktest ./hv/model/guest ./hv/model/toolstack \
	./reports/profile ./results ./experiment ./workloads/... \
	./xsm ./xsm/flask ./xsm/flask/avc ./xsm/hook/... ./reports/compare ./reports/stats

# Those that do, where the kernel runs 32-bit programs.
starting := ./cmd/xsmmodel ./hv/model/... ./hv/gotool/... ./hv/store/... ./hv/count/...

comma := ,

# The race detector needs cgo, that is a C compiler, and a 64-bit machine.
race := $(if $(and $(shell command -v $$($(GO) env CC) 2>/dev/null),$(filter amd64,$(shell $(GO) env GOARCH))),-race)

.PHONY: bench bench-xen bench-plugin bench-edit bench-verdicts bench-scale bench-history bench-site bench-kill bench-fleet xen-needs test test-all test-fleet test-386 test-xen test-trees test-simulations build dist dist-try model generate lint clean

# The main job: build the model hypervisor three ways, measure from dom0 and
# domU, end with the comparison and a report.
bench: build
	bin/xsmbench run --rounds $(ROUNDS) --replace -o $(RUN) $(ARGS)
	bin/xsmbench report $(RUN)

# The same on the real Xen, in QEMU: instructions per operation, exactly. The
# first time it fetches and builds Xen, which takes some minutes.
RUN_XEN ?= runs/bench-xen
bench-xen: build xen-needs
	bin/xsmbench run --target xen --replace -o $(RUN_XEN) $(ARGS)
	bin/xsmbench report $(RUN_XEN)

# What "xsmbench doctor --target xen" finds missing, installed if that is
# allowed.
xen-needs: build
	@need=$$(bin/xsmbench doctor --target xen --format packages) || { bin/xsmbench doctor --target xen; exit 3; }; \
	if [ -n "$$need" ]; then \
		if [ "$$(id -u)" = 0 ]; then echo "apt-get install $$need"; apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$need >/dev/null; \
		else bin/xsmbench doctor --target xen; exit 3; fi; \
	fi

# The real Xen from end to end; skipped, with a word, where QEMU or a compiler
# is missing (XSMBENCH_REQUIRE=all makes that a failure).
test-xen:
	$(GO) test -tags realxen -timeout 80m -count=1 -v ./hv/xen/realtest

# What docs/fleet has for engines, and Slurm itself: a controller and three nodes on this
# machine, one of which dies. Slurm must be installed: slurmctld, slurmd, slurm-client and
# munge, of which nothing needs to run.
test-fleet:
	XSMBENCH_REQUIRE=all $(GO) test ./cmd/xsmbench -count=1 -run '^Test(Fleet|Slurm|Kubernetes)' -v

# Every stable branch from 4.15 and master of a clone of Xen's repository: the whole
# suite in three builds and both domains; prints a table of what dummy and FLASK
# cost in each. XENTREES=stable-4.20,master chooses, XENBENCH=PATTERN chooses
# benchmarks, XENRUNS=DIR keeps the runs.
test-trees: build xen-needs
	@test -n "$(XENREPO)" || { echo "make test-trees XENREPO=DIR: give a clone of Xen's repository" >&2; exit 2; }
	XENREPO="$(XENREPO)" $(GO) test -tags realxen -timeout 12h -count=1 -v -run '^TestTrees$$' ./hv/xen/realtest

# What the counting plug-in adds to the time of a resume, with and without it
# in turn.
bench-plugin:
	$(GO) test -tags realxen -timeout 40m -run '^$$' -bench Plugin -benchtime 3x ./hv/xen/realtest

# What a Xen developer waits for after an edit of one file, and where each second
# goes.
bench-edit:
	$(GO) test -tags realxen -timeout 60m -run '^$$' -bench Edit -benchtime 1x ./hv/xen/realtest

# How often verdicts are wrong, in simulated runs whose truth is known: the
# tables of docs/statistics.md. It takes some fifteen minutes.
bench-verdicts:
	$(GO) test -run '^$$' -bench Simulate -benchtime 1x -timeout 40m ./reports/compare

# The rates that verdicts and changes promise, in small simulations of many runs
# (the large ones are bench-verdicts): no part of "make test".
test-simulations:
	XSMBENCH_SIMULATE=1 $(GO) test ./reports/compare ./reports/stats ./reports/trend

# Every test, in each of the builds that it concerns, on both architectures and
# both targets. What a test lacks is named at the end; XSMBENCH_REQUIRE=all makes
# that a failure.
test:
	@list=$$(mktemp); XSMBENCH_SKIPPED=$$list $(MAKE) --no-print-directory test-all; code=$$?; \
	if [ -s $$list ]; then echo "make test: SKIPPED on this machine:"; sort -u $$list | sed 's/^/  /'; fi; \
	rm -f $$list; exit $$code

test-all:
	$(GO) test -timeout 25m ./...
	cd dist && $(GO) test ./...
	$(if $(race),$(GO) test -race -short $(concurrent),@echo "make test: SKIPPED, the race detector: there is no C compiler")
	$(GO) test $(race) -tags xsm $(tagged)
	$(GO) test $(race) -tags xsm,xsmcount $(tagged)
	$(GO) test $(race) -tags xsm,flask $(tagged)
	$(if $(race),$(GO) test -tags xsm$(comma)flask -run '^TestWithoutOne$$' ./cmd/xsmmodel)
	$(GO) test -tags xsminline $(inlined)
	$(GO) test -tags xsm,xsmdirect,xsmcount $(direct)
	$(GO) test -tags xsm,flask,xsmdirect $(direct_flask)
	$(GO) test -tags xsm,silo ./cmd/xsmmodel
	$(GO) test -tags xsm,silo -run '^TestSILO$$' ./hv/model
	@$(MAKE) --no-print-directory test-386
	@$(MAKE) --no-print-directory test-xen

# As 32-bit programs: by the kernel if it runs them, else in QEMU's user mode.
# There, Go's threads must not interrupt each other by signals, and must have one
# processor: of some hundred starts on two, one died in the runtime (QEMU 7.2).
test-386:
	@if GOARCH=386 $(GO) test -count=1 -run '^$$' ./xsm/hook >/dev/null 2>&1; then \
		set -ex; export GOARCH=386; \
		$(GO) test $(emulated) $(starting); \
		$(GO) test -tags xsm $(tagged); \
		$(GO) test -tags xsm,xsmcount $(tagged); \
		$(GO) test -tags xsm,flask $(tagged); \
	elif command -v qemu-i386 >/dev/null; then \
		echo "make test: this kernel runs no 32-bit programs: SKIPPED on 386, tests that start programs; QEMU runs the others"; \
		one=$$(taskset -cp $$$$ | sed 's/.*: //; s/[-,].*//'); \
		set -ex; export GOARCH=386 GODEBUG=asyncpreemptoff=1; \
		$(GO) test -short -exec "taskset -c $$one qemu-i386" $(emulated); \
		$(GO) test -short -exec "taskset -c $$one qemu-i386" -tags xsm,flask $(filter $(emulated),$(tagged)); \
	else \
		echo "make test: SKIPPED on 386, every test: this kernel runs no 32-bit programs, and QEMU's user mode is not installed"; \
	fi

# A million result lines, compared by this program and by benchstat: time and
# memory side by side.
LINES ?= 1000000
bench-scale:
	$(GO) test ./cmd/xsmbench -count=1 -run '^TestScale$$' -v -scale.lines $(LINES) -scale.runs 5

# A history of many runs: how long "history trend" takes on it, and how much memory. It
# fails above 5 s or 500 MB; HISTORY_MOST= only measures.
HISTORY_RUNS ?= 10000
HISTORY_BENCHMARKS ?= 200
HISTORY_MOST ?= -history.seconds 5 -history.mb 500
bench-history:
	$(GO) test ./cmd/xsmbench -count=1 -timeout 2h -run '^TestHistoryScale$$' -v -history.runs $(HISTORY_RUNS) -history.benchmarks $(HISTORY_BENCHMARKS) -history.builds native -history.site=false $(HISTORY_MOST)

# The same of its site.
SITE_RUNS ?= 2000
SITE_BENCHMARKS ?= 100
bench-site:
	$(GO) test ./cmd/xsmbench -count=1 -timeout 2h -run '^TestHistoryScale$$' -v -history.runs $(SITE_RUNS) -history.benchmarks $(SITE_BENCHMARKS)

# 200 runs that are ended at random moments: nothing that was measured may be
# lost, and each must resume to what it would have been. And 100 shards of runs, 100 of series, and 100 nodes with
# their disks and the store that they share: what is merged must be what one machine
# writes. SEED gives other moments.
RUNS ?= 200
SEED ?= 1
bench-kill:
	$(GO) test ./cmd/xsmbench -count=1 -run '^TestKilledRuns$$' -v -timeout 30m -kill.all -kill.runs $(RUNS) -kill.seed $(SEED)
	XSMBENCH_SHARD_KILLS=100 XSMBENCH_NODE_KILLS=100 XSMBENCH_SHARD_SEED=$(SEED) $(GO) test ./cmd/xsmbench -count=1 -run '^TestKilled(Shards|Series|Nodes)$$' -v -timeout 60m

# What 1 to 1,000 machines need for a plan, simulated with measured costs: the tables of
# docs/fleet.md.
bench-fleet:
	$(GO) test ./cmd/xsmbench -count=1 -run '^TestFleetFigures$$' -v

build:
	$(GO) build -o bin/xsmbench ./cmd/xsmbench

# A release: a Debian package and a tarball in DIST. dist-try makes it twice,
# compares, installs it in an empty root directory, tries it there and removes it.
DIST ?= bin/dist
dist:
	cd dist && $(GO) run . -o $(abspath $(DIST))

dist-try:
	dist/try.sh

# One model hypervisor, as XSM_ENABLE and FLASK_ENABLE say.
model:
	$(GO) build -tags '$(model_tags)' -o bin/xsmmodel ./cmd/xsmmodel

generate:
	$(GO) generate ./...

lint:
	@fmt=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$fmt" || { echo "gofmt: $$fmt"; exit 1; }
	$(GO) vet ./...
	cd dist && $(GO) vet ./...
	$(GO) vet -tags xsm $(tagged)
	$(GO) vet -tags xsm,flask $(tagged)
	$(GO) vet -tags xsm,silo ./cmd/xsmmodel ./hv/model
	$(GO) vet -tags xsm,xsmcount $(tagged)
	$(GO) vet -tags xsminline $(inlined)
	$(GO) vet -tags xsm,xsmdirect,xsmcount $(direct)
	$(GO) vet -tags xsm,flask,xsmdirect $(direct_flask)
	$(GO) vet -tags realxen ./hv/xen/realtest
	GOARCH=386 $(GO) vet $(emulated) $(starting)
	$(GO) tool staticcheck ./...
	staticcheck=$$($(GO) tool -n staticcheck) && cd dist && $$staticcheck ./...
	$(GO) tool staticcheck -tags xsm,flask $(tagged)
	$(GO) tool staticcheck -tags xsm,xsmcount $(tagged)
	$(GO) tool staticcheck -tags xsm,flask,xsmdirect $(direct_flask)
	$(GO) tool staticcheck -tags realxen ./hv/xen/realtest

clean:
	rm -rf bin runs
