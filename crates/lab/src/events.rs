//! What happens in a world, one event at a time.

use domain::command::{Body, Command, NewSubscriber};
use domain::id::CommandId;
use domain::ids::OperatorId;
use domain::number::Imsi;
use domain::time::Timestamp;
use engine::clock::Clock;
use engine::memory::Weather;

use crate::calendar::{DAY_MS, HOUR_MS, next_midnight_ms};
use crate::invariant::{Broken, Held, STARTS_AGAIN, WORK_ENDS, hold};
use crate::machine::Machine;
use crate::network::{Frame, LATE_MS_MAX, Name, Parcel, Party};
use crate::phone::View;
use crate::profiles;
use crate::program::uuid_v7;
use crate::staff;
use crate::trace::Asks;
use crate::world::World;

/// The kind in the id of a card's expiry.
const KIND_EXPIRY: u8 = 1;
/// Steps after which a healthy machine must have answered everything.
const DRY_MAX: u32 = 4_000;
/// A clock that is wrong by more is set right, not accepted.
const ACCEPTED_WRONG_MS: i64 = 60_000;
const TEN_YEARS_MS: i64 = 3_652 * DAY_MS;

#[derive(Clone, Copy)]
enum Event {
    Work,
    Deliver,
    Dial,
    Rush,
    Pass,
    Program,
    Staff,
    Timer,
    Collect,
    Write,
    Backup,
    Crash,
    Weather,
    Clock,
    Rival,
    Rotate,
}

/// How often what happens.
const EVENTS: [(u64, Event); 16] = [
    (400, Event::Work),
    (190, Event::Deliver),
    (150, Event::Dial),
    (12, Event::Rush),
    (75, Event::Pass),
    (45, Event::Program),
    (35, Event::Staff),
    (8, Event::Timer),
    (30, Event::Collect),
    (18, Event::Write),
    (3, Event::Backup),
    (12, Event::Crash),
    (12, Event::Weather),
    (6, Event::Clock),
    (3, Event::Rival),
    (1, Event::Rotate),
];

impl World {
    /// Lets one thing happen.
    pub(crate) fn event(&mut self) -> Held {
        match self.dice.weighted(&EVENTS).unwrap_or(Event::Work) {
            Event::Work => self.work(),
            Event::Deliver => {
                self.deliver();
                Ok(())
            }
            Event::Dial => {
                self.dial();
                Ok(())
            }
            Event::Rush => {
                self.rush();
                Ok(())
            }
            Event::Pass => {
                self.pass();
                Ok(())
            }
            Event::Program => {
                self.program();
                Ok(())
            }
            Event::Staff => {
                self.staff();
                Ok(())
            }
            Event::Timer => {
                self.timer();
                Ok(())
            }
            Event::Collect => self.collect(),
            Event::Write => self.write(),
            Event::Backup => {
                self.disk.backup = Some(self.disk.checkpoint.snapshot());
                Ok(())
            }
            Event::Crash => {
                self.summary.count("crash");
                self.crash();
                Ok(())
            }
            Event::Weather => {
                self.weather();
                Ok(())
            }
            Event::Clock => {
                self.clock();
                Ok(())
            }
            Event::Rival => self.rival(),
            Event::Rotate => {
                self.rotated = true;
                Ok(())
            }
        }
    }

    /// A person dials, or dials again.
    fn dial(&mut self) {
        let index = self.dice.index(self.phones.len());
        let view = View {
            now_ms: self.hands.now_ms(),
            numbers: &self.numbers,
            directory: &self.directory,
            keys: &self.keys[usize::from(self.rotated)],
        };
        let Some(phone) = self.phones.get_mut(index) else { return };
        let Some((session, body)) = phone.dial(&mut self.dice, &view) else { return };
        self.say(format_args!("dialled in session {session}: {}", Asks(&body)));
        let frame = Frame { from: Party::Phone(index), name: Name::Session(session), body };
        self.network.send(self.hands.now_ms(), Parcel::Up(frame), &mut self.dice);
    }

