//! Hubtel's Programmable Services: JSON both ways.
//!
//! A request has `Type` (`Initiation`, `Response`, `Release`, `Timeout`, in any case), `Message`, `ServiceCode`, `Mobile`,
//! `SessionId` and `Sequence`; of an initiation, `Message` is the dialled string, and of a response the latest input
//! alone. `Operator` and `Platform` are not read: the key says which link this is. `ClientState` is neither read nor sent:
//! where a dialogue is, is ours to know, and what a peer echoes proves nothing.
//!
//! An answer has `SessionId`, `Type` (`response` waits for an input, `release` ends) and `Message`; `Label`, `DataType` and
//! `FieldType` are for Hubtel's own apps, which show a session's screens too.
//!
//! `Timeout` says that an answer of ours came too late and was thrown away: nothing of it was shown.
//!
//! Source: Hubtel's API reference of Programmable Services and the models of its .NET SDK.

use axum::Json;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::field::Word;
use super::{Dialect, Heard, caller_and_session, dialled, json, turn};
use crate::flow::Input;
use crate::session::Screen;

/// An answer repeats the session's name.
pub(super) struct Hubtel {
    session_id: Word,
}

/// No `Debug`: a password may be in it.
#[derive(Deserialize)]
struct Asked {
    #[serde(rename = "Type", alias = "type")]
    kind: Word,
    #[serde(rename = "Message", alias = "message", default)]
    message: Word,
    #[serde(rename = "ServiceCode", alias = "serviceCode", default)]
    service_code: Word,
    #[serde(rename = "Mobile", alias = "mobile")]
    mobile: Word,
    #[serde(rename = "SessionId", alias = "sessionId")]
    session_id: Word,
    #[serde(rename = "Sequence", alias = "sequence", default)]
    sequence: Word,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Answer<'a> {
    session_id: &'a str,
    #[serde(rename = "Type")]
    kind: &'static str,
    message: &'a str,
    label: &'a str,
    data_type: &'static str,
    field_type: &'static str,
}

impl Dialect for Hubtel {
    async fn hear(request: Request) -> Result<(Heard, Self), StatusCode> {
        let Asked { kind, message, service_code, mobile, session_id, sequence } = json(request).await?;
        let (caller, session) = (&mobile.0, &session_id.0);
        let heard = match kind.0.to_ascii_lowercase().as_str() {
            "initiation" => turn(caller, session, Input::Dialled(whole(&service_code.0, &message.0))),
            "response" => {
                turn(caller, session, Input::Latest { text: message.0, sequence: sequence.0.trim().parse().ok() })
            }
            over @ ("release" | "timeout") => caller_and_session(caller, session)
                .map_or(Heard::Nobody, |(caller, session)| Heard::Over { caller, session, unshown: over == "timeout" }),
            // `Query`, `Favorite` and `AddToCart` are for shops.
            _ => return Err(StatusCode::BAD_REQUEST),
        };
        Ok((heard, Self { session_id }))
    }

    fn say(self, screen: &Screen) -> Response {
        let (kind, data_type) = if screen.goes_on { ("response", "input") } else { ("release", "display") };
        let text = &screen.text;
        let session_id = self.session_id.0.as_str();
        Json(Answer { session_id, kind, message: text, label: text, data_type, field_type: "text" }).into_response()
    }
}

/// The dialled string of an initiation, whose message is the whole of it (with or without its ends), the service code
/// again, what follows the service code, or nothing.
///
/// A message that begins with the service code's digits is the whole string: an amount that looks like the service code
/// then reads as a string with a field too few, which is asked about and never paid.
fn whole(service_code: &str, message: &str) -> Zeroizing<String> {
    let message = message.trim();
    let code = service_code.trim().trim_matches(['*', '#']);
    let rest = message.strip_prefix(code).filter(|_| !code.is_empty());
    let begins_with_code = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['*', '#']));
    if message.starts_with(['*', '#']) || begins_with_code || code.is_empty() {
        dialled(message, "")
    } else {
        dialled(service_code.trim(), message)
    }
}

#[cfg(test)]
mod tests {
    use super::whole;

    #[test]
    fn an_initiation_reads_as_one_dialled_string() {
        let gift = "*999*500*1912345678*482913#";
        for (code, message, expected) in [
            ("999", gift, gift),
            ("*999#", gift, gift),
            ("", gift, gift),
            ("999", "*999*500*1912345678*482913", gift),
            ("999", "999*500*1912345678*482913#", gift),
            ("999", "999*500*1912345678*482913", gift),
            ("*999*", "500*1912345678*482913", gift),
            ("*999#", "500*1912345678*482913#", gift),
            (" 999 ", " 500*1912345678*482913# ", gift),
            ("999", "*999#", "*999#"),
            ("999", "999", "*999#"),
            ("999", "999#", "*999#"),
            ("999", "", "*999#"),
            ("*999#", "", "*999#"),
            ("999", "*#999*482913#", "*#999*482913#"),
            ("999", "##999*482913#", "##999*482913#"),
            ("999", "9991*1#", "*999*9991*1#"),
            ("711*2", "*711*2*500#", "*711*2*500#"),
            ("", "999", "*999#"),
            ("", "", "*#"),
            ("b230733cd56b4a0fad820e39f66bc27c", "", "*b230733cd56b4a0fad820e39f66bc27c#"),
        ] {
            assert_eq!(*whole(code, message), expected, "{code:?} {message:?}");
        }
    }
}
