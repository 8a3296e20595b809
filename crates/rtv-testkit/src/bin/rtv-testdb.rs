//! A migrated throwaway database for people and scripts: `env` prints its addresses as shell variables, `stop` ends
//! the cluster that the tests share.

fn main() {
    let command = std::env::args().nth(1).unwrap_or_default();
    match command.as_str() {
        "env" => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
            let database = runtime.block_on(rtv_testkit::TestDb::kept());
            println!("DATABASE_URL='{}'", database.owner_url());
            println!("RTV_APP_DATABASE_URL='{}'", database.app_url());
        }
        "stop" => {
            if rtv_testkit::home().join("postgres").exists() {
                let options = rtv_postgres::Options::new(rtv_testkit::home(), rtv_postgres::Purpose::Throwaway);
                match rtv_postgres::start(&options, &mut |_| {}).and_then(rtv_postgres::Cluster::stop) {
                    Ok(()) => println!("The test cluster is stopped."),
                    Err(error) => {
                        eprintln!("{error}");
                        std::process::exit(1);
                    }
                }
            }
        }
        _ => {
            eprintln!("usage: rtv-testdb env | stop");
            std::process::exit(2);
        }
    }
}
