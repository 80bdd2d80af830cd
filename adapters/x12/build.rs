//! Embeds the maps and tables.

#[path = "../mapping/embed.rs"]
mod embed;

fn main() -> std::io::Result<()> {
    embed::embed()
}
