//! new
pub fn new(_: &[String]) -> Result<(), String> {
    Ok(())
}
