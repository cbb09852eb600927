use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use crate::aggregators::{Json, hubtel};
use crate::fake::{ALICE, BOB, CARD, SPARE_CARD};
use crate::phone::{KEY, World, post, request};
use axum::http::StatusCode;
use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_octets_get_a_screen(code in any::<Vec<u8>>(), text in any::<Vec<u8>>(), again in any::<Vec<u8>>()) {
        let escape = |octets: &[u8]| octets.iter().fold(String::new(), |mut text, octet| {
            write!(text, "%{octet:02X}").expect("a string takes it");
            text
        });
        let world = World::new();
        runtime().block_on(async {
            for (code, text) in [(&*code, &*text), (b"*999#", &*text), (b"*999*", &[&text, &b"*"[..], &again].concat())] {
                let body = format!(
                    "sessionId=s&serviceCode={}&phoneNumber=%2B{ALICE}&text={}",
                    escape(code),
                    escape(text)
                );
                let (status, screen) = world.send(post(body, "127.0.0.1:1", Some(KEY))).await;
                assert_eq!(status, StatusCode::OK);
                assert!(screen.starts_with("CON ") || screen.starts_with("END "));
                assert!(wire::text::fits(&screen[4..], wire::text::Budget::USSD));
            }
        });
        prop_assert!(world.fake.given().is_empty());
    }

    #[test]
    fn what_belongs_elsewhere_is_never_shown(
        fields in proptest::collection::vec(0..6_usize, 0..6),
        typed in proptest::collection::vec(0..12_usize, 0..8),
    ) {
        // A password and card numbers in every place where something else belongs.
        let secrets = ["482913", "730518", CARD, SPARE_CARD, "9912345678901239", "990011"];
        let others = ["1", "2", "5", "6", "500", "01921112222"];
        let pool: Vec<&str> = others.into_iter().chain(secrets).collect();
        let dialled: Vec<&str> = fields.iter().map(|at| secrets[*at]).collect();
        let world = World::new();
        let screens = runtime().block_on(async {
            let mut phone = world.phone(ALICE);
            let mut screens = vec![phone.dial(&format!("*999*{}#", dialled.join("*"))).await, phone.dial("*999#").await];
            for at in &typed {
                screens.push(phone.enter(pool[*at]).await);
            }
            screens
        });
        for screen in screens {
            let digits: String = screen.chars().filter(char::is_ascii_digit).collect();
            for secret in secrets {
                prop_assert!(!screen.contains(secret) && !digits.contains(&secret[2..]), "{screen}");
            }
        }
    }
}

#[tokio::test]
async fn who_may_not_speak_learns_nothing() {
    let world = World::new();
    let body = || format!("sessionId=s&serviceCode=*999%23&phoneNumber=%2B{ALICE}&text=");
    let cases = [
        (post(body(), "127.0.0.1:1", Some("wrong-key")), StatusCode::UNAUTHORIZED),
        (post(body(), "127.0.0.1:1", None), StatusCode::UNAUTHORIZED),
        (post(body(), "192.0.2.7:1", Some(KEY)), StatusCode::FORBIDDEN),
        (post(body(), "192.0.2.7:1", Some("wrong-key")), StatusCode::FORBIDDEN),
        (post(format!("{}{}", body(), "1".repeat(5_000)), "127.0.0.1:1", Some(KEY)), StatusCode::PAYLOAD_TOO_LARGE),
        (post(String::from("sessionId=s&text=482913"), "127.0.0.1:1", Some(KEY)), StatusCode::BAD_REQUEST),
    ];
    for (request, expected) in cases {
        let (status, shown) = world.send(request).await;
        assert_eq!((status, shown.as_str()), (expected, ""));
    }
    let mut without_address = request("s", "*999#", "+8501912345678", "");
    without_address.extensions_mut().clear();
    assert_eq!(world.send(without_address).await.0, StatusCode::FORBIDDEN);
    for header in ["x-api-key", "query"] {
        let mut request = post(body(), "127.0.0.1:1", None);
        if header == "query" {
            *request.uri_mut() = format!("/ussd/africastalking?key={KEY}").parse().expect("an address");
        } else {
            request.headers_mut().insert(header, KEY.parse().expect("a header"));
        }
        assert_eq!(world.send(request).await.0, StatusCode::OK, "{header}");
    }
}

#[tokio::test]
async fn what_a_phone_should_see_is_always_200() {
    let world = World::new();
    for (session, phone) in [("s", "nobody"), ("s", ""), ("", "+8501912345678"), (&*"s".repeat(200), "+8501912345678")]
    {
        let (status, screen) = world.send(request(session, "*999#", phone, "")).await;
        assert_eq!((status, screen.as_str()), (StatusCode::OK, "END 봉사하지 않는 번호입니다."));
    }
    // A plus that nobody escaped.
    let body = format!("sessionId=s&serviceCode=*999%23&phoneNumber=+{ALICE}&text=");
    assert!(world.send(post(body, "127.0.0.1:1", Some(KEY))).await.1.starts_with("CON "));
}

/// Everything that is logged, at the finest level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("not poisoned").extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn nothing_secret_is_logged() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        runtime().block_on(async {
            let world = World::new();
            let mut phone = world.phone(ALICE);
            phone.talk(&["*999*500*1921112222*482913#"]).await;
            phone.talk(&["*999#", "3", "111111", "482913"]).await;
            phone.talk(&["*999#", "6", "482913", "590274", "590274"]).await;
            phone.talk(&["*999#", "5", SPARE_CARD, "730518"]).await;
            phone.talk(&["*999*482913*590274*730518#"]).await;
            phone.talk(&["*998*482913#"]).await;
            world.phone(BOB).talk(&["*999*0*9*482913#"]).await;
            world.send(post(String::from("sessionId=482913"), "127.0.0.1:1", Some("wrong-key"))).await;
            for dialect in Json::BOTH {
                world.talk_json(dialect, ALICE, "s", &["*999#", "3", "111111", "482913"]).await;
                world.talk_json(dialect, ALICE, "t", &["*999*100*1921112222*482913#", "482913"]).await;
                let gone = hubtel("Release", ALICE, "s", "482913", 3);
                world.send_json(dialect, gone).await;
                world.send_json(dialect, r#"{"Type":"482913","Message":["482913"]}"#).await;
            }
        });
    });
    let text = String::from_utf8(log.0.lock().expect("not poisoned").clone()).expect("text");
    assert!(text.contains("command=\"gift\"") && text.contains("…678"), "something is logged:\n{text}");
    for secret in
        ["482913", "590274", "730518", "111111", SPARE_CARD, "1912345678", "1921112222", "*999*", KEY, "wrong-key"]
    {
        assert!(!text.contains(secret), "{secret} in:\n{text}");
    }
}
