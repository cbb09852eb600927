use super::{ANSWERS_MAX, About, Key, REMEMBERED_S, Screen, Session, Sessions, Times};
use domain::ids::LinkId;
use domain::number::Msisdn;
use domain::time::Timestamp;
use std::sync::Arc;

fn key(caller: u64) -> Key {
    Key { link: LinkId(1), caller: Msisdn::try_new(8_501_910_000_000 + caller).expect("a number") }
}

fn at(s: i64) -> Timestamp {
    Timestamp::from_ms(1_800_000_000_000).plus_s(s)
}

#[test]
fn a_session_idles_out_and_ends_after_its_total_time() {
    let sessions = Sessions::new(65_536);
    sessions.begin(key(1), b"s", 7, at(0));
    let live = |s| sessions.find(key(1), b"s", Times::default(), at(s)).expect("remembered").live;
    assert!(live(30));
    for s in [60, 90, 120, 150, 180] {
        assert!(live(s), "{s}");
    }
    assert!(!live(181), "180 s in all");
    sessions.begin(key(2), b"s", 7, at(0));
    assert!(!sessions.find(key(2), b"s", Times::default(), at(31)).expect("remembered").live);
    assert!(sessions.find(key(2), b"t", Times::default(), at(1)).is_none(), "another name");
}

#[test]
fn a_repeated_first_frame_finds_its_session_and_a_used_name_is_a_new_one() {
    let sessions = Sessions::new(65_536);
    let first = sessions.begin(key(1), b"s", 7, at(0));
    assert!(Arc::ptr_eq(&first, &sessions.begin(key(1), b"s", 7, at(1))));
    assert!(Arc::ptr_eq(&first, &sessions.repeated(key(1), b"s", 7, at(1)).expect("repeated")));
    let other = sessions.begin(key(1), b"s", 8, at(2));
    assert_eq!(other.try_lock().expect("free").reuse, 1);
    sessions.find(key(1), b"s", Times::default(), at(3)).expect("there");
    let again = sessions.begin(key(1), b"s", 8, at(4));
    assert_eq!(again.try_lock().expect("free").reuse, 2, "the same content after others is a new session");
    let late = sessions.begin(key(1), b"s", 8, at(4 + REMEMBERED_S));
    assert!(!Arc::ptr_eq(&again, &late), "forgotten after ten minutes");
}

#[test]
fn a_flood_drops_the_longest_idle() {
    let sessions = Sessions::new(100);
    for caller in 0..100 {
        sessions.begin(key(caller), b"s", 0, at(0));
    }
    sessions.find(key(0), b"s", Times::default(), at(1)).expect("there");
    for caller in 100..100_000 {
        sessions.begin(key(caller), b"s", 0, at(1));
        assert!(sessions.len() <= 100);
        if caller == 198 {
            assert!(sessions.find(key(0), b"s", Times::default(), at(1)).is_some(), "touched later than those");
            assert!(sessions.find(key(1), b"s", Times::default(), at(1)).is_none());
        }
    }
    let rows = sessions.lock();
    assert_eq!(rows.by_key.len(), rows.waiting.len() + rows.over.len());
}

#[test]
fn what_is_over_makes_room_before_any_dialogue() {
    let sessions = Sessions::new(100);
    for caller in 0..50 {
        sessions.begin(key(caller), b"s", 0, at(0));
    }
    for caller in 50..10_000 {
        sessions.begin(key(caller), b"s", 0, at(1));
        sessions.over(key(caller), b"s");
    }
    assert_eq!(sessions.len(), 100);
    assert!((0..50).all(|caller| sessions.find(key(caller), b"s", Times::default(), at(1)).is_some()));
    let rows = sessions.lock();
    assert_eq!((rows.waiting.len(), rows.over.len()), (50, 50));
}

#[test]
fn old_rows_go_when_others_come() {
    let sessions = Sessions::new(65_536);
    for caller in 0..50 {
        sessions.begin(key(caller), b"s", 0, at(0));
    }
    for caller in 50..60 {
        sessions.begin(key(caller), b"s", 0, at(REMEMBERED_S));
    }
    assert_eq!(sessions.len(), 10);
}

