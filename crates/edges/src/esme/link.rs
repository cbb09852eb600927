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
use crate::kit::backoff::Backoff;
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

/// What happens next on a connection.
#[expect(clippy::large_enum_variant, reason = "one at a time, on its way from one stack frame to the next")]
enum Next {
    /// We are told to stop.
    Stop,
    /// Octets left, or could not.
    Pushed(io::Result<usize>),
    /// Octets came, or could not; none: the peer has closed.
    Got(io::Result<usize>),
    /// A receipt was offered, or a turn has ended.
    Done(Option<Taken>),
    /// Somebody wants a message sent.
    Submit(Job),
    /// Nothing of this: time has passed.
    Late,
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
        }
    }

    /// Lives until it is stopped.
    pub(crate) async fn run(mut self, mut lanes: Lanes) {
        // A bind that lasted starts over with short waits.
        let stable = ms(self.config.reconnect_max_ms);
        let mut backoff = Backoff::new(self.config.reconnect_min_ms, self.config.reconnect_max_ms, stable);
        loop {
            let connected = lanes.away(self.connect()).await;
            let (trouble, wait) = match connected {
                None => break,
                Some(Err(trouble)) => (trouble, backoff.wait(None)),
                Some(Ok(stream)) => {
                    let bound = &mut None;
                    let end = self.serve(&mut lanes, stream, bound).await;
                    let lasted = bound.map(|since: Instant| since.elapsed());
                    let wait = match end {
                        End::Over(Why::Stopped) => break,
                        End::Over(Why::Refused { status }) if status::is_account_fault(status) => {
                            backoff.wait_for_somebody(lasted)
                        }
                        End::Over(_) | End::Closed | End::Io(_) => backoff.wait(lasted),
                    };
                    (self.plain(&end), wait)
                }
            };
            self.status.set_phase(Phase::Away);
            self.status.count(Count::losses);
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

    /// One thing after the other, until the connection is over.
    async fn talk(&mut self, lanes: &mut Lanes, connection: &mut Connection, bound: &mut Option<Instant>) -> End {
        // Until when we wait for what is in flight; `None`: nobody has stopped us.
        let mut leave_at: Option<Instant> = None;
        loop {
            let now = Instant::now();
            self.time_out(connection, now);
            if leave_at.is_some_and(|at| self.may_leave(connection, lanes, at, now)) {
                connection.session.unbind(now);
            }
            let session = &mut connection.session;
            if let Some(why) = session.over() {
                return End::Over(why.clone());
            }
            self.status.set_flight(session.in_flight(), session.throttle.window());
            match self.next(lanes, connection, leave_at, now).await {
                Next::Stop => {
                    leave_at = Some(now + ms(self.config.response_within_ms));
                    self.leaving = true;
                }
                Next::Pushed(Ok(octets)) => connection.pushed(octets),
                Next::Got(Ok(0)) => return End::Closed,
                Next::Got(Ok(octets)) => {
                    connection.filled += octets;
                    self.hear(connection, bound);
                }
                Next::Pushed(Err(error)) | Next::Got(Err(error)) => return End::Io(error),
                Next::Done(taken) => self.done(&mut connection.session, taken),
                Next::Submit(job) => self.submit(&mut connection.session, job),
                Next::Late => {}
            }
        }
    }

    /// Waits for the next thing that may be done as things stand. Nothing is lost of what did not come first.
    async fn next(
        &mut self,
        lanes: &mut Lanes,
        connection: &mut Connection,
        leave_at: Option<Instant>,
        now: Instant,
    ) -> Next {
        let Connection { session, read, write, unflushed, input, filled } = connection;
        let wake_at = leave_at.into_iter().filter(|at| now < *at).fold(session.wake_at(now), Instant::min);
        let (may_submit, has_room) = (session.may_submit(now), session.has_room());
        // People wait for screens: SMS leave them a slot.
        let may_sms = may_submit && leave_at.is_none() && (!self.config.kind.ussd() || session.keeps_slot());
        let has_unsent = !session.out().is_empty() || *unflushed;
        tokio::select! {
            biased;
            _ = lanes.stopped.wait_for(|stopped| *stopped), if leave_at.is_none() => Next::Stop,
            pushed = push(write, session.out()), if has_unsent => Next::Pushed(pushed),
            Some(done) = self.work.join_next(), if has_room => Next::Done(done.ok().flatten()),
            Some(job) = lanes.screens.recv(), if may_submit => Next::Submit(job),
            Some(job) = lanes.jobs.recv(), if may_sms => Next::Submit(job),
            // After what is ours, which the window bounds: a peer that floods us can't keep it waiting.
            got = read.read(input.get_mut(*filled..).unwrap_or_default()), if has_room => Next::Got(got),
            () = sleep_until(wake_at) => Next::Late,
        }
    }

    /// Whoever waited too long for the SMSC's answer hears that it did not come.
    fn time_out(&self, connection: &mut Connection, now: Instant) {
        for waiting in connection.session.tick(now) {
            self.status.count(Count::timed_out);
            let _ = waiting.reply.send(Err(SubmitFault::TimedOut));
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
            self.status.count(Count::submitted);
            session.submit(Waiting { reply, shown }, pdu, Instant::now());
        }
    }

    fn done(&self, session: &mut Session<Waiting>, taken: Option<Taken>) {
        let Some(Taken { bind, asked, taken }) = taken else { return };
        self.status.count(if taken { Count::receipts } else { Count::put_off });
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
                    self.status.count(Count::unreadable);
                    session.garbage(lies.to_string(), now);
                    break;
                }
            };
            from += octets;
            match session.hear(&frame, now) {
                Event::Nothing => {}
                Event::Bound => {
                    *bound = Some(now);
                    self.status.count(Count::binds);
                    self.status.set_phase(Phase::Bound(now));
                    tracing::info!(link = %self.config.name, smsc = %self.config.smsc, "bound");
                }
                Event::Settled(waiting, outcome) => self.settled(waiting, outcome),
                Event::Delivery(asked, delivery) => self.delivered(session, asked, &delivery, now),
                Event::Stray => self.status.count(Count::stray),
                Event::Unreadable => {
                    self.status.count(Count::unreadable);
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
                self.status.count(Count::accepted);
                if let Some(shown) = &waiting.shown {
                    shown.mark();
                }
            }
            Err(SubmitFault::Throttled { wait_ms }) => {
                self.status.count(Count::throttled);
                tracing::debug!(link = %self.config.name, wait_ms, "the SMSC wants us slower");
            }
            Err(fault) => {
                self.status.count(Count::refused);
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
                self.status.count(Count::put_off);
                status::RX_T_APPN
            }
            (_, Some(receipt)) => return self.receipt(session, asked, receipt, now),
            (Some(gateway), None) if is_ussd => self.turn(&Arc::clone(gateway), delivery),
            (_, None) => {
                self.status.count(Count::ignored);
                status::RX_R_APPN
            }
        };
        session.answer(asked, status, now);
    }

    fn turn(&mut self, gateway: &Arc<Gateway<D>>, delivery: &Delivery<'_>) -> u32 {
        let Ok(slot) = Arc::clone(&self.turn_slots).try_acquire_owned() else {
            self.status.count(Count::put_off);
            return status::RX_T_APPN;
        };
        let Some(turn) = gateway.read(delivery) else {
            self.status.count(Count::ignored);
            return status::ROK;
        };
        self.status.count(Count::turns);
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
            self.status.count(Count::put_off);
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
    /// So many octets were written, or handed on from what TLS had kept.
    fn pushed(&mut self, octets: usize) {
        self.unflushed = !self.session.out().is_empty();
        self.session.wrote(octets);
    }

    async fn last_words(&mut self) -> io::Result<()> {
        self.write.write_all(self.session.out()).await?;
        self.write.shutdown().await
    }
}
