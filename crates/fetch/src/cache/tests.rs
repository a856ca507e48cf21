use super::*;
use crate::tests::Folder;
use kwhy_base::BuildId;

const VERSION: u32 = 3;

fn cache(name: &str, limit: u64) -> (Folder, Cache) {
    let folder = Folder::new(name);
    let cache = Cache::at(folder.0.join("cache"), limit);
    (folder, cache)
}

fn age(cache: &Cache, kind: Kind, key: &str, seconds: u64) {
    let file = fs::File::open(cache.path(kind, key).unwrap()).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
}

#[test]
fn what_was_put_is_got_by_the_same_kind_key_and_version_only() {
    let (_folder, cache) = cache("put", 1 << 20);
    assert!(cache.get(Kind::Index, "abcd", VERSION).is_none());
    cache.put(Kind::Index, "abcd", VERSION, b"bytes").unwrap();
    assert_eq!(&*cache.get(Kind::Index, "abcd", VERSION).unwrap(), b"bytes");
    assert!(cache.get(Kind::Index, "abce", VERSION).is_none());
    assert!(cache.get(Kind::Image, "abcd", VERSION).is_none());
    cache.put(Kind::Index, "empty", VERSION, b"").unwrap();
    assert_eq!(&*cache.get(Kind::Index, "empty", VERSION).unwrap(), b"");
    // An outdated entry is absent, and gone.
    assert!(cache.get(Kind::Index, "abcd", VERSION + 1).is_none());
    assert!(cache.get(Kind::Index, "abcd", VERSION).is_none());
}

#[test]
fn damage_counts_as_absent() {
    let (_folder, cache) = cache("damage", 1 << 20);
    let path = cache.path(Kind::Index, "abcd").unwrap();
    cache.put(Kind::Index, "abcd", VERSION, &[7; 100]).unwrap();
    let whole = fs::read(&path).unwrap();
    for length in [0, 1, 63, 64, 100, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        assert!(cache.get(Kind::Index, "abcd", VERSION).is_none(), "cut to {length}");
    }
    for place in 0..whole.len() {
        let mut altered = whole.clone();
        altered[place] ^= 0x10;
        fs::write(&path, &altered).unwrap();
        assert!(cache.get(Kind::Index, "abcd", VERSION).is_none(), "byte {place}");
    }
    fs::write(&path, [&whole[..], b"more"].concat()).unwrap();
    assert!(cache.get(Kind::Index, "abcd", VERSION).is_none(), "too long");
    // Another key's entry under this name.
    fs::write(cache.path(Kind::Index, "other").unwrap(), &whole).unwrap();
    assert!(cache.get(Kind::Index, "other", VERSION).is_none());
    fs::write(&path, &whole).unwrap();
    assert!(cache.get(Kind::Index, "abcd", VERSION).is_some());
}

#[test]
fn keys_stay_in_their_folder() {
    let (_folder, cache) = cache("keys", 1 << 20);
    for key in ["", "..", ".", ".hidden", "a/b", "../../etc/passwd", "a\0b", &"a".repeat(201)] {
        assert!(cache.path(Kind::Index, key).is_none(), "{key:?}");
        assert!(cache.put(Kind::Index, key, VERSION, b"x").is_err(), "{key:?}");
    }
    let id = BuildId::from_hex("abcd").unwrap();
    for (release, name) in [(Some("../../.."), "vmlinux"), (None, "../vmlinux"), (Some(""), "vmlinux")] {
        let incoming = Incoming { build_id: &id, release, name };
        assert!(cache.put_image(&incoming, &mut &b"x"[..]).is_err());
    }
}

#[test]
fn the_least_recently_used_goes_first() {
    let (_folder, cache) = cache("evict", 1000);
    for (key, seconds) in [("old", 3000), ("older", 4000), ("young", 2000)] {
        cache.put(Kind::Index, key, VERSION, &[0; 200]).unwrap();
        age(&cache, Kind::Index, key, seconds);
    }
    // Using the oldest makes it the youngest.
    assert!(cache.get(Kind::Index, "older", VERSION).is_some());
    cache.put(Kind::Index, "new", VERSION, &[0; 200]).unwrap();
    let keys = |cache: &Cache| cache.list().into_iter().map(|entry| entry.key).collect::<Vec<_>>();
    assert_eq!(keys(&cache), ["new", "older", "young"]);
    // What was just written stays even if it alone is too large.
    cache.put(Kind::Index, "huge", VERSION, &[0; 5000]).unwrap();
    assert_eq!(keys(&cache), ["huge"]);
    assert!(cache.get(Kind::Index, "huge", VERSION).is_some());
}

