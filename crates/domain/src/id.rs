//! The id of a command: what makes asking twice the same as asking once.
//!
//! An id is 128 bits. Programs send UUIDv7 (RFC 9562); Sonmul's own ids (a USSD prompt, a timer) are UUIDv8 with a kind.
//! Neither is ever made from a dialled string.
//!
//! Deliberately not here: remembering ids (the engine does, in generations).

use core::fmt;

use minicbor::bytes::{DecodeBytes, EncodeBytes};
use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};

use crate::ids::LinkId;
use crate::receipt::Seq;
use crate::time::Timestamp;

/// What a command is called. Compared whole; safe to log.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(u128);

/// Who makes ids of which sort, and so how long they are remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdKind {
    /// UUIDv7 from a program, made at this instant by its own clock. Remembered 24 h; older ones are refused.
    Program {
        /// The instant in the id.
        made_at: Timestamp,
    },
    /// One prompt of one USSD session. Remembered 10 minutes; then the same numbers are a new session.
    Ussd,
    /// Sonmul's own timers and jobs. Remembered as long as a program's.
    Internal,
}

/// The 128 bits are neither UUIDv7 nor one of Sonmul's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a command id is a UUIDv7")]
pub struct CommandIdError;

/// What makes one USSD prompt that prompt: link, caller's number or IMSI, the switch's session, the prompt's number,
/// and a counter that the edge raises when a switch reuses session numbers for other content.
#[derive(Clone, Copy, Debug)]
pub struct UssdPrompt<'a> {
    /// The link it came over.
    pub link: LinkId,
    /// IMSI or MSISDN as an integer: whichever the link sends.
    pub caller: u64,
    /// The session as the peer names it.
    pub session: &'a [u8],
    /// Raised for a BEGIN with remembered numbers and other content.
    pub reuse: u32,
    /// Prompts of this session, counted from 0. Over a link whose requests have all inputs so far: how many inputs.
    pub prompt: u32,
}

/// What makes a timer's command that command: the thing, the instant at which it is due, and the verdict before.
#[derive(Clone, Copy, Debug)]
pub struct TimerCause {
    /// What sort of thing.
    pub kind: u8,
    /// Which: a row, or the entry that made it.
    pub thing: u64,
    /// When it is due: a thing that was extended is due at another instant, and has another timer.
    pub due: Timestamp,
    /// The latest verdict that did not end it: a thing that was refused is asked for anew. 0: none yet.
    pub after: Seq,
}

const VERSION_SHIFT: u32 = 76;
const VARIANT_SHIFT: u32 = 62;
const KIND_USSD: u128 = 0;
const KIND_INTERNAL: u128 = 1;

impl CommandId {
    /// A program's id.
    ///
    /// # Errors
    /// When the bits are no UUIDv7.
    pub const fn from_uuid(bits: u128) -> Result<Self, CommandIdError> {
        let version = (bits >> VERSION_SHIFT) & 0xF;
        let variant = (bits >> VARIANT_SHIFT) & 0b11;
        if version == 7 && variant == 0b10 { Ok(Self(bits)) } else { Err(CommandIdError) }
    }

    /// The id of a prompt: a hash of what makes it that prompt, so that any session name fits.
    pub fn ussd(prompt: &UssdPrompt<'_>) -> Self {
        let mut hash = Sha256::new();
        hash.update(prompt.link.0.to_be_bytes());
        hash.update(prompt.caller.to_be_bytes());
        hash.update(prompt.reuse.to_be_bytes());
        hash.update(prompt.prompt.to_be_bytes());
        hash.update(prompt.session);
        Self::own(KIND_USSD, cut(hash))
    }

    /// The id of a timer's command: a hash of what makes it that command, so that two instants of one thing never share one.
    pub fn timer(cause: &TimerCause) -> Self {
        let mut hash = Sha256::new();
        hash.update([cause.kind]);
        hash.update(cause.thing.to_be_bytes());
        hash.update(cause.due.ms().to_be_bytes());
        hash.update(cause.after.0.to_be_bytes());
        Self::own(KIND_INTERNAL, cut(hash))
    }

    /// The id of a job's command: its kind and the seq that caused it (or the row it is about).
    pub const fn internal(kind: u8, cause: u64) -> Self {
        Self::own(KIND_INTERNAL, ((kind as u128) << 80) | cause as u128 & 0x3FFF_FFFF_FFFF_FFFF)
    }

