//! `sonmul check`: the daily check from three sides. What the entries moved, what the accounts hold, and what the checkpoint
//! says must be the same.
//!
//! 1. Journal and checkpoint: every account and every row of its tables, at the entry that it belongs to.
//! 2. Accounts and each other: each operator's accounts of a unit add up to zero. In airtime that is −position = cards +
//!    airtime + held + fee income + tax + call income + breakage + refunded.
//! 3. Accounts and movements: each kind's balance is what transfers brought less what they took; the cash of a currency is its
//!    sales less refunds and pay-outs, and bookings by hand.
//!
//! Guarantees: every difference is told, not only the first. Deliberately not here: sealed files and anchors (`sonmul verify`).

use std::collections::BTreeMap;

use domain::ids::OperatorId;
use domain::office::currency::Currency;
use domain::verdict::Entry;
use engine::replica::Books;
use serde_json::{Value, json};
use store::DataDir;

use crate::exit::{Exit, Failure, Outcome};
use crate::reports::agree::{REBUILD, Waiting, operator_name, unbalanced, unit_name};
use crate::reports::balances::{Books as Balances, books};
use crate::reports::fold::{self, Journal};
use crate::reports::turnover::{Flow, KINDS, Turnover, flow, kinds};
use crate::{faults, print};

use super::{DataArg, block_on};

/// See `sonmul check --help`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Compares the journal's fold with the checkpoint, the accounts with each other, and the balances with what the entries
moved. Works beside a running server; meant to be run every day. Ends with 4 when anything differs. With --stop the
server then issues no more value for the operators concerned, until a person has it resumed; gifts go on.

Example:
  sonmul check --data sonmul-data
  sonmul check --stop --json"
)]
pub(crate) struct CheckArgs {
    /// When something differs, have the running server stop issuing value
    #[arg(long)]
    stop: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataArg,
}

/// Something that does not agree.
#[derive(Clone, Debug)]
struct Difference {
    /// Whose; `None`: it concerns every operator.
    operator: Option<OperatorId>,
    what: String,
}

/// Folds, compares, tells, stops.
pub(crate) fn run(args: &CheckArgs) -> Outcome {
    let dir = DataDir::open_shared(&args.data.dir()).map_err(faults::store)?;
    let mut check = Check::default();
    let folded = check.fold(&dir);
    let checkpoint = match folded {
        Ok(checkpoint) => checkpoint,
        // Damage is a difference like any other: what was folded before it says who is concerned.
        Err(failure) if failure.exit == Exit::Damaged => {
            check.differences.push(Difference { operator: None, what: failure.to_string() });
            None
        }
        Err(failure) => return Err(failure),
    };
    check.tell(args, checkpoint)?;
    if check.differences.is_empty() {
        return Ok(Exit::Ok);
    }
    if args.stop {
        check.stop(args);
    }
    let first = check.differences.first().map_or_else(String::new, |difference| difference.what.clone());
    Err(Failure::new(Exit::Damaged, format!("the books don't agree: {first}")))
}

#[derive(Default)]
struct Check {
    books: Books,
    moved: BTreeMap<OperatorId, Moves>,
    differences: Vec<Difference>,
    /// The checkpoint is not what the journal says.
    rebuild: bool,
}

/// What one operator's entries moved.
#[derive(Default)]
struct Moves {
    turnover: Turnover,
    /// Sales less refunds and pay-outs, and bookings by hand.
    cash: BTreeMap<Currency, i128>,
}

impl Moves {
    fn add(&mut self, entry: &Entry) {
        let transfers = &entry.verdict.effects.transfers;
        self.turnover.add(transfers);
        for transfer in transfers {
            let Some((flow, currency, _)) = flow(entry, transfer) else { continue };
            let minor = i128::from(transfer.amount.minor());
            *self.cash.entry(currency).or_default() += match flow {
                Flow::Sale => minor,
                Flow::Refund | Flow::PayOut => -minor,
                Flow::Deposit | Flow::Withdrawal => 0,
                Flow::Adjusted(change) => change,
            };
        }
    }
}

