//! The laws of the run's state machine, under any order of what may happen.

use std::collections::{BTreeMap, BTreeSet};

use interlingua::{
    Approval, Error, ErrorKind, Event, Finish, FinishReason, Fold, Input, Json, Message, Output, Request,
    Response, Run, RunLimits, Start, Step, Stop, ToolCall, ToolOutput, Usage,
};
use proptest::prelude::*;

/// Something that may happen, if it can; the number chooses among what is there.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Step,
    /// The answer comes, with so many calls, of which the last may be cut.
    Answer {
        calls: usize,
        cut: bool,
    },
    /// A call of the answer is complete before the rest.
    Early,
    Fail,
    Decide(usize, Choice),
    Return(usize),
    Say,
    Stop,
    Again,
    /// The program stores the run and starts again.
    Restart {
        harmless: bool,
    },
    /// The run is stored and read again, and nothing that was handed out is lost.
    Store,
}

#[derive(Debug, Clone, Copy)]
enum Choice {
    Run,
    Deny,
    Answer,
    Stop,
}

fn deed() -> impl Strategy<Value = Deed> {
    let choice = prop_oneof![
        6 => Just(Choice::Run), 2 => Just(Choice::Deny), 2 => Just(Choice::Answer), 1 => Just(Choice::Stop)
    ];
    prop_oneof![
        12 => Just(Deed::Step),
        6 => (0..4_usize, any::<bool>()).prop_map(|(calls, cut)| Deed::Answer { calls, cut }),
        2 => Just(Deed::Early),
        1 => Just(Deed::Fail),
        8 => (any::<usize>(), choice).prop_map(|(which, choice)| Deed::Decide(which, choice)),
        8 => any::<usize>().prop_map(Deed::Return),
        1 => Just(Deed::Say),
        1 => Just(Deed::Stop),
        2 => Just(Deed::Again),
        1 => any::<bool>().prop_map(|harmless| Deed::Restart { harmless }),
    ]
}

/// A driver that does as it is told, and remembers what was handed out.
struct World {
    run: Run,
    answers: u32,
    asked: bool,
    decide: BTreeSet<u32>,
    running: BTreeSet<u32>,
    /// How often each call began, by its id.
    begun: BTreeMap<String, u32>,
    /// The calls that came before their answer.
    early: u32,
    /// Whether a restart may have begun a call twice.
    repeats: bool,
}

const TURNS: u32 = 6;

impl World {
    fn new() -> Self {
        let run = Run::new(Request::new("test/m").user("Begin."));
        Self {
            run: run.with_limits(RunLimits::default().turns(TURNS).tokens(100)),
            answers: 0,
            asked: false,
            decide: BTreeSet::new(),
            running: BTreeSet::new(),
            begun: BTreeMap::new(),
            early: 0,
            repeats: false,
        }
    }