#[test]
fn what_was_fetched_together_stays_together() {
    let (_folder, cache) = cache("together", 1000);
    let put = |id: &str, name: &str| {
        let id = BuildId::from_hex(id).unwrap();
        let incoming = Incoming { build_id: &id, release: None, name };
        cache.put_image(&incoming, &mut &[0; 800][..]).unwrap()
    };
    let old = put("aa", "vmlinux");
    fs::File::open(&old).unwrap().set_modified(SystemTime::now() - Duration::from_secs(7200)).unwrap();
    let (kernel, module) = (put("ab", "vmlinux"), put("ac", "nf_nat.ko.debug"));
    assert!(kernel.exists() && module.exists() && !old.exists());
}

#[test]
fn a_mapped_entry_outlives_its_removal() {
    let (_folder, cache) = cache("outlives", 1 << 20);
    cache.put(Kind::Index, "abcd", VERSION, &[9; 10_000]).unwrap();
    let blob = cache.get(Kind::Index, "abcd", VERSION).unwrap();
    cache.put(Kind::Index, "abcd", VERSION, b"other").unwrap();
    assert_eq!(cache.remove(|_| true).unwrap().len(), 1);
    assert!(blob.iter().all(|byte| *byte == 9) && blob.len() == 10_000);
    assert_eq!(cache.list(), []);
}

#[test]
fn many_writers_and_readers_at_once_see_whole_entries_only() {
    let (_folder, cache) = cache("writers", 1 << 20);
    std::thread::scope(|scope| {
        for writer in 0..4u8 {
            let cache = &cache;
            scope.spawn(move || {
                for round in 0..25 {
                    let length = 1000 + usize::from(writer) * 100 + round;
                    cache.put(Kind::Index, "shared", VERSION, &vec![writer; length]).unwrap();
                    if let Some(blob) = cache.get(Kind::Index, "shared", VERSION) {
                        let first = blob[0];
                        assert!(blob.len() >= 1000 && blob.iter().all(|byte| *byte == first));
                    }
                }
            });
        }
    });
    assert!(cache.get(Kind::Index, "shared", VERSION).is_some());
    // Nothing half written is left.
    assert_eq!(fs::read_dir(cache.folder(Kind::Index)).unwrap().count(), 1);
}

#[test]
fn images_are_plain_files_by_build_id_and_release() {
    let (_folder, cache) = cache("images", 1 << 20);
    let id = BuildId::from_hex("abcdef").unwrap();
    let incoming = Incoming { build_id: &id, release: Some("6.1.0-56-amd64"), name: "vmlinux" };
    let path = cache.put_image(&incoming, &mut &b"ELF"[..]).unwrap();
    assert!(path.ends_with("image/abcdef/6.1.0-56-amd64/vmlinux"));
    assert_eq!(fs::read(&path).unwrap(), b"ELF");
    let image = cache.image(&id).unwrap();
    assert_eq!((image.release.as_deref(), &image.path), (Some("6.1.0-56-amd64"), &path));
    assert_eq!(cache.images(), [image]);
    assert_eq!(cache.image(&BuildId::from_hex("ab").unwrap()), None);
    let listed = cache.list();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].size, listed[0].holds.as_slice()), (3, &["6.1.0-56-amd64/vmlinux".to_owned()][..]));
}

#[test]
fn a_cache_that_cannot_be_written_does_no_harm() {
    let folder = Folder::new("readonly");
    fs::write(folder.0.join("file"), b"").unwrap();
    // A file stands where the folder should be.
    let cache = Cache::at(folder.0.join("file"), 1 << 20);
    assert!(cache.put(Kind::Index, "abcd", VERSION, b"x").is_err());
    assert!(cache.get(Kind::Index, "abcd", VERSION).is_none());
    assert_eq!(cache.list(), []);
}

#[test]
fn the_folder_is_where_the_environment_says() {
    let look = |set: &'static [(&'static str, &'static str)]| {
        folder(move |name| set.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into()))
    };
    assert_eq!(look(&[("KWHY_CACHE_DIR", "/a"), ("HOME", "/h")]), Some("/a".into()));
    assert_eq!(look(&[("XDG_CACHE_HOME", "/x"), ("HOME", "/h")]), Some("/x/kwhy".into()));
    assert_eq!(look(&[("XDG_CACHE_HOME", "relative"), ("HOME", "/h")]), Some("/h/.cache/kwhy".into()));
    assert_eq!(look(&[("KWHY_CACHE_DIR", ""), ("HOME", "/h")]), Some("/h/.cache/kwhy".into()));
    assert_eq!(look(&[]), None);
}

#[test]
fn sizes_are_read_as_people_write_them() {
    for (text, size) in
        [("0", 0), ("500", 500), ("2K", 2048), ("10G", 10 << 30), ("1 GiB", 1 << 30), ("3mb", 3 << 20)]
    {
        assert_eq!(parse_size(text), Some(size), "{text}");
    }
    for text in ["", "G", "-1", "1.5G", "10X", "99999999999T"] {
        assert_eq!(parse_size(text), None, "{text}");
    }
}
