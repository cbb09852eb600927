use super::{Dialogues, Heard, Job, Own, Said, Ticket};
use crate::euse::status::{Counts, Status};
use crate::flow::Input;
use crate::session::{About, Screen};
use proptest::prelude::{any, proptest};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use wire::gsup::{Kind, ProcSs, SessionState};
use wire::imsi::Imsi;
use wire::ipa::{Extension, take_frame};
use wire::ss::{Component, ErrorCode, Operation, Ussd};
use wire::text::{Budget, encode};

const GUARD: Duration = Duration::from_secs(30);

/// Captured on OsmoHLR 1.5.0, IPA's head and all.
const BEGIN: &str = "002bee0520010809710000000000f130046e0a62353101013514a11202010102013b300a04010f0405aa5c2e3702";
const TYPED: &str = "0029ee0520010809710000000000f130046e0a62353101023512a210020101300b02013c300604010f040131";

struct Table {
    dialogues: Dialogues,
    status: Arc<Status>,
    now: Instant,
}

fn hex(text: &str) -> Vec<u8> {
    let octet = |at| u8::from_str_radix(text.get(at..at + 2).expect("two digits"), 16).expect("hex");
    (0..text.len()).step_by(2).map(octet).collect()
}

fn to_hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn table() -> Table {
    table_of(1_000)
}

fn table_of(dialogues_max: usize) -> Table {
    let status = Arc::new(Status::new());
    Table { dialogues: Dialogues::new(Arc::clone(&status), dialogues_max, GUARD), status, now: Instant::now() }
}

fn imsi(n: u32) -> Imsi {
    Imsi::parse(&format!("9017000{n:08}")).expect("an IMSI")
}

fn gsup(kind: Kind, of: (u32, u32), session_state: SessionState, ss_info: Option<&[u8]>) -> Vec<u8> {
    let message = ProcSs { kind, imsi: imsi(of.0), cause: None, class: None, session_id: of.1, session_state, ss_info };
    message.encode().expect("short")
}

fn dial(of: (u32, u32), invoke_id: i8, text: &str) -> Vec<u8> {
    let encoded = encode(text);
    let operation = Operation::ProcessUnstructuredSsRequest;
    let component = Component::Invoke { invoke_id, operation, ussd: Ussd::of(&encoded) }.encode().expect("short");
    gsup(Kind::Request, of, SessionState::Begin, Some(&component))
}

fn typed(of: (u32, u32), invoke_id: i8, text: &str) -> Vec<u8> {
    let encoded = encode(text);
    let outcome = Some((Operation::UnstructuredSsRequest, Some(Ussd::of(&encoded))));
    let component = Component::ReturnResult { invoke_id, outcome }.encode().expect("short");
    gsup(Kind::Request, of, SessionState::Continue, Some(&component))
}

/// What is done about a message, in a word or two.
fn show(heard: &Heard) -> String {
    match heard {
        Heard::Work(Job { input: Input::Dialled(text), ticket }) => {
            format!("dialled {}{}", text.as_str(), again(ticket))
        }
        Heard::Work(Job { input: Input::Typed { text, mark }, ticket }) => {
            format!("typed {} mark {mark}{}", text.as_str(), again(ticket))
        }
        Heard::Work(Job { input: Input::Joined { .. } | Input::Latest { .. }, .. }) => String::from("no frame of GSUP"),
        Heard::Say(_, own) => format!("say {own:?}"),
        Heard::Nothing => String::from("nothing"),
    }
}

fn again(ticket: &Ticket) -> &'static str {
    if ticket.repeated { ", again" } else { "" }
}

impl Table {
    fn hear(&mut self, body: &[u8]) -> Heard {
        self.dialogues.hear(body, self.now)
    }

    fn told(&mut self, body: &[u8]) -> String {
        show(&self.hear(body))
    }

    /// Hears a message that must be worked on.
    fn work(&mut self, body: &[u8]) -> Job {
        match self.hear(body) {
            Heard::Work(job) => job,
            other => panic!("not to be worked on: {}", show(&other)),
        }
    }

