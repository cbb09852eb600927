//! How many octets a gift costs in the journal, without its share of the append around it: two limits, no fee, one live
//! key, a `UUIDv7`.

use expect_test::expect;

use super::script::play;
use crate::account::AccountId;
use crate::command::Body;
use crate::effects::{Change, Effects, Named};
use crate::ids::{CardId, SubscriberId};
use crate::number::Imsi;
use crate::receipt::Seq;
use crate::verdict::Entry;

/// A gift under kp-2022, with rows and seqs as they are among millions.
fn typical() -> Entry {
    let stage = play(
        "koryolink from 2022-01-01
         191…001 has a card with 5000
         191…002 has a card with 5000
         2022-01-02 10:00  191…001 gives 500 to 191…002
         2022-02-01 09:00  191…002 gives 500 to 191…001
         2022-02-01 10:00  191…001 gives 500 to 191…002",
    );
    let mut entry = stage.world.journal.last().expect("an entry").entry();
    let (sender, recipient, card) = (SubscriberId(1_234_567), SubscriberId(3_456_789), CardId(2_345_678));
    let pair = (u64::from(sender.0) << 32) | u64::from(recipient.0);
    let seqs = |n: u64| Seq(1_234_567_890 + n);
    let account = |account| match account {
        AccountId::Card(_) => AccountId::Card(card),
        AccountId::Airtime(_) => AccountId::Airtime(recipient),
        other => panic!("no fee: {other:?}"),
    };
    let effects = &mut entry.verdict.effects;
    assert_eq!((effects.transfers.len(), effects.balances.len(), effects.usage.len()), (1, 2, 2));
    for transfer in &mut effects.transfers {
        (transfer.debit, transfer.credit) = (account(transfer.debit), account(transfer.credit));
    }
    for balance in &mut effects.balances {
        (balance.account, balance.prev) = (account(balance.account), seqs(1));
    }
    for (used, subject) in effects.usage.iter_mut().zip([u64::from(sender.0), pair]) {
        used.subject = subject;
    }
    let named = |subscriber| Named { subscriber, prev: seqs(2) };
    for change in &mut effects.changes {
        let Change::Gave { amount, .. } = *change else { panic!("{change:?}") };
        *change = Change::Gave { sender: named(sender), recipient: named(recipient), amount };
    }
    entry
}

fn octets<T: minicbor::Encode<()>>(value: &T) -> usize {
    minicbor::to_vec(value).expect("octets").len()
}

fn all<T: minicbor::Encode<()>>(list: &[T]) -> usize {
    1 + list.iter().map(octets).sum::<usize>()
}

#[test]
fn a_typical_gift() {
    let mut entry = typical();
    let whole = octets(&entry);
    let Effects { transfers, balances, others, usage, changes, .. } = &entry.verdict.effects;
    let effects = format!(
        "effects {}: transfers {}, balances {}, others {}, usage {}, changes {}",
        octets(&entry.verdict.effects),
        all(transfers),
        all(balances),
        all(others),
        all(usage),
        all(changes)
    );
    let (id, body, outcome) = (octets(&entry.id), octets(&entry.body), octets(&entry.verdict.outcome));
    let Body::Gift(gift) = &mut entry.body else { panic!("a gift") };
    let proof = octets(&gift.proof);
    gift.caller.imsi = Imsi::parse("467051234567890").ok();
    let with_imsi = octets(&entry);
    expect![[r#"
        192 octets, 201 with an IMSI
        id 17, body 50 (proof 21), outcome 11
        effects 112: transfers 15, balances 29, others 1, usage 33, changes 29
    "#]]
    .assert_eq(&format!(
        "{whole} octets, {with_imsi} with an IMSI\nid {id}, body {body} (proof {proof}), outcome {outcome}\n{effects}\n"
    ));
}
