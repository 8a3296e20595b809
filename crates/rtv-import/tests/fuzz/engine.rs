//! A fuzzer for the whole way of an import: it changes files at random and checks what must hold for every file. It needs nothing but stable Rust.
//!
//! It is guided: an input that behaves as none before it (another message, another guess, another reason) is kept and changed further.
//! The same seed gives the same run. The properties stand in [`check`].

use std::{
    collections::{HashSet, hash_map::DefaultHasher},
    hash::{Hash, Hasher},
    io::{self, Read},
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use rtv_import::{
    DateOrder, Delimiter, Draft, Encoding, Field, ImportError, Mapping, NumberStyle, OpenOptions, PREVIEW_ROWS,
    PostRow, Question, Refusal, Row, SAMPLE_ROWS, Sample, guess, open, open_seekable, preview,
    read::MAX_COUNTED_ROWS,
    record::{MAX_COLUMNS, MAX_ROW_BYTES},
    row::MAX_RAW_BYTES,
    sample, write_posts, write_refused_rows,
};
use sha2::{Digest, Sha256};

/// Inputs that are kept for being different; a new one takes the place of an old one then.
const CORPUS: usize = 4_000;

/// What is found wrong, with the input that shows it.
pub(crate) struct Failure {
    pub(crate) input: Vec<u8>,
    pub(crate) message: String,
}

/// What a run came to.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) tries: u64,
    pub(crate) bytes: u64,
    /// Different behaviours seen.
    pub(crate) behaviours: usize,
    pub(crate) failures: Vec<Failure>,
}

/// Runs until the time or the number of tries is over, or three failures were found.
pub(crate) fn run(seed: u64, longest: Duration, most: u64, mut tell: impl FnMut(&Report)) -> Report {
    let started = Instant::now();
    let mut told = started;
    let mut random = Random(seed);
    let mut corpus = seeds();
    let mut known = HashSet::new();
    let mut report = Report::default();
    let mut queue: Vec<Vec<u8>> = corpus.clone();
    while report.tries < most && started.elapsed() < longest && report.failures.len() < 3 {
        let input = queue.pop().unwrap_or_else(|| mutate(&mut random, &corpus));
        report.tries += 1;
        report.bytes += input.len() as u64;
        match guarded(&input, random.next()) {
            Ok(behaviour) => {
                let before = known.len();
                known.extend(behaviour);
                if known.len() > before {
                    if corpus.len() < CORPUS {
                        corpus.push(input);
                    } else {
                        let place = random.below(corpus.len());
                        corpus[place] = input;
                    }
                }
            }
            Err((message, choice)) => {
                let input = shrink(input, choice);
                report.failures.push(Failure { input, message });
            }
        }
        report.behaviours = known.len();
        if told.elapsed() > Duration::from_secs(10) {
            told = Instant::now();
            tell(&report);
        }
    }
    report
}

/// Checks one input; a panic is a failure like others.
fn guarded(input: &[u8], choice: u64) -> Result<Behaviour, (String, u64)> {
    match catch_unwind(AssertUnwindSafe(|| check(input, choice))) {
        Ok(result) => result.map_err(|message| (message, choice)),
        Err(panic) => {
            let message = panic
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned()))
                .unwrap_or_default();
            Err((format!("panicked: {message}"), choice))
        }
    }
}

/// Cuts pieces out of the input as long as it still fails.
fn shrink(mut input: Vec<u8>, choice: u64) -> Vec<u8> {
    let mut piece = input.len() / 2;
    let until = Instant::now() + Duration::from_secs(5);
    while piece > 0 && Instant::now() < until {
        let mut at = 0;
        while at + piece <= input.len() && Instant::now() < until {
            let shorter = [&input[..at], &input[at + piece..]].concat();
            if guarded(&shorter, choice).is_err() {
                input = shorter;
            } else {
                at += piece;
            }
        }
        piece /= 2;
    }
    input
}

macro_rules! ensure {
    ($holds:expr, $($message:tt)+) => {
        if !$holds {
            return Err(format!($($message)+));
        }
    };
}

/// What a file led to, each thing as a number: messages, fields, kinds of reasons.
#[derive(Default)]
struct Behaviour(Vec<u64>);

