//! The task of one bind: sockets and timers around [`Session`].
//!
//! Guarantees: see [`super`]. A write that the peer does not read keeps nothing else from running: the line's sign of life
//! ends it. Bounded by: one receive buffer of [`PDU_LEN_MAX`] octets.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use zeroize::{Zeroize, Zeroizing};

use super::command_status as status;
use super::config::{EsmeConfig, Kind};
use super::delivery::Delivery;
use super::frame::{self, PDU_LEN_MAX};
use super::receipt::{self, Receipts};
use super::session::{Asked, Event, Session, Why};
use super::status::{Count, Phase, Status};
use super::throttle::Throttle;
use super::tls::{self, Tls};
use super::ussd::{self, Gateway};
use super::{Job, Outcome, RECEIPTS_MAX, SubmitFault, ms};
use crate::port::Decider;

/// What is left to be sent when a bind is over (a nack, an answer to a goodbye) may take so long.
const LAST_WORDS: Duration = Duration::from_secs(1);

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// What comes from our side.
pub(crate) struct Lanes {
    pub(crate) jobs: mpsc::Receiver<Job>,
    pub(crate) screens: mpsc::Receiver<Job>,
    pub(crate) stopped: watch::Receiver<bool>,
}

impl Lanes {
    /// Waits for `future` and refuses everything meanwhile; `None`: it is time to stop.
    async fn away<F: Future>(&mut self, future: F) -> Option<F::Output> {
        tokio::pin!(future);
        loop {
            tokio::select! {
                biased;
                // Whoever could stop us is gone: the same.
                _ = self.stopped.wait_for(|stopped| *stopped) => return None,
                output = &mut future => return Some(output),
                Some(job) = self.screens.recv() => job.refuse(),
                Some(job) = self.jobs.recv() => job.refuse(),
            }
        }
    }
}

impl Lanes {
    /// Nothing more is sent, and whoever waits hears it.
    fn close(&mut self) {
        for lane in [&mut self.screens, &mut self.jobs] {
            lane.close();
            while let Ok(job) = lane.try_recv() {
                job.refuse();
            }
        }
    }
}

impl Job {
    fn refuse(self) {
        // Nobody may be waiting any more.
        let _ = self.reply.send(Err(SubmitFault::NotBound));
    }
}

/// Who waits for a submit.
struct Waiting {
    reply: oneshot::Sender<Outcome>,
    shown: Option<ussd::Shown>,
}

/// A receipt has been offered: what its delivery is to be answered.
struct Taken {
    /// Which bind it came over: an answer over another would be for something else.
    bind: u64,
    asked: Asked,
    taken: bool,
}

/// How a connection ended.
enum End {
    Over(Why),
    Closed,
    Io(io::Error),
}

/// See the module.
pub(crate) struct Runner<R, D> {
    config: Arc<EsmeConfig>,
    tls: Option<Tls>,
    status: Status,
    receipts: Arc<R>,
    gateway: Option<Arc<Gateway<D>>>,
    /// Receipts that are being taken, and turns.
    work: JoinSet<Option<Taken>>,
    receipt_slots: Arc<Semaphore>,
    turn_slots: Arc<Semaphore>,
    throttle: Throttle,
    /// Stopped: what is new is put off.
    leaving: bool,
    binds: u64,
    jitter: foldhash::quality::RandomState,
}

impl<R: Receipts, D: Decider> Runner<R, D> {
    pub(crate) fn new(
        config: Arc<EsmeConfig>,
        tls: Option<Tls>,
        status: Status,
        receipts: R,
        gateway: Option<Gateway<D>>,
    ) -> Self {
        let turns_max = gateway.as_ref().map_or(0, Gateway::turns_max);
        let throttle = Throttle::new(config.window, ms(config.throttle_backoff_ms), config.submits_per_s_max);
        Self {
            config,
            tls,
            status,
            receipts: Arc::new(receipts),
            gateway: gateway.map(Arc::new),
            work: JoinSet::new(),
            receipt_slots: Arc::new(Semaphore::new(RECEIPTS_MAX)),
            turn_slots: Arc::new(Semaphore::new(usize::from(turns_max))),
            throttle,
            leaving: false,
            binds: 0,
            jitter: foldhash::quality::RandomState::default(),
        }
    }

