//! What edges need to know without asking the decider: rules in force, and numbers that had another owner before.
//!
//! Guarantees: everything in it is durable. A directory is cheap to make anew, however many numbers had owners before: they
//! stand in one place that all directories of an engine share, and only what changed is written to it.
//!
//! Bounded by the operators, and by the numbers that were ever released: about 17 octets each.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::{Arc, PoisonError, RwLock};

use domain::effects::Change;
use domain::ids::OperatorId;
use domain::number::Msisdn;
use domain::rules::Rules;
use domain::state::{Standing, State, SubscriberFacts};

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    /// Rules by the operator's row.
    pub operators: Vec<Arc<Rules>>,
    /// BLAKE3 of the file that each operator's rules came from.
    pub file_hashes: Vec<[u8; 32]>,
    /// Which owner each number has now. Also what becomes durable later is seen here.
    pub owners: Arc<Owners>,
}

impl Directory {
    /// What a state says.
    pub fn of(state: &State) -> Self {
        let owners = Owners::default();
        // Rows of one number come in the order of its generations: the last one is the current one.
        state.subscribers().for_each(|(_, row)| owners.set(row.facts.msisdn, current_generation(&row.facts)));
        Self {
            operators: state.operators().map(|(_, operator)| Arc::clone(&operator.rules)).collect(),
            file_hashes: state.operators().map(|(_, operator)| operator.file_hash).collect(),
            owners: Arc::new(owners),
        }
    }

    /// The generation that a caller's tags are made with.
    pub fn generation(&self, msisdn: Msisdn) -> u16 {
        self.owners.generation(msisdn)
    }

    /// The operator with that service code.
    pub fn by_service_code(&self, service_code: u16) -> Option<(OperatorId, &Arc<Rules>)> {
        let rules = (0_u8..).map(OperatorId).zip(&self.operators);
        rules.into_iter().find(|(_, rules)| rules.service_code == service_code)
    }

    /// The operator of that name.
    pub fn by_name(&self, name: &str) -> Option<(OperatorId, &Arc<Rules>)> {
        let rules = (0_u8..).map(OperatorId).zip(&self.operators);
        rules.into_iter().find(|(_, rules)| rules.operator == name)
    }

    /// BLAKE3 of the file that an operator's rules came from.
    pub fn file_hash(&self, operator: OperatorId) -> Option<[u8; 32]> {
        self.file_hashes.get(usize::from(operator.0)).copied()
    }

    /// One operator's rules.
    pub fn rules(&self, operator: OperatorId) -> Option<&Arc<Rules>> {
        self.operators.get(usize::from(operator.0))
    }

    fn put_rules(&mut self, operator: OperatorId, rules: &Arc<Rules>, file_hash: [u8; 32]) {
        let row = usize::from(operator.0);
        match (self.operators.get_mut(row), self.file_hashes.get_mut(row)) {
            (Some(known), Some(hash)) => (*known, *hash) = (Arc::clone(rules), file_hash),
            _ => {
                self.operators.push(Arc::clone(rules));
                self.file_hashes.push(file_hash);
            }
        }
    }
}

/// The generation that the next caller with a number belongs to.
const fn current_generation(facts: &SubscriberFacts) -> u16 {
    match facts.standing {
        Standing::Active | Standing::Barred => facts.generation,
        Standing::Released => facts.generation.saturating_add(1),
    }
}

/// Parts of [`Owners`]: each grows by itself, so that none takes long.
const PARTS: usize = 256;

type Hasher = foldhash::fast::RandomState;

/// Which owner numbers have now that had another one before.
#[derive(Debug)]
pub struct Owners {
    parts: Box<[RwLock<HashMap<Msisdn, u16, Hasher>>]>,
    hasher: Hasher,
}

impl Default for Owners {
    fn default() -> Self {
        Self { parts: (0..PARTS).map(|_| RwLock::default()).collect(), hasher: Hasher::default() }
    }
}

impl Owners {
    /// The generation of a number.
    pub fn generation(&self, msisdn: Msisdn) -> u16 {
        let part = self.part(msisdn).map(|part| part.read().unwrap_or_else(PoisonError::into_inner));
        part.and_then(|part| part.get(&msisdn).copied()).unwrap_or(1)
    }

    fn set(&self, msisdn: Msisdn, generation: u16) {
        if self.generation(msisdn) != generation
            && let Some(part) = self.part(msisdn)
        {
            part.write().unwrap_or_else(PoisonError::into_inner).insert(msisdn, generation);
        }
    }

    fn part(&self, msisdn: Msisdn) -> Option<&RwLock<HashMap<Msisdn, u16, Hasher>>> {
        self.parts.get((self.hasher.hash_one(msisdn) >> 32) as usize % PARTS)
    }

    /// Numbers in it.
    pub fn len(&self) -> usize {
        self.parts.iter().map(|part| part.read().unwrap_or_else(PoisonError::into_inner).len()).sum()
    }

    /// Whether no number had another owner before.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A directory and what will be in it once it is durable.
#[derive(Debug)]
pub(crate) struct Next {
    now: Arc<Directory>,
    rules: Option<Directory>,
    owners: Vec<(Msisdn, u16)>,
}

impl Next {
    pub(crate) fn new(now: Directory) -> Self {
        Self { now: Arc::new(now), rules: None, owners: Vec::new() }
    }

    /// As of the latest durable entry.
    pub(crate) const fn now(&self) -> &Arc<Directory> {
        &self.now
    }

    /// A change that is decided and not durable.
    pub(crate) fn note(&mut self, change: &Change) {
        match change {
            Change::Operator { id, rules, file_hash } => {
                let next = self.rules.get_or_insert_with(|| (*self.now).clone());
                next.put_rules(*id, rules, *file_hash);
            }
            Change::Subscriber { facts, .. } => {
                // A number's generation only ever rises.
                let generation = current_generation(facts);
                if generation != 1 {
                    self.owners.push((facts.msisdn, generation));
                }
            }
            _ => {}
        }
    }

    /// Everything that was noted is durable.
    pub(crate) fn durable(&mut self) {
        if let Some(next) = self.rules.take() {
            self.now = Arc::new(next);
        }
        for (msisdn, generation) in self.owners.drain(..) {
            self.now.owners.set(msisdn, generation);
        }
    }
}
