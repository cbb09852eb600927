//! TLS towards the SMSC: our own roots, one name, plain words for what is wrong.
//!
//! Guarantees: the SMSC's certificate is checked against `ca_file` and nothing else; no setting switches that off.
//! Deliberately not here: system roots, revocation lists.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{self, CertificateError, ClientConfig, RootCertStore};

use super::config::{ConfigError, EsmeConfig, TlsConfig};

/// What a connection needs.
#[derive(Clone)]
pub(crate) struct Tls {
    pub(crate) connector: TlsConnector,
    pub(crate) name: ServerName<'static>,
}

impl Tls {
    /// Reads the files.
    pub(crate) fn load(config: &EsmeConfig, tls: &TlsConfig) -> Result<Self, ConfigError> {
        let wrong = |setting: &'static str, why: String| ConfigError { name: config.name.clone(), setting, why };
        let mut roots = RootCertStore::empty();
        for root in certificates(&tls.ca_file).map_err(|why| wrong("tls.ca_file", why))? {
            roots.add(root).map_err(|error| wrong("tls.ca_file", format!("{}: {error}", tls.ca_file.display())))?;
        }
        let host = config.host_port().map_or("", |(host, _)| host);
        let name = tls.server_name.as_deref().unwrap_or(host);
        let name = ServerName::try_from(String::from(name))
            .map_err(|_| wrong("tls.server_name", String::from("must be a host name or an address")))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| wrong("tls", error.to_string()))?
            .with_root_certificates(roots);
        let client = match &tls.client {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => {
                let chain = certificates(chain).map_err(|why| wrong("tls.cert_file", why))?;
                let key_file = key;
                let key = PrivateKeyDer::from_pem_file(key_file)
                    .map_err(|_| wrong("tls.key_file", format!("no private key in {}", key_file.display())))?;
                builder.with_client_auth_cert(chain, key).map_err(|error| wrong("tls.cert_file", error.to_string()))?
            }
        };
        Ok(Self { connector: TlsConnector::from(Arc::new(client)), name })
    }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let unreadable = |_| format!("no certificates can be read from {}", file.display());
    let certificates: Vec<_> =
        CertificateDer::pem_file_iter(file).map_err(unreadable)?.collect::<Result<_, _>>().map_err(unreadable)?;
    if certificates.is_empty() { Err(format!("no certificates in {}", file.display())) } else { Ok(certificates) }
}

/// Whether it is TLS that failed, and not the connection under it.
pub(crate) fn is_tls(error: &std::io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>())
}

/// What is wrong and what to do, of an error of a TLS handshake or of the connection under it.
pub(crate) fn plain(error: &std::io::Error) -> String {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let advice = match inner {
        Some(rustls::Error::InvalidCertificate(why)) => match why {
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                "the SMSC's certificate is not signed by any root in `tls.ca_file`"
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "the SMSC's certificate has expired: its operator must renew it"
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "the SMSC's certificate is not valid yet: compare the clocks"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "the SMSC's certificate is for another name: set `tls.server_name` to the one in it"
            }
            // `rustls` has no name for it, and self-signed certificates often are so.
            CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
                "the SMSC's certificate is an authority's own (CA:TRUE): its operator must use one that is not"
            }
            _ => return format!("the SMSC's certificate was refused: {why}"),
        },
        Some(rustls::Error::InvalidMessage(_)) => "the SMSC does not speak TLS on this port",
        Some(rustls::Error::AlertReceived(alert)) => {
            return format!("the SMSC refused TLS ({alert:?}): it may want the certificate of `tls.cert_file`");
        }
        Some(other) => return format!("TLS failed: {other}"),
        None => return format!("the TLS handshake broke off ({error}): does the SMSC speak TLS on this port?"),
    };
    String::from(advice)
}