    /// Lives until it is stopped.
    pub(crate) async fn run(mut self, mut lanes: Lanes) {
        let mut attempt = 0_u32;
        loop {
            let connected = lanes.away(self.connect()).await;
            let (trouble, wait_longest) = match connected {
                None => break,
                Some(Err(trouble)) => (trouble, false),
                Some(Ok(stream)) => {
                    let bound_for = &mut None;
                    let end = self.serve(&mut lanes, stream, bound_for).await;
                    if let End::Over(Why::Stopped) = end {
                        break;
                    }
                    // A bind that lasted starts over with short waits.
                    if bound_for.is_some_and(|since: Instant| ms(self.config.reconnect_max_ms) <= since.elapsed()) {
                        attempt = 0;
                    }
                    let account = matches!(end, End::Over(Why::Refused { status }) if status::is_account_fault(status));
                    (self.plain(&end), account)
                }
            };
            self.status.set_phase(Phase::Away);
            self.status.count(Count::Losses);
            let wait = self.wait(if wait_longest { u32::MAX } else { attempt });
            attempt = attempt.saturating_add(1);
            tracing::warn!(link = %self.config.name, wait_ms = wait.as_millis(), "not bound: {trouble}");
            self.status.set_trouble(trouble);
            if lanes.away(sleep(wait)).await.is_none() {
                break;
            }
        }
        lanes.close();
        // What was begun ends: a turn may have moved money.
        let _ =
            timeout(ms(self.config.response_within_ms), async { while self.work.join_next().await.is_some() {} }).await;
        self.work.detach_all();
        self.status.set_phase(Phase::Stopped);
        tracing::info!(link = %self.config.name, "stopped");
    }

    fn wait(&self, attempt: u32) -> Duration {
        use std::hash::BuildHasher;
        let random = self.jitter.hash_one((self.binds, attempt, Instant::now()));
        backoff(self.config.reconnect_min_ms, self.config.reconnect_max_ms, attempt, random)
    }

