//! The components of a USSD dialogue (3GPP TS 24.080 §3.6 and annex A): what GSUP carries as SS-info.
//!
//! **For:** the EUSE edge. A phone's dialled string is an invoke of operation 59; a prompt of ours is an invoke of
//! operation 60 and the phone's answer its result; our last word is the result of the phone's own invoke, with that
//! invoke's id.
//!
//! **Guarantees:** [`Component::parse`] is total and borrows; [`Component::encode`] writes exactly what it parsed where
//! nothing was skipped. No `Debug` here shows an octet of a USSD string: a password may be in it.
//!
//! **Bounded by:** [`USSD_OCTETS_MAX`], [`ber::VALUE_LEN_MAX`] and, when writing, the 127 octets of a length in short
//! form, which leave [`RESULT_OCTETS_MAX`] octets of text (128 septets, [`crate::text::Budget::USSD_OSMOHLR`]):
//! OsmoHLR drops longer ones in silence, so they are an error here.
//!
//! **Not here:** call forwarding, barring and the other operations of TS 24.080, TCAP and MAP, and pairing of invokes
//! with results.

use std::fmt;

use crate::ber::{self, BerError};
use crate::text::{self, Encoded, TextError};

/// The longest USSD string, in octets (TS 24.080 annex A, `maxUSSD-StringLength`).
pub const USSD_OCTETS_MAX: usize = 160;
/// The longest USSD string, in octets, that fits a result whose lengths all have short form: 127 less the head of 15.
pub const RESULT_OCTETS_MAX: usize = 112;

const INVOKE: u8 = 0xA1;
const RETURN_RESULT: u8 = 0xA2;
const RETURN_ERROR: u8 = 0xA3;
const REJECT: u8 = 0xA4;

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const NULL: u8 = 0x05;
const SEQUENCE: u8 = 0x30;
const LINKED_ID: u8 = 0x80;

/// A USSD operation (TS 24.080 §4.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// `processUnstructuredSS-Request`, 59: the phone dials.
    ProcessUnstructuredSsRequest,
    /// `unstructuredSS-Request`, 60: the network asks, the phone answers.
    UnstructuredSsRequest,
    /// `unstructuredSS-Notify`, 61: the network tells, the phone acknowledges.
    UnstructuredSsNotify,
}

impl Operation {
    /// The operation's number.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Operation::ProcessUnstructuredSsRequest => 59,
            Operation::UnstructuredSsRequest => 60,
            Operation::UnstructuredSsNotify => 61,
        }
    }

    fn from_code(code: u8) -> Option<Operation> {
        [Operation::ProcessUnstructuredSsRequest, Operation::UnstructuredSsRequest, Operation::UnstructuredSsNotify]
            .into_iter()
            .find(|operation| operation.code() == code)
    }
}

/// Why an operation failed, as the network names it (TS 24.080 §4.5, TS 29.002 §17.6.6). Any octet is possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorCode(pub u8);

impl ErrorCode {
    /// `unknownSubscriber`.
    pub const UNKNOWN_SUBSCRIBER: ErrorCode = ErrorCode(1);
    /// `callBarred`.
    pub const CALL_BARRED: ErrorCode = ErrorCode(13);
    /// `illegalSS-Operation`.
    pub const ILLEGAL_SS_OPERATION: ErrorCode = ErrorCode(16);
    /// `ss-NotAvailable`.
    pub const SS_NOT_AVAILABLE: ErrorCode = ErrorCode(18);
    /// `facilityNotSupported`.
    pub const FACILITY_NOT_SUPPORTED: ErrorCode = ErrorCode(21);
    /// `absentSubscriber`.
    pub const ABSENT_SUBSCRIBER: ErrorCode = ErrorCode(27);
    /// `systemFailure`.
    pub const SYSTEM_FAILURE: ErrorCode = ErrorCode(34);
    /// `dataMissing`.
    pub const DATA_MISSING: ErrorCode = ErrorCode(35);
    /// `unexpectedDataValue`.
    pub const UNEXPECTED_DATA_VALUE: ErrorCode = ErrorCode(36);
    /// `unknownAlphabet`: the data coding scheme can't be read.
    pub const UNKNOWN_ALPHABET: ErrorCode = ErrorCode(71);
    /// `ussd-Busy`: another dialogue is under way.
    pub const USSD_BUSY: ErrorCode = ErrorCode(72);
}

/// Why a component was rejected (TS 24.080 §3.6.7): by whom it was made, and a number that means something there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// With any component.
    General(u8),
    /// With an invoke.
    Invoke(u8),
    /// With a result.
    ReturnResult(u8),
    /// With an error.
    ReturnError(u8),
}

impl Problem {
    /// Badly structured component.
    pub const BADLY_STRUCTURED: Problem = Problem::General(2);
    /// An operation that is not known.
    pub const UNRECOGNIZED_OPERATION: Problem = Problem::Invoke(1);

