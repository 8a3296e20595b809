//! Jobs that go well: enqueueing, running once, keys, turns between tenants, waking.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn four_workers_run_each_job_once() {
    let bench = Bench::new().await;
    let (report, mut ran) = reports();
    let mut tx = bench.begin("worker", None).await;
    for number in 0..200 {
        enqueue(&mut tx, &task(number), None).await.unwrap();
    }
    tx.commit().await.unwrap();
    let workers: Vec<_> = (0..4)
        .map(|_| {
            let report = report.clone();
            bench.start(SETTINGS, move |_, task| {
                let report = report.clone();
                async move {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                    report.send(task.number).unwrap();
                    Ok(())
                }
            })
        })
        .collect();
    bench.wait_until_empty().await;
    for worker in workers {
        worker.stop().await;
    }
    let tally = tally(ran.so_far());
    assert_eq!(tally.len(), 200);
    assert!(tally.values().all(|runs| *runs == 1), "{tally:?}");
    assert_eq!(bench.count("outcome = 'done' and fence = 1 and attempts = 1 and locked_by is null").await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolled_back_transaction_enqueues_nothing() {
    let bench = Bench::new().await;
    let mut tx = bench.begin("worker", None).await;
    assert!(matches!(enqueue(&mut tx, &task(1), None).await.unwrap(), Enqueued::Added(_)));
    tx.rollback().await.unwrap();
    assert_eq!(bench.count("true").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_admits_one_unfinished_job_of_each_tenant() {
    let bench = Bench::new().await;
    let (one, other) = (Uuid::now_v7(), Uuid::now_v7());
    let keyed = |tenant| Task { number: 1, tenant, key: Some("report".into()) };
    for tenant in [None, Some(one), Some(other)] {
        assert!(matches!(bench.enqueue(&keyed(tenant)).await, Enqueued::Added(_)), "{tenant:?}");
        assert_eq!(bench.enqueue(&keyed(tenant)).await, Enqueued::AlreadyWaiting, "{tenant:?}");
    }
    assert!(matches!(bench.enqueue(&Task { key: Some("other".into()), ..keyed(None) }).await, Enqueued::Added(_)));
    let worker = bench.start(SETTINGS, |_, _| async { Ok(()) });
    bench.wait_until_empty().await;
    worker.stop().await;
    assert!(matches!(bench.enqueue(&keyed(Some(one))).await, Enqueued::Added(_)), "after the first has finished");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_with_a_long_line_does_not_hold_up_another() {
    let bench = Bench::new().await;
    let (flood, patient) = (Uuid::now_v7(), Uuid::now_v7());
    for number in 0..60 {
        bench.add(&Task { number, tenant: Some(flood), key: None }).await;
    }
    for number in 100..106 {
        bench.add(&Task { number, tenant: Some(patient), key: None }).await;
    }
    let (report, mut ran) = reports();
    let two_at_a_time = WorkerSettings { concurrency: 2, ..SETTINGS };
    let workers: Vec<_> = (0..2)
        .map(|_| {
            let report = report.clone();
            bench.start(two_at_a_time, move |_, task| {
                report.send(task.number).unwrap();
                async {
                    tokio::time::sleep(Duration::from_millis(15)).await;
                    Ok(())
                }
            })
        })
        .collect();
    bench.wait_until_empty().await;
    drop(workers);
    let order = ran.so_far();
    assert_eq!(order.len(), 66);
    let last = order.iter().rposition(|number| *number >= 100).unwrap();
    // In strict turns the sixth of the patient tenant is the twelfth of all; two workers may claim at once.
    assert!(last < 18, "the patient tenant's last job was number {last} of {order:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn priority_orders_the_jobs_of_one_tenant() {
    #[derive(Serialize, Deserialize)]
    struct Urgent;
    impl Job for Urgent {
        const KIND: &'static str = "urgent";
        const PRIORITY: i16 = -1;
        fn tenant(&self) -> Option<Uuid> {
            None
        }
    }
    let bench = Bench::new().await;
    for number in 1..=3 {
        bench.add(&task(number)).await;
    }
    bench.add(&Urgent).await;
    let (report, mut ran) = reports();
    let urgent = report.clone();
    let worker = Running::start(
        bench
            .worker(WorkerSettings { concurrency: 1, ..SETTINGS })
            .handle(move |_, task: Task| {
                report.send(task.number).unwrap();
                async { Ok(()) }
            })
            .handle(move |_, _: Urgent| {
                urgent.send(0).unwrap();
                async { Ok(()) }
            }),
    );
    bench.wait_until_empty().await;
    worker.stop().await;
    assert_eq!(ran.so_far(), [0, 1, 2, 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_wakes_a_worker_that_polls_rarely() {
    let bench = Bench::new().await;
    let (report, mut ran) = reports();
    let settings = WorkerSettings { poll: Duration::from_mins(1), ..SETTINGS };
    let worker = bench.start(settings, move |_, task| {
        report.send(task.number).unwrap();
        async { Ok(()) }
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    for number in 1..=3 {
        let started = Instant::now();
        bench.add(&task(number)).await;
        assert_eq!(ran.next().await, number);
        assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    }
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheduled_job_waits_for_its_time() {
    let bench = Bench::new().await;
    let (report, mut ran) = reports();
    let worker = bench.start(SETTINGS, move |_, task| {
        report.send((task.number, Utc::now())).unwrap();
        async { Ok(()) }
    });
    let at = Utc::now() + Duration::from_millis(700);
    bench.enqueue_at(&task(1), Some(at)).await;
    let (_, ran_at) = ran.next().await;
    assert!(ran_at >= at, "{} early", at - ran_at);
    assert!(ran_at - at < chrono::TimeDelta::seconds(2), "{} late", ran_at - at);
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_without_a_handler_is_left_to_other_workers() {
    let bench = Bench::new().await;
    let id = bench.add(&task(1)).await;
    let nobody = Running::start(bench.worker(SETTINGS));
    tokio::time::sleep(Duration::from_millis(300)).await;
    nobody.stop().await;
    let row = bench.row(id).await;
    assert_eq!((row.attempts, row.outcome), (0, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn finished_jobs_are_removed_after_their_time_and_others_are_not() {
    let bench = Bench::new().await;
    for number in 1..=3 {
        bench.add(&task(number)).await;
    }
    let worker = bench.start(SETTINGS, |_, _| async { Ok(()) });
    bench.wait_until_empty().await;
    worker.stop().await;
    bench.add(&task(4)).await;
    let mut tx = bench.begin("worker", None).await;
    assert_eq!(rtv_jobs::remove_finished(&mut tx, Utc::now() - Duration::from_mins(1), 100).await.unwrap(), 0);
    let soon = Utc::now() + Duration::from_mins(1);
    assert_eq!(rtv_jobs::remove_finished(&mut tx, soon, 2).await.unwrap(), 2);
    assert_eq!(rtv_jobs::remove_finished(&mut tx, soon, 100).await.unwrap(), 1);
    tx.commit().await.unwrap();
    assert_eq!(bench.count("true").await, 1);
}
