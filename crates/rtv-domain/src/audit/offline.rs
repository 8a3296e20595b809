//! Checking an exported log with nothing but the file and the public key. Pure but for reading: no database, no clock, no
//! settings. The file is read line by line, so it may have any size.
//!
//! The form: one line that opens the log, the events in the order of their numbers, each head right after the event that it
//! names, and one signed line that ends it. Each line must be exactly as it was written, so there is no byte in a file
//! that could be changed unnoticed.

use std::io::{self, BufRead, Read as _};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::audit::chain::{End, Head, Opening, Record, VERSION};
use crate::audit::key::PublicKey;
use crate::audit::verify::{Checkpoint, Fault, Report, Verifier};

/// Longest line that is read. An event holds at most what one form brought, which is far less.
const LONGEST_LINE: u64 = 16 * 1_024 * 1_024;

enum Line {
    Opening(Opening),
    Event(Box<Record>),
    Head(Head),
    End(End),
}

/// Checks an exported log. An error is one of reading the file.
pub fn verify_file(mut input: impl BufRead, keys: &[PublicKey], expected: Option<Checkpoint>) -> io::Result<Report> {
    let mut line = Vec::new();
    let mut number = 0;
    let mut verifier: Option<Verifier> = None;
    // What stands before a sound first line is told with the chain that nobody has.
    let nobody = || Verifier::new(uuid::Uuid::max(), keys, expected);
    let mut has_ended = false;
    loop {
        line.clear();
        if (&mut input).take(LONGEST_LINE).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        number += 1;
        let parsed = line.strip_suffix(b"\n").and_then(parse);
        let is_first = number == 1;
        if let (true, Some(Line::Opening(opening))) = (is_first, &parsed) {
            let mut begun = Verifier::new(opening.tenant, keys, expected);
            begun.at_line(number);
            if opening.version != VERSION {
                begun.fault(None, Fault::Unreadable);
            }
            verifier = Some(begun);
            continue;
        }
        let verifier = verifier.get_or_insert_with(nobody);
        verifier.at_line(number);
        if is_first || has_ended {
            verifier.fault(None, Fault::Unreadable);
        }
        match parsed {
            Some(Line::Event(record)) => verifier.record(&record),
            Some(Line::Head(head)) => verifier.head(&head),
            Some(Line::End(end)) => {
                has_ended = true;
                verifier.end(&end);
            }
            Some(Line::Opening(_)) | None => verifier.fault(None, Fault::Unreadable),
        }
    }
    let mut verifier = verifier.unwrap_or_else(nobody);
    if !has_ended {
        verifier.fault(None, Fault::CutOff);
    }
    Ok(verifier.finish())
}

/// The line, if it is exactly as an export writes it.
fn parse(line: &[u8]) -> Option<Line> {
    let begins = |word: &str| line.starts_with(format!("{{\"kind\":\"{word}\",").as_bytes());
    if begins("event") {
        exact(line).map(Box::new).map(Line::Event)
    } else if begins("head") {
        exact(line).map(Line::Head)
    } else if begins("end") {
        exact(line).map(Line::End)
    } else if begins("audit-log") {
        exact(line).map(Line::Opening)
    } else {
        None
    }
}

/// Reads a line and writes it again: what differs was not written by us.
fn exact<T: DeserializeOwned + Serialize>(line: &[u8]) -> Option<T> {
    let read: T = serde_json::from_slice(line).ok()?;
    (serde_json::to_vec(&read).ok()?.as_slice() == line).then_some(read)
}
