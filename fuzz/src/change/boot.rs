//! Changes to boot images and to BTF: inside the tables, and what is wrapped around them.

use super::Numbers;
use std::ops::Range;

/// Where the parts of a raw kernel are that mean something: its header, and what stands around
/// the tokens of its kallsyms.
fn parts(data: &[u8]) -> Vec<Range<usize>> {
    let digits = b"0\x001\x002\x003\x004\x00";
    let mut found = vec![0..data.len().min(64), 0..data.len()];
    if let Some(at) = data.windows(digits.len()).position(|window| window == digits) {
        let index = data[at..].windows(4).position(|window| window == b"~\0\0\0").unwrap_or(800);
        found.extend([
            at.saturating_sub(300)..at,
            at.saturating_sub(4096)..at,
            at..(at + index).min(data.len()),
            (at + index).min(data.len())..(at + index + 600).min(data.len()),
            (at + index).min(data.len())..data.len(),
        ]);
    }
    if let Some(at) = data.windows(4).position(|window| window == b"\x9f\xeb\x01\0") {
        found.extend([at..(at + 24).min(data.len()), at..data.len()]);
    }
    found
}

/// Changes words and bytes of a part.
pub(super) fn changed(data: &mut [u8], numbers: &mut Numbers) {
    let parts = parts(data);
    let part = parts[numbers.below(parts.len())].clone();
    let Some(part) = data.get_mut(part).filter(|part| !part.is_empty()) else { return };
    for _ in 0..1 + numbers.below(6) {
        let at = numbers.below(part.len());
        match numbers.below(6) {
            0 => part[at] ^= 1 << numbers.below(8),
            1 => part[at] = [0, 1, 0x7f, 0x80, 0xff][numbers.below(5)],
            2 => part[at] = part[at].wrapping_add([1, 0xff, 4, 0xfc][numbers.below(4)]),
            3 => {
                let (from, length) = (numbers.below(part.len()), 1 + numbers.below(24));
                let copy: Vec<u8> = part[from..].iter().take(length).copied().collect();
                part[at..].iter_mut().zip(copy).for_each(|(to, byte)| *to = byte);
            }
            4 => {
                let value = [0, 1, u64::MAX, 1 << 63, 1 << 31, 0x7fff_ffff, 64, 1 << 16][numbers.below(8)];
                let at = at & !3;
                part[at..].iter_mut().zip(&value.to_le_bytes()[..4]).for_each(|(to, byte)| *to = *byte);
            }
            _ => part[at..].iter_mut().take(1 + numbers.below(64)).for_each(|byte| *byte = 0),
        }
    }
}

/// A block of lz4's that has nothing but literals.
fn stored(data: &[u8]) -> Vec<u8> {
    let mut block = vec![if data.len() < 15 { (data.len() as u8) << 4 } else { 0xf0 }];
    if let Some(mut rest) = data.len().checked_sub(15) {
        while rest >= 255 {
            block.push(255);
            rest -= 255;
        }
        block.push(rest as u8);
    }
    block.extend_from_slice(data);
    block
}

/// Something around `data`.
pub(super) fn wrapped(data: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let size = (data.len() as u32).wrapping_add([0, 0, 0, 1, 4096, u32::MAX][numbers.below(6)]);
    let mut file = Vec::new();
    match numbers.below(6) {
        0 => {
            let block = stored(data);
            file.extend(b"\x02\x21\x4c\x18");
            file.extend((block.len() as u32).to_le_bytes());
            file.extend(block);
            file.extend(size.to_le_bytes());
            return file;
        }
        1 => {
            file.resize(64, 0);
            file[..8].copy_from_slice(b"MZ\0\0zimg");
            file[8] = 64;
            file[12..16].copy_from_slice(&size.to_le_bytes());
        }
        2 => {
            file.resize(1024, 0);
            file[0x1f1] = 1;
            file[0x202..0x206].copy_from_slice(b"HdrS");
            file[0x207] = 2;
            file[0x206] = 0xf;
            file[0x24c..0x250].copy_from_slice(&size.to_le_bytes());
        }
        3 => {
            file.resize(64, 0);
            file[..4].copy_from_slice(b"\x27\x05\x19\x56");
            file[12..16].copy_from_slice(&size.to_be_bytes());
        }
        4 => {
            file.resize(4096, 0);
            file[..8].copy_from_slice(b"ANDROID!");
            file[8..12].copy_from_slice(&size.to_le_bytes());
            file[40] = 4;
        }
        _ => {
            file.resize(0x100, 0);
            file[..2].copy_from_slice(b"MZ");
            file[0x3c] = 0x40;
            file[0x40..0x44].copy_from_slice(b"PE\0\0");
            file[0x46] = 1;
            file[0x58..0x5e].copy_from_slice(b".linux");
            file[0x60..0x64].copy_from_slice(&size.to_le_bytes());
            file[0x68..0x6c].copy_from_slice(&size.to_le_bytes());
            file[0x6d] = 1;
        }
    }
    file.extend_from_slice(data);
    file
}
