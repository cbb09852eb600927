//! A world to decide in: a state, the live keys, and the octets of every entry since zero.

use crate::apply::Misfit;
use crate::command::{Body, Caller, Dialled};
use crate::decide::decide;
use crate::ids::{LinkId, OperatorId};
use crate::number::{CardNumber, Msisdn};
use crate::password::{Password, PasswordTag, Proof, TagKeys};
use crate::rules::Rules;
use crate::state::{Standing, State};
use crate::time::Timestamp;
use crate::verdict::{Entry, Outcome, Verdict};

use super::asks::{bind, import, issue, load, phones};
use super::{PASSWORD, caller, card_number, phone, program_id, tag_key};

/// An entry as a journal keeps it.
#[derive(Clone, Debug)]
pub struct Kept {
    /// When it was decided.
    pub at: Timestamp,
    /// As CBOR.
    pub bytes: Vec<u8>,
}

impl Kept {
    /// The entry that the octets are.
    ///
    /// # Panics
    /// When they are none.
    pub fn entry(&self) -> Entry {
        minicbor::decode(&self.bytes).expect("an entry")
    }
}

/// See the module.
pub struct World {
    /// After the latest entry.
    pub state: State,
    /// When the next one is decided.
    pub at: Timestamp,
    /// Every entry, in order.
    pub journal: Vec<Kept>,
    /// The live keys.
    pub keys: TagKeys,
    key: u8,
}

impl World {
    /// Nothing, at an instant.
    pub fn new(at: Timestamp) -> Self {
        Self { state: State::default(), at, journal: Vec::new(), keys: super::keys(), key: 1 }
    }

    /// One operator with phones 1 to `last`, who each have the card of their number with so much on it.
    pub fn peopled(at: Timestamp, rules: Rules, last: u64, value_minor: i64) -> Self {
        let mut world = Self::new(at);
        world.done(&load(rules));
        world.done(&import(phones(last)));
        world.done(&issue(&world.keys, (1..=last).map(card_number), PASSWORD, value_minor));
        for n in 1..=last {
            world.done(&bind(&world.keys, caller(phone(n)), card_number(n), PASSWORD));
        }
        world
    }

    /// Decides, writes, reads and folds: what a journal keeps is what is tested.
    ///
    /// # Panics
    /// When deciding twice gives two answers, reading loses something, or the entry does not follow.
    pub fn act(&mut self, body: &Body) -> Verdict {
        let verdict = self.decided(body);
        let seq = self.state.seq().next();
        let entry = Entry { id: program_id(self.at, seq.0), body: body.clone(), verdict };
        let bytes = minicbor::to_vec(&entry).expect("octets");
        let read: Entry = minicbor::decode(&bytes).expect("what was written can be read");
        assert_eq!(minicbor::to_vec(&read).expect("octets"), bytes, "reading loses nothing");
        self.state.apply(seq, self.at, &read.verdict.effects).unwrap_or_else(|misfit| panic!("{misfit}: {entry:?}"));
        self.journal.push(Kept { at: self.at, bytes });
        read.verdict
    }

    /// The same, for what must be done.
    ///
    /// # Panics
    /// When it is refused.
    pub fn done(&mut self, body: &Body) -> Verdict {
        let verdict = self.act(body);
        assert!(matches!(verdict.outcome, Outcome::Done(_)), "{}: {:?}", body.name(), verdict.outcome);
        verdict
    }

    /// Decides twice: the same arguments give the same answer.
    fn decided(&self, body: &Body) -> Verdict {
        let verdict = decide(&self.state, body, self.at);
        let again = decide(&self.state, body, self.at);
        assert_eq!(minicbor::to_vec(&verdict).expect("octets"), minicbor::to_vec(again).expect("octets"));
        verdict
    }

    /// Makes a newer key the current one; the one before stays live.
    pub fn rotate_keys(&mut self) {
        self.key += 1;
        self.keys = TagKeys::new(tag_key(self.key), Some(tag_key(self.key - 1)));
    }

    /// Takes the older key away.
    pub fn retire_older_key(&mut self) {
        self.keys = TagKeys::new(tag_key(self.key), None);
    }

    /// Whose number it is, by ranges; the first operator's when it is nobody's.
    pub fn operator_of(&self, msisdn: Msisdn) -> OperatorId {
        let owns = |rules: &Rules| rules.numbers.is_own(msisdn);
        self.state.operators().find(|(_, operator)| owns(&operator.rules)).map(|(id, _)| id).unwrap_or_default()
    }

    /// A caller over a link, at the number's own operator.
    pub fn caller(&self, msisdn: Msisdn, link: u16) -> Caller {
        Caller { operator: self.operator_of(msisdn), link: LinkId(link), msisdn, imsi: None }
    }

    /// What an edge makes of typed digits: a tag per live key for the number's current owner, or malformed.
    pub fn proof(&self, caller: &Caller, digits: &str) -> Proof {
        let Ok(password) = Password::parse(digits) else { return Proof::Malformed };
        let generation = self.generation(caller.msisdn);
        self.keys.proof(|key| key.holder(caller.operator, caller.msisdn, generation, &password))
    }

    /// The tag of a new password; `None` for what can't be one.
    pub fn holder_tag(&self, caller: &Caller, digits: &str) -> Option<PasswordTag> {
        let password = Password::parse(digits).ok()?;
        let generation = self.generation(caller.msisdn);
        Some(self.keys.current().holder(caller.operator, caller.msisdn, generation, &password))
    }

    /// The proof of a printed password.
    pub fn card_proof(&self, operator: OperatorId, number: Dialled<CardNumber>, digits: &str) -> Proof {
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
    ///
    /// # Errors
    /// When one does not follow.
    ///
    /// # Panics
    /// When there are not as many.
    pub fn folded(&self, entries: usize) -> Result<State, Misfit> {
        let mut state = State::default();
        for kept in &self.journal[..entries] {
            state.apply(state.seq().next(), kept.at, &kept.entry().verdict.effects)?;
        }
        Ok(state)
    }

    /// Changes the latest entry as a bug would, and folds all of them again.
    ///
    /// # Panics
    /// When there is none, or one does not follow any more.
    pub fn spoil(&mut self, how: impl FnOnce(&mut Entry)) {
        let latest = self.journal.last_mut().expect("an entry");
        let mut entry = latest.entry();
        how(&mut entry);
        latest.bytes = minicbor::to_vec(&entry).expect("octets");
        self.state = self.folded(self.journal.len()).expect("entries that follow");
    }
}
