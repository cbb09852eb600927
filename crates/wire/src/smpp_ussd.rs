//! The values of SMPP's two USSD parameters, `ussd_service_op` (SMPP 3.4 §5.3.2.44) and `its_session_info` (§5.3.2.43).
//!
//! **For:** the ESME edge, which finds and writes the parameters (TLVs) with its SMPP codec and hands their values
//! here.
//!
//! **Guarantees:** a value that parses is written again as the same octets.
//!
//! **Bounded by:** the one and the two octets that they have.
//!
//! **Not here:** PDUs, binds, and which operation answers which: stacks differ, and the link's profile says so.

/// Tag of `ussd_service_op`.
pub const TAG_USSD_SERVICE_OP: u16 = 0x0501;
/// Tag of `its_session_info`.
pub const TAG_ITS_SESSION_INFO: u16 = 0x1383;
/// Tag of `user_message_reference`, by which receipts are matched where message ids are not given. OsmoMSC keeps its
/// low 8 bits.
pub const TAG_USER_MESSAGE_REFERENCE: u16 = 0x0204;

/// The lowest vendor-specific `ussd_service_op`.
const VENDOR_MIN: u8 = 128;
/// The bit of `its_session_info`'s second octet that ends the session.
const END: u8 = 0x01;
/// The largest sequence number: seven bits.
const SEQUENCE_MAX: u8 = 0x7F;

/// Why a value is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SmppUssdError {
    /// A value of the wrong length.
    #[error("an SMPP USSD parameter of {len} octets where {wanted} belong")]
    Length {
        /// Octets found.
        len: usize,
        /// Octets wanted.
        wanted: usize,
    },
    /// A `ussd_service_op` that SMPP reserves (4–15, 20–127).
    #[error("ussd_service_op {code} is reserved")]
    Reserved {
        /// The operation's number.
        code: u8,
    },
    /// A sequence number above 127.
    #[error("a sequence number of {sequence} does not fit seven bits")]
    Sequence {
        /// The number.
        sequence: u8,
    },
}

/// A `ussd_service_op`: which part of a dialogue a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UssdServiceOp {
    /// 0, `PSSD indication`: the phone dialled; the old operation whose answer ends the session.
    PssdIndication,
    /// 1, `PSSR indication`: the phone dialled.
    PssrIndication,
    /// 2, `USSR request`: the network asks.
    UssrRequest,
    /// 3, `USSN request`: the network tells.
    UssnRequest,
    /// 16, `PSSD response`: the last word.
    PssdResponse,
    /// 17, `PSSR response`: the last word.
    PssrResponse,
    /// 18, `USSR confirm`: the phone answers.
    UssrConfirm,
    /// 19, `USSN confirm`: the phone has shown it.
    UssnConfirm,
    /// 128–255, what a vendor means by it.
    Vendor(VendorOp),
}

/// A vendor-specific `ussd_service_op`, `128..=255`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VendorOp(u8);

impl VendorOp {
    /// Checks the range.
    ///
    /// # Errors
    /// [`SmppUssdError::Reserved`] below 128.
    pub fn try_new(code: u8) -> Result<VendorOp, SmppUssdError> {
        if code < VENDOR_MIN { Err(SmppUssdError::Reserved { code }) } else { Ok(VendorOp(code)) }
    }

    /// The number, `128..=255`.
    #[must_use]
    pub fn code(self) -> u8 {
        self.0
    }
}

impl UssdServiceOp {
    /// Reads a parameter's value.
    ///
    /// # Errors
    /// [`SmppUssdError::Length`], [`SmppUssdError::Reserved`].
    pub fn parse(value: &[u8]) -> Result<UssdServiceOp, SmppUssdError> {
        let &[code] = value else {
            return Err(SmppUssdError::Length { len: value.len(), wanted: 1 });
        };
        match code {
            0 => Ok(UssdServiceOp::PssdIndication),
            1 => Ok(UssdServiceOp::PssrIndication),
            2 => Ok(UssdServiceOp::UssrRequest),
            3 => Ok(UssdServiceOp::UssnRequest),
            16 => Ok(UssdServiceOp::PssdResponse),
            17 => Ok(UssdServiceOp::PssrResponse),
            18 => Ok(UssdServiceOp::UssrConfirm),
            19 => Ok(UssdServiceOp::UssnConfirm),
            code => Ok(UssdServiceOp::Vendor(VendorOp::try_new(code)?)),
        }
    }