impl Check {
    /// All three sides; the accounts of the checkpoint that agree, where there is one.
    fn fold(&mut self, dir: &DataDir) -> Outcome<Option<usize>> {
        let mut checkpoint = Waiting::load(dir.checkpoint())?;
        Journal::open(dir)?.each("checking", |batch| {
            fold::apply(&mut self.books, batch)?;
            for entry in &batch.entries {
                self.moves(entry);
            }
            for what in checkpoint.after(self.books.head, &self.books.state)? {
                self.differences.push(Difference { operator: None, what });
                self.rebuild = true;
            }
            Ok(fold::ON)
        })?;
        checkpoint.none_ahead(self.books.head)?;
        let unbalanced = unbalanced(&self.books.state).into_iter();
        self.differences.extend(unbalanced.map(|(operator, what)| Difference { operator: Some(operator), what }));
        for (operator, _) in self.books.state.operators() {
            self.differences.extend(self.unmoved(operator, &books(&self.books.state, operator)));
        }
        Ok(checkpoint.compared.map(|(_, accounts)| accounts))
    }

    fn moves(&mut self, entry: &Entry) {
        let effects = &entry.verdict.effects;
        let Some(first) = effects.transfers.first() else { return };
        let owner = effects.operator.or_else(|| self.books.state.owner(first.debit));
        if let Some(owner) = owner {
            self.moved.entry(owner).or_default().add(entry);
        }
    }

    /// Balances of an operator that are not what its entries moved.
    fn unmoved(&self, operator: OperatorId, books: &Balances) -> Vec<Difference> {
        let nothing = Moves::default();
        let moves = self.moved.get(&operator).unwrap_or(&nothing);
        let balance = |kind| books.get(&kind).map_or(0, |held| held.balance);
        let name = operator_name(&self.books.state, operator);
        let mut found = Vec::new();
        for kind in kinds() {
            let moved = moves.turnover.of(kind);
            let (moved, held) = (moved.credit - moved.debit, balance(kind));
            if moved != held {
                let (kind, unit) = (KINDS.get(kind.1).copied().unwrap_or_default(), unit_name(kind.0));
                found.push(format!("{kind} of {name} in {unit}: the entries moved {moved}, the accounts hold {held}"));
            }
        }
        for currency in Currency::ALL {
            let taken = moves.cash.get(&currency).copied().unwrap_or_default();
            let held = cash_of(books, currency);
            if taken != held {
                let code = currency.code();
                found.push(format!(
                    "cash of {name} in {code}: sales less refunds are {taken}, the account holds {held}"
                ));
            }
        }
        found.into_iter().map(|what| Difference { operator: Some(operator), what }).collect()
    }

    /// What the parts of each unit are, for whoever reads along.
    fn parts(&self) -> Vec<Value> {
        let mut parts = Vec::new();
        for (operator, known) in self.books.state.operators() {
            let books = books(&self.books.state, operator);
            let name = &known.rules.operator;
            for unit in [None].into_iter().chain(Currency::ALL.map(Some)) {
                let of_unit: Vec<(&str, i128)> = books
                    .iter()
                    .filter(|((of, _), _)| *of == unit)
                    .map(|((_, place), held)| (KINDS.get(*place).copied().unwrap_or_default(), held.balance))
                    .collect();
                let against = if unit.is_none() { "position" } else { "cash-position" };
                let (position, others): (Vec<_>, Vec<_>) = of_unit.iter().partition(|(kind, _)| *kind == against);
                if of_unit.is_empty() {
                    continue;
                }
                let sum = |parts: &[(&str, i128)]| parts.iter().map(|(_, minor)| *minor).sum::<i128>();
                parts.push(json!({
                    "operator": name, "unit": unit_name(unit), "issued_minor": number(-sum(&position)),
                    "found_minor": number(sum(&others)),
                }));
            }
        }
        parts
    }

