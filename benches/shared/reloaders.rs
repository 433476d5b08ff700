//! What a program would use instead to replace code: both open the very file that Hookrail opens in
//! [`replace`](super::replace::small), and call a plain function of it.
//!
//! They do less. Neither checks whether the file fits, nor creates an instance. Both close the old code before the new
//! code is open, so meanwhile nothing can be called, and a thread that is in the old code crashes: their callers need a
//! lock around every call. Neither verifies that the old code is really unmapped.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use hot_lib_reloader::LibReloader;
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use tempfile::TempDir;

type Mark = unsafe extern "C" fn() -> u64;

const SYMBOL: &str = "mark";

/// The longest that a watcher may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// hot-lib-reloader, over a directory in which the file is replaced in the way cargo replaces it.
///
/// It reloads only what its own watcher has seen, and what differs from the file before. The watcher cannot be left
/// out, but its time can: [`Turn::reload`] starts when it has seen the file.
pub(crate) struct HotLib {
    reloader: LibReloader,
    directory: TempDir,
    serving: u64,
}

/// How long one reload of hot-lib-reloader took.
pub(crate) struct Turn {
    /// The time from the call that reloads to the first call of the new code.
    pub(crate) reload: Duration,
    /// The time from the finished file to the first call of the new code, with a debounce of one millisecond.
    pub(crate) watched: Duration,
}

impl HotLib {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::copy(hookrail_tests::marked("marked", 1), directory.path().join("libmarked.so")).expect("it is there");
        let debounce = Duration::from_millis(1);
        let reloader = LibReloader::new(directory.path(), "marked", Some(debounce), None).expect("it opens");
        let mut hot_lib = HotLib { reloader, directory, serving: 1 };
        hot_lib.wait_for_the_watcher();
        hot_lib
    }

    /// It does not report when its watcher is ready: it is ready once it has seen another build.
    fn wait_for_the_watcher(&mut self) {
        let asked = Instant::now();
        self.serving = 3 - self.serving;
        self.put(self.serving);
        while !self.reloader.update().expect("it opens") {
            assert!(asked.elapsed() < PATIENCE, "the watcher stands");
            std::thread::sleep(Duration::from_millis(5));
            self.put(self.serving);
        }
    }

    fn put(&self, mark: u64) {
        let fresh = self.directory.path().join("fresh");
        std::fs::copy(hookrail_tests::marked("marked", mark), &fresh).expect("it is there");
        std::fs::rename(fresh, self.directory.path().join("libmarked.so")).expect("it is our directory");
    }

    /// Installs the other build, and reloads it.
    pub(crate) fn turn(&mut self) -> Turn {
        let next = 3 - self.serving;
        self.put(next);
        let finished = Instant::now();
        loop {
            let start = Instant::now();
            if self.reloader.update().expect("it opens") {
                // SAFETY: that is its type, and nobody else is in the library.
                let mark = unsafe { self.reloader.get_symbol::<Mark>(SYMBOL.as_bytes()).expect("it has one")() };
                let turn = Turn { reload: start.elapsed(), watched: finished.elapsed() };
                assert_eq!(mark, next, "the new code answers");
                self.serving = next;
                return turn;
            }
            assert!(finished.elapsed() < PATIENCE, "the watcher sees the file");
            std::thread::sleep(Duration::from_micros(50));
        }
    }
}

/// A bare close and open of the file itself, without a copy: a write to the file is a write to the running code.
pub(crate) struct Bare {
    files: [PathBuf; 2],
    library: Option<Library>,
    serving: usize,
}

impl Bare {
    pub(crate) fn new() -> Self {
        let mut bare =
            Bare { files: [1, 2].map(|mark| hookrail_tests::marked("marked", mark)), library: None, serving: 1 };
        bare.turn();
        bare
    }

    /// The time from closing the old file to the first call of the other one's code.
    pub(crate) fn turn(&mut self) -> Duration {
        let next = 1 - self.serving;
        let start = Instant::now();
        if let Some(old) = self.library.take() {
            old.close().expect("it closes");
        }
        // SAFETY: our own library.
        let library = unsafe { Library::open(Some(&self.files[next]), RTLD_NOW | RTLD_LOCAL) }.expect("it opens");
        // SAFETY: the function is of this type, and the library is open.
        let mark = unsafe { library.get::<Mark>(SYMBOL).expect("it has one")() };
        let elapsed = start.elapsed();
        assert_eq!(mark, next as u64 + 1, "the new code answers");
        self.library = Some(library);
        self.serving = next;
        elapsed
    }
}
