//! `sonmul backup`
use crate::exit::Outcome;
/// x
#[derive(Debug, clap::Args)]
pub(crate) struct BackupArgs {}
/// x
#[derive(Debug, clap::Args)]
pub(crate) struct RestoreArgs {}
/// x
pub(crate) fn backup(_: &BackupArgs) -> Outcome {
    Ok(crate::exit::Exit::Ok)
}
/// x
pub(crate) fn restore(_: &RestoreArgs) -> Outcome {
    Ok(crate::exit::Exit::Ok)
}