    /// A person gives to many at once.
    fn rush(&mut self) {
        let index = self.dice.index(self.phones.len());
        let view = View {
            now_ms: self.hands.now_ms(),
            numbers: &self.numbers,
            directory: &self.directory,
            keys: &self.keys[usize::from(self.rotated)],
        };
        let Some(phone) = self.phones.get_mut(index) else { return };
        for (session, body) in phone.rush(&mut self.dice, &view) {
            self.say(format_args!("dialled at once in session {session}: {}", Asks(&body)));
            let frame = Frame { from: Party::Phone(index), name: Name::Session(session), body };
            self.network.send(self.hands.now_ms(), Parcel::Up(frame), &mut self.dice);
        }
    }

    /// An aggregator asks on behalf of a person, or asks again.
    fn program(&mut self) {
        let wall_ms = self.hands.wall_ms();
        let asked = if self.dice.often(550) {
            self.programs[0].again(&mut self.dice)
        } else {
            let index = self.dice.index(self.phones.len());
            let view = View {
                now_ms: self.hands.now_ms(),
                numbers: &self.numbers,
                directory: &self.directory,
                keys: &self.keys[usize::from(self.rotated)],
            };
            let dialled = self.phones.get_mut(index).and_then(|phone| phone.dial(&mut self.dice, &view));
            dialled.map(|(_, body)| self.programs[0].ask(&mut self.dice, wall_ms, body))
        };
        self.request(0, asked);
    }

    fn staff(&mut self) {
        let wall_ms = self.hands.wall_ms();
        let asked = if self.dice.often(250) {
            self.programs[1].again(&mut self.dice)
        } else {
            let view = View {
                now_ms: self.hands.now_ms(),
                numbers: &self.numbers,
                directory: &self.directory,
                keys: &self.keys[usize::from(self.rotated)],
            };
            let plant = self.config.plant;
            let body = staff::act(&mut self.dice, &view, &mut self.phones, &mut self.press, plant);
            body.map(|body| self.programs[1].ask(&mut self.dice, wall_ms, body))
        };
        self.request(1, asked);
    }

    fn request(&mut self, program: usize, asked: Option<(CommandId, Body)>) {
        let Some((id, body)) = asked else { return };
        self.say(format_args!("program {program} asks: {} as {id}", Asks(&body)));
        let frame = Frame { from: Party::Program(program), name: Name::Id(id), body };
        self.network.send(self.hands.now_ms(), Parcel::Up(frame), &mut self.dice);
    }

    /// Cards whose time ran out expire, once or twice.
    fn timer(&mut self) {
        let now = Timestamp::from_ms(self.hands.wall_ms());
        let due: Vec<_> = self.oracle.due(now).collect();
        let Some(card) = self.dice.pick(&due).copied() else { return };
        let id = CommandId::internal(KIND_EXPIRY, u64::from(card.0));
        let command = Command { id, decide_before: now.plus_s(60), body: Body::ExpireCard(card) };
        self.submit(command, Party::Timer, Name::Id(id), 0);
    }

    /// What has arrived is there; without anything arrived, time passes until something has.
    fn deliver(&mut self) {
        let now_ms = self.hands.now_ms();
        if let Some(next_ms) = self.network.next_ms()
            && now_ms < next_ms
            && next_ms < now_ms + 1_000
        {
            self.hands.pass(next_ms - now_ms);
        }
        match self.network.arrived(self.hands.now_ms()) {
            Some(Parcel::Up(frame)) => self.arrive(frame),
            Some(Parcel::Down { to: Party::Phone(index), name: Name::Session(session), answer }) => {
                if let Some(phone) = self.phones.get_mut(index) {
                    phone.screen(session, &answer);
                }
            }
            Some(Parcel::Down { to: Party::Program(index), name: Name::Id(id), answer }) => {
                if let Some(program) = self.programs.get_mut(index) {
                    program.answer(id, &answer);
                }
                if let Some(body) = staff::approve(&answer) {
                    let wall_ms = self.hands.wall_ms();
                    let asked = self.programs[1].ask(&mut self.dice, wall_ms, body);
                    self.request(1, Some(asked));
                }
            }
            Some(Parcel::Down { .. }) | None => {}
        }
    }

