//! A file from a web server, fetched in stretches, so that an interrupted fetch goes on where it stopped.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fs4::{FileExt, TryLockError};
use interlingua_model::{Error, ErrorKind};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Body, http};

use super::{Progress, disk, file_name};

/// How much is asked for at once.
const STRETCH: u64 = 2 << 20;
/// How long a stretch may take; what had come of it by then is kept.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long to wait before asking again, times the tries so far.
pub(super) const PAUSE: Duration = Duration::from_secs(2);
/// How often in a row nothing may come.
const TRIES: u32 = 3;

/// Why a file did not come.
#[derive(Debug)]
pub(super) enum Stopped {
    /// The server cannot be reached from here, or does not serve stretches: another way must be taken.
    Unsuited,
    /// It began and could not be ended. What has come is kept.
    Failed(Error),
}

/// What has come of a file. One process at a time holds it.
#[derive(Debug)]
pub(super) struct Part {
    path: PathBuf,
    file: File,
}

/// Where a stretch begins, and how long the whole is.
#[derive(Debug, PartialEq, Clone, Copy)]
struct Place {
    start: u64,
    total: u64,
}

impl Part {
    /// Takes hold of what has come of a file, or of an empty one; `None` while another process holds it.
    pub(super) fn claim(folder: &Path, name: &str) -> Result<Option<Self>, Error> {
        let path = folder.join(format!("{name}.part"));
        let opened = OpenOptions::new().read(true).append(true).create(true).open(&path);
        let file = opened.map_err(|error| disk(&path, &error))?;
        match FileExt::try_lock(&file) {
            Ok(()) => Ok(Some(Self { path, file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(disk(&path, &error)),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the file unless something is in it.
    pub(super) fn remove_empty(&self) {
        if self.len().is_ok_and(|length| length == 0) {
            self.remove();
        }
    }

    /// Removes the file. That it stays behind harms nobody.
    pub(super) fn remove(&self) {
        let _ = fs::remove_file(&self.path);
    }

    /// Fetches what is missing, with a pause before a stretch of which nothing came is asked for again.
    pub(super) fn fetch(
        &self,
        address: &str,
        pause: Duration,
        progress: Progress<'_>,
    ) -> Result<(), Stopped> {
        let agent = agent();
        let (mut tries, mut total) = (0, None);
        loop {
            let have = self.len()?;
            if total.is_some_and(|total| have >= total) {
                return self.file.sync_all().map_err(|error| self.failed(&error));
            }
            match self.stretch(&agent, address, have, progress) {
                Ok(whole) => total = Some(whole),
                // It has worked before, so it may again.
                Err(Stopped::Unsuited) if total.is_some() => {}
                Err(stopped) => return Err(stopped),
            }
            if self.len()? > have {
                tries = 0;
                continue;
            }
            tries += 1;
            if tries == TRIES {
                return Err(self.cut(have, total));
            }
            std::thread::sleep(pause * tries);
        }
    }

    /// Fetches one stretch, or as much of it as comes, and returns the size of the whole.
    fn stretch(
        &self,
        agent: &Agent,
        address: &str,
        have: u64,
        progress: Progress<'_>,
    ) -> Result<u64, Stopped> {
        let last = have + STRETCH - 1;
        let answer = agent.get(address).header("range", format!("bytes={have}-{last}")).call();
        let answer = answer.map_err(|_| Stopped::Unsuited)?;
        let place = place(&answer, have).ok_or(Stopped::Unsuited)?;
        if place.start == have {
            let mut body = answer.into_body().into_reader().take(STRETCH.min(place.total - have));
            self.append(&mut body, &|done| progress(have + done, place.total))?;
        } else {
            // What is here is longer than the file, so it is not of this file.
            self.file.set_len(0).map_err(|error| self.failed(&error))?;
        }
        Ok(place.total)
    }

    /// Keeps all that comes. That no more comes is seen by the caller.
    fn append(&self, body: &mut dyn Read, kept: &dyn Fn(u64)) -> Result<(), Stopped> {
        let (mut buffer, mut done, mut file) = (vec![0; 1 << 16], 0, &self.file);
        while let Ok(count @ 1..) = body.read(&mut buffer) {
            let bytes = buffer.get(..count).unwrap_or_default();
            file.write_all(bytes).map_err(|error| self.failed(&error))?;
            done += count as u64;
            kept(done);
        }
        Ok(())
    }

    fn len(&self) -> Result<u64, Stopped> {
        self.file.metadata().map(|file| file.len()).map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &io::Error) -> Stopped {
        Stopped::Failed(disk(&self.path, error))
    }

    fn cut(&self, have: u64, total: Option<u64>) -> Stopped {
        let of = total.map_or_else(String::new, |total| format!(" of {total}"));
        let message = format!(
            "{} was cut after {have}{of} bytes, which are kept; try again to fetch the rest",
            file_name(&self.path)
        );
        Stopped::Failed(Error::new(ErrorKind::Connect, message))
    }
}

/// Where the bytes of an answer belong; `None` when the server does not serve the stretch that was asked for.
fn place(answer: &http::Response<Body>, have: u64) -> Option<Place> {
    let range = answer.headers().get("content-range")?.to_str().ok()?.strip_prefix("bytes ")?;
    let (stretch, total) = range.split_once('/')?;
    let total = total.parse().ok()?;
    match answer.status().as_u16() {
        206 => {
            let start = stretch.split_once('-')?.0.parse().ok()?;
            (start == have && total > have).then_some(Place { start, total })
        }
        // Nothing lies behind what is here: it is whole, or too long.
        416 if have > 0 => Some(Place { start: if total == have { have } else { 0 }, total }),
        _ => None,
    }
}

/// A client that trusts whom the machine trusts, and takes the proxies of the environment.
fn agent() -> Agent {
    let found = rustls_native_certs::load_native_certs().certs;
    let roots: Vec<_> = found.iter().map(|root| Certificate::from_der(root).to_owned()).collect();
    let roots = if roots.is_empty() { RootCerts::WebPki } else { RootCerts::Specific(Arc::new(roots)) };
    let tls = TlsConfig::builder().root_certs(roots).build();
    let settings = Agent::config_builder()
        .tls_config(tls)
        .http_status_as_error(false)
        .timeout_connect(Some(Duration::from_secs(10)))
        .timeout_global(Some(PATIENCE));
    settings.build().new_agent()
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::{TcpListener, TcpStream};
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use super::{Part, Stopped};

    static COUNT: AtomicUsize = AtomicUsize::new(0);

    /// A folder for one test.
    struct Folder(PathBuf);

    impl Folder {
        fn new() -> Self {
            let name =
                format!("interlingua-part-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
            let path = std::env::temp_dir().join(name);
            std::fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn part(&self) -> Part {
            Part::claim(&self.0, "file").unwrap().unwrap()
        }

        fn kept(&self) -> Vec<u8> {
            std::fs::read(self.0.join("file.part")).unwrap()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            std::fs::remove_dir_all(&self.0).unwrap();
        }
    }

    /// What a server has of the file.
    fn content() -> Vec<u8> {
        (0..(5_u32 << 20) / 4).flat_map(u32::to_le_bytes).collect()
    }

    /// How the server answers the n-th request for the bytes from a start on: the head, and how many of the bytes.
    type Manner = fn(usize, usize) -> (String, usize);

    fn stretches(_: usize, start: usize) -> (String, usize) {
        let (total, length) = (content().len(), (2 << 20).min(content().len().saturating_sub(start)));
        if length == 0 {
            let head =
                format!("416 Range Not Satisfiable\r\ncontent-range: bytes */{total}\r\ncontent-length: 0");
            return (head, 0);
        }
        let end = start + length - 1;
        let range = format!("content-range: bytes {start}-{end}/{total}");
        (format!("206 Partial Content\r\n{range}\r\ncontent-length: {length}"), length)
    }

    /// Serves on loopback, and says where each request began.
    fn serve(manner: Manner) -> (String, Arc<Mutex<Vec<usize>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/file", listener.local_addr().unwrap());
        let starts = Arc::<Mutex<Vec<usize>>>::default();
        let seen = Arc::clone(&starts);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.unwrap(), manner, &seen);
            }
        });
        (address, starts)
    }

    fn answer(mut stream: TcpStream, manner: Manner, seen: &Mutex<Vec<usize>>) {
        let lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
        let head: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
        let range = head.iter().find_map(|line| line.strip_prefix("range: bytes=")).unwrap();
        let start: usize = range.split_once('-').unwrap().0.parse().unwrap();
        let number = seen.lock().unwrap().len();
        seen.lock().unwrap().push(start);
        let (head, length) = manner(number, start);
        let bytes = content();
        write!(stream, "HTTP/1.1 {head}\r\nconnection: close\r\n\r\n").unwrap();
        // The client may have gone.
        let _ = stream.write_all(bytes.get(start..start + length).unwrap_or_default());
    }

    fn fetch(part: &Part, address: &str) -> Result<(), Stopped> {
        part.fetch(address, Duration::ZERO, &|_, _| {})
    }

    #[test]
    fn a_file_comes_in_stretches() {
        let (folder, (address, starts)) = (Folder::new(), serve(stretches));
        fetch(&folder.part(), &address).unwrap();
        assert_eq!(folder.kept(), content());
        assert_eq!(*starts.lock().unwrap(), [0, 2 << 20, 4 << 20]);
    }

    #[test]
    fn an_interrupted_fetch_goes_on_where_it_stopped() {
        let (folder, (address, starts)) = (Folder::new(), serve(stretches));
        std::fs::write(folder.0.join("file.part"), &content()[..4_000_001]).unwrap();
        fetch(&folder.part(), &address).unwrap();
        assert_eq!(folder.kept(), content());
        assert_eq!(*starts.lock().unwrap(), [4_000_001]);
    }

    #[test]
    fn a_cut_stretch_is_continued_in_the_same_run() {
        fn cut(number: usize, start: usize) -> (String, usize) {
            let (head, length) = stretches(number, start);
            (head, if number == 0 { 1000 } else { length })
        }
        let (folder, (address, starts)) = (Folder::new(), serve(cut));
        fetch(&folder.part(), &address).unwrap();
        assert_eq!(folder.kept(), content());
        assert_eq!(starts.lock().unwrap()[..2], [0, 1000]);
    }

    #[test]
    fn what_is_whole_is_not_fetched_and_what_is_too_long_begins_anew() {
        let (folder, (address, starts)) = (Folder::new(), serve(stretches));
        fetch(&folder.part(), &address).unwrap();
        fetch(&folder.part(), &address).unwrap();
        assert_eq!(starts.lock().unwrap().split_off(3), [content().len()]);
        std::fs::write(folder.0.join("file.part"), [content(), vec![0]].concat()).unwrap();
        fetch(&folder.part(), &address).unwrap();
        assert_eq!(folder.kept(), content());
    }

    #[test]
    fn what_came_is_kept_when_no_more_comes() {
        fn dies(number: usize, start: usize) -> (String, usize) {
            let (head, length) = stretches(number, start);
            (head, if number == 0 { length } else { 0 })
        }
        let (folder, (address, starts)) = (Folder::new(), serve(dies));
        let Err(Stopped::Failed(error)) = fetch(&folder.part(), &address) else { panic!("no error") };
        assert!(error.message().contains("cut after 2097152 of 5242880 bytes"), "{error}");
        assert_eq!((folder.kept().len(), starts.lock().unwrap().len()), (2 << 20, 4));
    }

    #[test]
    fn who_serves_no_stretches_is_left_to_others() {
        let refusals: [Manner; 3] = [
            |_, _| ("200 OK\r\ncontent-length: 1000".into(), 1000),
            |_, _| ("403 Forbidden\r\ncontent-length: 0".into(), 0),
            |_, _| ("206 Partial Content\r\ncontent-range: bytes 7-9/90\r\ncontent-length: 3".into(), 3),
        ];
        for manner in refusals {
            let (folder, (address, _)) = (Folder::new(), serve(manner));
            assert!(matches!(fetch(&folder.part(), &address), Err(Stopped::Unsuited)));
            assert!(folder.kept().is_empty());
        }
    }

    #[test]
    fn one_holds_the_file_at_a_time() {
        let folder = Folder::new();
        let part = folder.part();
        assert!(Part::claim(&folder.0, "file").unwrap().is_none());
        drop(part);
        assert!(Part::claim(&folder.0, "file").unwrap().is_some());
    }
}
