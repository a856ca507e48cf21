//! Error numbers (`asm-generic/errno-base.h`, `errno.h`, `linux/errno.h`).
//!
//! The numbers are those of asm-generic, which x86 and ARM64 use; MIPS, PowerPC and SPARC differ.

use kwhy_base::Prose;
use kwhy_base::catalogue::arch_errno as m;
use kwhy_base::prose::{Message, filled};

/// An error number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errno {
    /// The number, positive.
    pub number: u16,
    /// `ENOENT`.
    pub name: &'static str,
    /// In words.
    pub meaning: Prose,
}

/// The error called `number`, kernel-internal ones (512 up) included.
#[must_use]
pub fn errno(number: u64) -> Option<Errno> {
    let (n, name, message) = TABLE.iter().find(|(n, ..)| u64::from(*n) == number)?;
    Some(Errno { number: *n, name, meaning: filled(message, Vec::new()) })
}

/// `Some(n)` where `value` is `ERR_PTR(-n)`: one of the top 4095 values (`linux/err.h`, MAX_ERRNO).
#[must_use]
pub fn error_pointer(value: u64) -> Option<u64> {
    let n = value.wrapping_neg();
    (1..=4095).contains(&n).then_some(n)
}

#[rustfmt::skip]
static TABLE: &[(u16, &str, &Message)] = &[
    (1, "EPERM", &m::EPERM),
    (2, "ENOENT", &m::ENOENT),
    (3, "ESRCH", &m::ESRCH),
    (4, "EINTR", &m::EINTR),
    (5, "EIO", &m::EIO),
    (6, "ENXIO", &m::ENXIO),
    (7, "E2BIG", &m::E2BIG),
    (8, "ENOEXEC", &m::ENOEXEC),
    (9, "EBADF", &m::EBADF),
    (10, "ECHILD", &m::ECHILD),
    (11, "EAGAIN", &m::EAGAIN),
    (12, "ENOMEM", &m::ENOMEM),
    (13, "EACCES", &m::EACCES),
    (14, "EFAULT", &m::EFAULT),
    (15, "ENOTBLK", &m::ENOTBLK),
    (16, "EBUSY", &m::EBUSY),
    (17, "EEXIST", &m::EEXIST),
    (18, "EXDEV", &m::EXDEV),
    (19, "ENODEV", &m::ENODEV),
    (20, "ENOTDIR", &m::ENOTDIR),
    (21, "EISDIR", &m::EISDIR),
    (22, "EINVAL", &m::EINVAL),
    (23, "ENFILE", &m::ENFILE),
    (24, "EMFILE", &m::EMFILE),
    (25, "ENOTTY", &m::ENOTTY),
    (26, "ETXTBSY", &m::ETXTBSY),
    (27, "EFBIG", &m::EFBIG),
    (28, "ENOSPC", &m::ENOSPC),
    (29, "ESPIPE", &m::ESPIPE),
    (30, "EROFS", &m::EROFS),
    (31, "EMLINK", &m::EMLINK),
    (32, "EPIPE", &m::EPIPE),
    (33, "EDOM", &m::EDOM),
    (34, "ERANGE", &m::ERANGE),
    (35, "EDEADLK", &m::EDEADLK),
    (36, "ENAMETOOLONG", &m::ENAMETOOLONG),
    (37, "ENOLCK", &m::ENOLCK),
    (38, "ENOSYS", &m::ENOSYS),
    (39, "ENOTEMPTY", &m::ENOTEMPTY),
    (40, "ELOOP", &m::ELOOP),
    (42, "ENOMSG", &m::ENOMSG),
    (43, "EIDRM", &m::EIDRM),
    (44, "ECHRNG", &m::ECHRNG),
    (45, "EL2NSYNC", &m::EL2NSYNC),
    (46, "EL3HLT", &m::EL3HLT),
    (47, "EL3RST", &m::EL3RST),
    (48, "ELNRNG", &m::ELNRNG),
    (49, "EUNATCH", &m::EUNATCH),
    (50, "ENOCSI", &m::ENOCSI),
    (51, "EL2HLT", &m::EL2HLT),
    (52, "EBADE", &m::EBADE),
    (53, "EBADR", &m::EBADR),
    (54, "EXFULL", &m::EXFULL),
    (55, "ENOANO", &m::ENOANO),
    (56, "EBADRQC", &m::EBADRQC),
    (57, "EBADSLT", &m::EBADSLT),
    (59, "EBFONT", &m::EBFONT),
    (60, "ENOSTR", &m::ENOSTR),
    (61, "ENODATA", &m::ENODATA),
    (62, "ETIME", &m::ETIME),
    (63, "ENOSR", &m::ENOSR),
    (64, "ENONET", &m::ENONET),
    (65, "ENOPKG", &m::ENOPKG),
    (66, "EREMOTE", &m::EREMOTE),
    (67, "ENOLINK", &m::ENOLINK),
    (68, "EADV", &m::EADV),
    (69, "ESRMNT", &m::ESRMNT),
    (70, "ECOMM", &m::ECOMM),
    (71, "EPROTO", &m::EPROTO),
    (72, "EMULTIHOP", &m::EMULTIHOP),
    (73, "EDOTDOT", &m::EDOTDOT),
    (74, "EBADMSG", &m::EBADMSG),
    (75, "EOVERFLOW", &m::EOVERFLOW),
    (76, "ENOTUNIQ", &m::ENOTUNIQ),
    (77, "EBADFD", &m::EBADFD),
    (78, "EREMCHG", &m::EREMCHG),
    (79, "ELIBACC", &m::ELIBACC),
    (80, "ELIBBAD", &m::ELIBBAD),
    (81, "ELIBSCN", &m::ELIBSCN),
    (82, "ELIBMAX", &m::ELIBMAX),
    (83, "ELIBEXEC", &m::ELIBEXEC),
    (84, "EILSEQ", &m::EILSEQ),
    (85, "ERESTART", &m::ERESTART),
    (86, "ESTRPIPE", &m::ESTRPIPE),
    (87, "EUSERS", &m::EUSERS),
    (88, "ENOTSOCK", &m::ENOTSOCK),
    (89, "EDESTADDRREQ", &m::EDESTADDRREQ),
    (90, "EMSGSIZE", &m::EMSGSIZE),
    (91, "EPROTOTYPE", &m::EPROTOTYPE),
    (92, "ENOPROTOOPT", &m::ENOPROTOOPT),
    (93, "EPROTONOSUPPORT", &m::EPROTONOSUPPORT),
    (94, "ESOCKTNOSUPPORT", &m::ESOCKTNOSUPPORT),
    (95, "EOPNOTSUPP", &m::EOPNOTSUPP),
    (96, "EPFNOSUPPORT", &m::EPFNOSUPPORT),
    (97, "EAFNOSUPPORT", &m::EAFNOSUPPORT),
    (98, "EADDRINUSE", &m::EADDRINUSE),
    (99, "EADDRNOTAVAIL", &m::EADDRNOTAVAIL),
    (100, "ENETDOWN", &m::ENETDOWN),
    (101, "ENETUNREACH", &m::ENETUNREACH),
    (102, "ENETRESET", &m::ENETRESET),
    (103, "ECONNABORTED", &m::ECONNABORTED),
    (104, "ECONNRESET", &m::ECONNRESET),
    (105, "ENOBUFS", &m::ENOBUFS),
    (106, "EISCONN", &m::EISCONN),
    (107, "ENOTCONN", &m::ENOTCONN),
    (108, "ESHUTDOWN", &m::ESHUTDOWN),
    (109, "ETOOMANYREFS", &m::ETOOMANYREFS),
    (110, "ETIMEDOUT", &m::ETIMEDOUT),
    (111, "ECONNREFUSED", &m::ECONNREFUSED),
    (112, "EHOSTDOWN", &m::EHOSTDOWN),
    (113, "EHOSTUNREACH", &m::EHOSTUNREACH),
    (114, "EALREADY", &m::EALREADY),
    (115, "EINPROGRESS", &m::EINPROGRESS),
    (116, "ESTALE", &m::ESTALE),
    (117, "EUCLEAN", &m::EUCLEAN),
    (118, "ENOTNAM", &m::ENOTNAM),
    (119, "ENAVAIL", &m::ENAVAIL),
    (120, "EISNAM", &m::EISNAM),
    (121, "EREMOTEIO", &m::EREMOTEIO),
    (122, "EDQUOT", &m::EDQUOT),
    (123, "ENOMEDIUM", &m::ENOMEDIUM),
    (124, "EMEDIUMTYPE", &m::EMEDIUMTYPE),
    (125, "ECANCELED", &m::ECANCELED),
    (126, "ENOKEY", &m::ENOKEY),
    (127, "EKEYEXPIRED", &m::EKEYEXPIRED),
    (128, "EKEYREVOKED", &m::EKEYREVOKED),
    (129, "EKEYREJECTED", &m::EKEYREJECTED),
    (130, "EOWNERDEAD", &m::EOWNERDEAD),
    (131, "ENOTRECOVERABLE", &m::ENOTRECOVERABLE),
    (132, "ERFKILL", &m::ERFKILL),
    (133, "EHWPOISON", &m::EHWPOISON),
    (512, "ERESTARTSYS", &m::ERESTARTSYS),
    (513, "ERESTARTNOINTR", &m::ERESTARTNOINTR),
    (514, "ERESTARTNOHAND", &m::ERESTARTNOHAND),
    (515, "ENOIOCTLCMD", &m::ENOIOCTLCMD),
    (516, "ERESTART_RESTARTBLOCK", &m::ERESTART_RESTARTBLOCK),
    (517, "EPROBE_DEFER", &m::EPROBE_DEFER),
    (518, "EOPENSTALE", &m::EOPENSTALE),
    (519, "ENOPARAM", &m::ENOPARAM),
    (521, "EBADHANDLE", &m::EBADHANDLE),
    (522, "ENOTSYNC", &m::ENOTSYNC),
    (523, "EBADCOOKIE", &m::EBADCOOKIE),
    (524, "ENOTSUPP", &m::ENOTSUPP),
    (525, "ETOOSMALL", &m::ETOOSMALL),
    (526, "ESERVERFAULT", &m::ESERVERFAULT),
    (527, "EBADTYPE", &m::EBADTYPE),
    (528, "EJUKEBOX", &m::EJUKEBOX),
    (529, "EIOCBQUEUED", &m::EIOCBQUEUED),
    (530, "ERECALLCONFLICT", &m::ERECALLCONFLICT),
    (531, "ENOGRACE", &m::ENOGRACE),
];

#[cfg(test)]
mod tests {
    use super::{TABLE, errno, error_pointer};

    #[test]
    fn numbers_are_unique_and_ascending() {
        assert!(TABLE.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn known_numbers_have_their_names() {
        let name = |n| errno(n).map(|e| e.name);
        assert_eq!(name(2), Some("ENOENT"));
        assert_eq!(name(12), Some("ENOMEM"));
        assert_eq!(name(95), Some("EOPNOTSUPP"));
        assert_eq!(name(517), Some("EPROBE_DEFER"));
        assert_eq!(name(524), Some("ENOTSUPP"));
        assert_eq!(name(531), Some("ENOGRACE"));
        assert_eq!(name(0), None);
        assert_eq!(name(41), None);
        assert_eq!(name(4095), None);
    }

    #[test]
    fn error_pointers_are_the_top_4095_values() {
        assert_eq!(error_pointer(0xffff_ffff_ffff_fff4), Some(12));
        assert_eq!(error_pointer(u64::MAX), Some(1));
        assert_eq!(error_pointer(0xffff_ffff_ffff_f001), Some(4095));
        assert_eq!(error_pointer(0xffff_ffff_ffff_f000), None);
        assert_eq!(error_pointer(0), None);
    }
}
