//! How fast a file of claims is checked and acknowledged.
#![allow(missing_docs)]

fn main() {
    divan::main();
}
