//! `sonmul repair`
use crate::exit::Outcome;
/// x
#[derive(Debug, clap::Args)]
pub(crate) struct RepairArgs {}
/// x
pub(crate) fn run(_: &RepairArgs) -> Outcome {
    Ok(crate::exit::Exit::Ok)
}