    /// Shows a screen; the frame in hex, and what is to be worked on next.
    fn screen(&mut self, job: &Job, text: &str, goes_on: bool) -> (Option<String>, Option<Job>) {
        let waits = self.dialogues.answered(&job.ticket, Said::Screen { goes_on }, self.now);
        let screen = Screen { text: String::from(text), goes_on, about: About::Nothing };
        let frame = job.ticket.address.render(&screen).map(|frame| to_hex(&frame)).filter(|_| waits);
        (frame, self.dialogues.next(&job.ticket))
    }

    fn counts(&self) -> Counts {
        self.status.counts()
    }
}

fn body_of(frame: &[u8]) -> Vec<u8> {
    let (frame, rest) = take_frame(frame).expect("a frame").expect("whole");
    assert!(rest.is_empty());
    let (extension, body) = frame.extension().expect("an extension");
    assert_eq!(extension, Extension::Gsup);
    body.to_vec()
}

#[test]
fn the_captured_dialogue() {
    let mut table = table();
    let job = table.work(&body_of(&hex(BEGIN)));
    assert!(matches!(&job.input, Input::Dialled(text) if text.as_str() == "*999#"));
    // As captured up to the text, which has the capture's first letters and its length.
    let (menu, _) = table.screen(&job, "Menu 1: balance 2: last five", true);
    let head = "003fee0522010809710000000000f130046e0a62353101023528a12602010102013c301e04010f0419cdb2bb0e";
    assert_eq!(menu.as_deref().and_then(|menu| menu.get(..head.len())), Some(head));

    let job = table.work(&body_of(&hex(TYPED)));
    assert!(matches!(&job.input, Input::Typed { text, mark: 1 } if text.as_str() == "1"));
    let (end, _) = table.screen(&job, "You chose 1", false);
    let head = "0032ee0522010809710000000000f130046e0a6235310103351ba219020101301402013b300f04010f040ad977";
    assert_eq!(end.as_deref().and_then(|end| end.get(..head.len())), Some(head));
    assert_eq!(
        end.as_deref().and_then(|end| end.get(head.len() - 4..)),
        Some(to_hex(&encode("You chose 1").octets).as_str())
    );
}

#[test]
fn each_prompt_has_an_id_and_a_repeated_frame_the_same_mark() {
    let mut table = table();
    let of = (1, 7);
    let job = table.work(&dial(of, 5, "*999#"));
    let (first, _) = table.screen(&job, "one", true);
    let job = table.work(&dial(of, 5, "*999#"));
    assert!(job.ticket.repeated);
    assert_eq!(table.screen(&job, "one", true).0, first, "the same prompt has the same id");
    let job = table.work(&typed(of, 1, "a"));
    assert!(!job.ticket.repeated);
    let (second, _) = table.screen(&job, "two", true);
    let repeated = table.work(&typed(of, 1, "a"));
    assert!(repeated.ticket.repeated);
    assert_eq!(table.screen(&repeated, "two", true).0, second);
    assert_eq!(table.told(&typed(of, 2, "a")), "typed a mark 2", "the same text for another prompt is another frame");
}

#[test]
fn frames_of_a_dialogue_wait_for_the_one_before() {
    let mut table = table();
    let of = (1, 7);
    let job = table.work(&dial(of, 5, "*999#"));
    for _ in 0..4 {
        assert_eq!(table.told(&dial(of, 5, "*999#")), "nothing");
    }
    assert_eq!(table.counts().stale, 0);
    assert_eq!(table.told(&dial(of, 5, "*999#")), "nothing");
    assert_eq!(table.counts().stale, 1, "the fifth is one too many");
    assert_eq!(table.told(&typed(of, 1, "x")), "nothing", "no prompt was shown yet");
    let mut next = table.screen(&job, "menu", true).1;
    for _ in 0..4 {
        let job = next.expect("a frame waits");
        assert!(job.ticket.repeated);
        next = table.screen(&job, "menu", true).1;
    }
    assert!(next.is_none());
    assert_eq!(table.told(&typed(of, 1, "x")), "typed x mark 1");
}

