//! The decision: a pure function from (state, command, time) to a verdict. Refusals above, effects below.
//!
//! Guarantees: reads nothing but its arguments; a refusal is an outcome like any other, with effects of its own (tries,
//! refusals a day, history); every transfer is balanced and no purse goes below zero.
//!
//! One file per product. Deliberately not here: folding (see [`crate::apply`]), ids and `decide_before` (the engine).

mod admin;
mod admission;
mod batch;
mod call;
mod card;
mod card_state;
mod draft;
mod gift;
mod hold;
mod issue;
mod limits;
mod memories;
mod motion;
mod office;
mod proof;
mod rules;
mod staff;
mod subscriber;
#[cfg(test)]
mod tests;
mod till;
pub mod what_if;

use crate::command::Body;
use crate::ids::CardId;
use crate::number::Msisdn;
use crate::rules::tariff::CallPrice;
use crate::state::{Card, State};
use crate::time::Timestamp;
use crate::verdict::Verdict;

use draft::Draft;

/// Decides one command. `at` must not be before [`State::at`].
pub fn decide(state: &State, body: &Body, at: Timestamp) -> Verdict {
    let operator = body.caller().map(|caller| caller.operator);
    let mut draft = Draft::new(state, operator, at);
    let done = match body {
        Body::Gift(gift) => gift::give(&mut draft, gift),
        Body::TopUp(top_up) => gift::top_up(&mut draft, top_up),
        Body::ShowCards(proved) => card::show(&mut draft, proved),
        Body::ShowGifts(proved) => card::show_gifts(&mut draft, proved),
        Body::ChangePassword(change) => card::change_password(&mut draft, change),
        Body::Freeze(proved) => card::freeze(&mut draft, proved),
        Body::Bind(bind) => card::bind(&mut draft, bind),
        Body::Undo(proved) => hold::undo(&mut draft, proved),
        Body::SetLanguage(set) => subscriber::set_language(&mut draft, set),
        Body::LoadRules(load) => admin::load_rules(&mut draft, load),
        Body::ImportSubscribers(import) => subscriber::import(&mut draft, import),
        Body::ChangeSubscriber(change) => subscriber::change(&mut draft, change),
        Body::IssueCards(issue) => admin::issue_cards(&mut draft, issue),
        Body::ChangeCard(change) => admin::change_card(&mut draft, change),
        Body::ExpireCard(card) => admin::expire_card(&mut draft, *card),
        Body::Office(office) => office::ask(&mut draft, office),
        Body::Due(key) => office::due(&mut draft, *key),
    };
    draft.verdict(done)
}

/// Whether a card is void at an instant: by its state, by a range of serials, or by a dated rule.
pub fn is_void(state: &State, at: Timestamp, id: CardId, card: &Card) -> bool {
    card_state::is_void(state, at, id, card)
}

/// What a call would cost a subscriber at the state's instant; `None`: nobody has the number.
///
/// # Errors
/// What a call of that length would be refused for.
pub fn call_price(
    state: &State,
    msisdn: Msisdn,
    cross: bool,
    seconds: u32,
) -> Option<Result<CallPrice, crate::refusal::Refusal>> {
    call::priced(state, msisdn, cross, seconds)
}
