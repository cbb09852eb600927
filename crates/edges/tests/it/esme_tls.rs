//! TLS towards the SMSC.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use edges::esme::{EsmeConfig, TlsConfig};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{self, RootCertStore, ServerConfig};

use crate::esme_smsc::{Inbox, Peer, SUBMIT, Smsc, World, config, taken};
use crate::fake::Fake;

struct Ca(CertifiedIssuer<'static, KeyPair>);

impl Ca {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a root"))
    }

    /// Certificate and key, in PEM.
    fn sign(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> (String, String) {
        let mut params = CertificateParams::new(vec![String::from(name)]).expect("a name");
        change(&mut params);
        let key = KeyPair::generate().expect("a key");
        (params.signed_by(&key, &self.0).expect("signed").pem(), key.serialize_pem())
    }
}

/// A directory that goes when the test ends.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("sonmul-esme-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a directory");
        Self(dir)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).expect("written");
        path
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn acceptor((certificate, key): &(String, String), client_root: Option<&Ca>) -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).expect("a certificate")];
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("a key");
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let builder = builder.expect("versions");
    let builder = match client_root {
        None => builder.with_no_client_auth(),
        Some(root) => {
            let mut roots = RootCertStore::empty();
            roots.add(root.0.der().clone()).expect("a root");
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.expect("a verifier"))
        }
    };
    TlsAcceptor::from(Arc::new(builder.with_single_cert(chain, key).expect("a server")))
}

fn tls(ca_file: &Path) -> TlsConfig {
    TlsConfig { ca_file: PathBuf::from(ca_file), server_name: Some(String::from("smsc.example")), client: None }
}

async fn accept(smsc: &Smsc, acceptor: &TlsAcceptor) -> Option<Peer> {
    let peer = smsc.accept().await;
    let stream = acceptor.accept(peer.stream).await.ok()?;
    Some(Peer { stream: Box::new(stream) })
}

#[tokio::test]
async fn bound_and_sent_under_tls() {
    let (dir, ca, smsc) = (Dir::new("good"), Ca::new(), Smsc::new().await);
    let mut config = config(&smsc);
    config.tls = Some(tls(&dir.file("ca.pem", &ca.0.pem())));
    let acceptor = acceptor(&ca.sign("smsc.example", |_| {}), None);
    let world = World::start(config);
    let mut peer = accept(&smsc, &acceptor).await.expect("a handshake");
    peer.bind().await;
    world.is_bound().await;
    let submitted = world.submit("hi");
    let submit = peer.expect(SUBMIT).await;
    peer.answer(&submit, 0, b"1\0").await;
    assert_eq!(submitted.await.expect("runs"), taken("1"));
}

#[tokio::test]
async fn a_certificate_of_our_own() {
    let (dir, ca, smsc) = (Dir::new("client"), Ca::new(), Smsc::new().await);
    let mut config = config(&smsc);
    let ours = ca.sign("sonmul.example", |_| {});
    let mut tls = tls(&dir.file("ca.pem", &ca.0.pem()));
    config.tls = Some(tls.clone());
    let acceptor = acceptor(&ca.sign("smsc.example", |_| {}), Some(&ca));
    let without = World::start(config.clone());
    assert!(accept(&smsc, &acceptor).await.is_none());
    let trouble = without.trouble().await;
    assert!(!without.status().is_bound(), "{trouble}");
    drop(without);
    let smsc = Smsc::new().await;
    config.smsc = smsc.address.clone();
    tls.client = Some((dir.file("our.pem", &ours.0), dir.file("our.key", &ours.1)));
    config.tls = Some(tls);
    let world = World::start(config);
    let mut peer = accept(&smsc, &acceptor).await.expect("a handshake");
    peer.bind().await;
    world.is_bound().await;
}

#[tokio::test]
async fn certificates_that_are_refused_say_why() {
    let (dir, ca, other) = (Dir::new("bad"), Ca::new(), Ca::new());
    let ca_file = dir.file("ca.pem", &ca.0.pem());
    let long_ago = |params: &mut CertificateParams| params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    let far_ahead = |params: &mut CertificateParams| params.not_before = rcgen::date_time_ymd(2090, 1, 1);
    let authority = |params: &mut CertificateParams| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    for (certificate, expected) in [
        (other.sign("smsc.example", |_| {}), "not signed by any root"),
        (ca.sign("elsewhere.example", |_| {}), "for another name"),
        (ca.sign("smsc.example", long_ago), "has expired"),
        (ca.sign("smsc.example", far_ahead), "not valid yet"),
        (ca.sign("smsc.example", authority), "an authority's own (CA:TRUE)"),
    ] {
        let smsc = Smsc::new().await;
        let mut config = config(&smsc);
        config.tls = Some(tls(&ca_file));
        let world = World::start(config);
        assert!(accept(&smsc, &acceptor(&certificate, None)).await.is_none());
        let trouble = world.trouble().await;
        assert!(trouble.contains(expected), "{trouble}");
    }
}

#[tokio::test]
async fn an_smsc_without_tls() {
    let (dir, ca) = (Dir::new("plain"), Ca::new());
    // One that answers in its own way, and one that hangs up.
    for (answer, expected) in
        [(Some([0; 64]), "does not speak TLS"), (None, "broke off (tls handshake eof): does the SMSC speak TLS")]
    {
        let smsc = Smsc::new().await;
        let mut config = config(&smsc);
        config.tls = Some(tls(&dir.file("ca.pem", &ca.0.pem())));
        let world = World::start(config);
        let mut peer = smsc.accept().await;
        if let Some(answer) = answer {
            peer.raw(&answer).await;
        } else {
            // What was said is read, so that the connection ends without a reset.
            let mut hello = [0; 4_096];
            let heard = tokio::io::AsyncReadExt::read(&mut peer.stream, &mut hello).await.expect("it says hello");
            assert!(heard > 0);
            drop(peer);
        }
        let trouble = world.trouble().await;
        assert!(trouble.contains(expected), "{trouble}");
    }
}

#[tokio::test]
async fn files_that_cannot_be_read_are_named() {
    let (dir, ca, smsc) = (Dir::new("files"), Ca::new(), Smsc::new().await);
    let good = dir.file("ca.pem", &ca.0.pem());
    let (empty, absent) = (dir.file("empty.pem", "no certificate\n"), dir.0.join("absent.pem"));
    let error = |tls: TlsConfig| {
        let config = EsmeConfig { tls: Some(tls), ..config(&smsc) };
        edges::esme::start::<_, Fake>(config, Inbox::new().0, None).err().expect("it can't work").to_string()
    };
    assert!(error(tls(&absent)).contains("absent.pem"));
    assert!(error(tls(&empty)).contains("empty.pem"));
    let client = Some((good.clone(), empty));
    assert!(error(TlsConfig { client, ..tls(&good) }).contains("no private key in"));
    let server_name = Some(String::from("not a name"));
    assert!(error(TlsConfig { server_name, ..tls(&good) }).contains("tls.server_name"));
}
