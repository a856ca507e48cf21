//! What a bad value says: other readings of it, what it speaks for, and what it speaks against.

messages! {
    // Other readings.
    READ_PTE = "Its bits are those of a page-table entry: page frame {frame}, {bits}." / "它的各位符合页表项：页框 {frame}，{bits}。";
    READ_PHYSICAL = "It may be a physical address: that of {pointer} in the linear map, {distance} from the good pointer {near}." / "它可能是物理地址：对应线性映射中的 {pointer}，距正常指针 {near} 有 {distance}。";
    READ_REPEATED = "The byte {byte} repeated: memory was filled with it." / "重复的字节 {byte}：内存被它填充。";
    READ_COUNTING = "Its bytes count up: a test pattern." / "各字节依次递增：测试图案。";
    READ_HALVES = "Two 32-bit numbers, {low} and {high}: members of another struct may stand there." / "两个 32 位数值 {low} 和 {high}：那里可能是另一个结构的成员。";
    READ_JIFFIES = "It is in the range of jiffies soon after boot, which count up from 5 minutes before the 32-bit overflow." / "它处于启动后不久 jiffies 的取值范围（jiffies 从 32 位溢出前 5 分钟开始计数）。";
    READ_RESHAPED = "It may be a damaged pointer: {pointer} ({how})." / "它可能是被损坏的指针：{pointer}（{how}）。";
    READ_STRING = "The characters stand in the string {text} of {image}." / "这些字符出现在 {image} 的字符串 {text} 中。";
    READ_SYMBOL = "By the image it points to {symbol}." / "按映像，它指向 {symbol}。";
    READ_UNLOADED = "Module {module} was unloaded (line {line}): its memory was where modules are." / "模块 {module} 已被卸载（第 {line} 行）：它的内存就在模块区。";
    IMAGE_MODULE = "module {module}" / "模块 {module}";
    IMAGE_KERNEL = "the kernel" / "内核";

    // What they speak for.
    FOR_NULL = "The pointer was never set, was cleared, or is a failed lookup or allocation that nobody checked." / "该指针从未赋值、已被清空，或是查找、分配失败而无人检查。";
    FOR_SMALL = "A number was taken for a pointer, or a member was reached through NULL." / "把一个数当成了指针，或经由空指针访问了成员。";
    FOR_ERROR = "A function reported an error through its pointer, and the caller used it unchecked." / "某函数经由指针返回了错误，调用者未检查就使用。";
    FOR_LIST_POISON = "The entry was taken off its list or table, and is still used." / "该表项已从链表或表中摘除，但仍被使用。";
    FOR_FREED = "The object was freed while somebody kept a pointer to it." / "对象已释放，而仍有人持有指向它的指针。";
    FOR_UNWRITTEN = "The memory was allocated and the member never written." / "内存已分配，但该成员从未写入。";
    FOR_FILL = "A debugging fill was read: memory that is not, or no longer, an object." / "读到了调试填充字节：该内存还不是或已不再是对象。";
    FOR_CODE = "The pointer before it led into code, or code was copied over the object." / "前一个指针指进了代码段，或代码被复制到了对象上。";
    FOR_TEXT = "A string was written over the object, or the pointer before it led to text." / "字符串写到了对象上，或前一个指针指向了文本。";
    FOR_USER = "An address of a program was used in the kernel without being checked or copied." / "程序的地址未经检查或复制就在内核中使用。";
    FOR_STALE = "The pointer is well-formed: what it points to was freed, unmapped or never mapped, or was computed wrongly from a good pointer." / "指针形式正常：它所指的内存已释放、已解除映射或从未映射，或由正常指针算错而来。";
    FOR_CODE_POINTER = "The pointer leads into code: a function's address was taken for an object's, or the object lies there no longer." / "指针指向代码：把函数地址当成了对象地址，或对象已不在那里。";
    FOR_FLIP = "A stored pointer was altered in place: by a faulty memory cell, or by a bit operation on the wrong word." / "已存储的指针被就地改动：内存单元故障，或对错误的字做了位操作。";
    FOR_TAG = "A pointer that still carries its tag or signature, or failed its check: it was used where the plain one belongs, or was overwritten after it was signed." / "仍带标签或签名、或校验失败的指针：用在了应使用裸指针的地方，或在签名后被改写。";
    FOR_FOREIGN = "Data that is no pointer stands where the pointer belongs: the memory is another object's, was written over, or was never initialised." / "本该是指针的地方是别的数据：该内存属于另一对象、被改写，或从未初始化。";
    FOR_PTE = "If it is a page-table entry, a page table and this object share memory: a use after free of one of them." / "若它是页表项，则页表与该对象共用了内存：其中之一被释放后使用。";

    // What they speak against.
    NOT_OVERWRITTEN = "That other data was written over it: hardly any leaves exactly this." / "不像被其他数据覆盖：几乎不会恰好留下这个值。";
    NOT_CORRUPTION = "Corruption of memory: the value is what a function returns on purpose." / "不像内存破坏：该值是函数有意返回的。";
    NOT_UNINITIALISED = "That it was never initialised: somebody deleted it on purpose." / "不像从未初始化：是有人有意删除的。";
    NOT_FOREIGN = "That foreign data was written over it, unless in part." / "不像被无关数据覆盖，除非只覆盖了一部分。";
    NOT_FLIP = "A flipped bit: it differs from every known pointer in many." / "不像位翻转：与所有已知指针都相差许多位。";
    NOT_POINTER = "A stale pointer: it never was one." / "不像过期指针：它从来不是指针。";
    NOT_POISON = "Memory that the allocator poisoned: its fills look otherwise." / "不像分配器毒化过的内存：其填充字节不是这样。";
    NOT_FREED_POISON = "A use after free: freed memory is filled with 0x6b where this fill is in use." / "不像释放后使用：启用该填充时，已释放的内存填的是 0x6b。";
    NOT_LIVE = "That the object is still alive and was written by its owner." / "不像对象仍存活且由其属主写入。";
}
