//! People with handsets: what they dial, what they mistype, and that they dial again when no screen comes.
//!
//! A dial is built as an edge would build it: fields that don't parse are malformed, passwords become tags under the
//! generation that the directory names.

use domain::command::{Bind, Body, Caller, ChangePassword, Dialled, Gift, NewPassword, Proved, SetLanguage, TopUp};
use domain::ids::{Language, LinkId, OperatorId};
use domain::money::Amount;
use domain::number::{CardNumber, Imsi, Msisdn};
use domain::password::{Password, Proof, TagKeys};
use domain::refusal::Refusal;
use domain::verdict::{Done, Outcome};
use engine::answer::{Answer, Directory};

use crate::dice::Dice;

/// Session numbers that a switch uses before it begins again: few, so that they come back within their horizon.
const SESSIONS: u32 = 7;
/// The links of a world: HLRs tell the SIM, a USSD gateway and an aggregator tell the number alone.
const HLR: LinkId = LinkId(1);
const GATEWAY: LinkId = LinkId(2);
const AGGREGATOR: LinkId = LinkId(3);
const FAR_HLR: LinkId = LinkId(4);
const SECOND_HLR: LinkId = LinkId(5);
/// A person who hears nothing dials again after this long.
const PATIENCE_MS: i64 = 15_000;
/// And gives up after so many dials.
const DIALS_MAX: u32 = 4;

/// A phone and the person who holds it.
#[derive(Debug)]
pub(crate) struct Phone {
    pub(crate) operator: OperatorId,
    pub(crate) msisdn: Msisdn,
    /// What they believe their passwords to be, the likeliest last.
    pub(crate) passwords: Vec<u32>,
    /// Cards bought and perhaps not bound yet.
    pub(crate) bought: Vec<(CardNumber, u32)>,
    /// The SIM in it, which some links tell.
    sim: u64,
    session: u32,
    waiting: Option<Waiting>,
    /// How often in a row a password opened nothing that could pay.
    unlucky: u32,
}

/// A dial without a screen yet.
#[derive(Debug)]
struct Waiting {
    body: Body,
    session: u32,
    since_ms: i64,
    dials: u32,
}

/// What an edge knows when something is dialled.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) now_ms: i64,
    pub(crate) numbers: &'a [(OperatorId, Msisdn)],
    pub(crate) directory: &'a Directory,
    pub(crate) keys: &'a TagKeys,
}

/// Six digits from a number.
pub(crate) fn password(digits: u32) -> Option<Password> {
    Password::parse(&format!("{:06}", digits % 1_000_000)).ok()
}

impl Phone {
    /// A phone that never dialled.
    pub(crate) const fn new(operator: OperatorId, msisdn: Msisdn) -> Self {
        let sim = msisdn.get() % 10_000_000;
        Self { operator, msisdn, passwords: Vec::new(), bought: Vec::new(), sim, session: 0, waiting: None, unlucky: 0 }
    }

    /// What is dialled now, and in which session of the switch; `None`: the person waits for a screen.
    pub(crate) fn dial(&mut self, dice: &mut Dice, view: &View<'_>) -> Option<(u32, Body)> {
        if let Some(waiting) = &mut self.waiting {
            let tired = view.now_ms - waiting.since_ms >= PATIENCE_MS;
            if !tired && !dice.often(120) {
                return None;
            }
            if waiting.dials < DIALS_MAX && dice.often(700) {
                self.session = next_session(self.session, dice);
                waiting.dials += 1;
                (waiting.session, waiting.since_ms) = (self.session, view.now_ms);
                return Some((self.session, waiting.body.clone()));
            }
        }
        let body = self.think(dice, view);
        self.session = next_session(self.session, dice);
        let (session, since_ms) = (self.session, view.now_ms);
        self.waiting = Some(Waiting { body: body.clone(), session, since_ms, dials: 1 });
        Some((session, body))
    }

    /// A holiday: several gifts to different people, dialled before the first screen comes.
    pub(crate) fn rush(&mut self, dice: &mut Dice, view: &View<'_>) -> Vec<(u32, Body)> {
        let Some(digits) = self.passwords.last().copied() else { return Vec::new() };
        let caller = Caller { operator: self.operator, link: self.home(), msisdn: self.msisdn, imsi: None };
        let proof = self.holder_proof(view, digits);
        let mut dials = Vec::new();
        for _ in 0..dice.between(2, 4) {
            let mut gift = self.gift(dice, view, caller, proof);
            gift.amount = Amount::try_new(dice.between(1, 20) * 5).into();
            self.session = next_session(self.session, dice);
            dials.push((self.session, Body::Gift(gift)));
        }
        dials
    }

