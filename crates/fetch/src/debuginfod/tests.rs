//! Against a server in this process that does what servers do, and against the real one.

use super::*;
use crate::download::Unwatched;
use crate::tests::Folder;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

const ID: &str = "0123456789abcdef0123456789abcdef01234567";

/// A kernel's debug information, as little of it as is one: a build-id, code, and much padding.
pub(crate) fn elf(id: &str, padding: usize) -> Vec<u8> {
    let id = BuildId::from_hex(id).unwrap().0;
    let mut note = Vec::new();
    for word in [4, id.len() as u32, 3] {
        note.extend(word.to_le_bytes());
    }
    note.extend(b"GNU\0");
    note.extend(&id);
    let strings = b"\0.note.gnu.build-id\0.text\0.debug_info\0.shstrtab\0";
    // Not all zeros: what is put together wrongly must show.
    let debug: Vec<u8> = (0..padding).map(|i| (i / 7) as u8).collect();
    let parts: [(u32, u32, u64, &[u8]); 4] =
        [(1, 7, 2, &note), (20, 1, 6, &[0x90; 16]), (26, 1, 0, &debug), (38, 3, 0, strings)];
    let mut bytes = vec![0; 64];
    let mut headers = vec![0; 64];
    for (name, kind, flags, part) in parts {
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        let address: u64 = if flags == 0 { 0 } else { 0xffff_ffff_8100_0000 + bytes.len() as u64 };
        headers.extend(name.to_le_bytes());
        headers.extend(kind.to_le_bytes());
        for field in [flags, address, bytes.len() as u64, part.len() as u64, 0, 4, 0] {
            headers.extend(field.to_le_bytes());
        }
        bytes.extend(part);
    }
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    let table = bytes.len() as u64;
    bytes.extend(headers);
    let mut head = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0\x01\0\0\0".to_vec();
    for field in [0, 0, table] {
        head.extend(u64::to_le_bytes(field));
    }
    head.extend([0; 4]);
    for half in [64u16, 0, 0, 64, 5, 4] {
        head.extend(half.to_le_bytes());
    }
    bytes[..64].copy_from_slice(&head);
    bytes
}

/// What the server does with a connection: the number of the request, its head, the stream.
type Act = Box<dyn Fn(usize, &str, &mut TcpStream) + Send>;

struct Server {
    url: String,
    heads: Arc<Mutex<Vec<String>>>,
}

/// Serves until the test ends; each connection takes one request.
fn serve(act: Act) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let heads = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&heads);
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let Ok(mut stream) = stream else { continue };
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let head: Vec<String> =
                lines.by_ref().map_while(Result::ok).take_while(|l| !l.is_empty()).collect();
            let head = head.join("\n").to_lowercase();
            seen.lock().unwrap().push(head.clone());
            act(number, &head, &mut stream);
        }
    });
    Server { url, heads }
}

fn reply(stream: &mut TcpStream, status: &str, headers: &str, body: &[u8]) {
    let head = format!("HTTP/1.1 {status}\r\n{headers}connection: close\r\n\r\n");
    // A client that hangs up is a client's right.
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(body);
}

/// The whole file, or the rest from where it was asked for.
fn honest(file: &[u8], head: &str, stream: &mut TcpStream) {
    let start: Option<usize> =
        head.lines().find_map(|l| l.strip_prefix("range: bytes=")?.strip_suffix('-')?.parse().ok());
    match start {
        Some(start) => {
            let range = format!("bytes {start}-{}/{}", file.len() - 1, file.len());
            let headers = format!("content-length: {}\r\ncontent-range: {range}\r\n", file.len() - start);
            reply(stream, "206 Partial Content", &headers, &file[start..]);
        }
        None => {
            reply(stream, "200 OK", &format!("content-length: {}\r\netag: \"tag\"\r\n", file.len()), file)
        }
    }
}

fn half(file: &[u8], stream: &mut TcpStream) {
    let headers = format!("content-length: {}\r\netag: \"tag\"\r\n", file.len());
    reply(stream, "200 OK", &headers, &file[..file.len() / 2]);
}

