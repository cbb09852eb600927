//! A world to decide in: a state, the live keys, and the octets of every entry since zero.

use zeroize::Zeroizing;

use crate::apply::Misfit;
use crate::command::{Body, Caller, Dialled};
use crate::decide::decide;
use crate::id::CommandId;
use crate::ids::{LinkId, OperatorId, Staff};
use crate::number::{CardNumber, Msisdn};
use crate::office::done::OfficeDone;
use crate::office::motion::MotionCommand;
use crate::office::{Asked, Office};
use crate::password::{KeyId, Password, PasswordTag, Proof, TagKey, TagKeys};
use crate::receipt::Seq;
use crate::state::{Standing, State};
use crate::time::Timestamp;
use crate::verdict::{Done, Entry, Outcome, Verdict};

/// An entry as a journal keeps it.
pub(super) struct Kept {
    pub(super) at: Timestamp,
    pub(super) bytes: Vec<u8>,
}

impl Kept {
    pub(super) fn entry(&self) -> Entry {
        minicbor::decode(&self.bytes).expect("an entry")
    }
}

/// See the module.
pub(super) struct World {
    pub(super) state: State,
    pub(super) at: Timestamp,
    pub(super) journal: Vec<Kept>,
    pub(super) keys: TagKeys,
    key: u8,
}

impl World {
    pub(super) fn new(at: Timestamp) -> Self {
        Self { state: State::default(), at, journal: Vec::new(), keys: TagKeys::new(tag_key(1), None), key: 1 }
    }

    /// Decides, writes, reads and folds.
    pub(super) fn act(&mut self, body: &Body) -> Verdict {
        let verdict = self.decided(body);
        let seq = self.state.seq().next();
        let entry = Entry { id: uuid(self.at, seq), body: body.clone(), verdict };
        let bytes = minicbor::to_vec(&entry).expect("octets");
        let read: Entry = minicbor::decode(&bytes).expect("what was written can be read");
        assert_eq!(minicbor::to_vec(&read).expect("octets"), bytes, "reading loses nothing");
        self.state.apply(seq, self.at, &read.verdict.effects).unwrap_or_else(|misfit| panic!("{misfit}: {entry:?}"));
        self.journal.push(Kept { at: self.at, bytes });
        read.verdict
    }

    /// Decides twice: the same arguments give the same answer.
    fn decided(&self, body: &Body) -> Verdict {
        let verdict = decide(&self.state, body, self.at);
        let again = decide(&self.state, body, self.at);
        assert_eq!(minicbor::to_vec(&verdict).expect("octets"), minicbor::to_vec(again).expect("octets"));
        verdict
    }

    /// Makes a newer key the current one; the one before stays live.
    pub(super) fn rotate_keys(&mut self) {
        self.key += 1;
        self.keys = TagKeys::new(tag_key(self.key), Some(tag_key(self.key - 1)));
    }

    /// Takes the older key away.
    pub(super) fn retire_older_key(&mut self) {
        self.keys = TagKeys::new(tag_key(self.key), None);
    }

    /// Whose number it is, by ranges; the first operator's when it is nobody's.
    pub(super) fn operator_of(&self, msisdn: Msisdn) -> OperatorId {
        let owns = |rules: &crate::rules::Rules| rules.numbers.is_own(msisdn);
        self.state.operators().find(|(_, operator)| owns(&operator.rules)).map(|(id, _)| id).unwrap_or_default()
    }

    /// A caller over a link, at the number's own operator.
    pub(super) fn caller(&self, msisdn: Msisdn, link: u16) -> Caller {
        Caller { operator: self.operator_of(msisdn), link: LinkId(link), msisdn, imsi: None }
    }

    /// What an edge makes of typed digits: a tag per live key for the number's current owner, or malformed.
    pub(super) fn proof(&self, caller: &Caller, digits: &str) -> Proof {
        let Ok(password) = Password::parse(digits) else { return Proof::Malformed };
        let generation = self.generation(caller.msisdn);
        self.keys.proof(|key| key.holder(caller.operator, caller.msisdn, generation, &password))
    }

    /// The tag of a new password.
    pub(super) fn holder_tag(&self, caller: &Caller, digits: &str) -> Option<PasswordTag> {
        let password = Password::parse(digits).ok()?;
        let generation = self.generation(caller.msisdn);
        Some(self.keys.current().holder(caller.operator, caller.msisdn, generation, &password))
    }

    /// The proof of a printed password.
    pub(super) fn card_proof(&self, operator: OperatorId, number: Dialled<CardNumber>, digits: &str) -> Proof {
        let Ok(password) = Password::parse(digits) else { return Proof::Malformed };
        let Dialled::Value(number) = number else { return Proof::Malformed };
        self.keys.proof(|key| key.card(operator, number, &password))
    }

    fn generation(&self, msisdn: Msisdn) -> u16 {
        match self.state.find_subscriber(msisdn) {
            Some((_, row)) if row.facts.standing == Standing::Released => row.facts.generation + 1,
            Some((_, row)) => row.facts.generation,
            None => 1,
        }
    }

    /// The state folded from octets, up to so many entries.
    pub(super) fn folded(&self, entries: usize) -> Result<State, Misfit> {
        let mut state = State::default();
        for kept in &self.journal[..entries] {
            state.apply(state.seq().next(), kept.at, &kept.entry().verdict.effects)?;
        }
        Ok(state)
    }
}

/// What a second person says to a proposal: yes, to the hash that was shown.
pub(super) fn seconded(verdict: &Verdict) -> Option<Body> {
    let Outcome::Done(Done::Office(done)) = &verdict.outcome else { return None };
    let OfficeDone::Proposed { motion, hash } = **done else { return None };
    let what = Asked::Motion(MotionCommand::Approve { motion, hash });
    Some(Body::Office(Box::new(Office { staff: Staff(1001), what })))
}

fn tag_key(id: u8) -> TagKey {
    TagKey::new(KeyId(id), &Zeroizing::new([id; 32]))
}

/// A `UUIDv7` of that instant.
pub(super) fn uuid(at: Timestamp, seq: Seq) -> CommandId {
    let ms = u128::try_from(at.ms()).expect("after 1970");
    CommandId::from_uuid((ms << 80) | (7 << 76) | (0b10 << 62) | u128::from(seq.0)).expect("a UUIDv7")
}

/// The `n`th card number of tests.
pub(super) fn card_number(n: u64) -> CardNumber {
    CardNumber::from_payload(400_000_000_000_000 + n).expect("15 digits")
}

/// `191…001` is 850 191 0000 001.
pub(super) fn number(short: &str) -> Option<Msisdn> {
    let (prefix, suffix) = short.split_once('…')?;
    Msisdn::parse(&format!("850{prefix}{suffix:0>7}")).ok()
}
