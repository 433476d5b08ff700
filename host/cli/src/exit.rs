//! The exit codes of the program, a closed list.

use hookrail::control::wire::Problem;

/// An exit code of the program. Scripts rely on the numbers, so they never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum ExitCode {
    Ok = 0,
    Failure = 1,
    Usage = 2,
    NotFound = 3,
    BadInput = 4,
    PluginRefused = 5,
    CallbackFailed = 6,
    PackageRefused = 7,
    /// What is installed does not allow it.
    NotAllowed = 8,
    /// As `sysexits.h` has it: the same may go well in a moment.
    TryAgain = 75,
    /// As a shell reports a program that SIGINT ended.
    Interrupted = 130,
    /// What a shell reports for a program that SIGPIPE ended.
    StdoutClosed = 141,
}

impl ExitCode {
    /// The exit code for an error; `docs/errors/README.md` lists all of them.
    pub(crate) fn of(problem: &Problem) -> Self {
        match &*problem.code {
            _ if problem.retryable => ExitCode::TryAgain,
            // No such plugin, callback, point or field.
            "HR0103" | "HR0109" | "HR0110" | "HR0118" | "HR0712" => ExitCode::NotFound,
            // No such schema, host, revision or report.
            "HR0604" | "HR0611" | "HR0624" | "HR0711" | "HR0713" => ExitCode::NotFound,
            // The system refuses something, or a plugin ends the process.
            "HR0606" | "HR0616" | "HR0629" => ExitCode::Failure,
            // The input is in an encoding that is not understood.
            "HR0630" => ExitCode::BadInput,
            // The file is another plugin than the arguments or the configuration say.
            "HR0105" => ExitCode::Usage,
            code if code.starts_with("HR02") || code.starts_with("HR06") => ExitCode::Usage,
            code if code.starts_with("HR081") || code.starts_with("HR080") => ExitCode::PackageRefused,
            // Files of the home that are damaged.
            "HR0822" | "HR0828" => ExitCode::PackageRefused,
            code if code.starts_with("HR08") => ExitCode::NotAllowed,
            code if code.starts_with("HR03") || code.starts_with("HR04") => ExitCode::PluginRefused,
            _ => ExitCode::Failure,
        }
    }
}

/// Their meanings, for display.
const MEANINGS: &[(ExitCode, &str)] = &[
    (ExitCode::Ok, "success; denied messages are not a failure"),
    (ExitCode::Failure, "something failed; stderr says what"),
    (ExitCode::Usage, "the arguments or the configuration are wrong"),
    (ExitCode::NotFound, "a file, plugin, hook point or running host does not exist"),
    (ExitCode::BadInput, "some input was not a valid message and was skipped"),
    (ExitCode::PluginRefused, "a plugin does not fit this host, or did not start"),
    (ExitCode::CallbackFailed, "a callback failed on some message; the rest was processed"),
    (ExitCode::PackageRefused, "a package or a file of the home is damaged or not trusted"),
    (ExitCode::NotAllowed, "what is installed does not allow the change"),
    (ExitCode::TryAgain, "busy with something else; try again in a moment"),
    (ExitCode::Interrupted, "Ctrl-C stopped reading; SIGTERM and SIGHUP are not failures"),
    (ExitCode::StdoutClosed, "the reader of stdout has gone"),
];

/// The list, for `--help`.
pub(crate) fn help() -> String {
    let lines = MEANINGS.iter().map(|(code, meaning)| format!("\n  {:>3}  {meaning}", *code as u8));
    format!("Exit codes:{}", lines.collect::<String>())
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        (code as u8).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_of_each_error_is_the_one_in_the_documents() {
        let documents = include_str!("../../../docs/errors/README.md");
        let rows = documents.lines().filter_map(|line| line.strip_prefix("| [HR")).map(|row| {
            let cells: Vec<_> = row.split(" | ").collect();
            (format!("HR{}", &row[..4]), cells[2].parse::<u8>().expect("a number"))
        });
        let rows: Vec<_> = rows.collect();
        assert!(rows.len() > 100, "the rows are found");
        for (code, exit) in rows {
            assert_eq!(ExitCode::of(&Problem::new(&*code, "", "")) as u8, exit, "{code}");
        }
    }
}
