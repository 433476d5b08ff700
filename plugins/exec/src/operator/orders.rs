//! What an operator is ordered, by the host and by the plugin.

use std::time::Instant;

use hookrail_abi::unit::{Order, OrderKind};
use serde_json::{Map, Value};

use super::asked::{Asked, Asking, By};
use super::{Keeper, Next, Running};
use crate::request::{Reply, Request};
use crate::said::{Pong, What};
use crate::shown::shown;
use crate::told;

impl What {
    /// Its name, and what the line that orders it is called.
    pub(super) fn name(self) -> &'static str {
        match self {
            What::Halt => "halt",
            What::Reload => "reload",
            What::Resume => "resume",
        }
    }
}

impl<'a> Running<'a> {
    /// The host has ordered something.
    pub(super) fn ordered(&mut self, order: Order<'a>) {
        let can_be_heard = self.reads();
        let Some(process) = self.process.as_mut().filter(|process| process.run == order.run) else { return };
        match order.kind {
            OrderKind::Ping => {
                // Whoever does not answer pings is well as long as it runs, and so is who cannot be heard now.
                if !process.answers("ping") || !can_be_heard {
                    return order.done();
                }
                process.out.line(told::bare("ping"));
                self.asked.push(Asked { what: Asking::Ping, by: By::Host(order), config: None });
            }
            OrderKind::Shutdown => {
                process.shut_down(self.keeper.operator.stop.duration());
                order.done();
            }
            OrderKind::Halt => self.order(What::Halt, By::Host(order)),
            OrderKind::Resume => self.order(What::Resume, By::Host(order)),
            OrderKind::Reload => {
                let config = self.keeper.operator.config.clone();
                self.reload(config, By::Host(order));
            }
            _ => order.refuse("the plugin `exec` does not know this order"),
        }
    }

    /// What the plugin has asked for.
    pub(super) fn requests(&mut self) {
        loop {
            let Some(request) = self.keeper.link.state().requests.pop_front() else { return };
            match request {
                Request::End => {
                    self.next = Next::End;
                    self.unit.end();
                }
                Request::Order(what, reply) => {
                    let by = By::Plugin(reply, self.deadline());
                    self.order(what, by);
                }
                Request::Reload(config, reply) => {
                    let by = By::Plugin(reply, self.deadline());
                    self.reload(config, by);
                }
                Request::Replace(operator, reply) => {
                    self.keeper.operator = *operator;
                    self.begin_again(Some(reply));
                }
            }
        }
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.keeper.operator.order.duration()
    }

    /// Ends the process, and begins another one.
    fn begin_again(&mut self, reply: Option<Reply>) {
        self.next = Next::Begin(reply);
        self.unit.end();
    }

    /// Has it pause or go on. Who does not answer that is fed no more, or again.
    fn order(&mut self, what: What, by: By<'a>) {
        self.keeper.link.state().is_halted = what == What::Halt;
        match self.process.as_mut().filter(|process| process.answers(what.name())) {
            Some(process) => {
                process.out.line(told::bare(what.name()));
                self.asked.push(Asked { what: Asking::Order(what), by, config: None });
            }
            // Another process is told when it is ready.
            None => by.answer(Ok(())),
        }
    }

    /// Has it take another configuration of its own; who does not answer that is begun again with it.
    fn reload(&mut self, config: Map<String, Value>, by: By<'a>) {
        match self.process.as_mut().filter(|process| process.answers(What::Reload.name())) {
            Some(process) => {
                process.out.line(told::reload(&config));
                self.asked.push(Asked { what: Asking::Order(What::Reload), by, config: Some(config) });
            }
            None => match by {
                By::Host(order) => order.refuse("it does not answer `reload`: restart it"),
                By::Plugin(reply, _) => {
                    self.keeper.operator.config = config;
                    self.begin_again(Some(reply));
                }
            },
        }
    }

    /// It has answered an order.
    pub(super) fn answered(&mut self, what: What, answer: Result<(), String>) {
        let Some(at) = self.asked.iter().position(|asked| asked.what == Asking::Order(what)) else { return };
        let mut asked = self.asked.remove(at);
        match (&answer, asked.config.take()) {
            (Ok(()), Some(config)) => self.keeper.operator.config = config,
            // It is as it was.
            (Err(_), _) if what != What::Reload => self.keeper.link.state().is_halted = what == What::Resume,
            _ => {}
        }
        asked.answer(match &answer {
            Ok(()) => Ok(()),
            Err(why) => Err(why),
        });
    }

    /// It has answered a ping.
    pub(super) fn ponged(&mut self, pong: &Pong) {
        let Some(at) = self.asked.iter().position(Asked::is_ping) else { return };
        let By::Host(order) = self.asked.remove(at).by else { return };
        self.keeper.link.state().illness = match pong {
            Pong::Error(why) => Some(shown(why)),
            Pong::Init => Some("it is not ready any more".into()),
            Pong::Running => None,
        };
        match pong {
            Pong::Error(why) => order.unwell(&shown(why)),
            Pong::Init => order.not_ready(),
            Pong::Running => order.done(),
        }
    }

    /// It cannot be heard now, since the stream takes nothing: so it is not asked how it is.
    pub(super) fn cannot_be_asked(&mut self) {
        for asked in self.asked.extract_if(.., |asked| asked.is_ping()) {
            asked.answer(Ok(()));
        }
    }

    /// What the plugin has waited for too long is not waited for any more.
    pub(super) fn expire(&mut self) {
        let now = Instant::now();
        for asked in self.asked.extract_if(.., |asked| asked.deadline().is_some_and(|deadline| deadline <= now)) {
            if let Asking::Order(what @ (What::Halt | What::Resume)) = asked.what {
                self.keeper.link.state().is_halted = what == What::Resume;
            }
            asked.answer(Err("it has not answered in time"));
        }
    }
}

impl Keeper {
    /// What the plugin has asked for while there is no unit; `None` if that changes nothing.
    pub(super) fn idle(&mut self) -> Option<Next> {
        loop {
            let request = self.link.state().requests.pop_front()?;
            match request {
                Request::End => return Some(Next::End),
                Request::Order(what, reply) => {
                    self.link.state().is_halted = what == What::Halt;
                    reply.answer(Ok(()));
                }
                Request::Reload(config, reply) => {
                    self.operator.config = config;
                    return Some(Next::Begin(Some(reply)));
                }
                Request::Replace(operator, reply) => {
                    self.operator = *operator;
                    return Some(Next::Begin(Some(reply)));
                }
            }
        }
    }
}