#[test]
fn the_same_numbers_with_other_content_are_a_new_dialogue() {
    let mut table = table();
    let of = (1, 0x2000_0001);
    let old = table.work(&dial(of, 1, "*999*1#"));
    let new = table.work(&dial(of, 2, "*999*2#"));
    assert!(!new.ticket.repeated);
    assert_eq!(table.screen(&old, "old", false).0, None, "nobody waits for the old one");
    let (frame, _) = table.screen(&new, "new", false);
    assert!(frame.expect("sent").contains("a2") && table.counts().dropped_gone == 1);
    // Again after its end: the same content is the same dial, other content a new one.
    assert_eq!(table.told(&dial(of, 2, "*999*2#")), "dialled *999*2#, again");
    assert_eq!(table.told(&dial(of, 2, "*999*3#")), "dialled *999*3#");
    // After an input the switch has begun to count anew.
    let job = table.work(&dial((2, 1), 1, "*999#"));
    table.screen(&job, "menu", true);
    let job = table.work(&typed((2, 1), 1, "1"));
    table.screen(&job, "bye", false);
    assert_eq!(table.told(&dial((2, 1), 1, "*999#")), "dialled *999#");
}

#[test]
fn what_we_said_ourselves_is_said_again() {
    let mut table = table();
    for (session, own) in [(1, Own::Busy), (2, Own::CallerUnknown)] {
        let job = table.work(&dial((1, session), 1, "*999*1#"));
        assert!(table.dialogues.answered(&job.ticket, Said::Own(own), table.now));
        assert!(table.dialogues.next(&job.ticket).is_none());
        assert_eq!(table.told(&dial((1, session), 1, "*999*1#")), format!("say {own:?}"));
        assert_eq!(table.told(&dial((1, session), 1, "*999*2#")), "dialled *999*2#");
    }
    let job = table.work(&dial((2, 1), 1, "*999#"));
    table.screen(&job, "menu", true);
    let job = table.work(&typed((2, 1), 1, "1"));
    assert!(table.dialogues.answered(&job.ticket, Said::Own(Own::Busy), table.now));
    table.dialogues.next(&job.ticket);
    assert_eq!(table.told(&typed((2, 1), 1, "1")), "say Busy");
}

#[test]
fn whoever_leaves_gets_no_answer() {
    let error = Component::ReturnError { invoke_id: 1, error: ErrorCode::USSD_BUSY }.encode().expect("short");
    let reject = hex("a406020101800102");
    let ends = [
        gsup(Kind::Error, (1, 7), SessionState::End, None),
        gsup(Kind::Error, (1, 7), SessionState::Continue, None),
        gsup(Kind::Request, (1, 7), SessionState::End, None),
        gsup(Kind::Request, (1, 7), SessionState::Continue, Some(&error)),
        gsup(Kind::Request, (1, 7), SessionState::Continue, Some(&reject)),
        gsup(Kind::Request, (1, 7), SessionState::Begin, Some(&error)),
    ];
    for end in ends {
        let mut table = table();
        let job = table.work(&dial((1, 7), 1, "*999#"));
        assert_eq!(table.told(&end), "nothing");
        assert_eq!(table.screen(&job, "menu", true).0, None);
        assert_eq!((table.counts().cancelled, table.counts().dropped_gone), (1, 1));
        assert_eq!(table.told(&typed((1, 7), 1, "1")), "say SessionOver");
        assert_eq!(table.dialogues.len(), 0);
    }
}

#[test]
fn what_can_not_be_read_is_answered_or_counted() {
    let begin = |ss_info: &str| gsup(Kind::Request, (1, 7), SessionState::Begin, Some(&hex(ss_info)));
    for (what, ss_info, expected) in [
        ("non-minimal lengths", "a1811302010102013b300b04010f048105aa5c2e3702", "dialled *999#"),
        ("an unknown alphabet", "a11202010102013b300a0401f40405aa5c2e3702", "say Unreadable"),
        ("half a letter of UCS-2", "a110020101020 13b3008040148040341", "say Unreadable"),
        ("an indefinite length", "a18002010102013b300a04010f0405aa5c2e37020000", "say Unreadable"),
        ("nested without end", "3080308030803080308030803080", "say Unreadable"),
        ("cut short", "a11202010102013b300a04010f0405aa5c", "say Unreadable"),
        ("another operation", "a106020105020 10a", "say Unreadable"),
        ("a result", "a2100201013 00b02013c300604010f040131", "say Unreadable"),
        ("nothing", "", "say Unreadable"),
    ] {
        let mut table = table();
        let message = begin(&ss_info.replace(' ', ""));
        assert_eq!(table.told(&message), expected, "{what}");
        if expected == "say Unreadable" {
            assert_eq!(table.told(&message), expected, "{what}, again");
            assert!(table.counts().malformed + table.counts().unreadable > 0, "{what}");
            assert_eq!(table.told(&dial((1, 7), 1, "*999#")), "dialled *999#", "{what}, then a right one");
        }
    }
    let mut table = table();
    let valid = dial((1, 7), 1, "*999#");
    for len in 0..valid.len() {
        // A message of whole elements, but without its component, has somebody who waits for a text.
        let expected = if len == 20 { "say Unreadable" } else { "nothing" };
        assert_eq!(table.told(&valid[..len]), expected, "{len} octets");
    }
    assert_eq!(table.dialogues.len(), 1);
    assert_eq!((table.counts().malformed, table.counts().ignored), (u64::try_from(valid.len()).expect("small"), 0));
    // Update location, its error, and our own kind come back.
    for other in ["0401080971", "05", "2801080971", "22010809710000000000f130046e0a6235310103"] {
        assert_eq!(table.told(&hex(other)), "nothing");
    }
    assert_eq!(table.counts().ignored, 4);
}