fn quick() -> Manners {
    Manners {
        patience: Duration::from_millis(400),
        attempts: 3,
        pause: Duration::from_millis(1),
        ..Manners::default()
    }
}

fn ask(servers: &[&Server], cache: &Cache) -> Answer {
    let servers = Servers { urls: servers.iter().map(|s| s.url.clone()).collect(), manners: quick() };
    let id = BuildId::from_hex(ID).unwrap();
    let request = Request { build_id: &id, release: Some("6.1.0-9-amd64"), module: None };
    fetch(&servers, cache, &request, &mut Unwatched).unwrap()
}

fn cache(name: &str) -> (Folder, Cache) {
    let folder = Folder::new(name);
    let cache = Cache::at(folder.0.clone(), 1 << 30);
    (folder, cache)
}

fn words(answer: &Answer) -> String {
    answer.failures.iter().map(|f| f.render(kwhy_base::Lang::En)).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_good_server_is_asked_once() {
    let (_folder, cache) = cache("good");
    let file = elf(ID, 300_000);
    let sent = file.clone();
    let server = serve(Box::new(move |_, head, stream| honest(&sent, head, stream)));
    let answer = ask(&[&server], &cache);
    let path = answer.file.clone().unwrap();
    assert_eq!(fs::read(&path).unwrap(), file);
    assert!(path.ends_with(format!("image/{ID}/6.1.0-9-amd64/vmlinux")));
    assert_eq!(answer.server, Some(server.url.clone()));
    let again = ask(&[&server], &cache);
    assert_eq!((again.file, again.server), (Some(path), None));
    assert_eq!(server.heads.lock().unwrap().len(), 1);
    assert!(server.heads.lock().unwrap()[0].starts_with(&format!("get /buildid/{ID}/debuginfo http/1.1")));
}

#[test]
fn one_that_dies_half_way_is_resumed() {
    let (_folder, cache) = cache("dies");
    let file = elf(ID, 300_000);
    let sent = file.clone();
    let server = serve(Box::new(move |number, head, stream| match number {
        0 => half(&sent, stream),
        _ => honest(&sent, head, stream),
    }));
    let answer = ask(&[&server], &cache);
    assert_eq!(fs::read(answer.file.unwrap()).unwrap(), file);
    let heads = server.heads.lock().unwrap();
    assert_eq!(heads.len(), 2);
    assert!(heads[1].contains(&format!("range: bytes={}-", file.len() / 2)), "{}", heads[1]);
    assert!(heads[1].contains("if-range: \"tag\""), "{}", heads[1]);
}

#[test]
fn what_a_dead_kwhy_received_is_resumed() {
    let (_folder, cache) = cache("later");
    let file = elf(ID, 300_000);
    let sent = file.clone();
    let server = serve(Box::new(move |_, head, stream| honest(&sent, head, stream)));
    let partial = cache.scratch(ID).unwrap();
    fs::write(&partial, &file[..1000]).unwrap();
    fs::write(partial.with_extension("url"), format!("{}/buildid/{ID}/debuginfo", server.url)).unwrap();
    assert_eq!(fs::read(ask(&[&server], &cache).file.unwrap()).unwrap(), file);
    assert!(server.heads.lock().unwrap()[0].contains("range: bytes=1000-"));
    // What was received of another file shows when it is opened, and all is asked for anew.
    cache.remove(|_| true).unwrap();
    fs::write(&partial, vec![0xee; 1000]).unwrap();
    fs::write(partial.with_extension("url"), format!("{}/buildid/{ID}/debuginfo", server.url)).unwrap();
    assert_eq!(fs::read(ask(&[&server], &cache).file.unwrap()).unwrap(), file);
    assert!(!server.heads.lock().unwrap().last().unwrap().contains("range:"));
}

#[test]
fn one_that_cannot_resume_is_asked_for_all_of_it() {
    let (_folder, cache) = cache("norange");
    let file = elf(ID, 300_000);
    let sent = file.clone();
    let server = serve(Box::new(move |number, _, stream| match number {
        0 => half(&sent, stream),
        _ => honest(&sent, "", stream),
    }));
    assert_eq!(fs::read(ask(&[&server], &cache).file.unwrap()).unwrap(), file);
}

#[test]
fn one_that_always_dies_is_given_up_and_leaves_nothing_behind_as_an_image() {
    let (_folder, cache) = cache("always");
    let file = elf(ID, 300_000);
    let server = serve(Box::new(move |_, _, stream| half(&file, stream)));
    let answer = ask(&[&server], &cache);
    assert_eq!(answer.file, None);
    assert!(words(&answer).contains(&server.url), "{}", words(&answer));
    assert_eq!(server.heads.lock().unwrap().len(), 3);
    assert_eq!(cache.images(), []);
}

#[test]
fn one_that_says_nothing_is_given_up_and_the_next_is_asked() {
    let (_folder, cache) = cache("silent");
    let file = elf(ID, 1000);
    let held: Mutex<Vec<TcpStream>> = Mutex::new(Vec::new());
    let silent = serve(Box::new(move |_, _, stream| {
        reply(stream, "200 OK", "content-length: 100000\r\n", b"\x7fELF");
        held.lock().unwrap().push(stream.try_clone().unwrap());
    }));
    let none = serve(Box::new(|_, _, stream| reply(stream, "404 Not Found", "content-length: 0\r\n", b"")));
    let good = serve(Box::new(move |_, head, stream| honest(&file, head, stream)));
    let start = std::time::Instant::now();
    let answer = ask(&[&silent, &none, &good], &cache);
    assert_eq!(answer.server, Some(good.url.clone()));
    assert_eq!(answer.failures.len(), 2);
    assert!(words(&answer).contains("does not have it"));
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_slow_one_that_goes_on_is_waited_for() {
    let (_folder, cache) = cache("slow");
    let file = elf(ID, 2000);
    let sent = file.clone();
    let server = serve(Box::new(move |_, _, stream| {
        reply(stream, "200 OK", &format!("content-length: {}\r\n", sent.len()), b"");
        // Longer in all than the patience with any single silence.
        for piece in sent.chunks(sent.len() / 12) {
            std::thread::sleep(Duration::from_millis(60));
            let _ = stream.write_all(piece);
        }
    }));
    assert_eq!(fs::read(ask(&[&server], &cache).file.unwrap()).unwrap(), file);
    assert_eq!(server.heads.lock().unwrap().len(), 1);
}

#[test]
fn the_wrong_file_is_not_kept() {
    for wrong in
        [elf("ffff", 1000), b"<html>not here</html>".to_vec(), elf(ID, 1000)[..500].to_vec(), Vec::new()]
    {
        let (_folder, cache) = cache("wrong");
        let server = serve(Box::new(move |_, _, stream| {
            reply(stream, "200 OK", &format!("content-length: {}\r\n", wrong.len()), &wrong);
        }));
        let answer = ask(&[&server], &cache);
        assert_eq!(answer.file, None);
        assert_eq!(answer.failures.len(), 1, "{}", words(&answer));
        assert_eq!(cache.images(), []);
        assert!(!cache.scratch(ID).unwrap().exists());
    }
}

#[test]
fn more_than_is_allowed_is_not_taken() {
    let (_folder, cache) = cache("large");
    for length in ["content-length: 1000000\r\n", ""] {
        let server = serve(Box::new(move |_, _, stream| reply(stream, "200 OK", length, &[0; 1_000_000])));
        let manners = Manners { most: 10_000, ..quick() };
        let id = BuildId::from_hex(ID).unwrap();
        let servers = Servers { urls: vec![server.url.clone()], manners };
        let request = Request { build_id: &id, release: None, module: None };
        let answer = fetch(&servers, &cache, &request, &mut Unwatched).unwrap();
        assert!(words(&answer).contains("10000"), "{}", words(&answer));
    }
}

#[test]
fn two_at_once_download_once() {
    let (_folder, cache) = cache("two");
    let file = elf(ID, 300_000);
    let server = serve(Box::new(move |_, head, stream| {
        std::thread::sleep(Duration::from_millis(100));
        honest(&file, head, stream);
    }));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| assert!(ask(&[&server], &cache).file.is_some()));
        }
    });
    assert_eq!(server.heads.lock().unwrap().len(), 1);
}

