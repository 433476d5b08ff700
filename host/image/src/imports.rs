//! What a library's imports say of the code that it may leave behind, to be run out of the host's sight.
//!
//! The C library takes few functions for later, and documents them: those are listed, and others taken for harmless. To
//! C++'s library any object may be given, with virtual functions of the library (a locale, a stream's buffer, a memory
//! resource), so there it is the other way round: what is known to be harmless is listed, and all else keeps a library.

/// The system's own libraries, by their whole names: they stay when a plugin is unmapped, and keep none of its code
/// running.
const OF_THE_SYSTEM: &[&str] = &[
    "ld-linux-aarch64.so.1",
    "ld-linux-x86-64.so.2",
    "libc.so.6",
    "libdl.so.2",
    "libgcc_s.so.1",
    "libm.so.6",
    "libpthread.so.0",
    "librt.so.1",
    // Some of its symbols make the system keep it.
    "libstdc++.so.6",
];

/// What takes code of its caller for later, by name or prefix. (Destructors of thread-locals are not among them: the C
/// library itself keeps a library mapped for those; and a task that `clone` starts is looked for among the threads.)
const TELLTALE: &[&str] = &[
    // The variables in which older C libraries keep functions of others.
    "__after_morecore_hook",
    "__free_hook",
    "__malloc_hook",
    "__malloc_initialize_hook",
    "__memalign_hook",
    "__morecore",
    "__realloc_hook",
    "argp_program_version_hook",
    "obstack_alloc_failed_handler",
    // at_quick_exit, whose functions the C library does not run when a library is closed.
    "__cxa_at_quick_exit",
    // Tables for unwinding.
    "__register_frame",
    "aio_",
    "error_print_progname",
    "fopencookie",
    "getaddrinfo_a",
    "lio_listio",
    "mq_notify",
    "on_exit",
    "pthread_create",
    "pthread_key_create",
    "register_printf_",
    "thrd_create",
    "timer_create",
    "tss_create",
];

/// What of C++'s library keeps nothing of its caller, by prefix; as of methods that change their object.
const HARMLESS_CPP: &[&str] = &[
    // operator new, new[], delete, delete[]; what a program without transactions has of theirs.
    "_ZGT",
    "_Zda",
    "_Zdl",
    "_Zna",
    "_Znw",
    // Types, by which exceptions are caught, and the tables of their functions.
    "_ZTI",
    "_ZTS",
    "_ZTT",
    "_ZTV",
    // std::terminate.
    "_ZSt9terminatev",
    // Allocators and strings.
    "_ZNSa",
    "_ZNSs",
    "_ZNSt7__cxx1112basic_string",
    // The exceptions.
    "_ZNSt9exception",
    "_ZNSt8bad_cast",
    "_ZNSt9bad_alloc",
    "_ZNSt10bad_typeid",
    "_ZNSt11logic_error",
    "_ZNSt11range_error",
    "_ZNSt12domain_error",
    "_ZNSt12length_error",
    "_ZNSt12out_of_range",
    "_ZNSt12system_error",
    "_ZNSt13bad_exception",
    "_ZNSt13runtime_error",
    "_ZNSt14overflow_error",
    "_ZNSt15underflow_error",
    "_ZNSt16invalid_argument",
    "_ZNSt17bad_function_call",
    "_ZNSt3_V215system_categoryEv",
    "_ZNSt3_V216generic_categoryEv",
    "_ZNSt15__exception_ptr13exception_ptr",
    "_ZSt17current_exceptionv",
    "_ZSt17rethrow_exception",
    // The containers.
    "_ZNSt8__detail15_List_node_base",
    "_ZNSt8__detail20_Prime_rehash_policy",
    "_ZSt11_Hash_bytes",
    "_ZSt18_Rb_tree_",
    "_ZSt20_Rb_tree_",
    "_ZSt28_Rb_tree_",
    "_ZSt29_Rb_tree_",
    // Clocks, and what waits.
    "_ZNSt18condition_variable",
    "_ZNSt6chrono3_V212steady_clock3now",
    "_ZNSt6chrono3_V212system_clock3now",
    // Of threads, all but what starts them.
    "_ZNSt6thread20hardware_concurrencyEv",
    "_ZNSt6thread4joinEv",
    "_ZNSt6thread6_State",
    "_ZNSt6thread6detachEv",
    // Streams into strings, which are the library's own.
    "_ZNSt6localeC1Ev",
    "_ZNSt6localeD1Ev",
    "_ZNSt7__cxx1115basic_stringbuf",
    "_ZNSt7__cxx1118basic_stringstream",
    "_ZNSt7__cxx1119basic_istringstream",
    "_ZNSt7__cxx1119basic_ostringstream",
    "_ZNSt8ios_baseC2Ev",
    "_ZNSt8ios_baseD2Ev",
    "_ZNSt9basic_iosIcSt11char_traitsIcEE4init",
    "_ZNSt9basic_iosIcSt11char_traitsIcEE5clear",
    "_ZNSo",
    "_ZNSi",
    "_ZNSt5ctypeIcE13_M_widen_initEv",
    "_ZSt16__ostream_insert",
    "_ZStlsI",
    "_ZStrsI",
];

/// Whether the library with that name is one of the system's own.
pub(super) fn is_of_the_system(library: &str) -> bool {
    OF_THE_SYSTEM.contains(&library)
}

/// Whether code of whoever imports that symbol may run later, out of the host's sight.
pub(super) fn may_leave_code(name: &str) -> bool {
    if name.starts_with("_Z") {
        !is_harmless_cpp(name)
    } else {
        TELLTALE.iter().any(|telltale| name.starts_with(telltale))
    }
}

fn is_harmless_cpp(name: &str) -> bool {
    let throws = || {
        // `std::__throw_..`, after the length of its name.
        let rest =
            name.strip_prefix("_ZSt").unwrap_or_default().trim_start_matches(|digit: char| digit.is_ascii_digit());
        rest.starts_with("__throw_")
    };
    let changing = name.replacen("_ZNK", "_ZN", 1);
    HARMLESS_CPP.iter().any(|harmless| changing.starts_with(harmless)) || throws()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_to_be_harmless_is_told() {
        for (name, leaves) in [
            ("memcpy", false),
            ("__cxa_throw", false),
            ("pthread_create", true),
            ("__malloc_hook", true),
            ("_Znwm", false),
            ("_ZdlPvm", false),
            ("_ZSt20__throw_length_errorPKc", false),
            ("_ZNKSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEE4findEPKcm", false),
            ("_ZNSt13runtime_errorC1EPKc", false),
            // std::thread, set_terminate, set_unexpected, set_new_handler.
            ("_ZNSt6thread15_M_start_threadESt10unique_ptrINS_6_StateESt14default_deleteIS1_EEPFvvE", true),
            ("_ZSt13set_terminatePFvvE", true),
            ("_ZSt14set_unexpectedPFvvE", true),
            ("_ZSt15set_new_handlerPFvvE", true),
            // std::pmr::set_default_resource, std::locale::global, std::cout, which takes another buffer.
            ("_ZNSt3pmr20set_default_resourceEPNS_15memory_resourceE", true),
            ("_ZNSt6locale6globalERKS_", true),
            ("_ZSt4cout", true),
            ("_ZNSt9basic_iosIcSt11char_traitsIcEE5rdbufEPSt15basic_streambufIcS1_E", true),
            // What no list knows.
            ("_ZN5boost6unknownEv", true),
        ] {
            assert_eq!(may_leave_code(name), leaves, "{name}");
        }
    }
}
