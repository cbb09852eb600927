//! Between rows of tables and rows of the state: names, optional columns, lists as octets.
//!
//! Guarantees: what is written is what is read; anything else in a column is a damaged checkpoint.

use domain::card::{CardState, Voiding};
use domain::currency::Currency;
use domain::ids::{BatchId, Language, OperatorId, OutletId, SubscriberId};
use domain::money::Amount;
use domain::number::{CardNumber, Imsi, Msisdn};
use domain::office::till::Bought;
use domain::password::PasswordTag;
use domain::receipt::Seq;
use domain::restore::{CardRow, RepeatRow, SubscriberRow};
use domain::rules::limit::{Kind, Subject, Window};
use domain::state::{CardFacts, Purse, Recents, RepeatKey, Standing, SubscriberFacts};
use domain::time::{BusinessDate, Timestamp};
use engine::checkpoint::CheckpointFault;
use rusqlite::Row;
use rusqlite::types::ValueRef;

use super::{damaged, fault};

/// A column of a row that is being read.
#[derive(Clone, Copy)]
pub(super) struct Columns<'a>(pub(super) &'a Row<'a>);

impl<'a> Columns<'a> {
    fn value(self, column: usize) -> Result<ValueRef<'a>, CheckpointFault> {
        self.0.get_ref(column).map_err(|error| fault(&error))
    }

    pub(super) fn int(self, column: usize) -> Result<i64, CheckpointFault> {
        match self.value(column)? {
            ValueRef::Integer(value) => Ok(value),
            _ => Err(damaged("a number is none")),
        }
    }

    pub(super) fn maybe_int(self, column: usize) -> Result<Option<i64>, CheckpointFault> {
        match self.value(column)? {
            ValueRef::Integer(value) => Ok(Some(value)),
            ValueRef::Null => Ok(None),
            _ => Err(damaged("a number is none")),
        }
    }

    /// An integer of a narrower type.
    pub(super) fn narrow<T: TryFrom<i64>>(self, column: usize) -> Result<T, CheckpointFault> {
        T::try_from(self.int(column)?).map_err(|_| damaged("a number is too large or below zero"))
    }

    pub(super) fn seq(self, column: usize) -> Result<Seq, CheckpointFault> {
        self.narrow(column).map(Seq)
    }

    pub(super) fn at(self, column: usize) -> Result<Timestamp, CheckpointFault> {
        self.int(column).map(Timestamp::from_ms)
    }

    pub(super) fn date(self, column: usize) -> Result<BusinessDate, CheckpointFault> {
        self.narrow(column).map(BusinessDate::from_days)
    }

    pub(super) fn text(self, column: usize) -> Result<&'a str, CheckpointFault> {
        self.maybe_text(column)?.ok_or_else(|| damaged("a text is missing"))
    }

    fn maybe_text(self, column: usize) -> Result<Option<&'a str>, CheckpointFault> {
        match self.value(column)? {
            ValueRef::Text(text) => core::str::from_utf8(text).map(Some).map_err(|_| damaged("a text is no UTF-8")),
            ValueRef::Null => Ok(None),
            _ => Err(damaged("a text is none")),
        }
    }

    pub(super) fn octets(self, column: usize) -> Result<&'a [u8], CheckpointFault> {
        match self.value(column)? {
            ValueRef::Blob(octets) => Ok(octets),
            ValueRef::Null => Ok(&[]),
            _ => Err(damaged("octets are none")),
        }
    }

    pub(super) fn purse(self, column: usize) -> Result<Purse, CheckpointFault> {
        Ok(Purse { balance_minor: self.int(column)?, latest: self.seq(column + 1)? })
    }
}

/// Checks that a row is the one that comes next.
pub(super) fn in_order(columns: Columns<'_>, next: &mut u32) -> Result<u32, CheckpointFault> {
    let row = columns.narrow::<u32>(0)?;
    if row != *next {
        return Err(damaged("a row is missing"));
    }
    *next = row.saturating_add(1);
    Ok(row)
}

/// What [`subscriber`] reads.
pub(super) const SUBSCRIBERS: &str = "SELECT id, msisdn, imsi, operator, generation, language, standing, since_ms, \
     imsi_changed_at_ms, airtime_minor, airtime_seq, latest_seq, refused_date, refused_count, recents \
     FROM subscribers ORDER BY id";