    fn call(&self, at: u32) -> ToolCall {
        ToolCall::new(format!("{}-{at}", self.answers), "f", Json::from_text(r#"{"a":1}"#))
    }

    fn answer(&self, calls: usize, cut: bool) -> Response {
        let mut fold = Fold::new();
        fold.push(&Event::start(Start::default()));
        for at in 0..u32::try_from(calls).unwrap() {
            fold.push(&Event::open(at, Output::ToolCall(self.call(at))));
            fold.push(&Event::close(at));
        }
        let mut usage = Usage::default();
        (usage.input, usage.output) = (Some(20), Some(5));
        fold.push(&Event::usage(usage));
        let reason = if cut { FinishReason::Length } else { FinishReason::ToolUse };
        fold.push(&Event::finish(Finish::new(reason)));
        fold.into_response().unwrap()
    }

    fn lose_all(&mut self) {
        self.asked = false;
        self.early = 0;
        self.decide.clear();
        self.running.clear();
    }

    /// Does it; `false` when it cannot happen now.
    fn does(&mut self, deed: Deed) {
        let pick = |set: &BTreeSet<u32>, which: usize| set.iter().nth(which % set.len().max(1)).copied();
        match deed {
            Deed::Step => self.step(),
            Deed::Answer { calls, cut } if self.asked => {
                let calls = calls.max(self.early as usize);
                let response = self.answer(calls, cut && calls > self.early as usize);
                self.run.answered(response).unwrap();
                self.answers += 1;
                (self.asked, self.early) = (false, 0);
            }
            Deed::Early if self.asked => {
                let call = self.call(self.early);
                self.run.called(self.early, call).unwrap();
                self.early += 1;
            }
            Deed::Fail if self.asked => {
                self.run.failed(&Error::new(ErrorKind::Server, "down")).unwrap();
                self.answers += 1;
                self.lose_all();
            }
            Deed::Decide(which, choice) => {
                let Some(at) = pick(&self.decide, which) else { return };
                self.decide.remove(&at);
                let approval = match choice {
                    Choice::Run => Approval::Run,
                    Choice::Deny => Approval::Deny("no".into()),
                    Choice::Answer => Approval::Answer("as I say".into()),
                    Choice::Stop => Approval::Stop,
                };
                let stops = approval == Approval::Stop;
                self.run.decide(at, approval).unwrap();
                if stops {
                    self.stopped();
                }
            }
            Deed::Return(which) => {
                let Some(at) = pick(&self.running, which) else { return };
                self.running.remove(&at);
                self.run.result(at, ToolOutput::text(format!("result of {at}"))).unwrap();
            }
            Deed::Say => self.run.say(Message::user("And?")),
            Deed::Stop => {
                self.run.stop(Stop::Cancelled);
                self.stopped();
            }
            Deed::Again if self.run.outcome().is_some() => self.run.again(),
            Deed::Restart { harmless } => {
                self.run = stored(&self.run);
                self.run.restarted(|_| harmless);
                self.repeats |= harmless || self.early > 0;
                if self.asked {
                    self.answers += 1;
                }
                self.lose_all();
            }
            Deed::Store => self.run = stored(&self.run),
            Deed::Answer { .. } | Deed::Early | Deed::Fail | Deed::Again => {}
        }
    }

    fn stopped(&mut self) {
        if self.asked {
            self.answers += 1;
        }
        self.lose_all();
    }

    fn step(&mut self) {
        let before = self.run.turns();
        match self.run.step() {
            Step::Ask(request) => {
                assert!(!self.asked && self.running.is_empty() && self.decide.is_empty());
                assert!(before < TURNS, "the budget of turns is kept");
                check(&request.messages);
                self.asked = true;
            }
            Step::Decide(at, _) => assert!(self.decide.insert(at), "handed out once"),
            Step::Start(at, call) => {
                *self.begun.entry(call.id.clone()).or_default() += 1;
                assert!(!call.partial && self.running.insert(at), "handed out once");
            }
            Step::Wait => assert!(self.asked || !self.running.is_empty() || !self.decide.is_empty()),
            Step::Done(_) => check(&self.run.request().messages),
            other => panic!("{other:?}"),
        }
    }
}

fn stored(run: &Run) -> Run {
    let text = serde_json::to_string(run).unwrap();
    let again: Run = serde_json::from_str(&text).unwrap();
    assert_eq!(&again, run);
    again
}

/// Every call that was not cut has exactly one result, right behind its message and in order.
fn check(messages: &[Message]) {
    for (at, message) in messages.iter().enumerate() {
        let Message::Assistant(message) = message else { continue };
        let calls = message.parts.iter().filter_map(|part| match part {
            Output::ToolCall(call) if !call.partial => Some(&call.id),
            _ => None,
        });
        let results = match messages.get(at + 1) {
            Some(Message::User(user)) => user.parts.as_slice(),
            _ => &[],
        };
        let results = results.iter().filter_map(|part| match part {
            Input::ToolResult(result) => Some(&result.call),
            _ => None,
        });
        assert_eq!(calls.collect::<Vec<_>>(), results.collect::<Vec<_>>(), "{messages:?}");
    }
}

proptest! {
    #[test]
    fn every_call_is_answered_once_whatever_happens(deeds in prop::collection::vec(deed(), 1..120)) {
        let mut world = World::new();
        for deed in deeds {
            world.does(deed);
            let spent = world.run.spent().tokens().unwrap();
            prop_assert!(spent <= 100 + 24, "{spent} tokens are more than one turn beyond the limit");
        }
        prop_assert!(world.repeats || world.begun.values().all(|times| *times == 1), "{:?}", world.begun);
        world.run.stop(Stop::Cancelled);
        check(world.run.messages());
    }

    #[test]
    fn a_stored_run_is_the_run(deeds in prop::collection::vec(deed(), 1..60), stores in any::<u64>()) {
        let (mut straight, mut broken) = (World::new(), World::new());
        for (at, deed) in deeds.into_iter().enumerate() {
            straight.does(deed);
            if stores >> (at % 64) & 1 == 1 {
                broken.does(Deed::Store);
            }
            broken.does(deed);
            prop_assert_eq!(&straight.run, &broken.run);
        }
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let mut run = Run::new(Request::new("test/m").user("hi"));
    let world = World::new();
    assert!(run.answered(world.answer(0, false)).is_err(), "nothing was asked");
    assert!(matches!(run.step(), Step::Ask(_)));
    assert!(run.edit(|_| ()).is_err(), "an answer is under way");
    run.answered(world.answer(1, false)).unwrap();
    assert!(run.result(0, "early".into()).is_err(), "it does not run");
    assert!(matches!(run.step(), Step::Decide(0, _)));
    run.decide(0, Approval::Run).unwrap();
    assert!(matches!(run.step(), Step::Start(0, _)));
    run.result(0, "ok".into()).unwrap();
    assert!(run.result(0, "twice".into()).is_err());
    assert!(matches!(run.step(), Step::Ask(_)));
}