/// Who watches sees where it stands, on from where it broke off, up to the whole.
#[test]
fn how_far_it_is_is_told() {
    struct Seen(Vec<(u64, Option<u64>)>);
    impl Watch for Seen {
        fn progress(&mut self, what: &str, done: u64, total: Option<u64>) {
            assert_eq!(what, "nf_nat.ko");
            self.0.push((done, total));
        }
    }
    let (_folder, cache) = cache("progress");
    let file = elf(ID, 600_000);
    let (sent, length) = (file.clone(), file.len() as u64);
    let server = serve(Box::new(move |number, head, stream| match number {
        0 => half(&sent, stream),
        _ => honest(&sent, head, stream),
    }));
    let servers = Servers { urls: vec![server.url.clone()], manners: quick() };
    let id = BuildId::from_hex(ID).unwrap();
    let request = Request { build_id: &id, release: None, module: Some("nf_nat") };
    let mut seen = Seen(Vec::new());
    assert!(fetch(&servers, &cache, &request, &mut seen).unwrap().file.is_some());
    assert!(seen.0.is_sorted() && seen.0.iter().all(|(_, total)| *total == Some(length)), "{:?}", seen.0);
    assert_eq!((seen.0.first().unwrap().0, seen.0.last().unwrap().0), (0, length));
}

