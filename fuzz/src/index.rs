//! What a shelf may hold: what an honest run left there and something damaged, or tables that are
//! whole and say anything.

use kwhy_base::ImageAddr;
use kwhy_flow::calls::Calls;
use kwhy_image::Image;
use kwhy_image::index::{Kept, Shelf, seal};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

/// Two small kernels, each with DWARF.
const KERNELS: [&[u8]; 2] =
    [include_bytes!("../seeds/kernel-x86_64"), include_bytes!("../seeds/kernel-arm64")];

/// A shelf in memory.
#[derive(Default)]
struct Memory(Mutex<BTreeMap<String, Kept>>);

impl Shelf for Memory {
    fn get(&self, _image: &str, name: &str) -> Option<Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }
    fn put(&self, _image: &str, name: &str, bytes: Kept) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), bytes);
    }
}

impl Memory {
    fn changed(&self, mut change: impl FnMut(usize, &str, &[u8]) -> Vec<u8>) -> Memory {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = all.iter().enumerate().map(|(number, (name, kept))| {
            (name.clone(), Arc::new(change(number, name, (**kept).as_ref())) as Kept)
        });
        Memory(Mutex::new(changed.collect()))
    }
}

/// Puts the questions that tables and kept answers stand behind to an image.
fn answers(data: &[u8], shelf: Option<&dyn Shelf>) -> String {
    let mut out = String::new();
    let Ok(image) = Image::parse(data).map(|image| image.with_shelf(shelf)) else { return out };
    let calls = Calls::scan(&image);
    for symbol in image.symbols_where(&|_| true).into_iter().take(64) {
        let inside = ImageAddr(symbol.address.0.wrapping_add(symbol.size / 2));
        let _ = write!(out, "{:?} {:?} ", image.symbols_named(&symbol.name), image.symbol_at(inside));
        let _ = write!(out, "{:?} {:?} ", image.source_at(inside), image.places_naming(&symbol.name));
        let _ = write!(out, "{:?} {:?} ", calls.of(symbol.address), calls.from(symbol.address));
        let _ = writeln!(out, "{:?}", image.function_at(inside).map(|function| function.name.clone()));
    }
    for name in ["struct thing", "struct list_head", "no such type"] {
        let _ = writeln!(out, "{:?}", image.find_type(name).map(|id| image.type_name(id)));
    }
    let _ = writeln!(out, "{:?} {:?}", image.function_addresses(), image.problems());
    out
}

/// Asks with both. What is damaged is noticed, so every answer is the same; what lies may be
/// believed, and does no more harm than that.
pub fn ask(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    let Some(kernel) = KERNELS.get(usize::from(first & 1)) else { return };
    let honest = Memory::default();
    let right = answers(kernel, Some(&honest));
    assert_eq!(right, answers(kernel, Some(&honest)));
    if first & 2 == 0 {
        let damaged = honest.changed(|number, _, bytes| {
            let mut bytes = bytes.to_vec();
            for step in rest.chunks_exact(4).filter(|step| usize::from(step[0]) % 16 == number % 16) {
                let at = usize::from(u16::from_le_bytes([step[1], step[2]]));
                if step[0] & 0x80 != 0 {
                    bytes.truncate(at);
                } else if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= step[3];
                }
            }
            bytes
        });
        assert_eq!(right, answers(kernel, Some(&damaged)));
    } else {
        // Each table's own length, as the input goes round in it.
        let lying = honest.changed(|number, name, bytes| {
            let length = bytes.len().wrapping_mul(1 + number % 3) / 2;
            let content: Vec<u8> = rest.iter().copied().cycle().skip(number * 5).take(length).collect();
            seal(name, if rest.is_empty() { &[] } else { &content })
        });
        let _ = answers(kernel, Some(&lying));
    }
}
