//! Measures reading and mapping: `measure [MEGABYTES]…` (50 and 200 if none is given). The files are generated while they are read, always the
//! same: posts in a mapping made by hand, and posts in RTV's own form. Prints rows and bytes a second and the process's highest memory so far.
//! `cargo run --release -p rtv-import --example measure_reading`

use std::{
    fs,
    io::{self, Read, Write as _},
    time::Instant,
};

use rtv_import::{Draft, OpenOptions, Row, guess, open, sample};

/// Rows of one kind, made as they are asked for; nothing but a window of them is in memory.
struct Generated {
    left: u64,
    number: u64,
    row: fn(u64, &mut Vec<u8>),
    ready: Vec<u8>,
    at: usize,
}

impl Read for Generated {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.ready.len() {
            self.ready.clear();
            self.at = 0;
            while self.ready.len() < 256 * 1024 && self.left > 0 {
                let before = self.ready.len();
                (self.row)(self.number, &mut self.ready);
                self.number += 1;
                self.left = self.left.saturating_sub((self.ready.len() - before) as u64);
            }
        }
        let length = buffer.len().min(self.ready.len() - self.at);
        buffer[..length].copy_from_slice(&self.ready[self.at..self.at + length]);
        self.at += length;
        Ok(length)
    }
}

const BY_HAND: &str =
    "Network;Page Name;Post ID;Posted;Message;Post Type;Views;Reach;Likes;Comments;Shares;Clicks;Spend (EUR)\n";

fn by_hand(number: u64, row: &mut Vec<u8>) {
    let (day, month, hour) = (number % 28 + 1, number % 12 + 1, number % 24);
    writeln!(
        row,
        "Facebook;Shop {};p-{number};{day:02}.{month:02}.2025 {hour:02}:{:02};\"Neu im Laden: Größe {}; heute \"\"günstig\"\"\";Photo;{};{};{};{};{};{};{},{:02}",
        number % 9,
        number % 60,
        number % 50,
        number * 7 % 90_000,
        number * 5 % 70_000,
        number * 3 % 3_000,
        number % 300,
        number % 200,
        number % 500,
        number % 40,
        number % 100,
    )
    .expect("writing to memory");
}

const EXPORT: &str = "platform,account_id,account_name,post_id,published_at,kind,text,campaign,reach,impressions,reactions,comments,shares,clicks,conversions,revenue,cost,sentiment\n";

fn export(number: u64, row: &mut Vec<u8>) {
    let (day, month, hour) = (number % 28 + 1, number % 12 + 1, number % 24);
    writeln!(
        row,
        "facebook,{},Shop,p-{number},2025-{month:02}-{day:02}T{hour:02}:{:02}:00Z,photo,\"New in the shop, size {}, today\",Spring,{},{},{},{},{},{},{},{}.50,{}.25,0.{}",
        number % 9,
        number % 60,
        number % 50,
        number * 5 % 70_000,
        number * 7 % 90_000,
        number * 3 % 3_000,
        number % 300,
        number % 200,
        number % 500,
        number % 20,
        number % 900,
        number % 40,
        number % 100,
    )
    .expect("writing to memory");
}

fn generated(header: &str, row: fn(u64, &mut Vec<u8>), megabytes: u64) -> Generated {
    Generated { left: megabytes * 1_000_000, number: 0, row, ready: header.as_bytes().to_vec(), at: 0 }
}

/// The highest memory of the process so far, in MB; nothing where the system does not tell.
fn peak_megabytes() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()? / 1000.0)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut sizes: Vec<u64> = std::env::args().skip(1).map(|size| size.parse()).collect::<Result<_, _>>()?;
    if sizes.is_empty() {
        sizes = vec![50, 200];
    }
    let found = sample(generated(BY_HAND, by_hand, 1), None, None)?;
    let mut draft = Draft::from_guess(&guess(&found));
    draft.zone = Some(chrono_tz::Europe::Berlin);
    let own = draft.open_options(&found.sniffed.header).map_err(|errors| format!("{errors:?}"))?;
    for megabytes in sizes {
        for (name, header, row, options) in [
            ("own mapping", BY_HAND, by_hand as fn(u64, &mut Vec<u8>), own.clone()),
            ("rtv-posts", EXPORT, export, OpenOptions::default()),
        ] {
            // Making the rows costs time as well; it is measured alone and taken off.
            let started = Instant::now();
            io::copy(&mut generated(header, row, megabytes), &mut io::sink())?;
            let making = started.elapsed();
            let started = Instant::now();
            let mut reader = open(generated(header, row, megabytes), options)?;
            let (mut posts, mut refused) = (0_u64, 0_u64);
            for row in &mut reader {
                match row? {
                    Row::Post(_) => posts += 1,
                    Row::Refused(_) => refused += 1,
                }
            }
            let seconds = started.elapsed().saturating_sub(making).as_secs_f64();
            #[allow(clippy::cast_precision_loss)] // Rates to look at.
            let (rows, speed) = (posts as f64 / seconds, reader.bytes_read() as f64 / seconds / 1e6);
            println!(
                "{megabytes:>4} MB, {name}: {posts} posts, {refused} refused in {seconds:.2} s: {rows:.0} rows/s, {speed:.0} MB/s; peak {:.1} MB",
                peak_megabytes().unwrap_or(f64::NAN)
            );
        }
        let open_quote = b"facebook,1,Shop,\"p-1,2025-01-01T00:00:00Z\n".as_slice();
        let started = Instant::now();
        let last = open(generated(EXPORT, export, megabytes).chain(open_quote), OpenOptions::default())?.last();
        println!(
            "{megabytes:>4} MB, then an open quote: {:.2} s with making the rows; peak {:.1} MB: {}",
            started.elapsed().as_secs_f64(),
            peak_megabytes().unwrap_or(f64::NAN),
            last.and_then(Result::err).map_or_else(|| "no error".to_owned(), |error| error.to_string())
        );
    }
    Ok(())
}
