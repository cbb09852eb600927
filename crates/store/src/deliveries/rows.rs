//! A delivery as a row. A row that is no delivery is damage.

use domain::ids::{Language, LinkId};
use domain::number::Msisdn;
use domain::receipt::Seq;
use domain::time::{TIMESTAMP_MS_MAX, Timestamp};
use engine::deliveries::{Delivery, DeliveryKey, End, ReceiptState, Role, Sent, Stage};
use rusqlite::types::Type;
use rusqlite::{Connection, Params, Row, Transaction, params};

use crate::sqlite::int;

/// Deliveries of a query for whole rows.
pub(super) fn read<P: Params>(conn: &Connection, sql: &str, of: P) -> rusqlite::Result<Vec<Delivery>> {
    let mut query = conn.prepare_cached(sql)?;
    query.query_map(of, delivery)?.collect()
}

/// Puts a delivery where it belongs; how many more have ended.
pub(super) fn write(work: &Transaction<'_>, delivery: &Delivery) -> rusqlite::Result<u64> {
    let (state, at) = match delivery.stage {
        Stage::Waiting { next_at } => ("waiting", next_at),
        Stage::Submitted { until } => ("submitted", until),
        Stage::Ended { how, at } => (how.name(), at),
    };
    let key = delivery.key;
    let sql = if delivery.is_ended() {
        let gone = "DELETE FROM open WHERE seq = ?1 AND role = ?2";
        work.prepare_cached(gone)?.execute(params![int(key.seq), key.role.name()])?;
        "INSERT OR REPLACE INTO ended VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
    } else {
        "INSERT OR REPLACE INTO open VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
    };
    let sent = delivery.sent.as_ref();
    work.prepare_cached(sql)?.execute(params![
        int(key.seq),
        key.role.name(),
        delivery.to.get().cast_signed(),
        delivery.given_at.ms(),
        state,
        at.ms(),
        delivery.attempts,
        delivery.language.map(Language::tag),
        delivery.status,
        sent.map(|sent| sent.link.0),
        sent.and_then(|sent| sent.message_id.as_deref()),
        sent.map(|sent| sent.at.ms()),
        delivery.receipt.map(ReceiptState::name),
        delivery.receipt_error,
    ])?;
    Ok(u64::from(delivery.is_ended()))
}

fn delivery(row: &Row<'_>) -> rusqlite::Result<Delivery> {
    let at = instant(row, 5)?;
    let state: String = row.get(4)?;
    let stage = match state.as_str() {
        "waiting" => Stage::Waiting { next_at: at },
        "submitted" => Stage::Submitted { until: at },
        other => Stage::Ended { how: End::from_name(other).ok_or_else(|| no(4, "a state"))?, at },
    };
    let sent = match row.get::<_, Option<u16>>(9)? {
        Some(link) => Some(Sent {
            link: LinkId(link),
            message_id: row.get::<_, Option<String>>(10)?.map(String::into_boxed_str),
            at: instant(row, 11)?,
        }),
        None => None,
    };
    if sent.is_none() && matches!(stage, Stage::Submitted { .. }) {
        return Err(no(9, "the link of a message that was taken over"));
    }
    let seq = row.get::<_, i64>(0)?;
    Ok(Delivery {
        key: DeliveryKey {
            seq: u64::try_from(seq).ok().filter(|seq| *seq > 0).map(Seq).ok_or_else(|| no(0, "an entry"))?,
            role: named(row, 1, Role::from_name)?.ok_or_else(|| no(1, "a role"))?,
        },
        to: Msisdn::try_new(row.get::<_, i64>(2)?.cast_unsigned()).map_err(|_| no(2, "a number"))?,
        given_at: instant(row, 3)?,
        language: named(row, 7, Language::from_tag)?,
        attempts: row.get(6)?,
        status: row.get(8)?,
        sent,
        receipt: named(row, 12, ReceiptState::from_name)?,
        receipt_error: row.get(13)?,
        stage,
    })
}

fn instant(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    let ms: i64 = row.get(column)?;
    if (0..=TIMESTAMP_MS_MAX).contains(&ms) { Ok(Timestamp::from_ms(ms)) } else { Err(no(column, "an instant")) }
}

fn named<T>(row: &Row<'_>, column: usize, of: impl Fn(&str) -> Option<T>) -> rusqlite::Result<Option<T>> {
    let name: Option<String> = row.get(column)?;
    name.map(|name| of(&name).ok_or_else(|| no(column, "a name"))).transpose()
}

/// A column does not hold what it should.
fn no(column: usize, what: &str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Null, format!("it is not {what}").into())
}
