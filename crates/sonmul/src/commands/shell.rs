//! `sonmul completions` and `sonmul man`: what a package installs beside the binary.

use crate::exit::{Exit, Outcome};

/// See `sonmul completions --help`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  sonmul completions bash > /etc/bash_completion.d/sonmul")]
pub(crate) struct CompletionsArgs {
    /// Which shell
    shell: clap_complete::Shell,
}

/// See `sonmul man --help`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  sonmul man > sonmul.1
  sonmul man operator load | man -l -")]
pub(crate) struct ManArgs {
    /// Words of a subcommand; none: sonmul itself
    words: Vec<String>,
}

/// Prints completions of a command line.
pub(crate) fn completions(args: &CompletionsArgs, mut whole: clap::Command) -> Outcome {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut whole, "sonmul", &mut text);
    crate::print::part(&String::from_utf8_lossy(&text))?;
    Ok(Exit::Ok)
}

/// Prints a page of the manual of a command line.
pub(crate) fn man(args: &ManArgs, mut command: clap::Command) -> Outcome {
    command.build();
    for word in &args.words {
        let found = command.find_subcommand(word).cloned();
        let what = || crate::exit::Failure::new(Exit::Usage, format!("there is no `{}`", args.words.join(" ")));
        command = found.ok_or_else(what)?;
    }
    let mut text = Vec::new();
    clap_mangen::Man::new(command).render(&mut text)?;
    crate::print::part(&String::from_utf8_lossy(&text))?;
    Ok(Exit::Ok)
}
