//! A small HTTP client over TCP and over Unix sockets: one connection per request, bounded in time and size.
//!
//! Deliberately not here: TLS, redirects, pools. Both servers it talks to are on this machine.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

/// Longest answer that is read: a page of the journal is far below.
const BODY_LEN_MAX: usize = 64 << 20;

/// The header in which an answer names the entry that it saw.
const SEQ: &str = "sonmul-seq";

/// Where to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A loopback port.
    Tcp(SocketAddr),
    /// A socket in the data directory.
    Unix(PathBuf),
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// The entry that the answer names in its header `Sonmul-Seq`.
    pub seq: Option<u64>,
    /// The whole body.
    pub body: Bytes,
}

/// A request as the caller has it.
#[derive(Clone, Debug)]
pub struct Ask {
    /// `GET` or `POST`.
    pub method: hyper::Method,
    /// Path and query.
    pub path: String,
    /// Names and values.
    pub headers: Vec<(&'static str, String)>,
    /// May be empty.
    pub body: Bytes,
}

impl Ask {
    /// A question.
    pub fn get(path: &str) -> Self {
        Self { method: hyper::Method::GET, path: String::from(path), headers: Vec::new(), body: Bytes::new() }
    }

    /// Something to be done.
    pub fn post(path: &str, headers: Vec<(&'static str, String)>, body: String) -> Self {
        Self { method: hyper::Method::POST, path: String::from(path), headers, body: Bytes::from(body) }
    }
}

/// Nothing was heard, or not all of it. Whether the server did something is not known.
#[derive(Debug, thiserror::Error)]
pub enum Lost {
    /// No connection: nothing was sent.
    #[error("no connection: {0}")]
    NoConnection(std::io::Error),
    /// The connection broke, or its bytes were no HTTP.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// No answer in time.
    #[error("no answer within {0} s")]
    Late(u64),
}

/// Sends one request and reads the whole answer.
///
/// # Errors
/// When there was no whole answer in time.
pub async fn send(target: &Target, ask: Ask, within: Duration) -> Result<Reply, Lost> {
    tokio::time::timeout(within, exchange(target, ask)).await.map_err(|_| Lost::Late(within.as_secs()))?
}

async fn exchange(target: &Target, ask: Ask) -> Result<Reply, Lost> {
    match target {
        Target::Tcp(address) => {
            let stream = TcpStream::connect(address).await.map_err(Lost::NoConnection)?;
            over(stream, &address.to_string(), ask).await
        }
        Target::Unix(path) => {
            let stream = UnixStream::connect(path).await.map_err(Lost::NoConnection)?;
            over(stream, "localhost", ask).await
        }
    }
}

async fn over<S>(stream: S, host: &str, ask: Ask) -> Result<Reply, Lost>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broken = |error: hyper::Error| Lost::Broken(error.to_string());
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let driver = tokio::spawn(connection);
    let mut request = hyper::Request::builder().method(ask.method).uri(ask.path).header("host", host);
    for (name, value) in ask.headers {
        request = request.header(name, value);
    }
    let request = request.body(Full::new(ask.body)).map_err(|error| Lost::Broken(error.to_string()))?;
    let answer = sender.send_request(request).await.map_err(broken)?;
    let status = answer.status().as_u16();
    let seq = answer.headers().get(SEQ).and_then(|seq| seq.to_str().ok()?.parse().ok());
    let body = Limited::new(answer.into_body(), BODY_LEN_MAX).collect().await;
    let body = body.map_err(|error| Lost::Broken(error.to_string()))?.to_bytes();
    driver.abort();
    Ok(Reply { status, seq, body })
}

/// `application/x-www-form-urlencoded` of names and values.
pub fn form(pairs: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, value) in pairs {
        if !text.is_empty() {
            text.push('&');
        }
        percent(&mut text, name);
        text.push('=');
        percent(&mut text, value);
    }
    text
}

/// Percent-encodes everything that RFC 3986 does not call unreserved.
pub(crate) fn percent(into: &mut String, text: &str) {
    for octet in text.bytes() {
        if octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'~') {
            into.push(char::from(octet));
        } else {
            into.push_str(&format!("%{octet:02X}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::form;

    #[test]
    fn a_form_hides_what_would_end_a_field() {
        assert_eq!(form(&[("text", "500*+850&a=b"), ("x", "전")]), "text=500%2A%2B850%26a%3Db&x=%EC%A0%84");
    }
}
