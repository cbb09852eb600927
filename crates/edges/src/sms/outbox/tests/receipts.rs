//! Receipts: what each says, those that never come, those that come too early.

use domain::receipt::Seq;
use engine::deliveries::{End, MemoryFollowerStore, ReceiptState, Stage};

use super::{Gifts, config, end_of, leave, nobody, outbox, receipt, recipient, save, stage, start, taken};
use crate::sms::{SmsConfig, Submitted};

#[test]
fn every_state_of_a_receipt() {
    for state in ReceiptState::ALL {
        let (gifts, now) = (Gifts::new(), start());
        let mut store = MemoryFollowerStore::new();
        let mut outbox = outbox(config(), &[1], true);
        outbox.take(Seq(1), gifts.of(1, now));
        leave(&mut outbox, now);
        outbox.submitted(recipient(1), taken("1a"), now);
        assert!(outbox.receipt(receipt("26", *state), now));
        save(&mut outbox, &mut store, now);
        assert_eq!(end_of(&store, recipient(1)), state.end());
        let delivery = store.all().remove(0);
        assert_eq!((delivery.receipt, delivery.receipt_error), (Some(*state), Some(7)));
        // What is final stays; what is not is followed by silence.
        outbox.receipt(receipt("1a", ReceiptState::Delivered), now);
        let later = now.plus_ms(config().receipt_wait_ms);
        outbox.tick(later, &nobody);
        save(&mut outbox, &mut store, later);
        let expected = if state.end().is_some() { state.end() } else { Some(End::Delivered) };
        assert_eq!(end_of(&store, recipient(1)), expected, "{}", state.name());
    }
}

#[test]
fn without_a_receipt_it_is_sent_and_not_confirmed() {
    let (gifts, now) = (Gifts::new(), start());
    let mut store = MemoryFollowerStore::new();
    let mut waits = outbox(config(), &[1], true);
    waits.take(Seq(1), gifts.of(1, now));
    leave(&mut waits, now);
    waits.submitted(recipient(1), Ok(Submitted::default()), now);
    let over = now.plus_ms(config().receipt_wait_ms);
    waits.tick(over.plus_ms(-1), &nobody);
    save(&mut waits, &mut store, now);
    assert_eq!(stage(&store, recipient(1)), Stage::Submitted { until: over });
    waits.tick(over, &nobody);
    save(&mut waits, &mut store, over);
    assert_eq!(end_of(&store, recipient(1)), Some(End::Unconfirmed));

    // Where none is asked for it is so at once.
    let mut none = outbox(config(), &[1], false);
    none.take(Seq(1), gifts.of(1, now));
    leave(&mut none, now);
    none.submitted(recipient(1), taken("1a"), now);
    save(&mut none, &mut store, now);
    assert_eq!(end_of(&store, recipient(1)), Some(End::Unconfirmed));

    // More than are awaited: those go that would have gone first.
    let mut few = outbox(SmsConfig { awaiting_max: 2, ..config() }, &[9], true);
    for seq in 1..=3 {
        few.take(Seq(seq), gifts.of(seq, now));
    }
    for (n, (key, _)) in (0..).zip(leave(&mut few, now)) {
        few.submitted(key, Ok(Submitted::default()), now.plus_ms(n));
    }
    few.tick(now.plus_ms(3), &nobody);
    assert_eq!((few.counts().awaiting, few.counts().ended), (2, [0, 0, 0, 0, 0, 1]));
}

#[test]
fn a_receipt_may_overtake_the_answer_to_its_submit() {
    let (gifts, now) = (Gifts::new(), start());
    let mut store = MemoryFollowerStore::new();
    let mut outbox = outbox(config(), &[2], true);
    outbox.take(Seq(2), [gifts.of(1, now), gifts.of(2, now)].concat());
    leave(&mut outbox, now);
    assert!(!outbox.receipt(receipt("1a", ReceiptState::Delivered), now));
    assert!(!outbox.receipt(receipt("ff", ReceiptState::Delivered), now));
    outbox.submitted(recipient(2), taken("2b"), now);
    outbox.submitted(recipient(1), taken("1a"), now);
    save(&mut outbox, &mut store, now);
    assert_eq!((end_of(&store, recipient(1)), end_of(&store, recipient(2))), (Some(End::Delivered), None));
    outbox.tick(now.plus_ms(10_000), &nobody);
    assert_eq!(outbox.counts().receipts_unmatched, 1, "the other one is nobody's");
    for n in 0..2_000 {
        outbox.receipt(receipt(&format!("x{n}"), ReceiptState::Delivered), now);
    }
    assert_eq!(outbox.counts().receipts_unmatched, 1 + 2_000 - 1_024, "so many are held at most");
}