#[test]
fn an_input_that_can_not_be_read_ends_its_dialogue() {
    for ss_info in ["a210020101300b02013c30060401f4040131", "a1060201010201ff", ""] {
        let mut table = table();
        let job = table.work(&dial((1, 7), 1, "*999#"));
        let bad = gsup(Kind::Request, (1, 7), SessionState::Continue, Some(&hex(ss_info)));
        assert_eq!(table.told(&bad), "nothing", "an answer is on its way");
        table.screen(&job, "menu", true);
        assert_eq!(table.told(&bad), "say Unreadable");
        assert_ne!(table.told(&typed((1, 7), 1, "1")), "typed 1 mark 1", "it is over");
    }
    // Nothing typed is an answer.
    let mut table = table();
    let job = table.work(&dial((1, 7), 1, "*999#"));
    table.screen(&job, "menu", true);
    let nothing = gsup(Kind::Request, (1, 7), SessionState::Continue, Some(&hex("a203020101")));
    assert_eq!(table.told(&nothing), "typed  mark 1");
}

#[test]
fn ids_of_prompts_that_were_not_asked_do_nothing() {
    let mut table = table();
    let job = table.work(&dial((1, 7), 1, "*999#"));
    table.screen(&job, "one", true);
    for prompt in 1..5 {
        for stale in [-1, 0, prompt + 1, prompt - 2] {
            assert_eq!(table.told(&typed((1, 7), stale, "x")), "nothing", "{stale} at {prompt}");
        }
        let job = table.work(&typed((1, 7), prompt, "x"));
        table.screen(&job, "next", true);
    }
    assert_eq!(table.counts().stale, 16 - u64::from(table.counts().malformed > 0));
}

#[test]
fn a_lost_connection_ends_its_dialogues() {
    let mut table = table();
    let waits = table.work(&dial((1, 7), 9, "*999#"));
    table.screen(&waits, "menu", true);
    let worked_on = table.work(&dial((2, 7), 1, "*999#"));
    table.dialogues.disconnected();
    assert_eq!(table.screen(&worked_on, "menu", true).0, None);
    let Heard::Say(address, Own::SessionOver) = table.hear(&typed((1, 7), 1, "1")) else { panic!("no answer") };
    let frame = address.render(&Screen::end(String::from("over"))).expect("fits");
    let body = body_of(&frame);
    let component = Component::parse(ProcSs::parse(&body).expect("a message").ss_info.expect("a component"));
    assert!(matches!(component, Ok(Component::ReturnResult { invoke_id: 9, .. })), "of the phone's own invoke");
    assert_eq!(table.told(&typed((2, 7), 1, "1")), "say SessionOver");
    // What was worked on before the cut was worked on.
    assert_eq!(table.told(&dial((1, 7), 9, "*999#")), "dialled *999#, again");
    assert_eq!(table.told(&dial((1, 7), 9, "*999*1#")), "dialled *999*1#");
}

