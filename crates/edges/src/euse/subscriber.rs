//! Who an IMSI is, asked of the HLR's control interface: GSUP does not say.
//!
//! Guarantees: an MSISDN is believed for `msisdn_age_max_s`, and that there is none for [`NONE_AGE`]. Who can't be asked
//! about is not guessed. All who ask for one IMSI at the same time share one question; questions do not wait for the answers
//! of others. An answer counts only under the id and for the IMSI of its question.
//!
//! Bounded by: `msisdn_cache_max` entries, `in_flight_max` questions and askers, `ctrl_within_ms`.
//!
//! Deliberately not here: whether a number is the operator's (the flow's).

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::number::Msisdn;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout};
use wire::ctrl::{Ctrl, NONE};
use wire::imsi::Imsi;

use super::config::EuseConfig;
use super::status::{Count, Status};

/// How long it is believed that an IMSI is unknown or has no MSISDN: somebody at the counter is being registered.
pub(super) const NONE_AGE: Duration = Duration::from_secs(5);
/// What OsmoHLR 1.5.0 says of an IMSI that it does not know.
const NO_SUCH_SUBSCRIBER: &str = "No such subscriber";
/// Ids of questions begin again from 1 after this one.
const ID_MAX: u32 = 1_000_000_000;

/// What the HLR says about an IMSI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// Its number.
    Msisdn(Msisdn),
    /// It has no number, or one that is none.
    NoMsisdn,
    /// Nobody.
    Unknown,
}

/// The HLR can't be asked, or does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Away;

type Answer = Result<Who, Away>;

/// A question to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) id: u32,
    pub(super) imsi: Imsi,
}

struct Known {
    who: Who,
    until: Instant,
}

struct Asked {
    id: u32,
    askers: Vec<oneshot::Sender<Answer>>,
}

/// What is known and what is being asked. No sockets.
pub(super) struct Book {
    known: HashMap<Imsi, Known, foldhash::quality::RandomState>,
    /// In the order in which they were learnt first; the same entries as in `known`.
    learnt: VecDeque<Imsi>,
    known_max: usize,
    age_max: Duration,
    asked: HashMap<Imsi, Asked, foldhash::quality::RandomState>,
    /// Questions without an answer on this connection.
    open: BTreeMap<u32, (Imsi, Instant)>,
    open_max: usize,
    last_id: u32,
    away: bool,
}

/// What to do to learn who it is.
enum Next {
    Known(Answer),
    Wait(oneshot::Receiver<Answer>),
    Ask(Question, oneshot::Receiver<Answer>),
}

impl Book {
    fn new(known_max: usize, age_max: Duration, open_max: usize) -> Self {
        Self {
            known: HashMap::default(),
            learnt: VecDeque::new(),
            known_max,
            age_max,
            asked: HashMap::default(),
            open: BTreeMap::new(),
            open_max,
            last_id: 0,
            away: false,
        }
    }

    fn look_up(&mut self, imsi: Imsi, now: Instant) -> Next {
        if let Some(known) = self.known.get(&imsi).filter(|known| now < known.until) {
            return Next::Known(Ok(known.who));
        }
        let (asker, answer) = oneshot::channel();
        if let Some(asked) = self.asked.get_mut(&imsi) {
            // Whoever gave up makes room.
            asked.askers.retain(|asker| !asker.is_closed());
            asked.askers.push(asker);
            return Next::Wait(answer);
        }
        if self.away || self.open.len() >= self.open_max {
            return Next::Known(Err(Away));
        }
        self.last_id = if self.last_id < ID_MAX { self.last_id + 1 } else { 1 };
        let question = Question { id: self.last_id, imsi };
        self.asked.insert(imsi, Asked { id: question.id, askers: vec![asker] });
        self.open.insert(question.id, (imsi, now));
        Next::Ask(question, answer)
    }

    /// One message of the control interface; `false` when it answers nothing that was asked.
    pub(super) fn hear(&mut self, message: &Ctrl<'_>, now: Instant) -> bool {
        let (id, answer) = match *message {
            Ctrl::GetReply { id, variable, value } => {
                let asked = self.open.get(&id).is_some_and(|(imsi, _)| is_about(variable, imsi));
                (Some(id).filter(|_| asked), Ok(read(value)))
            }
            Ctrl::Error { id, reason } if reason.starts_with(NO_SUCH_SUBSCRIBER) => (id, Ok(Who::Unknown)),
            Ctrl::Error { id, .. } => (id, Err(Away)),
            // News that nobody asked for.
            Ctrl::Trap { .. } => return true,
        };
        let Some((imsi, _)) = id.and_then(|id| self.open.remove(&id)) else { return false };
        if let Ok(who) = answer {
            self.learn(imsi, who, now);
        }
        if self.asked.get(&imsi).is_some_and(|asked| Some(asked.id) == id) {
            let asked = self.asked.remove(&imsi);
            for asker in asked.into_iter().flat_map(|asked| asked.askers) {
                // Whoever does not wait any more needs no answer.
                let _ = asker.send(answer);
            }
        }
        true
    }

