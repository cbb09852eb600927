//! A charging system: calls that it reserves, extends, ends or charges at once. It asks with ids of its own and asks again.

use domain::command::Body;
use domain::ids::Staff;
use domain::number::Msisdn;
use domain::office::call::CallCommand;
use domain::office::{Asked, Office, Record, RecordKind};
use domain::receipt::Seq;

use crate::desk::Desk;
use crate::dice::Dice;

/// The uid that it runs under: one of those that have every role.
const CHARGING: Staff = Staff(1_001);
/// How long people talk, seconds: around a minute's end, and more than may be asked for at once.
const SECONDS: [u32; 9] = [1, 59, 60, 61, 120, 180, 300, 900, 86_401];

/// One thing that a charging system asks.
pub(crate) fn ask(desk: &Desk<'_>, dice: &mut Dice) -> Option<Body> {
    let seconds = dice.pick(&SECONDS).copied().unwrap_or(60);
    let cross = dice.often(330);
    let command = match dice.below(100) {
        0..38 => CallCommand::Reserve { msisdn: somebody(desk, dice)?, cross, seconds },
        38..60 => CallCommand::Extend { call: open(desk, dice)?.0, seconds },
        60..80 => {
            let (call, granted_s) = open(desk, dice)?;
            // Mostly what was granted at most, seldom a second more.
            let talked = dice.between(0, i64::from(granted_s) + 1);
            CallCommand::Commit { call, seconds: u32::try_from(talked).unwrap_or(0) }
        }
        80..88 => CallCommand::Release { call: open(desk, dice)?.0 },
        _ => CallCommand::Consume { msisdn: somebody(desk, dice)?, cross, seconds },
    };
    Some(Body::Office(Box::new(Office { staff: CHARGING, what: Asked::Call(command) })))
}

/// Extends the call that began last once more, at once: two of these within a second.
pub(crate) fn extend_again(desk: &Desk<'_>) -> Option<Body> {
    let (id, _) = desk.oracle.screens().records_of(RecordKind::Call).next_back()?;
    let command = CallCommand::Extend { call: Seq(id), seconds: 1 };
    Some(Body::Office(Box::new(Office { staff: CHARGING, what: Asked::Call(command) })))
}

fn somebody(desk: &Desk<'_>, dice: &mut Dice) -> Option<Msisdn> {
    let state = desk.oracle.screens();
    if dice.often(60) {
        return dice.pick(desk.view.numbers).map(|(_, number)| *number);
    }
    let rich: Vec<Msisdn> =
        state.subscribers().filter(|(_, row)| row.airtime.balance_minor > 3).map(|(_, row)| row.facts.msisdn).collect();
    dice.pick(&rich).copied()
}

/// A call in progress, and how long may be talked.
fn open(desk: &Desk<'_>, dice: &mut Dice) -> Option<(Seq, u32)> {
    let calls: Vec<(Seq, u32)> = desk
        .oracle
        .screens()
        .records_of(RecordKind::Call)
        .filter_map(|(id, record)| if let Record::Call(call) = record { Some((Seq(id), call.granted_s)) } else { None })
        .collect();
    dice.pick(&calls).copied()
}
