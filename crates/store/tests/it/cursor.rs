//! Followers' cursors.

use engine::follower::Cursor;
use store::{SqliteCursor, StoreFault};

use crate::support::{Place, seq};

#[test]
fn a_cursor_is_where_it_was_saved() {
    let place = Place::new();
    let mut cursor = SqliteCursor::open(&place.path, "sms-1").expect("a cursor");
    assert_eq!(cursor.load(), Ok(None));
    for n in [1, 2, 700, 7_000_000_000] {
        cursor.save(seq(n)).expect("saved");
    }
    assert_eq!(cursor.is_paused(), Ok(false));
    drop(cursor);
    let mut cursor = SqliteCursor::open(&place.path, "sms-1").expect("a cursor");
    assert_eq!(cursor.load(), Ok(Some(seq(7_000_000_000))));
    assert_eq!(SqliteCursor::open(&place.path, "webhooks").expect("another").load(), Ok(None));
}

#[test]
fn a_name_leads_nowhere_else() {
    let place = Place::new();
    for bad in ["", "..", "a/b", "A", "a b", "a.b", &"a".repeat(33)] {
        assert!(matches!(SqliteCursor::open(&place.path, bad), Err(StoreFault::Name)), "{bad}");
    }
}

#[test]
fn a_cursor_that_is_no_database_is_a_fault() {
    let place = Place::new();
    std::fs::write(place.path.join("follower-sms.sqlite"), "x".repeat(5_000)).expect("written");
    assert!(matches!(SqliteCursor::open(&place.path, "sms"), Err(StoreFault::Cursor(_))));
}
