//! The life of a bind at npm `smpp`: refused, cut in the middle of a PDU, silent, unbound, reset, away, and over TLS.

use edges::esme::{Phase, SubmitFault, TlsConfig};
use serde_json::json;

use crate::peers::{PATIENCE, Smsc};
use crate::peers_rig::{Bind, PASSWORD, at, config, sms, submit_until_taken};

#[tokio::test]
async fn a_bind_refused_says_what_to_do_and_goes_on_trying() {
    let rows = [
        ("ESME_RINVPASWD", "password"),
        ("ESME_RINVSYSID", "system_id"),
        ("ESME_RBINDFAIL", "system_id"),
        ("ESME_RALYBND", "another session"),
    ];
    for (status, advice) in rows {
        let mut smsc = Smsc::npm(json!({ "bind": { "status": status } })).await;
        let bind = Bind::start(config(at(smsc.port)));
        bind.trouble(&[status, advice]).await;
        assert_eq!(bind.submit(&sms("hi")).await, Err(SubmitFault::NotBound), "{status}");
        smsc.event("bind").await;
        // The account is mended meanwhile: nobody has to restart anything.
        smsc.order(&json!({ "do": "bind", "bind": {} }));
        bind.until_bound().await;
        bind.submit(&sms("hi")).await.expect("taken");
    }
}

#[tokio::test]
async fn the_wrong_password_is_refused_by_the_stack_itself() {
    let smsc = Smsc::npm(json!({ "bind": { "password": "another" } })).await;
    let bind = Bind::start(config(at(smsc.port)));
    let trouble = bind.trouble(&["ESME_RINVPASWD", "check `password_file`"]).await;
    assert!(!trouble.contains(PASSWORD));
    assert_eq!(bind.esme.status().phase(), Phase::Away);
}

#[tokio::test]
async fn no_answer_to_a_bind() {
    let mut smsc = Smsc::npm(json!({ "bind": { "silent": true } })).await;
    let mut config = config(at(smsc.port));
    config.response_within_ms = 300;
    let bind = Bind::start(config);
    smsc.event("bind").await;
    bind.trouble(&["bind"]).await;
    smsc.order(&json!({ "do": "bind", "bind": {} }));
    bind.until_bound().await;
}

#[tokio::test]
async fn answers_cut_anywhere_and_finished_later_are_whole() {
    let cuts = [1, 3, 4, 8, 15, 16, 17, 23];
    let rules: Vec<_> =
        cuts.iter().map(|at| json!({ "times": 1, "cut": { "at": at, "ms": 30, "then": "rest" } })).collect();
    let mut smsc =
        Smsc::npm(json!({ "bind": { "cut": { "at": 9, "ms": 100, "then": "rest" } }, "rules": rules })).await;
    let mut bind = Bind::bound(config(at(smsc.port))).await;
    for (number, cut) in cuts.into_iter().enumerate() {
        let submitted = bind.submit(&sms("hi")).await.expect("taken");
        assert_eq!(submitted.message_id, Some((1_000_000 + number).to_string()), "cut at {cut}");
    }
    // Deliveries too: each is a receipt that must arrive once.
    for cut in [2, 16, 21, 60] {
        smsc.order(&json!({
            "do": "deliver", "tag": "cut", "cut": { "at": cut, "ms": 30, "then": "rest" },
            "fields": { "source_addr": "8501921112222", "source_addr_ton": 1, "esm_class": 4,
                "short_message": format!("id:{cut} stat:DELIVRD err:000") },
        }));
        assert_eq!(smsc.answer("cut").await["status"], 0);
        assert_eq!(bind.receipt().await.message_id, Some(cut.to_string()));
    }
    assert_eq!(bind.esme.status().counts().binds, 1);
}

#[tokio::test]
async fn glued_pdus_are_taken_apart() {
    let mut smsc = Smsc::npm(json!({ "rules": [{ "glue": true, "receipt": { "copies": 3 } }] })).await;
    let mut bind = Bind::bound(config(at(smsc.port))).await;
    bind.submit(&sms("hi")).await.expect("taken");
    for _ in 0..3 {
        bind.receipt().await;
        assert_eq!(smsc.answer("receipt").await["status"], 0);
    }
    let receipt = |id: u32| json!({ "fields": { "esm_class": 4, "short_message": format!("id:{id} stat:DELIVRD") }, "tag": "glued" });
    let mut pdus: Vec<_> = (0..50).map(receipt).collect();
    pdus.insert(20, json!({ "command": "enquire_link", "tag": "alive" }));
    smsc.order(&json!({ "do": "deliver", "pdus": pdus, "cut": { "at": 1_000, "ms": 20, "then": "rest" } }));
    assert_eq!(smsc.answer("alive").await["command"], "enquire_link_resp");
    let mut ids: Vec<u32> = Vec::new();
    for _ in 0..50 {
        assert_eq!(smsc.answer("glued").await["status"], 0);
        ids.push(bind.receipt().await.message_id.expect("an id").parse().expect("a number"));
    }
    ids.sort_unstable();
    assert!(ids.into_iter().eq(0..50));
}

