//! What an SMSC's `command_status` means for whoever sent the message.
//!
//! **For:** [`super::SubmitFault`], and the texts that `doctor` shows.
//!
//! **Guarantees:** every status has a class. Sources: SMPP 3.4 §5.1.3 (table 5-2) for the names, SMPP 5.0 §4.7.6 for what
//! each is returned for. What neither knows (vendors use 0x400 to 0x4FF) is temporary: tried again with an end, it costs a
//! few messages; taken for permanent, it would lose an SMS that a later try delivers.
//!
//! **Deliberately not here:** how often to try again.

/// No error.
pub const ROK: u32 = 0x00;
/// The text is too long for the SMSC.
pub const RINVMSGLEN: u32 = 0x01;
/// A PDU's length lies.
pub const RINVCMDLEN: u32 = 0x02;
/// A PDU that nobody knows.
pub const RINVCMDID: u32 = 0x03;
/// Not in this state of the session.
pub const RINVBNDSTS: u32 = 0x04;
/// Bound already.
pub const RALYBND: u32 = 0x05;
/// The SMSC is in trouble.
pub const RSYSERR: u32 = 0x08;
/// Bind failed.
pub const RBINDFAIL: u32 = 0x0D;
/// The password is wrong.
pub const RINVPASWD: u32 = 0x0E;
/// The system id is wrong.
pub const RINVSYSID: u32 = 0x0F;
/// The message queue is full.
pub const RMSGQFUL: u32 = 0x14;
/// The system type is wrong.
pub const RINVSYSTYP: u32 = 0x53;
/// Too fast.
pub const RTHROTTLED: u32 = 0x58;
/// We can't take a delivery now: deliver it again later.
pub const RX_T_APPN: u32 = 0x64;
/// We don't take this delivery: don't deliver it again.
pub const RX_R_APPN: u32 = 0x66;

/// What to do about a status that is not [`ROK`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Slow down, then send the same again.
    Throttled,
    /// Send the same again later.
    Temporary,
    /// The same message will never be taken: its address, its text or our account must change first.
    Permanent,
}

/// The class of a `submit_sm_resp`'s status.
#[must_use]
pub const fn class(status: u32) -> Class {
    match status {
        RMSGQFUL | RTHROTTLED => Class::Throttled,
        // Message length, command length and id, priority and registered delivery flags.
        0x01..=0x03 | 0x06 | 0x07
        // Source and destination address, message id.
        | 0x0A..=0x0C
        // Bind statuses, as an answer to a message: our account.
        | 0x0D..=0x0F
        // Service type; what only `submit_multi` and `replace_sm` have.
        | 0x11 | 0x13 | 0x15 | 0x33 | 0x34 | 0x40..=0x44
        // TON and NPI of both addresses, system type, flags.
        | 0x48..=0x55
        // Delivery time, validity, predefined message.
        | 0x61..=0x63
        // The receiver refused for good.
        | 0x65 | 0x66
        // Parameters.
        | 0xC0..=0xC4
        // Not allowed to us, denied, unknown data coding.
        | 0x100 | 0x101 | 0x103..=0x106 => Class::Permanent,
        // 0x04 not bound (a bind that is just ending), 0x08 system error, 0x45 submit failed, 0x64 receiver's
        // temporary error, 0xFE delivery failure, 0xFF unknown error, 0x102 service unavailable; and all others.
        _ => Class::Temporary,
    }
}

