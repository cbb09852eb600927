//! The administrative interface: HTTP/1.1 with JSON, as docs/protocols/admin.md says.
//!
//! For: `sonmul` on the command line, and programs of the operator's staff.
//!
//! Guarantees: every request comes from a peer with a known uid; a field that nobody reads is refused; an error says what
//! to do and never repeats what was sent; a verdict is durable before it is shown.
//!
//! Bounded by: [`REQUESTS_MAX`] under way, [`READS_MAX`] of them reading the journal, [`DECIDE_WITHIN_S`] until a command
//! is dropped, [`LIST_LEN_MAX`] octets of a list, and a `LEN_MAX` of each body.
//!
//! Deliberately not here: who may do what (roles are in the operator's rules, and the decider asks for them), passwords of
//! subscribers, TCP.

mod ask;
mod batches;
mod cards;
mod export;
mod issue;
mod journal;
mod links;
mod numbers;
mod office;
mod operators;
mod press;
mod problem;
mod records;
mod reply;
mod reversal;
mod seen;
mod serve;
mod subscribers;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use domain::command::{Body, Command};
use domain::id::CommandId;
use domain::ids::OperatorId;
use domain::password::TagKeys;
use domain::receipt::Seq;
use domain::rules::Rules;
use engine::answer::{Answer, Query, Seen, View};
use engine::deliveries::{Delivery, FollowerStoreFault};
use engine::handle::Handle;
use tokio::sync::Semaphore;

use self::ask::Asked;
use self::export::Exports;
use self::issue::{Dice, Issued};
use self::problem::Problem;

pub use self::export::EXPORTS_MAX;
pub use self::links::{LinkView, Links};
pub use self::press::{CardSink, Press, PressOrder, Pressed};
pub use self::reply::http_status;
pub use self::serve::{DRAIN_S, serve_unix};

/// Requests under way at a time; more hear "busy". Staff are few, and a command waits for a sync only.
pub const REQUESTS_MAX: usize = 64;
/// Requests that read the journal at a time; more wait. Decoding appends takes a core, and gifts need the other one.
pub const READS_MAX: usize = 2;
/// A command that is not decided within this time is dropped ("not done").
pub const DECIDE_WITHIN_S: i64 = 30;
/// Entries of a list at most.
pub const LIST_MAX: usize = 1_000;
/// A list ends with the entry that reaches this many octets.
pub const LIST_LEN_MAX: usize = 4 << 20;

/// How the server does: it is told at once, whatever else is under way.
const STATUS: &str = "/v1/status";

/// Says which texts of an operator would not fit a screen or an SMS under these rules.
pub type CheckRules = Arc<dyn Fn(&Rules) -> Result<(), Vec<String>> + Send + Sync>;

/// The SMS that an entry caused, where they are known. It may wait for a disk.
pub type FindSms = Arc<dyn Fn(Seq) -> Result<Vec<Delivery>, FollowerStoreFault> + Send + Sync>;

/// What the interface is made of.
#[derive(Clone)]
pub struct AdminParts {
    /// The engine.
    pub handle: Handle,
    /// The live keys: tags of issued cards are made under the current one.
    pub keys: Arc<TagKeys>,
    /// Whether every text fits under these rules; edges know.
    pub check_rules: CheckRules,
    /// How the links do.
    pub links: Links,
    /// What became of an entry's SMS; their follower knows.
    pub find_sms: FindSms,
    /// Whoever makes files of cards.
    pub press: Arc<dyn Press>,
    /// Of the program.
    pub version: &'static str,
}

impl core::fmt::Debug for AdminParts {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("AdminParts").field("keys", &self.keys).field("version", &self.version).finish_non_exhaustive()
    }
}

/// What every request shares.
pub(crate) struct Admin {
    parts: AdminParts,
    dice: Dice,
    issued: Issued,
    exports: Exports,
    requests: Semaphore,
    reads: Semaphore,
}

impl Admin {
    fn new(parts: AdminParts, dice: Dice) -> Self {
        Self {
            parts,
            dice,
            issued: Issued::default(),
            exports: Exports::default(),
            requests: Semaphore::new(REQUESTS_MAX),
            reads: Semaphore::new(READS_MAX),
        }
    }

    fn handle(&self) -> &Handle {
        &self.parts.handle
    }

    /// Submits one command and says so in the log, without a digit of it.
    async fn submit(&self, id: CommandId, asked: &Asked, body: Body) -> Answer {
        let name = body.name();
        let decide_before = self.handle().now().plus_s(DECIDE_WITHIN_S);
        let answer = self.handle().submit(Command { id, decide_before, body }).await;
        let uid = asked.staff.0;
        match &answer {
            Answer::Verdict(reply) => {
                let outcome = reply::outcome_name(&reply.outcome);
                tracing::info!(uid, command = name, %id, seq = reply.seq.0, outcome, repeated = reply.repeated, "decided");
            }
            other => tracing::warn!(uid, command = name, %id, answer = reply::answer_name(other), "not decided"),
        }
        answer
    }

