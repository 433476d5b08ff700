//! One worker process, from its start until its end.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver as Inbox, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hookrail_loader::{Meter, Numbers};
use hookrail_model::end::End;
use hookrail_model::error::Error;
use hookrail_model::isolation::{LimitView, WorkerLimits};
use hookrail_model::log;
use hookrail_model::units::duration_text;
use hookrail_supervise::{Exit, ExitStatus, Process, Reached, Stdio, Supervisor};
use parking_lot::Mutex;
use rustix::fs::fstat;
use rustix::pipe::{PipeFlags, pipe_with};

use super::aftermath::Due;
use super::crash::Crash;
use super::failed::Failed;
use super::reports::Reports;
use super::words::Words;
use crate::lane::Region;
use crate::last_words::LastWords;
use crate::limits::{limited, reached_by};
use crate::role::{ARGUMENT, LANES, LAST_WORDS, MEMORY, SOCKET, VARIABLE};
use crate::wire::{
    Answer, Ask, BusAsk, ConfigAsk, PluginId, PointAnswer, PointAsk, Receiver, Sender, ToWorker, UnitAsk, VERSION,
    WireError, pair,
};
use crate::{alike, processes};

/// One worker process.
pub(crate) struct Live {
    /// Tells it from those before and after it.
    pub(super) epoch: u64,
    pub(super) region: Arc<Region>,
    /// The lanes that the worker was told to serve.
    pub(super) served: Mutex<BTreeSet<usize>>,
    /// Whether it has answered a call of a callback.
    pub(super) has_answered: AtomicBool,
    /// What waits on its lanes ends when this is set.
    pub(super) dead: AtomicBool,
    /// Whether this host has killed it.
    pub(super) is_killed: AtomicBool,
    /// Whether it was ended by somebody else than its own code.
    is_from_outside: AtomicBool,
    pub(super) last_words: LastWords,
    pub(super) reports: Arc<Reports>,
    /// What is known of its end.
    pub(super) crash: Mutex<Crash>,
    exit: OnceLock<String>,
    /// Its limits, and the plugin that they are configured for.
    limits: WorkerLimits,
    configured: String,
    /// What holds it to its limits.
    held: OnceLock<Vec<LimitView>>,
    words: Words,
    /// What hears the process, until somebody waits for its end.
    hear: Mutex<Option<JoinHandle<()>>>,
    pub(super) sender: Sender,
    pub(super) process: OnceLock<Process>,
    pub(super) pending: Mutex<Pending>,
    /// Held by whoever asks for something, from before it is pending until it was sent.
    turn: Mutex<()>,
    last: AtomicU64,
    /// What is told of plugins: their memory, and what they wait for when they are closed.
    pub(super) told: Mutex<BTreeMap<PluginId, Told>>,
}

/// What callers wait for.
#[derive(Default)]
pub(super) struct Pending {
    pub(super) answers: HashMap<u64, SyncSender<Result<Answer, WireError>>>,
    /// Nothing will come any more.
    is_over: bool,
}

#[derive(Default)]
pub(super) struct Told {
    pub(super) meter: Option<Arc<Meter>>,
    pub(super) numbers: Option<Arc<Numbers>>,
    pub(super) waits: Option<End>,
    pub(super) asked: Option<Weak<dyn Asked>>,
}

/// What the instances of a plugin ask of their host, with the number for the answer. None of it waits.
pub(super) trait Asked: Send + Sync {
    /// For an end of the bus.
    fn bus(&self, live: &Arc<Live>, number: u64, instance: &str, ask: BusAsk);

    /// About its own configuration.
    fn config(&self, live: &Arc<Live>, number: u64, instance: String, ask: ConfigAsk);

    /// For another socket by which it dispatches.
    fn dispatch(&self, live: &Arc<Live>, number: u64);

    /// About a point that it dispatches, within a call of a callback on this thread: answers it at once.
    fn dispatch_here(&self, ask: PointAsk) -> Option<PointAnswer>;

    /// A callback for which nobody waited has failed, as a kind and a text say.
    fn faulted(&self, live: &Live, callback: u32, kind: u32, text: String);

    /// About a unit.
    fn unit(&self, live: &Arc<Live>, number: u64, ask: UnitAsk);

