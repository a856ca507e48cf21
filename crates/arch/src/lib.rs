//! What kwhy knows of each CPU, one concept a file: registers, calling convention,
//! fault-syndrome decode, address-space map, poison values. Pure functions, no state.

pub mod cpu;
pub mod decode;
pub mod decoded;
pub mod errno;
pub mod esr;
pub mod hints;
mod layout;
pub mod map;
pub mod pstate;
pub mod syndrome;
pub mod taint;
pub mod value;
pub mod x86;

pub use cpu::{Cpu, cpu, register_digits};
pub use decode::{DecodeError, DecodeKind, decode};
pub use decoded::{Decoded, Field, Grade};
pub use errno::{Errno, errno, error_pointer};
pub use esr::{
    Access, BrkUse, FaultKind, FaultStatus, brk_use, decode_esr, esr_access, exception_class,
    fault_address_valid, fault_status,
};
pub use hints::{exception_hint, pac_key};
pub use map::{
    AddressClass, AddressContext, KernelNote, Poison, PoisonKind, Region, classify_address,
    may_have_lost_top_byte, parse_pgtable_line, poison, prints_as, untag_for_print, va_bits_of_cr4,
};
pub use pstate::{decode_pstate, is_user_mode};
pub use syndrome::{
    Ending, add_teid, decode_dsisr, decode_estat, decode_fsr, decode_mips_cause, decode_program_interruption,
    decode_scause, decode_trap, dsisr_access, ending, estat_access, forbidden, fsr_access, mips_access,
    s390_access, scause_access, teid_access, trap_access,
};
pub use taint::{Taint, decode_taint_letters, decode_taint_mask, kernel_taints, module_flags};
pub use value::{
    BitFlip, Reshaped, Text, ValueClass, ValueKind, ascii_text, bit_flips, classify_value, page_table_entry,
    readings, reshaped, strip_pointer,
};
pub use x86::{
    Vector, decode_cr0, decode_cr4, decode_eflags, decode_page_fault, decode_selector_error,
    exception_vector, page_fault_access, vector_of_text,
};
