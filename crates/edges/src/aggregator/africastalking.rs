//! Africa's Talking: a form in, `CON …` or `END …` out.
//!
//! A form has `sessionId`, `serviceCode`, `phoneNumber`, `networkCode` and `text`: all inputs so far, joined by `*`. A
//! session whose first request has text is a one-shot, any other is a menu, and that is remembered for as long as the
//! session is ([`Input::Joined`]). `networkCode` is not read: the key says which link this is.

use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{Dialect, Heard, dialled, too_large_or_bad, turn};
use crate::flow::Input;
use crate::session::Screen;

/// An answer repeats nothing.
pub(super) struct AfricasTalking;

/// No `Debug`: a password may be in it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Form {
    session_id: String,
    service_code: String,
    phone_number: String,
    #[serde(default)]
    text: String,
}

impl Dialect for AfricasTalking {
    async fn hear(request: Request) -> Result<(Heard, Self), StatusCode> {
        let form = axum::Form::<Form>::from_request(request, &()).await;
        let axum::Form(form) = form.map_err(|rejection| too_large_or_bad(rejection.status()))?;
        let Form { session_id, service_code, phone_number, text } = form;
        let (service_code, text) = (Zeroizing::new(service_code), Zeroizing::new(text));
        let input = Input::Joined { dialled: dialled(&service_code, &text), text };
        Ok((turn(&phone_number, &session_id, input), Self))
    }

    fn say(self, screen: &Screen) -> Response {
        let word = if screen.goes_on { "CON" } else { "END" };
        let body = format!("{word} {}", screen.text);
        ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], body).into_response()
    }
}
