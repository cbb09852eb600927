//! Arkesel: JSON both ways.
//!
//! A request has `sessionID`, `userID`, `newSession`, `msisdn`, `userData` and `network`; of a new session, `userData` is
//! the dialled string, and afterwards the latest input alone. Nothing numbers its frames, so a repeated one is told from a
//! new one by [`crate::flow::latest`]. Nothing says either that a phone has gone: such a dialogue ends by its idle time.
//! `network` is not read: the key says which link this is.
//!
//! An answer repeats `sessionID`, `userID` and the number, and has `message` and `continueSession`.
//!
//! Source: Arkesel's own samples for PHP and FastAPI.

use axum::Json;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::field::{Flag, Word};
use super::{Dialect, Heard, dialled, json, turn};
use crate::flow::Input;
use crate::session::Screen;

/// What an answer repeats. The number is repeated only when it is one: anything else may have been typed.
pub(super) struct Arkesel {
    session_id: Word,
    user_id: Word,
    msisdn: Word,
}

/// No `Debug`: a password may be in it.
#[derive(Deserialize)]
struct Asked {
    #[serde(rename = "sessionID", alias = "sessionId")]
    session_id: Word,
    #[serde(rename = "userID", alias = "userId", default)]
    user_id: Word,
    #[serde(rename = "newSession")]
    new_session: Flag,
    msisdn: Word,
    #[serde(rename = "userData", default)]
    user_data: Word,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    #[serde(rename = "sessionID")]
    session_id: &'a str,
    #[serde(rename = "userID")]
    user_id: &'a str,
    msisdn: &'a str,
    message: &'a str,
    continue_session: bool,
}

impl Dialect for Arkesel {
    async fn hear(request: Request) -> Result<(Heard, Self), StatusCode> {
        let Asked { session_id, user_id, new_session, msisdn, user_data } = json(request).await?;
        let input = match new_session {
            // The service code is nowhere else: a string without its ends gets them.
            Flag(true) => Input::Dialled(dialled(user_data.0.trim(), "")),
            Flag(false) => Input::Latest { text: user_data.0, sequence: None },
        };
        let heard = turn(&msisdn.0, &session_id.0, input);
        let msisdn = if matches!(heard, Heard::Nobody) { Word::default() } else { msisdn };
        Ok((heard, Self { session_id, user_id, msisdn }))
    }

    fn say(self, screen: &Screen) -> Response {
        let Self { session_id, user_id, msisdn } = &self;
        let answer = Answer {
            session_id: &session_id.0,
            user_id: &user_id.0,
            msisdn: &msisdn.0,
            message: &screen.text,
            continue_session: screen.goes_on,
        };
        Json(answer).into_response()
    }
}
