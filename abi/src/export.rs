//! The macro that makes a library a plugin.

/// Makes a library a plugin: exports its entry and writes its note. Once per library.
///
/// The name and the version are those of the package, without the prefix `hookrail-plugin-`;
/// `export!(Mine, name = "other")` sets another name.
///
/// With `allocator = std::alloc::System`, or any other allocator that is a unit struct, as a further argument, that
/// allocator becomes the library's allocator, and the host sees how much memory the plugin holds: see
/// [`memory`](crate::memory). A library that defines its own `#[global_allocator]` cannot use this.
#[macro_export]
macro_rules! export {
    ($plugin:ty) => {
        $crate::export!(@identity $plugin,
            $crate::note::Identity::of_package(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")));
    };
    ($plugin:ty, name = $name:literal) => {
        $crate::export!(@identity $plugin,
            $crate::note::Identity { name: $name, version: env!("CARGO_PKG_VERSION") });
    };
    ($plugin:ty, allocator = $allocator:path) => {
        $crate::export!(@counted $plugin,
            $crate::note::Identity::of_package(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")), $allocator);
    };
    ($plugin:ty, name = $name:literal, allocator = $allocator:path) => {
        $crate::export!(@counted $plugin,
            $crate::note::Identity { name: $name, version: env!("CARGO_PKG_VERSION") }, $allocator);
    };
    (@counted $plugin:ty, $identity:expr, $allocator:path) => {
        // A test binary may have an allocator of its own.
        #[cfg(not(test))]
        const _: () = {
            #[global_allocator]
            static ALLOCATOR: $crate::memory::Counted<$allocator> = $crate::memory::Counted::new($allocator);
        };
        $crate::export!(@library $plugin, $identity, $crate::memory::entry::<$plugin>());
    };
    (@identity $plugin:ty, $identity:expr) => {
        $crate::export!(@library $plugin, $identity, $crate::entry::<$plugin>());
    };
    (@library $plugin:ty, $identity:expr, $entry:expr) => {
        #[cfg(not(test))]
        $crate::hidden_symbols!();

        const _: () = {
            // In one constant: a type that is not a plugin is one error.
            const EXPORT: (usize, $crate::boundary::Entry) = ($crate::note::size::<$plugin>($identity), $entry);
            const SIZE: usize = EXPORT.0;

            #[used]
            #[unsafe(link_section = ".note.hookrail")]
            static NOTE: $crate::note::Note<SIZE> = $crate::note::Note::<SIZE>::of::<$plugin>($identity);

            // In a plugin's tests there is no host, and one binary may hold several plugins.
            #[cfg(not(test))]
            #[unsafe(export_name = "hookrail_plugin_v1")]
            static ENTRY: $crate::boundary::Entry = EXPORT.1;
        };
    };
}
