//! Pictures on the wire: where they are served.

use crate::ids::ProjectId;
use crate::{input, words};

words! {
    /// What a picture shows.
    pub enum ImageFolder {
        /// A user.
        Users = "user-profile-images",
        /// A team.
        Teams = "team-profile-images",
        /// A user as a member of one team.
        Members = "team-member-profile-images",
        /// A project.
        Projects = "project-logos",
    }
}

input! {
    /// The path of one picture.
    pub struct ImagePath {
        /// Its project.
        pub project_id: ProjectId,
        /// What it shows.
        pub folder: ImageFolder,
        /// Its id, a dot and its format.
        pub file: String,
    }
}
