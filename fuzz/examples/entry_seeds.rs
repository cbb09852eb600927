//! Writes the seeds of the target `entry`: one entry for each thing that the rules can decide of a few commands.

use std::path::Path;
use std::sync::Arc;

use domain::card::CardNumber;
use domain::command::{
    Bind, Body, Caller, ChangePassword, Dialled, Gift, ImportSubscribers, IssueCards, Language, LinkId, LoadRules,
    NewCard, NewPassword, NewSubscriber, OperatorId, Proved, SetLanguage, Staff, TopUp,
};
use domain::decide::decide;
use domain::id::CommandId;
use domain::money::Amount;
use domain::msisdn::Msisdn;
use domain::password::{KeyId, Password, Proof, TagKey, TagKeys};
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
    Ok(vec![
        ("rules", Body::LoadRules(LoadRules { staff, rules, file_hash: [3; 32] })),
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
    ])
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
