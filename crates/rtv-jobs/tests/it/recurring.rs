//! Jobs that come back.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn three_workers_add_and_run_each_occurrence_once() {
    let bench = Bench::new().await;
    let (report, mut ran) = reports();
    let workers: Vec<_> = (0..3)
        .map(|_| {
            let report = report.clone();
            Running::start(bench.worker(SETTINGS).recurring(&task(7), Duration::from_secs(1)).handle(
                move |context: JobContext, task: Task| {
                    report.send((context.id, task.number)).unwrap();
                    async { Ok(()) }
                },
            ))
        })
        .collect();
    bench.wait_until("outcome = 'done'", 4).await;
    for worker in workers {
        worker.stop().await;
    }
    assert_eq!(bench.count("true").await, bench.count("run_at = date_trunc('second', run_at)").await);
    let mut tx = bench.begin("worker", None).await;
    let (rows, times): (i64, i64) =
        sqlx::query_as("select count(*), count(distinct run_at) from job").fetch_one(&mut *tx).await.unwrap();
    assert_eq!(rows, times);
    let runs = ran.so_far();
    let ids: std::collections::HashSet<_> = runs.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids.len(), runs.len());
    assert!(runs.iter().all(|(_, number)| *number == 7));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_occurrence_is_added_while_an_earlier_one_is_unfinished() {
    let bench = Bench::new().await;
    let (report, mut ran) = reports();
    let worker =
        Running::start(bench.worker(SETTINGS).recurring(&task(7), Duration::from_secs(1)).handle(move |_, _: Task| {
            report.send(()).unwrap();
            std::future::pending()
        }));
    ran.next().await;
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(bench.count("true").await, 1);
    worker.kill().await;
}
