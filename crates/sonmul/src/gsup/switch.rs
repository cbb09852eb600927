//! The switch's side of USSD dialogues over GSUP, without sockets: strings in, octets out; octets in, screens out.
//!
//! **For:** [`super::msc`], which has sockets and waits, and `flood` of `lab`, which has neither time nor tasks to spare.
//!
//! **Guarantees:** every dialogue has a session number of its own until it ends. What comes for a dialogue that is not open
//! is counted ([`Switch::strays`]) and shown to nobody.
//!
//! **Bounded by:** [`Switch::new`]'s ceiling of dialogues.
//!
//! **Deliberately not here:** how long a phone waits, and whose phone it is.

use std::collections::HashMap;

use wire::gsup::{Kind, ProcSs, SessionState};
use wire::imsi::Imsi;
use wire::ipa::{self, Ccm, Extension, Frame, take_frame};
use wire::ss::{Component, ErrorCode, Operation, Problem, Ussd};
use wire::text::encode;

use super::error::GsupError;

/// The number of a switch's first session, as OsmoMSC counts them.
pub const FIRST_SESSION: u32 = 0x2000_0001;
/// The invoke id of a dialled string.
const DIALLED: i8 = 1;

/// What a phone sees.
#[derive(Clone, PartialEq, Eq)]
pub enum Shown {
    /// A screen that waits for an answer.
    Asks(String),
    /// The last screen.
    Ends(String),
    /// The end, without a word.
    Nothing,
    /// An error of TS 24.080, in whose words the phone chooses.
    Error(ErrorCode),
    /// What was sent was not understood.
    Rejected(Problem),
    /// The HLR refused the message; the cause of TS 24.008.
    Failed {
        /// Why.
        cause: Option<u8>,
    },
    /// Octets that are no component, or a text in no known alphabet.
    Unreadable,
}

/// Shows lengths only: balances are nobody else's business.
impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Shown::Asks(text) => f.debug_struct("Asks").field("text_len", &text.len()).finish(),
            Shown::Ends(text) => f.debug_struct("Ends").field("text_len", &text.len()).finish(),
            Shown::Nothing => f.write_str("Nothing"),
            Shown::Error(error) => f.debug_tuple("Error").field(error).finish(),
            Shown::Rejected(problem) => f.debug_tuple("Rejected").field(problem).finish(),
            Shown::Failed { cause } => f.debug_struct("Failed").field("cause", cause).finish(),
            Shown::Unreadable => f.write_str("Unreadable"),
        }
    }
}

/// How a user puts the phone down, as an HLR may see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancel {
    /// An END without a component.
    End,
    /// An END with a return error.
    Error(ErrorCode),
}

#[derive(Debug)]
struct Open<T> {
    imsi: Imsi,
    /// The invoke id of the prompt that waits for an answer.
    prompt: Option<i8>,
    with: T,
}

/// See the module. `T` is what the caller keeps with each dialogue.
#[derive(Debug)]
pub struct Switch<T> {
    name: String,
    next: u32,
    dialogues_max: usize,
    open: HashMap<u32, Open<T>, foldhash::fast::RandomState>,
    registered: bool,
    strays: u64,
}

impl<T> Switch<T> {
    /// A switch without dialogues, of that name (`MSC-…`), whose first session has that number.
    pub fn new(name: &str, first_session: u32, dialogues_max: usize) -> Self {
        Self {
            name: String::from(name),
            next: first_session,
            dialogues_max,
            open: HashMap::default(),
            registered: false,
            strays: 0,
        }
    }

    /// Dialogues under way.
    pub fn open_len(&self) -> usize {
        self.open.len()
    }

    /// Whether the HLR has asked who we are and was told.
    pub fn is_registered(&self) -> bool {
        self.registered
    }

    /// Messages for dialogues that were not open.
    pub fn strays(&self) -> u64 {
        self.strays
    }

    /// Begins a dialogue: the session's number, and its frame at the end of `out`.
    ///
    /// # Errors
    /// [`GsupError::Full`], [`GsupError::TooLong`].
    pub fn dial(&mut self, imsi: Imsi, string: &str, with: T, out: &mut Vec<u8>) -> Result<u32, GsupError> {
        if self.dialogues_max <= self.open.len() {
            return Err(GsupError::Full { most: self.dialogues_max });
        }
        let mut session = self.next;
        while self.open.contains_key(&session) {
            session = session.wrapping_add(1);
        }
        let text = encode(string);
        let ussd = Ussd::of(&text);
        let operation = Operation::ProcessUnstructuredSsRequest;
        let component = Component::Invoke { invoke_id: DIALLED, operation, ussd };
        push(out, imsi, session, SessionState::Begin, Some(component))?;
        self.next = session.wrapping_add(1);
        self.open.insert(session, Open { imsi, prompt: None, with });
        Ok(session)
    }

