//! Ids, deadlines, the queue, questions.

use std::sync::Arc;

use domain::command::{Body, Command, Gift};
use domain::refusal::Refusal;
use domain::state::locks_looked_at;
use domain::testing::{self, caller};
use domain::time::Timestamp;
use domain::verdict::{Done, Outcome};
use engine::answer::{Answer, Closed, Query, View};
use engine::decider::Decider;
use engine::history;
use engine::ids::AHEAD_MAX_MS;
use engine::journal::Journal;
use engine::memory::Weather;
use engine::replica::Replica;

use crate::rig::{KORYOLINK, Rig, msisdn, verdict};

#[test]
fn the_same_id_and_content_get_the_same_verdict_refusals_included() {
    let rig = Rig::with_two();
    let (gift, id) = (rig.gift(1, 2, 500), rig.id());
    let first = verdict(rig.handle().submit_blocking(rig.command(id, gift.clone())));
    assert!(matches!(first.outcome, Outcome::Done(Done::Given { left_minor: 99_500, .. })), "{:?}", first.outcome);
    let again = verdict(rig.handle().submit_blocking(rig.command(id, gift.clone())));
    assert_eq!((again.seq, &again.outcome, again.repeated), (first.seq, &first.outcome, true));

    let refused_id = rig.id();
    let refused = verdict(rig.handle().submit_blocking(rig.command(refused_id, gift.clone())));
    assert!(matches!(refused.outcome, Outcome::Refused(Refusal::Repeated { .. })), "{:?}", refused.outcome);
    rig.hands.pass_ms(3_600_000);
    let refused_again = verdict(rig.handle().submit_blocking(rig.command(refused_id, gift)));
    assert_eq!(refused_again.outcome, refused.outcome, "later it would be refused for another reason");

    let reused = rig.handle().submit_blocking(rig.command(id, rig.gift(1, 2, 400)));
    assert_eq!(reused, Answer::IdReused);
}

#[test]
fn a_repeat_in_the_same_batch_waits_for_its_first() {
    let rig = Rig::with_two();
    let command = rig.command(rig.id(), rig.gift(1, 2, 500));
    let answers = rig.handle().submit_bulk(vec![command.clone(), command]).wait();
    let [first, second] = answers.try_into().expect("two answers");
    let (first, second) = (verdict(first), verdict(second));
    assert_eq!((first.seq, first.repeated, second.repeated), (second.seq, false, true));
    assert_eq!(first.outcome, second.outcome);
}

#[test]
fn past_its_deadline_a_command_is_not_done_and_leaves_no_trace() {
    let rig = Rig::with_two();
    let before = rig.journal.head().seq;
    let late =
        Command { decide_before: Timestamp::from_ms(crate::rig::NOW_MS), ..rig.command(rig.id(), rig.gift(1, 2, 500)) };
    assert_eq!(rig.handle().submit_blocking(late), Answer::NotDone);
    assert_eq!(rig.journal.head().seq, before);
}

#[test]
fn ids_from_the_future_and_from_before_the_floor_are_refused() {
    let rig = Rig::with_two();
    let early = rig.id();
    rig.hands.step_wall_ms(AHEAD_MAX_MS + 1);
    let ahead = rig.id();
    rig.hands.step_wall_ms(-AHEAD_MAX_MS - 1);
    assert_eq!(rig.handle().submit_blocking(rig.command(ahead, rig.gift(1, 2, 500))), Answer::IdAhead);
    for _ in 0..2 {
        rig.hands.pass_ms(24 * 3_600_000);
        let asked = rig.ask(rig.gift(1, 2, 7));
        assert!(matches!(asked, Answer::Verdict(_)), "{asked:?}");
        let asked = rig.ask(rig.gift(2, 1, 7));
        assert!(matches!(asked, Answer::Verdict(_)), "{asked:?}");
    }
    let old = rig.handle().submit_blocking(rig.command(early, rig.gift(1, 2, 500)));
    assert!(matches!(old, Answer::IdTooOld { floor } if floor == rig.handle().ids_floor()), "{old:?}");
}

