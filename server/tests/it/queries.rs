//! Counts what a request asks the database, as sqlx tells of it to who listens on the thread of the test.

use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};

/// The queries that this thread asks, as sqlx tells of them.
pub(crate) struct Queries {
    asked: Arc<Mutex<Vec<String>>>,
    _guard: DefaultGuard,
}

struct Listener(Arc<Mutex<Vec<String>>>);

#[derive(Default)]
struct Summary(String);

impl Visit for Summary {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "summary" {
            self.0 = format!("{value:?}");
        }
    }
}

impl<S: Subscriber> Layer<S> for Listener {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "sqlx::query" {
            let mut summary = Summary::default();
            event.record(&mut summary);
            // The end of a transaction, and what the pool asks of a new connection and of one that comes back, are none.
            if !["\"ROLLBACK", "\"select now() =", "\"set statement_timeout"]
                .iter()
                .any(|start| summary.0.starts_with(start))
            {
                self.0.lock().unwrap().push(summary.0);
            }
        }
    }
}

impl Queries {
    /// Listens from now on, until it is dropped.
    pub(crate) fn listen() -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(Listener(asked.clone())));
        Self { asked, _guard: guard }
    }

    /// What was asked since it was taken last.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}
