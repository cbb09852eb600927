//! The three doors as a client sees them: HTTP, GSUP and `admin.sock`. One call, one answer.
//!
//! Guarantees: an answer that nobody should give ends the loop with what was heard, without a password.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;
use sonmul::gsup::Shown;
use sonmul::gsup::msc::{Dialogue, Msc, MscConfig};
use sonmul::http::{Ask, Lost, Reply, Target, form, send};
use sonmul::keys::{local_key_path, read_secret};
use tokio::sync::watch;
use wire::imsi::Imsi;
use wire::ss::ErrorCode;
use zeroize::Zeroizing;

use super::Stage;
use super::call::{Call, Dialled, Heard, Posted, SERVICE_CODE};
use super::recorder::Recorder;
use super::screens::{Says, says};
use crate::load::hlr::Hlr;

/// Longer than a server takes to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// What a server sent before it was killed arrives within so long.
const GRACE: Duration = Duration::from_millis(50);

/// See the module.
pub(super) struct Doors {
    key: Zeroizing<String>,
    admin: Target,
    hlr: Arc<Hlr>,
    recorder: Arc<Recorder>,
}

impl Doors {
    /// The doors of a data directory, and an HLR.
    pub(super) fn new(data: &Path, hlr: Arc<Hlr>, recorder: Arc<Recorder>) -> anyhow::Result<Self> {
        let key = read_secret(&local_key_path(data)).map_err(|failure| failure.error)?;
        let key = Zeroizing::new(String::from(key.trim()));
        let admin = Target::Unix(data.join("admin.sock"));
        Ok(Self { key, admin, hlr, recorder })
    }

    /// Makes a call, and writes its line into the history.
    pub(super) async fn call(
        &self,
        who: &str,
        call: &Call,
        http: SocketAddr,
        stage: &mut watch::Receiver<Stage>,
    ) -> anyhow::Result<Heard> {
        let called_ns = self.recorder.now_ns();
        let heard = match call {
            Call::Http(dialled) => self.dial_http(call, dialled, http).await?,
            Call::Gsup(dialled) => self.dial_gsup(dialled, http, stage).await?,
            Call::Staff(posted) => self.post(posted).await?,
            Call::Look { path } => self.look(path).await?,
        };
        if heard != Heard::NotSent {
            self.recorder.write(&call.line(who, called_ns, self.recorder.now_ns(), &heard))?;
        }
        Ok(heard)
    }

    async fn dial_http(&self, call: &Call, dialled: &Dialled, http: SocketAddr) -> anyhow::Result<Heard> {
        let session = call.session().unwrap_or_default();
        // Nothing is asked of the decider before there is a password.
        if let Some(first) = &dialled.first
            && self.request(&session, dialled, first, http).await.is_err()
        {
            return Ok(Heard::NotSent);
        }
        let Reply { status, seq, body } = match self.request(&session, dialled, &dialled.text, http).await {
            Ok(reply) => reply,
            Err(lost) => return Ok(unheard(&lost)),
        };
        let text = String::from_utf8_lossy(&body);
        let screen = text.strip_prefix("END ").or_else(|| text.strip_prefix("CON "));
        let (200, Some(screen)) = (status, screen) else { bail!("the HTTP edge answered {status}: {text}") };
        match (says(screen), seq) {
            (Says::Verdict(answer), Some(seq)) => Ok(Heard::Verdict(String::from(answer), Some(seq))),
            (Says::Nothing(answer), None) => Ok(Heard::Nothing(String::from(answer))),
            (Says::Unknown, None) => Ok(Heard::Unknown { answered: true }),
            (Says::Verdict(_), None) => bail!("a screen that tells a verdict and names no entry: {screen}"),
            (Says::Nothing(_) | Says::Unknown, Some(seq)) => {
                bail!("a screen that tells no verdict and names entry {seq}: {screen}")
            }
        }
    }

    /// One request of the local aggregator.
    async fn request(&self, session: &str, dialled: &Dialled, text: &str, http: SocketAddr) -> Result<Reply, Lost> {
        let (code, phone) = (format!("*{SERVICE_CODE}#"), format!("+{}", dialled.phone.msisdn()));
        let body = form(&[
            ("sessionId", session),
            ("serviceCode", &code),
            ("phoneNumber", &phone),
            ("networkCode", "99999"),
            ("text", text),
        ]);
        let headers = vec![
            ("content-type", String::from("application/x-www-form-urlencoded")),
            ("authorization", format!("Bearer {}", &*self.key)),
        ];
        send(&Target::Tcp(http), Ask::post("/ussd/africastalking", headers, body), ANSWER_WITHIN).await
    }