impl Behaviour {
    fn add(&mut self, what: impl Hash) {
        let mut hasher = DefaultHasher::new();
        what.hash(&mut hasher);
        self.0.push(hasher.finish());
    }
}

impl IntoIterator for Behaviour {
    type Item = u64;
    type IntoIter = std::vec::IntoIter<u64>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// What must hold for every file, whatever is in it. The answer stands for how the file behaved.
fn check(input: &[u8], choice: u64) -> Result<Behaviour, String> {
    let mut random = Random(choice);
    let mut behaviour = Behaviour::default();
    let encoding = if random.one_in(8) { Some(random.pick(&Encoding::ALL)) } else { None };
    let delimiter = if random.one_in(8) { Some(random.pick(&Delimiter::ALL)) } else { None };
    let found = sample(input, encoding, delimiter);
    match &found {
        Ok(found) => {
            check_sample(found)?;
            behaviour.add((
                found.sniffed.encoding,
                found.sniffed.delimiter.key(),
                found.sniffed.notes_above,
                found.sniffed.has_guards,
            ));
            let guess = guess(found);
            check_guess(found, &guess)?;
            for column in &guess.columns {
                behaviour.add((column.field, kind(&column.reason)));
            }
            for question in &guess.questions {
                let sentence = question.sentence();
                behaviour.add((question.field(), sentence.contains("contradict")));
            }
            guess.notes.iter().for_each(|note| behaviour.add(kind(note)));
            let draft = answer(&mut random, &guess.draft);
            match draft.open_options(&found.sniffed.header) {
                Ok(options) => {
                    check_read(input, OpenOptions { encoding, delimiter, ..options }, &mut random, &mut behaviour)?;
                }
                Err(errors) => {
                    ensure!(!errors.is_empty(), "a draft is refused without a reason");
                    for error in errors {
                        ensure!(!error.message.is_empty(), "an empty message for {}", error.field);
                        behaviour.add(kind(&error.message));
                    }
                }
            }
        }
        Err(error) => behaviour.add((kind(&error.to_string()), encoding.is_some())),
    }
    // The way of the command line: a built-in mapping, found or named.
    let mapping = random.one_in(2).then(|| random.pick(&Mapping::all_builtin()));
    let takes_account = mapping.as_ref().is_some_and(Mapping::takes_account);
    let options = OpenOptions {
        mapping,
        zone: Some(random.pick(&[chrono_tz::Asia::Bangkok, chrono_tz::Europe::Berlin, chrono_tz::UTC])),
        account_external_id: takes_account.then(|| "page".to_owned()),
        encoding,
        delimiter,
    };
    check_read(input, options, &mut random, &mut behaviour)?;
    Ok(behaviour)
}

fn check_sample(found: &Sample) -> Result<(), String> {
    let columns = found.sniffed.header.len();
    ensure!(columns <= MAX_COLUMNS, "{columns} columns");
    ensure!(found.rows.len() as u64 + found.unreadable_rows <= SAMPLE_ROWS as u64, "too many rows in a sample");
    ensure!(found.rows.iter().all(|row| row.len() == columns), "a row of a sample has not as many cells as the header");
    let bytes: usize = found.rows.iter().flatten().map(String::len).sum();
    ensure!(bytes <= (1 << 20) + columns * 1024, "a sample of {bytes} bytes");
    Ok(())
}

fn check_guess(found: &Sample, guess: &rtv_import::Guess) -> Result<(), String> {
    let header = &found.sniffed.header;
    ensure!(guess.columns.len() == header.len(), "not one guess for each column");
    let mut fields = HashSet::new();
    for (column, name) in guess.columns.iter().zip(header) {
        ensure!(&column.header == name && column.examples.len() <= 3 && !column.reason.is_empty(), "{column:?}");
        ensure!(!column.reason.contains(char::is_control), "a control character in {:?}", column.reason);
        ensure!(column.field.is_none_or(|field| fields.insert(field)), "two columns are {:?}", column.field);
        ensure!(column.field.is_none() || !name.is_empty(), "a column without a name is imported");
    }
    // What is asked is open in the draft, and what is open in the draft is asked.
    let draft = &guess.draft;
    let asked = |name: &str| guess.questions.iter().filter(|question| question.field() == name).count();
    let has = |field: Field| draft.columns.iter().any(|column| column.field == Some(field));
    ensure!(asked("columns") == usize::from(!has(Field::PublishedAt)), "the date's column");
    ensure!(
        asked("date_order") == usize::from(draft.date_order.is_none() && has(Field::PublishedAt)),
        "the date's order"
    );
    ensure!(asked("numbers") == usize::from(draft.numbers.is_none()), "the numbers");
    ensure!(asked("platform") == usize::from(!has(Field::Platform)), "the platform");
    ensure!(asked("account") == usize::from(!has(Field::AccountId) && !draft.account_from_post_id), "the account");
    let errors = draft.open_options(header).err().unwrap_or_default();
    for error in &errors {
        ensure!(asked(&error.field) > 0, "the guess leads to an error that is not asked: {error:?}");
    }
    for question in guess.questions.iter().map(Question::field) {
        ensure!(errors.iter().any(|error| error.field == question), "{question} is asked and not needed");
    }
    let saved = serde_json::to_string(draft).map_err(|error| error.to_string())?;
    ensure!(
        serde_json::from_str::<Draft>(&saved).is_ok_and(|loaded| loaded == *draft),
        "a draft is not saved as it is"
    );
    ensure!(draft.fit(header) == *draft, "a draft does not fit its own file");
    Ok(())
}

/// A person's answers, sensible or not.
fn answer(random: &mut Random, draft: &Draft) -> Draft {
    let mut draft = draft.clone();
    if random.one_in(4) && !draft.columns.is_empty() {
        let place = random.below(draft.columns.len());
        draft.columns[place].field = random.one_in(3).then(|| random.pick(&Field::all()));
    }
    if random.one_in(20) {
        return draft;
    }
    let has = |draft: &Draft, field| draft.columns.iter().any(|column| column.field == Some(field));
    if !has(&draft, Field::Platform) {
        draft.platform = Some(random.pick(&["facebook", "x", "linkedin"]).to_owned());
    }
    if !has(&draft, Field::AccountId) && !draft.account_from_post_id {
        draft.account_id = Some(random.pick(&["1", "page", "ก", "1E+5"]).to_owned());
    }
    draft.date_order.get_or_insert_with(|| random.pick(&DateOrder::ALL));
    draft.numbers.get_or_insert_with(|| random.pick(&NumberStyle::CHOICES));
    draft.zone = Some(random.pick(&[chrono_tz::Asia::Bangkok, chrono_tz::America::Sao_Paulo, chrono_tz::UTC]));
    draft
}

/// All that a reader gives, errors as their messages.
#[derive(Debug, PartialEq)]
struct Everything {
    posts: Vec<PostRow>,
    refusals: Vec<Refusal>,
    error: Option<String>,
}

fn check_read(
    input: &[u8],
    options: OpenOptions,
    random: &mut Random,
    behaviour: &mut Behaviour,
) -> Result<(), String> {
    let whole = read(input, input.len(), options.clone())?;
    let chunk = if input.len() > 20_000 { 4_093 } else { 1 + random.below(61) };
    let pieces = read(Pieces { rest: input, chunk }, input.len(), options.clone())?;
    ensure!(whole == pieces, "read in pieces of {chunk} bytes it is another file: {whole:?} and {pieces:?}");
    let Some((read, header, delimiter)) = whole else {
        if let Err(error) = open(input, options) {
            behaviour.add(kind(&error.to_string()));
        }
        return Ok(());
    };
    for refusal in &read.refusals {
        ensure!(refusal.raw.len() <= MAX_RAW_BYTES, "a refused row of {} bytes", refusal.raw.len());
        ensure!(!refusal.reason.is_empty() && !refusal.reason.contains(char::is_control), "{:?}", refusal.reason);
        behaviour.add((kind(&refusal.reason), refusal.raw.contains('"')));
    }
    behaviour.add((read.posts.is_empty(), read.refusals.is_empty(), read.error.as_deref().map(kind)));
    for post in &read.posts {
        let metrics = &post.metrics;
        behaviour.add((
            post.text.is_some(),
            post.published.possible_days().is_some(),
            metrics.revenue.is_some(),
            metrics.sentiment.is_some(),
        ));
    }

    let shown = preview(input, options.clone()).map_err(|error| format!("no preview of what opens: {error}"))?;
    let shown_posts = shown.rows.iter().filter(|row| matches!(row, Row::Post(_))).count();
    ensure!(shown.rows.len() <= PREVIEW_ROWS && shown_posts <= read.posts.len(), "a preview shows other rows");
    if let Ok(mut reader) = open_seekable(io::Cursor::new(input), options)
        && input.len() < 60_000
        && reader.sniffed().encoding != "windows-1252"
    {
        let rows = reader.by_ref().map_while(Result::ok).count();
        ensure!(rows == read.posts.len() + read.refusals.len(), "read twice it has {rows} rows");
    }
    check_written(&read.posts)?;
    let mut written = Vec::new();
    write_refused_rows(&mut written, &header, delimiter, &read.refusals).map_err(|error| error.to_string())?;
    let again = sample(&*written, None, Some(delimiter));
    let is_read = match &again {
        Ok(again) => again.sniffed.header.len() == header.len() + 2,
        // A header that takes the limit has no room for two more columns, and a file of this kind may have been imported before.
        Err(error) => matches!(
            error,
            ImportError::HeaderOnly { .. } | ImportError::DuplicateColumn { .. } | ImportError::Header { .. }
        ),
    };
    ensure!(is_read, "the refused rows cannot be read again: {again:?}");
    Ok(())
}

type Opened = Option<(Everything, Vec<String>, Delimiter)>;

fn read(input: impl Read, length: usize, options: OpenOptions) -> Result<Opened, String> {
    let Ok(mut reader) = open(input, options) else { return Ok(None) };
    let mut all = Everything { posts: Vec::new(), refusals: Vec::new(), error: None };
    // Small files need a window and little more; large ones at most twice the longest row.
    let bound = if length < 64 * 1024 { 8 * 64 * 1024 } else { 2 * MAX_ROW_BYTES + 16 * MAX_COLUMNS + 8 * 64 * 1024 };
    while let Some(row) = reader.next() {
        ensure!(reader.buffer_bytes() <= bound, "{} bytes in buffers", reader.buffer_bytes());
        match row {
            Ok(Row::Post(post)) => all.posts.push(post),
            Ok(Row::Refused(refusal)) => all.refusals.push(refusal),
            Err(error) => {
                ensure!(all.error.is_none(), "a second error");
                ensure!(
                    matches!(error, ImportError::HeaderOnly { .. } | ImportError::UnclosedQuote { .. }),
                    "an unexpected error: {error}"
                );
                all.error = Some(error.to_string());
            }
        }
    }
    let rows = (all.posts.len() + all.refusals.len()) as u64;
    ensure!(reader.rows_read() == rows, "{} rows read and {rows} given", reader.rows_read());
    let mut numbers: Vec<u64> = all.posts.iter().map(|post| post.row_number).collect();
    numbers.extend(all.refusals.iter().map(|refusal| refusal.row_number));
    numbers.sort_unstable();
    ensure!(numbers.iter().copied().eq(1..=rows), "rows are not numbered one by one");
    ensure!(reader.bytes_read() == length as u64, "{} of {length} bytes", reader.bytes_read());
    ensure!(reader.sha256().is_some() && rows < MAX_COUNTED_ROWS as u64, "no digest of the file");
    for post in &all.posts {
        ensure!(post.content_digest == post.compute_content_digest(), "a digest of other content");
    }
    let sniffed = reader.sniffed();
    Ok(Some((all, sniffed.header.clone(), sniffed.delimiter)))
}

/// What is written is read again as it was.
fn check_written(posts: &[PostRow]) -> Result<(), String> {
    if posts.is_empty() {
        return Ok(());
    }
    let expect: Vec<PostRow> =
        posts.iter().zip(1..).map(|(post, row_number)| PostRow { row_number, ..post.clone() }).collect();
    let mut written = Vec::new();
    write_posts(&mut written, posts).map_err(|error| error.to_string())?;
    let reader = open(&*written, OpenOptions::default()).map_err(|error| format!("what is written: {error}"))?;
    ensure!(reader.mapping().name == "rtv-posts", "what is written is read as {}", reader.mapping().name);
    for (row, post) in reader.zip(&expect) {
        match row {
            Ok(Row::Post(read)) => ensure!(read == *post, "written {post:?}, read {read:?}"),
            other => return Err(format!("written {post:?}, read {other:?}")),
        }
    }
    Ok(())
}

/// A message without what it quotes, its numbers and its end.
fn kind(message: &str) -> String {
    let outside: String = message.split('"').step_by(2).collect();
    outside.chars().filter(|character| !character.is_ascii_digit()).take(36).collect()
}

/// Gives so many bytes at a time.
struct Pieces<'a> {
    rest: &'a [u8],
    chunk: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(self.chunk);
        self.rest.read(&mut buffer[..length])
    }
}