/// Reads a subscriber.
pub(super) fn subscriber(columns: Columns<'_>) -> Result<SubscriberRow, CheckpointFault> {
    let imsi = columns.maybe_text(2)?.map(Imsi::parse).transpose().map_err(|_| damaged("an IMSI is none"))?;
    let facts = SubscriberFacts {
        msisdn: Msisdn::try_new(columns.narrow(1)?).map_err(|_| damaged("an MSISDN is none"))?,
        imsi,
        operator: OperatorId(columns.narrow(3)?),
        generation: columns.narrow(4)?,
        language: Language::from_tag(columns.text(5)?).ok_or_else(|| damaged("a language is none"))?,
        standing: standing_of(columns.text(6)?)?,
        since: columns.at(7)?,
        imsi_changed_at: columns.maybe_int(8)?.map(Timestamp::from_ms),
    };
    Ok(SubscriberRow {
        facts,
        airtime: columns.purse(9)?,
        latest: columns.seq(11)?,
        refused: (columns.date(12)?, columns.narrow(13)?),
        recents: recents_of(columns.octets(14)?)?.collect(),
    })
}

/// What [`card`] reads.
pub(super) const CARDS: &str = "SELECT id, number, operator, issued_at_ms, expires_at_ms, state, holder, state_at_ms, \
     outlet, voiding, tag, balance_minor, latest_seq, bound_seq, bind_wrong, batch, bought_currency, bought_minor, \
     bought_value_minor, bought_outlet, bought_seq FROM cards ORDER BY id";

/// Reads a card.
pub(super) fn card(columns: Columns<'_>) -> Result<CardRow, CheckpointFault> {
    let facts = CardFacts {
        number: CardNumber::from_stored(columns.narrow(1)?),
        operator: OperatorId(columns.narrow(2)?),
        issued_at: columns.at(3)?,
        expires_at: columns.maybe_int(4)?.map_or(Timestamp::MAX, Timestamp::from_ms),
        state: card_state(columns)?,
        batch: columns.maybe_int(15)?.map(|_| batch(columns)).transpose()?,
    };
    let (bound, bind_wrong) = (columns.seq(13)?, columns.narrow(14)?);
    Ok(CardRow { facts, purse: columns.purse(11)?, bound, bind_wrong, bought: bought(columns)? })
}

fn batch(columns: Columns<'_>) -> Result<BatchId, CheckpointFault> {
    BatchId::try_new(columns.narrow(15)?).ok_or_else(|| damaged("a batch is none"))
}

fn bought(columns: Columns<'_>) -> Result<Option<Bought>, CheckpointFault> {
    let Some(code) = columns.maybe_text(16)? else { return Ok(None) };
    let amount = |column| {
        let minor = columns.int(column)?;
        Amount::try_new(minor).ok_or_else(|| damaged("an amount is not positive"))
    };
    Ok(Some(Bought {
        currency: Currency::from_code(code).ok_or_else(|| damaged("a currency is none"))?,
        price: amount(17)?,
        value: amount(18)?,
        outlet: OutletId(columns.narrow(19)?),
        sale: columns.seq(20)?,
    }))
}

/// A card's state as columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StateColumns {
    pub(super) name: &'static str,
    pub(super) holder: Option<u32>,
    pub(super) at_ms: Option<i64>,
    pub(super) outlet: Option<u32>,
    pub(super) voiding: Option<&'static str>,
    pub(super) tag: Option<[u8; PasswordTag::LEN]>,
}

impl From<&CardState> for StateColumns {
    fn from(state: &CardState) -> Self {
        let (at, outlet, voiding) = match *state {
            CardState::Printed { .. } | CardState::Bound { .. } => (None, None, None),
            CardState::InStock { outlet, .. } => (None, Some(outlet), None),
            CardState::Sold { at, .. } | CardState::Closed { at, .. } | CardState::Expired { at, .. } => {
                (Some(at), None, None)
            }
            CardState::Frozen { since, .. } => (Some(since), None, None),
            CardState::Void { at, why, .. } => (Some(at), None, Some(why)),
        };
        Self {
            name: state.name(),
            holder: state.holder().map(|holder| holder.0),
            at_ms: at.map(Timestamp::ms),
            outlet: outlet.map(|outlet| outlet.0),
            voiding: voiding.map(voiding_name),
            tag: state.tag().map(|tag| tag.to_bytes()),
        }
    }
}

fn card_state(columns: Columns<'_>) -> Result<CardState, CheckpointFault> {
    let holder = || columns.maybe_int(6)?.map(|_| columns.narrow(6).map(SubscriberId)).transpose();
    let bound_to = || holder()?.ok_or_else(|| damaged("a card has no holder"));
    let tag = || match <[u8; PasswordTag::LEN]>::try_from(columns.octets(10)?) {
        Ok(octets) => Ok(PasswordTag::from_bytes(octets)),
        Err(_) => Err(damaged("a card has no tag")),
    };
    Ok(match columns.text(5)? {
        "bound" => CardState::Bound { holder: bound_to()?, tag: tag()? },
        "sold" => CardState::Sold { at: columns.at(7)?, tag: tag()? },
        "frozen" => CardState::Frozen { holder: bound_to()?, tag: tag()?, since: columns.at(7)? },
        "printed" => CardState::Printed { tag: tag()? },
        "in-stock" => CardState::InStock { outlet: OutletId(columns.narrow(8)?), tag: tag()? },
        "closed" => CardState::Closed { holder: holder()?, at: columns.at(7)? },
        "expired" => CardState::Expired { holder: holder()?, at: columns.at(7)?, tag: tag()? },
        "void" => {
            let why = columns.text(9)?;
            CardState::Void { holder: holder()?, at: columns.at(7)?, why: voiding_of(why)?, tag: tag()? }
        }
        _ => return Err(damaged("a card's state is none")),
    })
}

