//! The IPA multiplex of Osmocom's network elements: frames, and the connection management (CCM) that registers us.
//!
//! **For:** the GSUP edge, which is a TCP client of OsmoHLR, and its look-ups over [`crate::ctrl`].
//!
//! **Guarantees:** [`take_frame`] and [`Ccm::parse`] are total and borrow. What the builders here return is a whole
//! frame, ready to be written.
//!
//! **Bounded by:** [`FRAME_LEN_MAX`] (64 KiB could be announced; nothing of ours comes near 4), [`ID_ITEMS_MAX`].
//!
//! **Not here:** sockets, reconnecting, and when to answer what.
//!
//! Source: libosmocore's `ipaccess.h` and OsmoHLR 1.5.0, run and captured.

use std::fmt;

/// Frames with a longer payload than this are an attack or a bug; the peer is disconnected. Octets after the three of
/// the head.
pub const FRAME_LEN_MAX: usize = 4096;
/// The most items of one identity message that are read; OsmoHLR asks for eight.
pub const ID_ITEMS_MAX: usize = 16;
/// The longest name that we register under, in octets.
pub const NAME_LEN_MAX: usize = 64;

/// Protocol number of connection management.
pub const PROTOCOL_CCM: u8 = 0xFE;
/// Protocol number of Osmocom's extensions; the payload begins with an [`Extension`].
pub const PROTOCOL_OSMO: u8 = 0xEE;

/// Identity tag of the name that OsmoHLR routes by (`EUSE-…`).
pub const ID_TAG_NAME: u8 = 0x00;
/// Identity tag of the unit number.
pub const ID_TAG_UNIT: u8 = 0x08;

/// Our unit number. OsmoHLR wants one; this is the one that was seen to register.
const UNIT: &str = "0/0/0";

const PING: u8 = 0x00;
const PONG: u8 = 0x01;
const ID_GET: u8 = 0x04;
const ID_RESP: u8 = 0x05;
const ID_ACK: u8 = 0x06;

/// The first payload octet under [`PROTOCOL_OSMO`]. Others exist and concern nobody here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extension {
    /// The control interface, see [`crate::ctrl`].
    Ctrl,
    /// The HLR protocol, see [`crate::gsup`].
    Gsup,
}

impl Extension {
    /// The octet on the wire.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Extension::Ctrl => 0x00,
            Extension::Gsup => 0x05,
        }
    }

    fn from_code(code: u8) -> Option<Extension> {
        [Extension::Ctrl, Extension::Gsup].into_iter().find(|extension| extension.code() == code)
    }
}

/// One frame: `length u16 | protocol u8 | payload`. The length counts the payload only.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// [`PROTOCOL_CCM`], [`PROTOCOL_OSMO`], or one that nobody here reads.
    pub protocol: u8,
    /// At most [`FRAME_LEN_MAX`] octets.
    pub payload: &'a [u8],
}

impl<'a> Frame<'a> {
    /// What the frame carries under [`PROTOCOL_OSMO`]; `None` for another protocol, an unknown extension or no payload.
    #[must_use]
    pub fn extension(&self) -> Option<(Extension, &'a [u8])> {
        let (&code, body) = self.payload.split_first().filter(|_| self.protocol == PROTOCOL_OSMO)?;
        Some((Extension::from_code(code)?, body))
    }
}

/// Shows protocol and length only: the payload may hold a dialled string.
impl fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame").field("protocol", &self.protocol).field("payload_len", &self.payload.len()).finish()
    }
}

/// Why a frame can't be taken or built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// More than [`FRAME_LEN_MAX`] octets of payload.
    #[error("a frame of {len} octets is longer than any that belongs here")]
    TooLong {
        /// Octets announced or to be sent.
        len: usize,
    },
}

/// Takes one frame off the front of `input`. `Ok(None)` means "read more"; otherwise the frame and what follows it.
///
/// # Errors
/// [`FrameError::TooLong`], as soon as the head is there.
pub fn take_frame(input: &[u8]) -> Result<Option<(Frame<'_>, &[u8])>, FrameError> {
    let Some((&[high, low, protocol], rest)) = input.split_first_chunk::<3>() else {
        return Ok(None);
    };
    let len = usize::from(u16::from_be_bytes([high, low]));
    if FRAME_LEN_MAX < len {
        return Err(FrameError::TooLong { len });
    }
    Ok(rest.split_at_checked(len).map(|(payload, rest)| (Frame { protocol, payload }, rest)))
}

