//! An External USSD Entity that is driven by hand: it says what the test tells it to.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wire::gsup::{Kind, ProcSs, SessionState};
use wire::imsi::Imsi;
use wire::ipa::{self, Ccm, Extension, extension_frame, take_frame};
use wire::ss::{Component, Operation, Ussd};
use wire::text::encode;

use super::soon;

pub(crate) struct Entity {
    stream: TcpStream,
    octets: Vec<u8>,
}

/// What an entity hears.
pub(crate) struct Heard {
    pub(crate) imsi: Imsi,
    pub(crate) session: u32,
    pub(crate) text: String,
}

impl Entity {
    /// Connects, and answers who it is.
    pub(crate) async fn connect(hlr: SocketAddr, name: &str) -> Self {
        let stream = TcpStream::connect(hlr).await.expect("an HLR listens");
        let mut entity = Self { stream, octets: Vec::new() };
        let (protocol, payload) = soon("the HLR's question", entity.frame()).await.expect("open");
        assert_eq!((protocol, payload.first()), (ipa::PROTOCOL_CCM, Some(&4)), "ID_GET");
        let response = ipa::id_response(&format!("EUSE-{name}")).expect("a name");
        entity.stream.write_all(&response).await.expect("open");
        // Whoever answers a ping after the identity has read the identity.
        entity.stream.write_all(&ipa::ping()).await.expect("open");
        while soon("a pong", entity.frame()).await.expect("open") != (ipa::PROTOCOL_CCM, vec![1]) {}
        entity
    }

    /// The next frame; `None` when the HLR has closed.
    async fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        loop {
            if let Some((frame, rest)) = take_frame(&self.octets).expect("frames") {
                let (taken, left) = ((frame.protocol, frame.payload.to_vec()), rest.len());
                self.octets.drain(..self.octets.len() - left);
                return Some(taken);
            }
            if self.stream.read_buf(&mut self.octets).await.ok()? == 0 {
                return None;
            }
        }
    }

    /// The next thing that a phone said.
    pub(crate) async fn hear(&mut self) -> Heard {
        soon("a request", async {
            loop {
                let (protocol, payload) = self.frame().await.expect("open");
                if protocol == ipa::PROTOCOL_CCM {
                    if let Ok(Ccm::Ping) = Ccm::parse(&payload) {
                        self.stream.write_all(&ipa::pong()).await.expect("open");
                    }
                    continue;
                }
                let message = ProcSs::parse(payload.get(1..).expect("GSUP")).expect("GSUP");
                let component = Component::parse(message.ss_info.expect("a component")).expect("a component");
                let ussd = match component {
                    Component::Invoke { ussd, .. } => ussd,
                    Component::ReturnResult { outcome: Some((_, Some(ussd))), .. } => ussd,
                    other => panic!("not said by a phone: {other:?}"),
                };
                let text = ussd.text().expect("text");
                return Heard { imsi: message.imsi, session: message.session_id, text };
            }
        })
        .await
    }

    /// Whether nothing came until this moment: a ping's answer overtakes nothing.
    pub(crate) async fn hears_nothing(&mut self) -> bool {
        self.stream.write_all(&ipa::ping()).await.expect("open");
        soon("a pong", self.frame()).await.expect("open") == (ipa::PROTOCOL_CCM, vec![1])
    }

    pub(crate) async fn ask(&mut self, heard: &Heard, text: &str) {
        let text = encode(text);
        let operation = Operation::UnstructuredSsRequest;
        self.say(heard, SessionState::Continue, Component::Invoke { invoke_id: 1, operation, ussd: Ussd::of(&text) })
            .await;
    }

    pub(crate) async fn end(&mut self, heard: &Heard, text: &str) {
        let text = encode(text);
        let outcome = Some((Operation::ProcessUnstructuredSsRequest, Some(Ussd::of(&text))));
        self.say(heard, SessionState::End, Component::ReturnResult { invoke_id: 1, outcome }).await;
    }

    async fn say(&mut self, heard: &Heard, session_state: SessionState, component: Component<'_>) {
        let octets = component.encode().expect("short");
        let message = ProcSs {
            kind: Kind::Result,
            imsi: heard.imsi,
            cause: None,
            class: None,
            session_id: heard.session,
            session_state,
            ss_info: Some(&octets),
        };
        let frame = extension_frame(Extension::Gsup, &message.encode().expect("short")).expect("short");
        self.stream.write_all(&frame).await.expect("open");
    }
}
