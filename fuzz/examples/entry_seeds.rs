//! Writes the seeds of the target `entry`: one entry for each thing that the rules can decide of a few commands. Each stands
//! with the hours that pass before it.

use std::num::NonZeroU32;
use std::path::Path;

use domain::command::{Body, ChangePassword, Dialled, Gift, NewPassword, NewSubscriber, SetLanguage};
use domain::currency::Currency;
use domain::ids::{BatchId, Language, OutletId, Serial, Staff};
use domain::number::CardNumber;
use domain::office::batch::{BatchCommand, MadeCard};
use domain::office::call::CallCommand;
use domain::office::motion::{MotionCommand, Proposal};
use domain::office::till::{Goods, Rate, TillCommand};
use domain::office::{Asked, RecordKey, RecordKind};
use domain::password::{Proof, TagKeys};
use domain::receipt::Seq;
use domain::rules::tariff::Ratio;
use domain::testing::{
    self, KORYOLINK, OPERATOR, PASSWORD, World, at, caller, card_number, minor, msisdn, password, replaced, rules_of,
};
use domain::time::Timestamp;

/// Hours until it is asked, the seed's name, and what is asked.
type Seed = (i64, &'static str, Body);

fn phones(keys: &TagKeys) -> Vec<Seed> {
    let (caller, recipient) = (caller(msisdn("8501912345678")), msisdn("8501921112222"));
    let proved = || testing::proved(keys, caller);
    let reads_korean = |msisdn| NewSubscriber { language: Some(Language::Korean), ..testing::subscriber(msisdn) };
    let gift = || Gift { occasion: Some(1), ..testing::gift(keys, caller, recipient, 500) };
    // Whoever gives to somebody for the first time can take it back for a day.
    let hold = ("from = 2022-01-01\n", "from = 2022-01-01\nhold = { gifts = \"new-recipient\", for_s = 86400 }\n");
    let mut seeds = vec![
        (0, "rules", testing::load(rules_of(&replaced(KORYOLINK, &[hold])))),
        (0, "import", testing::import([caller.msisdn, recipient].map(reads_korean).into())),
        (0, "issue", testing::issue(keys, [card_number(1)], PASSWORD, 2_000)),
        (0, "bind", testing::bind(keys, caller, card_number(1), PASSWORD)),
        (0, "wrong-password", Body::Gift(Gift { proof: Proof::Malformed, ..gift() })),
        (0, "malformed", Body::Gift(Gift { recipient: Dialled::Malformed, amount: Dialled::Malformed, ..gift() })),
        (0, "held", Body::Gift(gift())),
        (1, "undo", Body::Undo(proved())),
        (24, "held-again", Body::Gift(gift())),
        (0, "top-up", testing::top_up(keys, caller, 100)),
        (0, "cards", Body::ShowCards(proved())),
        (0, "language", Body::SetLanguage(SetLanguage { caller, language: Language::English })),
        (
            0,
            "password",
            Body::ChangePassword(ChangePassword { caller, old: proved().proof, new: NewPassword::Trivial }),
        ),
    ];
    let held = (1..).zip(&seeds).find(|(_, (_, name, _))| *name == "held-again").map_or(Seq::ZERO, |(n, _)| Seq(n));
    seeds.extend([
        (24, "due", Body::Due(RecordKey::made_by(RecordKind::Hold, held))),
        (24 * 31, "gift", Body::Gift(gift())),
        (0, "gift-again", Body::Gift(gift())),
        (0, "freeze", Body::Freeze(proved())),
    ]);
    seeds
}

/// What staff ask: an outlet, a batch, a motion, a call, a stop.
fn office(keys: &TagKeys, printed: CardNumber) -> Vec<Seed> {
    let (operator, batch, outlet, currency) = (OPERATOR, BatchId(NonZeroU32::MIN), OutletId(1), Currency::Usd);
    let rate = Rate { from: Timestamp::MIN, until: None, ratio: Ratio::ONE };
    let proposal = Box::new(Proposal::Rate { currency, rate });
    let name = String::from("광복백화점");
    let card = MadeCard { number: printed, tag: keys.current().card(operator, printed, &password(PASSWORD)) };
    let (value, msisdn) = (minor(500), msisdn("8501912345678"));
    let ask = |name, what| (0, name, testing::asked(Staff(0), what));
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

fn main() -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds/entry");
    std::fs::create_dir_all(&folder)?;
    let mut world = World::new(at("2026-11-22T05:00:00Z"));
    let mut seeds = phones(&world.keys);
    seeds.extend(office(&world.keys, card_number(2)));
    for (hours, name, body) in seeds {
        world.at = world.at.plus_s(hours * 3_600);
        println!("{name}: {:?}", world.act(&body).outcome);
        if let Some(kept) = world.journal.last() {
            std::fs::write(folder.join(name), &kept.bytes)?;
        }
    }
    Ok(())
}
