//! Evidence: what the log, the registers and the images say, each with its source.

messages! {
    // Where a finding was read.
    LOG_SAYS = "Line {line}: \"{text}\"." / "第 {line} 行：“{text}”。";
    CODE_LINE = "the Code: line {line}" / "第 {line} 行的 Code:";
    IMAGE_ADDRESS = "{name} at {address}" / "{name} 的 {address} 处";
    FAULT_ADDRESS = "The fault address {address} (line {line}) is {region}." / "故障地址 {address}（第 {line} 行）属于：{region}。";
    ACCESS_WAS = "It was {access} (line {line})." / "这次访问是{access}（第 {line} 行）。";
    VALUE_IS = "{value} is {what}." / "{value}：{what}。";
    AT_WORK = "{function} was at work (line {line})." / "当时正在执行 {function}（第 {line} 行）。";
    THE_FAULT_ADDRESS = "the fault address" / "故障地址";

    // The value that was followed.
    FOLLOWED_CALL_TARGET = "Control was sent to {value}: it is the program counter." / "控制流被转到了 {value}：它就是程序计数器的值。";
    FOLLOWED_AGREES = "{instruction} ({place}) uses {register} = {value}; {register}{displacement} is the fault address {address}." / "{instruction}（{place}）使用 {register} = {value}；{register}{displacement} 正是故障地址 {address}。";
    FOLLOWED_INSTRUCTION = "{instruction} ({place}) uses {register} = {value}." / "{instruction}（{place}）使用 {register} = {value}。";
    FOLLOWED_REGISTER = "The instruction is not in the log, but {register} = {value}, and {value}{displacement} is the fault address {address}." / "日志里没有这条指令，但 {register} = {value}，而 {value}{displacement} 正是故障地址 {address}。";
    FOLLOWED_SLIP = "The instruction is not in the log. With the slips of the pen mended ({slips}), {register} = {value}, and {value}{displacement} is the fault address {address} (as ARM64 prints it, without its tag)." / "日志里没有这条指令。改正抄写错误之后（{slips}），{register} = {value}，而 {value}{displacement} 正是故障地址 {address}（按 ARM64 的打印方式，不带标签）。";
    NO_REGISTERS = "The log shows no registers, so the pointer itself is not known." / "日志没有寄存器，因此看不到指针本身的值。";
    NO_INSTRUCTION = "The faulting instruction is not known, so no register can be named as the pointer." / "不知道出错的指令，因此不能断定哪个寄存器是那个指针。";

    // Damage.
    SLIP_IN = "{field}: printed {printed}, meant {mended} ({slip})" / "{field}：印作 {printed}，应为 {mended}（{slip}）";
    SLIP_SWAPPED = "digits {first} and {second} swapped" / "第 {first}、{second} 位数字互换";
    SLIP_MISREAD = "digit {position} read as one that looks like it" / "第 {position} 位数字误认为形近的数字";
    SLIP_DROPPED = "digit {position} left out" / "漏掉第 {position} 位数字";
    SLIP_DOUBLED = "digit {position} written twice" / "第 {position} 位数字重复";
    DAMAGE_REGISTER_BY_ADDRESS = "{register} does not give the fault address as printed. As {value} it does: {value} + {displacement} = {address} (without the tag that ARM64 leaves out), and {value} means something by itself. The difference is: {slip}." / "照印出的值，{register} 得不到故障地址；若为 {value} 则可以：{value} + {displacement} = {address}（不计 ARM64 打印时去掉的标签），而且 {value} 本身有明确含义。差别是：{slip}。";
    DAMAGE_ADDRESS_BY_REGISTER = "No register gives the fault address as printed. {register} = {value} plus {displacement} gives {address}; the difference is a slip of the pen: {slip}." / "没有寄存器能得出印出的故障地址。{register} = {value} 加 {displacement} 得 {address}；差别是一处笔误：{slip}。";
    DAMAGE_ADDRESS_BY_INSTRUCTION = "{instruction} with the printed registers accesses {address}; the difference is a slip of the pen: {slip}." / "按印出的寄存器，{instruction} 访问的是 {address}；差别是一处笔误：{slip}。";

    // Pointers.
    WRAPPED_AROUND = "The offset took the error pointer past the top of the address space to a tiny address: it looks like a NULL pointer and is none." / "偏移使错误指针越过地址空间顶端，回绕成很小的地址：看似空指针，其实不是。";
    REGISTER_MAY_WRAP = "{register} holds the error pointer -{number}, from which a small offset would wrap around to this address." / "{register} 里是错误指针 -{number}，加上一个小偏移就会回绕到这个地址。";
    ADDRESS_NEAR_LIST_POISON = "The address is a small offset from the list poison that list_del() leaves behind." / "该地址与 list_del() 留下的链表毒值只差一个小偏移。";
    ADDRESS_NEAR_FREE_POISON = "{address} is the fill pattern of freed memory (0x6b, POISON_FREE) plus a small offset." / "{address} 是已释放内存的填充字节（0x6b，POISON_FREE）加一个小偏移。";
    FREE_POISON = "0x6b is what slub_debug writes over an object when it is freed (POISON_FREE)." / "0x6b 是 slub_debug 在释放对象时写入的填充字节（POISON_FREE）。";
    POISON_OVERWRITTEN = "The fill pattern of a freed object was changed: something wrote to it after it was freed." / "已释放对象的填充字节被改动：有代码在释放之后又写了它。";
    SANITIZER_HAS_STACKS = "The report carries the stacks of the allocation and of the free: the second names the culprit's side." / "该报告附有分配和释放时的调用栈：后者指出是谁释放的。";
    TAGS_DIFFER = "The tags of pointer and memory differ: the object was freed and reused, or another object was reached past its end." / "指针与内存的标签不一致：对象已释放并被重用，或越界访问到了别的对象。";
    CODE_OVER_POINTER = "Instructions stand where a pointer belongs: either the structure was reached through a pointer into code, or code was copied over it." / "本该是指针的地方是指令：要么是经由指向代码段的指针找到这个结构，要么是代码被复制到了它上面。";
    TEXT_OVER_PART = "The lower bytes of {value} are the text \"{text}\" and the upper ones those of a kernel pointer: bytes that were written one after the other ran into the pointer from below and ended inside it." / "{value} 的低位字节是文本“{text}”，高位字节仍是内核指针的：逐字节的写入从下方越界进入该指针，并在其中结束。";
    TEXT_OVER_POINTER = "Text stands where a pointer belongs: a string may have run over it, or the memory was never this structure." / "本该是指针的地方是文本：可能是字符串越界覆盖，也可能这块内存根本不是该结构。";
    POINTER_HOLDS_TEXT = "The pointer {value} begins with the text \"{text}\"." / "指针 {value} 的低位字节是文本“{text}”。";
    ARRAY_BEFORE_POINTER = "In {record}, `{array}` is {length} bytes of characters, and `{pointer}` stands directly behind it." / "在 {record} 里，`{array}` 是 {length} 字节的字符数组，`{pointer}` 紧跟其后。";
    INDEX_OUTSIDE = "The subscript `{index}` is {value} ({register}), and the array has {count} elements." / "下标 `{index}` 为 {value}（{register}），而数组只有 {count} 个元素。";
    STRAYED_VARIABLE = "The code accesses `{symbol}` at an index, and the access is {distance} bytes from its start: `{symbol}` has {size} bytes, and the whole image ends before that. Where the variable lies is fixed, so that the index is what is wrong." / "代码按下标访问 `{symbol}`，而这次访问距其起点 {distance} 字节：`{symbol}` 只有 {size} 字节，整个映像也到不了那里。变量的位置是固定的，因此错的是下标。";
    STRAYED_AREA = "The pointer {start} leads to the start of a page in the vmalloc area, and the access at an index from it, {distance} bytes on, is the first behind the end of a page: behind the last page of an area nothing is mapped." / "指针 {start} 指向 vmalloc 区中一页的起点，按下标访问到其后 {distance} 字节处，正好是越过页尾的第一次访问：一个 vmalloc 区域的最后一页之后没有映射。";
    STRAYED_FAR = "The pointer {pointer} is one of the kernel's, but the index takes the access {distance} bytes away from it." / "指针 {pointer} 是内核指针，但下标使访问偏离它 {distance} 字节。";
    INDEX_FAR = "{base} = {value} is a kernel pointer, but the index {index} = {count} leads far away from it." / "{base} = {value} 是内核指针，但下标 {index} = {count} 使它偏离很远。";
    RESHAPED_POINTER = "It may be a damaged pointer: {pointer} ({how})." / "它可能是被损坏的指针：{pointer}（{how}）。";
    ONE_BIT_AWAY = "With bit {bit} flipped back it is {corrected}, close to the good pointer {near}." / "把第 {bit} 位翻转回来就是 {corrected}，与正常指针 {near} 相近。";
    CODE_ONE_BIT = "One byte of the Code: line {line} is {printed} and {image} in the image, one bit apart, where nothing patches the code; the other {same} bytes are the same." / "第 {line} 行 Code: 中有一个字节是 {printed}，映像中是 {image}，只差一位，且此处不会被打补丁；其余 {same} 字节一致。";
    CODE_IS_READ_ONLY = "Kernel code is mapped read-only: software seldom gets to change one bit of it." / "内核代码是只读映射：软件很少能改动其中一位。";
    CODE_MAY_BE_PATCHED = "A tool that patches code by itself could have changed it as well." / "自行修改代码的工具也可能造成这种差别。";
    HARDWARE_NEAR_BY = "The hardware reported errors in the same log: line {line}: \"{text}\"." / "同一日志中硬件报告过错误：第 {line} 行：“{text}”。";
    NO_HARDWARE_REPORT = "No machine check and no memory error (EDAC) stands in the log." / "日志中没有机器检查或内存错误（EDAC）。";
    FLIP_IN_STORED_POINTER = "It differs from a good pointer in one bit only: whatever changed it did not write a pointer, but altered one." / "它与正常指针只差一位：改动它的不是写入一个指针，而是改了已有的指针。";
    HARDWARE_FLIPS_TOO = "A faulty memory cell does the same, and the log cannot tell the two apart." / "内存单元故障也会造成同样结果，日志无法区分二者。";
    NO_DEVICE_ANSWERS = "An access to an address where no device answers, or to one that is switched off, ends in the same way." / "访问没有设备应答的地址，或已断电的设备，结果也是一样。";
    KASAN_GUESSES_BY_ADDRESS = "KASAN judges by the address alone: every address between the first page and the end of the user half is called that." / "KASAN 只按地址判断：首页之后到用户空间末尾的任何地址都会这样称呼。";
    MISALIGNED_NUMBER = "{width} bytes at {address}: no member of a structure lies at an address that {width} does not divide, so the value is a number, no structure at NULL." / "在 {address} 处访问 {width} 字节：结构成员不会位于不能被 {width} 整除的地址，因此该值只是一个数，而不是空指针处的结构。";
    SOFTWARE_CLEARS_BITS = "Software flips single bits too (set_bit or a flag in the wrong place)." / "软件也会改动单个位（set_bit 或标志位写错地方）。";
    WHILE_LOADING = "Module {module} was being loaded (line {line})." / "当时正在加载模块 {module}（第 {line} 行）。";
    MAPPED_AND_REFUSED = "The page is mapped and the access was refused: SMAP or PAN stopped the kernel from touching user memory directly." / "该页已映射但访问被拒：SMAP 或 PAN 阻止内核直接访问用户内存。";
    USER_ADDRESS_FOLLOWED = "The kernel followed an address of the user half." / "内核解引用了用户空间的地址。";

    // Calls.
    CALL_SITE = "It was called from {symbol} (line {line})." / "调用来自 {symbol}（第 {line} 行）。";
    INDIRECT_CALL = "The instruction calls through a register, and the register is no address of code." / "该指令经寄存器间接调用，而寄存器里不是代码地址。";
    INSTRUCTION_AT_PC = "The bytes at the program counter decode to {instruction} ({place})." / "程序计数器处的字节译码为 {instruction}（{place}）。";

    // Checks of the kernel's own.
    LIST_DELETED_TWICE = "LIST_POISON in an entry's links means that it was already deleted: list_del() ran twice on it, or it was used after its removal." / "表项的链接里是 LIST_POISON，说明它已被删除：对它调用了两次 list_del()，或者摘除后仍在使用。";
    LIST_ADDED_TWICE = "The entry being added is on the list already." / "要加入的表项已经在链表上。";
    LIST_LINKS_DISAGREE = "Neighbours on the list do not point at each other: an entry was freed while on the list, added without a lock, or overwritten." / "相邻表项不再互相指向：表项在链表上时被释放、未加锁操作，或被覆盖。";
    REFCOUNT_UNDERFLOW = "It was put more often than taken." / "释放引用的次数多于获取的次数。";
    REFCOUNT_ON_ZERO = "A reference was taken on an object whose count was already 0: it is being freed or already is." / "引用计数已为 0 时又去获取引用：对象正在或已经被释放。";
    REFCOUNT_SATURATED = "The count overflowed or was corrupted, and is now stuck: the object leaks." / "计数溢出或被破坏，已被钉住：该对象会泄漏。";
    REFCOUNT_OTHER = "A reference was dropped or taken where the count does not allow it." / "在计数不允许的时候获取或释放了引用。";
    SLUB_DOUBLE_FREE_CHECK = "On the way of a free, this assertion of mm/slub.c compares the object with the first free one: it is its cheap check for a double free." / "在释放路径上，mm/slub.c 的这个断言比较该对象与空闲链表的首个对象：这是它对重复释放的简易检查。";
    DIVISOR_ZERO = "The instruction divides by {register}, which is 0." / "该指令的除数是 {register}，其值为 0。";
    DIVISOR_NOT_ZERO = "The instruction divides by {register} = {value}, which is not 0: the quotient did not fit its register." / "该指令的除数 {register} = {value} 不是 0：是商放不进寄存器。";
    RECURSION = "{function} stands {count} times in the trace." / "{function} 在调用栈里出现 {count} 次。";
    CANARY = "The function found its stack canary overwritten when it returned: usually by one of its own arrays." / "该函数返回时发现栈金丝雀被改写：通常是它自己的数组越界。";
    STACK_END = "The word at the end of the task's stack was overwritten: the stack was used up, or something wrote below it." / "任务栈末端的标记被改写：栈已用尽，或有代码写到了栈外。";
    TWO_WAIT = "Two tasks of this log wait for locks in the same module: {first} here and {second} (line {line})." / "日志里有两个任务在等同一模块的锁：此处的 {first} 与 {second}（第 {line} 行）。";

    // Images.
    IMAGE_UNREADABLE = "It could not be read: {error}." / "无法读取：{error}。";
    IMAGE_TYPES_USED = "It holds types alone; images that have none of their own have them from here." / "其中只有类型信息，供自身没有类型信息的映像使用。";
    IMAGE_TYPES_OTHER = "It holds types alone, and those of another build: of {asked} functions that it describes, the kernel has no symbol for {missing}." / "其中只有类型信息，而且属于另一次构建：所描述的 {asked} 个函数中，有 {missing} 个在内核符号表里找不到。";
    IMAGE_TYPES_BASE = "It holds a module's types alone, which mean nothing without the kernel's: give /sys/kernel/btf/vmlinux or the boot image as well." / "其中只有一个模块的类型信息，离开内核的类型信息便没有意义：请一并给出 /sys/kernel/btf/vmlinux 或启动映像。";
    IMAGE_TYPES_UNNEEDED = "It holds types alone, and no image is there that needs them. (System.map or vmlinuz gives the kernel's symbols.)" / "其中只有类型信息，而没有映像需要它。（System.map 或 vmlinuz 提供内核符号。）";
    IMAGE_NAMELESS = "It is a module that does not say its name." / "这个模块没有写明自己的名字。";
    IMAGE_DUPLICATE = "Another image of the same kind was given first." / "前面已给出同类映像。";
    IMAGE_BEATEN_FIT = "It is not needed: {name} fits the log better." / "不需要它：{name} 与日志更相符。";
    IMAGE_BEATEN_RICHER = "It is not needed: {name} tells more." / "不需要它：{name} 包含的信息更多。";
    IMAGE_JOINED = "Its code is used together with the debug information of {name}." / "它的代码与 {name} 的调试信息合并使用。";
    IMAGE_NO_CODE = "It has debug information but no code, and no file with its code was found: nothing can be compared byte by byte, and no instruction is decoded from it." / "它只有调试信息而没有代码，也没有找到含有其代码的文件：无法逐字节比较，也无法从中译码指令。";
    IMAGE_WRONG = "It is not this crash's image and was not used: {why}" / "它不是这次崩溃的映像，未采用：{why}";
    IMAGE_NOT_CONCERNED = "The log does not mention this module." / "日志没有提到这个模块。";
    IMAGE_IDENTIFIED = "The log prints its build-id: it is this crash's image." / "日志印有它的 build-id：确是这次崩溃的映像。";
    IMAGE_OTHER_BUILD = "Its version is not the log's, so it is possibly another build of this release. Its code is the log's where it could be compared; elsewhere lines and types may be off." / "它的版本信息与日志不符，可能是同一版本号的另一次构建。能比较之处代码与日志一致，其余位置的行号和类型可能有出入。";
    IMAGE_MOSTLY_AGREES = "More agrees with the log than not; what does not is listed." / "与日志大体相符；不符之处已列出。";
    IMAGE_AGREES = "Nothing in the log contradicts it." / "日志中没有与之矛盾之处。";
    IMAGE_UNCHECKED = "The log shows nothing that it could be checked against." / "日志没有可用来核对它的内容。";
    CHECK_ARCH = "the image is for {image}, the log is of {log}" / "映像是 {image}，日志是 {log}";
    CHECK_ARCH_UNKNOWN = "the image is for {image}; the log does not show its architecture" / "映像是 {image}；日志看不出架构";
    CHECK_RELEASE = "the image is of {image}, the log of {log} (line {line})" / "映像的版本是 {image}，日志的版本是 {log}（第 {line} 行）";
    CHECK_RELEASE_UNKNOWN = "the release is not known on both sides" / "两边的版本号不全";
    CHECK_VERSION = "the image has the version {image}, the log {log}" / "映像的构建版本为 {image}，日志为 {log}";
    CHECK_VERSION_UNKNOWN = "the version is not known on both sides" / "两边的构建版本不全";
    CHECK_BUILD_ID = "the image has {image}, the log prints {log}" / "映像为 {image}，日志印有 {log}";
    CHECK_BUILD_ID_UNKNOWN = "the log prints no build-id" / "日志没有 build-id";
    CHECK_SIZE_EXAMPLE = "{symbol} is {log} bytes long in the log and {image} in the image" / "{symbol} 在日志里长 {log} 字节，在映像里长 {image} 字节";
    CHECK_SIZE_ABSENT = "{symbol} is not in the image at that size" / "映像里没有该大小的 {symbol}";
    CHECK_SIZE_UNKNOWN = "the log names no function of this image with its size" / "日志没有给出该映像中函数的大小";
    CHECK_SIZES_AGREE = "{count} of {count} functions have the size that the log prints" / "{count} 个函数中 {count} 个的大小与日志一致";
    CHECK_SIZES_DIFFER = "{agree} of {count} functions have the size that the log prints; {example}" / "{count} 个函数中 {agree} 个的大小与日志一致；{example}";
    CHECK_CODE = "{same} bytes of the Code: line {line} are the image's, {different} are not, {excused} stand where the kernel patches its code" / "第 {line} 行 Code: 有 {same} 字节与映像一致，{different} 字节不一致，{excused} 字节处于内核会改写的位置";
    CHECK_CODE_UNKNOWN = "there are no code bytes to compare" / "没有可比较的代码字节";
}
