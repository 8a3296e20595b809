//! Draws an option as SVG: `ECharts` runs in `QuickJS` on one thread of its own (the engine cannot change threads). Requests wait in a
//! short queue; each has a time and a memory limit, and after any failure the engine is thrown away and built anew, so that no chart
//! can spoil the next. Caching is the caller's work.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rquickjs::context::EvalOptions;
use rquickjs::{CatchResultExt, CaughtError, Context, Ctx, Function, Runtime};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::text::width;

mod clean;

use clean::clean;

/// The shipped `ECharts`, the same file that browsers get.
pub static ECHARTS_SOURCE: &str = include_str!("../../../public/vendor/echarts/echarts.min.js");

/// The content policy to send with a picture: it needs nothing, not even styles.
pub const PICTURE_CSP: &str = "default-src 'none'; sandbox; frame-ancestors 'none'";

static SHIM: &str = include_str!("svg/shim.js");

/// Building the engine takes a fraction of a second; this much only on a machine in trouble.
const LOAD_TIME: Duration = Duration::from_secs(10);
/// JavaScript may recurse into this much of the thread's stack.
const SCRIPT_STACK: usize = 2 << 20;
const THREAD_STACK: usize = 4 << 20;
/// Reading JSON cannot be interrupted, so its length is limited beforehand; years of days fit several times, bytes.
const LONGEST_OPTION: usize = 1 << 20;
/// Wider or higher than any page, px.
const LARGEST_SIDE: u32 = 4096;

/// What one drawing may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Time for one drawing, without waiting for its turn.
    pub time: Duration,
    /// Memory of the whole engine, bytes. `ECharts` itself takes about 7 MB.
    pub memory: usize,
    /// Drawings that may wait; more are refused.
    pub queue: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { time: Duration::from_secs(2), memory: 64 << 20, queue: 32 }
    }
}

/// Why there is no picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// Too many drawings wait already.
    #[error("the chart was not drawn, because too many charts are waiting; ask again in a moment")]
    Busy,
    /// The option or the picture is larger than any page needs.
    #[error("the chart was not drawn, because it is too large; ask for fewer points or a smaller picture")]
    TooLarge,
    /// The time limit of one drawing passed.
    #[error("the chart was not drawn, because it took longer than {0:?}; ask for fewer points")]
    TimedOut(Duration),
    /// The memory limit of the engine was reached.
    #[error("the chart was not drawn, because it needs more than {0} bytes of memory; ask for fewer points")]
    OutOfMemory(usize),
    /// The option is not JSON, or the drawing library refused it.
    #[error("the chart was not drawn, because the drawing library failed: {0}")]
    Failed(String),
    /// The drawing thread has ended.
    #[error("the chart was not drawn, because the drawing thread has ended; restart the server")]
    Stopped,
}

/// Handle on the drawing thread. Clones share it; it ends when the last of them is dropped.
#[derive(Debug, Clone)]
pub struct Renderer {
    queue: SyncSender<Request>,
}

#[derive(Debug)]
struct Request {
    option: String,
    width: u32,
    height: u32,
    reply: oneshot::Sender<Result<String, RenderError>>,
}

impl Renderer {
    /// Starts the thread, which loads the engine at once. The source is [`ECHARTS_SOURCE`] but in tests.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn start(echarts_source: &'static str) -> std::io::Result<Self> {
        Self::start_with(echarts_source, Limits::default())
    }

    /// As [`Renderer::start`], with limits of one's own.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn start_with(echarts_source: &'static str, limits: Limits) -> std::io::Result<Self> {
        let (queue, requests) = sync_channel(limits.queue);
        std::thread::Builder::new()
            .name("chart-pictures".into())
            .stack_size(THREAD_STACK)
            .spawn(move || work(echarts_source, limits, &requests))?;
        Ok(Self { queue })
    }

    /// The picture of an option, `width` × `height` px: a well-formed SVG document with the option's title and description. The option
    /// carries its theme; the ground is transparent.
    ///
    /// # Errors
    /// [`RenderError::Busy`] at once when the queue is full; the others as their sentences say.
    pub async fn svg(&self, option: &str, width: u32, height: u32) -> Result<String, RenderError> {
        let sides = 1..=LARGEST_SIDE;
        if option.len() > LONGEST_OPTION || !sides.contains(&width) || !sides.contains(&height) {
            return Err(RenderError::TooLarge);
        }
        let (reply, answer) = oneshot::channel();
        let request = Request { option: option.to_owned(), width, height, reply };
        self.queue.try_send(request).map_err(|error| match error {
            TrySendError::Full(_) => RenderError::Busy,
            TrySendError::Disconnected(_) => RenderError::Stopped,
        })?;
        answer.await.unwrap_or(Err(RenderError::Stopped))
    }
}

