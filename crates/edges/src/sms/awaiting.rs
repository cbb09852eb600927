//! Messages that an SMSC has, and how a receipt finds its own.
//!
//! Guarantees: a receipt ends one delivery or none: where several could be meant it is counted, and nothing is guessed. An
//! id is looked for as it is, and as the same number in hexadecimal or decimal digits, for SMSCs answer a submit in one and
//! write receipts in the other. A number that a receipt surely names must agree.
//!
//! Bounded by the caller; at most [`SAME_ID_MAX`] deliveries under one id.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::ids::LinkId;
use domain::number::Msisdn;
use domain::time::Timestamp;
use engine::deliveries::{Delivery, DeliveryKey, MESSAGE_ID_LEN_MAX, Stage};

use super::Receipt;

/// An id that more messages have than this is no name of any of them (OsmoMSC: `msg_id_not_implemented` for all).
const SAME_ID_MAX: usize = 4;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Awaiting {
    deliveries: BTreeMap<DeliveryKey, Delivery>,
    until: BTreeSet<(Timestamp, DeliveryKey)>,
    by_id: HashMap<(LinkId, Box<str>), Same, foldhash::quality::RandomState>,
    by_number: BTreeSet<(Msisdn, DeliveryKey)>,
    by_reference: BTreeSet<(u16, DeliveryKey)>,
}

/// Deliveries under one id.
#[derive(Debug, Default)]
struct Same {
    count: usize,
    /// Empty for good once there were too many: until the last of them is gone the id names nothing.
    keys: Vec<DeliveryKey>,
    too_many: bool,
}

const FIRST: DeliveryKey = DeliveryKey { seq: domain::receipt::Seq::ZERO, role: engine::deliveries::Role::Recipient };
const LAST: DeliveryKey = DeliveryKey { seq: domain::receipt::Seq(u64::MAX), role: engine::deliveries::Role::Sender };

impl Awaiting {
    pub(super) fn len(&self) -> usize {
        self.deliveries.len()
    }

    pub(super) fn get(&self, key: DeliveryKey) -> Option<&Delivery> {
        self.deliveries.get(&key)
    }

    pub(super) fn get_mut(&mut self, key: DeliveryKey) -> Option<&mut Delivery> {
        self.deliveries.get_mut(&key)
    }

    /// Adds a delivery that was submitted; others are left alone.
    pub(super) fn insert(&mut self, delivery: Delivery) {
        let (Stage::Submitted { until }, Some(sent)) = (delivery.stage, &delivery.sent) else { return };
        let key = delivery.key;
        if let Some(id) = sent.message_id.as_deref().and_then(canonical) {
            let same = self.by_id.entry((sent.link, id)).or_default();
            same.count += 1;
            same.keys.push(key);
            if same.too_many || same.count > SAME_ID_MAX {
                same.too_many = true;
                same.keys = Vec::new();
            }
        }
        self.until.insert((until, key));
        self.by_number.insert((delivery.to, key));
        self.by_reference.insert((key.reference(), key));
        self.deliveries.insert(key, delivery);
    }

    pub(super) fn remove(&mut self, key: DeliveryKey) -> Option<Delivery> {
        let delivery = self.deliveries.remove(&key)?;
        if let Stage::Submitted { until } = delivery.stage {
            self.until.remove(&(until, key));
        }
        self.by_number.remove(&(delivery.to, key));
        self.by_reference.remove(&(key.reference(), key));
        let id = delivery.sent.as_ref().and_then(|sent| Some((sent.link, canonical(sent.message_id.as_deref()?)?)));
        if let Some(id) = id
            && let Some(same) = self.by_id.get_mut(&id)
        {
            same.count -= 1;
            same.keys.retain(|other| *other != key);
            if same.count == 0 {
                self.by_id.remove(&id);
            }
        }
        Some(delivery)
    }

    /// The one whose time runs out first.
    pub(super) fn first_until(&self) -> Option<(Timestamp, DeliveryKey)> {
        self.until.first().copied()
    }

    /// The delivery that a receipt is about.
    pub(super) fn find(&self, receipt: &Receipt) -> Option<DeliveryKey> {
        self.by_id(receipt).or_else(|| self.by_reference(receipt))
    }