#[tokio::test]
async fn a_cut_in_the_middle_of_an_answer_is_unknown_and_the_bind_comes_back() {
    let mut smsc =
        Smsc::npm(json!({ "rules": [{ "times": 1, "cut": { "at": 18, "ms": 10, "then": "close" } }, {}] })).await;
    let bind = Bind::bound(config(at(smsc.port))).await;
    assert_eq!(bind.submit(&sms("first")).await, Err(SubmitFault::Cut));
    submit_until_taken(bind.esme.clone(), sms("again")).await;
    let texts = [smsc.submit().await["text"].clone(), smsc.submit().await["text"].clone()];
    assert_eq!(texts, ["first", "again"], "the edge itself sends nothing twice");
    assert_eq!(bind.esme.status().counts().binds, 2);
}

#[tokio::test]
async fn everything_in_flight_hears_of_a_reset() {
    let mut smsc = Smsc::npm(json!({ "rules": [{ "hold": true }] })).await;
    let bind = Bind::bound(config(at(smsc.port))).await;
    let mut submits = tokio::task::JoinSet::new();
    for _ in 0..7 {
        let (esme, sms) = (bind.esme.clone(), sms("hi"));
        submits.spawn(async move { esme.submit(&sms).await });
    }
    for _ in 0..7 {
        smsc.submit().await;
    }
    smsc.order(&json!({ "do": "reset" }));
    let heard = tokio::time::timeout(PATIENCE, submits.join_all()).await.expect("they hear");
    assert!(heard.iter().all(|outcome| *outcome == Err(SubmitFault::Cut)), "{heard:?}");
    bind.until_binds(2).await;
}

#[tokio::test]
async fn a_silent_smsc_is_given_up_and_bound_again() {
    let mut smsc = Smsc::npm(json!({})).await;
    let mut config = config(at(smsc.port));
    (config.enquire_link_s, config.response_within_ms) = (1, 500);
    let bind = Bind::bound(config).await;
    // While it answers, an idle line stays.
    smsc.event("enquire_link").await;
    smsc.event("enquire_link").await;
    assert_eq!(bind.esme.status().counts().binds, 1);
    smsc.order(&json!({ "do": "enquire", "how": "silent" }));
    smsc.event("closed").await;
    smsc.order(&json!({ "do": "enquire", "how": "answer" }));
    bind.until_binds(2).await;
    bind.submit(&sms("hi")).await.expect("taken");
}

#[tokio::test]
async fn an_smsc_that_asks_tells_and_says_goodbye() {
    let mut smsc = Smsc::npm(json!({})).await;
    let bind = Bind::bound(config(at(smsc.port))).await;
    smsc.order(&json!({ "do": "enquire_link", "tag": "alive" }));
    let alive = smsc.answer("alive").await;
    assert_eq!((&alive["command"], &alive["status"]), (&json!("enquire_link_resp"), &json!(0)));

    smsc.order(&json!({ "do": "alert", "source_addr": "8501921112222", "esme_addr": "Koryolink" }));
    smsc.order(&json!({ "do": "enquire_link", "tag": "after the alert" }));
    smsc.answer("after the alert").await;
    assert_eq!(smsc.heard("answer").await, 0, "an alert has no answer");

    smsc.order(&json!({ "do": "unbind", "tag": "goodbye" }));
    assert_eq!(smsc.answer("goodbye").await["command"], "unbind_resp");
    smsc.event("closed").await;
    bind.until_binds(2).await;
    bind.submit(&sms("hi")).await.expect("taken");
}

#[tokio::test]
async fn what_is_no_smpp_ends_the_bind_and_what_nobody_knows_is_nacked() {
    let mut smsc = Smsc::npm(json!({})).await;
    let bind = Bind::bound(config(at(smsc.port))).await;
    // A command that SMPP does not have, 0x7F: generic_nack, ESME_RINVCMDID.
    smsc.order(&json!({ "do": "raw", "hex": "000000100000007f0000000000000063" }));
    let nack = smsc.event_where("a nack", |event| event["command"] == "generic_nack").await;
    assert_eq!(nack["status"], 3);
    // An answer to nothing is only counted.
    smsc.order(&json!({ "do": "raw", "hex": "000000118000000400000000000f000000" }));
    bind.until("a stray answer", || bind.esme.status().counts().stray == 1).await;
    bind.submit(&sms("hi")).await.expect("taken");
    assert_eq!(bind.esme.status().counts().binds, 1);
    for hex in ["0000000f80000004", "7fffffff00000005", "474554202f20485454502f312e310d0a"] {
        let binds = bind.esme.status().counts().binds;
        smsc.order(&json!({ "do": "raw", "hex": hex }));
        bind.until_binds(binds + 1).await;
    }
    bind.submit(&sms("hi")).await.expect("taken");
}