    /// The parameter's value.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            UssdServiceOp::PssdIndication => 0,
            UssdServiceOp::PssrIndication => 1,
            UssdServiceOp::UssrRequest => 2,
            UssdServiceOp::UssnRequest => 3,
            UssdServiceOp::PssdResponse => 16,
            UssdServiceOp::PssrResponse => 17,
            UssdServiceOp::UssrConfirm => 18,
            UssdServiceOp::UssnConfirm => 19,
            UssdServiceOp::Vendor(op) => op.code(),
        }
    }
}

/// An `its_session_info`: where a message stands in its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ItsSessionInfo {
    /// The session's number, `0..=255`, counted by whoever began it and soon used again.
    pub session: u8,
    sequence: u8,
    /// Whether the session ends with this message.
    pub end: bool,
}

impl ItsSessionInfo {
    /// Puts one together; `sequence` is `0..=127`.
    ///
    /// # Errors
    /// [`SmppUssdError::Sequence`] above that.
    pub fn try_new(session: u8, sequence: u8, end: bool) -> Result<ItsSessionInfo, SmppUssdError> {
        if SEQUENCE_MAX < sequence {
            return Err(SmppUssdError::Sequence { sequence });
        }
        Ok(ItsSessionInfo { session, sequence, end })
    }

    /// Reads a parameter's value: the session, then the sequence number in the upper seven bits and the end flag below.
    ///
    /// # Errors
    /// [`SmppUssdError::Length`].
    pub fn parse(value: &[u8]) -> Result<ItsSessionInfo, SmppUssdError> {
        let &[session, second] = value else {
            return Err(SmppUssdError::Length { len: value.len(), wanted: 2 });
        };
        Ok(ItsSessionInfo { session, sequence: second >> 1, end: second & END != 0 })
    }

    /// The message's number in its session, `0..=127`.
    #[must_use]
    pub fn sequence(self) -> u8 {
        self.sequence
    }

    /// The parameter's value.
    #[must_use]
    pub fn octets(self) -> [u8; 2] {
        [self.session, self.sequence << 1 | u8::from(self.end)]
    }
}

#[cfg(test)]
mod tests {
    use super::{ItsSessionInfo, SmppUssdError, UssdServiceOp, VendorOp};

    #[test]
    fn every_service_op() {
        for code in 0..=u8::MAX {
            match UssdServiceOp::parse(&[code]) {
                Ok(op) => assert_eq!(op.code(), code),
                Err(error) => {
                    assert_eq!(error, SmppUssdError::Reserved { code });
                    assert!((4..16).contains(&code) || (20..128).contains(&code), "{code}");
                }
            }
        }
        assert_eq!(UssdServiceOp::parse(&[18]), Ok(UssdServiceOp::UssrConfirm));
        assert_eq!(UssdServiceOp::parse(&[]), Err(SmppUssdError::Length { len: 0, wanted: 1 }));
        assert_eq!(UssdServiceOp::parse(&[1, 1]), Err(SmppUssdError::Length { len: 2, wanted: 1 }));
        assert_eq!(VendorOp::try_new(127), Err(SmppUssdError::Reserved { code: 127 }));
    }

    #[test]
    fn every_session_info() {
        for session in [0, 1, 0x80, 0xFF] {
            for second in 0..=u8::MAX {
                let info = ItsSessionInfo::parse(&[session, second]);
                assert_eq!(info.map(ItsSessionInfo::octets), Ok([session, second]));
                assert_eq!(info.map(|info| (info.sequence(), info.end)), Ok((second / 2, second % 2 == 1)));
            }
        }
        assert_eq!(ItsSessionInfo::parse(&[1]), Err(SmppUssdError::Length { len: 1, wanted: 2 }));
        assert_eq!(ItsSessionInfo::try_new(1, 128, false), Err(SmppUssdError::Sequence { sequence: 128 }));
        assert_eq!(ItsSessionInfo::try_new(7, 3, true).map(ItsSessionInfo::octets), Ok([7, 0b111]));
    }
}
