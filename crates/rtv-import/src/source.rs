//! The stream under the parser: counts and hashes raw bytes as they come and turns UTF-16 into UTF-8. Encodings that contain ASCII as it is
//! (UTF-8, Windows-1252) pass through and are judged cell by cell, so that a refusal can show the bytes that were really there.

use std::io::{self, Read};

use encoding_rs::{Decoder, DecoderResult};
use sha2::{Digest, Sha256};

use crate::sniff::Encoding;

/// How much is looked at before anything is decided, and how much is read at a time after that.
pub(crate) const WINDOW_BYTES: usize = 64 * 1024;

/// Stands in decoded UTF-16 where a code unit had no meaning. It occurs in no valid UTF-8, so the cell it lands in is refused.
const BROKEN: u8 = 0xFF;

/// A reader's bytes, ready for the parser.
pub(crate) struct Source<R> {
    input: R,
    hasher: Sha256,
    bytes_read: u64,
    raw: Vec<u8>,
    raw_at: usize,
    utf16: Option<Utf16>,
    ended: bool,
}

struct Utf16 {
    decoder: Decoder,
    text: Vec<u8>,
    text_at: usize,
    finished: bool,
}

impl<R: Read> Source<R> {
    /// Reads the first window.
    pub(crate) fn new(input: R) -> io::Result<Self> {
        let mut source = Self {
            input,
            hasher: Sha256::new(),
            bytes_read: 0,
            raw: vec![0; WINDOW_BYTES],
            raw_at: 0,
            utf16: None,
            ended: false,
        };
        let length = read_full(&mut source.input, &mut source.raw)?;
        source.ended = length < WINDOW_BYTES;
        source.take_in(length);
        Ok(source)
    }

    /// The first bytes of the file; all of it if [`Self::is_whole`].
    pub(crate) fn window(&self) -> &[u8] {
        &self.raw
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.ended
    }

    /// Fixes how the bytes are to be read and skips the byte order mark.
    pub(crate) fn begin(&mut self, encoding: Encoding, mark_length: usize) {
        self.raw_at = mark_length;
        self.utf16 = encoding.utf16().map(|encoding| Utf16 {
            decoder: encoding.new_decoder_without_bom_handling(),
            text: Vec::new(),
            text_at: 0,
            finished: false,
        });
    }

    /// Bytes that wait to be parsed; none at the end of the file.
    pub(crate) fn fill(&mut self) -> io::Result<&[u8]> {
        loop {
            if self.raw_at == self.raw.len() && !self.ended {
                self.raw.resize(WINDOW_BYTES, 0);
                let length = read_some(&mut self.input, &mut self.raw)?;
                self.ended = length == 0;
                self.raw_at = 0;
                self.take_in(length);
            }
            let Some(utf16) = &mut self.utf16 else {
                return Ok(&self.raw[self.raw_at..]);
            };
            if utf16.text_at == utf16.text.len() {
                utf16.decode(&self.raw[self.raw_at..], self.ended);
                self.raw_at = self.raw.len();
            }
            // A chunk may hold no whole character; then more of the file has to come first.
            if utf16.text_at < utf16.text.len() || utf16.finished {
                break;
            }
        }
        Ok(self.utf16.as_ref().map_or(&[], |utf16| &utf16.text[utf16.text_at..]))
    }

    pub(crate) fn consume(&mut self, length: usize) {
        match &mut self.utf16 {
            Some(utf16) => utf16.text_at += length,
            None => self.raw_at += length,
        }
    }

    /// Raw bytes taken from the file so far; at most one window ahead of what is parsed.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// Digest of all raw bytes once the file has ended.
    pub(crate) fn sha256(&self) -> Option<[u8; 32]> {
        self.ended.then(|| self.hasher.clone().finalize().into())
    }

    pub(crate) fn capacity(&self) -> usize {
        self.raw.capacity() + self.utf16.as_ref().map_or(0, |utf16| utf16.text.capacity())
    }

    fn take_in(&mut self, length: usize) {
        self.raw.truncate(length);
        self.hasher.update(&self.raw);
        self.bytes_read += length as u64;
    }
}

impl Utf16 {
    fn decode(&mut self, mut input: &[u8], last: bool) {
        self.text.clear();
        self.text_at = 0;
        if self.finished {
            return;
        }
        let mut buffer = [0; 4096];
        loop {
            let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(input, &mut buffer, last);
            self.text.extend_from_slice(&buffer[..written]);
            input = &input[read..];
            match result {
                DecoderResult::Malformed(..) => self.text.push(BROKEN),
                DecoderResult::OutputFull => {}
                DecoderResult::InputEmpty => break,
            }
        }
        self.finished = last;
    }
}

fn read_some(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match input.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Fills the buffer unless the input ends before.
pub(crate) fn read_full(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match read_some(input, &mut buffer[length..])? {
            0 => break,
            more => length += more,
        }
    }
    Ok(length)
}