    fn learn(&mut self, imsi: Imsi, who: Who, now: Instant) {
        let age = match who {
            Who::Msisdn(_) => self.age_max,
            Who::NoMsisdn | Who::Unknown => self.age_max.min(NONE_AGE),
        };
        if age.is_zero() {
            return;
        }
        if self.known.insert(imsi, Known { who, until: now + age }).is_none() {
            self.learnt.push_back(imsi);
        }
        // The oldest go when they are too many, and what is out of date when others come.
        for _ in 0..2 {
            let Some(oldest) = self.learnt.front() else { return };
            let out_of_date = self.known.get(oldest).is_none_or(|known| known.until <= now);
            if self.known.len() <= self.known_max && !out_of_date {
                return;
            }
            self.known.remove(oldest);
            self.learnt.pop_front();
        }
    }

    /// Whether a question still waits for its answer.
    pub(super) fn is_open(&self, question: &Question) -> bool {
        self.open.contains_key(&question.id)
    }

    /// Whether a question has waited for so long that the connection must be dead.
    pub(super) fn is_stuck(&self, within: Duration, now: Instant) -> bool {
        self.open.first_key_value().is_some_and(|(_, (_, asked_at))| now.duration_since(*asked_at) >= within)
    }

    /// Questions can be asked again.
    pub(super) fn found(&mut self) {
        self.away = false;
    }

    /// No answer will come to what was asked. While `away`, nothing new is asked.
    pub(super) fn lost(&mut self, away: bool) {
        self.away = away;
        self.open.clear();
        for asker in self.asked.drain().flat_map(|(_, asked)| asked.askers) {
            let _ = asker.send(Err(Away));
        }
    }
}

/// Whether a variable's name is the one that was asked for.
fn is_about(variable: &str, imsi: &Imsi) -> bool {
    let name = variable.strip_prefix("subscriber.by-imsi-").and_then(|rest| rest.strip_suffix(".msisdn"));
    name == Some(imsi.as_str())
}

fn read(value: &str) -> Who {
    if value == NONE {
        return Who::NoMsisdn;
    }
    // An extension of three digits is a number inside the HLR, and none for a gift.
    Msisdn::parse(value).map_or(Who::NoMsisdn, Who::Msisdn)
}

/// Where turns ask. Shared by all of a link.
pub(super) struct Subscribers {
    book: Mutex<Book>,
    ask: mpsc::Sender<Question>,
    within: Duration,
    status: Arc<Status>,
}

impl Subscribers {
    /// Nobody known, and where the questions come out.
    pub(super) fn new(config: &EuseConfig, status: Arc<Status>) -> (Self, mpsc::Receiver<Question>) {
        let age_max = Duration::from_secs(u64::from(config.msisdn_age_max_s));
        let book = Book::new(config.msisdn_cache_max, age_max, config.in_flight_max);
        let (ask, questions) = mpsc::channel(config.in_flight_max);
        let within = Duration::from_millis(u64::from(config.ctrl_within_ms));
        (Self { book: Mutex::new(book), ask, within, status }, questions)
    }

    pub(super) fn book(&self) -> MutexGuard<'_, Book> {
        // No method stops half way.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who it is, from memory or from the HLR.
    pub(super) async fn who(&self, imsi: Imsi) -> Answer {
        let next = self.book().look_up(imsi, Instant::now());
        let answer = match next {
            Next::Known(answer) => return answer,
            Next::Wait(answer) => answer,
            Next::Ask(question, answer) => {
                self.status.count(Count::questions);
                if self.ask.try_send(question).is_err() {
                    return Err(Away);
                }
                answer
            }
        };
        match timeout(self.within, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) | Err(_) => Err(Away),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Away, Book, NONE_AGE, Next, Who, is_about};
    use domain::number::Msisdn;
    use std::time::Duration;
    use tokio::time::Instant;
    use wire::ctrl::Ctrl;
    use wire::imsi::Imsi;

    fn imsi(n: u32) -> Imsi {
        Imsi::parse(&format!("9017000{n:08}")).expect("an IMSI")
    }

    fn number() -> Who {
        Who::Msisdn(Msisdn::parse("8501912345678").expect("a number"))
    }

    fn reply(book: &mut Book, id: u32, of: u32, value: &str, now: Instant) -> bool {
        let variable = format!("subscriber.by-imsi-{}.msisdn", imsi(of).as_str());
        book.hear(&Ctrl::GetReply { id, variable: &variable, value }, now)
    }

    fn ask(
        book: &mut Book,
        of: u32,
        now: Instant,
    ) -> (Option<u32>, Option<tokio::sync::oneshot::Receiver<super::Answer>>) {
        match book.look_up(imsi(of), now) {
            Next::Known(_) => (None, None),
            Next::Wait(answer) => (None, Some(answer)),
            Next::Ask(question, answer) => (Some(question.id), Some(answer)),
        }
    }