    /// Answers the prompt that waits.
    ///
    /// # Errors
    /// [`GsupError::NotAsked`], [`GsupError::TooLong`].
    pub fn answer(&mut self, session: u32, text: &str, out: &mut Vec<u8>) -> Result<(), GsupError> {
        let open = self.open.get_mut(&session).ok_or(GsupError::NotAsked)?;
        let invoke_id = open.prompt.ok_or(GsupError::NotAsked)?;
        let text = encode(text);
        let outcome = Some((Operation::UnstructuredSsRequest, Some(Ussd::of(&text))));
        let component = Component::ReturnResult { invoke_id, outcome };
        push(out, open.imsi, session, SessionState::Continue, Some(component))?;
        open.prompt = None;
        Ok(())
    }

    /// Puts the phone down: the dialogue is closed here whatever the peer says.
    ///
    /// # Errors
    /// [`GsupError::NotAsked`] when it was over before.
    pub fn cancel(&mut self, session: u32, how: Cancel, out: &mut Vec<u8>) -> Result<(), GsupError> {
        let open = self.open.remove(&session).ok_or(GsupError::NotAsked)?;
        let component = match how {
            Cancel::End => None,
            Cancel::Error(error) => Some(Component::ReturnError { invoke_id: open.prompt.unwrap_or(DIALLED), error }),
        };
        push(out, open.imsi, session, SessionState::End, component)
    }

    /// Forgets a dialogue without a word to the peer, as a phone out of reach does. What it kept, if it was open.
    pub fn forget(&mut self, session: u32) -> Option<T> {
        self.open.remove(&session).map(|open| open.with)
    }

    /// Forgets all dialogues: the connection has ended.
    pub fn forget_all(&mut self) {
        self.open.clear();
    }

    /// Takes whole frames off the front of `input` and says how many octets they were. `each` gets what phones see;
    /// answers that the connection itself asks for are put at the end of `out`.
    ///
    /// # Errors
    /// [`GsupError::Frame`], [`GsupError::Name`].
    pub fn take<F>(&mut self, input: &[u8], out: &mut Vec<u8>, mut each: F) -> Result<usize, GsupError>
    where
        F: FnMut(u32, &mut T, Shown),
    {
        let mut rest = input;
        while let Some((frame, after)) = take_frame(rest)? {
            rest = after;
            self.frame(frame, out, &mut each)?;
        }
        Ok(input.len() - rest.len())
    }