    /// A screen comes for a session. One that says "busy" or "not known" is worth another dial.
    pub(crate) fn screen(&mut self, session: u32, answer: &Answer) {
        let told = !matches!(answer, Answer::Busy | Answer::Closed(_) | Answer::Unknown);
        if told && self.waiting.as_ref().is_some_and(|waiting| waiting.session == session) {
            self.waiting = None;
            self.learn(answer);
        }
    }

    /// Whoever hears that a password opens nothing that they can use tries another one next, and looks for another card.
    fn learn(&mut self, answer: &Answer) {
        let Answer::Verdict(reply) = answer else { return };
        match &reply.outcome {
            Outcome::Refused(
                Refusal::WrongPassword { .. } | Refusal::CardNotUsable { .. } | Refusal::InsufficientFunds { .. },
            ) => {
                self.unlucky += 1;
                if let Some(last) = self.passwords.pop() {
                    self.passwords.insert(0, last);
                }
            }
            Outcome::Refused(Refusal::NoCard) => self.unlucky += 1,
            Outcome::Done(Done::Given { .. } | Done::Held { .. } | Done::ToppedUp { .. }) => self.unlucky = 0,
            Outcome::Done(_) | Outcome::Refused(_) => {}
        }
    }

    /// Whether its person looks for another card.
    pub(crate) const fn wants_card(&self) -> bool {
        self.bought.is_empty() && self.unlucky > 1
    }

    fn think(&mut self, dice: &mut Dice, view: &View<'_>) -> Body {
        let caller = self.caller(dice);
        if let Some(bind) = self.bind(dice, view, caller, false) {
            return Body::Bind(bind);
        }
        let proof = self.proof(dice, view);
        match dice.below(1_000) {
            0..650 => Body::Gift(self.gift(dice, view, caller, proof)),
            650..740 => Body::TopUp(TopUp { caller, amount: amount(dice), proof }),
            740..790 => Body::ShowCards(Proved { caller, proof }),
            790..810 => Body::ShowGifts(Proved { caller, proof }),
            810..845 => Body::ChangePassword(self.change(dice, view, caller, proof)),
            845..855 => Body::Freeze(Proved { caller, proof }),
            855..930 => Body::Undo(Proved { caller, proof }),
            930..950 => {
                let language = dice.pick(&Language::ALL).copied().unwrap_or_default();
                Body::SetLanguage(SetLanguage { caller, language })
            }
            _ => match self.bind(dice, view, caller, true) {
                Some(bind) => Body::Bind(bind),
                None => Body::ShowCards(Proved { caller, proof }),
            },
        }
    }

    /// The link over which its operator's network asks: each has an HLR.
    pub(crate) fn home(&self) -> LinkId {
        if self.operator == OperatorId(2) { FAR_HLR } else { HLR }
    }

    /// Another SIM from now on.
    pub(crate) fn new_sim(&mut self, dice: &mut Dice) {
        self.sim = 1_000_000 + dice.below(1_000_000);
    }

    fn caller(&self, dice: &mut Dice) -> Caller {
        let operator = if dice.often(15) { OperatorId((self.operator.0 + 1) % 3) } else { self.operator };
        let link = match dice.below(100) {
            0..78 => self.home(),
            78..88 => GATEWAY,
            88..96 => AGGREGATOR,
            _ => SECOND_HLR,
        };
        // An HLR tells the SIM, mostly.
        let told = matches!(link, HLR | FAR_HLR | SECOND_HLR) && !dice.often(150);
        let imsi = Imsi::parse(&format!("46705{:010}", self.sim)).ok().filter(|_| told);
        Caller { operator, link, msisdn: self.msisdn, imsi }
    }

    fn gift(&self, dice: &mut Dice, view: &View<'_>, caller: Caller, proof: Proof) -> Gift {
        let occasion = dice.often(200).then(|| u8::try_from(dice.between(1, 9)).unwrap_or(1));
        Gift {
            caller,
            recipient: self.recipient(dice, view),
            amount: amount(dice),
            proof,
            swapped: dice.often(12),
            occasion,
        }
    }