    /// Time passes: moments, minutes, hours, days, or to the edge of a midnight.
    fn pass(&mut self) {
        if self.hands.wrong_ms().abs() > ACCEPTED_WRONG_MS && self.dice.often(300) {
            self.hands.set_wrong_ms(0);
        }
        let now_ms = self.hands.now_ms();
        let until_midnight_ms = next_midnight_ms(now_ms) - now_ms;
        let ms = match self.dice.below(100) {
            0..50 => self.dice.between(1, 5_000),
            50..70 => self.dice.between(5_000, 120_000),
            70..80 => self.dice.between(60_000, 20 * 60_000),
            80..86 => self.dice.between(HOUR_MS / 2, 6 * HOUR_MS),
            86..94 => (until_midnight_ms + self.dice.between(-2_000, 2_000)).max(1),
            94..97 => until_midnight_ms + self.dice.between(0, HOUR_MS),
            _ => self.dice.between(DAY_MS / 2, 3 * DAY_MS),
        };
        self.hands.pass(ms);
    }

    fn collect(&mut self) -> Held {
        let appends = 1 + self.dice.index(8);
        let Some(machine) = self.machine.as_mut().filter(|_| !self.overtaken) else { return Ok(()) };
        machine
            .collect(&self.disk, appends)
            .map_err(|fault| Broken { invariant: STARTS_AGAIN, what: fault.to_string() })
    }

    fn write(&mut self) -> Held {
        let Some(machine) = self.machine.as_mut().filter(|_| !self.overtaken) else { return Ok(()) };
        machine.write(&mut self.disk).map_err(|fault| Broken { invariant: STARTS_AGAIN, what: fault.to_string() })?;
        self.summary.count("checkpoint");
        Ok(())
    }

    fn weather(&mut self) {
        let weather = match self.dice.below(10) {
            0..2 => Weather::Full,
            2 => Weather::Broken,
            _ => Weather::Fine,
        };
        self.disk.journal.set_weather(weather);
        let short = self.dice.often(60);
        self.disk.journal.set_short(short);
        self.say(format_args!("the disk: {weather:?}, {}", if short { "short of room" } else { "roomy" }));
    }

    /// The server's wall clock is set, a little or to 2032, or is set right and accepted.
    fn clock(&mut self) {
        let wrong_ms = match self.dice.below(10) {
            0..4 => self.hands.wrong_ms() + self.dice.between(-8_000, 8_000),
            4..6 => self.hands.wrong_ms() + self.dice.between(-30_000, 30_000),
            6 => TEN_YEARS_MS,
            _ => 0,
        };
        self.hands.set_wrong_ms(wrong_ms);
        if wrong_ms.abs() <= ACCEPTED_WRONG_MS
            && let Some(machine) = &mut self.machine
        {
            machine.accept_clock();
        }
        let (days, seconds) = (wrong_ms / DAY_MS, wrong_ms % DAY_MS / 1_000);
        self.say(format_args!("the wall clock is wrong by {days} days and {seconds} s"));
    }

    /// A second server on the same journal takes over for one command: the first must notice.
    fn rival(&mut self) -> Held {
        if self.machine.is_none() || self.overtaken || self.hands.wrong_ms().abs() > ACCEPTED_WRONG_MS {
            return Ok(());
        }
        self.disk.journal.set_weather(Weather::Fine);
        self.disk.journal.set_short(false);
        let refused =
            |fault: engine::recover::RecoverFault| Broken { invariant: STARTS_AGAIN, what: fault.to_string() };
        let loaded = Machine::load(&self.disk, self.ids).map_err(refused)?;
        let rival = Machine::start(&self.disk, loaded, &self.hands, self.ids, None);
        let first = self.machine.replace(rival);
        if let Some(msisdn) = self.numbers.first().map(|(_, number)| *number) {
            let body = Body::ChangeSubscriber(domain::command::ChangeSubscriber {
                staff: domain::ids::Staff(7),
                msisdn,
                change: domain::command::SubscriberChange::Unlock,
            });
            self.now(body);
        }
        let before = self.oracle.head().seq;
        self.dry()?;
        self.machine = first;
        self.overtaken = self.oracle.head().seq > before;
        self.summary.count("rival");
        self.say(format_args!("another server wrote to the journal"));
        Ok(())
    }