#[test]
fn a_full_queue_says_busy_and_nothing_was_sent() {
    let rig = Rig::with_two();
    let before = rig.journal.head().seq;
    let many = (0..65).map(|_| rig.command(rig.id(), rig.gift(1, 2, 500))).collect();
    let answers = rig.handle().submit_bulk(many).wait();
    assert!(answers.iter().all(|answer| *answer == Answer::Busy));
    assert_eq!(rig.journal.head().seq, before);
}

#[test]
fn a_stopped_engine_says_so() {
    let rig = Rig::with_two();
    let handle = rig.handle();
    let command = rig.command(rig.id(), rig.gift(1, 2, 500));
    rig.engine.stop().expect("stops well");
    assert_eq!(handle.submit_blocking(command), Answer::Closed(Closed::Stopping));
}

#[test]
fn questions_name_the_durable_entry_they_saw() {
    let rig = Rig::with_two();
    let seq = rig.done(rig.gift(1, 2, 500));
    let seen = rig.handle().query_blocking(Query::Subscriber(msisdn(2))).expect("an answer");
    assert_eq!(seen.seq, seq);
    let View::Subscriber(Some(view)) = seen.value else { panic!("no subscriber") };
    assert_eq!((view.airtime_minor, view.latest, view.cards.len()), (500, seq, 1));
}

#[test]
fn the_status_counts_what_is_durable() {
    let rig = Rig::with_two();
    let seq = rig.done(rig.gift(1, 2, 500));
    let status = rig.handle().status();
    assert_eq!((status.seq, status.subscribers, status.cards), (seq, 2, 2));
    let dates: Vec<_> = status.operators.iter().map(|(name, date)| (name.as_str(), date.to_string())).collect();
    assert_eq!(dates, [("koryolink", String::from("2026-11-22"))]);
}

/// Gifts wait for a question: somebody's locks are found without looking at others'.
#[test]
fn a_question_about_one_looks_at_nobody_elses_locks() {
    let at = Timestamp::from_ms(crate::rig::NOW_MS);
    let mut world = testing::World::peopled(at, testing::rules_of(testing::KORYOLINK), 100, 1_000);
    for n in 1..=100 {
        let caller = testing::caller(msisdn(n));
        let proof = testing::proof(&world.keys, &caller, "111111");
        for _ in 0..3 {
            world.act(&Body::Gift(Gift { proof, ..testing::gift(&world.keys, caller, msisdn(1), 1) }));
        }
    }
    assert_eq!(world.state.locks().count(), 100);
    let decider = Decider::new(Replica { state: world.state, ..Replica::default() });
    let before = locks_looked_at();
    let View::Subscriber(Some(view)) = decider.query(Query::Subscriber(msisdn(50))).value else { panic!("nobody") };
    assert_eq!(view.locked_until, Some(at.plus_s(900)));
    assert_eq!(locks_looked_at() - before, 1);
}

#[test]
fn history_is_walked_without_an_index() {
    let rig = Rig::with_two();
    let given = rig.done(rig.gift(1, 2, 500));
    let refused = verdict(rig.ask(rig.gift(1, 2, 500))).seq;
    let View::Subscriber(Some(view)) = rig.handle().query_blocking(Query::Subscriber(msisdn(1))).expect("seen").value
    else {
        panic!("no subscriber")
    };
    let reader = rig.handle().reader();
    let all = history::walk(&*reader, view.latest, view.id, 10, |_| true).expect("readable");
    let seqs: Vec<_> = all.iter().map(|found| found.seq).collect();
    assert_eq!(seqs.get(..2), Some(&[refused, given][..]), "refusals are found by care");
    let gifts = history::walk(&*reader, view.latest, view.id, 1, |entry| matches!(entry.body, Body::Gift(_)));
    assert_eq!(gifts.expect("readable").len(), 1);
}

