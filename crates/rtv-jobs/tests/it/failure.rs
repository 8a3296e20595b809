//! Jobs that fail: back-off, limits, panics, time-outs, and a database that is away.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_job_is_tried_again_after_growing_pauses_until_it_has_failed_for_good() {
    let bench = Bench::new().await;
    let id = bench.add(&task(1)).await;
    let (report, mut ran) = reports();
    let worker = bench.start(SETTINGS, move |context, _| {
        report.send((context.attempt, Instant::now())).unwrap();
        async { Err(std::io::Error::other("the far end hung up").into()) }
    });
    bench.wait_until_empty().await;
    worker.stop().await;
    let runs = ran.so_far();
    assert_eq!(runs.iter().map(|(attempt, _)| *attempt).collect::<Vec<_>>(), [1, 2, 3, 4]);
    // The pause is at least half of 200, 400, 800 ms; at most all of it, a poll, and what a busy machine takes.
    for (pair, ceiling) in runs.windows(2).zip([200, 400, 800]) {
        let pause = (pair[1].1 - pair[0].1).as_millis();
        assert!((ceiling / 2..ceiling + 2000).contains(&pause), "{pause} ms for {ceiling}");
    }
    let row = bench.row(id).await;
    assert_eq!((row.outcome.as_deref(), row.last_error.as_deref()), (Some("failed"), Some("the far end hung up")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_may_name_the_pause_and_may_give_up_at_once() {
    let bench = Bench::new().await;
    let (later, never) = (bench.add(&task(1)).await, bench.add(&task(2)).await);
    let worker = bench.start(SETTINGS, |_, task| async move {
        Err(match task.number {
            1 => JobError::retry_after("asked to wait", Duration::from_hours(1)),
            _ => JobError::fail("the account\0 is gone"),
        })
    });
    bench.wait_until("last_error is not null", 2).await;
    worker.stop().await;
    let row = bench.row(later).await;
    assert_eq!(row.outcome, None);
    let pause = row.run_at - Utc::now();
    assert!((59..=60).contains(&pause.num_minutes()), "{pause}");
    let row = bench.row(never).await;
    assert_eq!((row.outcome.as_deref(), row.attempts), (Some("failed"), 1));
    assert_eq!(row.last_error.as_deref(), Some("the account is gone"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_now_waits_and_uses_up_no_attempt() {
    let bench = Bench::new().await;
    let id = bench.add(&task(1)).await;
    let (report, mut ran) = reports();
    let worker = bench.start(SETTINGS, move |context, _| {
        report.send(i64::from(context.attempt)).unwrap();
        async { Err(JobError::later("nothing may change", Duration::from_millis(1))) }
    });
    // More often than a job has attempts.
    for _ in 0..14 {
        assert_eq!(ran.next().await, 1);
    }
    worker.stop().await;
    let row = bench.row(id).await;
    assert_eq!((row.outcome, row.attempts), (None, 0));
    assert_eq!(row.last_error.as_deref(), Some("nothing may change"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_a_failed_attempt_and_harms_no_other_job() {
    let bench = Bench::new().await;
    let (bad, good) = (bench.add(&task(1)).await, bench.add(&task(2)).await);
    let worker = bench.start(WorkerSettings { concurrency: 1, ..SETTINGS }, |context, task| {
        assert!(task.number != 1 || context.attempt > 1, "no row {}", task.number);
        async { Ok(()) }
    });
    bench.wait_until_empty().await;
    worker.stop().await;
    let row = bench.row(bad).await;
    assert_eq!((row.attempts, row.outcome.as_deref()), (2, Some("done")));
    assert!(row.last_error.unwrap().ends_with("panicked: no row 1"));
    assert_eq!(bench.row(good).await.attempts, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_takes_too_long_is_cut_off_and_counts_as_failed() {
    #[derive(Serialize, Deserialize)]
    struct Slow;
    impl Job for Slow {
        const KIND: &'static str = "slow";
        const MAX_ATTEMPTS: u16 = 1;
        const TIMEOUT: Duration = Duration::from_millis(200);
        fn tenant(&self) -> Option<Uuid> {
            None
        }
    }
    let bench = Bench::new().await;
    let id = bench.add(&Slow).await;
    let worker = Running::start(bench.worker(SETTINGS).handle(|_, _: Slow| std::future::pending()));
    bench.wait_until_empty().await;
    worker.stop().await;
    let row = bench.row(id).await;
    assert_eq!(row.outcome.as_deref(), Some("failed"));
    assert_eq!(row.last_error.as_deref(), Some("the run took longer than 200ms"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_that_cannot_be_read_is_kept_for_a_worker_that_can() {
    let bench = Bench::new().await;
    let id = bench.add(&task(1)).await;
    let mut tx = bench.begin("worker", None).await;
    sqlx::query("update job set payload = '{\"shape\": \"new\"}'").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    let worker = bench.start(SETTINGS, |_, _| async { Ok(()) });
    bench.wait_until("last_error is not null", 1).await;
    worker.stop().await;
    let row = bench.row(id).await;
    assert_eq!(row.outcome, None);
    assert!(row.last_error.unwrap().starts_with("the payload cannot be read: missing field"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_outlives_an_absence_of_the_database_and_then_writes_the_result() {
    let bench = Bench::new().await;
    let link = Link::new(&bench.app);
    let (report, mut ran) = reports();
    let (go, gone) = tokio::sync::watch::channel(false);
    // The lease is longer than the absence, so the job stays with its worker.
    let settings = WorkerSettings { lease: Duration::from_secs(10), ..SETTINGS };
    let worker = Running::start(Worker::new(link.clone(), "test", settings).handle(move |_, task: Task| {
        report.send(task.number).unwrap();
        let mut gone = gone.clone();
        async move {
            gone.wait_for(|go| *go).await.unwrap();
            Ok(())
        }
    }));
    let first = bench.add(&task(1)).await;
    ran.next().await;
    link.cut(true);
    go.send(true).unwrap();
    let second = bench.add(&task(2)).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(bench.row(first).await.outcome, None);
    link.cut(false);
    bench.wait_until_empty().await;
    worker.stop().await;
    for id in [first, second] {
        let row = bench.row(id).await;
        assert_eq!((row.attempts, row.outcome.as_deref()), (1, Some("done")));
    }
}