    /// As a switch of its own, so that a string that is dialled again has the same session's number.
    async fn dial_gsup(
        &self,
        dialled: &Dialled,
        http: SocketAddr,
        stage: &mut watch::Receiver<Stage>,
    ) -> anyhow::Result<Heard> {
        let name = format!("MSC-{:08x}", dialled.session);
        let config = MscConfig { first_session: dialled.session, dialogues_max: 1, ..MscConfig::named(&name) };
        let imsi = Imsi::parse(&dialled.phone.imsi()).context("an IMSI")?;
        let string = Zeroizing::new(format!("*{SERVICE_CODE}*{}#", dialled.text));
        let begun = match Msc::over(self.hlr.attach(), &config).await {
            Ok(msc) => msc.begin(imsi, &string).map(|dialogue| (msc, dialogue)),
            Err(error) => Err(error),
        };
        // The stand-in is full for the moment.
        let Ok((_msc, mut dialogue)) = begun else { return Ok(Heard::NotSent) };
        match shown(&mut dialogue, http, stage).await {
            Some(Shown::Ends(text)) => Ok(match says(&text) {
                Says::Verdict(answer) => Heard::Verdict(String::from(answer), None),
                Says::Nothing(answer) => Heard::Nothing(String::from(answer)),
                Says::Unknown => Heard::Unknown { answered: true },
            }),
            // Nobody serves, or the session of the call before is not over yet: the HLR did not pass it on.
            Some(Shown::Error(ErrorCode::SYSTEM_FAILURE) | Shown::Failed { .. }) => Ok(Heard::NotSent),
            Some(other) => bail!("a phone saw {other:?}"),
            None => Ok(Heard::Unknown { answered: false }),
        }
    }

    async fn post(&self, posted: &Posted) -> anyhow::Result<Heard> {
        let headers =
            vec![("x-correlation-id", posted.id.to_string()), ("content-type", String::from("application/json"))];
        let body = if posted.body.is_null() { String::new() } else { posted.body.to_string() };
        let ask = Ask::post(&posted.path, headers, body);
        match send(&self.admin, ask, ANSWER_WITHIN).await {
            Ok(reply) => answered(&reply),
            Err(lost) => Ok(unheard(&lost)),
        }
    }

    async fn look(&self, path: &str) -> anyhow::Result<Heard> {
        match send(&self.admin, Ask::get(path), ANSWER_WITHIN).await {
            Ok(Reply { seq: Some(seq), .. }) => Ok(Heard::Saw(seq)),
            Ok(Reply { status: 503, .. }) => Ok(Heard::NotSent),
            Ok(Reply { status, body, .. }) => {
                bail!("{path} was answered {status} without a seq: {}", String::from_utf8_lossy(&body))
            }
            Err(lost) => Ok(unheard(&lost)),
        }
    }

    /// Asks for something that must be done.
    pub(super) async fn must(&self, posted: Posted) -> anyhow::Result<Value> {
        let headers =
            vec![("x-correlation-id", posted.id.to_string()), ("content-type", String::from("application/json"))];
        let called_ns = self.recorder.now_ns();
        let ask = Ask::post(&posted.path, headers, posted.body.to_string());
        let reply = send(&self.admin, ask, ANSWER_WITHIN).await?;
        let call = Call::Staff(posted);
        self.recorder.write(&call.line("staff", called_ns, self.recorder.now_ns(), &answered(&reply)?))?;
        // Passwords may be in it: it is told when it is none of a success.
        let value: Value = serde_json::from_slice(&reply.body).context("an answer of admin.sock")?;
        if reply.status != 200 {
            bail!("admin.sock answered {}: {value}", reply.status);
        }
        Ok(value)
    }
}

/// The first screen; `None`: none came, and the server that listened there is gone or too slow.
async fn shown(dialogue: &mut Dialogue, http: SocketAddr, stage: &mut watch::Receiver<Stage>) -> Option<Shown> {
    let serves = |stage: &Stage| matches!(stage, Stage::Up(at) | Stage::Settle(at) if *at == http);
    let gone = async {
        let _gone = stage.wait_for(|stage| !serves(stage)).await;
    };
    tokio::select! {
        shown = tokio::time::timeout(ANSWER_WITHIN, dialogue.shown()) => return shown.ok()?.ok(),
        () = gone => {}
    }
    tokio::time::timeout(GRACE, dialogue.shown()).await.ok()?.ok()
}

fn unheard(lost: &Lost) -> Heard {
    match lost {
        Lost::NoConnection(_) => Heard::NotSent,
        Lost::Broken(_) | Lost::Late(_) => Heard::Unknown { answered: false },
    }
}

/// What `admin.sock` says to a command.
fn answered(reply: &Reply) -> anyhow::Result<Heard> {
    let value: Value = serde_json::from_slice(&reply.body).context("an answer of admin.sock")?;
    let text = |at: &str| value.pointer(at).and_then(Value::as_str);
    if let Some(error) = text("/error") {
        return Ok(match error {
            "unknown" => Heard::Unknown { answered: true },
            "busy" | "closed" | "not-done" | "id-reused" | "id-too-old" | "id-ahead" => {
                Heard::Nothing(String::from(error))
            }
            // It was not asked for at all.
            _ => Heard::Nothing(String::from("edge")),
        });
    }
    let name = text("/done/name").map(|name| format!("done:{name}"));
    let name = name.or_else(|| text("/refusal/name").map(|name| format!("refused:{name}")));
    let seq = value.get("seq").and_then(Value::as_u64);
    match (name, seq) {
        (Some(name), Some(_)) if seq == reply.seq => Ok(Heard::Verdict(name, seq)),
        _ => bail!("a verdict without a name, or with an entry that its header does not name: {}", reply.status),
    }
}
