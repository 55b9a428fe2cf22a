use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;

use futures_core::Stream;
use interlingua_model::{
    Delta, Error, ErrorKind, Event, Finish, FinishReason, Output, Reasoning, Request, Start, Text, Usage,
    Warning,
};
use tokio::sync::mpsc;

use crate::model::{Inner, Remembered};
use crate::sample::Sampler;
use crate::stop::{Outlet, Released};

/// Events that may wait for the reader; then the model waits as well.
const WAITING: usize = 16;
/// Prompt tokens that are run at once; between two runs it is seen whether anyone still listens.
const CHUNK: usize = 64;
/// Most tokens of an answer whose request names no limit: a small model may repeat itself for ever.
const UNASKED: usize = 2048;
/// The tokens between which reasoning models think.
const THINK: (&str, &str) = ("<think>", "</think>");

/// An answer that is being made. Dropping it stops the model.
#[derive(Debug)]
pub struct Answer(mpsc::Receiver<Event>);

/// Everything that the thread needs.
pub(crate) struct Job {
    model: Arc<Inner>,
    prompt: Vec<u32>,
    sampler: Sampler,
    outlet: Outlet,
    most: usize,
    warnings: Vec<Warning>,
}

impl Answer {
    /// Waits for the next event; `None` after the last. For code that is not async.
    pub fn blocking_next(&mut self) -> Option<Result<Event, Error>> {
        self.0.blocking_recv().map(Ok)
    }

    /// The next event; `None` after the last.
    pub async fn next(&mut self) -> Option<Result<Event, Error>> {
        self.0.recv().await.map(Ok)
    }

    pub(crate) fn begin(job: Job) -> Result<Self, Error> {
        let (sender, receiver) = mpsc::channel(WAITING);
        let model = Arc::clone(&job.model);
        let thread = thread::Builder::new().name("model".to_owned());
        let work =
            move || model.pool.install(|| Run { sender, at: None, opened: 0, thinking: false }.run(job));
        thread.spawn(work).map_err(|error| {
            Error::new(ErrorKind::Model, format!("no thread can be started for the model: {error}"))
                .with_source(error)
        })?;
        Ok(Self(receiver))
    }
}

impl Stream for Answer {
    type Item = Result<Event, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|event| event.map(Ok))
    }
}

impl Job {
    pub(crate) fn new(
        model: Arc<Inner>,
        prompt: Vec<u32>,
        request: &Request,
        warnings: Vec<Warning>,
    ) -> Self {
        let room = model.transformer.shape.context - prompt.len();
        let asked = request.max_output.map_or(UNASKED, |most| usize::try_from(most).unwrap_or(usize::MAX));
        Self {
            sampler: Sampler::new(&request.sampling),
            outlet: Outlet::new(&request.sampling.stop),
            most: asked.min(room),
            model,
            prompt,
            warnings,
        }
    }
}

/// Nobody listens any more.
struct Gone;

/// One answer in the making.
struct Run {
    sender: mpsc::Sender<Event>,
    /// The part that is open.
    at: Option<u32>,
    opened: u32,
    thinking: bool,
}

impl Run {
    fn run(mut self, job: Job) {
        // The reader is gone; there is nobody to tell.
        let _ = self.answer(job);
    }

    fn answer(&mut self, job: Job) -> Result<(), Gone> {
        let Job { model, prompt, mut sampler, mut outlet, most, warnings } = job;
        self.send(Event::start(Start::new(None, Some(model.name.clone()))))?;
        for warning in warnings {
            self.send(Event::warning(warning))?;
        }
        let mut remembered = model.recall(&prompt);
        let read = remembered.tokens.len();
        let logits = self.read(&model, &prompt, &mut remembered);
        let outcome = match logits {
            Some(logits) => self.write(&model, logits, &mut remembered, &mut sampler, &mut outlet, most),
            None => Err(Gone),
        };
        model.remember(remembered);
        let (finish, written) = outcome?;
        self.close()?;
        self.send(Event::usage(usage(prompt.len(), read, written)))?;
        self.send(Event::finish(finish))
    }

