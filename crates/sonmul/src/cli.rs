//! The command line: every word of `sonmul` and what stands behind it.

use clap::{CommandFactory, Parser, Subcommand};

use crate::commands::office::{batch, call, gift, motion, outlet, rate, till};
use crate::commands::{
    backup, card, check, demo, dial, doctor, init, journal, operator, receipt, repair, report, shell, status,
    subscriber, verify, what_if,
};
use crate::exit::{EXIT_HELP, Outcome};
use crate::serve::{self, ServeArgs};

/// Airtime gifts from any phone to any phone by one dialled string.
#[derive(Debug, Parser)]
#[command(
    name = "sonmul",
    version,
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 120,
    after_help = EXIT_HELP,
    after_long_help = format!("Example:\n  sonmul init sonmul-data\n  sonmul serve --data sonmul-data\n  sonmul operator load \
        profiles/koryolink.toml\n  sonmul dial --from 1911000001 '*999#'\n\n{EXIT_HELP}")
)]
pub(crate) struct Cli {
    /// What goes to the log on stderr: error, warn, info, debug, trace, or like engine=debug,info
    #[arg(long, env = "SONMUL_LOG", value_name = "FILTER", global = true)]
    pub(crate) log: Option<String>,
    #[command(subcommand)]
    word: Word,
}

#[derive(Debug, Subcommand)]
enum Word {
    /// Makes a data directory with its keys and its configuration
    Init(init::InitArgs),
    /// Runs the server
    Serve(ServeArgs),
    /// Dials a string like a phone, at a running server
    Dial(dial::DialArgs),
    /// Checks and loads an operator's rules
    Operator(operator::OperatorArgs),
    /// Issues cards; freezes, thaws, voids one
    Card(card::CardArgs),
    /// Makes batches of cards for the printer, and brings them to outlets
    Batch(batch::BatchArgs),
    /// Points of sale and what they have prepaid
    Outlet(outlet::OutletArgs),
    /// What airtime costs in cash
    Rate(rate::RateArgs),
    /// Sells, refunds, reloads, merges and pays out cards
    Till(till::TillArgs),
    /// Airtime used: prices, reservations, charges
    Call(call::CallArgs),
    /// What one person proposed and another approves
    Motion(motion::MotionArgs),
    /// Looks at a gift, and takes it back
    Gift(gift::GiftArgs),
    /// Imports, shows and changes subscribers
    Subscriber(subscriber::SubscriberArgs),
    /// How the server does
    Status(status::StatusArgs),
    /// Looks at keys, server and links, and says what is wrong and what to do
    Doctor(doctor::DoctorArgs),
    /// The entry behind a receipt number
    Receipt(receipt::ReceiptArgs),
    /// Reads the journal
    Journal(journal::JournalArgs),
    /// Folds the journal from zero and compares every balance
    Verify(verify::VerifyArgs),
    /// Compares accounts, movements and checkpoint, every day
    Check(check::CheckArgs),
    /// Makes an operator's month into tables, files and charts
    Report(report::ReportArgs),
    /// Decides a month's gifts again under proposed rules
    WhatIf(what_if::WhatIfArgs),
    /// Drops what is damaged at the journal's end, and lists what was lost
    Repair(repair::RepairArgs),
    /// Copies a data directory beside a running server
    Backup(backup::BackupArgs),
    /// Makes a data directory from a backup
    Restore(backup::RestoreArgs),
    /// Shows a gift from end to end, with two operators
    Demo(demo::DemoArgs),
    /// Prints completions for a shell
    Completions(shell::CompletionsArgs),
    /// Prints a page of the manual
    Man(shell::ManArgs),
}

impl Cli {
    /// What the log shows when nothing is said.
    pub(crate) const fn log_default(&self) -> &'static str {
        match self.word {
            Word::Serve(_) => "info",
            _ => "warn",
        }
    }

    /// Does what was asked.
    pub(crate) fn run(&self) -> Outcome {
        match &self.word {
            Word::Init(args) => init::run(args),
            Word::Serve(args) => serve::run(args),
            Word::Dial(args) => dial::run(args),
            Word::Operator(args) => operator::run(args),
            Word::Card(args) => card::run(args),
            Word::Batch(args) => batch::run(args),
            Word::Outlet(args) => outlet::run(args),
            Word::Rate(args) => rate::run(args),
            Word::Till(args) => till::run(args),
            Word::Call(args) => call::run(args),
            Word::Motion(args) => motion::run(args),
            Word::Gift(args) => gift::run(args),
            Word::Subscriber(args) => subscriber::run(args),
            Word::Status(args) => status::run(args),
            Word::Doctor(args) => doctor::run(args),
            Word::Receipt(args) => receipt::run(args),
            Word::Journal(args) => journal::run(args),
            Word::Verify(args) => verify::run(args),
            Word::Check(args) => check::run(args),
            Word::Report(args) => report::run(args),
            Word::WhatIf(args) => what_if::run(args),
            Word::Repair(args) => repair::run(args),
            Word::Backup(args) => backup::backup(args),
            Word::Restore(args) => backup::restore(args),
            Word::Demo(args) => demo::run(args),
            Word::Completions(args) => shell::completions(args, Self::command()),
            Word::Man(args) => shell::man(args, Self::command()),
        }
    }
}
