//! Words about runs of reports: where one stands, what its files are, and how they reach people.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::report::query::words;

words! {
    /// Where a run stands.
    RunState, "state" {
        /// A worker will take it.
        Queued = "queued", "Waiting";
        /// A worker is at it.
        Running = "running", "Being made";
        /// Its figures and files are there.
        Done = "done", "Done";
        /// There was nothing to report, and its schedule wants no files then.
        Skipped = "skipped", "Nothing to report";
        /// It could not be made.
        Failed = "failed", "Failed";
        /// Somebody stopped it.
        Cancelled = "cancelled", "Cancelled";
    }
}

impl RunState {
    /// Whether nothing happens to it any more.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Skipped | Self::Failed | Self::Cancelled)
    }
}

words! {
    /// What a file is.
    FileFormat, "format" {
        /// Pages to read and print.
        Pdf = "pdf", "PDF";
        /// A workbook.
        Xlsx = "xlsx", "Excel";
        /// One table.
        Csv = "csv", "CSV";
    }
}

impl FileFormat {
    /// Media type.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }

    /// As addresses name a file among those of its run: `pdf`, or `csv-2` for the second table.
    pub fn name(self, part: u32) -> String {
        if part == 1 { self.to_string() } else { format!("{self}-{part}") }
    }

    /// Reads what [`Self::name`] wrote. Anything else names nothing.
    pub fn named(name: &str) -> Result<(Self, u32)> {
        let (format, part) = match name.split_once('-') {
            Some((format, part)) => (format, part.parse().map_err(|_| Error::NotFound)?),
            None => (name, 1),
        };
        Ok((format.parse().map_err(|_| Error::NotFound)?, part))
    }
}

words! {
    /// How a report that is made by itself reaches people.
    Way, "way" {
        /// A mail with the files.
        Attachment = "attachment", "By mail, with the files attached";
        /// A mail with a link to the files, which holds for a time.
        Link = "link", "By mail, with a link to the files";
        /// The inbox that members have in RTV.
        Inbox = "inbox", "In RTV’s inbox, for members";
    }
}

words! {
    /// Where a report stands on its way to one person.
    MailState, "state" {
        /// It waits for a worker, also for the next attempt.
        Waiting = "waiting", "Waiting";
        /// A worker is handing it over.
        Sending = "sending", "Being sent";
        /// The mail server has it.
        Sent = "sent", "Sent";
        /// It lies in the inbox of a member.
        Delivered = "delivered", "In the inbox";
        /// It was refused for good or too often: by the mail server, or because its reader may not get it.
        Failed = "failed", "Failed";
        /// It may or may not have been accepted. It is not sent again unless somebody asks for that.
        Uncertain = "uncertain", "Uncertain";
        /// It stays here, because there is no mail server.
        Caught = "caught", "Kept here";
        /// Its reader has asked for no more of these.
        Withheld = "withheld", "Unsubscribed";
        /// It waited when its schedule was paused or deleted, or its reader was taken off it.
        Stopped = "stopped", "Stopped";
    }
}

impl MailState {
    /// Whether somebody may have it sent once more.
    pub const fn can_be_repeated(self) -> bool {
        matches!(self, Self::Failed | Self::Uncertain | Self::Stopped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_by_format_and_part_and_found_by_that_name() {
        for (format, part, name) in
            [(FileFormat::Pdf, 1, "pdf"), (FileFormat::Csv, 1, "csv"), (FileFormat::Csv, 2, "csv-2")]
        {
            assert_eq!(format.name(part), name);
            assert_eq!(FileFormat::named(name), Ok((format, part)));
        }
        for wrong in ["", "exe", "csv-", "csv-x", "-1", "csv-2-3", "csv-4294967296"] {
            assert_eq!(FileFormat::named(wrong), Err(Error::NotFound), "{wrong}");
        }
    }
}