    fn by_id(&self, receipt: &Receipt) -> Option<DeliveryKey> {
        let id = canonical(receipt.message_id.as_deref()?)?;
        let forms = [Some(id.clone()), as_hexadecimal(&id), as_decimal(&id)];
        forms.into_iter().flatten().find_map(|form| {
            let same = self.by_id.get(&(receipt.link, form))?;
            only(same.keys.iter().copied().filter(|key| self.agrees(*key, receipt)))
        })
    }

    fn by_reference(&self, receipt: &Receipt) -> Option<DeliveryKey> {
        let reference = receipt.reference?;
        let Some(number) = receipt.number else {
            let same = self.by_reference.range((reference, FIRST)..=(reference, LAST)).map(|(_, key)| *key);
            return only(same.filter(|key| self.agrees(*key, receipt)));
        };
        let own = || {
            let own = self.by_number.range((number, FIRST)..=(number, LAST)).map(|(_, key)| *key);
            own.filter(|key| self.agrees(*key, receipt))
        };
        let whole = only(own().filter(|key| key.reference() == reference));
        // Cut to 8 bits it says too little, unless a single message to that number can be meant.
        let cut = || {
            let low = u8::try_from(reference).ok()?;
            only(own().filter(|key| key.reference().to_be_bytes()[1] == low))
        };
        whole.or_else(cut)
    }

    /// Whether nothing in a receipt speaks against it.
    fn agrees(&self, key: DeliveryKey, receipt: &Receipt) -> bool {
        self.deliveries.get(&key).is_some_and(|delivery| {
            let same_link = delivery.sent.as_ref().is_some_and(|sent| sent.link == receipt.link);
            same_link && receipt.number.is_none_or(|number| number == delivery.to)
        })
    }
}

/// The only item there is.
fn only<T>(mut items: impl Iterator<Item = T>) -> Option<T> {
    let first = items.next()?;
    items.next().is_none().then_some(first)
}

/// An id without what peers add or leave out: case, blanks, zeros in front. `None`: it names nothing.
fn canonical(id: &str) -> Option<Box<str>> {
    let id = id.trim_matches(|c: char| c.is_whitespace() || c == '\0');
    let bare = id.trim_start_matches('0');
    match (id.is_empty(), bare.is_empty()) {
        (true, _) => None,
        (false, true) => Some(Box::from("0")),
        (false, false) if bare.len() > MESSAGE_ID_LEN_MAX => None,
        (false, false) => Some(bare.to_ascii_lowercase().into_boxed_str()),
    }
}

/// Decimal digits as the same number in hexadecimal ones.
fn as_hexadecimal(id: &str) -> Option<Box<str>> {
    let number: u128 = id.bytes().all(|octet| octet.is_ascii_digit()).then(|| id.parse().ok()).flatten()?;
    Some(format!("{number:x}").into_boxed_str())
}

/// Hexadecimal digits as the same number in decimal ones.
fn as_decimal(id: &str) -> Option<Box<str>> {
    let digits = id.bytes().all(|octet| octet.is_ascii_hexdigit());
    let number = digits.then(|| u128::from_str_radix(id, 16).ok()).flatten()?;
    Some(number.to_string().into_boxed_str())
}

#[cfg(test)]
mod tests {
    use super::{Awaiting, SAME_ID_MAX};
    use crate::sms::Receipt;
    use crate::testing::msisdn;
    use domain::ids::LinkId;
    use domain::receipt::Seq;
    use domain::time::Timestamp;
    use engine::deliveries::{Delivery, DeliveryKey, ReceiptState, Role, Sent, Stage};

    const SMSC: LinkId = LinkId(7);

    fn key(seq: u64) -> DeliveryKey {
        DeliveryKey { seq: Seq(seq), role: Role::Recipient }
    }

    fn submitted(seq: u64, to: &str, message_id: Option<&str>) -> Delivery {
        let at = Timestamp::from_ms(1_000);
        let sent = Sent { link: SMSC, message_id: message_id.map(Box::from), at };
        let stage = Stage::Submitted { until: at.plus_s(60) };
        Delivery { sent: Some(sent), stage, ..Delivery::new(key(seq), msisdn(to), at, at) }
    }

    fn receipt(message_id: Option<&str>, reference: Option<u16>, number: Option<&str>) -> Receipt {
        let (message_id, number) = (message_id.map(String::from), number.map(msisdn));
        Receipt { link: SMSC, message_id, reference, number, state: ReceiptState::Delivered, error: None }
    }