#[tokio::test]
async fn an_smsc_that_is_away_is_waited_for() {
    let smsc = Smsc::npm(json!({})).await;
    let port = smsc.port;
    let bind = Bind::bound(config(at(port))).await;
    drop(smsc);
    bind.esme.status().until(|phase| *phase == Phase::Away).await;
    let asked = std::time::Instant::now();
    for _ in 0..100 {
        assert_eq!(bind.submit(&sms("hi")).await, Err(SubmitFault::NotBound));
    }
    assert!(asked.elapsed() < PATIENCE, "nobody waits for an SMSC that is away");
    bind.trouble(&["refused"]).await;
    let mut smsc = Smsc::npm(json!({ "port": port })).await;
    bind.until_binds(2).await;
    bind.submit(&sms("back")).await.expect("taken");
    assert_eq!(smsc.submit().await["text"], "back");
}

#[tokio::test]
async fn stopping_waits_for_what_is_in_flight_and_says_goodbye() {
    let mut smsc = Smsc::npm(json!({ "rules": [{ "hold": true }] })).await;
    let bind = Bind::bound(config(at(smsc.port))).await;
    let (esme, one) = (bind.esme.clone(), sms("hi"));
    let submit = tokio::spawn(async move { esme.submit(&one).await });
    smsc.submit().await;
    let stopping = tokio::spawn(bind.running.stop());
    smsc.order(&json!({ "do": "enquire_link", "tag": "still there" }));
    smsc.answer("still there").await;
    assert_eq!(smsc.heard("unbind").await, 0);
    smsc.order(&json!({ "do": "release" }));
    submit.await.expect("no panic").expect("taken");
    smsc.event("unbind").await;
    tokio::time::timeout(PATIENCE, stopping).await.expect("it ends").expect("no panic");
    assert_eq!(bind.esme.status().phase(), Phase::Stopped);
    assert_eq!(bind.esme.submit(&sms("late")).await, Err(SubmitFault::NotBound));
}

/// A root, a certificate for `localhost` that it signed, its key; and a root that signed nothing here.
struct Certificates {
    dir: tempfile::TempDir,
}

impl Certificates {
    fn new() -> Self {
        use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
        let dir = tempfile::tempdir().expect("a directory");
        let write = |name: &str, text: String| std::fs::write(dir.path().join(name), text).expect("writes");
        let root = || {
            let mut params = CertificateParams::new(Vec::new()).expect("no names");
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a root")
        };
        let (ours, another) = (root(), root());
        let key = KeyPair::generate().expect("a key");
        let leaf = CertificateParams::new([String::from("localhost")])
            .expect("a name")
            .signed_by(&key, &ours)
            .expect("signed");
        write("ca.pem", ours.pem());
        write("another.pem", another.pem());
        write("cert.pem", leaf.pem());
        write("key.pem", key.serialize_pem());
        Self { dir }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    async fn smsc(&self) -> Smsc {
        Smsc::npm(json!({ "tls": { "key": self.path("key.pem"), "cert": self.path("cert.pem") } })).await
    }

    fn tls(&self, ca: &str) -> Option<TlsConfig> {
        Some(TlsConfig { ca_file: self.path(ca), server_name: Some(String::from("localhost")), client: None })
    }
}

#[tokio::test]
async fn over_tls_with_the_right_root() {
    let certificates = Certificates::new();
    let mut smsc = certificates.smsc().await;
    let mut config = config(at(smsc.port));
    config.tls = certificates.tls("ca.pem");
    let bind = Bind::bound(config).await;
    bind.submit(&sms("선물")).await.expect("taken");
    assert_eq!(smsc.submit().await["text"], "선물");
}

#[tokio::test]
async fn tls_that_is_not_right_is_said_and_nothing_is_sent() {
    let certificates = Certificates::new();
    let mut smsc = certificates.smsc().await;
    let plain = Smsc::npm(json!({})).await;

    let mut unknown_root = config(at(smsc.port));
    unknown_root.tls = certificates.tls("another.pem");
    let mut other_name = config(at(smsc.port));
    other_name.tls = certificates.tls("ca.pem").map(|tls| TlsConfig { server_name: None, ..tls });
    let mut no_tls_there = config(at(plain.port));
    no_tls_there.tls = certificates.tls("ca.pem");
    for (config, words) in [(unknown_root, "ca_file"), (other_name, "server_name"), (no_tls_there, "TLS")] {
        let bind = Bind::start(config);
        bind.trouble(&[words]).await;
        assert_eq!(bind.submit(&sms("hi")).await, Err(SubmitFault::NotBound));
    }
    assert_eq!(smsc.heard("bind").await, 0, "no password left in the clear");
}