    fn known(book: &mut Book, of: u32, now: Instant) -> Option<super::Answer> {
        match book.look_up(imsi(of), now) {
            Next::Known(answer) => Some(answer),
            Next::Wait(_) | Next::Ask(..) => None,
        }
    }

    fn book() -> Book {
        Book::new(100, Duration::from_secs(60), 10)
    }

    #[test]
    fn askers_of_one_imsi_share_a_question_and_the_answer_lives_a_minute() {
        let (mut book, now) = (book(), Instant::now());
        let (id, first) = ask(&mut book, 1, now);
        let (none, second) = ask(&mut book, 1, now);
        assert_eq!((id, none), (Some(1), None));
        assert!(reply(&mut book, 1, 1, "8501912345678", now));
        for answer in [first, second] {
            assert_eq!(answer.expect("asked").try_recv(), Ok(Ok(number())));
        }
        assert_eq!(known(&mut book, 1, now + Duration::from_millis(59_999)), Some(Ok(number())));
        assert_eq!(ask(&mut book, 1, now + Duration::from_secs(60)).0, Some(2));
    }

    #[test]
    fn nobody_is_believed_for_a_few_seconds_only() {
        let (mut book, now) = (book(), Instant::now());
        for (of, value) in [(1, "none"), (2, ""), (3, "1001"), (4, "+8501912345678"), (5, "8501912345678 ")] {
            let (id, _) = ask(&mut book, of, now);
            assert!(reply(&mut book, id.expect("asked"), of, value, now));
            assert_eq!(known(&mut book, of, now), Some(Ok(Who::NoMsisdn)), "{value}");
        }
        let (id, _) = ask(&mut book, 6, now);
        assert!(book.hear(&Ctrl::Error { id, reason: "No such subscriber." }, now));
        assert_eq!(known(&mut book, 6, now), Some(Ok(Who::Unknown)));
        assert_eq!(known(&mut book, 6, now + NONE_AGE), None);
    }

    #[test]
    fn what_is_not_an_answer_is_not_believed() {
        let (mut book, now) = (book(), Instant::now());
        let (id, answer) = ask(&mut book, 1, now);
        let mut answer = answer.expect("asked");
        assert!(!reply(&mut book, 1, 2, "8501912345678", now), "another IMSI under this id");
        assert!(!reply(&mut book, 9, 1, "8501912345678", now), "an id that nobody asked under");
        assert!(!book.hear(&Ctrl::Error { id: None, reason: "Command parser error." }, now));
        assert!(answer.try_recv().is_err());
        assert!(book.hear(&Ctrl::Error { id, reason: "Command not found" }, now));
        assert_eq!(answer.try_recv(), Ok(Err(Away)), "not the same as nobody");
        assert_eq!(known(&mut book, 1, now), None, "and not remembered");
        assert!(is_about("subscriber.by-imsi-901700000000001.msisdn", &imsi(1)));
        assert!(!is_about("subscriber.by-imsi-901700000000001.imei", &imsi(1)));
    }

    #[test]
    fn questions_and_memory_are_bounded() {
        let (mut book, now) = (book(), Instant::now());
        for of in 0..10 {
            assert!(ask(&mut book, of, now).0.is_some());
        }
        assert_eq!(known(&mut book, 10, now), Some(Err(Away)), "an eleventh question");
        book.lost(false);
        for of in 0..10_000 {
            let (id, _) = ask(&mut book, of, now);
            assert!(reply(&mut book, id.expect("asked"), of, "8501912345678", now));
            assert!(book.known.len() <= 100 && book.learnt.len() <= 101 && book.asked.is_empty());
        }
        assert_eq!(known(&mut book, 9_999, now), Some(Ok(number())));
        assert_eq!(known(&mut book, 1, now), None);
        let later = now + Duration::from_secs(61);
        for of in 10_000..10_200 {
            let (id, _) = ask(&mut book, of, later);
            assert!(reply(&mut book, id.expect("asked"), of, "8501912345678", later));
        }
        assert_eq!((book.known.len(), book.learnt.len()), (100, 100));
    }

    #[test]
    fn a_connection_that_is_lost_fails_who_waits() {
        let (mut book, now) = (book(), Instant::now());
        let (_, answer) = ask(&mut book, 1, now);
        assert!(!book.is_stuck(Duration::from_secs(2), now + Duration::from_millis(1_999)));
        assert!(book.is_stuck(Duration::from_secs(2), now + Duration::from_secs(2)));
        book.lost(true);
        assert_eq!(answer.expect("asked").try_recv(), Ok(Err(Away)));
        assert_eq!(known(&mut book, 1, now), Some(Err(Away)), "at once, while nobody is there");
        book.lost(false);
        assert!(!reply(&mut book, 1, 1, "8501912345678", now), "an answer from the connection before");
        assert!(ask(&mut book, 1, now).0.is_some());
    }
}
