//! A fake MSC: phones that dial through an HLR, many at once, each waiting for its own screens.
//!
//! **For:** tests of the GSUP edge, and `sonmul dial --msc`. A benchmark takes `flood` of `lab`, which has no task for each
//! phone.
//!
//! **Guarantees:** a dialogue gets its own screens, in order. When the connection ends, every dialogue hears
//! [`GsupError::Gone`]. Dropping a [`Dialogue`] forgets it without a word to the peer, as a phone out of reach does.
//!
//! **Bounded by:** [`MscConfig::dialogues_max`], [`SCREENS_MAX`] for each of them.
//!
//! **Deliberately not here:** how long a phone waits: callers set their own time limits.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use wire::imsi::Imsi;

use super::error::GsupError;
use super::outbox::{self, Outbox};
use super::switch::{Cancel, FIRST_SESSION, Shown, Switch};

/// Screens of one dialogue that wait to be fetched; more are dropped and counted as strays would be.
pub const SCREENS_MAX: usize = 8;
/// An HLR asks who we are as soon as we connect.
const HANDSHAKE_WITHIN_S: u64 = 10;

/// How a fake MSC introduces itself and counts.
#[derive(Clone, Debug)]
pub struct MscConfig {
    /// What OsmoHLR knows it by. OsmoMSC's are like `MSC-00-00-00-00-00-00`.
    pub name: String,
    /// The number of its first session: switches begin there again after each restart.
    pub first_session: u32,
    /// Dialogues under way at once.
    pub dialogues_max: usize,
}

impl MscConfig {
    /// A switch of that name, fresh from its start.
    pub fn named(name: &str) -> Self {
        Self { name: String::from(name), first_session: FIRST_SESSION, dialogues_max: 65_536 }
    }
}

#[derive(Debug)]
struct Shared {
    switch: Mutex<Switch<mpsc::Sender<Shown>>>,
    outbox: Outbox,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Switch<mpsc::Sender<Shown>>> {
        // A panic elsewhere leaves the table whole: entries are put and taken in one step.
        self.switch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the switch write, and sends it.
    fn write<V>(
        &self,
        with: impl FnOnce(&mut Switch<mpsc::Sender<Shown>>, &mut Vec<u8>) -> Result<V, GsupError>,
    ) -> Result<V, GsupError> {
        let mut out = Vec::new();
        // Under one lock, so that frames of a dialogue leave in their order.
        let mut switch = self.lock();
        let value = with(&mut switch, &mut out)?;
        self.outbox.push(&out)?;
        Ok(value)
    }
}

/// See the module. Dropping it closes the connection.
#[derive(Debug)]
pub struct Msc {
    shared: Arc<Shared>,
    tasks: [JoinHandle<()>; 2],
}

impl Drop for Msc {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        self.shared.outbox.close();
    }
}

impl Msc {
    /// Connects to an HLR's GSUP port and waits until it has asked who we are.
    ///
    /// # Errors
    /// [`GsupError::Io`], [`GsupError::Gone`], [`GsupError::NoHandshake`].
    pub async fn connect(hlr: SocketAddr, config: &MscConfig) -> Result<Self, GsupError> {
        let stream = TcpStream::connect(hlr).await.map_err(GsupError::io(format!("connecting to {hlr}")))?;
        stream.set_nodelay(true).map_err(GsupError::io("TCP_NODELAY"))?;
        Self::over(stream, config).await
    }

