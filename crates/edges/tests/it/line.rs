//! A phone behind a switch: frames go to a link of the flow itself, without HTTP.

use domain::ids::LinkId;
use edges::brake::BrakeConfig;
use edges::flow::{Input, Link, LinkConfig, Turn};
use edges::session::Screen;
use edges::session::Times;
use wire::text::{Budget, fits};

use crate::fake::{Fake, msisdn};
use crate::phone::World;

/// One subscriber on one link. Each dial is a session of its own, each input a frame of its own.
#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) link: Link<Fake>,
    pub(crate) caller: String,
    pub(crate) session: u32,
    mark: u64,
}

impl World {
    /// A link of its own for every number.
    pub(crate) fn link(&self, id: u16, budget: Budget, dialogue: bool) -> Link<Fake> {
        self.flow.link(LinkConfig {
            id: LinkId(id),
            name: format!("switch {id}"),
            operators: vec![String::from("koryolink")],
            ranges: Vec::new(),
            budget,
            dialogue,
            times: Times::default(),
            answer_within_ms: 10_000,
            brake: BrakeConfig::default(),
        })
    }

    pub(crate) fn line(&self, caller: &str) -> Line {
        Line::new(self.link(2, Budget::USSD, true), caller)
    }
}

impl Line {
    pub(crate) fn new(link: Link<Fake>, caller: &str) -> Self {
        Self { link, caller: String::from(caller), session: 0, mark: 0 }
    }

    fn name(&self) -> Box<[u8]> {
        Box::from(self.session.to_be_bytes())
    }

    async fn turn(&self, input: Input) -> Screen {
        let turn = Turn { caller: msisdn(&self.caller), imsi: None, session: self.name(), input };
        let screen = self.link.turn(turn).await;
        assert!(fits(&screen.text, self.link.config().budget), "too long: {}", screen.text);
        screen
    }

    pub(crate) async fn dial(&mut self, dialled: &str) -> Screen {
        self.session += 1;
        self.mark = 0;
        self.turn(Input::Dialled(String::from(dialled).into())).await
    }

    pub(crate) async fn enter(&mut self, typed: &str) -> Screen {
        self.mark += 1;
        self.again(typed).await
    }

    /// The frame of [`Self::enter`] once more.
    pub(crate) async fn again(&mut self, typed: &str) -> Screen {
        self.turn(Input::Typed { text: String::from(typed).into(), mark: self.mark }).await
    }

    pub(crate) fn released(&self) {
        self.link.released(msisdn(&self.caller), &self.name());
    }

    pub(crate) fn unshown(&self) {
        self.link.unshown(msisdn(&self.caller), &self.name());
    }

    /// Dials, and types the same until the session ends.
    pub(crate) async fn talk_until_the_end(&mut self, dialled: &str, typed: &str) -> Vec<Screen> {
        let mut screens = vec![self.dial(dialled).await];
        while screens.last().is_some_and(|screen| screen.goes_on) {
            screens.push(self.enter(typed).await);
            assert!(screens.len() < 100, "it never ends");
        }
        screens
    }

    /// Dials the first and types the rest: a transcript. `!` releases the phone.
    pub(crate) async fn talk(&mut self, inputs: &[&str]) -> String {
        let mut transcript = String::new();
        for (at, input) in inputs.iter().enumerate() {
            if *input == "!" {
                self.released();
                transcript.push_str("> !\n");
                continue;
            }
            let screen = if at == 0 { self.dial(input).await } else { self.enter(input).await };
            let end = if screen.goes_on { "" } else { "END " };
            transcript.push_str(&format!("> {input}\n{end}{}\n", screen.text));
        }
        transcript
    }
}