    fn frame<F>(&mut self, frame: Frame<'_>, out: &mut Vec<u8>, each: &mut F) -> Result<(), GsupError>
    where
        F: FnMut(u32, &mut T, Shown),
    {
        if frame.protocol == ipa::PROTOCOL_CCM {
            match Ccm::parse(frame.payload) {
                Ok(Ccm::Ping) => out.extend_from_slice(&ipa::pong()),
                Ok(Ccm::IdGet(_)) => {
                    out.extend_from_slice(&ipa::id_response(&self.name)?);
                    self.registered = true;
                }
                Ok(Ccm::Pong | Ccm::IdResponse(_) | Ccm::IdAck) | Err(_) => {}
            }
            return Ok(());
        }
        let message = match frame.extension() {
            Some((Extension::Gsup, body)) => ProcSs::parse(body).ok(),
            Some((Extension::Ctrl, _)) | None => None,
        };
        let open = message
            .as_ref()
            .and_then(|message| self.open.get_mut(&message.session_id).filter(|open| open.imsi == message.imsi));
        let (Some(message), Some(open)) = (message, open) else {
            self.strays += 1;
            return Ok(());
        };
        let (shown, prompt) = read(&message);
        open.prompt = prompt;
        each(message.session_id, &mut open.with, shown);
        if message.session_state == SessionState::End {
            self.open.remove(&message.session_id);
        }
        Ok(())
    }
}

/// What a message shows, and the invoke id to answer with.
fn read(message: &ProcSs<'_>) -> (Shown, Option<i8>) {
    if message.kind == Kind::Error {
        return (Shown::Failed { cause: message.cause }, None);
    }
    let Some(octets) = message.ss_info else { return (Shown::Nothing, None) };
    match Component::parse(octets) {
        Ok(Component::Invoke { invoke_id, ussd, .. }) => match ussd.text() {
            Ok(text) => (Shown::Asks(text), Some(invoke_id)),
            Err(_) => (Shown::Unreadable, Some(invoke_id)),
        },
        Ok(Component::ReturnResult { outcome: Some((_, Some(ussd))), .. }) => match ussd.text() {
            Ok(text) => (Shown::Ends(text), None),
            Err(_) => (Shown::Unreadable, None),
        },
        Ok(Component::ReturnResult { .. }) => (Shown::Nothing, None),
        Ok(Component::ReturnError { error, .. }) => (Shown::Error(error), None),
        Ok(Component::Reject { problem, .. }) => (Shown::Rejected(problem), None),
        Err(_) => (Shown::Unreadable, None),
    }
}

fn push(
    out: &mut Vec<u8>,
    imsi: Imsi,
    session_id: u32,
    session_state: SessionState,
    component: Option<Component<'_>>,
) -> Result<(), GsupError> {
    let octets = component.map(|component| component.encode()).transpose().map_err(|_| GsupError::TooLong)?;
    let message = ProcSs {
        kind: Kind::Request,
        imsi,
        cause: None,
        class: None,
        session_id,
        session_state,
        ss_info: octets.as_deref(),
    };
    let body = message.encode().map_err(|_| GsupError::TooLong)?;
    out.extend_from_slice(&ipa::extension_frame(Extension::Gsup, &body)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Cancel, FIRST_SESSION, Shown, Switch};
    use crate::gsup::GsupError;
    use wire::imsi::Imsi;
    use wire::ipa::id_get;

    fn switch() -> Switch<()> {
        Switch::new("MSC-00-00-00-00-00-00", FIRST_SESSION, 2)
    }

    fn imsi() -> Imsi {
        Imsi::parse("901700000000001").expect("an IMSI")
    }

    fn hex(octets: &[u8]) -> String {
        octets.iter().map(|octet| format!("{octet:02x}")).collect()
    }

    /// A frame captured on OsmoHLR 1.5.0, for this session.
    fn prompt(session: u32) -> Vec<u8> {
        let ss = "a11102010102013c300904010f0404cdb2bb0e";
        let text = format!("002aee0522010809710000000000f13004{session:08x}3101023513{ss}");
        let pairs = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).expect("ASCII"));
        pairs.map(|pair| u8::from_str_radix(pair, 16).expect("hex")).collect()
    }

    #[test]
    fn a_dial_is_what_osmo_msc_sends() {
        let (mut switch, mut out) = (switch(), Vec::new());
        switch.dial(imsi(), "*999#", (), &mut out).expect("room");
        let expected = "002bee0520010809710000000000f13004200000013101013514a11202010102013b300a04010f0405aa5c2e3702";
        assert_eq!(hex(&out), expected);
    }

    #[test]
    fn prompts_are_answered_once() {
        let (mut switch, mut out) = (switch(), Vec::new());
        let session = switch.dial(imsi(), "*999#", (), &mut out).expect("room");
        assert!(matches!(switch.answer(session, "1", &mut out), Err(GsupError::NotAsked)));
        let mut seen = Vec::new();
        let frame = prompt(session);
        // Half a frame is left where it is.
        assert_eq!(switch.take(&frame[..20], &mut out, |_, (), _| panic!("half")).expect("half"), 0);
        let taken = switch.take(&frame, &mut out, |session, (), shown| seen.push((session, shown))).expect("whole");
        assert_eq!((taken, seen), (frame.len(), vec![(session, Shown::Asks(String::from("Menu")))]));
        switch.answer(session, "1", &mut out).expect("asked");
        assert!(matches!(switch.answer(session, "1", &mut out), Err(GsupError::NotAsked)));
        switch.cancel(session, Cancel::End, &mut out).expect("open");
        assert!(matches!(switch.cancel(session, Cancel::End, &mut out), Err(GsupError::NotAsked)));
    }

    #[test]
    fn what_comes_for_nobody_is_a_stray() {
        let (mut switch, mut out) = (switch(), Vec::new());
        switch.take(&prompt(FIRST_SESSION), &mut out, |_, (), _| panic!("for nobody")).expect("whole");
        let session = switch.dial(imsi(), "*999#", (), &mut out).expect("room");
        switch.forget(session).expect("open");
        switch.take(&prompt(session), &mut out, |_, (), _| panic!("forgotten")).expect("whole");
        let other = Imsi::parse("901700000000002").expect("an IMSI");
        let session = switch.dial(other, "*999#", (), &mut out).expect("room");
        switch.take(&prompt(session), &mut out, |_, (), _| panic!("another's")).expect("whole");
        assert_eq!((switch.strays(), switch.open_len()), (3, 1));
    }

    #[test]
    fn the_table_and_the_string_have_ends() {
        let (mut switch, mut out) = (switch(), Vec::new());
        assert!(matches!(switch.dial(imsi(), &"9".repeat(300), (), &mut out), Err(GsupError::TooLong)));
        assert!(out.is_empty(), "nothing was sent");
        for _ in 0..2 {
            switch.dial(imsi(), "*999#", (), &mut out).expect("room");
        }
        assert!(matches!(switch.dial(imsi(), "*999#", (), &mut out), Err(GsupError::Full { most: 2 })));
        switch.forget_all();
        switch.dial(imsi(), "*999#", (), &mut out).expect("room again");
    }

    #[test]
    fn who_asks_is_told() {
        let (mut switch, mut out) = (switch(), Vec::new());
        switch.take(&id_get([8, 7, 2, 3, 4, 5, 1, 0]), &mut out, |_, (), _| {}).expect("whole");
        assert!(switch.is_registered() && hex(&out).contains("4d53432d30302d")); // "MSC-00-"
        assert!(matches!(switch.take(&[0xFF, 0xFF, 0xEE], &mut out, |_, (), _| {}), Err(GsupError::Frame(_))));
    }

    #[test]
    fn debug_hides_the_screen() {
        let shown = Shown::Ends(String::from("482913"));
        assert_eq!(format!("{shown:?}"), "Ends { text_len: 6 }");
    }
}