    /// The same over any stream, such as the one of a stand-in HLR in the same process.
    ///
    /// # Errors
    /// [`GsupError::Gone`], [`GsupError::NoHandshake`].
    pub async fn over<S>(stream: S, config: &MscConfig) -> Result<Self, GsupError>
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
    {
        let switch = Switch::new(&config.name, config.first_session, config.dialogues_max);
        let shared = Arc::new(Shared { switch: Mutex::new(switch), outbox: Outbox::default() });
        let (reader, writer) = tokio::io::split(stream);
        let (tell, mut registered) = watch::channel(false);
        let receiving = {
            let shared = Arc::clone(&shared);
            tokio::spawn(async move {
                // However it ended: nobody is to wait for more.
                let _ended = outbox::read(reader, |octets| receive(&shared, octets, &tell)).await;
                shared.outbox.close();
                hang_up(&shared);
            })
        };
        let sending = {
            let shared = Arc::clone(&shared);
            tokio::spawn(async move {
                if shared.outbox.send(writer).await.is_err() {
                    shared.outbox.close();
                    hang_up(&shared);
                }
            })
        };
        let msc = Self { shared, tasks: [receiving, sending] };
        let within = Duration::from_secs(HANDSHAKE_WITHIN_S);
        match tokio::time::timeout(within, registered.wait_for(|registered| *registered)).await {
            Ok(Ok(_)) => Ok(msc),
            Ok(Err(_)) => Err(GsupError::Gone),
            Err(_) => Err(GsupError::NoHandshake { within_s: HANDSHAKE_WITHIN_S }),
        }
    }

    /// Sends a dialled string. Its first screen is fetched with [`Dialogue::shown`].
    ///
    /// # Errors
    /// [`GsupError::Full`], [`GsupError::TooLong`], [`GsupError::Stuck`], [`GsupError::Gone`].
    pub fn begin(&self, imsi: Imsi, string: &str) -> Result<Dialogue, GsupError> {
        let (tell, screens) = mpsc::channel(SCREENS_MAX);
        let session = self.shared.write(|switch, out| switch.dial(imsi, string, tell, out))?;
        Ok(Dialogue { shared: Arc::clone(&self.shared), session, screens })
    }

    /// Dials and waits for the first screen.
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub async fn dial(&self, imsi: Imsi, string: &str) -> Result<(Shown, Dialogue), GsupError> {
        let mut dialogue = self.begin(imsi, string)?;
        Ok((dialogue.shown().await?, dialogue))
    }

    /// Dialogues under way.
    pub fn open_len(&self) -> usize {
        self.shared.lock().open_len()
    }

    /// Messages for dialogues that were over.
    pub fn strays(&self) -> u64 {
        self.shared.lock().strays()
    }
}

fn receive(shared: &Shared, octets: &[u8], registered: &watch::Sender<bool>) -> Result<usize, GsupError> {
    let mut out = Vec::new();
    let mut switch = shared.lock();
    // A phone that fetches nothing loses screens; whoever put it down needs none.
    let taken = switch.take(octets, &mut out, |_, screens, shown| drop(screens.try_send(shown)))?;
    shared.outbox.push(&out)?;
    if switch.is_registered() {
        registered.send_replace(true);
    }
    Ok(taken)
}

/// Wakes everybody who waits.
fn hang_up(shared: &Shared) {
    shared.lock().forget_all();
}

/// One dialogue of one phone.
#[derive(Debug)]
pub struct Dialogue {
    shared: Arc<Shared>,
    session: u32,
    screens: mpsc::Receiver<Shown>,
}

impl Drop for Dialogue {
    fn drop(&mut self) {
        let _forgotten = self.shared.lock().forget(self.session);
    }
}

impl Dialogue {
    /// The session's number.
    pub fn session(&self) -> u32 {
        self.session
    }

    /// The next screen.
    ///
    /// # Errors
    /// [`GsupError::Gone`] after the last one, and when the connection ended.
    pub async fn shown(&mut self) -> Result<Shown, GsupError> {
        self.screens.recv().await.ok_or(GsupError::Gone)
    }

    /// Answers the prompt on the screen and waits for the next one.
    ///
    /// # Errors
    /// [`GsupError::NotAsked`], [`GsupError::TooLong`], [`GsupError::Stuck`], [`GsupError::Gone`].
    pub async fn answer(&mut self, text: &str) -> Result<Shown, GsupError> {
        self.shared.write(|switch, out| switch.answer(self.session, text, out))?;
        self.shown().await
    }

    /// Puts the phone down and says so to the peer.
    ///
    /// # Errors
    /// [`GsupError::NotAsked`] when the dialogue was over, [`GsupError::Stuck`], [`GsupError::Gone`].
    pub fn cancel(self, how: Cancel) -> Result<(), GsupError> {
        self.shared.write(|switch, out| switch.cancel(self.session, how, out))
    }
}
