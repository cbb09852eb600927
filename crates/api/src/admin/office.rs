//! The office in JSON: what staff ask, each a command of the decider under the peer's uid.
//!
//! Guarantees: a request that can't be read is no command; a field that nobody reads is refused; money travels in minor
//! units, as whole numbers.
//!
//! Deliberately not here: card production, whose secrets staff never see (see [`super::batches`]); what the office keeps
//! (see [`super::records`]).

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use domain::account::AccountId;
use domain::card::Voiding;
use domain::command::Body;
use domain::currency::Currency;
use domain::ids::{BatchId, OperatorId, OutletId, SubscriberId};
use domain::money::Amount;
use domain::number::Msisdn;
use domain::office::batch::BatchCommand;
use domain::office::call::CallCommand;
use domain::office::motion::{MotionCommand, Proposal, Reversal};
use domain::office::till::{Goods, Rate, TillCommand};
use domain::office::{Asked as Wish, Office};
use domain::receipt::{Seq, parse_receipt};
use domain::rules::tariff::Ratio;
use engine::answer::{Query, View};
use serde::Deserialize;

use super::ask::{Asked, Limited, Posted};
use super::cards::{Why, read_serial};
use super::operators::read_instant;
use super::problem::Problem;
use super::{Admin, numbers, reversal};

/// What the office is asked. `do` names it.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Ask {
    /// Give a batch up before it is sealed.
    AbandonBatch { batch: u32 },
    /// Bring cards to an outlet.
    StockCards { first: String, last: String, outlet: u32 },
    /// Open a point of sale.
    OpenOutlet { operator: String, name: String },
    /// The outlet pays in advance.
    Deposit { outlet: u32, currency: Money, amount_minor: i64 },
    /// It gets that back.
    Withdraw { outlet: u32, currency: Money, amount_minor: i64 },
    /// Name a price for cards in a row.
    QuoteCards { outlet: u32, currency: Money, first: String, count: u32 },
    /// Name a price for more airtime on a card.
    QuoteReload { outlet: u32, currency: Money, serial: String, value_minor: i64 },
    /// Sell at a quote.
    Sell { quote: u64 },
    /// Take a card back on the day of its sale.
    Refund { serial: String },
    /// Move everything from one card to another of the same holder.
    Merge { from: String, into: String },
    /// Pay out what is on a void card.
    PayOut { serial: String },
    /// Set airtime aside for a call that begins.
    ReserveCall(Talk),
    /// Set more aside.
    ExtendCall { call: u64, seconds: u32 },
    /// The call is over.
    CommitCall { call: u64, seconds: u32 },
    /// Nobody talked.
    ReleaseCall { call: u64 },
    /// Charge a call that is over and was not reserved.
    Consume(Talk),
    /// Propose a dated rate: so much cash for so much airtime.
    ProposeRate {
        operator: String,
        currency: Money,
        cash_minor: u32,
        airtime_minor: u32,
        from: String,
        #[serde(default)]
        until: Option<String>,
    },
    /// Propose that nothing is given from an instant on.
    ProposeClose {
        operator: String,
        period: String,
        from: String,
        #[serde(default)]
        cards_void: bool,
    },
    /// Propose that cards in a row are void.
    ProposeVoid { first: String, last: String, why: Why },
    /// Propose to take a posted gift back.
    ProposeReversal { receipt: String, reason: String },
    /// Propose a booking by hand.
    ProposeAdjustment { operator: String, debit: Account, credit: Account, amount_minor: i64, reason: String },
    /// Approve what another one proposed.
    Approve { motion: u64, hash: String },
    /// Drop a motion.
    WithdrawMotion { motion: u64 },
    /// Stop issuing value: the books don't agree.
    StopIssuance { operator: String, why: String },
    /// Issue again.
    ResumeIssuance { operator: String },
}

impl Limited for Ask {
    const LEN_MAX: usize = 8 << 10;
}

