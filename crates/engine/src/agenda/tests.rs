use super::{Agenda, BUSY_WAIT_MS, CARDS_AT_ONCE_MAX, Cards, Due, LATER_MS, REFUSED_WAIT_MAX_MS, Shot};
use crate::answer::{Answer, CardsDue, Reply};
use domain::ids::{CardId, Language};
use domain::office::{RecordKey, RecordKind};
use domain::receipt::Seq;
use domain::refusal::Refusal;
use domain::time::Timestamp;
use domain::verdict::{Done, Outcome};

const NOW: Timestamp = Timestamp::from_ms(1_800_000_000_000);

fn call(seq: u64) -> RecordKey {
    RecordKey::made_by(RecordKind::Call, Seq(seq))
}

fn verdict(seq: u64, outcome: Outcome) -> Answer {
    Answer::Verdict(Reply { seq: Seq(seq), at: NOW, outcome, language: Language::default(), repeated: false })
}

fn refused(seq: u64) -> Answer {
    verdict(seq, Outcome::Refused(Refusal::NothingToChange))
}

fn done(seq: u64) -> Answer {
    verdict(seq, Outcome::Done(Done::CardChanged))
}

/// The only record that is due.
fn shot(agenda: &mut Agenda, now: Timestamp) -> Option<Shot> {
    let taken = agenda.take(now, 10);
    assert!(taken.cards.is_empty() && taken.records.len() <= 1, "{taken:?}");
    taken.records.first().copied()
}

#[test]
fn what_is_extended_is_due_once_and_has_another_timer() {
    let mut agenda = Agenda::default();
    agenda.record(call(7), Some(NOW));
    let first = agenda.take(NOW, 1).records.remove(0);
    // Its command is refused, for the call was extended meanwhile; the follower reads that later.
    agenda.answered(&first, &refused(9), NOW);
    for ms in 1..=1_000 {
        agenda.record(call(7), Some(NOW.plus_ms(ms)));
        assert_eq!((agenda.len(), agenda.queue.len()), (1, 1), "nothing is left of the time before");
    }
    assert_eq!(shot(&mut agenda, NOW.plus_ms(999)), None);
    let second = shot(&mut agenda, NOW.plus_ms(1_000)).expect("due");
    assert_eq!((second.due, second.after), (Due::Record(call(7)), Seq::ZERO));
    assert_ne!(first.command(NOW).id, second.command(NOW).id);
    agenda.answered(&second, &done(1_010), NOW.plus_ms(1_000));
    agenda.record(call(7), None);
    assert!(agenda.is_empty() && agenda.queue.is_empty());
}

#[test]
fn what_is_set_to_the_same_instant_again_is_the_same_timer() {
    let mut agenda = Agenda::default();
    agenda.record(call(7), Some(NOW));
    agenda.record(call(7), Some(NOW));
    assert_eq!(agenda.take(NOW, 10).records.len(), 1);
}

#[test]
fn a_refusal_does_not_drop_what_is_open_and_costs_ever_fewer_entries() {
    let mut agenda = Agenda::default();
    agenda.record(call(7), Some(NOW));
    let (mut now, mut ids, mut waits) = (NOW, Vec::new(), Vec::new());
    for seq in 10..30 {
        let shot = shot(&mut agenda, now).expect("it is still open");
        ids.push(shot.command(now).id);
        agenda.answered(&shot, &refused(seq), now);
        let (next, _) = *agenda.queue.first().expect("queued");
        assert_eq!(self::shot(&mut agenda, next.plus_ms(-1)), None);
        waits.push(next.ms() - now.ms());
        now = next;
    }
    assert_eq!(waits.get(..4), Some(&[1_000, 2_000, 4_000, 8_000][..]));
    assert_eq!(waits.last(), Some(&REFUSED_WAIT_MAX_MS));
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 20, "the same id would hear the same refusal for ever");
}

