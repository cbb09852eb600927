//! What happens in a world, one event at a time.

use domain::command::{Body, Command};
use domain::id::CommandId;
use engine::clock::Clock;
use engine::memory::Weather;

use crate::calendar::{Calendar, DAY_MS, HOUR_MS};
use crate::charging;
use crate::desk::{self, Desk};
use crate::invariant::{Broken, EVERYTHING_TOLD, HELD_ENDS, Held, STARTS_AGAIN, WORK_ENDS, hold};
use crate::machine::Machine;
use crate::network::{Frame, LATE_MS_MAX, Name, Parcel, Party};
use crate::phone::View;
use crate::plant::Plant;
use crate::program::{AGGREGATOR, CHARGING, OFFICE, uuid_v7};
use crate::trace::Asks;
use crate::world::{Pace, World};

/// Steps after which a healthy machine must have answered everything.
const DRY_MAX: u32 = 20_000;
/// A clock that is wrong by more is set right, not accepted.
const ACCEPTED_WRONG_MS: i64 = 60_000;
const TEN_YEARS_MS: i64 = 3_652 * DAY_MS;

#[derive(Clone, Copy)]
enum Event {
    Work,
    WorkThrough,
    Deliver,
    Dial,
    Rush,
    Swap,
    Pass,
    Program,
    Office,
    Charge,
    Timer,
    Tell,
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
const EVENTS: [(u64, Event); 20] = [
    (900, Event::Work),
    (1_900, Event::WorkThrough),
    (2_400, Event::Deliver),
    (2_200, Event::Dial),
    (80, Event::Rush),
    (8, Event::Swap),
    (420, Event::Pass),
    (350, Event::Program),
    (1_200, Event::Office),
    (450, Event::Charge),
    (450, Event::Timer),
    (100, Event::Tell),
    (250, Event::Collect),
    (120, Event::Write),
    (15, Event::Backup),
    (45, Event::Crash),
    (60, Event::Weather),
    (35, Event::Clock),
    (12, Event::Rival),
    (1, Event::Rotate),
];

impl World {
    /// Lets one thing happen.
    pub(crate) fn event(&mut self) -> Held {
        match self.dice.weighted(&EVENTS).unwrap_or(Event::Work) {
            Event::Work => self.work()?,
            Event::WorkThrough => self.work_through()?,
            Event::Deliver => (0..1 + self.dice.index(4)).for_each(|_| self.deliver()),
            Event::Dial => self.dial(),
            Event::Rush => self.rush(),
            Event::Swap => {
                let index = self.dice.index(self.phones.len());
                if let Some(phone) = self.phones.get_mut(index) {
                    phone.new_sim(&mut self.dice);
                }
            }
            Event::Pass => self.pass(),
            Event::Program => self.program(),
            Event::Office => self.office(),
            Event::Charge => self.charge(),
            Event::Timer => self.tick()?,
            Event::Tell => {
                let reader = self.disk.journal.reader();
                self.teller.work(&reader, &mut self.dice, self.config.plant);
            }
            Event::Collect => self.collect()?,
            Event::Write => self.write()?,
            Event::Backup => self.disk.backup = Some(self.disk.checkpoint.snapshot()),
            Event::Crash => {
                self.summary.count("crash");
                self.crash();
            }
            Event::Weather => self.weather(),
            Event::Clock => self.clock(),
            Event::Rival => self.rival()?,
            Event::Rotate => self.rotated = true,
        }
        Ok(())
    }

    /// What an edge knows now.
    fn view(&self) -> View<'_> {
        View {
            now_ms: self.hands.now_ms(),
            numbers: &self.numbers,
            directory: &self.directory,
            keys: &self.keys[usize::from(self.rotated)],
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
        let asked = if self.dice.often(500) {
            self.programs[AGGREGATOR].again(&mut self.dice)
        } else {
            let index = self.dice.index(self.phones.len());
            let view = View {
                now_ms: self.hands.now_ms(),
                numbers: &self.numbers,
                directory: &self.directory,
                keys: &self.keys[usize::from(self.rotated)],
            };
            let dialled = self.phones.get_mut(index).and_then(|phone| phone.dial(&mut self.dice, &view));
            dialled.map(|(_, body)| self.programs[AGGREGATOR].ask(&mut self.dice, wall_ms, body))
        };
        self.request(AGGREGATOR, asked);
    }