    async fn connect(&self) -> Result<Box<dyn Stream>, String> {
        let smsc = &self.config.smsc;
        let within = ms(self.config.response_within_ms);
        // `check` has seen both.
        let (host, port) = self.config.host_port().unwrap_or_default();
        let stream = match timeout(within, TcpStream::connect((host, port))).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                return Err(format!("{smsc} can't be reached ({error}): is the SMSC running, and `address` right?"));
            }
            Err(_) => return Err(format!("{smsc} does not answer: is it the right address, does a firewall drop us?")),
        };
        // Small PDUs must not wait for each other; without it everything still works.
        let _ = stream.set_nodelay(true);
        let Some(Tls { connector, name }) = self.tls.clone() else { return Ok(Box::new(stream)) };
        match timeout(within, connector.connect(name, stream)).await {
            Ok(Ok(stream)) => Ok(Box::new(stream)),
            Ok(Err(error)) => Err(format!("{smsc}: {}", tls::plain(&error))),
            Err(_) => Err(format!("{smsc}: no TLS handshake in time: does the SMSC speak TLS on this port?")),
        }
    }

    /// One connection from its bind to its end.
    async fn serve(&mut self, lanes: &mut Lanes, stream: Box<dyn Stream>, bound: &mut Option<Instant>) -> End {
        self.binds += 1;
        let session = Session::new(&self.config, self.throttle, Instant::now());
        let (read, write) = tokio::io::split(stream);
        let input = Zeroizing::new(vec![0; PDU_LEN_MAX]);
        let mut connection = Connection { session, read, write, unflushed: false, input, filled: 0 };
        let end = self.talk(lanes, &mut connection, bound).await;
        let _ = timeout(LAST_WORDS, connection.last_words()).await;
        self.throttle = connection.session.throttle;
        for waiting in connection.session.into_pending() {
            let _ = waiting.reply.send(Err(SubmitFault::Cut));
        }
        self.status.set_flight(0, self.throttle.window());
        end
    }

    async fn talk(&mut self, lanes: &mut Lanes, connection: &mut Connection, bound: &mut Option<Instant>) -> End {
        // Until when we wait for what is in flight; `None`: nobody has stopped us.
        let mut leave_at: Option<Instant> = None;
        loop {
            let now = Instant::now();
            for waiting in connection.session.tick(now) {
                self.status.count(Count::TimedOut);
                let _ = waiting.reply.send(Err(SubmitFault::TimedOut));
            }
            if leave_at.is_some_and(|at| self.may_leave(connection, lanes, at, now)) {
                connection.session.unbind(now);
            }
            let session = &connection.session;
            if let Some(why) = session.over() {
                return End::Over(why.clone());
            }
            self.status.set_flight(session.in_flight(), session.throttle.window());
            let wake_at = leave_at.into_iter().filter(|at| now < *at).fold(session.wake_at(now), Instant::min);
            let (may_submit, has_room) = (session.may_submit(now), session.has_room());
            // People wait for screens: SMS leave them a slot.
            let may_sms = may_submit && leave_at.is_none() && (!self.config.kind.ussd() || session.keeps_slot());
            let (unsent, unflushed) = (!session.out().is_empty(), connection.unflushed);
            let Connection { session, read, write, input, filled, .. } = &mut *connection;
            tokio::select! {
                biased;
                _ = lanes.stopped.wait_for(|stopped| *stopped), if leave_at.is_none() => {
                    leave_at = Some(now + ms(self.config.response_within_ms));
                    self.leaving = true;
                }
                pushed = push(write, session.out()), if unsent || unflushed => match pushed {
                    Ok(octets) => {
                        session.wrote(octets);
                        connection.unflushed = unsent;
                    }
                    Err(error) => return End::Io(error),
                },
                Some(done) = self.work.join_next(), if has_room => self.done(session, done.ok().flatten()),
                Some(job) = lanes.screens.recv(), if may_submit => self.submit(session, job),
                Some(job) = lanes.jobs.recv(), if may_sms => self.submit(session, job),
                // After what is ours, which the window bounds: a peer that floods us can't keep it waiting.
                got = read.read(input.get_mut(*filled..).unwrap_or_default()), if has_room => match got {
                    Ok(0) => return End::Closed,
                    Ok(octets) => {
                        *filled += octets;
                        self.hear(connection, bound);
                    }
                    Err(error) => return End::Io(error),
                },
                () = sleep_until(wake_at) => {}
            }
        }
    }

    /// Whether nothing is left to wait for, or waiting is over.
    fn may_leave(&self, connection: &Connection, lanes: &mut Lanes, at: Instant, now: Instant) -> bool {
        while let Ok(job) = lanes.jobs.try_recv() {
            job.refuse();
        }
        let idle = connection.session.in_flight() == 0 && self.work.is_empty() && lanes.screens.is_empty();
        idle || at <= now
    }

    fn submit(&self, session: &mut Session<Waiting>, job: Job) {
        let Job { pdu, reply, shown } = job;
        // Whoever waited has gone: nothing is sent.
        if !reply.is_closed() {
            self.status.count(Count::Submitted);
            session.submit(Waiting { reply, shown }, pdu, Instant::now());
        }
    }

    fn done(&self, session: &mut Session<Waiting>, taken: Option<Taken>) {
        let Some(Taken { bind, asked, taken }) = taken else { return };
        self.status.count(if taken { Count::Receipts } else { Count::PutOff });
        if bind == self.binds {
            session.answer(asked, if taken { status::ROK } else { status::RX_T_APPN }, Instant::now());
        }
    }

    /// Every whole PDU of what was received.
    fn hear(&mut self, connection: &mut Connection, bound: &mut Option<Instant>) {
        let Connection { session, input, filled, .. } = connection;
        let now = Instant::now();
        let mut from = 0;
        while session.over().is_none() {
            let unread = input.get(from..*filled).unwrap_or_default();
            let (frame, octets) = match frame::take(unread) {
                Ok(Some(taken)) => taken,
                Ok(None) => break,
                Err(lies) => {
                    self.status.count(Count::Unreadable);
                    session.garbage(lies.to_string(), now);
                    break;
                }
            };
            from += octets;
            match session.hear(&frame, now) {
                Event::Nothing => {}
                Event::Bound => {
                    *bound = Some(now);
                    self.status.count(Count::Binds);
                    self.status.set_phase(Phase::Bound(now));
                    tracing::info!(link = %self.config.name, smsc = %self.config.smsc, "bound");
                }
                Event::Settled(waiting, outcome) => self.settled(waiting, outcome),
                Event::Delivery(asked, delivery) => self.delivered(session, asked, &delivery, now),
                Event::Stray => self.status.count(Count::Stray),
                Event::Unreadable => {
                    self.status.count(Count::Unreadable);
                    tracing::debug!(link = %self.config.name, command = %format_args!("{:#010x}", frame.id), "not understood");
                }
            }
        }
        // What was read is moved away and wiped: a password may have been typed.
        if let Some(received) = input.get_mut(..*filled) {
            received.copy_within(from.., 0);
            if let Some(left) = received.get_mut(*filled - from..) {
                left.zeroize();
            }
        }
        *filled -= from;
    }

    fn settled(&self, waiting: Waiting, outcome: Outcome) {
        match &outcome {
            Ok(_) => {
                self.status.count(Count::Accepted);
                if let Some(shown) = &waiting.shown {
                    shown.mark();
                }
            }
            Err(SubmitFault::Throttled { wait_ms }) => {
                self.status.count(Count::Throttled);
                tracing::debug!(link = %self.config.name, wait_ms, "the SMSC wants us slower");
            }
            Err(fault) => {
                self.status.count(Count::Refused);
                tracing::debug!(link = %self.config.name, %fault, "refused");
            }
        }
        let _ = waiting.reply.send(outcome);
    }

    fn delivered(&mut self, session: &mut Session<Waiting>, asked: Asked, delivery: &Delivery<'_>, now: Instant) {
        let receipt = if ussd::is_ussd(delivery) { None } else { receipt::read(delivery) };
        // Over a bind for USSD alone whatever is no receipt is USSD, also where nothing says so.
        let is_ussd = ussd::is_ussd(delivery) || self.config.kind == Kind::Ussd;
        let status = match (&self.gateway, receipt) {
            _ if self.leaving => {
                self.status.count(Count::PutOff);
                status::RX_T_APPN
            }
            (_, Some(receipt)) => return self.receipt(session, asked, receipt, now),
            (Some(gateway), None) if is_ussd => self.turn(&Arc::clone(gateway), delivery),
            (_, None) => {
                self.status.count(Count::Ignored);
                status::RX_R_APPN
            }
        };
        session.answer(asked, status, now);
    }

    fn turn(&mut self, gateway: &Arc<Gateway<D>>, delivery: &Delivery<'_>) -> u32 {
        let Ok(slot) = Arc::clone(&self.turn_slots).try_acquire_owned() else {
            self.status.count(Count::PutOff);
            return status::RX_T_APPN;
        };
        let Some(turn) = gateway.read(delivery) else {
            self.status.count(Count::Ignored);
            return status::ROK;
        };
        self.status.count(Count::Turns);
        let gateway = Arc::clone(gateway);
        self.work.spawn(async move {
            gateway.serve(turn).await;
            drop(slot);
            None
        });
        status::ROK
    }

    fn receipt(&mut self, session: &mut Session<Waiting>, asked: Asked, receipt: super::Receipt, now: Instant) {
        let Ok(slot) = Arc::clone(&self.receipt_slots).try_acquire_owned() else {
            self.status.count(Count::PutOff);
            return session.answer(asked, status::RX_T_APPN, now);
        };
        let (receipts, bind) = (Arc::clone(&self.receipts), self.binds);
        self.work.spawn(async move {
            let taken = receipts.take(receipt).await.is_ok();
            drop(slot);
            Some(Taken { bind, asked, taken })
        });
    }

    /// What happened and what to do about it.
    fn plain(&self, end: &End) -> String {
        let smsc = &self.config.smsc;
        match end {
            End::Over(Why::Refused { status }) => {
                let (name, advice) = (status::name(*status), status::bind_advice(*status));
                format!("{smsc} refused the bind with {name} ({status:#010x}): {advice}")
            }
            End::Over(Why::NoBindAnswer) => format!("{smsc} does not answer the bind: does SMPP run on this port?"),
            End::Over(Why::Unbound) => format!("{smsc} said goodbye: it is being stopped, or ended our session"),
            End::Over(Why::Silent) => format!("{smsc} no longer answers: the line or the SMSC is gone"),
            End::Over(Why::Garbage(why)) => format!("{smsc} sent what is no SMPP ({why}): is it the right port?"),
            End::Over(Why::Stopped) => String::from("stopped"),
            End::Closed => format!("{smsc} closed the connection: see its log for why"),
            End::Io(error) if tls::is_tls(error) => format!("{smsc}: {}", tls::plain(error)),
            End::Io(error) => format!("the connection to {smsc} broke: {}", error.kind()),
        }
    }
}

