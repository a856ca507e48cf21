//! What the exception table says of the faulting instruction.

messages! {
    NONE_FOR_USER = "The exception table has no entry for the instruction at {at}: it is no part of copy_from_user(), get_user() or the like, but follows an address in the user half as if it were a pointer of the kernel's." / "异常表中没有 {at} 处指令的条目：它不属于 copy_from_user()、get_user() 之类的用户访问例程，而是把用户半区的地址当作内核指针直接解引用。";
    ENTRY = "The exception table has an entry for the instruction at {at} (entry {entry}): a fault there is expected, and the kernel would go on in {target}." / "异常表中有 {at} 处指令的条目（条目位于 {entry}）：该处发生故障是预料之中的，内核本应转到 {target} 继续执行。";
    ENTRY_TYPED = "The exception table has an entry for the instruction at {at} (entry {entry}, {kind}): a fault there is expected, and the kernel would go on in {target}." / "异常表中有 {at} 处指令的条目（条目位于 {entry}，{kind}）：该处发生故障是预料之中的，内核本应转到 {target} 继续执行。";
    MEANS_USER = "By its type the instruction is meant to access user memory." / "从类型看，该指令本来就是用来访问用户内存的。";
    MEANS_NO_FAULT = "By its type the instruction is meant to try kernel memory that may not be there (copy_from_kernel_nofault() and the like)." / "从类型看，该指令是用来试探可能不存在的内核内存的（copy_from_kernel_nofault() 之类）。";
    MEANS_WORD = "By its type the instruction reads a whole word of a string that may end before it (load_unaligned_zeropad())." / "从类型看，该指令按整字读取字符串，字符串可能在字内就结束（load_unaligned_zeropad()）。";
    MEANS_REGISTER = "By its type the instruction accesses a model-specific register that may not exist." / "从类型看，该指令访问的是可能不存在的模型特定寄存器（MSR）。";
    WHY_SMAP = "It did not help: user access was not switched on (EFLAGS.AC is clear and CR4.SMAP is set), which the kernel checks before it looks into the table." / "它没有起作用：当时没有打开用户访问（EFLAGS.AC 为 0，CR4.SMAP 为 1），而内核在查异常表之前就检查这一点。";
    WHY_PAGE_TABLE = "It did not help: a reserved bit is set in a page table entry (bit 3 of the error code), which is never fixed up: the page table itself is damaged." / "它没有起作用：页表项中有保留位被置位（错误码第 3 位），这种故障从不修正：页表本身已损坏。";
    WHY_NOT_NEXT_PAGE = "It did not help: it only covers a word that runs over the end of a page into one that is not mapped. This access failed at its own start, so that the pointer itself is bad." / "它没有起作用：它只适用于一个字跨过页尾、进入未映射的下一页的情形。这次访问在起点就失败了，因此是指针本身有问题。";
    WHY_NOT_ASKED = "It did not help: the kernel does not look into the table for this sort of abort (an external abort, a parity error, or one that is never expected)." / "它没有起作用：对这类中止（外部中止、奇偶校验错误或从不应出现的中止），内核不会去查异常表。";
    WHY_UNEXPLAINED = "Why it did not help the log does not tell." / "它为什么没有起作用，日志看不出来。";
    HANDLED = "The fault was handled: the copy failed with -EFAULT, and this is only the warning that the address can be none of a user's." / "这次故障已得到处理：拷贝以 -EFAULT 失败，这里只是警告该地址不可能是用户地址。";
    LABEL = "exception table" / "异常表";
}