    /// Puts a command into the queue without a network.
    fn now(&mut self, body: Body) {
        let now = Timestamp::from_ms(self.hands.wall_ms());
        let id = uuid_v7(now.ms(), self.dice.word(), self.dice.word());
        self.submit(Command { id, decide_before: now.plus_s(300), body }, Party::Timer, Name::Id(id), 0);
    }

    /// Works until nothing waits.
    fn dry(&mut self) -> Held {
        for _ in 0..DRY_MAX {
            if self.machine.as_ref().is_some_and(Machine::is_idle) {
                return Ok(());
            }
            self.work()?;
        }
        hold(false, WORK_ENDS, || String::from("commands wait for ever"))
    }

    /// Operators, subscribers and cards to begin with.
    pub(crate) fn settle(&mut self) -> Held {
        self.start()?;
        for operator in 0..profiles::OPERATORS {
            let variant = self.dice.index(profiles::VARIANTS);
            if let Some(load) = staff::load(operator, variant, self.config.plant) {
                self.now(load);
            }
            self.dry()?;
        }
        for operator in (0_u8..).map(OperatorId).take(profiles::OPERATORS) {
            self.people(operator);
            self.dry()?;
        }
        self.bind_first_cards()
    }

    /// Most of an operator's phones are subscribers, and have a card in the hand.
    fn people(&mut self, operator: OperatorId) {
        let since = Timestamp::from_ms(self.hands.now_ms() - 40 * DAY_MS);
        let view = View {
            now_ms: self.hands.now_ms(),
            numbers: &self.numbers,
            directory: &self.directory,
            keys: &self.keys[usize::from(self.rotated)],
        };
        let (mut lines, mut cards) = (Vec::new(), Vec::new());
        for phone in self.phones.iter_mut().filter(|phone| phone.operator == operator) {
            if self.dice.often(930) {
                let (msisdn, imsi) =
                    (phone.msisdn, Imsi::parse("467050000000000").ok().filter(|_| self.dice.often(600)));
                lines.push(NewSubscriber { msisdn, imsi, language: None, since: Some(since), airtime: None });
            }
            let value = self.dice.between(300, 4_000);
            if let Some((card, digits)) = self.press.make(&mut self.dice, &view, operator, value) {
                phone.bought.push((card.number, digits));
                cards.push(card);
            }
        }
        self.now(staff::import(operator, lines));
        self.now(staff::issue(operator, cards));
    }

    fn bind_first_cards(&mut self) -> Held {
        for index in 0..self.phones.len() {
            let view = View {
                now_ms: self.hands.now_ms(),
                numbers: &self.numbers,
                directory: &self.directory,
                keys: &self.keys[usize::from(self.rotated)],
            };
            let Some(phone) = self.phones.get_mut(index).filter(|_| self.dice.often(800)) else { continue };
            let Some(card) = phone.bought.pop() else { continue };
            phone.passwords.push(card.1);
            let caller = domain::command::Caller {
                operator: phone.operator,
                link: domain::ids::LinkId(1),
                msisdn: phone.msisdn,
                imsi: None,
            };
            let body = Body::Bind(phone.binding(&view, caller, card, false));
            self.now(body);
            self.dry()?;
        }
        Ok(())
    }

    /// Everything runs dry on a healthy machine, which restarts once more.
    pub(crate) fn finish(&mut self) -> Held {
        self.hands.set_wrong_ms(0);
        self.disk.journal.set_weather(Weather::Fine);
        self.disk.journal.set_short(false);
        for _ in 0..DRY_MAX {
            if let Some(machine) = &mut self.machine {
                machine.accept_clock();
            }
            self.dry()?;
            match self.network.next_ms() {
                Some(next_ms) => self.hands.pass((next_ms - self.hands.now_ms()).clamp(0, LATE_MS_MAX)),
                None => break,
            }
            self.deliver();
        }
        self.dry()?;
        hold(self.network.next_ms().is_none(), WORK_ENDS, || String::from("frames fly for ever"))?;
        self.check()?;
        self.crash();
        self.start()?;
        self.check()
    }
}
