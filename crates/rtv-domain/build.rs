//! Compiles the crate again where a migration was added: the macro that embeds them sees changed files only.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations");
}