/// Who talks, to which network, how long.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Talk {
    msisdn: String,
    #[serde(default)]
    cross: bool,
    seconds: u32,
}

/// A currency by its code.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Money {
    Usd,
    Cny,
    Eur,
    Kpw,
}

impl From<Money> for Currency {
    fn from(money: Money) -> Self {
        match money {
            Money::Usd => Self::Usd,
            Money::Cny => Self::Cny,
            Money::Eur => Self::Eur,
            Money::Kpw => Self::Kpw,
        }
    }
}

/// An account as staff name it.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Account {
    Card { serial: String },
    Airtime { msisdn: Option<String>, subscriber: Option<u32> },
    FeeIncome,
    TaxPayable,
    CallIncome,
    Breakage,
    Position,
    Refunded,
    Cash { currency: Money },
    CashPosition { currency: Money },
    Float { outlet: u32, currency: Money },
}

/// `POST /v1/office`.
pub(crate) async fn ask(
    State(admin): State<Arc<Admin>>,
    asked: Asked,
    Posted(ask): Posted<Ask>,
) -> Result<Response, Problem> {
    let what = wish(&admin, ask).await?;
    Ok(admin.decide(&asked, body(&asked, what)).await)
}

/// A wish in the name of whoever asks.
pub(crate) fn body(asked: &Asked, what: Wish) -> Body {
    Body::Office(Box::new(Office { staff: asked.staff, what }))
}

async fn wish(admin: &Admin, ask: Ask) -> Result<Wish, Problem> {
    match ask {
        Ask::AbandonBatch { batch } => Ok(Wish::Batch(BatchCommand::Abandon { batch: batch_id(batch)? })),
        Ask::StockCards { first, last, outlet } => {
            let (first, last) = (read_serial(&first)?, read_serial(&last)?);
            Ok(Wish::Batch(BatchCommand::Stock { first, last, outlet: OutletId(outlet) }))
        }
        Ask::OpenOutlet { .. }
        | Ask::Deposit { .. }
        | Ask::Withdraw { .. }
        | Ask::QuoteCards { .. }
        | Ask::QuoteReload { .. }
        | Ask::Sell { .. }
        | Ask::Refund { .. }
        | Ask::Merge { .. }
        | Ask::PayOut { .. } => till(admin, ask).map(Wish::Till),
        Ask::ReserveCall(Talk { msisdn, cross, seconds }) => {
            Ok(Wish::Call(CallCommand::Reserve { msisdn: number(admin, &msisdn)?, cross, seconds }))
        }
        Ask::ExtendCall { call, seconds } => Ok(Wish::Call(CallCommand::Extend { call: Seq(call), seconds })),
        Ask::CommitCall { call, seconds } => Ok(Wish::Call(CallCommand::Commit { call: Seq(call), seconds })),
        Ask::ReleaseCall { call } => Ok(Wish::Call(CallCommand::Release { call: Seq(call) })),
        Ask::Consume(Talk { msisdn, cross, seconds }) => {
            Ok(Wish::Call(CallCommand::Consume { msisdn: number(admin, &msisdn)?, cross, seconds }))
        }
        Ask::Approve { motion, hash } => {
            let hash = blake3::Hash::from_hex(&hash).map_err(|_| malformed("`hash` has 64 hexadecimal digits"))?;
            Ok(Wish::Motion(MotionCommand::Approve { motion: Seq(motion), hash: *hash.as_bytes() }))
        }
        Ask::WithdrawMotion { motion } => Ok(Wish::Motion(MotionCommand::Withdraw { motion: Seq(motion) })),
        Ask::StopIssuance { operator, why } => Ok(Wish::StopIssuance { operator: admin.operator(&operator)?.0, why }),
        Ask::ResumeIssuance { operator } => Ok(Wish::ResumeIssuance { operator: admin.operator(&operator)?.0 }),
        Ask::ProposeRate { .. }
        | Ask::ProposeClose { .. }
        | Ask::ProposeVoid { .. }
        | Ask::ProposeReversal { .. }
        | Ask::ProposeAdjustment { .. } => {
            let (operator, proposal) = proposal(admin, ask).await?;
            Ok(Wish::Motion(MotionCommand::Propose { operator, proposal: Box::new(proposal) }))
        }
    }
}