/// Builds a frame of the parts of a payload, one after the other.
fn build_frame(protocol: u8, parts: &[&[u8]]) -> Result<Vec<u8>, FrameError> {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    let announced = u16::try_from(len).ok().filter(|_| len <= FRAME_LEN_MAX).ok_or(FrameError::TooLong { len })?;
    let mut frame = Vec::with_capacity(3 + len);
    frame.extend_from_slice(&announced.to_be_bytes());
    frame.push(protocol);
    for part in parts {
        frame.extend_from_slice(part);
    }
    Ok(frame)
}

/// Builds a frame of any protocol.
///
/// # Errors
/// [`FrameError::TooLong`].
pub fn frame(protocol: u8, payload: &[u8]) -> Result<Vec<u8>, FrameError> {
    build_frame(protocol, &[payload])
}

/// Builds a frame of one of Osmocom's extensions.
///
/// # Errors
/// [`FrameError::TooLong`]; the extension's octet counts.
pub fn extension_frame(extension: Extension, body: &[u8]) -> Result<Vec<u8>, FrameError> {
    build_frame(PROTOCOL_OSMO, &[&[extension.code()], body])
}

/// The frame that asks whether the peer is there.
#[must_use]
pub fn ping() -> [u8; 4] {
    [0, 1, PROTOCOL_CCM, PING]
}

/// The frame that answers [`ping`].
#[must_use]
pub fn pong() -> [u8; 4] {
    [0, 1, PROTOCOL_CCM, PONG]
}

/// The frame that acknowledges an identity. OsmoHLR never sends one.
#[must_use]
pub fn id_ack() -> [u8; 4] {
    [0, 1, PROTOCOL_CCM, ID_ACK]
}

/// Why an identity can't be built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Empty or longer than [`NAME_LEN_MAX`] octets.
    #[error("a name has 1 to {NAME_LEN_MAX} octets")]
    Length,
    /// Something other than printable ASCII without blanks: a NUL would end the name early.
    #[error("a name is printable ASCII without blanks")]
    NotPrintable,
}

/// The frame that asks a peer who it is (what an HLR sends).
#[must_use]
pub fn id_get(tags: [u8; 8]) -> [u8; 20] {
    let mut frame = [0; 20];
    frame[..4].copy_from_slice(&[0, 17, PROTOCOL_CCM, ID_GET]);
    for (item, tag) in frame[4..].chunks_exact_mut(2).zip(tags) {
        item.copy_from_slice(&[1, tag]);
    }
    frame
}

/// The frame that says who we are: [`ID_TAG_UNIT`] and [`ID_TAG_NAME`], both ended by NUL.
///
/// Observed on OsmoHLR 1.5.0: without either item it closes the connection; without the NUL it registers the name but
/// never routes to it. `name` is the whole name, `EUSE-airtime` for hlr.cfg's `euse airtime`.
///
/// # Errors
/// [`NameError`]'s variants, in their order.
pub fn id_response(name: &str) -> Result<Vec<u8>, NameError> {
    if name.is_empty() || NAME_LEN_MAX < name.len() {
        return Err(NameError::Length);
    }
    if !name.bytes().all(|octet| octet.is_ascii_graphic()) {
        return Err(NameError::NotPrintable);
    }
    let mut payload = vec![ID_RESP];
    for (tag, value) in [(ID_TAG_UNIT, UNIT), (ID_TAG_NAME, name)] {
        // The length counts the tag, the value and its NUL.
        let len = u16::try_from(value.len() + 2).map_err(|_| NameError::Length)?;
        payload.extend_from_slice(&len.to_be_bytes());
        payload.push(tag);
        payload.extend_from_slice(value.as_bytes());
        payload.push(0);
    }
    frame(PROTOCOL_CCM, &payload).map_err(|_| NameError::Length)
}