    const fn own(kind: u128, bits: u128) -> Self {
        // Version 8 and the variant where RFC 9562 puts them; the kind in the four bits after the version.
        let free = !((0xFF << (VERSION_SHIFT - 4)) | (0b11 << VARIANT_SHIFT));
        Self((bits & free) | (8 << VERSION_SHIFT) | (kind << (VERSION_SHIFT - 4)) | (0b10 << VARIANT_SHIFT))
    }

    /// The 128 bits.
    pub const fn bits(self) -> u128 {
        self.0
    }

    /// Bits as stored: checked when the id was made.
    pub const fn from_stored(bits: u128) -> Self {
        Self(bits)
    }

    /// Who made it.
    pub const fn kind(self) -> IdKind {
        let version = (self.0 >> VERSION_SHIFT) & 0xF;
        let kind = (self.0 >> (VERSION_SHIFT - 4)) & 0xF;
        if version == 7 {
            let ms = (self.0 >> 80) as i64;
            IdKind::Program { made_at: Timestamp::from_ms(ms) }
        } else if kind == KIND_USSD {
            IdKind::Ussd
        } else {
            IdKind::Internal
        }
    }
}

/// The first half of a hash.
fn cut(hash: Sha256) -> u128 {
    let digest: [u8; 32] = hash.finalize().into();
    let mut bits = [0; 16];
    bits.copy_from_slice(digest.split_at(16).0);
    u128::from_be_bytes(bits)
}

/// The usual form of a UUID.
impl fmt::Display for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self.0;
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            bits >> 96,
            (bits >> 80) & 0xFFFF,
            (bits >> 64) & 0xFFFF,
            (bits >> 48) & 0xFFFF,
            bits & 0xFFFF_FFFF_FFFF
        )
    }
}

impl fmt::Debug for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<C> Encode<C> for CommandId {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        self.0.to_be_bytes().encode_bytes(e, ctx)
    }
}

impl<'b, C> Decode<'b, C> for CommandId {
    fn decode(d: &mut minicbor::Decoder<'b>, ctx: &mut C) -> Result<Self, minicbor::decode::Error> {
        <[u8; 16]>::decode_bytes(d, ctx).map(|bytes| Self(u128::from_be_bytes(bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::{CommandId, IdKind, TimerCause, UssdPrompt};
    use crate::ids::LinkId;
    use crate::receipt::Seq;
    use crate::time::Timestamp;

    #[test]
    fn kinds_can_be_told_apart() {
        let program = CommandId::from_uuid(0x0192_aab4_6f80_7c3e_8a4b_0123_4567_89ab).expect("a UUIDv7");
        assert!(matches!(program.kind(), IdKind::Program { made_at } if made_at.ms() == 0x0192_aab4_6f80));
        assert_eq!(program.to_string(), "0192aab4-6f80-7c3e-8a4b-0123456789ab");
        assert_eq!(CommandId::internal(3, u64::MAX).kind(), IdKind::Internal);
        assert_ne!(CommandId::internal(3, 7), CommandId::internal(4, 7));
        assert!(CommandId::from_uuid(CommandId::internal(1, 1).bits()).is_err(), "a program can't pose as a timer");
    }

    #[test]
    fn every_version_of_a_thing_has_a_timer_of_its_own() {
        let base = TimerCause { kind: 22, thing: 7, due: Timestamp::from_ms(1_800_000_000_001), after: Seq::ZERO };
        let id = CommandId::timer(&base);
        assert_eq!((id.kind(), CommandId::timer(&base)), (IdKind::Internal, id), "twice, or after a restart");
        let others = [
            TimerCause { kind: 21, ..base },
            TimerCause { thing: 8, ..base },
            TimerCause { due: Timestamp::from_ms(1_800_000_000_002), ..base },
            TimerCause { after: Seq(9), ..base },
        ];
        assert!(others.iter().all(|other| CommandId::timer(other) != id));
    }

    #[test]
    fn every_prompt_of_a_session_has_an_id_of_its_own() {
        let base = UssdPrompt { link: LinkId(1), caller: 8_501_911_000_001, session: b"s1", reuse: 0, prompt: 0 };
        let id = CommandId::ussd(&base);
        assert_eq!(id.kind(), IdKind::Ussd);
        assert_eq!(id, CommandId::ussd(&base));
        let others = [
            UssdPrompt { link: LinkId(2), ..base },
            UssdPrompt { caller: 8_501_911_000_002, ..base },
            UssdPrompt { session: b"s2", ..base },
            UssdPrompt { reuse: 1, ..base },
            UssdPrompt { prompt: 1, ..base },
        ];
        assert!(others.iter().all(|other| CommandId::ussd(other) != id));
    }
}
