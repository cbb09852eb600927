//! What a profile says for the office: free minutes, holds, tariffs of a period, and who may do what.

use toml::Spanned;

use super::bounds::STAFF_MAX;
use super::raw::{Money, RawHeld, RawHold, RawPeriodTariff, RawStaff};
use super::values::{amount, whole_number};
use super::wrong::{Wrong, wrong};
use crate::ids::LimitId;
use crate::rules::limit::{Kind, Limit, LimitName, Measure, Subject, Window};
use crate::rules::tariff::Ratio;
use crate::rules::{HOLD_S_MAX, Held, HoldRule, Role, StaffRule, Tariff, Unit};
use crate::time::Timestamp;

/// Most free minutes of a month: all of them.
const FREE_MINUTES_MAX: i64 = 31 * 24 * 60;
/// Public name of the count of free minutes.
const FREE_MINUTES: &str = "free-minutes";

/// Free minutes are counted like a limit on what one subscriber uses in a calendar month.
pub(super) fn free_minutes(raw: Option<&Spanned<i64>>) -> Result<Option<Limit>, Wrong> {
    let Some(raw) = raw else { return Ok(None) };
    let ceiling = whole_number(raw, 1, FREE_MINUTES_MAX)?;
    Ok(Some(Limit {
        id: LimitId::default(),
        name: LimitName::new(FREE_MINUTES),
        kind: Kind::Call,
        subject: Subject::Sender,
        measure: Measure::Count,
        ceiling,
        window: Window::CalendarMonth,
        from: Timestamp::MIN,
        until: Timestamp::MAX,
    }))
}

/// Which gifts are held; `None` for none of them.
pub(super) fn hold_rule(raw: &Spanned<RawHold>) -> Result<Option<HoldRule>, Wrong> {
    let raw = raw.get_ref();
    let for_s = whole_number(&raw.for_s, 1, i64::from(HOLD_S_MAX))?;
    Ok(match raw.gifts {
        RawHeld::Never => None,
        RawHeld::Always => Some(HoldRule { gifts: Held::Always, for_s }),
        RawHeld::NewRecipient => Some(HoldRule { gifts: Held::NewRecipient, for_s }),
    })
}

/// What airtime buys in one period.
pub(super) fn period_tariff(raw: &RawPeriodTariff, unit: &Unit) -> Result<Tariff, Wrong> {
    priced(&raw.minute_price, raw.cross_network.as_ref(), unit)
}

/// A tariff of a price and a ratio.
pub(super) fn priced(
    minute_price: &Spanned<Money>,
    cross_network: Option<&Spanned<String>>,
    unit: &Unit,
) -> Result<Tariff, Wrong> {
    let cross_network = match cross_network {
        None => Ratio::ONE,
        Some(text) => ratio(text.get_ref())
            .ok_or_else(|| wrong(text, "write a ratio of whole numbers from 1, for example \"3/2\""))?,
    };
    Ok(Tariff { minute_price: amount(minute_price, unit)?, cross_network })
}

fn ratio(text: &str) -> Option<Ratio> {
    let (numerator, denominator) = text.split_once('/')?;
    let part = |digits: &str| digits.bytes().all(|octet| octet.is_ascii_digit()).then(|| digits.parse().ok())?;
    Ratio::try_new(part(numerator)?, part(denominator)?)
}

/// Who may do what; `None` where nothing is written.
pub(super) fn staff(raw: &[Spanned<RawStaff>]) -> Result<Option<Vec<StaffRule>>, Wrong> {
    let mut staff: Vec<StaffRule> = Vec::with_capacity(raw.len());
    for spanned in raw {
        let one = spanned.get_ref();
        let uid = whole_number(&one.uid, 0, i64::from(u32::MAX))?;
        if staff.iter().any(|other| other.uid == uid) {
            return Err(wrong(&one.uid, "this uid is there twice: write all its roles in one place"));
        }
        if staff.len() == STAFF_MAX {
            return Err(wrong(spanned, format!("at most {STAFF_MAX} people")));
        }
        let names = || Role::ALL.map(Role::name).join(", ");
        let role = |name: &Spanned<String>| {
            let known = Role::ALL.into_iter().find(|role| role.name() == name.get_ref());
            known.ok_or_else(|| wrong(name, format!("no such role; there are {}", names())))
        };
        let roles = one.roles.get_ref().iter().map(role).collect::<Result<Vec<_>, _>>()?;
        if roles.is_empty() {
            return Err(wrong(&one.roles, format!("write at least one role of {}", names())));
        }
        staff.push(StaffRule { uid, roles });
    }
    // Whoever loads these rules could otherwise lock everybody out of changing them again.
    let network = staff.iter().filter(|one| one.roles.contains(&Role::Network)).count();
    if let Some(first) = raw.first().filter(|_| network < 2) {
        return Err(wrong(first, "at least two people need the role network: rules are changed by two"));
    }
    Ok((!staff.is_empty()).then_some(staff))
}