/// Why a connection management message can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CcmError {
    /// No octet at all.
    #[error("an empty connection management message")]
    Empty,
    /// A type that is not among [`Ccm`]'s.
    #[error("connection management message {code:#04x} is not known here")]
    UnknownType {
        /// The type's octet.
        code: u8,
    },
    /// An item without a tag, or longer than what follows.
    #[error("a broken item in an identity message")]
    BrokenItem,
    /// More than [`ID_ITEMS_MAX`] items.
    #[error("too many items in an identity message")]
    TooManyItems,
}

/// A connection management message: the payload of a frame of [`PROTOCOL_CCM`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ccm<'a> {
    /// Are you there?
    Ping,
    /// Yes.
    Pong,
    /// Who are you?
    IdGet(IdGet<'a>),
    /// This is me.
    IdResponse(IdResponse<'a>),
    /// Understood.
    IdAck,
}

/// The items of an identity request, checked: `length u8 | tag | …` each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdGet<'a>(&'a [u8]);

impl<'a> IdGet<'a> {
    /// The tags asked for, in their order.
    pub fn tags(self) -> impl Iterator<Item = u8> + use<'a> {
        items(self.0, take_short_item).map_while(|item| Some(item.ok()?.tag))
    }
}

/// The items of an identity response, checked: `length u16 | tag | value` each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdResponse<'a>(&'a [u8]);

impl<'a> IdResponse<'a> {
    /// The items, in their order.
    pub fn items(self) -> impl Iterator<Item = IdItem<'a>> + use<'a> {
        items(self.0, take_long_item).map_while(Result::ok)
    }
}

/// One item of an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdItem<'a> {
    /// What it is, [`ID_TAG_NAME`] for instance.
    pub tag: u8,
    /// What it says, up to and without the NUL that ends it.
    pub value: &'a [u8],
}

type Taken<'a> = Result<(IdItem<'a>, &'a [u8]), CcmError>;

fn take_short_item(input: &[u8]) -> Taken<'_> {
    let (&len, rest) = input.split_first().ok_or(CcmError::BrokenItem)?;
    cut_item(rest, usize::from(len))
}

fn take_long_item(input: &[u8]) -> Taken<'_> {
    let (&len, rest) = input.split_first_chunk::<2>().ok_or(CcmError::BrokenItem)?;
    cut_item(rest, usize::from(u16::from_be_bytes(len)))
}

fn cut_item(input: &[u8], len: usize) -> Taken<'_> {
    let (item, rest) = input.split_at_checked(len).ok_or(CcmError::BrokenItem)?;
    let (&tag, value) = item.split_first().ok_or(CcmError::BrokenItem)?;
    let value = value.split(|&octet| octet == 0).next().unwrap_or_default();
    Ok((IdItem { tag, value }, rest))
}

/// Walks items until the input or the patience ends.
fn items<'a>(
    mut input: &'a [u8],
    take: fn(&'a [u8]) -> Taken<'a>,
) -> impl Iterator<Item = Result<IdItem<'a>, CcmError>> {
    let mut left = ID_ITEMS_MAX;
    std::iter::from_fn(move || {
        if input.is_empty() {
            return None;
        }
        if left == 0 {
            input = &[];
            return Some(Err(CcmError::TooManyItems));
        }
        left -= 1;
        let taken = take(input);
        input = taken.as_ref().map_or(&[], |(_, rest)| rest);
        Some(taken.map(|(item, _)| item))
    })
}

impl<'a> Ccm<'a> {
    /// Reads the payload of a frame of [`PROTOCOL_CCM`]. What follows a PING, PONG or ID_ACK is ignored.
    ///
    /// # Errors
    /// [`CcmError`]'s variants.
    pub fn parse(payload: &'a [u8]) -> Result<Ccm<'a>, CcmError> {
        let (&code, rest) = payload.split_first().ok_or(CcmError::Empty)?;
        match code {
            PING => Ok(Ccm::Ping),
            PONG => Ok(Ccm::Pong),
            ID_GET => {
                items(rest, take_short_item).try_for_each(|item| item.map(drop))?;
                Ok(Ccm::IdGet(IdGet(rest)))
            }
            ID_RESP => {
                items(rest, take_long_item).try_for_each(|item| item.map(drop))?;
                Ok(Ccm::IdResponse(IdResponse(rest)))
            }
            ID_ACK => Ok(Ccm::IdAck),
            code => Err(CcmError::UnknownType { code }),
        }
    }
}

#[cfg(test)]
mod tests;
