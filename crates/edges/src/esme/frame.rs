//! One PDU off the front of what was received.
//!
//! Guarantees: total, no copy; a length that lies is seen from its first four octets, before anything is kept for it.
//! Bounded by: [`PDU_LEN_MAX`]. Deliberately not here: what a body says ([`super::delivery`], [`super::pdu`]).

/// Octets of one PDU at most. The largest honest one is a `message_payload` of 64 KiB less a little; SMS and USSD have a
/// few hundred.
pub const PDU_LEN_MAX: usize = 65_536;
/// Octets of the header: length, command id, status, sequence number (SMPP 3.4 §3.2).
pub(crate) const HEADER_LEN: usize = 16;

/// One PDU as received.
#[derive(Clone, Copy)]
pub(crate) struct Frame<'a> {
    pub(crate) id: u32,
    pub(crate) status: u32,
    pub(crate) sequence: u32,
    pub(crate) body: &'a [u8],
}

/// A `command_length` that can't be true: nobody knows where the next PDU begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a PDU says that it has {len} octets; {HEADER_LEN} to {PDU_LEN_MAX} are possible")]
pub(crate) struct LengthLies {
    pub(crate) len: u32,
}

/// The first PDU and how many octets it took; `Ok(None)`: read more.
pub(crate) fn take(input: &[u8]) -> Result<Option<(Frame<'_>, usize)>, LengthLies> {
    let Some((len, _)) = word(input) else { return Ok(None) };
    let octets = usize::try_from(len).unwrap_or(usize::MAX);
    if !(HEADER_LEN..=PDU_LEN_MAX).contains(&octets) {
        return Err(LengthLies { len });
    }
    Ok(input.get(..octets).and_then(header).map(|frame| (frame, octets)))
}

fn header(pdu: &[u8]) -> Option<Frame<'_>> {
    let (_, rest) = word(pdu)?;
    let (id, rest) = word(rest)?;
    let (status, rest) = word(rest)?;
    let (sequence, body) = word(rest)?;
    Some(Frame { id, status, sequence, body })
}

fn word(input: &[u8]) -> Option<(u32, &[u8])> {
    let (&octets, rest) = input.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(octets), rest))
}

#[cfg(test)]
mod tests {
    use super::{LengthLies, PDU_LEN_MAX, take};
    use proptest::prelude::{any, proptest};

    /// An `enquire_link`, number 7.
    const ENQUIRE: [u8; 16] = [0, 0, 0, 16, 0, 0, 0, 0x15, 0, 0, 0, 0, 0, 0, 0, 7];

    #[test]
    fn cut_anywhere_waits_and_glued_is_taken_apart() {
        for cut in 0..ENQUIRE.len() {
            assert!(matches!(take(&ENQUIRE[..cut]), Ok(None)), "{cut}");
        }
        let glued = [ENQUIRE, ENQUIRE].concat();
        let (frame, used) = take(&glued).expect("true").expect("whole");
        assert_eq!((frame.id, frame.status, frame.sequence, frame.body.len(), used), (0x15, 0, 7, 0, 16));
        assert!(matches!(take(&glued[used..]), Ok(Some((_, 16)))));
    }

    #[test]
    fn a_length_that_lies_is_seen_at_once() {
        for len in [0, 4, 15, u32::try_from(PDU_LEN_MAX).expect("fits") + 1, u32::MAX] {
            assert_eq!(take(&len.to_be_bytes()).err(), Some(LengthLies { len }));
        }
        assert!(matches!(take(&[0, 0]), Ok(None)));
    }

    proptest! {
        #[test]
        fn no_octets_panic(octets in any::<Vec<u8>>()) {
            if let Ok(Some((frame, used))) = take(&octets) {
                assert_eq!(frame.body.len() + 16, used);
            }
        }
    }
}