    fn recipient(&self, dice: &mut Dice, view: &View<'_>) -> Dialled<Msisdn> {
        let own = |operator: &OperatorId| *operator == self.operator;
        let of_network: Vec<Msisdn> =
            view.numbers.iter().filter(|(op, _)| own(op)).map(|(_, number)| *number).collect();
        let number = match dice.below(100) {
            // Most people give to the same few.
            0..55 => of_network.iter().copied().filter(|number| *number != self.msisdn).nth(dice.index(2)),
            55..88 => dice.pick(&of_network).copied(),
            88..92 => dice.pick(view.numbers).map(|(_, number)| *number),
            92..95 => Msisdn::try_new(self.msisdn.get() + 5_000 + dice.below(3)).ok(),
            _ => None,
        };
        number.into()
    }

    /// The password as typed: now and then a wrong or a malformed one.
    fn proof(&self, dice: &mut Dice, view: &View<'_>) -> Proof {
        if dice.often(15) {
            return Proof::Malformed;
        }
        let digits = match self.passwords.last() {
            Some(_) if dice.often(60) => dice.pick(&self.passwords).copied().unwrap_or(0) + 1,
            Some(_) if dice.often(150) => dice.pick(&self.passwords).copied().unwrap_or(0),
            Some(last) => *last,
            None => 0,
        };
        self.holder_proof(view, digits)
    }

    fn holder_proof(&self, view: &View<'_>, digits: u32) -> Proof {
        let generation = view.directory.generation(self.msisdn);
        let typed = password(digits);
        typed.map_or(Proof::Malformed, |typed| {
            view.keys.proof(|key| key.holder(self.operator, self.msisdn, generation, &typed))
        })
    }

    fn change(&mut self, dice: &mut Dice, view: &View<'_>, caller: Caller, old: Proof) -> ChangePassword {
        let digits = u32::try_from(dice.between(200_000, 899_999)).unwrap_or(0);
        let new = match dice.below(20) {
            0 => NewPassword::Malformed,
            1 => NewPassword::Differ,
            2 => NewPassword::Trivial,
            3 => old.current().map_or(NewPassword::Malformed, NewPassword::Tag),
            _ => {
                // They write it down whether the screen comes or not, and try both later.
                self.passwords.push(digits);
                let kept = self.passwords.len().saturating_sub(4);
                self.passwords.drain(..kept);
                self.holder_proof(view, digits).current().map_or(NewPassword::Malformed, NewPassword::Tag)
            }
        };
        ChangePassword { caller, old, new }
    }

    /// Binds a card that was bought; `again`: one that perhaps is bound already, or none that exists.
    fn bind(&mut self, dice: &mut Dice, view: &View<'_>, caller: Caller, again: bool) -> Option<Bind> {
        let (number, printed) = if again {
            let other = CardNumber::from_payload(100_000_000_000_000 + dice.below(1_000)).ok()?;
            self.bought.last().copied().filter(|_| dice.often(500)).unwrap_or((other, 123_987))
        } else {
            // Now and then they look at it twice: it stays in the purse and is tried once more.
            let card = *self.bought.last()?;
            if dice.often(900) {
                self.bought.pop();
            }
            card
        };
        let digits = if dice.often(80) { printed + 1 } else { printed };
        if !again {
            self.passwords.retain(|known| *known != printed);
            self.passwords.push(printed);
        }
        Some(self.binding(view, caller, (number, digits), dice.often(20)))
    }

    /// Binds a card with its password.
    pub(crate) fn binding(&self, view: &View<'_>, caller: Caller, card: (CardNumber, u32), garbled: bool) -> Bind {
        let (number, digits) = card;
        let Some(typed) = password(digits).filter(|_| !garbled) else {
            return Bind { caller, number: Dialled::Malformed, proof: Proof::Malformed, holder_tag: None };
        };
        let proof = view.keys.proof(|key| key.card(self.operator, number, &typed));
        let holder_tag = self.holder_proof(view, digits).current();
        Bind { caller, number: Dialled::Value(number), proof, holder_tag }
    }
}

fn next_session(session: u32, dice: &mut Dice) -> u32 {
    // A switch that restarted begins to count again.
    if dice.often(30) { 0 } else { (session + 1) % SESSIONS }
}

/// An amount as typed: a few that people like, some that no rule allows, and something else than an amount.
fn amount(dice: &mut Dice) -> Dialled<Amount> {
    const LIKED: [i64; 13] = [1, 4, 5, 10, 20, 50, 100, 100, 150, 300, 500, 501, 1_000];
    if dice.often(15) {
        return Dialled::Malformed;
    }
    dice.pick(&LIKED).copied().and_then(Amount::try_new).into()
}
