# Each target does its own set-up. Demo and tests share the dev profile, whose dependencies are optimised.
ARGS ?=

.PHONY: demo test lint bench setup-demo setup-test

# A gateway on free ports and a lab result through it; `make demo ARGS=--exit` leaves at once.
# The build shows what it does, since the first one takes some minutes.
demo: setup-demo
	cargo build --package causeway-server
	@cargo run --quiet --package causeway-server -- demo $(ARGS)

# Everything that must hold.
test: setup-test
	cargo test --workspace $(ARGS)

# Form and lints.
lint: setup-demo
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- --deny warnings

# The figures of the house from end to end, in one table; `make bench ARGS="crowd commits"` for some parts, `BENCH=full make
# bench` for the goals' own durations. The benches of single crates run with `cargo bench --package NAME`.
bench: setup-test
	cargo build --release --package causeway-server
	cargo bench --package causeway-tests --bench figures -- $(ARGS)

setup-demo:
	@scripts/setup.sh demo

setup-test:
	@scripts/setup.sh test
