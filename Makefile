# What a person types. `make help` lists it.
.DEFAULT_GOAL := help
.PHONY: help build demo test bench campaign kills fuzz mutants

CARGO ?= cargo
# make demo ONCE=1 ends after the first gifts; DEBUG=1 takes target/debug/sonmul as the tests left it.
ONCE ?=
DEBUG ?=
ARGS ?=
# make campaign SEEDS=1..20000
SEEDS ?= 1..1000
# make kills ROUNDS=1000
ROUNDS ?= 200
# make fuzz TARGET=gsup SECONDS=600; without TARGET all of them, one after the other.
TARGET ?=
SECONDS ?= 60
# make mutants ONLY=decide/limits MINUTES=30; without ONLY all files, without MINUTES to the end.
ONLY ?=
MINUTES ?=

help: ## What there is
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

build: ## The server, target/release/sonmul, with its debug file target/release/sonmul.debug beside it
	$(CARGO) build --release --locked -p sonmul
	scripts/split.sh target/release/sonmul

demo: ## Two operators, a gift from end to end, and lines to dial next (ONCE=1: ends after that)
	@$(if $(DEBUG),:,$(CARGO) build --profile demo --locked -p sonmul)
	@target/$(if $(DEBUG),debug,demo)/sonmul demo $(if $(ONCE),--once) $(ARGS)

test: ## Everything that CI checks; installs what it needs and says so
	scripts/test.sh

bench: ## The numbers of docs/benchmarks.md on this machine (ARGS=... for `sonmul-lab bench`)
	@$(CARGO) build --release --locked -p sonmul -p lab
	target/release/sonmul-lab bench $(ARGS)

campaign: ## A thousand seeds of the simulator on all cores (SEEDS=1..20000, ARGS=... for `sonmul-lab campaign`)
	@$(CARGO) build --profile quick --locked -p lab
	target/quick/sonmul-lab campaign --seeds $(SEEDS) $(ARGS)

kills: ## Kills the server at random moments and checks what its clients saw (ROUNDS=1000, ARGS=... for `sonmul-lab kill-loop`)
	@$(CARGO) build --profile quick --locked -p sonmul -p lab
	target/quick/sonmul-lab kill-loop --rounds $(ROUNDS) $(ARGS)

fuzz: ## Every decoder with random octets (TARGET=gsup SECONDS=600; all targets, 60 s each)
	scripts/fuzz.sh "$(TARGET)" "$(SECONDS)"

mutants: ## Changes the rules one by one; a test must notice (ONLY=decide/limits MINUTES=30: a part; goes on where it was)
	scripts/mutants.sh $(ONLY) $(if $(MINUTES),--minutes $(MINUTES))
