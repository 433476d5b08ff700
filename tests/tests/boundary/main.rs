//! What crosses the boundary between host and plugin: its versions, its layouts, its form in C; and what is
//! refused at it.

mod abi_versions;
mod c_header;
mod c_layout;
mod c_macros;
mod c_plugin;
mod cpp_plugin;
mod flipped_bits;
mod misbehaviour;
mod payload_layouts;
mod refused_files;
