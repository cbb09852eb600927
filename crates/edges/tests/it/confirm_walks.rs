//! Random walks over a menu whose gifts have to be confirmed.

use crate::confirm::{ALWAYS, MANY, OCCASION};
use crate::fake::{ALICE, DAVE, Trouble};
use crate::line::Line;
use crate::phone::World;
use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};
use wire::text::Budget;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// What people, and others, dial and type. The first three are dialled.
const INPUTS: [&str; 28] = [
    "*999#",
    "*999*100*1921112222#",
    "*999*100*1921112223*482913#",
    "1",
    "1",
    "1",
    "0",
    "00",
    "2",
    "7",
    "",
    "#",
    "*",
    "-1",
    "1921112222",
    "01921112223",
    "1912121222",
    "100",
    "200",
    "99999999999999999999",
    "482913",
    "482913",
    "482913",
    "730518",
    "590274",
    "4929939187355598",
    "{ $to }",
    "\u{0}\n٠١",
];

/// One walk: posted gifts, and yeses.
async fn walk(world: &World, line: &mut Line, steps: &[(usize, u8)]) -> (usize, usize, Vec<String>) {
    let (mut shown, mut screens, mut yeses) = (String::new(), Vec::new(), 0);
    for (input, chance) in steps {
        let input = INPUTS[*input];
        match chance {
            0..12 => line.released(),
            12..24 => world.fake.later(i64::from(*chance)),
            24..36 => world.fake.trouble(Some(Trouble::AnswerLost)),
            36..48 => world.fake.trouble(Some(Trouble::CommandLost)),
            _ => world.fake.trouble(None),
        }
        let asked = shown.ends_with("1 yes 0 no") || shown.ends_with("1 예 0 아니") || shown.ends_with("1예 0아니");
        yeses += usize::from(asked && input == "1");
        let screen = if input.starts_with("*999") { line.dial(input).await } else { line.enter(input).await };
        shown = if screen.goes_on { screen.text.clone() } else { String::new() };
        screens.push(screen.text);
    }
    (world.fake.given().len(), yeses, screens)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_walk_gives_what_nobody_confirmed(
        steps in proptest::collection::vec((0..INPUTS.len(), any::<u8>()), 0..60),
        (korean, narrow, asks) in any::<(bool, bool, bool)>(),
    ) {
        // So that a password in the amount's place passes for an amount.
        let large = ("amount_max = 500", "amount_max = 999999");
        let mut replace = vec![ALWAYS, large];
        replace.extend(MANY);
        replace.extend(Some(OCCASION).filter(|_| asks));
        let world = World::ruled(&replace);
        world.fake.subscribe(8_501_921_112_223);
        let budget = if narrow { Budget::USSD_OSMOHLR } else { Budget::USSD };
        let mut line = Line::new(world.link(2, budget, true), if korean { ALICE } else { DAVE });
        // `Line` itself sees to the budget.
        let (posted, yeses, screens) = runtime().block_on(walk(&world, &mut line, &steps));
        prop_assert!(posted <= yeses, "{posted} gifts, {yeses} confirmed");
        for screen in screens {
            for secret in ["482913", "730518", "590274", "4929939187355598"] {
                prop_assert!(!screen.contains(secret), "{screen}");
            }
        }
    }
}

#[test]
fn the_walks_give_something() {
    let step = |input: &str| (INPUTS.iter().position(|known| *known == input).expect("an input"), u8::MAX);
    let steps = ["*999#", "1", "1921112222", "100", "1", "482913", "*999*100*1921112223*482913#", "1"].map(step);
    let mut replace = vec![ALWAYS];
    replace.extend(MANY);
    let world = World::ruled(&replace);
    world.fake.subscribe(8_501_921_112_223);
    let mut line = world.line(DAVE);
    let (posted, yeses, _) = runtime().block_on(walk(&world, &mut line, &steps));
    assert_eq!((posted, yeses), (2, 2));
}
