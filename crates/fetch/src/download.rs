//! One file over HTTP: resumed where it broke off, given up when nothing comes any more.
//!
//! What arrives is written to a file that the caller named. That file stays when the download
//! fails, so that the next attempt, now or tomorrow, asks only for the rest (`Range`, guarded by
//! `If-Range` where the server gave an `ETag`). Whether it is the right file is the caller's to
//! check: nothing is believed of a server but the bytes.

use kwhy_base::{Prose, catalogue::fetch as c, prose};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use ureq::http::Response;
use ureq::{Agent, Body};

/// How far it got, for whoever shows it.
pub trait Watch {
    /// `done` of `total` bytes are there; what is being fetched is `what`.
    fn progress(&mut self, what: &str, done: u64, total: Option<u64>);
}

/// Nobody watches.
pub struct Unwatched;

impl Watch for Unwatched {
    fn progress(&mut self, _: &str, _: u64, _: Option<u64>) {}
}

/// How a server is treated.
#[derive(Clone, Debug)]
pub struct Manners {
    /// A server that sends nothing for so long is given up.
    pub patience: Duration,
    /// Attempts without a byte of progress.
    pub attempts: u32,
    /// The pause before the second attempt; it doubles.
    pub pause: Duration,
    /// More bytes than this are not taken.
    pub most: u64,
}

/// Larger than any vmlinux.
const MOST: u64 = 8 << 30;
/// Attempts in all, however much progress each makes.
const MAX_ROUNDS: u32 = 50;
/// The longest connection set-up.
const CONNECT: Duration = Duration::from_secs(15);

impl Default for Manners {
    fn default() -> Manners {
        // 90 s is what elfutils' client allows: a server may have to unpack a package first.
        Manners { patience: Duration::from_secs(90), attempts: 3, pause: Duration::from_secs(1), most: MOST }
    }
}

/// Why a file was not had.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// The server says that it does not have it.
    Absent,
    /// Something else, in words.
    Failed(Prose),
}

/// How one request ended.
enum Round {
    Whole,
    /// Worth another attempt; what happened.
    Broken(Prose),
    Ended(Failure),
}

/// A client; connections are kept between requests.
pub struct Client {
    agent: Agent,
    manners: Manners,
}

impl Client {
    /// Proxies are those of the environment (`http_proxy` and its kin).
    #[must_use]
    pub fn new(manners: Manners) -> Client {
        let config = Agent::config_builder()
            .timeout_connect(Some(CONNECT.min(manners.patience)))
            .timeout_per_read(Some(manners.patience))
            .http_status_as_error(false)
            .user_agent(concat!("kwhy/", env!("CARGO_PKG_VERSION")))
            // A compressed transfer could not be resumed by its position in the file.
            .accept_encoding("identity")
            .build();
        Client { agent: config.new_agent(), manners }
    }

    /// Fetches `url` into `file`, going on from what `file` has.
    ///
    /// # Errors
    /// That the server does not have it, or why it could not be had.
    pub fn download(&self, url: &str, file: &Path, what: &str, watch: &mut dyn Watch) -> Result<(), Failure> {
        let mut failures = 0u32;
        let mut last = prose!(c::GAVE_UP);
        for _ in 0..MAX_ROUNDS {
            let before = length(file);
            let round = match self.round(url, file, what, watch) {
                Ok(round) => round,
                Err(error) => return Err(Failure::Failed(prose!(c::CANNOT_KEEP, error = error.to_string()))),
            };
            match round {
                Round::Whole => {
                    let _ = fs::remove_file(tag_file(file));
                    return Ok(());
                }
                Round::Ended(failure) => return Err(failure),
                Round::Broken(why) => last = why,
            }
            // A server that goes on where it broke off will be done some time.
            failures = if length(file) > before && before > 0 { 0 } else { failures.saturating_add(1) };
            if failures >= self.manners.attempts {
                break;
            }
            std::thread::sleep(self.manners.pause.saturating_mul(1 << failures.min(6)));
        }
        Err(Failure::Failed(last))
    }