    /// What staff see and know.
    fn desk(&self) -> Desk<'_> {
        let (view, wall_ms) = (self.view(), self.hands.wall_ms());
        Desk { view, oracle: &self.oracle, wall_ms, plant: self.config.plant }
    }

    /// Staff ask for something, or ask again.
    fn office(&mut self) {
        let wall_ms = self.hands.wall_ms();
        let asked = if self.dice.often(150) {
            self.programs[OFFICE].again(&mut self.dice)
        } else {
            // What is drawn from is put aside while staff look at the rest of the world.
            let mut dice = self.dice.aside();
            let (mut phones, mut press) = (core::mem::take(&mut self.phones), core::mem::take(&mut self.press));
            let body = self.desk().act(&mut dice, &mut phones, &mut press);
            (self.phones, self.press) = (phones, press);
            body.map(|body| self.programs[OFFICE].ask(&mut self.dice, wall_ms, body))
        };
        self.request(OFFICE, asked);
    }

    /// A charging system asks for a call, or asks again.
    fn charge(&mut self) {
        let wall_ms = self.hands.wall_ms();
        if self.dice.often(150) {
            let asked = self.programs[CHARGING].again(&mut self.dice);
            return self.request(CHARGING, asked);
        }
        let mut dice = self.dice.aside();
        let body = charging::ask(&self.desk(), &mut dice);
        let asked = body.map(|body| self.programs[CHARGING].ask(&mut self.dice, wall_ms, body));
        self.request(CHARGING, asked);
        if self.dice.often(60)
            && let Some(again) = charging::extend_again(&self.desk())
        {
            let asked = self.programs[CHARGING].ask(&mut self.dice, wall_ms, again);
            self.request(CHARGING, Some(asked));
        }
    }

    fn request(&mut self, program: usize, asked: Option<(CommandId, Body)>) {
        let Some((id, body)) = asked else { return };
        self.say(format_args!("program {program} asks: {} as {id}", Asks(&body)));
        let frame = Frame { from: Party::Program(program), name: Name::Id(id), body };
        self.network.send(self.hands.now_ms(), Parcel::Up(frame), &mut self.dice);
    }

    /// The timer follower looks at the clock: what is due is submitted.
    fn tick(&mut self) -> Held {
        if self.config.plant == Some(Plant::TimerSleeps) {
            return Ok(());
        }
        let ready = |machine: &&mut Machine| machine.is_settled() && !self.overtaken;
        let Some(machine) = self.machine.as_mut().filter(ready) else { return Ok(()) };
        let now = machine.now();
        let reader = self.disk.journal.reader();
        let state = machine.decider.state();
        let fired = machine.timer.fire(&reader, state, now);
        let commands = fired.map_err(|fault| Broken { invariant: STARTS_AGAIN, what: fault.to_string() })?;
        for command in commands {
            let name = Name::Id(command.id);
            self.submit(command, Party::Timer, name, 0);
        }
        Ok(())
    }

