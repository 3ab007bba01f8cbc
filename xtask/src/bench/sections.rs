//! The sections of the page, a file each in the folder `bench` beside what cargo builds: written as soon as they are
//! measured, so that a run that is cut short loses only what it was at, and a later one can measure the rest.
//!
//! Each file says which program it was measured on. Sections of another program do not stand on the same page.

use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};

use super::Options;
use crate::generate::target_directory;
use crate::shell::say;

/// The folder, as far as one program is concerned.
pub struct Sections {
    folder: PathBuf,
    /// The first line of each file.
    mark: String,
}

impl Sections {
    /// Those that were measured on `binary`, as thoroughly as now.
    pub fn of(binary: &Path, options: &Options) -> Result<Self, String> {
        let program = std::fs::read(binary).map_err(|error| format!("{}: {error}", binary.display()))?;
        let mut hasher = DefaultHasher::new();
        hasher.write(&program);
        let thoroughness = options.either("", ", in short runs");
        let folder = target_directory()?.join("bench");
        std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(Self { folder, mark: format!("<!-- program {:016x}{thoroughness} -->", hasher.finish()) })
    }

    /// Prints a section and writes it down.
    pub fn keep(&self, name: &str, text: &str) -> Result<(), String> {
        println!("{text}");
        let path = self.path(name);
        say(format_args!("kept in {}", path.display()));
        std::fs::write(&path, format!("{}\n{text}", self.mark))
            .map_err(|error| format!("{}: {error}", path.display()))
    }

    /// A section that was kept; `None` if there is none, or none of this program.
    pub fn read(&self, name: &str) -> Option<String> {
        let text = std::fs::read_to_string(self.path(name)).ok()?;
        let (mark, text) = text.split_once('\n')?;
        (mark == self.mark).then(|| text.to_owned())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.md"))
    }
}
