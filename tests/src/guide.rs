//! The package that a guide shows, made as a reader would make it.

use std::fs::{copy, create_dir_all, write};
use std::path::PathBuf;
use std::process::Command;

use crate::{own_target, root};

/// The package of a guide.
pub struct Package {
    /// Where it is.
    pub directory: PathBuf,
    name: String,
}

/// The files that the guide shows, each after a comment with its name.
pub fn files(guide: &str) -> Vec<(&str, &str)> {
    let blocks = guide.split("<!-- ").skip(1).map(|rest| {
        let (name, rest) = rest.split_once(" -->\n```").unwrap();
        let (_language, rest) = rest.split_once('\n').unwrap();
        (name, rest.split("```").next().unwrap())
    });
    blocks.collect()
}

impl Package {
    /// Writes the package, below the target directory; beside it stands the checkout.
    pub fn new(name: &str, guide: &str) -> Self {
        let directory = own_target("guide").join(name);
        create_dir_all(directory.join("src")).unwrap();
        for (file, text) in files(guide) {
            let checkout = root().to_str().unwrap();
            // A reader's package does not lie within our workspace.
            let end = if file == "Cargo.toml" { "\n[workspace]\n" } else { "" };
            write(directory.join(file), text.replace("../hookrail", checkout) + end).unwrap();
        }
        // The versions that the workspace has, so that nothing is asked of a registry.
        copy(root().join("tests/zoo/Cargo.lock"), directory.join("Cargo.lock")).unwrap();
        Package { directory, name: name.into() }
    }

    /// Runs its tests.
    ///
    /// # Panics
    /// If one fails.
    pub fn test(&self) {
        self.cargo(&["test", "--quiet"]);
    }

    /// Builds it, and returns its library.
    ///
    /// # Panics
    /// If the compiler refuses it.
    pub fn build(&self) -> PathBuf {
        self.cargo(&["build"]);
        own_target("zoo").join(format!("debug/lib{}.so", self.name))
    }

    fn cargo(&self, arguments: &[&str]) {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        // With the zoo, which has the same dependencies, built in the same way.
        command.current_dir(&self.directory).args(arguments).arg("--config=profile.dev.debug=false");
        command.env("CARGO_TARGET_DIR", own_target("zoo"));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