    fn round(&self, url: &str, file: &Path, what: &str, watch: &mut dyn Watch) -> io::Result<Round> {
        let have = length(file);
        let mut request = self.agent.get(url);
        if have > 0 {
            request = request.header("Range", format!("bytes={have}-"));
            if let Ok(tag) = fs::read_to_string(tag_file(file)) {
                request = request.header("If-Range", tag.trim());
            }
        }
        let response = match request.call() {
            Ok(response) => response,
            Err(error) => return Ok(Round::Broken(prose!(c::NO_ANSWER, error = error.to_string()))),
        };
        let status = response.status().as_u16();
        let start = match status {
            200 => 0,
            206 if content_range(&response).is_some_and(|(start, _)| start == have) => have,
            // It does not go on where it was asked to: all of it, then.
            206 | 416 => {
                if content_range(&response) == Some((have, Some(have))) && status == 416 {
                    return Ok(Round::Whole);
                }
                fs::remove_file(file)?;
                return Ok(Round::Broken(prose!(c::CANNOT_RESUME)));
            }
            404 | 410 => return Ok(Round::Ended(Failure::Absent)),
            429 | 500..=599 => return Ok(Round::Broken(prose!(c::REFUSED, status = status))),
            _ => return Ok(Round::Ended(Failure::Failed(prose!(c::REFUSED, status = status)))),
        };
        if have == 0 || start == 0 {
            remember_tag(file, &response);
        }
        let total = total(&response, start);
        if total.is_some_and(|total| total > self.manners.most) {
            return Ok(Round::Ended(Failure::Failed(prose!(c::TOO_LARGE, bytes = self.manners.most))));
        }
        let mut to = OpenOptions::new().create(true).write(true).truncate(false).open(file)?;
        to.set_len(start)?;
        to.seek(SeekFrom::Start(start))?;
        self.receive(response, &mut to, start, total, &mut |done| watch.progress(what, done, total))
    }

    fn receive(
        &self,
        response: Response<Body>,
        to: &mut File,
        start: u64,
        total: Option<u64>,
        tell: &mut dyn FnMut(u64),
    ) -> io::Result<Round> {
        let mut source = response.into_body().into_reader();
        let mut buffer = vec![0; 128 << 10];
        let mut done = start;
        loop {
            tell(done);
            let count = match source.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    return Ok(Round::Broken(prose!(c::BROKE_OFF, bytes = done, error = error.to_string())));
                }
            };
            to.write_all(buffer.get(..count).unwrap_or_default())?;
            done = done.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
            if done > self.manners.most {
                return Ok(Round::Ended(Failure::Failed(prose!(c::TOO_LARGE, bytes = self.manners.most))));
            }
        }
        match total {
            Some(total) if done < total => {
                Ok(Round::Broken(prose!(c::CUT_SHORT, bytes = done, total = total)))
            }
            _ => {
                to.sync_data()?;
                Ok(Round::Whole)
            }
        }
    }
}

fn length(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |about| about.len())
}

/// Where the `ETag` of a half-received file is kept.
fn tag_file(file: &Path) -> PathBuf {
    file.with_extension("etag")
}

fn remember_tag(file: &Path, response: &Response<Body>) {
    // A weak tag may stand for other bytes of the same meaning (RFC 9110, 13.1.5).
    let tag = header(response, "etag").filter(|tag| tag.starts_with('"'));
    let _ = match tag {
        Some(tag) => fs::write(tag_file(file), tag),
        None => fs::remove_file(tag_file(file)),
    };
}

fn header<'r>(response: &'r Response<Body>, name: &str) -> Option<&'r str> {
    response.headers().get(name)?.to_str().ok()
}

/// `bytes 100-199/200` → (100, 200); `bytes */200` → (200, 200): nothing is left.
fn content_range(response: &Response<Body>) -> Option<(u64, Option<u64>)> {
    let (range, total) = header(response, "content-range")?.strip_prefix("bytes ")?.split_once('/')?;
    let total = total.parse().ok();
    match range.split_once('-') {
        Some((start, _)) => Some((start.parse().ok()?, total)),
        None => Some((total?, total)),
    }
}

/// How long the file will be, where the server says so.
fn total(response: &Response<Body>, start: u64) -> Option<u64> {
    match response.body().content_length() {
        Some(length) => start.checked_add(length),
        // debuginfod sends large files in chunks, and their size in a header of its own.
        None => header(response, "x-debuginfod-size")?.parse().ok(),
    }
}