    /// The machine works until the batch that it has begun is answered.
    fn work_through(&mut self) -> Held {
        self.work()?;
        for _ in 0..40 {
            if !self.machine.as_ref().is_some_and(Machine::is_busy) {
                break;
            }
            self.work()?;
        }
        Ok(())
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
                // Most of what is proposed is approved and most of what is priced is sold; the rest waits for somebody to
                // think of it.
                if let Some((program, body)) = desk::follows(&mut self.dice, &answer) {
                    let wall_ms = self.hands.wall_ms();
                    let asked = self.programs[program].ask(&mut self.dice, wall_ms, body);
                    self.request(program, Some(asked));
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
        // A clock that was ten years ahead when a process started made the journal so: nothing is decided until then.
        if self.ahead_ms() > DAY_MS && self.dice.often(100) {
            return self.hands.pass(self.ahead_ms());
        }
        let operator = domain::ids::OperatorId(u8::try_from(self.dice.below(3)).unwrap_or(0));
        let until_midnight_ms = Calendar::of(operator).next_midnight_ms(now_ms) - now_ms;
        let ms = match self.dice.below(self.pace.passes()) {
            0..50 => self.dice.between(1, 5_000),
            50..70 => self.dice.between(5_000, 120_000),
            70..80 => self.dice.between(60_000, 20 * 60_000),
            80..86 => self.dice.between(HOUR_MS / 2, 6 * HOUR_MS),
            86..94 => (until_midnight_ms + self.dice.between(-2_000, 2_000)).max(1),
            94..97 => until_midnight_ms + self.dice.between(0, HOUR_MS),
            97..100 => self.dice.between(DAY_MS / 2, 3 * DAY_MS),
            _ => self.dice.between(DAY_MS, 6 * DAY_MS),
        };
        self.hands.pass(ms);
    }

    /// By how much the journal is ahead of the clock.
    fn ahead_ms(&self) -> i64 {
        self.oracle.head().at.ms() - self.hands.now_ms()
    }

    fn collect(&mut self) -> Held {
        let appends = 1 + self.dice.index(24);
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
        let weather = match self.dice.below(20) {
            0..2 => Weather::Full,
            2 => Weather::Broken,
            _ => Weather::Fine,
        };
        self.disk.journal.set_weather(weather);
        let short = self.dice.often(40);
        self.disk.journal.set_short(short);
        self.say(format_args!("the disk: {weather:?}, {}", if short { "short of room" } else { "roomy" }));
    }

    /// The server's wall clock is set, a little or to 2032, or is set right and accepted.
    fn clock(&mut self) {
        let wrong_ms = match self.dice.below(10) {
            0..4 => self.hands.wrong_ms() + self.dice.between(-8_000, 8_000),
            4..6 => self.hands.wrong_ms() + self.dice.between(-30_000, 30_000),
            6 if self.dice.often(300) => TEN_YEARS_MS,
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
    pub(crate) fn now(&mut self, body: Body) {
        let now = self.server_now();
        let id = uuid_v7(now.ms(), self.dice.word(), self.dice.word());
        self.submit(Command { id, decide_before: now.plus_s(300), body }, Party::Maker, Name::Id(id), 0);
    }

    /// Works until nothing waits.
    pub(crate) fn dry(&mut self) -> Held {
        for _ in 0..DRY_MAX {
            if self.machine.as_ref().is_some_and(Machine::is_idle) {
                return Ok(());
            }
            self.work()?;
        }
        hold(false, WORK_ENDS, || String::from("commands wait for ever"))
    }

    /// Everything runs dry on a healthy machine; all that is set aside comes to its end; it restarts once more.
    pub(crate) fn finish(&mut self) -> Held {
        self.calm();
        for _ in 0..DRY_MAX {
            self.calm();
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
        self.ends()?;
        self.crash();
        self.start()?;
        self.check()?;
        let reader = self.disk.journal.reader();
        self.teller.run_dry(&reader);
        let missing = self.teller.missing(self.oracle.head().seq);
        hold(missing.is_none(), EVERYTHING_TOLD, || format!("nobody heard of entry {missing:?}"))
    }

    fn calm(&mut self) {
        self.hands.set_wrong_ms(0);
        self.disk.journal.set_weather(Weather::Fine);
        self.disk.journal.set_short(false);
        if let Some(machine) = &mut self.machine {
            machine.accept_clock();
        }
    }

    /// Time goes on until everything that is open is over: then nothing may be open any more.
    fn ends(&mut self) -> Held {
        if self.overtaken {
            self.crash();
            self.start()?;
        }
        self.hands.pass(self.ahead_ms());
        let began_ms = self.hands.now_ms();
        for _ in 0..DRY_MAX {
            let now_ms = self.hands.now_ms();
            self.tick()?;
            self.dry()?;
            self.tick()?;
            let waits = self.machine.as_ref().is_some_and(|machine| machine.timer.waits());
            match self.oracle.last_due_ms() {
                _ if waits => {}
                None => break,
                Some(due_ms) if due_ms.max(began_ms) + GRACE_MS < now_ms => break,
                // In a few strides, so that what is due at different times is due at different entries.
                Some(due_ms) => self.hands.pass(((due_ms - now_ms) / 3).clamp(1_000, DAY_MS)),
            }
        }
        let now_ms = self.hands.now_ms();
        let open = self.oracle.overdue(now_ms - GRACE_MS);
        hold(open.is_empty(), HELD_ENDS, || format!("still open at {now_ms}: {open:?}"))?;
        let cards: Vec<_> = self.oracle.may_expire(now_ms - DAY_MS - GRACE_MS).collect();
        hold(cards.is_empty(), HELD_ENDS, || format!("cards whose time was over a day ago: {cards:?}"))
    }
}

/// After its time something may be open for so long while a healthy machine's timer looks at it.
const GRACE_MS: i64 = 2 * HOUR_MS;

impl Pace {
    /// Out of how many throws the longest waits are seldom or often.
    const fn passes(self) -> u64 {
        match self {
            Self::Hasty => 84,
            Self::Steady => 100,
            Self::Slow => 112,
        }
    }
}