#[test]
fn a_flood_of_dialogues_without_end_is_bounded() {
    let mut table = table_of(100);
    let honest = table.work(&dial((0, 1), 1, "*999#"));
    for n in 1..=10_000 {
        let job = table.work(&dial((n, 1), 1, "*999#"));
        table.screen(&job, "menu", true);
        assert!(table.dialogues.len() <= 101);
    }
    assert!(table.screen(&honest, "menu", true).0.is_some(), "what is worked on stays");
    assert_eq!(table.told(&typed((0, 1), 1, "1")), "typed 1 mark 1");
    assert_eq!(table.told(&typed((1, 1), 1, "1")), "say SessionOver");
    assert!(table.counts().evicted >= 9_899);
    assert_eq!(table.dialogues.silent.len() + table.dialogues.over.len() + 1, table.dialogues.len());
}

#[test]
fn what_is_over_makes_room_before_what_waits() {
    let mut table = table_of(100);
    for n in 0..50 {
        let job = table.work(&dial((n, 1), 1, "*999#"));
        table.screen(&job, "menu", true);
    }
    for n in 50..5_000 {
        let job = table.work(&dial((n, 1), 1, "*999*1#"));
        table.screen(&job, "done", false);
    }
    assert_eq!((table.dialogues.len(), table.counts().evicted), (100, 0));
    for n in 0..50 {
        assert_eq!(table.told(&typed((n, 1), 1, "1")), "typed 1 mark 1");
    }
}

#[test]
fn quiet_means_that_no_phone_is_expected_to_type() {
    let mut table = table();
    assert!(table.dialogues.is_quiet(table.now));
    let job = table.work(&dial((1, 1), 1, "*999#"));
    table.screen(&job, "menu", true);
    assert!(!table.dialogues.is_quiet(table.now + GUARD.saturating_sub(Duration::from_millis(1))));
    assert!(table.dialogues.is_quiet(table.now + GUARD));
    let job = table.work(&typed((1, 1), 1, "0"));
    table.screen(&job, "bye", false);
    assert!(table.dialogues.is_quiet(table.now));
}

#[test]
fn a_screen_that_the_hlr_drops_in_silence_is_never_made() {
    let mut table = table();
    let job = table.work(&dial((1, 7), 1, "*999#"));
    let render = |text: String, goes_on| job.ticket.address.render(&Screen { text, goes_on, about: About::Nothing });
    for goes_on in [true, false] {
        assert!(render("x".repeat(128), goes_on).is_some());
        assert!(render("x".repeat(129), goes_on).is_none());
        assert!(render("원".repeat(56), goes_on).is_some());
        assert!(render("원".repeat(57), goes_on).is_none());
        assert!(render("€".repeat(65), goes_on).is_none(), "two septets each");
    }
    assert_eq!(Budget::USSD_OSMOHLR.septets, 128);
}

proptest! {
    #[test]
    fn any_octets(messages in proptest::collection::vec(any::<Vec<u8>>(), 0..20)) {
        let mut table = table();
        for message in messages {
            table.hear(&message);
        }
    }

    /// Whatever the order, the table's rows are all found again, and what is worked on is not dropped.
    #[test]
    fn any_order(steps in proptest::collection::vec((0..6_u32, 0..8_u8, 0..3_i8), 0..200)) {
        let mut table = table_of(4);
        let mut jobs: Vec<Job> = Vec::new();
        for (n, what, id) in steps {
            let heard = match what {
                0 | 1 => table.hear(&dial((n, 1), id, "*999#")),
                2 | 3 => table.hear(&typed((n, 1), id, "1")),
                4 => table.hear(&gsup(Kind::Error, (n, 1), SessionState::End, None)),
                5 if !jobs.is_empty() => {
                    let job = jobs.remove(usize::try_from(n).unwrap_or_default() % jobs.len());
                    jobs.extend(table.screen(&job, "x", id > 0).1);
                    continue;
                }
                6 if n == 0 => {
                    table.dialogues.disconnected();
                    continue;
                }
                _ => {
                    table.now += Duration::from_secs(7);
                    continue;
                }
            };
            if let Heard::Work(job) = heard {
                jobs.push(job);
            }
        }
        while let Some(job) = jobs.pop() {
            jobs.extend(table.screen(&job, "x", false).1);
        }
        let dialogues = &table.dialogues;
        assert_eq!(dialogues.silent.len() + dialogues.over.len(), dialogues.len());
        assert!(dialogues.rows.values().all(|row| !row.working && row.waiting.is_empty()));
    }
}