#[test]
fn a_released_number_raises_the_generation_that_edges_see() {
    use domain::command::{ChangeSubscriber, SubscriberChange};
    use domain::ids::Staff;
    let rig = Rig::with_two();
    assert_eq!(rig.handle().directory().generation(msisdn(1)), 1);
    let change = SubscriberChange::Release;
    rig.done(Body::ChangeSubscriber(ChangeSubscriber { staff: Staff(0), msisdn: msisdn(1), change }));
    assert_eq!(rig.handle().directory().generation(msisdn(1)), 2);
    let rig = rig.restart();
    assert_eq!(rig.handle().directory().generation(msisdn(1)), 2);
}

/// A released number does not cost a copy of all that were released before, and is told when it is durable.
#[test]
fn edges_see_what_is_durable_of_owners_and_nothing_is_copied() {
    use domain::command::{ChangeSubscriber, SubscriberChange};
    use domain::ids::Staff;
    let rig = Rig::with_two();
    let before = rig.handle().directory();
    let change = SubscriberChange::Release;
    let release = Body::ChangeSubscriber(ChangeSubscriber { staff: Staff(0), msisdn: msisdn(1), change });
    let (handle, command, appends) = (rig.handle(), rig.command(rig.id(), release), rig.appends());
    rig.journal.set_weather(Weather::Stalled);
    let asking = std::thread::spawn(move || handle.submit_blocking(command));
    rig.until_appending(appends);
    assert_eq!(rig.handle().directory().generation(msisdn(1)), 1, "it is not durable");
    rig.journal.set_weather(Weather::Fine);
    verdict(asking.join().expect("no panic"));
    let after = rig.handle().directory();
    assert_eq!((after.generation(msisdn(1)), after.generation(msisdn(2)), after.owners.len()), (2, 1, 1));
    assert!(Arc::ptr_eq(&before.owners, &after.owners));
}

/// More than the decider fetches rows for at once.
#[test]
fn every_command_of_a_large_batch_is_answered_in_its_order() {
    let rig = Rig::with_two();
    let before = rig.journal.head().seq;
    let many = (0..60).map(|n| rig.command(rig.id(), rig.top_up(1, 1 + n % 2))).collect();
    let seqs: Vec<u64> =
        rig.handle().submit_bulk(many).wait().into_iter().map(|answer| verdict(answer).seq.0).collect();
    assert_eq!(seqs, (before.0 + 1..=before.0 + 60).collect::<Vec<_>>());
}

#[test]
fn an_answer_speaks_its_caller_s_language() {
    use domain::command::SetLanguage;
    use domain::ids::Language;
    let text = KORYOLINK.replace("languages = [\"ko\", \"en\"]", "languages = [\"en\", \"ko\"]");
    let rig = Rig::empty().filled_with(&text);
    let language = |answer| verdict(answer).language;
    let choose = Body::SetLanguage(SetLanguage { caller: caller(msisdn(1)), language: Language::Korean });
    assert_eq!(language(rig.ask(choose)), Language::Korean, "it is theirs from this answer on");
    let (given, id) = (rig.gift(1, 2, 500), rig.id());
    for repeated in [false, true] {
        let reply = verdict(rig.handle().submit_blocking(rig.command(id, given.clone())));
        assert_eq!((reply.language, reply.repeated), (Language::Korean, repeated));
    }
    assert_eq!(language(rig.ask(rig.gift(2, 1, 500))), Language::English, "the operator's first");
    assert_eq!(language(rig.ask(rig.gift(9, 1, 500))), Language::English, "nobody knows them: the operator's first");
    assert_eq!(
        language(rig.ask(testing::load(testing::rules_of(&text)))),
        Language::default(),
        "staff is nobody's caller"
    );
}
