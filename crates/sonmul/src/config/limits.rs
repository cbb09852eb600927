//! Every limit of a server: its name, its default, its bounds and its reason, written once.

use std::collections::BTreeMap;

use toml::Spanned;

use super::{ConfigError, Place};

/// One limit as the configuration's template and its check see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spec {
    pub(super) name: &'static str,
    pub(super) default: u64,
    pub(super) min: u64,
    pub(super) max: u64,
    pub(super) why: &'static str,
}

macro_rules! limits {
    ($($name:ident = $default:literal in $min:literal..=$max:literal, $why:literal;)*) => {
        /// Ceilings and times of a server.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) struct Limits {
            $(#[doc = $why] pub(crate) $name: u64,)*
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }

        impl Limits {
            fn place_of(&mut self, name: &str) -> Option<&mut u64> {
                match name {
                    $(stringify!($name) => Some(&mut self.$name),)*
                    _ => None,
                }
            }
        }

        /// All of them, in the order of the template.
        pub(super) const SPECS: &[Spec] = &[
            $(Spec { name: stringify!($name), default: $default, min: $min, max: $max, why: $why },)*
        ];
    };
}

limits! {
    queue_depth = 65_536 in 1..=1_048_576,
        "Commands that wait for the decider; more phones read \"busy, nothing was sent\".";
    batch_entries_max = 8_192 in 1..=16_384,
        "Entries in one append to the journal.";
    segment_entries_max = 500_000 in 1_000..=1_000_000_000,
        "Entries in one file of the journal: what a backup copies and an archive moves at a time.";
    segment_wal_bytes_max = 1_073_741_824 in 1_048_576..=17_179_869_184,
        "Octets that one file of the journal may put into its write-ahead log before the next file begins.";
    wal_prewritten_bytes = 134_217_728 in 0..=4_294_967_296,
        "Zeros that a new write-ahead log begins with, so that a commit writes into blocks that exist.";
    disk_reserve_bytes = 1_073_741_824 in 0..=1_152_921_504_606_846_976,
        "Intake closes when less than this is free: room for what is under way, and for cleaning up.";
    ids_max = 4_000_000 in 1_000..=1_000_000_000,
        "Ids of programs' commands that are remembered, for 24 h at most. Each takes about 70 octets of memory.";
    ussd_ids_max = 13_000_000 in 1_000..=1_000_000_000,
        "Ids of dials that are remembered, for ten minutes at least: enough for 10,000 dials a second. Of more dials some \
         read \"busy, nothing was sent\". Each takes about 70 octets of memory.";
    checkpoint_entries_min = 1_000_000 in 1..=100_000_000,
        "The checkpoint is written when so many entries wait (a restart folds them again, about 1 s for 500,000) ...";
    checkpoint_interval_ms = 10_000 in 1..=3_600_000,
        "... or so much time has passed. A row costs a page, so the more entries coalesce the less is written.";
    checkpoint_lag_entries_max = 20_000_000 in 1..=1_000_000_000,
        "While the checkpoint can't be written, so many entries wait in memory (up to 80 octets each); more stay in the journal.";
    clock_step_max_s = 10 in 1..=3_600,
        "The wall clock may step by this much against the monotonic one; by more closes intake.";
    clock_gap_max_h = 168 in 0..=87_600,
        "At start the clock may be this far past the latest entry; further closes intake until `--accept-clock`.";
    decide_within_s = 20 in 1..=300,
        "A dialled command that was not decided by then never will be. \"Not known yet\" on a phone counts on it.";
    answer_within_ms = 10_000 in 100..=60_000,
        "After so long without an answer a phone reads that it is not known yet. Aggregators wait for 15 s.";
    callers_max = 262_144 in 4..=100_000_000,
        "Callers whose dials in a minute are counted.";
    sessions_max = 65_536 in 1..=10_000_000,
        "USSD sessions at a time.";
    session_idle_s = 30 in 1..=600,
        "A session is over when nothing was typed for so long.";
    session_total_s = 180 in 1..=600,
        "A session is over after so long whatever happens.";
    told_wait_ms = 5_000 in 0..=3_600_000,
        "A sender whose screen is not known to have been shown by then gets an SMS of their own.";
    told_max = 1_048_576 in 0..=16_777_216,
        "Gifts whose screens are remembered as shown; 0: every sender gets an SMS, for a screen handed over is not yet read.";
    sms_open_max = 100_000 in 1..=10_000_000,
        "SMS that no SMSC has taken over yet; with more their follower lags behind the journal. Each takes about 400 octets.";
    sms_awaiting_max = 200_000 in 1..=10_000_000,
        "SMS whose receipts are awaited; with more the oldest read \"sent, not confirmed\".";
    sms_retry_max_h = 24 in 1..=720,
        "An SMS is not tried any more so long after its gift.";
    sms_retry_wait_ms = 5_000 in 100..=3_600_000,
        "The first wait after an SMSC refused an SMS for the moment; it doubles each time ...";
    sms_retry_wait_max_ms = 900_000 in 100..=86_400_000,
        "... up to this.";
    sms_receipt_wait_h = 26 in 1..=720,
        "A receipt is awaited for so long: longer than an SMSC keeps trying.";
    sms_submit_within_ms = 60_000 in 1_000..=600_000,
        "An SMSC that did not answer for so long may have taken the SMS over: it is sent again.";
    sms_kept_days = 7 in 0..=3_650,
        "What became of an SMS can be looked up for so long ...";
    sms_kept_max = 1_000_000 in 0..=1_000_000_000,
        "... for so many at most. Each takes about 120 octets on disk.";
    http_connections_max = 1_024 in 1..=1_000_000,
        "Connections of aggregators at a time; more wait until one ends.";
    check_every_s = 86_400 in 0..=31_536_000,
        "The books are checked this often, first ten minutes after the start: `sonmul check --stop` (0: never).";
    drain_s = 30 in 1..=3_600,
        "When stopping, requests under way get this long.";
}

/// Reads the table of limits over the defaults.
pub(super) fn read(place: &Place<'_>, raw: &BTreeMap<Spanned<String>, Spanned<i64>>) -> Result<Limits, ConfigError> {
    let mut limits = Limits::default();
    for (name, value) in raw {
        let spec = SPECS.iter().find(|spec| spec.name == name.get_ref());
        let (Some(spec), Some(limit)) = (spec, limits.place_of(name.get_ref())) else {
            let known: Vec<_> = SPECS.iter().map(|spec| spec.name).collect();
            return Err(place.of(name, format!("no such limit; there are {}", known.join(", "))));
        };
        *limit = u64::try_from(*value.get_ref())
            .ok()
            .filter(|value| (spec.min..=spec.max).contains(value))
            .ok_or_else(|| place.of(value, format!("{} is {} to {}", spec.name, spec.min, spec.max)))?;
    }
    Ok(limits)
}

/// A bounded limit where a machine's word is wanted.
pub(crate) fn word(limit: u64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

/// A bounded limit where 32 bits are wanted.
pub(crate) fn half(limit: u64) -> u32 {
    u32::try_from(limit).unwrap_or(u32::MAX)
}