#[test]
fn a_session_keeps_its_latest_screens() {
    let mut session = Session::default();
    for mark in 0..6 {
        session.remember(mark, Screen { text: mark.to_string(), goes_on: true, about: About::Nothing });
    }
    assert!(session.answer(1).is_none());
    assert_eq!(session.answer(5).expect("kept").text, "5");
    assert_eq!(session.answers.len(), ANSWERS_MAX);
}

#[test]
fn a_session_knows_the_one_before_it_and_no_chain_of_them() {
    let sessions = Sessions::new(65_536);
    let first = sessions.begin(key(1), b"0", 7, at(0));
    first.try_lock().expect("free").remember(7, Screen::end(String::new()));
    for name in 1..1_000_u64 {
        let cell = sessions.begin(key(1), &name.to_be_bytes(), 7, at(1));
        let session = cell.try_lock().expect("free");
        let left = session.left.as_ref().expect("there was one");
        assert!(Arc::ptr_eq(&left.cell, &first), "nothing happened in those between");
    }
    assert_eq!(Arc::strong_count(&first), 2, "ours, and the newest session's");
    let late = sessions.begin(key(1), b"late", 7, at(1 + REMEMBERED_S));
    assert!(late.try_lock().expect("free").left.is_none(), "forgotten with the ids of its prompts");
    assert_eq!(Arc::strong_count(&first), 1);
}

/// Two dials at the same time: the older one's turn has not begun when the newer one takes what was left.
#[test]
fn what_is_left_is_taken_up_by_one_session_only() {
    let sessions = Sessions::new(65_536);
    let first = sessions.begin(key(1), b"0", 7, at(0));
    first.try_lock().expect("free").remember(7, Screen::end(String::new()));
    let older = sessions.begin(key(1), b"1", 7, at(1));
    assert!(!older.try_lock().expect("free").superseded);
    let newer = sessions.begin(key(1), b"2", 7, at(1));
    let (older, newer) = (older.try_lock().expect("free"), newer.try_lock().expect("free"));
    assert_eq!((older.left.is_some(), older.superseded), (false, true), "it may begin nothing any more");
    assert_eq!((newer.left.is_some(), newer.superseded), (true, false));
}

#[test]
fn a_dropped_session_may_go_on_for_a_minute() {
    let times = Times::default();
    for (released_s, dialled_s, expected) in [
        (None, 0, true),
        (None, 90, true),
        (None, 91, false),
        (Some(10), 70, true),
        (Some(10), 71, false),
        (Some(50), 90, true),
        (Some(50), 91, false),
    ] {
        let sessions = Sessions::new(65_536);
        sessions.begin(key(1), b"0", 7, at(0));
        if let Some(s) = released_s {
            sessions.released(key(1), b"other", at(s - 1));
            sessions.released(key(1), b"0", at(s));
            sessions.released(key(1), b"0", at(s + 1));
            assert!(!sessions.find(key(1), b"0", times, at(s)).expect("remembered").live);
        }
        let cell = sessions.begin(key(1), b"1", 7, at(dialled_s));
        let left = cell.try_lock().expect("free").left.take().expect("there was one");
        assert_eq!(left.may_resume(times, at(dialled_s)), expected, "{released_s:?} {dialled_s}");
    }
    // In all 180 s, however busy.
    let sessions = Sessions::new(65_536);
    sessions.begin(key(1), b"0", 7, at(0));
    for s in [30, 60, 90, 120, 150, 180] {
        sessions.find(key(1), b"0", times, at(s)).expect("there");
    }
    let cell = sessions.begin(key(1), b"1", 7, at(241));
    assert!(!cell.try_lock().expect("free").left.take().expect("one").may_resume(times, at(241)));
}

#[test]
fn what_is_over_is_not_released() {
    let sessions = Sessions::new(65_536);
    sessions.begin(key(1), b"0", 7, at(0));
    sessions.over(key(1), b"0");
    sessions.released(key(1), b"0", at(1));
    assert!(!sessions.is_gone(key(1), b"0"));
    assert!(sessions.is_gone(key(1), b"1"), "another session has its place");
}
