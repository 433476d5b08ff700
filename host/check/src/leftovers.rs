//! What a library can leave behind in the process, counted before and after.

/// The counts at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leftovers {
    /// Mappings of private copies of libraries.
    pub copies: usize,
    /// Open descriptors.
    pub descriptors: usize,
    /// pthread keys, of which a process has 1,024.
    pub keys: usize,
    /// Threads.
    pub threads: usize,
}

impl Leftovers {
    /// Counts them.
    pub fn now() -> Self {
        let maps = std::fs::read_to_string("/proc/self/maps").expect("the system says what is mapped");
        let entries = |directory: &str| std::fs::read_dir(directory).expect("the system lists it").count();
        Leftovers {
            // What the host makes once for its long chains is no copy of a library.
            copies: maps
                .lines()
                .filter(|line| line.contains("/memfd:") && !line.contains("/memfd:hookrail-loop"))
                .count(),
            descriptors: entries("/proc/self/fd"),
            keys: keys(),
            threads: entries("/proc/self/task"),
        }
    }

    /// What has increased since `then`, in words.
    pub fn beyond(&self, then: &Leftovers) -> Vec<String> {
        let counts = [
            ("mappings of copies of libraries", self.copies, then.copies),
            ("open descriptors", self.descriptors, then.descriptors),
            ("pthread keys", self.keys, then.keys),
            ("threads", self.threads, then.threads),
        ];
        let more = counts.into_iter().filter(|(_, now, then)| now > then);
        more.map(|(what, now, then)| format!("{now} {what}, {then} before")).collect()
    }
}

/// The number of existing pthread keys: those that can be set. Each is set to its own value and none is created, so
/// that other threads see no effect.
fn keys() -> usize {
    const PTHREAD_KEYS_MAX: libc::pthread_key_t = 1024;
    // SAFETY: the call takes nothing, and nobody follows its answer. Before glibc 2.34 the loader makes a key of its
    // own when it is first used, and by this that is now.
    unsafe { libc::dlerror() };
    let exists = |key: &libc::pthread_key_t| {
        // SAFETY: glibc answers null for a key that does not exist.
        let value = unsafe { libc::pthread_getspecific(*key) };
        // SAFETY: it is the value that the key has; glibc refuses a key that does not exist.
        unsafe { libc::pthread_setspecific(*key, value) == 0 }
    };
    (0..PTHREAD_KEYS_MAX).filter(exists).count()
}

/// The resident memory of this process, in bytes.
pub fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("the system says what is resident");
    let pages = statm.split_ascii_whitespace().nth(1).and_then(|pages| pages.parse::<usize>().ok());
    // SAFETY: the call takes a number and touches no memory.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    pages.expect("the second number") * page as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_seen_and_keeps_its_value() {
        let mut key = 0;
        // SAFETY: there is room for it; without a destructor.
        assert_eq!(unsafe { libc::pthread_key_create(&mut key, None) }, 0);
        let value = (&raw mut key).cast::<libc::c_void>();
        // SAFETY: the key is ours, and nobody follows the value.
        assert_eq!(unsafe { libc::pthread_setspecific(key, value) }, 0);
        let with = keys();
        // SAFETY: the key is ours.
        assert_eq!(unsafe { libc::pthread_getspecific(key) }, value);
        // SAFETY: the key is ours, and it is not used again.
        assert_eq!(unsafe { libc::pthread_key_delete(key) }, 0);
        assert_eq!(keys(), with - 1);
    }
}