pub(super) const fn standing_name(standing: Standing) -> &'static str {
    match standing {
        Standing::Active => "active",
        Standing::Barred => "barred",
        Standing::Released => "released",
    }
}

fn standing_of(name: &str) -> Result<Standing, CheckpointFault> {
    [Standing::Active, Standing::Barred, Standing::Released]
        .into_iter()
        .find(|standing| standing_name(*standing) == name)
        .ok_or_else(|| damaged("a standing is none"))
}

const fn voiding_name(voiding: Voiding) -> &'static str {
    match voiding {
        Voiding::Lost => "lost",
        Voiding::Faulty => "faulty",
        Voiding::Ordered => "ordered",
    }
}

fn voiding_of(name: &str) -> Result<Voiding, CheckpointFault> {
    [Voiding::Lost, Voiding::Faulty, Voiding::Ordered]
        .into_iter()
        .find(|voiding| voiding_name(*voiding) == name)
        .ok_or_else(|| damaged("a reason for voiding is none"))
}

pub(super) fn subject_of(name: &str) -> Result<Subject, CheckpointFault> {
    Subject::ALL.into_iter().find(|subject| subject.name() == name).ok_or_else(|| damaged("a limit's subject is none"))
}

pub(super) fn kind_of(name: &str) -> Result<Kind, CheckpointFault> {
    Kind::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| damaged("a limit's kind is none"))
}

/// Reads what a window's public name says.
pub(super) fn window_of(name: &str) -> Result<Window, CheckpointFault> {
    let days = || name.strip_suffix(" days")?.parse().ok().map(Window::Days);
    let known = [Window::BusinessDay, Window::CalendarMonth].into_iter().find(|window| window.to_string() == name);
    known.or_else(days).ok_or_else(|| damaged("a limit's window is none"))
}

/// Recipients as octets; nothing for none.
pub(super) fn recents_octets(recents: &Recents) -> Option<Vec<u8>> {
    (!recents.is_empty()).then(|| recents.iter().flat_map(|recipient| recipient.0.to_be_bytes()).collect())
}

/// Reads what [`recents_octets`] wrote.
pub(super) fn recents_of(octets: &[u8]) -> Result<impl Iterator<Item = SubscriberId>, CheckpointFault> {
    let (recipients, []) = octets.as_chunks::<4>() else { return Err(damaged("recipients are none")) };
    Ok(recipients.iter().map(|recipient| SubscriberId(u32::from_be_bytes(*recipient))))
}

/// Octets of a remembered gift.
pub(super) const REPEAT_LEN: usize = 4 + 4 + 8 + 8 + 8 + 1;

/// A remembered gift as octets.
pub(super) fn repeat_octets(row: &RepeatRow, out: &mut Vec<u8>) {
    let RepeatRow { key, at, seq, undone } = row;
    out.extend_from_slice(&key.sender.0.to_be_bytes());
    out.extend_from_slice(&key.recipient.0.to_be_bytes());
    out.extend_from_slice(&key.amount.minor().to_be_bytes());
    out.extend_from_slice(&at.ms().to_be_bytes());
    out.extend_from_slice(&seq.0.to_be_bytes());
    out.push(u8::from(*undone));
}

/// Reads what [`repeat_octets`] wrote.
pub(super) fn repeat_of(octets: &[u8; REPEAT_LEN]) -> Result<RepeatRow, CheckpointFault> {
    let (rows, _) = octets.as_chunks::<4>();
    let (words, undone) = octets.as_chunks::<8>();
    let &[sender, recipient, ..] = rows else { return Err(damaged("a remembered gift is none")) };
    let &[_, amount, at, seq] = words else { return Err(damaged("a remembered gift is none")) };
    let undone = match undone {
        [0] => false,
        [1] => true,
        _ => return Err(damaged("a remembered gift is none")),
    };
    let amount = Amount::try_new(i64::from_be_bytes(amount)).ok_or_else(|| damaged("an amount is not positive"))?;
    let (sender, recipient) = (SubscriberId(u32::from_be_bytes(sender)), SubscriberId(u32::from_be_bytes(recipient)));
    let key = RepeatKey { sender, recipient, amount };
    Ok(RepeatRow { key, at: Timestamp::from_ms(i64::from_be_bytes(at)), seq: Seq(u64::from_be_bytes(seq)), undone })
}
