//! How long the critical-value pack takes.
fn main() {
    divan::main();
}
