//! bench
pub struct Options;
impl Options {
    pub fn read(_: pico_args::Arguments) -> Result<Self, String> {
        Ok(Self)
    }
}
pub fn bench(_: Options) -> Result<(), String> {
    Ok(())
}