    /// The process has ended, or the plugin is closed there: nobody asks any more.
    fn over(&self, live: &Live);
}

impl Live {
    /// Starts a process and waits until it is ready; `over` is told when it has ended.
    pub(super) fn start(
        supervisor: &Supervisor,
        name: &str,
        configured: &str,
        limits: &WorkerLimits,
        reports: Arc<Reports>,
        over: impl FnOnce(Arc<Live>, Due) + Send + 'static,
    ) -> Result<Arc<Self>, Error> {
        static EPOCHS: AtomicU64 = AtomicU64::new(1);
        let failed = |source: io::Error| Error::system(format!("start the worker `{name}`"), source);
        let region = Region::create(LANES, limits.max_payload).map_err(failed)?;
        let (ours, theirs) = pair().map_err(failed)?;
        ours.set_write_timeout(Some(limits.patience)).map_err(failed)?;
        let receiver = Receiver::new(ours.try_clone().map_err(failed)?);
        let (said, says) = pipe_with(PipeFlags::CLOEXEC).map_err(|error| failed(error.into()))?;
        let live = Arc::new(Live {
            // Relaxed: only distinctness matters.
            epoch: EPOCHS.fetch_add(1, Ordering::Relaxed),
            dead: AtomicBool::new(false),
            is_killed: AtomicBool::new(false),
            is_from_outside: AtomicBool::new(false),
            last_words: LastWords::create().map_err(failed)?,
            reports,
            crash: Mutex::default(),
            exit: OnceLock::new(),
            limits: limits.clone(),
            configured: configured.into(),
            held: OnceLock::new(),
            words: Words::of(said).map_err(failed)?,
            hear: Mutex::default(),
            sender: Sender::new(ours),
            process: OnceLock::new(),
            pending: Mutex::default(),
            turn: Mutex::default(),
            last: AtomicU64::new(0),
            told: Mutex::default(),
            region: Arc::new(region),
            served: Mutex::default(),
            has_answered: AtomicBool::new(false),
        });
        let memory = live.region.file().try_clone_to_owned().map_err(failed)?;
        let last_words = live.last_words.file().try_clone_to_owned().map_err(failed)?;
        let size = fstat(&memory).map_err(|error| failed(error.into()))?.st_size.cast_unsigned();
        let also_says = says.try_clone().map_err(failed)?;
        let (spec, held) = limited(alike::spec(limits).map_err(failed)?, limits, size);
        let _ = live.held.set(held);
        let spec = spec
            .stdout(Stdio::Fd(also_says))
            .stderr(Stdio::Fd(says))
            .arg0("hookrail-worker")
            .args([ARGUMENT, name])
            .env(VARIABLE, VERSION)
            .descriptor(theirs.into(), SOCKET)
            .descriptor(memory, MEMORY)
            .descriptor(last_words, LAST_WORDS);
        if alike::is_replaced() {
            log!(
                warn,
                worker = name,
                "the program's file was replaced: this worker runs what its host runs, until that is restarted"
            );
        }
        let process = supervisor.spawn(spec)?;
        processes::started();
        let (ended, of) = (live.clone(), process.clone());
        process.on_exit(move |exit| {
            let due = ended.reports.aftermath.begin();
            ended.end(exit, of.reached());
            over(ended, due);
        });
        let _ = live.process.set(process);
        let (ready, is_ready) = sync_channel(1);
        let hearing = live.clone();
        let hear = move || hearing.hear(receiver, &ready);
        let hear = std::thread::Builder::new().name("hookrail-worker".into()).spawn(hear).map_err(|error| {
            live.kill();
            failed(error)
        })?;
        *live.hear.lock() = Some(hear);
        match is_ready.recv_timeout(limits.patience) {
            Ok(version) if version == VERSION => Ok(live),
            Ok(version) => {
                live.kill();
                Err(failed(io::Error::other(format!("it is version {version}, this is {VERSION}"))))
            }
            Err(RecvTimeoutError::Timeout) => {
                live.kill();
                Err(failed(io::ErrorKind::TimedOut.into()))
            }
            Err(RecvTimeoutError::Disconnected) => {
                Err(failed(io::Error::other(format!("it {} before it was ready", live.how_it_ended()))))
            }
        }
    }