    fn from_tag(tag: u8, code: u8) -> Option<Problem> {
        match tag {
            0x80 => Some(Problem::General(code)),
            0x81 => Some(Problem::Invoke(code)),
            0x82 => Some(Problem::ReturnResult(code)),
            0x83 => Some(Problem::ReturnError(code)),
            _ => None,
        }
    }

    fn octets(self) -> [u8; 3] {
        match self {
            Problem::General(code) => [0x80, 1, code],
            Problem::Invoke(code) => [0x81, 1, code],
            Problem::ReturnResult(code) => [0x82, 1, code],
            Problem::ReturnError(code) => [0x83, 1, code],
        }
    }
}

/// A USSD string as it travels.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Ussd<'a> {
    /// The data coding scheme: how to read the octets (TS 23.038 §5).
    pub dcs: u8,
    /// At most [`USSD_OCTETS_MAX`]; may be empty when somebody answers a prompt with nothing.
    pub octets: &'a [u8],
}

impl<'a> Ussd<'a> {
    /// What [`text::encode`] made, as a USSD string.
    #[must_use]
    pub fn of(encoded: &'a Encoded) -> Ussd<'a> {
        Ussd { dcs: encoded.coding.dcs(), octets: &encoded.octets }
    }

    /// Reads the string. The caller wipes it: a password may be in it.
    ///
    /// # Errors
    /// [`TextError`]'s variants.
    pub fn text(&self) -> Result<String, TextError> {
        text::decode(self.dcs, self.octets)
    }

    /// Reads the parameter of a USSD operation. Elements after the string (alerting pattern, extensions) are skipped.
    fn parse(parameter: &'a [u8]) -> Result<Ussd<'a>, SsError> {
        let (dcs, rest) = ber::take_octet(parameter, OCTET_STRING)?;
        let (octets, mut rest) = ber::take_tag(rest, OCTET_STRING)?;
        if USSD_OCTETS_MAX < octets.len() {
            return Err(SsError::StringTooLong);
        }
        while !rest.is_empty() {
            (_, rest) = ber::take(rest)?;
        }
        Ok(Ussd { dcs, octets })
    }

    fn encode(&self) -> Result<Vec<u8>, BerError> {
        ber::element(SEQUENCE, &[&[OCTET_STRING, 1, self.dcs], &ber::element(OCTET_STRING, &[self.octets])?])
    }
}

/// Shows coding and length only: a password may be in the string.
impl fmt::Debug for Ussd<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ussd").field("dcs", &self.dcs).field("octets_len", &self.octets.len()).finish()
    }
}

/// One component. `invoke_id` is chosen by whoever invokes and comes back in the result, error or reject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Component<'a> {
    /// Do this.
    Invoke {
        /// Pairs it with what answers it.
        invoke_id: i8,
        /// What to do.
        operation: Operation,
        /// With this string.
        ussd: Ussd<'a>,
    },
    /// Done.
    ReturnResult {
        /// Of the invoke that it answers.
        invoke_id: i8,
        /// What came of it; a notification's acknowledgement has nothing.
        outcome: Option<(Operation, Option<Ussd<'a>>)>,
    },
    /// Could not be done. Parameters are skipped.
    ReturnError {
        /// Of the invoke that it answers.
        invoke_id: i8,
        /// Why.
        error: ErrorCode,
    },
    /// Could not be understood.
    Reject {
        /// Of the component rejected, if that could be read.
        invoke_id: Option<i8>,
        /// Why.
        problem: Problem,
    },
}

/// Why octets are not a component of USSD, or one can't be written. Carries nothing of a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SsError {
    /// See [`BerError`].
    #[error(transparent)]
    Ber(#[from] BerError),
    /// Not an invoke, result, error or reject.
    #[error("component {tag:#04x} is not known here")]
    UnknownComponent {
        /// Its tag.
        tag: u8,
    },
    /// An operation other than 59, 60 and 61; what to put into a [`Component::Reject`].
    #[error("operation {code} is not one of USSD")]
    UnknownOperation {
        /// The invoke's or result's id.
        invoke_id: i8,
        /// The operation's number.
        code: u8,
    },
    /// A reject whose problem has no known tag.
    #[error("a reject with problem {tag:#04x}")]
    UnknownProblem {
        /// The problem's tag.
        tag: u8,
    },
    /// A string of more than [`USSD_OCTETS_MAX`] octets.
    #[error("a USSD string of more than {USSD_OCTETS_MAX} octets")]
    StringTooLong,
    /// Something follows where nothing may.
    #[error("octets after the end of a component")]
    Trailing,
}

fn end(rest: &[u8]) -> Result<(), SsError> {
    if rest.is_empty() { Ok(()) } else { Err(SsError::Trailing) }
}

fn take_id(input: &[u8]) -> Result<(i8, &[u8]), SsError> {
    let (octet, rest) = ber::take_octet(input, INTEGER)?;
    Ok((i8::from_be_bytes([octet]), rest))
}

