//! `cargo xtask bench --logs`
mod ordinary;
use anyhow::Result;
pub fn run() -> Result<()> {
    let path = std::path::Path::new("/tmp/bench/ordinary.log");
    std::fs::create_dir_all("/tmp/bench")?;
    let n = ordinary::write(path, 1 << 30)?;
    println!("{n}");
    Ok(())
}