/// SplitMix64: small, and the same everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit.max(1) as u64).unwrap_or(0)
    }

    fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }
}

/// Pieces that mean something to a reader of CSV, to the guess, or to a spreadsheet.
const TOKENS: [&[u8]; 62] = [
    b"\"",
    b"\"\"",
    b"\"a\"b",
    b",",
    b";",
    b"\t",
    b"\n",
    b"\r\n",
    b"\r",
    b"\0",
    b"\xEF\xBB\xBF",
    b"\xFF\xFE",
    b"\xE9",
    b"\xC3\xA9",
    b"\xF0\x9F\x98\x80",
    b"\x81",
    b"\xED\xA0\x80",
    b"\xE2\x80\xAE",
    b"|",
    b"sep=;\n",
    b"sep=,\r\n",
    b"=HYPERLINK(\"http://x\",\"y\")",
    b"=1+1",
    b"'=1+1",
    b"'",
    b"+1",
    b"-",
    b"@SUM(A1)",
    b"0",
    b"1",
    b"1,234",
    b"1.234",
    b"1.234,56",
    b"1,234.56",
    b"12.50",
    b"424.0",
    b"-0.5",
    b"NaN",
    b"1e3",
    b"n/a",
    b"9223372036854775807",
    b"9223372036854775808",
    b"1.22158E+17",
    b"03/04/2026",
    b"25/03/2026",
    b"3/25/2026 9:05 PM",
    b"2026-03-01T09:30:00Z",
    b"2026-03",
    b"2015-09-30 18:42 +0000",
    b"Tue, Jul 14, 2026",
    b"4. M\xC3\xA4rz 2026 um 21:05 Uhr",
    b"18:30",
    b"2018-03-25 02:30",
    b"246_1649",
    b"Facebook",
    b"twitter",
    b"https://x.com/a/status/1",
    b"\xC4\xB0",
    b"\xE1\xBA\x9E",
    b"  ",
    b"\xC2\xA0",
    b"\xE2\x80\xA8",
];

