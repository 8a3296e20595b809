# The commands of this project; each is a script of the same name in scripts/.

.DEFAULT_GOAL := help
.PHONY: help setup run test build site bench bench-import bench-report torture torture-import torture-report lighthouse e2e api-test mail-test fuzz prepare pictures fmt clean
ARGS ?=

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 16

setup: ## install what building and testing need
	@scripts/setup test

run: ## build what is needed and serve on http://127.0.0.1:3000 until Ctrl-C
	@scripts/run $(ARGS)

test: ## every check: formatting, lints, dependencies, unit, database and browser tests
	@scripts/test $(ARGS)

build: ## release build: the program and the site
	@scripts/build

site: ## the browser's side alone, quick to build (RTV_SITE_PROFILE=release: small)
	@scripts/setup build
	@scripts/build-site

bench: ## measure the release build: requests, latencies, memory, time to start, shipped sizes
	@scripts/bench $(ARGS)

bench-import: ## measure imports of 50 and 200 MB beside a plain insert; ARGS="20" takes other sizes
	@scripts/bench-import $(ARGS)

bench-report: ## measure CSV, XLSX and PDF beside COPY, XlsxWriter and reportlab; ARGS="ROWS" takes another size
	@scripts/bench-report $(ARGS)

torture: ## crashes, lost replies and flips of kill switches; hours; ARGS="--resume", "--shard 3/8 --seed 7", "--sum"
	@scripts/torture $(ARGS)

torture-import: ## kill fifty workers in the middle of an import: all rows or none
	@scripts/torture-import

torture-report: ## 200 schedules due at once, twenty workers killed: each made and mailed once
	@scripts/torture-report

lighthouse: ## score pages as a phone on a slow line sees them; fails below the limits of end2end/lighthouse
	@scripts/lighthouse $(ARGS)

e2e: ## the browser tests alone; ARGS="-g 'sign in'" picks some
	@scripts/e2e $(ARGS)

api-test: ## ask the API what its description allows, and what it does not (schemathesis); ARGS="100 7": examples and seed
	@scripts/api-test $(ARGS)

mail-test: ## hand an invitation and a report over to aiosmtpd, encrypted from the first byte and by STARTTLS
	@scripts/mail-test

fuzz: ## feed random files to the import for ten minutes; ARGS=60 for a minute
	@scripts/fuzz $(ARGS)

prepare: ## refresh .sqlx after a change of queries or migrations
	@scripts/prepare

pictures: ## take the pictures of the documentation again
	@scripts/pictures

fmt: ## format the Rust code
	@scripts/fmt

clean: ## remove everything built; data in .rtv stays
	@scripts/clean