    fn tell(&self, args: &CheckArgs, checkpoint: Option<usize>) -> Outcome<()> {
        let whats: Vec<&str> = self.differences.iter().map(|difference| difference.what.as_str()).collect();
        if args.json {
            return print::json(&json!({
                "ok": whats.is_empty(), "seq": self.books.head.seq.0, "at": self.books.head.at.rfc3339(),
                "checkpoint_accounts": checkpoint, "units": self.parts(), "differences": whats,
            }));
        }
        print::line(&format!("{} entries, as of {}", self.books.head.seq, self.books.head.at.rfc3339()))?;
        match checkpoint {
            Some(accounts) => print::line(&format!("{accounts} accounts were compared with the checkpoint"))?,
            None => print::line("there is no checkpoint to compare")?,
        }
        for line in print::lines(&Value::Array(self.parts())) {
            print::line(&line)?;
        }
        for what in &whats {
            eprintln!("{what}");
        }
        if self.rebuild {
            eprintln!("{REBUILD}");
        }
        if whats.is_empty() { print::line("the books agree") } else { Ok(()) }
    }

    /// Asks the server to issue nothing more; says what came of it. The run ends as damaged either way.
    fn stop(&self, args: &CheckArgs) {
        for (operator, known) in self.books.state.operators() {
            let concerns = |difference: &&Difference| difference.operator.is_none_or(|whose| whose == operator);
            let Some(why) = self.differences.iter().find(concerns) else { continue };
            let name = &known.rules.operator;
            let ask = json!({ "do": "stop-issuance", "operator": name, "why": shortened(&why.what) });
            let answer = block_on(async { args.data.admin().post("/v1/office", &ask).await?.ok() });
            match answer {
                Ok(_) => eprintln!("issuance of {name} is stopped"),
                Err(failure) => eprintln!("issuance of {name} could not be stopped: {failure}"),
            }
        }
    }
}

fn cash_of(books: &Balances, currency: Currency) -> i128 {
    let place = KINDS.iter().position(|kind| *kind == "cash").unwrap_or_default();
    books.get(&(Some(currency), place)).map_or(0, |held| held.balance)
}

/// A reason as long as one may be.
fn shortened(what: &str) -> String {
    what.chars().take(domain::office::motion::REASON_LEN_MAX).collect()
}

/// What no integer of a program holds is told as text.
fn number(minor: i128) -> Value {
    i64::try_from(minor).map_or_else(|_| json!(minor.to_string()), Value::from)
}

#[cfg(test)]
mod tests {
    use super::Check;
    use crate::reports::tests::world::World;

    /// What the check finds in a world.
    fn found(world: World) -> (Option<usize>, Vec<String>) {
        let (_temp, dir) = world.written();
        let mut check = Check::default();
        let checkpoint = check.fold(&dir).expect("folded");
        (checkpoint, check.differences.into_iter().map(|difference| difference.what).collect())
    }

    #[test]
    fn a_month_with_sales_agrees_on_all_sides() {
        let (checkpoint, differences) = found(World::november());
        assert_eq!((checkpoint, differences), (Some(18), Vec::new()));
    }

    #[test]
    fn a_balance_that_no_movement_made_is_named() {
        let mut world = World::new();
        world.on("2026-11-02T01:00:00Z");
        world.gift(2, 1, 50, None);
        world.spoil(|entry| entry.verdict.effects.balances[2].after_minor += 1);
        let (_, differences) = found(world);
        assert_eq!(
            differences,
            [
                "the accounts of koryolink in airtime add up to 1, not to 0",
                "fee-income of koryolink in airtime: the entries moved 4, the accounts hold 5",
            ]
        );
    }

    #[test]
    fn cash_that_is_not_sales_less_refunds_is_named() {
        let mut world = World::new();
        world.on("2026-11-02T01:00:00Z");
        let mut world = world.sold();
        // What the sale booked to the operator's cash is missing there.
        world.spoil(|entry| {
            let cash = entry.verdict.effects.balances.iter_mut().find(|balance| balance.account.kind() == "cash");
            cash.expect("an account").after_minor -= 1;
        });
        let (_, differences) = found(world);
        assert_eq!(
            differences,
            [
                "the accounts of koryolink in USD add up to -1, not to 0",
                "cash of koryolink in USD: the entries moved 1000, the accounts hold 999",
                "cash of koryolink in USD: sales less refunds are 1000, the account holds 999",
            ]
        );
    }
}