fn take_operation(input: &[u8], invoke_id: i8) -> Result<(Operation, &[u8]), SsError> {
    let (code, rest) = ber::take_octet(input, INTEGER)?;
    let operation = Operation::from_code(code).ok_or(SsError::UnknownOperation { invoke_id, code })?;
    Ok((operation, rest))
}

fn take_ussd(input: &[u8]) -> Result<Ussd<'_>, SsError> {
    let (parameter, rest) = ber::take_tag(input, SEQUENCE)?;
    end(rest)?;
    Ussd::parse(parameter)
}

impl<'a> Component<'a> {
    /// Reads one component and nothing after it.
    ///
    /// # Errors
    /// [`SsError`]'s variants.
    pub fn parse(input: &'a [u8]) -> Result<Component<'a>, SsError> {
        let (outer, rest) = ber::take(input)?;
        end(rest)?;
        match outer.tag {
            INVOKE => parse_invoke(outer.value),
            RETURN_RESULT => parse_result(outer.value),
            RETURN_ERROR => parse_error(outer.value),
            REJECT => parse_reject(outer.value),
            tag => Err(SsError::UnknownComponent { tag }),
        }
    }

    /// Writes the component, every length in short form.
    ///
    /// # Errors
    /// [`BerError::LengthNotShort`] if the string is too long for that; up to [`RESULT_OCTETS_MAX`] octets always fit.
    pub fn encode(&self) -> Result<Vec<u8>, BerError> {
        match *self {
            Component::Invoke { invoke_id, operation, ussd } => {
                ber::element(INVOKE, &[&integer_id(invoke_id), &[INTEGER, 1, operation.code()], &ussd.encode()?])
            }
            Component::ReturnResult { invoke_id, outcome: None } => {
                ber::element(RETURN_RESULT, &[&integer_id(invoke_id)])
            }
            Component::ReturnResult { invoke_id, outcome: Some((operation, ussd)) } => {
                let ussd = ussd.map_or(Ok(Vec::new()), |ussd| ussd.encode())?;
                let sequence = ber::element(SEQUENCE, &[&[INTEGER, 1, operation.code()], &ussd])?;
                ber::element(RETURN_RESULT, &[&integer_id(invoke_id), &sequence])
            }
            Component::ReturnError { invoke_id, error } => {
                ber::element(RETURN_ERROR, &[&integer_id(invoke_id), &[INTEGER, 1, error.0]])
            }
            Component::Reject { invoke_id: Some(invoke_id), problem } => {
                ber::element(REJECT, &[&integer_id(invoke_id), &problem.octets()])
            }
            Component::Reject { invoke_id: None, problem } => ber::element(REJECT, &[&[NULL, 0], &problem.octets()]),
        }
    }
}

fn integer_id(invoke_id: i8) -> [u8; 3] {
    let [octet] = invoke_id.to_be_bytes();
    [INTEGER, 1, octet]
}

fn parse_invoke(value: &[u8]) -> Result<Component<'_>, SsError> {
    let (invoke_id, rest) = take_id(value)?;
    let rest = match rest.first() {
        Some(&LINKED_ID) => ber::take_tag(rest, LINKED_ID)?.1,
        _ => rest,
    };
    let (operation, rest) = take_operation(rest, invoke_id)?;
    Ok(Component::Invoke { invoke_id, operation, ussd: take_ussd(rest)? })
}

fn parse_result(value: &[u8]) -> Result<Component<'_>, SsError> {
    let (invoke_id, rest) = take_id(value)?;
    if rest.is_empty() {
        return Ok(Component::ReturnResult { invoke_id, outcome: None });
    }
    let (sequence, rest) = ber::take_tag(rest, SEQUENCE)?;
    end(rest)?;
    let (operation, rest) = take_operation(sequence, invoke_id)?;
    let ussd = if rest.is_empty() { None } else { Some(take_ussd(rest)?) };
    Ok(Component::ReturnResult { invoke_id, outcome: Some((operation, ussd)) })
}

fn parse_error(value: &[u8]) -> Result<Component<'_>, SsError> {
    let (invoke_id, rest) = take_id(value)?;
    let (code, mut rest) = ber::take_octet(rest, INTEGER)?;
    while !rest.is_empty() {
        (_, rest) = ber::take(rest)?;
    }
    Ok(Component::ReturnError { invoke_id, error: ErrorCode(code) })
}

fn parse_reject(value: &[u8]) -> Result<Component<'_>, SsError> {
    let (invoke_id, rest) = match value.first() {
        Some(&NULL) => (None, ber::take_tag(value, NULL)?.1),
        _ => take_id(value).map(|(id, rest)| (Some(id), rest))?,
    };
    let (problem, rest) = ber::take(rest)?;
    end(rest)?;
    let &[code] = problem.value else {
        return Err(BerError::NotOneOctet.into());
    };
    let problem = Problem::from_tag(problem.tag, code).ok_or(SsError::UnknownProblem { tag: problem.tag })?;
    Ok(Component::Reject { invoke_id, problem })
}

#[cfg(test)]
mod tests;