/// The life of the thread.
fn work(source: &'static str, limits: Limits, requests: &Receiver<Request>) {
    let mut engine = load(source, limits);
    while let Ok(request) = requests.recv() {
        // Whoever asked has gone; the next one waits.
        if request.reply.is_closed() {
            continue;
        }
        let current = match engine.take() {
            Some(current) => Some(current),
            None => load(source, limits),
        };
        let result = match &current {
            Some(current) => current.draw(&request),
            None => Err(RenderError::Failed("it could not be loaded".into())),
        };
        match &result {
            Ok(_) => engine = current,
            Err(error) => {
                tracing::warn!(%error, option_bytes = request.option.len(), "a chart could not be drawn");
            }
        }
        // The other end may have gone meanwhile, which is no concern of ours.
        let _ = request.reply.send(result);
    }
}

fn load(source: &'static str, limits: Limits) -> Option<Engine> {
    let started = Instant::now();
    match Engine::load(source, limits) {
        Ok(engine) => {
            let took = started.elapsed();
            tracing::debug!(load_ms = took.as_millis(), "the chart engine is loaded");
            Some(engine)
        }
        Err(error) => {
            tracing::error!(%error, "the chart engine could not be loaded");
            None
        }
    }
}

/// `QuickJS` with `ECharts` loaded.
struct Engine {
    // Fields are dropped in order, and the context must go before its runtime.
    context: Context,
    runtime: Runtime,
    deadline: Arc<Mutex<Instant>>,
    limits: Limits,
}

impl Engine {
    fn load(source: &str, limits: Limits) -> Result<Self, RenderError> {
        let failed = |error: rquickjs::Error| RenderError::Failed(error.to_string());
        let runtime = Runtime::new().map_err(failed)?;
        runtime.set_memory_limit(limits.memory);
        runtime.set_max_stack_size(SCRIPT_STACK);
        let deadline = Arc::new(Mutex::new(Instant::now() + LOAD_TIME));
        let seen = Arc::clone(&deadline);
        runtime.set_interrupt_handler(Some(Box::new(move || {
            Instant::now() >= *seen.lock().unwrap_or_else(PoisonError::into_inner)
        })));
        let context = Context::full(&runtime).map_err(failed)?;
        let engine = Self { context, runtime, deadline, limits };
        engine.run(LOAD_TIME, |ctx| {
            let measure = Function::new(ctx.clone(), |text: String, font: String| width(&text, font_size(&font)))?;
            ctx.globals().set("textWidth", measure)?;
            for script in [SHIM, source, "prepare()"] {
                // As in a browser's script element: not strict, global.
                let mut options = EvalOptions::default();
                options.strict = false;
                ctx.eval_with_options::<(), _>(script, options)?;
            }
            Ok(())
        })?;
        Ok(engine)
    }

    fn draw(&self, request: &Request) -> Result<String, RenderError> {
        let option: Value =
            serde_json::from_str(&request.option).map_err(|error| RenderError::Failed(error.to_string()))?;
        let svg = self.run(self.limits.time, |ctx| {
            let draw: Function<'_> = ctx.globals().get("draw")?;
            draw.call::<_, String>((request.option.as_str(), request.width, request.height))
        })?;
        self.runtime.run_gc();
        let text = |pointer: &str| option.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        clean(&svg, text("/title/0/text"), text("/aria/label/description")).map_err(RenderError::Failed)
    }

    /// Runs script under the limits and says which of them it broke.
    fn run<T>(
        &self,
        time: Duration,
        script: impl for<'js> FnOnce(&Ctx<'js>) -> rquickjs::Result<T>,
    ) -> Result<T, RenderError> {
        let deadline = Instant::now() + time;
        *self.deadline.lock().unwrap_or_else(PoisonError::into_inner) = deadline;
        self.context.with(|ctx| {
            script(&ctx).catch(&ctx).map_err(|error| {
                if Instant::now() >= deadline {
                    return RenderError::TimedOut(time);
                }
                let message = match error {
                    // With no memory left, not even the exception fits.
                    CaughtError::Value(value) if value.is_null() => {
                        return RenderError::OutOfMemory(self.limits.memory);
                    }
                    CaughtError::Error(rquickjs::Error::Allocation) => {
                        return RenderError::OutOfMemory(self.limits.memory);
                    }
                    CaughtError::Exception(exception) => exception.message().unwrap_or_default(),
                    other => other.to_string(),
                };
                if message == "out of memory" {
                    return RenderError::OutOfMemory(self.limits.memory);
                }
                RenderError::Failed(message)
            })
        })
    }
}

/// The size in a CSS font shorthand such as `bold 12px sans-serif`.
fn font_size(font: &str) -> f64 {
    font.split_whitespace().find_map(|part| part.strip_suffix("px")?.parse().ok()).unwrap_or(12.0)
}
