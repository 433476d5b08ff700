//! The sink: an operator gets the messages that it has subscribed to, and no others.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hookrail_abi::prelude::*;

use crate::bell::{readable, wait};
use crate::link::{Delivery, End, LOOK, Link, Phase, Settled};
use crate::terms::Terms;
use crate::told;

/// How many messages are received at once.
const MOST: usize = 64;
/// How long a sink that is to end waits for what the operator has and has not answered for.
const GRACE: Duration = Duration::from_secs(2);
const ENDED: &str = "the operator has ended";

/// One use of the sink in a pipeline.
pub(crate) struct Subscribing {
    pub(crate) link: Arc<Link>,
    pub(crate) window: usize,
}

/// What was received and not answered for, in its order.
#[derive(Default)]
struct Window {
    slots: VecDeque<(u64, Option<Settled>)>,
    /// The process that has these.
    process: u64,
}

impl Sink for Subscribing {
    fn run(&mut self, io: &mut SinkIo<'_>) -> Result<()> {
        let link = &*self.link;
        let _attached = link.attach(End::Sink)?;
        let coming = io.watch();
        let (mut window, mut is_last, mut leave) = (Window::default(), false, None);
        loop {
            let (settled, phase) = {
                let mut state = link.state();
                (state.take_settled(), state.phase.clone())
            };
            window.settle(settled);
            if let Phase::Ready(process, _) = phase {
                window.belong_to(process);
            } else {
                window.lose(ENDED);
            }
            window.answer(io, link);
            if window.slots.is_empty() && (is_last || io.is_closed()) {
                return Ok(());
            }
            if io.is_closed() && Instant::now() >= *leave.get_or_insert_with(|| Instant::now() + GRACE) {
                return Ok(());
            }
            link.check()?;
            let terms = match &phase {
                Phase::Ready(_, terms) if leave.is_none() => Some(terms),
                _ => None,
            };
            let has_room = !is_last && window.slots.len() < self.window && link.state().has_room();
            if let Some(terms) = terms.filter(|_| has_room) {
                if terms.filters.is_empty() {
                    let why = "is ready and has subscribed to nothing: it is to `subscribe` before it is `ready`";
                    return Err(format!("the operator `{}` {why}", link.name).into());
                }
                let most = MOST.min(self.window - window.slots.len());
                match receive(link, terms, &mut window, io, most) {
                    Some(0) => {}
                    Some(_) => continue,
                    None => {
                        is_last = true;
                        continue;
                    }
                }
            }
            match coming.as_ref().filter(|_| terms.is_some() && has_room) {
                Some(coming) => wait(&mut [readable(coming), readable(&link.sink)], None),
                None => wait(&mut [readable(&link.sink)], Some(LOOK)),
            }
            link.sink.hear();
        }
    }
}

/// Receives messages and has those written that are wanted. Returns how many; `None` if no more will come.
fn receive(link: &Link, terms: &Terms, window: &mut Window, io: &mut SinkIo<'_>, most: usize) -> Option<usize> {
    let messages = match io.recv(most, Some(Duration::ZERO)) {
        Received::Messages(messages) => messages,
        Received::Nothing => return Some(0),
        Received::Closed => return None,
    };
    let mut state = link.state();
    // Another process has other terms.
    let is_gone = !matches!(state.phase, Phase::Ready(process, _) if process == window.process);
    for message in messages {
        let number = state.next_number();
        let mut settled = Some(Settled::Delivered);
        if is_gone {
            settled = Some(Settled::Retried(ENDED.into()));
        } else if terms.wants(message) {
            let line = told::message(number, message);
            settled = (line.len() > terms.max_line).then(|| {
                let (length, most) = (line.len(), terms.max_line);
                Settled::Rejected(format!("its line has {length} bytes, and `max_line` is {most}"))
            });
            if settled.is_none() {
                state.deliver(Delivery { number, line });
            }
        }
        window.slots.push_back((number, settled));
    }
    drop(state);
    link.bell.ring();
    Some(messages.len())
}

impl Window {
    fn settle(&mut self, settled: Vec<(u64, Settled)>) {
        for (number, settled) in settled {
            // Numbers rise, and what is not there was lost with its process.
            if let Ok(at) = self.slots.binary_search_by_key(&number, |(number, _)| *number) {
                self.slots[at].1.get_or_insert(settled);
            }
        }
    }

    /// That process works: what another one had is lost.
    fn belong_to(&mut self, process: u64) {
        if self.process != process {
            self.lose(ENDED);
            self.process = process;
        }
    }

    fn lose(&mut self, why: &str) {
        for (_, settled) in &mut self.slots {
            settled.get_or_insert_with(|| Settled::Retried(why.into()));
        }
    }

    /// Answers for the oldest ones, as far as they are settled.
    fn answer(&mut self, io: &mut SinkIo<'_>, link: &Link) {
        loop {
            let is_delivered = |slot: &&(u64, Option<Settled>)| slot.1 == Some(Settled::Delivered);
            let delivered = self.slots.iter().take_while(is_delivered).count();
            if delivered > 0 {
                io.ack(delivered);
                self.slots.drain(..delivered);
            }
            match self.slots.front().and_then(|(_, settled)| settled.as_ref()) {
                Some(Settled::Rejected(why)) => {
                    io.reject(1, why);
                    self.slots.pop_front();
                }
                Some(Settled::Retried(why)) => {
                    // All that follow come again, in their order.
                    link.state().forget_outgoing();
                    io.retry(why);
                    self.slots.clear();
                }
                Some(Settled::Delivered) | None => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_settled_is_found_by_its_number_and_only_once() {
        let mut window = Window::default();
        window.belong_to(1);
        window.slots.extend([(3, None), (4, None), (7, Some(Settled::Delivered))]);
        window.settle(vec![(4, Settled::Delivered), (5, Settled::Delivered), (4, Settled::Rejected("late".into()))]);
        assert_eq!(window.slots, [(3, None), (4, Some(Settled::Delivered)), (7, Some(Settled::Delivered))]);
        window.belong_to(1);
        assert_eq!(window.slots[0].1, None);
        window.belong_to(2);
        assert_eq!(window.slots[0].1, Some(Settled::Retried(ENDED.into())));
        assert_eq!(window.slots[1].1, Some(Settled::Delivered));
    }
}