    const BOB: &str = "8501921112222";
    const CAROL: &str = "8501933334444";

    fn three(ids: [Option<&str>; 3]) -> Awaiting {
        let mut awaiting = Awaiting::default();
        for (seq, (to, id)) in (1..).zip([BOB, CAROL, BOB].into_iter().zip(ids)) {
            awaiting.insert(submitted(seq, to, id));
        }
        awaiting
    }

    fn found(awaiting: &Awaiting, receipt: &Receipt) -> Option<u64> {
        awaiting.find(receipt).map(|key| key.seq.0)
    }

    #[test]
    fn an_id_is_found_however_it_is_written() {
        let awaiting = three([Some("1a2B"), Some("00777"), Some("abc-9")]);
        for (id, expected) in [
            ("1a2B", Some(1)),
            ("0001A2b", Some(1)),
            ("6699", Some(1)),
            ("0000006699", Some(1)),
            ("777", Some(2)),
            ("309", Some(2)),
            ("ABC-9\0", Some(3)),
            ("abc-8", None),
            ("", None),
            ("  ", None),
            ("msg_id_not_implemented", None),
        ] {
            assert_eq!(found(&awaiting, &receipt(Some(id), None, None)), expected, "{id}");
        }
        let elsewhere = Receipt { link: LinkId(8), ..receipt(Some("777"), None, None) };
        assert_eq!(found(&awaiting, &elsewhere), None, "another SMSC's ids are its own");
    }

    #[test]
    fn a_number_that_a_receipt_names_must_agree() {
        // 16 is the third one's id, and the first one's in decimal digits.
        let awaiting = three([Some("10"), None, Some("16")]);
        assert_eq!(found(&awaiting, &receipt(Some("16"), None, None)), Some(3));
        let awaiting = three([Some("a"), Some("10"), Some("16")]);
        assert_eq!(found(&awaiting, &receipt(Some("16"), None, Some(CAROL))), Some(2));
        assert_eq!(found(&awaiting, &receipt(Some("16"), None, Some("8613800138000"))), None);
    }

    #[test]
    fn a_reference_is_found_whole_or_cut_where_one_can_be_meant() {
        let awaiting = three([None, None, Some("")]);
        assert_eq!(found(&awaiting, &receipt(None, Some(2), Some(BOB))), Some(1));
        assert_eq!(found(&awaiting, &receipt(None, Some(6), None)), Some(3));
        assert_eq!(found(&awaiting, &receipt(None, Some(6), Some(CAROL))), None);
        assert_eq!(found(&awaiting, &receipt(None, None, Some(CAROL))), None);
        // 0x0202 reads 0x02 when it is cut.
        let mut awaiting = Awaiting::default();
        awaiting.insert(submitted(0x0101, BOB, None));
        assert_eq!(found(&awaiting, &receipt(None, Some(2), Some(BOB))), Some(0x0101));
        assert_eq!(found(&awaiting, &receipt(None, Some(2), None)), None, "cut, and nobody says to whom");
        awaiting.insert(submitted(0x0181, BOB, None));
        assert_eq!(found(&awaiting, &receipt(None, Some(2), Some(BOB))), None, "two can be meant");
        awaiting.insert(submitted(1, BOB, None));
        assert_eq!(found(&awaiting, &receipt(None, Some(2), Some(BOB))), Some(1), "one has it whole");
    }

    #[test]
    fn what_every_message_is_called_is_no_name() {
        let mut awaiting = Awaiting::default();
        let count = SAME_ID_MAX as u64 + 3;
        for seq in 1..=count {
            awaiting.insert(submitted(seq, if seq == 2 { CAROL } else { BOB }, Some("msg_id_not_implemented")));
        }
        let of_all = receipt(Some("msg_id_not_implemented"), None, Some(CAROL));
        assert_eq!(found(&awaiting, &of_all), None);
        assert_eq!(found(&awaiting, &Receipt { reference: Some(4), ..of_all }), Some(2));
        for seq in 1..=count {
            assert!(awaiting.remove(key(seq)).is_some());
        }
        assert!(awaiting.by_id.is_empty() && awaiting.by_number.is_empty() && awaiting.until.is_empty());
        assert!(awaiting.by_reference.is_empty() && awaiting.len() == 0);
    }
}
