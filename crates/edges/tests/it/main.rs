//! Whole dialogues through the HTTP router, over the real rules and a decider in memory; and the SMPP edge at SMSCs that are
//! not ours.

#![expect(clippy::expect_used, reason = "helpers of tests fail like tests do")]
#![expect(clippy::too_many_lines, reason = "a transcript is as long as its dialogue")]

#[expect(unreachable_pub, reason = "the fuzz targets use the same file from another crate")]
#[path = "../../../../fuzz/checks/edges.rs"]
mod checks;

mod aggregators;
mod answers;
mod asked_again;
mod confirm;
mod confirm_walks;
mod dialects;
mod dialogues;
mod esme_nasty;
mod esme_sms;
mod esme_smsc;
mod esme_tls;
mod esme_ussd;
mod euse;
mod euse_hlr;
mod euse_trouble;
mod examples;
mod fake;
mod greetings;
mod hostile;
mod line;
mod lists;
mod not_shown;
mod peers;
mod peers_link;
mod peers_others;
mod peers_rig;
mod peers_sms;
mod peers_tap;
mod peers_ussd;
mod peers_wire;
mod phone;
mod resume;
mod seeds;
mod told_again;
mod trouble;
