//! Writes the seeds of the target `entry`: one entry for each thing that the rules can decide of a few commands. Each stands
//! with the hours that pass before it.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;

use domain::command::{
    Bind, Body, Caller, ChangePassword, Dialled, Gift, ImportSubscribers, IssueCards, LoadRules, NewCard, NewPassword,
    NewSubscriber, Proved, SetLanguage, TopUp,
};
use domain::currency::Currency;
use domain::decide::decide;
use domain::id::CommandId;
use domain::ids::{BatchId, Language, LinkId, OperatorId, OutletId, Serial, Staff};
use domain::money::Amount;
use domain::number::{CardNumber, Msisdn};
use domain::office::batch::{BatchCommand, MadeCard};
use domain::office::call::CallCommand;
use domain::office::motion::{MotionCommand, Proposal};
use domain::office::till::{Goods, Rate, TillCommand};
use domain::office::{Asked, Office, RecordKey, RecordKind};
use domain::password::{KeyId, Password, Proof, TagKey, TagKeys};
use domain::receipt::Seq;
use domain::rules::tariff::Ratio;
use domain::state::State;
use domain::time::Timestamp;
use domain::verdict::Entry;
use zeroize::Zeroizing;

const OPERATOR: OperatorId = OperatorId(0);

/// Hours until it is asked, the seed's name, and what is asked.
type Seed = (i64, &'static str, Body);

fn bodies(profile: &str) -> Result<Vec<Seed>, Box<dyn std::error::Error>> {
    let keys = TagKeys::new(TagKey::new(KeyId(1), &Zeroizing::new([7; 32])), None);
    let rules = Arc::new(domain::rules::parse::parse(profile)?);
    let (sender, recipient) = (Msisdn::parse("8501912345678").ok(), Msisdn::parse("8501921112222").ok());
    let (msisdn, recipient) = sender.zip(recipient).ok_or("a number")?;
    let number = CardNumber::parse("4539578763621486").map_err(|_| "a card number")?;
    let password = Password::parse("482913").map_err(|_| "a password")?;
    let amount = |minor| Amount::try_new(minor).ok_or("an amount");
    let caller = Caller { operator: OPERATOR, link: LinkId(1), msisdn, imsi: None };
    let staff = Staff(0);
    let tag = keys.current().card(OPERATOR, number, &password);
    let holder_tag = keys.current().holder(OPERATOR, msisdn, 1, &password);
    let proof = keys.proof(|key| key.holder(OPERATOR, msisdn, 1, &password));
    let subscriber =
        |msisdn| NewSubscriber { msisdn, imsi: None, language: Some(Language::Korean), since: None, airtime: None };
    let gift = |recipient, amount, proof: &Proof| {
        Body::Gift(Gift { caller, recipient, amount, proof: proof.clone(), swapped: false, occasion: Some(1) })
    };
    let (to, sum) = (Dialled::Value(recipient), Dialled::Value(amount(500)?));
    let mut phones = vec![
        (0, "rules", Body::LoadRules(LoadRules { staff, rules, file_hash: [3; 32], from: None })),
        (
            0,
            "import",
            Body::ImportSubscribers(ImportSubscribers {
                staff,
                operator: OPERATOR,
                subscribers: vec![subscriber(msisdn), subscriber(recipient)],
            }),
        ),
        (
            0,
            "issue",
            Body::IssueCards(IssueCards {
                staff,
                operator: OPERATOR,
                cards: vec![NewCard { number, tag, value: amount(2_000)? }],
            }),
        ),
        (
            0,
            "bind",
            Body::Bind(Bind {
                caller,
                number: Dialled::Value(number),
                proof: keys.proof(|key| key.card(OPERATOR, number, &password)),
                holder_tag: Some(holder_tag),
            }),
        ),
        (0, "wrong-password", gift(to, sum, &Proof::Malformed)),
        (0, "malformed", gift(Dialled::Malformed, Dialled::Malformed, &proof)),
        // Whoever gives to somebody for the first time can take it back for a day.
        (0, "held", gift(to, sum, &proof)),
        (1, "undo", Body::Undo(Proved { caller, proof: proof.clone() })),
        (24, "held-again", gift(to, sum, &proof)),
        (0, "top-up", Body::TopUp(TopUp { caller, amount: Dialled::Value(amount(100)?), proof: proof.clone() })),
        (0, "cards", Body::ShowCards(Proved { caller, proof: proof.clone() })),
        (0, "language", Body::SetLanguage(SetLanguage { caller, language: Language::English })),
        (0, "password", Body::ChangePassword(ChangePassword { caller, old: proof.clone(), new: NewPassword::Trivial })),
    ];
    let held =
        phones.iter().zip(1..).find(|((_, name, _), _)| *name == "held-again").map_or(Seq::ZERO, |(_, seq)| Seq(seq));
    phones.extend([
        (24, "due", Body::Due(RecordKey::made_by(RecordKind::Hold, held))),
        (24 * 31, "gift", gift(to, sum, &proof)),
        (0, "gift-again", gift(to, sum, &proof)),
        (0, "freeze", Body::Freeze(Proved { caller, proof })),
    ]);
    let printed = CardNumber::from_payload(123_456_789_012_345).map_err(|_| "a card number")?;
    let office = office(staff, amount(500)?, MadeCard { number: printed, tag }, msisdn);
    Ok(phones.into_iter().chain(office).collect())
}

/// What staff ask: an outlet, a batch, a motion, a call, a stop.
fn office(staff: Staff, value: Amount, card: MadeCard, msisdn: Msisdn) -> Vec<Seed> {
    let (operator, batch, outlet, currency) = (OPERATOR, BatchId(NonZeroU32::MIN), OutletId(1), Currency::Usd);
    let rate = Rate { from: Timestamp::MIN, until: None, ratio: Ratio::ONE };
    let proposal = Box::new(Proposal::Rate { currency, rate });
    let name = String::from("광복백화점");
    let ask = |name, what| (0, name, Body::Office(Box::new(Office { staff, what })));
    vec![
        ask("outlet", Asked::Till(TillCommand::OpenOutlet { operator, name })),
        ask("deposit", Asked::Till(TillCommand::Deposit { outlet, currency, amount: value })),
        ask("batch", Asked::Batch(BatchCommand::Start { operator, value, ordered: 1 })),
        ask("make-cards", Asked::Batch(BatchCommand::Make { batch, cards: vec![card] })),
        ask("seal", Asked::Batch(BatchCommand::Seal { batch, file_hash: [5; 32] })),
        ask(
            "quote",
            Asked::Till(TillCommand::Quote { outlet, currency, goods: Goods::Cards { first: Serial(2), count: 1 } }),
        ),
        ask("motion", Asked::Motion(MotionCommand::Propose { operator, proposal })),
        ask("call", Asked::Call(CallCommand::Reserve { msisdn, cross: false, seconds: 600 })),
        ask("stop", Asked::StopIssuance { operator, why: String::from("counting") }),
    ]
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = here.join("seeds/entry");
    std::fs::create_dir_all(&folder)?;
    let profile = std::fs::read_to_string(here.join("../profiles/koryolink.toml"))?;
    let hold = "from = 2022-01-01\nhold = { gifts = \"new-recipient\", for_s = 86400 }\n";
    let profile = profile.replace("from = 2022-01-01\n", hold);
    let mut state = State::default();
    let mut at = Timestamp::parse("2026-11-22T05:00:00Z").map_err(|_| "an instant")?;
    for (count, (hours, name, body)) in (1_u64..).zip(bodies(&profile)?) {
        at = at.plus_s(hours * 3_600);
        let verdict = decide(&state, &body, at);
        let seq = state.seq().next();
        state.apply(seq, at, &verdict.effects).map_err(|_| "it does not fit")?;
        println!("{name}: {:?}", verdict.outcome);
        let entry = Entry { id: CommandId::internal(0, count), body, verdict };
        std::fs::write(folder.join(name), minicbor::to_vec(&entry)?)?;
    }
    Ok(())
}
