//! The stand-in HLR does what the real one does: one script, one transcript.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use expect_test::{Expect, expect};
use lab::load::hlr::{Hlr, HlrConfig, Number};
use lab::load::osmo::{OsmoConfig, OsmoHlr};
use sonmul::gsup::msc::{Dialogue, Msc, MscConfig};
use sonmul::gsup::switch::Cancel;
use wire::imsi::Imsi;
use wire::ss::ErrorCode;

use super::entity::Entity;
use super::{line, screen};

const GUARD_S: u32 = 2;

fn said() -> Expect {
    expect![[r#"
        no entity -> error 34
        no route -> error 18
        one shot -> heard *999*500*1911000002*482913#
        one shot -> ends: given
        unknown IMSI -> heard *999#
        unknown IMSI -> ends: who?
        menu -> heard *999#
        menu -> asks: 1 Give
        menu -> heard 1
        menu -> asks: 번호를 입력하십시오
        menu -> heard 1911000002
        menu -> ends: bye
        second BEGIN -> failed Some(60)
        first BEGIN -> ends: still here
        a second END -> nothing
        put down -> the entity hears nothing: true
        put down with an error -> the entity hears nothing: true
        after the guard -> the phone hears nothing: true
        after the guard -> failed Some(60)
        after the guard -> the entity hears nothing: true
        second entity of the name -> it hears nothing: true
        second entity of the name -> error 34
    "#]]
}

fn imsi(last: u64) -> Imsi {
    Imsi::parse(&format!("9017000000{last:05}")).expect("an IMSI")
}

async fn transcript(hlr: SocketAddr) -> String {
    let msc = Msc::connect(hlr, &MscConfig::named("MSC-00-00-00-00-00-00")).await.expect("connects");
    let (shown, _) = msc.dial(imsi(1), "*999#").await.expect("answered");
    let entity = Entity::connect(hlr, "airtime").await;
    let mut script = Script { hlr, msc, entity, out: Vec::new() };
    script.note("no entity", &line(&shown));
    script.one_shots().await;
    script.menu().await;
    script.the_same_session_from_two_switches().await;
    script.phones_that_are_put_down().await;
    script.guard().await;
    script.second_entity().await
}

/// Both ends of one HLR, and what was seen.
struct Script {
    hlr: SocketAddr,
    msc: Msc,
    entity: Entity,
    out: Vec<String>,
}

impl Script {
    fn note(&mut self, what: &str, said: &str) {
        self.out.push(format!("{what} -> {said}\n"));
    }

    /// Whether a phone sees nothing while another dials and is answered by an HLR that works on one frame after the other.
    async fn sees_nothing(&self, dialogue: &mut Dialogue) -> bool {
        let (other, _) = self.msc.dial(imsi(9), "*000#").await.expect("answered");
        assert_eq!(line(&other), "error 18");
        tokio::time::timeout(Duration::from_millis(1), dialogue.shown()).await.is_err()
    }

    async fn one_shots(&mut self) {
        let (shown, _) = self.msc.dial(imsi(1), "*998*1#").await.expect("answered");
        self.note("no route", &line(&shown));
        for (what, caller, string, text) in [
            ("one shot", imsi(1), "*999*500*1911000002*482913#", "given"),
            ("unknown IMSI", imsi(99_999), "*999#", "who?"),
        ] {
            let mut dialogue = self.msc.begin(caller, string).expect("sent");
            let heard = self.entity.hear().await;
            self.note(what, &format!("heard {}", heard.text));
            self.entity.end(&heard, text).await;
            self.note(what, &line(&screen(what, dialogue.shown()).await));
        }
    }

    async fn menu(&mut self) {
        let mut dialogue = self.msc.begin(imsi(1), "*999#").expect("sent");
        let heard = self.entity.hear().await;
        self.note("menu", &format!("heard {}", heard.text));
        self.entity.ask(&heard, "1 Give").await;
        self.note("menu", &line(&screen("menu", dialogue.shown()).await));
        let (shown, heard) = tokio::join!(screen("menu", dialogue.answer("1")), async {
            let heard = self.entity.hear().await;
            self.entity.ask(&heard, "번호를 입력하십시오").await;
            heard
        });
        self.note("menu", &format!("heard {}", heard.text));
        self.note("menu", &line(&shown));
        let (shown, heard) = tokio::join!(screen("menu", dialogue.answer("1911000002")), async {
            let heard = self.entity.hear().await;
            self.entity.end(&heard, "bye").await;
            heard
        });
        self.note("menu", &format!("heard {}", heard.text));
        self.note("menu", &line(&shown));
    }

    async fn the_same_session_from_two_switches(&mut self) {
        let mut dialogue = self.msc.begin(imsi(1), "*999#").expect("sent");
        let heard = self.entity.hear().await;
        let config = MscConfig { first_session: dialogue.session(), ..MscConfig::named("MSC-11-11-11-11-11-11") };
        let other = Msc::connect(self.hlr, &config).await.expect("connects");
        let (shown, _) = other.dial(imsi(1), "*999#").await.expect("answered");
        self.note("second BEGIN", &line(&shown));
        self.entity.end(&heard, "still here").await;
        self.note("first BEGIN", &line(&screen("first BEGIN", dialogue.shown()).await));
        self.entity.end(&heard, "once more").await;
        assert!(self.entity.hears_nothing().await);
        let quiet = self.sees_nothing(&mut dialogue).await || self.msc.strays() == 0;
        self.note("a second END", if quiet { "nothing" } else { "something" });
    }

    async fn phones_that_are_put_down(&mut self) {
        let busy = Cancel::Error(ErrorCode::USSD_BUSY);
        for (what, how) in [("put down", Cancel::End), ("put down with an error", busy)] {
            let dialogue = self.asked(what).await;
            dialogue.cancel(how).expect("sent");
            // The HLR has worked on it when it has answered a later one.
            let (shown, _) = self.msc.dial(imsi(1), "*000#").await.expect("answered");
            assert_eq!(line(&shown), "error 18");
            let quiet = self.entity.hears_nothing().await;
            self.note(what, &format!("the entity hears nothing: {quiet}"));
        }
    }

    /// A dialogue whose phone was asked something.
    async fn asked(&mut self, what: &str) -> Dialogue {
        let mut dialogue = self.msc.begin(imsi(1), "*999#").expect("sent");
        let heard = self.entity.hear().await;
        self.entity.ask(&heard, "1 Give").await;
        assert_eq!(line(&screen(what, dialogue.shown()).await), "asks: 1 Give");
        dialogue
    }

    async fn guard(&mut self) {
        let mut dialogue = self.asked("guard").await;
        // The guard itself is what is waited for: nobody is told when it expires.
        tokio::time::sleep(Duration::from_secs(u64::from(GUARD_S) + 1)).await;
        let quiet = self.sees_nothing(&mut dialogue).await;
        self.note("after the guard", &format!("the phone hears nothing: {quiet}"));
        self.note("after the guard", &line(&screen("after the guard", dialogue.answer("1")).await));
        let quiet = self.entity.hears_nothing().await;
        self.note("after the guard", &format!("the entity hears nothing: {quiet}"));
    }

    async fn second_entity(mut self) -> String {
        let mut second = Entity::connect(self.hlr, "airtime").await;
        let mut dialogue = self.msc.begin(imsi(1), "*999#").expect("sent");
        let heard = self.entity.hear().await;
        self.entity.end(&heard, "the first").await;
        assert_eq!(line(&screen("the first", dialogue.shown()).await), "ends: the first");
        let quiet = second.hears_nothing().await;
        self.note("second entity of the name", &format!("it hears nothing: {quiet}"));
        let Self { msc, entity, mut out, .. } = self;
        drop(entity);
        // The HLR sees the end of the connection when it comes to it.
        let shown = loop {
            let mut dialogue = msc.begin(imsi(1), "*999#").expect("sent");
            if let Ok(shown) = tokio::time::timeout(Duration::from_millis(200), dialogue.shown()).await {
                break shown.expect("open");
            }
        };
        out.push(format!("second entity of the name -> {}\n", line(&shown)));
        out.concat()
    }
}

#[tokio::test]
async fn the_real_one() {
    let dir = tempfile::tempdir().expect("a directory");
    let config = OsmoConfig {
        euse: String::from("airtime"),
        prefixes: vec![String::from("*999*"), String::from("*999#")],
        guard_s: GUARD_S,
        subscribers: (1..10).map(|last| (String::from(imsi(last).as_str()), None)).collect(),
    };
    let hlr = OsmoHlr::start(dir.path(), &config).await.unwrap_or_else(|error| panic!("{error}"));
    said().assert_eq(&transcript(hlr.gsup).await);
}

#[tokio::test]
async fn the_stand_in() {
    let route = |prefix| (String::from(prefix), String::from("airtime"));
    let config = HlrConfig {
        routes: vec![route("*999*"), route("*999#")],
        sessions_max: 100,
        guard: Duration::from_secs(u64::from(GUARD_S)),
        numbers: Arc::new(|_: &Imsi| Number::Unknown),
    };
    let hlr = Hlr::start(config).await.expect("starts");
    said().assert_eq(&transcript(hlr.gsup).await);
}