    /// Asks for something and waits for the answer.
    pub(super) fn ask(
        &self,
        ask: Ask,
        descriptor: Option<BorrowedFd<'_>>,
        patience: Duration,
    ) -> Result<Answer, Failed> {
        self.wait(&self.begin(ask, descriptor)?, patience)
    }

    /// As [`ask`](Self::ask), if nothing else is asked for that it would do first; else `None`.
    pub(super) fn ask_if_idle(&self, ask: Ask, patience: Duration) -> Option<Result<Answer, Failed>> {
        let began = self.begin_if(ask, None, |pending| pending.answers.is_empty()).transpose()?;
        Some(began.and_then(|answer| self.wait(&answer, patience)))
    }

    fn wait(&self, answer: &Inbox<Result<Answer, WireError>>, patience: Duration) -> Result<Answer, Failed> {
        match answer.recv_timeout(patience) {
            Ok(answer) => answer.map_err(|error| Failed::Refused(error.into())),
            Err(RecvTimeoutError::Timeout) => {
                self.abort(None, format!("did not answer within {}", duration_text(patience)));
                Err(Failed::Late)
            }
            Err(RecvTimeoutError::Disconnected) => Err(Failed::Ended(self.how_it_ended())),
        }
    }

    /// Asks for something; the answer comes later.
    pub(super) fn begin(
        &self,
        ask: Ask,
        descriptor: Option<BorrowedFd<'_>>,
    ) -> Result<Inbox<Result<Answer, WireError>>, Failed> {
        Ok(self.begin_if(ask, descriptor, |_| true)?.expect("it was asked for in any case"))
    }

    fn begin_if(
        &self,
        ask: Ask,
        descriptor: Option<BorrowedFd<'_>>,
        condition: impl FnOnce(&Pending) -> bool,
    ) -> Result<Option<Inbox<Result<Answer, WireError>>>, Failed> {
        let number = self.number();
        let (answer, answered) = sync_channel(1);
        // What is pending was sent before.
        let _turn = self.turn.lock();
        {
            let mut pending = self.pending.lock();
            if !condition(&pending) {
                return Ok(None);
            }
            if pending.is_over {
                return Err(Failed::Ended(self.how_it_ended()));
            }
            pending.answers.insert(number, answer);
        }
        self.send(&ToWorker::Ask(number, ask), descriptor.as_slice()).map_err(Failed::Ended)?;
        Ok(Some(answered))
    }

