//! The programs that read PDFs, and what they say of one. A program that is missing fails the test: `make setup` installs them.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use rtv_core::report::Filled;
use rtv_report::pdf::{Look, Pictures, Written, write};
use tempfile::TempDir;

/// A PDF on disk.
pub(super) struct Read {
    _folder: TempDir,
    file: PathBuf,
    pub(super) bytes: Vec<u8>,
    pub(super) written: Written,
}

/// Writes the report and has every reader look at it.
#[track_caller]
pub(super) fn read(filled: &Filled, look: &Look, pictures: &Pictures) -> Read {
    let mut bytes = Vec::new();
    let written = write(filled, look, pictures, &mut bytes).unwrap();
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("report.pdf");
    fs::write(&file, &bytes).unwrap();
    let read = Read { _folder: folder, file, bytes, written };
    if let Ok(kept) = std::env::var("RTV_KEEP_PDF") {
        let name = std::thread::current().name().unwrap_or("report").replace("::", "-");
        fs::write(PathBuf::from(kept).join(format!("{name}.pdf")), &read.bytes).unwrap();
    }
    read.run("qpdf", &["--check"], &[]);
    let info = read.run("pdfinfo", &[], &[]);
    assert!(info.contains(&format!("Pages:           {}\n", read.written.pages)), "{info}");
    read.run("pdftoppm", &["-r", "20", "-png"], &["/dev/null"]);
    read.run("mutool", &["draw", "-q", "-N", "-r", "20", "-F", "pbm", "-o", "/dev/null"], &[]);
    read
}

impl Read {
    /// Runs a program on the file; it must neither fail nor warn.
    #[track_caller]
    pub(super) fn run(&self, program: &str, before: &[&str], after: &[&str]) -> String {
        let output = Command::new(program)
            .args(before)
            .arg(&self.file)
            .args(after)
            .output()
            .unwrap_or_else(|error| panic!("{program}: {error}. Run `make setup`, which installs it."));
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && errors.trim().is_empty(), "{program} {before:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The text of each page, as one selects and copies it.
    pub(super) fn pages(&self) -> Vec<String> {
        let text = self.run("pdftotext", &["-layout"], &["-"]);
        let mut pages: Vec<String> = text.split('\u{c}').map(str::to_owned).collect();
        // There is one behind each page.
        pages.pop();
        assert_eq!(pages.len(), self.written.pages);
        pages
    }

    /// All text, in the order in which it is drawn, with single spaces.
    pub(super) fn words(&self) -> String {
        let text = self.run("pdftotext", &["-raw"], &["-"]);
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The text, with the spaces of lines made equal, page by page.
    pub(super) fn told(&self) -> String {
        let tidy = |page: &String| {
            let lines = page.lines().map(str::trim_end).filter(|line| !line.is_empty());
            lines.collect::<Vec<_>>().join("\n")
        };
        self.pages()
            .iter()
            .enumerate()
            .fold(String::new(), |told, (index, page)| format!("{told}--- page {} ---\n{}\n", index + 1, tidy(page)))
    }
}