#[test]
fn without_a_verdict_the_same_command_is_asked_again() {
    let mut agenda = Agenda::default();
    agenda.record(call(7), Some(NOW));
    let first = shot(&mut agenda, NOW).expect("due");
    for answer in [Answer::Busy, Answer::Unknown, Answer::NotDone] {
        agenda.answered(&first, &answer, NOW);
        assert_eq!(shot(&mut agenda, NOW.plus_ms(BUSY_WAIT_MS)), Some(first));
    }
}

#[test]
fn what_is_done_and_does_not_leave_is_asked_about_anew() {
    let mut agenda = Agenda::default();
    agenda.record(call(7), Some(NOW));
    let first = shot(&mut agenda, NOW).expect("due");
    agenda.answered(&first, &done(9), NOW);
    let again = shot(&mut agenda, NOW.plus_s(60)).expect("it did not leave");
    assert_eq!((again.due, again.after), (first.due, Seq(9)));
}

#[test]
fn cards_that_expire_together_are_one_item() {
    let mut agenda = Agenda::default();
    (0..1_000).for_each(|row| agenda.card(CardId(row), NOW));
    (1_000..2_000).for_each(|row| agenda.card(CardId(row), NOW.plus_ms(1)));
    (2_000..3_000).for_each(|row| agenda.card(CardId(row), Timestamp::MAX));
    assert_eq!((agenda.len(), agenda.queue.len()), (2, 2));
    assert!(agenda.take(NOW.plus_ms(-1), 10).cards.is_empty());
    let mut seen = Vec::new();
    loop {
        let taken = agenda.take(NOW, 1);
        let Some(cards) = taken.cards.first().copied() else { break };
        assert!(cards.last.0 - cards.first.0 < CARDS_AT_ONCE_MAX && cards.expires_at == NOW);
        let ids: Vec<CardId> = (cards.first.0..=cards.last.0).map(CardId).collect();
        let shots = agenda.looked(&cards, Some(&CardsDue { now: ids, later: Vec::new() }), NOW);
        seen.extend(shots.iter().map(|shot| shot.due));
    }
    assert_eq!(seen, (0..1_000).map(|row| Due::Card(CardId(row))).collect::<Vec<_>>());
    assert_eq!(agenda.len(), 1);
}

#[test]
fn a_card_that_can_not_expire_yet_is_looked_at_again() {
    let mut agenda = Agenda::default();
    (0..6).for_each(|row| agenda.card(CardId(row), NOW));
    let cards = agenda.take(NOW, 10).cards.remove(0);
    // Nobody could look: nothing is lost.
    assert!(agenda.looked(&cards, None, NOW).is_empty());
    let cards = agenda.take(NOW.plus_ms(BUSY_WAIT_MS), 10).cards.remove(0);
    // 0 ended otherwise; 1, 2 and 4 are void by a rule; 3 and 5 expire.
    let found = CardsDue { now: vec![CardId(3), CardId(5)], later: vec![CardId(1), CardId(2), CardId(4)] };
    let shots = agenda.looked(&cards, Some(&found), NOW);
    agenda.answered(&shots[0], &done(9), NOW);
    // Somebody was faster.
    agenda.answered(&shots[1], &refused(10), NOW);
    let hour = agenda.take(NOW.plus_ms(REFUSED_WAIT_MAX_MS), 10).cards;
    let row =
        |first, last, after| Cards { first: CardId(first), last: CardId(last), expires_at: NOW, after: Seq(after) };
    assert_eq!(hour, [row(5, 5, 10)]);
    let again = agenda.looked(&hour[0], Some(&CardsDue { now: vec![CardId(5)], later: Vec::new() }), NOW);
    assert_ne!(again[0].command(NOW).id, shots[1].command(NOW).id);
    agenda.answered(&again[0], &done(11), NOW);
    assert!(agenda.take(NOW.plus_ms(LATER_MS - 1), 10).cards.is_empty());
    assert_eq!(agenda.take(NOW.plus_ms(LATER_MS), 10).cards, [row(1, 2, 0), row(4, 4, 0)]);
    assert!(agenda.is_empty());
}