fn till(admin: &Admin, ask: Ask) -> Result<TillCommand, Problem> {
    Ok(match ask {
        Ask::OpenOutlet { operator, name } => TillCommand::OpenOutlet { operator: admin.operator(&operator)?.0, name },
        Ask::Deposit { outlet, currency, amount_minor } => TillCommand::Deposit {
            outlet: OutletId(outlet),
            currency: currency.into(),
            amount: amount("amount_minor", amount_minor)?,
        },
        Ask::Withdraw { outlet, currency, amount_minor } => TillCommand::Withdraw {
            outlet: OutletId(outlet),
            currency: currency.into(),
            amount: amount("amount_minor", amount_minor)?,
        },
        Ask::QuoteCards { outlet, currency, first, count } => {
            let goods = Goods::Cards { first: read_serial(&first)?, count };
            TillCommand::Quote { outlet: OutletId(outlet), currency: currency.into(), goods }
        }
        Ask::QuoteReload { outlet, currency, serial, value_minor } => {
            let value = amount("value_minor", value_minor)?;
            let goods = Goods::Reload { serial: read_serial(&serial)?, value };
            TillCommand::Quote { outlet: OutletId(outlet), currency: currency.into(), goods }
        }
        Ask::Sell { quote } => TillCommand::Sell { quote: Seq(quote) },
        Ask::Refund { serial } => TillCommand::Refund { serial: read_serial(&serial)? },
        Ask::Merge { from, into } => TillCommand::Merge { from: read_serial(&from)?, into: read_serial(&into)? },
        Ask::PayOut { serial } => TillCommand::PayOut { serial: read_serial(&serial)? },
        Ask::AbandonBatch { .. }
        | Ask::StockCards { .. }
        | Ask::ReserveCall(_)
        | Ask::ExtendCall { .. }
        | Ask::CommitCall { .. }
        | Ask::ReleaseCall { .. }
        | Ask::Consume(_)
        | Ask::ProposeRate { .. }
        | Ask::ProposeClose { .. }
        | Ask::ProposeVoid { .. }
        | Ask::ProposeReversal { .. }
        | Ask::ProposeAdjustment { .. }
        | Ask::Approve { .. }
        | Ask::WithdrawMotion { .. }
        | Ask::StopIssuance { .. }
        | Ask::ResumeIssuance { .. } => return Err(Problem::gone(&"no till has that")),
    })
}