/// Twice as long each time, and between half and all of it, so that many binds don't come back at once.
fn backoff(min_ms: u32, max_ms: u32, attempt: u32, random: u64) -> Duration {
    let longest = (u64::from(min_ms) << attempt.min(22)).min(u64::from(max_ms));
    let half = longest / 2;
    Duration::from_millis(half + random % (longest - half + 1))
}

/// Writes some of what is unsent, or hands on what TLS has kept. Nothing is lost when this is dropped half way.
async fn push(write: &mut WriteHalf<Box<dyn Stream>>, unsent: &[u8]) -> io::Result<usize> {
    if unsent.is_empty() {
        return write.flush().await.map(|()| 0);
    }
    match write.write(unsent).await? {
        0 => Err(io::ErrorKind::WriteZero.into()),
        octets => Ok(octets),
    }
}

/// One connection.
struct Connection {
    session: Session<Waiting>,
    read: ReadHalf<Box<dyn Stream>>,
    write: WriteHalf<Box<dyn Stream>>,
    /// Written to TLS and perhaps not yet to the socket.
    unflushed: bool,
    input: Zeroizing<Vec<u8>>,
    /// Octets of `input` that were received and not read.
    filled: usize,
}

impl Connection {
    async fn last_words(&mut self) -> io::Result<()> {
        self.write.write_all(self.session.out()).await?;
        self.write.shutdown().await
    }
}

#[cfg(test)]
mod tests {
    use super::backoff;
    use std::time::Duration;

    #[test]
    fn waits_double_up_to_the_longest_and_differ() {
        for (attempt, longest) in [(0, 1_000), (1, 2_000), (5, 32_000), (6, 60_000), (22, 60_000), (u32::MAX, 60_000)] {
            for random in [0, 1, 12_345, u64::MAX] {
                let wait = backoff(1_000, 60_000, attempt, random);
                let range = Duration::from_millis(longest / 2)..=Duration::from_millis(longest);
                assert!(range.contains(&wait), "{attempt} {random} {wait:?}");
            }
        }
        assert_ne!(backoff(1_000, 60_000, 3, 1), backoff(1_000, 60_000, 3, 2));
    }
}