    /// Tells it something. On failure says how it ended: a worker that does not listen is ended.
    pub(super) fn send(&self, what: &ToWorker, descriptors: &[BorrowedFd<'_>]) -> Result<(), String> {
        self.sender.send(what, descriptors).map_err(|_| {
            self.kill();
            self.how_it_ended()
        })
    }

    /// A call of a callback was answered; returns whether it was the first.
    #[inline]
    pub(super) fn answered(&self) -> bool {
        // Relaxed: nothing follows from it but that.
        !self.has_answered.load(Ordering::Relaxed) && !self.has_answered.swap(true, Ordering::Relaxed)
    }

    /// Its process, once it runs.
    pub(super) fn pid(&self) -> Option<u32> {
        self.process.get().map(Process::pid)
    }

    /// Ends the process and all that it started.
    pub(super) fn kill(&self) {
        let Some(process) = self.process.get() else { return };
        {
            let crash = self.crash.lock();
            // One that is asked where it is has a moment to say so, and is killed then.
            if crash.why.is_some() {
                return;
            }
            // Relaxed: whoever reads it has been told of the end that comes after it.
            self.is_killed.store(true, Ordering::Relaxed);
        }
        process.kill();
    }

    /// What holds it to its limits.
    pub(super) fn held(&self) -> &[LimitView] {
        self.held.get().map_or(&[], Vec::as_slice)
    }

    /// Whether it has ended.
    pub(super) fn is_dead(&self) -> bool {
        // Acquire: pairs with the Release in `end`.
        self.dead.load(Ordering::Acquire)
    }

    /// Whether it has ended, or is about to: nobody needs it any more.
    pub(super) fn is_over(&self) -> bool {
        // Relaxed: whoever does not see it yet sees it the next time.
        self.is_dead() || self.is_killed.load(Ordering::Relaxed)
    }

    /// How it ended; waits until that is known, which takes no longer than a process takes to die.
    pub(super) fn how_it_ended(&self) -> String {
        let deadline = Instant::now() + Duration::from_secs(10);
        while self.exit.get().is_none() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_micros(200));
        }
        self.exit.get().cloned().unwrap_or_else(|| "does not answer".into())
    }

    /// Waits until nothing comes of it any more, once it has ended: until then threads hold what it had.
    pub(super) fn hear_out(&self) {
        let hear = self.hear.lock().take();
        if let Some(hear) = hear.filter(|hear| hear.thread().id() != std::thread::current().id()) {
            let _ = hear.join();
        }
        let _ = self.words.last();
    }

    /// Whether somebody has ended it, rather than what ran in it. To be asked once it is known how it ended.
    pub(super) fn was_ended_by_others(&self) -> bool {
        // Relaxed: whoever knows how it ended sees it.
        self.is_from_outside.load(Ordering::Relaxed)
    }

    /// From now on it is heard what is told of a plugin, and what its instances ask.
    pub(super) fn expect(&self, plugin: PluginId, asked: Weak<dyn Asked>) {
        self.told.lock().entry(plugin).or_default().asked = Some(asked);
    }

    /// What a plugin's memory is told to from now on.
    pub(super) fn watch_memory(&self, plugin: PluginId, meter: Arc<Meter>) {
        self.told.lock().entry(plugin).or_default().meter = Some(meter);
    }

    /// What a plugin's numbers are told to from now on.
    pub(super) fn watch_numbers(&self, plugin: PluginId, numbers: Arc<Numbers>) {
        self.told.lock().entry(plugin).or_default().numbers = Some(numbers);
    }

    /// What a plugin that is being closed waits for, if it has said so.
    pub(super) fn waits(&self, plugin: PluginId) -> Option<End> {
        self.told.lock().get(&plugin)?.waits.clone()
    }

    /// Forgets a plugin that has been closed.
    pub(super) fn forget(&self, plugin: PluginId) {
        let told = self.told.lock().remove(&plugin);
        if let Some(asked) = told.and_then(|told| told.asked?.upgrade()) {
            asked.over(self);
        }
        self.crash.lock().opened.retain(|opened| opened.number != plugin);
    }

    fn number(&self) -> u64 {
        // Relaxed: only distinctness matters.
        self.last.fetch_add(1, Ordering::Relaxed)
    }

    /// The process has ended: nobody waits for it any longer.
    fn end(self: &Arc<Self>, exit: Exit, reached: Reached) {
        let was_aborted = self.crash.lock().why.is_some();
        // What was about to be killed may have ended by itself before.
        let is_sigkill = matches!(exit.status, ExitStatus::Killed { signal: libc::SIGKILL, .. });
        let is_killed = self.is_killed.load(Ordering::Relaxed) && (was_aborted || is_sigkill);
        processes::ended(exit, is_killed);
        let report = (!is_killed || was_aborted).then(|| self.reports.aftermath.begin());
        // First, since finding out why it ended may take a while.
        // Release: pairs with the Acquire in `is_dead`, and with that of waiting on a lane.
        self.dead.store(true, Ordering::Release);
        self.region.poison();
        self.sender.close();
        let asked: Vec<_> = self.told.lock().values().filter_map(|told| told.asked.as_ref()?.upgrade()).collect();
        asked.iter().for_each(|asked| asked.over(self));
        let limit = if is_killed { None } else { reached_by(&self.limits, reached, || self.words.last()) };
        let is_sent = matches!(
            exit.status,
            ExitStatus::Killed { signal: libc::SIGHUP | libc::SIGINT | libc::SIGKILL | libc::SIGTERM, .. }
        );
        if is_killed || is_sent && limit.is_none() {
            // Relaxed: published with `exit`, below.
            self.is_from_outside.store(true, Ordering::Relaxed);
        }
        let mut how = exit.to_string();
        if let Some((key, most)) = limit {
            how.push_str(&format!(
                "; it had reached its limit, {key} = {most} in [plugins.{}.worker]",
                self.configured
            ));
        }
        let _ = self.exit.set(how);
        self.let_go();
        if let Some(due) = report {
            self.report(due);
        }
    }

    /// Ends all waiting for answers.
    pub(super) fn let_go(&self) {
        let mut pending = self.pending.lock();
        pending.is_over = true;
        pending.answers.clear();
    }
}
