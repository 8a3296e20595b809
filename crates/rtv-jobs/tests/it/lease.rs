//! Who holds a job: workers that die, freeze, are cut off and stop.

use super::*;

/// A worker in a thread and runtime of its own, whose handler blocks the only thread: it is frozen as by SIGSTOP, with
/// its heartbeat. The thaw ends the handler, and the worker's next act is to write its result.
struct Frozen {
    thaw: std::sync::mpsc::Sender<()>,
    thread: std::thread::JoinHandle<()>,
}

impl Frozen {
    fn start(url: String, report: mpsc::UnboundedSender<i64>) -> Self {
        let (thaw, thawed) = std::sync::mpsc::channel::<()>();
        let thawed = std::sync::Mutex::new(thawed);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let pool = PgPool::connect(&url).await.unwrap();
                let (ended, end) = oneshot::channel::<()>();
                let ended = std::sync::Mutex::new(Some(ended));
                let settings = WorkerSettings { concurrency: 1, ..SETTINGS };
                let worker = Worker::new(Link::new(&pool), "frozen", settings).handle(move |context, _: Task| {
                    report.send(context.fence).unwrap();
                    let _ = thawed.lock().unwrap().recv();
                    drop(ended.lock().unwrap().take());
                    async { Ok(()) }
                });
                worker
                    .run(async {
                        let _ = end.await;
                    })
                    .await;
            });
        });
        Self { thaw, thread }
    }

    async fn thaw(self) {
        self.thaw.send(()).unwrap();
        tokio::task::spawn_blocking(|| self.thread.join().unwrap()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_a_vanished_worker_goes_to_another_with_a_higher_fence() {
    let bench = Bench::new().await;
    let id = bench.add(&task(1)).await;
    let (report, mut ran) = reports();
    let first = report.clone();
    let vanishing = bench.start(SETTINGS, move |context, _| {
        first.send(context.fence).unwrap();
        std::future::pending()
    });
    assert_eq!(ran.next().await, 1);
    vanishing.kill().await;
    let killed = Instant::now();
    let worker = bench.start(SETTINGS, move |context, _| {
        report.send(context.fence).unwrap();
        async { Ok(()) }
    });
    assert_eq!(ran.next().await, 2);
    let waited = killed.elapsed();
    assert!(waited < SETTINGS.lease + Duration::from_secs(2), "{waited:?}");
    assert!(waited > SETTINGS.lease / 3, "taken over after {waited:?}, while the lease ran");
    bench.wait_until_empty().await;
    worker.stop().await;
    let row = bench.row(id).await;
    assert_eq!((row.fence, row.attempts, row.outcome.as_deref()), (2, 2, Some("done")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thawed_worker_cannot_finish_a_job_that_was_given_away() {
    let bench = Bench::new().await;
    let id = bench.add(&task(1)).await;
    let (report, mut ran) = reports();
    let frozen = Frozen::start(bench.db.app_url(), report.clone());
    assert_eq!(ran.next().await, 1);
    let (go, gone) = tokio::sync::watch::channel(false);
    let worker = bench.start(SETTINGS, move |context, _| {
        report.send(context.fence).unwrap();
        let mut gone = gone.clone();
        async move {
            gone.wait_for(|go| *go).await.unwrap();
            Err(JobError::fail("the second worker's word"))
        }
    });
    assert_eq!(ran.next().await, 2);
    frozen.thaw().await;
    let row = bench.row(id).await;
    assert_eq!((row.outcome, row.fence), (None, 2), "the thawed worker wrote its result");
    assert!(row.locked_by.unwrap().starts_with("test/"), "the thawed worker freed the job");
    go.send(true).unwrap();
    bench.wait_until_empty().await;
    worker.stop().await;
    assert_eq!(bench.row(id).await.last_error.as_deref(), Some("the second worker's word"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_longer_than_its_lease_is_kept_by_the_heartbeat() {
    let bench = Bench::new().await;
    let id = bench.add(&task(1)).await;
    let slow = |_: JobContext, _: Task| async {
        tokio::time::sleep(SETTINGS.lease * 2).await;
        Ok(())
    };
    let workers = [bench.start(SETTINGS, slow), bench.start(SETTINGS, slow)];
    bench.wait_until_empty().await;
    for worker in workers {
        worker.stop().await;
    }
    let row = bench.row(id).await;
    assert_eq!((row.fence, row.attempts), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_cut_off_stops_its_run_before_another_begins() {
    struct Ending(mpsc::UnboundedSender<(&'static str, Instant)>);
    impl Drop for Ending {
        fn drop(&mut self) {
            let _ = self.0.send(("stopped", Instant::now()));
        }
    }
    let bench = Bench::new().await;
    bench.add(&task(1)).await;
    let (report, mut told) = reports();
    let link = Link::new(&bench.app);
    let first = report.clone();
    let cut_off = Running::start(Worker::new(link.clone(), "cut", SETTINGS).handle(move |_, _: Task| {
        first.send(("began", Instant::now())).unwrap();
        let ending = Ending(first.clone());
        async move {
            let _ending = ending;
            std::future::pending().await
        }
    }));
    assert_eq!(told.next().await.0, "began");
    link.cut(true);
    let second = bench.start(SETTINGS, move |_, _| {
        report.send(("began again", Instant::now())).unwrap();
        async { Ok(()) }
    });
    let (one, two) = (told.next().await, told.next().await);
    let stopped = if one.0 == "stopped" { one.1 } else { two.1 };
    let began = if one.0 == "stopped" { two.1 } else { one.1 };
    // The cut-off worker looks at its leases at every third of one; it may be late by that.
    assert!(stopped < began + SETTINGS.lease / 3 + Duration::from_millis(500), "{:?} late", stopped - began);
    second.stop().await;
    drop(cut_off);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_takes_its_last_worker_with_it_has_failed_for_good() {
    let bench = Bench::new().await;
    let id = bench.add(&task(1)).await;
    let mut tx = bench.begin("worker", None).await;
    sqlx::query("update job set max_attempts = 1").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    let (report, mut ran) = reports();
    let vanishing = bench.start(SETTINGS, move |_, _| {
        report.send(()).unwrap();
        std::future::pending()
    });
    ran.next().await;
    vanishing.kill().await;
    let worker = bench.start(SETTINGS, |_, _| async { panic!("the job was run again") });
    bench.wait_until_empty().await;
    worker.stop().await;
    let row = bench.row(id).await;
    assert_eq!((row.outcome.as_deref(), row.attempts, row.fence), (Some("failed"), 1, 1));
    assert!(row.last_error.unwrap().contains("vanished"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_stops_gives_its_job_back_and_the_run_does_not_count() {
    let bench = Bench::new().await;
    let id = bench.add(&task(1)).await;
    let (report, mut ran) = reports();
    let first = report.clone();
    let stopping = bench.start(SETTINGS, move |context, _| {
        first.send((context.attempt, context.fence)).unwrap();
        std::future::pending()
    });
    assert_eq!(ran.next().await, (1, 1));
    let started = Instant::now();
    stopping.stop().await;
    assert!(started.elapsed() >= SETTINGS.grace, "no grace was given");
    let row = bench.row(id).await;
    assert_eq!((row.attempts, row.fence, row.locked_by, row.outcome), (0, 1, None, None));
    let worker = bench.start(SETTINGS, move |context, _| {
        report.send((context.attempt, context.fence)).unwrap();
        async { Ok(()) }
    });
    assert_eq!(ran.next().await, (1, 2));
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_stops_lets_a_job_end_within_the_grace_time_and_takes_no_other() {
    let bench = Bench::new().await;
    let id = bench.add(&task(1)).await;
    let (report, mut ran) = reports();
    let settings = WorkerSettings { concurrency: 1, grace: Duration::from_secs(5), ..SETTINGS };
    let worker = bench.start(settings, move |_, _| {
        report.send(()).unwrap();
        async {
            tokio::time::sleep(Duration::from_millis(400)).await;
            Ok(())
        }
    });
    ran.next().await;
    let next = bench.add(&task(2)).await;
    let started = Instant::now();
    worker.stop().await;
    assert!(started.elapsed() < Duration::from_secs(2), "the worker waited longer than the job took");
    assert_eq!(bench.row(id).await.outcome.as_deref(), Some("done"));
    assert_eq!(bench.row(next).await.fence, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lapsed_job_without_attempts_left_is_not_claimed() {
    let bench = Bench::new().await;
    let (report, mut ran) = reports();
    // The heartbeat, which ends such jobs, does not come during this test.
    let settings = WorkerSettings { lease: Duration::from_mins(1), ..SETTINGS };
    let worker = bench.start(settings, move |_, task| {
        report.send(task.number).unwrap();
        async { Ok(()) }
    });
    bench.add(&task(1)).await;
    ran.next().await;
    let mut tx = bench.begin("worker", None).await;
    sqlx::query(
        "insert into job (id, kind, payload, attempts, max_attempts, locked_by, locked_at, lease_expires_at)
         select gen_random_uuid(), kind, '{\"number\": 2, \"tenant\": null}', 4, 4, 'gone', now(), now() - interval '1 s' from job",
    )
    .execute(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    tokio::time::sleep(SETTINGS.poll * 10).await;
    assert_eq!(ran.so_far(), [] as [u32; 0]);
    worker.stop().await;
}