fn mutate(random: &mut Random, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut input = random.pick(corpus);
    for _ in 0..=random.below(6) {
        let length = input.len();
        let at = random.below(length + 1);
        let end = at + random.below((length - at).min(64) + 1);
        match random.below(16) {
            0..=4 => {
                input.splice(at..at, random.pick(&TOKENS).iter().copied());
            }
            5 | 6 => {
                input.splice(at..end, random.pick(&TOKENS).iter().copied());
            }
            7 => {
                input.drain(at..end);
            }
            8 => {
                let piece = input[at..end].to_vec();
                input.splice(at..at, piece);
            }
            9 if at < length => input[at] = u8::try_from(random.below(256)).unwrap_or(0),
            10 => {
                let other = random.pick(corpus);
                let from = random.below(other.len() + 1);
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
            11 => {
                let (from, to) = (random.pick(b",;\t\n"), random.pick(b",;\t\r"));
                input.iter_mut().filter(|byte| **byte == from).for_each(|byte| *byte = to);
            }
            12 => input.truncate(at),
            // The last row again and again.
            13 => {
                let row = input
                    .iter()
                    .rposition(|&byte| byte == b'\n')
                    .map_or(0, |end| input[..end].iter().rposition(|&byte| byte == b'\n').map_or(0, |start| start + 1));
                let row = input[row..].to_vec();
                if row.len() < 500 {
                    for _ in 0..random.below(30) {
                        input.extend_from_slice(&row);
                    }
                }
            }
            14 => transcode(random, &mut input),
            // Long cells, rarely so long that a limit is met.
            _ if random.one_in(200) => {
                let long = vec![random.pick(b"xy,\" "); random.pick(&[70_000, 1_048_577, 1_200_000])];
                input.splice(at..at, long);
            }
            _ => {
                let run = vec![random.pick(b"x,;\"\n0"); random.below(300)];
                input.splice(at..at, run);
            }
        }
        if input.len() > 200_000 && !random.one_in(3) {
            input.truncate(20_000);
        }
    }
    input
}

/// The same text in another encoding, or in one half and half.
fn transcode(random: &mut Random, input: &mut Vec<u8>) {
    let text = String::from_utf8_lossy(input).into_owned();
    let wide = |to_bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(to_bytes).collect::<Vec<u8>>();
    *input = match random.below(4) {
        0 => wide(u16::to_le_bytes),
        1 => wide(u16::to_be_bytes),
        2 => encoding_rs::WINDOWS_1252.encode(&text).0.into_owned(),
        _ => {
            let half = text.floor_char_boundary(text.len() / 2);
            [&text.as_bytes()[..half], &encoding_rs::WINDOWS_1252.encode(&text[half..]).0].concat()
        }
    };
}

/// Where it begins: the headers of all built-in mappings and of common exports, with a row or two, and files that are known to be difficult.
fn seeds() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = Vec::new();
    for mapping in Mapping::all_builtin() {
        let columns = mapping.used_columns();
        let row: Vec<&str> = columns
            .iter()
            .map(|column| match *column {
                "published_at" => "2026-03-01T09:30:00Z",
                "platform" => "facebook",
                "status_id" => "246_1649",
                "status_published" => "4/22/2018 6:00",
                "Date" => "\"Tue, Jul 14, 2026\"",
                "time" => "2015-09-30 18:42 +0000",
                "Publish time" | "Created date" => "09/27/2026 18:30",
                "sentiment" => "0.5",
                _ => "7",
            })
            .collect();
        seeds.push(format!("{}\n{}\n{}\n", columns.join(","), row.join(","), row.join(",")).into_bytes());
    }
    for text in [
        "Network;Page Name;Post ID;Posted;Message;Post Type;Views;Likes;Spend (EUR)\nFacebook;Shop;p-1;31.12.2025 18:30;\"Café; ja\";Photo;1.234;12;1.250,50\n",
        "Veröffentlicht am\tNachricht\tBeitragstyp\tImpressionen\tReaktionen\n01.02.2026\tGrüße\tFoto\t1.234\t5\n",
        "Date,Time,Text,Likes,Revenue\n03/04/2026,18:30,\"=HYPERLINK(\"\"http://x\"\")\",5,\"1,234\"\n03/05/2026,,two\nlines,6,\n",
        "note\nid,date,likes\n1,2026-03-01,2\n2,2026-03-02,many\n",
        "sep=;\nid;date;likes\n1;2026-03-01;2\n",
        "id|date\n1|2\n",
        "id,date\n1,\"open\n2,3\n",
        "",
        "\n",
        "a,b\n",
        "a,a\n1,2\n",
        "post_id,published_at,platform,account_id,text\n1,2026-03,facebook,1,😀\n1,2026-03-01T00:00:00+14:00,x,1,\"\"\"\"\n",
        "post_id,published_at,platform,account_id,\"text\"\n1,2026-03,facebook,1,'=1+1\n2,2026-03,x,1,\"'' @a, b\"\n3,2026-03,x,1,'tis\n",
    ] {
        seeds.push(text.as_bytes().to_vec());
        seeds.push(format!("\u{FEFF}{text}").into_bytes());
        seeds.push(text.encode_utf16().flat_map(u16::to_le_bytes).collect());
    }
    seeds
}

/// A name for a failing input that is the same whenever it is found.
pub(crate) fn name_of(input: &[u8]) -> String {
    let digest: [u8; 32] = Sha256::digest(input).into();
    format!("{}.csv", hex::encode(&digest[..8]))
}
