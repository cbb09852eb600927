//! Writes the seeds of the target `entry`: one entry for each thing that the rules can decide of a few commands.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;

use domain::currency::Currency;
use domain::number::{CardNumber, Msisdn};
use domain::command::{Bind, Body, Caller, ChangePassword, Dialled, Gift, ImportSubscribers, IssueCards, LoadRules, NewCard, NewPassword, NewSubscriber, Proved, SetLanguage, TopUp};
use domain::ids::{BatchId, Language, LinkId, OperatorId, OutletId, Serial, Staff};
use domain::decide::decide;
use domain::id::CommandId;
use domain::money::Amount;
use domain::office::batch::{BatchCommand, MadeCard};
use domain::office::call::CallCommand;
use domain::office::motion::{MotionCommand, Proposal};
use domain::office::till::{Goods, Rate, TillCommand};
use domain::office::{Asked, Office};
use domain::password::{KeyId, Password, Proof, TagKey, TagKeys};
use domain::rules::tariff::Ratio;
use domain::state::State;
use domain::time::Timestamp;
use domain::verdict::Entry;
use zeroize::Zeroizing;

const OPERATOR: OperatorId = OperatorId(0);

fn bodies(profile: &str) -> Result<Vec<(&'static str, Body)>, Box<dyn std::error::Error>> {
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
    let phones = vec![
        ("rules", Body::LoadRules(LoadRules { staff, rules, file_hash: [3; 32], from: None })),
        (
            "import",
            Body::ImportSubscribers(ImportSubscribers {
                staff,
                operator: OPERATOR,
                subscribers: vec![subscriber(msisdn), subscriber(recipient)],
            }),
        ),
        (
            "issue",
            Body::IssueCards(IssueCards {
                staff,
                operator: OPERATOR,
                cards: vec![NewCard { number, tag, value: amount(2_000)? }],
            }),
        ),
        (
            "bind",
            Body::Bind(Bind {
                caller,
                number: Dialled::Value(number),
                proof: keys.proof(|key| key.card(OPERATOR, number, &password)),
                holder_tag: Some(holder_tag),
            }),
        ),
        ("wrong-password", gift(to, sum, &Proof::Malformed)),
        ("malformed", gift(Dialled::Malformed, Dialled::Malformed, &proof)),
        ("gift", gift(to, sum, &proof)),
        ("gift-again", gift(to, sum, &proof)),
        ("top-up", Body::TopUp(TopUp { caller, amount: Dialled::Value(amount(100)?), proof: proof.clone() })),
        ("cards", Body::ShowCards(Proved { caller, proof: proof.clone() })),
        ("language", Body::SetLanguage(SetLanguage { caller, language: Language::English })),
        ("password", Body::ChangePassword(ChangePassword { caller, old: proof.clone(), new: NewPassword::Trivial })),
        ("freeze", Body::Freeze(Proved { caller, proof })),
    ];
    let printed = CardNumber::from_payload(123_456_789_012_345).map_err(|_| "a card number")?;
    let office = office(staff, amount(500)?, MadeCard { number: printed, tag }, msisdn);
    Ok(phones.into_iter().chain(office).collect())
}

/// What staff ask: an outlet, a batch, a motion, a call, a stop.
fn office(staff: Staff, value: Amount, card: MadeCard, msisdn: Msisdn) -> Vec<(&'static str, Body)> {
    let (operator, batch, outlet, currency) = (OPERATOR, BatchId(NonZeroU32::MIN), OutletId(1), Currency::Usd);
    let rate = Rate { from: Timestamp::MIN, until: None, ratio: Ratio::ONE };
    let proposal = Box::new(Proposal::Rate { currency, rate });
    let name = String::from("광복백화점");
    let ask = |name, what| (name, Body::Office(Box::new(Office { staff, what })));
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
    let mut state = State::default();
    let at = Timestamp::parse("2026-11-22T05:00:00Z").map_err(|_| "an instant")?;
    for (count, (name, body)) in (1_u64..).zip(bodies(&profile)?) {
        let verdict = decide(&state, &body, at);
        let seq = state.seq().next();
        state.apply(seq, at, &verdict.effects).map_err(|_| "it does not fit")?;
        println!("{name}: {:?}", verdict.outcome);
        let entry = Entry { id: CommandId::internal(0, count), body, verdict };
        std::fs::write(folder.join(name), minicbor::to_vec(&entry)?)?;
    }
    Ok(())
}
