//! The bench's load: everything that it asks for is done.

use domain::command::{Body, Command};
use domain::receipt::Seq;
use domain::rules::parse::parse;
use domain::state::State;
use domain::time::Timestamp;
use domain::verdict::Outcome;
use engine::answer::Answer;
use engine::checkpoint::Loaded;
use engine::decider::{Decider, Early, Submission};
use engine::ids::Ids;
use engine::journal::Head;
use sim::load::{BULK, FRIENDS, Population, PopulationConfig, bench_rules};

const AT: Timestamp = Timestamp::from_ms(1_700_000_000_000);

fn decider() -> Decider {
    Decider::new(Loaded { state: State::default(), ids: Ids::new(1_000_000), head: Head::default() })
}

/// Decides a batch and calls it durable.
fn done(decider: &mut Decider, at: Timestamp, commands: Vec<Command>) {
    let names: Vec<_> = commands.iter().map(|command| command.body.name()).collect();
    let pending = decider.decide(at, commands.into_iter().map(Submission::new).collect());
    for (name, answer) in names.iter().zip(&pending.answers) {
        let Early::Answer(Answer::Verdict(reply)) = answer else { panic!("{name}: {answer:?}") };
        assert!(matches!(reply.outcome, Outcome::Done(_)), "{name}: {:?}", reply.outcome);
    }
    let Some(link) = &pending.link else { panic!("nothing new") };
    decider.confirm(link);
}

fn populated(subscribers: u32) -> (Decider, Population) {
    let population = Population::new(PopulationConfig { subscribers, card_value_minor: 10_000 });
    let mut decider = decider();
    let setup: Vec<Command> = population.setup(AT).collect();
    assert!(setup.iter().all(|command| match &command.body {
        Body::ImportSubscribers(import) => import.subscribers.len() <= BULK,
        Body::IssueCards(issue) => issue.cards.len() <= BULK,
        _ => true,
    }));
    for batch in setup.chunks(500) {
        done(&mut decider, AT, batch.to_vec());
    }
    (decider, population)
}

#[test]
fn the_rules_parse() {
    assert!(parse(bench_rules()).is_ok());
}

#[test]
fn a_population_is_made_and_its_rows_are_its_numbers() {
    let (decider, population) = populated(2_500);
    assert_eq!(decider.state().rows(), (2_500, 2_500));
    for (id, subscriber) in decider.state().subscribers() {
        assert_eq!(Some(subscriber.facts.msisdn), population.number(id.0));
        assert_eq!(decider.state().cards_of(subscriber).count(), 1);
    }
}

#[test]
fn every_gift_is_given_even_when_no_time_passes() {
    let (mut decider, population) = populated(100);
    let mut gifts = population.gifts(0, 1, AT);
    let before = decider.head().seq;
    for _ in 0..14 {
        // 7,000 gifts of 100 senders: 70 each, of the 72 that are all different.
        done(&mut decider, AT, gifts.by_ref().take(500).collect());
    }
    assert_eq!(decider.head().seq, Seq(before.0 + 7_000));
    let later = AT.plus_s(6);
    gifts.set_at(later);
    done(&mut decider, later, gifts.by_ref().take(2_000).collect());
    let (_, pairs) = decider.state().usage_len();
    assert!(pairs <= 100 * usize::try_from(FRIENDS).expect("small"), "{pairs}");
}

#[test]
fn lanes_share_no_sender_and_give_to_others() {
    let population = Population::new(PopulationConfig { subscribers: 101, ..PopulationConfig::default() });
    let mut senders = std::collections::BTreeMap::new();
    for lane in 0..3 {
        let mut gifts = population.gifts(lane, 3, AT);
        for _ in 0..3_000 {
            let pick = gifts.pick();
            assert!(pick.from < 101 && pick.to < 101 && pick.from != pick.to, "{pick:?}");
            assert!((1..=9).contains(&pick.amount_minor));
            assert_eq!(*senders.entry(pick.from).or_insert(lane), lane);
        }
    }
    assert_eq!(senders.len(), 101, "everybody gives");
}

#[test]
fn the_same_parameters_give_the_same_load() {
    let population = Population::new(PopulationConfig { subscribers: 64, ..PopulationConfig::default() });
    let ids = |lane| population.gifts(lane, 2, AT).take(100).map(|command| command.id).collect::<Vec<_>>();
    assert_eq!(ids(0), ids(0));
    assert!(ids(0).iter().all(|id| !ids(1).contains(id)));
    let mut gifts = population.gifts(0, 2, AT);
    assert!(matches!(gifts.next().map(|command| command.body), Some(Body::Gift(_))));
}