/// The standard's name, for people who look it up.
#[must_use]
pub const fn name(status: u32) -> &'static str {
    match status {
        ROK => "ESME_ROK",
        RINVMSGLEN => "ESME_RINVMSGLEN",
        RINVCMDLEN => "ESME_RINVCMDLEN",
        RINVCMDID => "ESME_RINVCMDID",
        RINVBNDSTS => "ESME_RINVBNDSTS",
        RALYBND => "ESME_RALYBND",
        RSYSERR => "ESME_RSYSERR",
        0x0A => "ESME_RINVSRCADR",
        0x0B => "ESME_RINVDSTADR",
        RBINDFAIL => "ESME_RBINDFAIL",
        RINVPASWD => "ESME_RINVPASWD",
        RINVSYSID => "ESME_RINVSYSID",
        RMSGQFUL => "ESME_RMSGQFUL",
        0x15 => "ESME_RINVSERTYP",
        0x43 => "ESME_RINVESMCLASS",
        0x45 => "ESME_RSUBMITFAIL",
        0x48 => "ESME_RINVSRCTON",
        0x49 => "ESME_RINVSRCNPI",
        0x50 => "ESME_RINVDSTTON",
        0x51 => "ESME_RINVDSTNPI",
        RINVSYSTYP => "ESME_RINVSYSTYP",
        RTHROTTLED => "ESME_RTHROTTLED",
        0x61 => "ESME_RINVSCHED",
        0x62 => "ESME_RINVEXPIRY",
        RX_T_APPN => "ESME_RX_T_APPN",
        0x65 => "ESME_RX_P_APPN",
        RX_R_APPN => "ESME_RX_R_APPN",
        0xC0 => "ESME_RINVOPTPARSTREAM",
        0xC1 => "ESME_ROPTPARNOTALLWD",
        0xC2 => "ESME_RINVPARLEN",
        0xC3 => "ESME_RMISSINGOPTPARAM",
        0xC4 => "ESME_RINVOPTPARAMVAL",
        0xFE => "ESME_RDELIVERYFAILURE",
        0xFF => "ESME_RUNKNOWNERR",
        0x101 => "ESME_RPROHIBITED",
        0x104 => "ESME_RINVDCS",
        _ => "a status of the SMSC's own",
    }
}

/// What to do when a bind is refused, in one line.
#[must_use]
pub(crate) const fn bind_advice(status: u32) -> &'static str {
    match status {
        RINVPASWD => "check `password_file` with the SMSC's operator",
        RINVSYSID => "check `system_id` with the SMSC's operator",
        RBINDFAIL => "check `system_id`, `password_file` and the addresses the SMSC lets in",
        RINVSYSTYP => "check `system_type` with the SMSC's operator",
        RALYBND => {
            "another session is bound with this `system_id`: stop it, or wait until the SMSC notices that it is gone"
        }
        RTHROTTLED => "too many binds: we wait longer before the next",
        RSYSERR => "the SMSC is in trouble: we try again",
        _ => "ask the SMSC's operator what it means",
    }
}

/// Whether trying the same bind again soon can only annoy: SMSCs lock accounts.
#[must_use]
pub(crate) const fn is_account_fault(status: u32) -> bool {
    matches!(status, RINVPASWD | RINVSYSID | RBINDFAIL | RINVSYSTYP | RTHROTTLED)
}

#[cfg(test)]
mod tests {
    use super::{Class, class, name};

    #[test]
    fn a_table_of_statuses() {
        for (status, expected) in [
            (0x01, Class::Permanent),
            (0x04, Class::Temporary),
            (0x08, Class::Temporary),
            (0x0A, Class::Permanent),
            (0x0B, Class::Permanent),
            (0x14, Class::Throttled),
            (0x45, Class::Temporary),
            (0x58, Class::Throttled),
            (0x62, Class::Permanent),
            (0x64, Class::Temporary),
            (0x65, Class::Permanent),
            (0xC4, Class::Permanent),
            (0xFE, Class::Temporary),
            (0xFF, Class::Temporary),
            (0x101, Class::Permanent),
            (0x102, Class::Temporary),
            (0x400, Class::Temporary),
            (u32::MAX, Class::Temporary),
        ] {
            assert_eq!(class(status), expected, "{status:#x}");
        }
        assert_eq!(name(0x58), "ESME_RTHROTTLED");
        assert_eq!(name(0x4FF), "a status of the SMSC's own");
    }
}