/// A disk that is full, or a cache that cannot be written: told, and nothing is taken for an image.
#[test]
fn a_cache_that_takes_nothing_is_told() {
    let (folder, cache) = cache("full");
    let file = elf(ID, 10_000);
    let server = serve(Box::new(move |_, head, stream| honest(&file, head, stream)));
    // Every write to it fails as on a full disk (ENOSPC).
    let partial = cache.scratch(ID).unwrap();
    let _ = fs::remove_file(&partial);
    if std::os::unix::fs::symlink("/dev/full", &partial).is_err() || !Path::new("/dev/full").exists() {
        println!("SKIPPED: there is no /dev/full");
        return;
    }
    fs::write(partial.with_extension("url"), format!("{}/buildid/{ID}/debuginfo", server.url)).unwrap();
    let answer = ask(&[&server], &cache);
    assert_eq!(answer.file, None);
    assert!(words(&answer).contains("cannot be written"), "{}", words(&answer));
    assert_eq!(cache.images(), []);
    drop(folder);
}

#[test]
fn addresses_are_taken_from_the_variable() {
    assert_eq!(
        urls(" ima:enforcing https://a.example/ \n http://b.example:8002 ftp://c "),
        ["https://a.example", "http://b.example:8002"]
    );
}

/// The server of elfutils (Debian's package debuginfod), over a folder with one image.
#[test]
fn the_real_server_serves_us() {
    let (folder, cache) = cache("real");
    let file = elf(ID, 100_000);
    fs::create_dir_all(folder.0.join("served")).unwrap();
    fs::write(folder.0.join("served/vmlinux"), &file).unwrap();
    // A port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let started = std::process::Command::new("debuginfod")
        .args(["-d", ":memory:", "-p", &port.to_string(), "-F"])
        .arg(folder.0.join("served"))
        .env_remove("DEBUGINFOD_URLS")
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn();
    let mut server = match started {
        Ok(server) => server,
        Err(error) => {
            println!("SKIPPED: debuginfod (Debian package debuginfod) cannot be started: {error}");
            return;
        }
    };
    let real = Server { url: format!("http://127.0.0.1:{port}"), heads: Arc::default() };
    // It indexes the folder after it has begun to answer.
    let answer = (0..100).map(|_| ask(&[&real], &cache)).find(|answer| {
        let there = answer.file.is_some();
        if !there {
            std::thread::sleep(Duration::from_millis(200));
        }
        there
    });
    server.kill().unwrap();
    server.wait().unwrap();
    assert_eq!(fs::read(answer.unwrap().file.unwrap()).unwrap(), file);
}
