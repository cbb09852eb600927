//! A phone behind an aggregator: what is dialled and typed goes through the HTTP router.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use domain::ids::LinkId;
use edges::aggregator::{AggregatorConfig, Source, key_hash, router};
use edges::brake::BrakeConfig;
use edges::flow::{Flow, FlowConfig};
use edges::session::Times;
use edges::texts::Texts;
use http_body_util::BodyExt;
use tower::ServiceExt;
use wire::text::Budget;

use crate::fake::{Fake, keys};

pub(crate) const KEY: &str = "correct-horse-battery-staple";

/// The router over a fake decider.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) fake: Fake,
    pub(crate) flow: Flow<Fake>,
    pub(crate) router: Router,
}

pub(crate) fn config() -> AggregatorConfig {
    AggregatorConfig {
        link: LinkId(1),
        name: String::from("test"),
        key_hash: key_hash(KEY),
        sources: Source::LOOPBACK.to_vec(),
        operators: vec![String::from("koryolink")],
        ranges: Vec::new(),
        budget: Budget::USSD,
        times: Times::default(),
        answer_within_ms: 10_000,
        brake: BrakeConfig::default(),
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(config(), FlowConfig::default())
    }

    /// With some text of the profile replaced.
    pub(crate) fn ruled(replace: &[(&str, &str)]) -> Self {
        Self::over(Fake::ruled(replace), config(), FlowConfig::default())
    }

    pub(crate) fn with(aggregator: AggregatorConfig, flow: FlowConfig) -> Self {
        Self::over(Fake::new(), aggregator, flow)
    }

    pub(crate) fn over(fake: Fake, aggregator: AggregatorConfig, flow: FlowConfig) -> Self {
        let flow = Flow::new(fake.clone(), Arc::new(keys()), Arc::new(Texts::embedded()), flow);
        let router = router(&flow, vec![aggregator]);
        Self { fake, flow, router }
    }

    pub(crate) fn phone(&self, msisdn: &str) -> Phone {
        Phone { world: self.clone(), msisdn: String::from(msisdn), session: 0, service_code: String::new(), text: None }
    }

    /// The entry that an answer names in its header.
    pub(crate) async fn named(&self, request: Request<Body>) -> Option<u64> {
        let response = self.router.clone().oneshot(request).await.expect("infallible");
        response.headers().get("sonmul-seq").map(|seq| seq.to_str().expect("text").parse().expect("a number"))
    }

    /// One request as it is; status and body.
    pub(crate) async fn send(&self, request: Request<Body>) -> (StatusCode, String) {
        let response = self.router.clone().oneshot(request).await.expect("infallible");
        let status = response.status();
        let body = response.into_body().collect().await.expect("a body").to_bytes();
        (status, String::from_utf8(body.to_vec()).expect("text"))
    }
}

/// A form as an aggregator sends it, from this machine and with the key.
pub(crate) fn request(session: &str, service_code: &str, phone: &str, text: &str) -> Request<Body> {
    let escape = |text: &str| text.bytes().map(|octet| format!("%{octet:02X}")).collect::<String>();
    let body = format!(
        "sessionId={}&serviceCode={}&phoneNumber={}&networkCode=46705&text={}",
        escape(session),
        escape(service_code),
        escape(phone),
        escape(text)
    );
    post(body, "127.0.0.1:40000", Some(KEY))
}

pub(crate) fn post(body: String, from: &str, key: Option<&str>) -> Request<Body> {
    post_to("/ussd/africastalking", "application/x-www-form-urlencoded", body, from, key)
}

/// A body for any path.
pub(crate) fn post_to(path: &str, content_type: &str, body: String, from: &str, key: Option<&str>) -> Request<Body> {
    let mut request = Request::post(path).header("content-type", content_type);
    if let Some(key) = key {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    let mut request = request.body(Body::from(body)).expect("a request");
    request.extensions_mut().insert(ConnectInfo(from.parse::<SocketAddr>().expect("an address")));
    request
}

/// One subscriber's handset.
pub(crate) struct Phone {
    pub(crate) world: World,
    pub(crate) msisdn: String,
    pub(crate) session: u32,
    service_code: String,
    text: Option<String>,
}

impl Phone {
    /// Dials a string as the aggregator passes it on: what follows the service code is the first request's text.
    pub(crate) async fn dial(&mut self, dialled: &str) -> String {
        self.session += 1;
        let (code, text) = match dialled.trim_end_matches('#').strip_prefix('*').and_then(|rest| rest.split_once('*')) {
            Some((code, text)) => (format!("*{code}*"), String::from(text)),
            None => (String::from(dialled), String::new()),
        };
        self.service_code = code;
        self.text = Some(text);
        self.again().await
    }

    /// Types into the session.
    pub(crate) async fn enter(&mut self, typed: &str) -> String {
        let text = self.text.take().unwrap_or_default();
        self.text = Some(if text.is_empty() { String::from(typed) } else { format!("{text}*{typed}") });
        self.again().await
    }

    /// The same frame once more.
    pub(crate) async fn again(&mut self) -> String {
        let session = format!("{}-{}", self.msisdn, self.session);
        let text = self.text.clone().unwrap_or_default();
        let request = request(&session, &self.service_code, &format!("+{}", self.msisdn), &text);
        let (status, screen) = self.world.send(request).await;
        assert_eq!(status, StatusCode::OK);
        assert!(screen.starts_with("CON ") || screen.starts_with("END "), "{screen}");
        let shown = screen.get(4..).expect("ASCII before it");
        assert!(wire::text::fits(shown, Budget::USSD), "too long: {shown}");
        screen
    }

    /// Dials the first and types the rest: a transcript.
    pub(crate) async fn talk(&mut self, inputs: &[&str]) -> String {
        let mut transcript = String::new();
        for (at, input) in inputs.iter().enumerate() {
            let screen = if at == 0 { self.dial(input).await } else { self.enter(input).await };
            transcript.push_str(&format!("> {input}\n{screen}\n"));
        }
        transcript
    }
}
