//! What a dialogue asks besides what a gift needs: a confirmation, a greeting.

use super::raw::{RawConfirm, RawConfirmed, RawDial, RawMenu};
use super::values;
use super::wrong::{Wrong, wrong};
use crate::rules::{Confirm, Period, Unit};

/// Which gifts are confirmed. `above` belongs to `gifts = "above"` and must leave some gift that is.
pub(super) fn confirm(raw: &RawConfirm, unit: &Unit, periods: &[Period]) -> Result<Option<Confirm>, Wrong> {
    match (&raw.gifts, &raw.above) {
        (Some(gifts), Some(above)) if *gifts.get_ref() == RawConfirmed::Above => {
            let amount = values::amount(above, unit)?;
            let largest = periods.iter().filter(|period| !period.closed).map(|period| period.amount_max).max();
            if largest.is_some_and(|largest| largest <= amount) {
                return Err(wrong(above, "no period allows a gift of more than this: nothing would be confirmed"));
            }
            Ok(Some(Confirm::Above(amount)))
        }
        (_, Some(above)) => Err(wrong(above, "`above` goes with gifts = \"above\": write that, or remove `above`")),
        (Some(gifts), None) => match gifts.get_ref() {
            RawConfirmed::Never => Ok(None),
            RawConfirmed::Always => Ok(Some(Confirm::Always)),
            RawConfirmed::NewRecipient => Ok(Some(Confirm::NewRecipient)),
            RawConfirmed::Above => {
                Err(wrong(gifts, "add `above`: gifts of more than that are confirmed (above = 2000)"))
            }
        },
        (None, None) => Ok(None),
    }
}

/// Whether the menu asks for a greeting.
pub(super) fn ask_occasion(raw: &RawMenu, dial: &RawDial) -> Result<Option<bool>, Wrong> {
    match &raw.ask_occasion {
        Some(ask) if *ask.get_ref() && dial.occasions.is_empty() => {
            Err(wrong(ask, "there is nothing to ask for: add `occasions` to [dial]"))
        }
        ask => Ok(ask.as_ref().map(|ask| *ask.get_ref()).filter(|ask| *ask)),
    }
}
