//! An image with a shelf answers as one without, whatever the shelf holds.

#![allow(missing_docs, clippy::unwrap_used)]

use kwhy_image::Image;
use kwhy_image::index::{Kept, Shelf, seal};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// A shelf in memory.
#[derive(Default)]
struct Memory(Mutex<BTreeMap<(String, String), Kept>>);

impl Shelf for Memory {
    fn get(&self, image: &str, name: &str) -> Option<Kept> {
        self.0.lock().unwrap().get(&(image.to_owned(), name.to_owned())).cloned()
    }
    fn put(&self, image: &str, name: &str, bytes: Kept) {
        self.0.lock().unwrap().insert((image.to_owned(), name.to_owned()), bytes);
    }
}

impl Memory {
    fn changed(&self, change: impl Fn(&str, &[u8]) -> Vec<u8>) -> Memory {
        let all = self.0.lock().unwrap();
        let changed =
            all.iter().map(|(key, kept)| (key.clone(), Arc::new(change(&key.1, (**kept).as_ref())) as Kept));
        Memory(Mutex::new(changed.collect()))
    }

    fn names(&self) -> Vec<String> {
        self.0.lock().unwrap().keys().map(|(_, name)| name.clone()).collect()
    }
}

fn kernels() -> Vec<Vec<u8>> {
    let seeds = format!("{}/../../fuzz/seeds", env!("CARGO_MANIFEST_DIR"));
    ["x86_64", "arm64"].iter().map(|arch| std::fs::read(format!("{seeds}/kernel-{arch}")).unwrap()).collect()
}

/// Every question that a table or a kept answer stands behind.
fn answers(data: &[u8], shelf: Option<&dyn Shelf>) -> String {
    let image = Image::parse(data).unwrap().with_shelf(shelf);
    let mut out = String::new();
    let symbols = image.symbols_where(&|_| true);
    assert!(symbols.len() > 5);
    for symbol in &symbols {
        let named = image.symbols_named(&symbol.name);
        let inside = kwhy_base::ImageAddr(symbol.address.0 + symbol.size / 2);
        let (at, source) = (image.symbol_at(inside), image.source_at(inside));
        let naming = image.places_naming(&symbol.name);
        out.push_str(&format!("{symbol:?} {named:?} {at:?} {source:?} {naming:?}\n"));
        out.push_str(&format!("{:?}\n", image.function_at(inside).map(|f| f.name.clone())));
    }
    for name in ["", "no_such_symbol", "walk"] {
        out.push_str(&format!("{:?}\n", image.symbols_named(name)));
    }
    out.push_str(&format!("{:?} {:?}", image.function_addresses(), image.problems()));
    out
}

#[test]
fn a_shelf_changes_no_answer_and_is_filled() {
    for data in kernels() {
        let without = answers(&data, None);
        let shelf = Memory::default();
        assert_eq!(answers(&data, Some(&shelf)), without);
        let names = shelf.names();
        for table in ["symbols.addresses", "symbols.names", "units.ranges", "units.spans"] {
            assert!(names.iter().any(|name| name == table), "{table} of {names:?}");
        }
        assert!(names.iter().any(|name| name.starts_with("?source")), "{names:?}");
        assert_eq!(answers(&data, Some(&shelf)), without);
    }
}

#[test]
fn damage_changes_no_answer() {
    let data = &kernels()[0];
    let without = answers(data, None);
    let shelf = Memory::default();
    answers(data, Some(&shelf));
    for cut in [0, 1, 8, 31, 63, 64, 65, 200] {
        let cut = shelf.changed(|_, bytes| bytes[..cut.min(bytes.len().saturating_sub(1))].to_vec());
        assert_eq!(answers(data, Some(&cut)), without);
    }
    for step in [1_usize, 3, 7, 50] {
        let damaged = shelf.changed(|_, bytes| {
            let damage =
                |(at, byte): (usize, &u8)| if at % (step * 13) == step { byte ^ 0x41 } else { *byte };
            bytes.iter().enumerate().map(damage).collect()
        });
        assert_eq!(answers(data, Some(&damaged)), without);
    }
    // Each under another's name.
    let first = shelf.0.lock().unwrap().values().next().cloned().unwrap();
    let swapped = shelf.changed(|_, _| (*first).as_ref().to_vec());
    assert_eq!(answers(data, Some(&swapped)), without);
}

#[test]
fn tables_that_lie_do_no_harm() {
    let data = &kernels()[0];
    let shelf = Memory::default();
    answers(data, Some(&shelf));
    for byte in [0_u8, 1, 0x7f, 0xff] {
        for len in [0, 1, 24, 4096, 70_000] {
            let lying = shelf.changed(|name, _| seal(name, &vec![byte; len]));
            assert!(!answers(data, Some(&lying)).is_empty());
        }
    }
}

#[test]
fn another_file_of_the_same_build_id_has_a_place_of_its_own() {
    let data = &kernels()[0];
    let shelf = Memory::default();
    answers(data, Some(&shelf));
    // The same headers with other code: a forged build-id.
    let image = Image::parse(data).unwrap();
    let (_, code) = image.code_sections().into_iter().max_by_key(|(_, code)| code.len()).unwrap();
    let at = data.windows(code.len()).position(|window| window == code).unwrap();
    let mut forged = data.clone();
    forged[at] ^= 0xff;
    let keys = || shelf.0.lock().unwrap().keys().map(|(image, _)| image.clone()).collect::<Vec<_>>();
    let before = keys();
    answers(&forged, Some(&shelf));
    assert!(keys().len() > before.len());
    let longer = [data.clone(), vec![0]].concat();
    let before = keys();
    answers(&longer, Some(&shelf));
    assert!(keys().len() > before.len());
}