    /// Runs what of the prompt is not remembered; `None` when nobody listens any more.
    fn read(&self, model: &Inner, prompt: &[u32], remembered: &mut Remembered) -> Option<Vec<f32>> {
        let mut logits = None;
        let new = prompt.get(remembered.tokens.len()..)?;
        for chunk in new.chunks(CHUNK) {
            logits =
                Some(model.transformer.forward(chunk, &mut remembered.cache, &|| self.sender.is_closed())?);
            remembered.tokens.extend_from_slice(chunk);
        }
        logits
    }

    /// Draws tokens until the answer ends, and says how it did and how many there were.
    fn write(
        &mut self,
        model: &Inner,
        mut logits: Vec<f32>,
        remembered: &mut Remembered,
        sampler: &mut Sampler,
        outlet: &mut Outlet,
        most: usize,
    ) -> Result<(Finish, u64), Gone> {
        for written in 1..=most as u64 {
            let token = sampler.draw(&logits);
            if model.tokenizer.is_end(token) {
                self.text(outlet.flush())?;
                return Ok((
                    Finish::new(FinishReason::Stop).with_raw(model.tokenizer.written(token)),
                    written,
                ));
            }
            if self.switch(model.tokenizer.written(token), outlet)? {
                // The mark itself is no text.
            } else {
                model.tokenizer.decode(token, outlet.bytes());
                if written == 1 {
                    model.tokenizer.trim_start(outlet.bytes());
                }
                match outlet.release() {
                    Released::Text(text) => self.text(text)?,
                    Released::Stopped(text, stop) => {
                        self.text(text)?;
                        let mut finish = Finish::new(FinishReason::Stop).with_raw("stop_sequence");
                        finish.stop_sequence = Some(stop);
                        return Ok((finish, written));
                    }
                }
            }
            if written == most as u64 {
                break;
            }
            let next =
                model.transformer.forward(&[token], &mut remembered.cache, &|| self.sender.is_closed());
            logits = next.ok_or(Gone)?;
            remembered.tokens.push(token);
        }
        self.text(outlet.flush())?;
        Ok((Finish::new(FinishReason::Length).with_raw("length"), most as u64))
    }

    /// Begins and ends reasoning at the tokens that mark it; `false` for every other token.
    fn switch(&mut self, written: &str, outlet: &mut Outlet) -> Result<bool, Gone> {
        let thinking = match written {
            text if text == THINK.0 && !self.thinking && self.opened == 0 => true,
            text if text == THINK.1 && self.thinking => false,
            _ => return Ok(false),
        };
        self.text(outlet.flush())?;
        self.close()?;
        self.thinking = thinking;
        Ok(true)
    }

    fn text(&mut self, text: String) -> Result<(), Gone> {
        if text.is_empty() {
            return Ok(());
        }
        let at = match self.at {
            Some(at) => at,
            None => self.open()?,
        };
        self.send(Event::delta(at, Delta::text(text)))
    }

    fn open(&mut self) -> Result<u32, Gone> {
        let at = self.opened;
        let part = if self.thinking {
            Output::Reasoning(Reasoning::default())
        } else {
            Output::Text(Text::default())
        };
        self.send(Event::open(at, part))?;
        self.opened += 1;
        self.at = Some(at);
        Ok(at)
    }

    fn close(&mut self) -> Result<(), Gone> {
        match self.at.take() {
            Some(at) => self.send(Event::close(at)),
            None => Ok(()),
        }
    }

    fn send(&self, event: Event) -> Result<(), Gone> {
        self.sender.blocking_send(event).map_err(|_| Gone)
    }
}

fn usage(input: usize, remembered: usize, output: u64) -> Usage {
    let mut usage = Usage::default();
    usage.input = Some(input as u64);
    usage.cache_read = Some(remembered as u64);
    usage.output = Some(output);
    usage
}