    /// Submits one command and shows its verdict.
    async fn decide(&self, asked: &Asked, body: Body) -> Response {
        let answer = self.submit(asked.id, asked, body).await;
        reply::answered(answer, &self.handle().directory())
            .map_or_else(|problem| asked.problem(problem), |shown| asked.mark(shown))
    }

    async fn query(&self, query: Query) -> Result<Seen<View>, Problem> {
        self.handle().query(query).await.ok_or(Problem::Busy)
    }

    /// The latest durable entry: never before one whose answer left.
    fn head(&self) -> Seq {
        self.handle().status().seq
    }

    /// The operator of that public name.
    fn operator(&self, name: &str) -> Result<(OperatorId, Arc<Rules>), Problem> {
        let directory = self.handle().directory();
        let known = directory.by_name(name).map(|(id, rules)| (id, Arc::clone(rules)));
        known.ok_or_else(|| {
            let loaded: Vec<&str> = directory.operators.iter().map(|rules| rules.operator.as_str()).collect();
            Problem::NotFound(match loaded.is_empty() {
                true => String::from("no such operator: none is loaded; see `sonmul operator load --help`"),
                false => format!("no such operator; loaded are: {}", loaded.join(", ")),
            })
        })
    }
}

/// Every endpoint of docs/protocols/admin.md. To be served by [`serve_unix`], which knows who asks.
pub fn router(parts: AdminParts) -> Router {
    router_of(Arc::new(Admin::new(parts, Dice::system())))
}

fn router_of(admin: Arc<Admin>) -> Router {
    Router::new()
        .route(STATUS, get(operators::status))
        .route("/v1/links", get(links::list))
        .route("/v1/clock/accept", post(operators::accept_clock))
        .route("/v1/operators", get(operators::list).post(operators::load))
        .route("/v1/subscribers/import", post(subscribers::import))
        .route("/v1/subscribers/{msisdn}", get(subscribers::show))
        .route("/v1/subscribers/{msisdn}/history", get(journal::history))
        .route("/v1/subscribers/{msisdn}/bar", post(subscribers::bar))
        .route("/v1/subscribers/{msisdn}/unbar", post(subscribers::unbar))
        .route("/v1/subscribers/{msisdn}/unlock", post(subscribers::unlock))
        .route("/v1/subscribers/{msisdn}/release", post(subscribers::release))
        .route("/v1/subscribers/{msisdn}/language", post(subscribers::language))
        .route("/v1/subscribers/{msisdn}/imsi", post(subscribers::imsi))
        .route("/v1/cards", post(cards::issue))
        .route("/v1/cards/{serial}", get(cards::show))
        .route("/v1/cards/{serial}/freeze", post(cards::freeze))
        .route("/v1/cards/{serial}/thaw", post(cards::thaw))
        .route("/v1/cards/{serial}/void", post(cards::void))
        .route("/v1/cards/{serial}/unblock", post(cards::unblock))
        .route("/v1/card-states", get(records::states))
        .route("/v1/batches", post(batches::start))
        .route("/v1/batches/{batch}", get(batches::show))
        .route("/v1/batches/{batch}/export", post(batches::export))
        .route("/v1/office", post(office::ask))
        .route("/v1/office/{kind}", get(records::list))
        .route("/v1/call-price", get(records::call_price))
        .route("/v1/gifts/{receipt}", get(reversal::show))
        .route("/v1/receipts/{receipt}", get(journal::receipt))
        .route("/v1/journal", get(journal::list))
        .fallback(nowhere)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(Arc::clone(&admin), gate))
        .with_state(admin)
}

async fn nowhere() -> Problem {
    Problem::NotFound(String::from("no such endpoint; they are listed in docs/protocols/admin.md"))
}

async fn wrong_method() -> Problem {
    Problem::MethodNotAllowed
}

/// Lets in whose uid is known, as many as there is room for.
async fn gate(State(admin): State<Arc<Admin>>, request: Request, next: Next) -> Response {
    if ask::peer(request.extensions()).is_none() {
        return Problem::Forbidden.into_response();
    }
    // Whoever looks why everything waits must not wait for it.
    if request.uri().path() == STATUS {
        return next.run(request).await;
    }
    let Ok(_place) = admin.requests.try_acquire() else { return Problem::Busy.into_response() };
    next.run(request).await
}

#[cfg(test)]
mod tests;
