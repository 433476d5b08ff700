//! On what it was measured.

/// The name of this machine's processor.
pub(crate) fn processor() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("an unknown processor");
    name.trim_start_matches([' ', '\t', ':']).into()
}
