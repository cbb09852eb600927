//! Technical failures of the crates below, with the exit code that a script sees.

use edges::sms::SmsStartFault;
use engine::checkpoint::CheckpointFault;
use engine::deliveries::FollowerStoreFault;
use engine::follower::FollowStartFault;
use engine::journal::ReadFault;
use engine::recover::RecoverFault;
use engine::replica::FoldFault;
use paper::reports::fault::ReportFault;
use store::StoreFault;

use crate::exit::{Exit, Failure};

/// Of files and directories.
pub fn store(fault: StoreFault) -> Failure {
    let exit = match &fault {
        StoreFault::InUse { .. } | StoreFault::Shared { .. } | StoreFault::NoDataDir { .. } => Exit::Usage,
        StoreFault::NotEmpty { .. } | StoreFault::Name => Exit::Usage,
        StoreFault::RepairPending { .. }
        | StoreFault::RestorePending { .. }
        | StoreFault::Archived { .. }
        | StoreFault::Manifest { .. } => Exit::Damaged,
        StoreFault::Read(fault) => of_read(fault),
        StoreFault::Checkpoint(fault) => of_checkpoint(fault),
        StoreFault::Deliveries(fault) => of_follower(fault),
        StoreFault::Cursor(_) | StoreFault::Io { .. } | StoreFault::Sqlite { .. } => Exit::Fault,
    };
    Failure { exit, error: fault.into() }
}

/// Of reading the journal.
pub fn read(fault: ReadFault) -> Failure {
    Failure { exit: of_read(&fault), error: fault.into() }
}

/// Of the checkpoint's tables.
pub fn checkpoint(fault: CheckpointFault) -> Failure {
    Failure { exit: of_checkpoint(&fault), error: fault.into() }
}

/// Of a follower's database.
pub fn follower(fault: FollowerStoreFault) -> Failure {
    Failure { exit: of_follower(&fault), error: fault.into() }
}

/// Of starting the SMS follower.
pub fn sms(fault: SmsStartFault) -> Failure {
    let exit = match &fault {
        SmsStartFault::Ahead { .. } => Exit::Damaged,
        SmsStartFault::Store(fault) => of_follower(fault),
        SmsStartFault::Journal(fault) => of_read(fault),
    };
    Failure { exit, error: fault.into() }
}

/// Of starting a follower.
pub(crate) fn follow(fault: FollowStartFault) -> Failure {
    let exit = match &fault {
        FollowStartFault::Ahead { .. } => Exit::Damaged,
        FollowStartFault::Io(_) => Exit::Fault,
    };
    Failure { exit, error: fault.into() }
}

/// Of building the state.
pub fn recover(fault: RecoverFault) -> Failure {
    let exit = match &fault {
        RecoverFault::Journal(FoldFault::Journal(fault)) => of_read(fault),
        RecoverFault::Checkpoint(fault) => of_checkpoint(fault),
        RecoverFault::Journal(FoldFault::Misfit(_))
        | RecoverFault::TailLost { .. }
        | RecoverFault::OtherJournal { .. } => Exit::Damaged,
    };
    Failure { exit, error: fault.into() }
}

/// Of making a report.
pub fn report(fault: ReportFault) -> Failure {
    match fault {
        ReportFault::Read(fault) => read(fault),
        ReportFault::Recover(fault) => recover(fault),
        ReportFault::Checkpoint(fault) => checkpoint(fault),
        ReportFault::NoEntry | ReportFault::UnknownOperator { .. } => {
            Failure { exit: Exit::Refused, error: fault.into() }
        }
        ReportFault::TooManyLimits | ReportFault::OtherUnit => Failure { exit: Exit::Usage, error: fault.into() },
        ReportFault::OperatorGone
        | ReportFault::Chart(_)
        | ReportFault::TooLarge
        | ReportFault::Columns
        | ReportFault::Parquet(_)
        | ReportFault::Csv(_)
        | ReportFault::Io(_) => Failure { exit: Exit::Fault, error: fault.into() },
    }
}

const fn of_read(fault: &ReadFault) -> Exit {
    match fault {
        ReadFault::Damaged { .. } | ReadFault::Absent { .. } => Exit::Damaged,
        ReadFault::OtherFormat { .. } | ReadFault::Io(_) => Exit::Fault,
    }
}

const fn of_follower(fault: &FollowerStoreFault) -> Exit {
    match fault {
        FollowerStoreFault::Damaged(_) => Exit::Damaged,
        FollowerStoreFault::NoRoom | FollowerStoreFault::Io(_) => Exit::Fault,
    }
}

const fn of_checkpoint(fault: &CheckpointFault) -> Exit {
    match fault {
        CheckpointFault::Damaged(_) => Exit::Damaged,
        CheckpointFault::NoRoom | CheckpointFault::Io(_) => Exit::Fault,
    }
}