async fn proposal(admin: &Admin, ask: Ask) -> Result<(OperatorId, Proposal), Problem> {
    Ok(match ask {
        Ask::ProposeRate { operator, currency, cash_minor, airtime_minor, from, until } => {
            let until = until.as_deref().map(read_instant).transpose()?;
            // Not through `Ratio::try_new`: a rate of nothing is the decider's to refuse, by its name.
            let ratio = Ratio { numerator: cash_minor, denominator: airtime_minor };
            let rate = Rate { from: read_instant(&from)?, until, ratio };
            (admin.operator(&operator)?.0, Proposal::Rate { currency: currency.into(), rate })
        }
        Ask::ProposeClose { operator, period, from, cards_void } => {
            let from = read_instant(&from)?;
            (admin.operator(&operator)?.0, Proposal::Close { period, from, cards_void })
        }
        Ask::ProposeVoid { first, last, why } => {
            let (first, last) = (read_serial(&first)?, read_serial(&last)?);
            let operator = match admin.query(Query::Card(first)).await?.value {
                View::Card(Some(card)) => card.operator,
                _ => return Err(Problem::NotFound(String::from("no card has the first serial"))),
            };
            (operator, Proposal::VoidCards { first, last, why: Voiding::from(why) })
        }
        Ask::ProposeReversal { receipt, reason } => {
            let seq = parse_receipt(&receipt).map_err(|_| Problem::Misread)?;
            let (operator, gift) = reversal::find(admin, seq).await?;
            (operator, Proposal::Reverse(Reversal { reason, ..gift }))
        }
        Ask::ProposeAdjustment { operator, debit, credit, amount_minor, reason } => {
            let operator = admin.operator(&operator)?.0;
            let debit = account(admin, operator, debit).await?;
            let credit = account(admin, operator, credit).await?;
            let amount = amount("amount_minor", amount_minor)?;
            (operator, Proposal::Adjust { debit, credit, amount, reason })
        }
        Ask::AbandonBatch { .. }
        | Ask::StockCards { .. }
        | Ask::OpenOutlet { .. }
        | Ask::Deposit { .. }
        | Ask::Withdraw { .. }
        | Ask::QuoteCards { .. }
        | Ask::QuoteReload { .. }
        | Ask::Sell { .. }
        | Ask::Refund { .. }
        | Ask::Merge { .. }
        | Ask::PayOut { .. }
        | Ask::ReserveCall(_)
        | Ask::ExtendCall { .. }
        | Ask::CommitCall { .. }
        | Ask::ReleaseCall { .. }
        | Ask::Consume(_)
        | Ask::Approve { .. }
        | Ask::WithdrawMotion { .. }
        | Ask::StopIssuance { .. }
        | Ask::ResumeIssuance { .. } => return Err(Problem::gone(&"this is no proposal")),
    })
}

async fn account(admin: &Admin, operator: OperatorId, account: Account) -> Result<AccountId, Problem> {
    Ok(match account {
        Account::Card { serial } => {
            let card = read_serial(&serial)?.card();
            AccountId::Card(card.ok_or_else(|| Problem::NotFound(String::from("no card has this serial")))?)
        }
        Account::Airtime { msisdn: Some(msisdn), subscriber: None } => {
            AccountId::Airtime(subscriber(admin, &msisdn).await?)
        }
        // Of somebody who had a number that is another one's by now.
        Account::Airtime { msisdn: None, subscriber: Some(row) } => AccountId::Airtime(SubscriberId(row)),
        Account::Airtime { .. } => {
            let what = "`airtime` names its account by `msisdn` or by `subscriber`, as `GET /v1/subscribers` shows it";
            return Err(Problem::Malformed(String::from(what)));
        }
        Account::FeeIncome => AccountId::FeeIncome(operator),
        Account::TaxPayable => AccountId::TaxPayable(operator),
        Account::CallIncome => AccountId::CallIncome(operator),
        Account::Breakage => AccountId::Breakage(operator),
        Account::Position => AccountId::Position(operator),
        Account::Refunded => AccountId::Refunded(operator),
        Account::Cash { currency } => AccountId::Cash(operator, currency.into()),
        Account::CashPosition { currency } => AccountId::CashPosition(operator, currency.into()),
        Account::Float { outlet, currency } => AccountId::Float(OutletId(outlet), currency.into()),
    })
}

async fn subscriber(admin: &Admin, msisdn: &str) -> Result<SubscriberId, Problem> {
    match admin.query(Query::Subscriber(number(admin, msisdn)?)).await?.value {
        View::Subscriber(Some(view)) => Ok(view.id),
        _ => Err(Problem::NotFound(String::from("nobody has this number"))),
    }
}

fn number(admin: &Admin, msisdn: &str) -> Result<Msisdn, Problem> {
    numbers::read(msisdn, &admin.handle().directory())
}

fn amount(field: &str, minor: i64) -> Result<Amount, Problem> {
    Amount::try_new(minor).ok_or_else(|| Problem::Malformed(format!("`{field}` is 1 or more")))
}

pub(crate) fn batch_id(number: u32) -> Result<BatchId, Problem> {
    BatchId::try_new(number).ok_or_else(|| malformed("a batch's number is 1 or more"))
}

fn malformed(what: &str) -> Problem {
    Problem::Malformed(String::from(what))
}
