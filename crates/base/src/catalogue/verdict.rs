//! The verdict, the story, hypotheses and what is missing.

messages! {
    ACCESS_READ = "a read" / "读";
    ACCESS_WRITE = "a write" / "写";
    ACCESS_EXECUTE = "an instruction fetch" / "取指";
    GRADE_PROVED = "proved" / "确定";
    GRADE_LIKELY = "likely" / "很可能";
    GRADE_POSSIBLE = "possible" / "可能";

    // The verdict's paragraph.
    WHAT_WHERE_WHO = "{what} in {place}, in task {comm}." / "{what}，位于 {place}，任务 {comm}。";
    WHAT_WHERE = "{what} in {place}." / "{what}，位于 {place}。";
    WHAT_WHO = "{what}, in task {comm}." / "{what}，任务 {comm}。";
    WHAT_ONLY = "{what}." / "{what}。";
    PLACE_IN_MODULE = "{place} of module {module}" / "模块 {module} 的 {place}";
    KIND_READ_FAULT = "The kernel read from {address}, which it may not," / "内核读了不能读的地址 {address}";
    KIND_WRITE_FAULT = "The kernel wrote to {address}, which it may not," / "内核写了不能写的地址 {address}";
    KIND_EXECUTE_FAULT = "The kernel tried to execute {address}, called" / "内核试图执行地址 {address} 处的内容";
    KIND_PAGE_FAULT = "The kernel accessed {address}, which it may not," / "内核访问了不能访问的地址 {address}";
    KIND_GPF = "General protection fault" / "一般保护错误";
    KIND_BUG = "An assertion (BUG) failed" / "断言（BUG）失败";
    KIND_WARNING = "The kernel warned" / "内核发出警告";
    KIND_PANIC = "The kernel panicked" / "内核 panic";
    KIND_HUNG = "A task hung" / "任务挂起";
    KIND_STUCK = "A CPU was stuck" / "CPU 卡住";
    KIND_SANITIZER = "The kernel's own checker reported: {title}," / "内核自带的检查工具报告：{title}";
    KIND_OTHER = "{title}:" / "{title}";
    VERDICT_CAUSE = "Cause ({grade}): {statement}" / "原因（{grade}）：{statement}";
    VERDICT_VALUE = "The value {value} is {what}." / "值 {value}：{what}。";
    VERDICT_BLAME = "To blame ({grade}): {place}." / "责任方（{grade}）：{place}。";
    VERDICT_UNDETERMINED = "The evidence does not determine a cause." / "现有证据不足以确定原因。";
    VERDICT_DAMAGED = "The log contradicts itself in {count} places; see the list of damage." / "日志有 {count} 处自相矛盾，见损坏清单。";

    // How control got there.
    ENTRY_INSIDE = "{inner}, within: {outer}" / "{inner}，其外层：{outer}";
    ENTRY_SYSCALL = "the system call {name}" / "系统调用 {name}";
    ENTRY_SYSCALL_BY = "the system call {name} of {comm}" / "{comm} 的系统调用 {name}";
    ENTRY_SYSCALL_UNNAMED = "a system call" / "某个系统调用";
    ENTRY_MODULE_INIT = "a module's initialisation" / "模块初始化";
    ENTRY_MODULE_INIT_OF = "a module's initialisation, {function}" / "模块初始化函数 {function}";
    ENTRY_MODULE_LOAD = "the loading of a module, before its initialisation" / "模块加载过程（其初始化函数运行之前）";
    ENTRY_MODULE_EXIT = "the unloading of a module" / "模块卸载";
    ENTRY_INITCALL = "an initcall of the kernel" / "内核的 initcall";
    ENTRY_WORK = "a work item of a workqueue" / "工作队列的一个工作项";
    ENTRY_WORK_OF = "the work item {function} of a workqueue" / "工作队列的工作项 {function}";
    ENTRY_KTHREAD = "a kernel thread" / "内核线程";
    ENTRY_KTHREAD_OF = "a kernel thread running {function}" / "运行 {function} 的内核线程";
    ENTRY_TIMER = "a timer's callback" / "定时器回调";
    ENTRY_TIMER_OF = "the timer callback {function}" / "定时器回调 {function}";
    ENTRY_HRTIMER = "a high-resolution timer's callback" / "高精度定时器回调";
    ENTRY_HRTIMER_OF = "the high-resolution timer callback {function}" / "高精度定时器回调 {function}";
    ENTRY_TASKLET = "a tasklet" / "一个 tasklet";
    ENTRY_TASKLET_OF = "the tasklet {function}" / "tasklet 函数 {function}";
    ENTRY_RCU = "an RCU callback" / "RCU 回调";
    ENTRY_RCU_OF = "the RCU callback {function}" / "RCU 回调 {function}";
    ENTRY_INTERRUPT = "an interrupt" / "中断";
    ENTRY_INTERRUPT_OF = "the interrupt handler {function}" / "中断处理函数 {function}";
    ENTRY_SOFTIRQ = "a softirq" / "软中断";
    ENTRY_NMI = "a non-maskable interrupt" / "不可屏蔽中断";
    ENTRY_USER_FAULT = "a fault taken in user space" / "用户态触发的缺页异常";
    ENTRY_IDLE = "the idle loop" / "空闲循环";
    ENTRY_BOOT = "kernel start-up" / "内核启动过程";

    // Helpers that trip over what they are given.
    HELPER_MEMORY = "it works on the memory its caller names" / "它只操作调用者给出的内存";
    HELPER_USER_COPY = "it copies between the buffers its caller names" / "它只在调用者给出的缓冲区之间复制";
    HELPER_LOCK = "it works on the lock its caller hands it" / "它只操作调用者传入的锁";
    HELPER_CONTAINER = "it works on the list or tree its caller hands it" / "它只操作调用者传入的链表或树";
    HELPER_REFCOUNT = "it counts references of the object its caller hands it" / "它只对调用者传入的对象计数";
    HELPER_ALLOCATOR = "it trips over memory that somebody misused earlier" / "它绊倒在此前被误用的内存上";
    HELPER_SCHEDULER = "it runs or wakes what its caller names" / "它只负责调度或唤醒";
    HELPER_RUNNER = "it only runs the callback it was given" / "它只负责运行登记的回调";
    HELPER_FILE_LAYER = "it only passes the request on to a driver's or file system's method" / "它只把请求转给驱动或文件系统的方法";
    HELPER_PRINT = "it formats the arguments its caller hands it" / "它只格式化调用者给出的参数";
    HELPER_LOADER = "it works through the structures of the module being loaded" / "它在遍历正被加载的模块的数据结构";
    HELPER_REPORT = "it only reports" / "它只负责报告";
    HELPER_DELIVERY = "it only delivers control" / "它只负责转交控制";
    HELPER_LEAF = "it computes on what its caller hands it" / "它只对调用者给出的数据做计算";

    // Blame.
    BLAME_CALLER = "{helper} tripped, but {why}; {function} is the first caller that answers for itself." / "绊倒的是 {helper}，但{why}；{function} 是第一个应为自己负责的调用者。";
    BLAME_CALL_SITE = "{function} called the bad address." / "{function} 调用了坏地址。";
    BLAME_FAULTED_ITSELF = "{function} is where it happened; whether it made the mistake or was handed the bad value, the log alone does not say." / "事情发生在 {function} 里；是它自己的错，还是别人给了坏值，仅凭日志不能断定。";
    BLAME_LOADER_MARKED = "{function} belongs to the module loader and only tripped. It was loading {module} (line {line}), which is the subject of the crash; that {module} caused it is not shown: whoever wrote over the loader's structures may be another module." / "{function} 属于模块加载器，只是绊倒在此。当时在加载 {module}（第 {line} 行），它是这次崩溃的当事模块；但日志并不能说明是它造成的：改写加载器数据结构的可能是别的模块。";
    BLAME_LOADER_FIRST = "{function} belongs to the module loader and only tripped. A module was being loaded, probably {module}, the first of the list (line {line}); that it caused the crash is not shown: whoever wrote over the loader's structures may be another module." / "{function} 属于模块加载器，只是绊倒在此。当时在加载模块，大概是列表首位的 {module}（第 {line} 行）；但日志并不能说明是它造成的：改写加载器数据结构的可能是别的模块。";
    BLAME_ONLY_HELPERS = "{function} is where it happened, but {why}; the log names no caller that answers for itself." / "事情发生在 {function}，但{why}；日志中没有应为自己负责的调用者。";

    // Modules.
    SUSPECT_IN_TRACE = "Its code was running: {function} (line {line})." / "当时正在运行它的代码：{function}（第 {line} 行）。";
    SUSPECT_COMING = "It was being loaded (+): the kernel was working on it." / "正在被加载（+）：内核当时在处理它。";
    SUSPECT_FIRST_WHILE_LOADING = "A module was being loaded, and this one, first of the list, was added last." / "当时正在加载模块，而它在列表首位，是最后加入的。";
    SUSPECT_NEWEST = "It was loaded last: the list begins with the newest." / "它最后加载：列表从最新的开始。";
    SUSPECT_GOING = "It was being unloaded (-)." / "正在被卸载（-）。";
    SUSPECT_UNLOADED = "It was unloaded before the crash: something may still have pointed into it." / "它在崩溃前已卸载：可能仍有指针指向它。";
    SUSPECT_OUT_OF_TREE = "It is not part of the kernel's source: its correctness rests on its vendor alone." / "它不在内核源码树内：其正确性只由提供者负责。";
    SUSPECT_FORCED = "It was loaded by force, against a version check." / "它绕过版本检查被强制加载。";

    // Causes.
    ST_LIST_CORRUPTION = "A linked list was found corrupted." / "发现链表已损坏。";
    ST_REFCOUNT = "A reference count was misused." / "引用计数使用错误。";
    ST_DOUBLE_FREE = "Memory was freed twice, or never came from the allocator." / "内存被重复释放，或根本不是分配得来的。";
    ST_USE_AFTER_FREE = "Memory was used after it had been freed." / "内存释放之后仍被使用。";
    ST_OUT_OF_BOUNDS = "An access went outside its object." / "访问越过了对象的边界。";
    ST_OUT_OF_BOUNDS_INDEX = "`{expression}` lies outside its array: the subscript is none of its elements." / "`{expression}` 越过了数组边界：下标超出元素个数。";
    ST_STACK_OVERFLOW = "The kernel stack was used up." / "内核栈用尽。";
    ST_STACK_CORRUPTION = "The kernel stack was overwritten." / "内核栈被改写。";
    ST_BUFFER_OVERRUN = "More was written than the buffer holds." / "写入的内容超出了缓冲区。";
    ST_BUFFER_OVERRUN_OF = "More was written into `{array}` of {record} than it holds: text ran over `{pointer}` behind it." / "写入 {record} 的 `{array}` 的内容超出其长度：文本覆盖了后面的 `{pointer}`。";
    ST_WRITE_PROTECT = "Read-only memory was written to." / "写了只读内存。";
    ST_EXECUTE_PROTECT = "Control went to memory that is mapped but must not be executed." / "控制流到了已映射但不可执行的内存。";
    ST_BAD_CALL_TARGET = "A function pointer that is no function's address was called." / "调用了并非函数地址的函数指针。";
    ST_NULL_CALL_IN = "{function} called a function pointer that is NULL." / "{function} 调用了值为 NULL 的函数指针。";
    ST_BAD_CALL_IN = "{function} called a function pointer that is no function's address, or a return address was overwritten." / "{function} 调用了并非函数地址的函数指针，或者返回地址被改写。";
    ST_ERROR_POINTER = "An error pointer, {error} (-{number}), was followed as if it were a valid pointer: a result was not checked with IS_ERR()." / "错误指针 {error}（-{number}）被当作有效指针解引用：返回值没有用 IS_ERR() 检查。";
    ST_ERROR_POINTER_NUMBER = "An error pointer (-{number}) was followed as if it were a valid pointer: a result was not checked with IS_ERR()." / "错误指针（-{number}）被当作有效指针解引用：返回值没有用 IS_ERR() 检查。";
    ST_ERROR_POINTER_SOME = "An error pointer, or one with an offset added, was followed: a result was not checked with IS_ERR()." / "错误指针（或加了偏移的错误指针）被解引用：返回值没有用 IS_ERR() 检查。";
    ST_LIST_POISON = "An entry was used after it had been removed from its list." / "表项从链表摘除之后仍被使用。";
    ST_NULL_POINTER = "A NULL pointer was followed." / "解引用了空指针。";
    ST_NULL_MEMBER = "A pointer to a member at {offset} of a structure at NULL was followed." / "解引用了空指针所指结构中偏移 {offset} 处成员的指针。";
    ST_USER_ACCESS = "A user-space pointer was followed directly instead of through copy_from_user() and its kin." / "没有使用 copy_from_user() 之类的接口，直接解引用了用户空间指针。";
    ST_DIVIDE = "A division by zero, or one whose quotient does not fit." / "除数为零，或商溢出。";
    ST_SLEEP_IN_ATOMIC = "Code that may sleep ran where sleeping is forbidden." / "在不允许睡眠的上下文中运行了可能睡眠的代码。";
    ST_SOFT_LOCKUP = "A CPU ran kernel code for so long that nothing else could run on it." / "CPU 长时间运行内核代码，其他任务得不到运行。";
    ST_HARD_LOCKUP = "A CPU ran with interrupts disabled for seconds." / "CPU 关中断运行了数秒。";
    ST_RCU_STALL = "An RCU grace period could not end: a CPU or a task held it up." / "RCU 宽限期无法结束：某个 CPU 或任务一直占着。";
    ST_HUNG_TASK = "A task waited uninterruptibly for something that did not come." / "任务在不可中断地等待一直没有到来的事件。";
    ST_DEADLOCK = "Locks are taken in an order that can deadlock, or did." / "加锁的顺序会造成（或已造成）死锁。";
    ST_HARDWARE = "The hardware reported an error." / "硬件报告了错误。";
    ST_BIT_FLIP = "A pointer differs from a good one by a single bit." / "某个指针与正常指针只差一位。";
    ST_WILD_CODE = "What was followed as a pointer is machine code, not data." / "被当作指针解引用的是机器码，而不是数据。";
    ST_WILD_TEXT = "What was followed as a pointer is text." / "被当作指针解引用的是文本。";
    ST_WILD_POINTER = "A pointer that points nowhere was followed." / "解引用了不指向任何有效内存的指针。";
    ST_WILD_UNINITIALISED = "A pointer was followed that was never set since its memory was allocated (POISON_INUSE, 0x5a)." / "解引用了自分配以来从未赋值的指针（POISON_INUSE，0x5a）。";
    ST_WILD_UNMAPPED = "A pointer to kernel memory that is not mapped was followed: stale, computed wrongly, or past the end of something." / "解引用了指向未映射内核内存的指针：可能已失效、计算有误，或越过了末尾。";
    ST_CODE_FLIP = "The code in memory differs from the image by a single bit." / "内存中的代码与映像只差一位。";
    ST_POINTER_ALTERED = "A stored pointer was altered in one bit." / "已存储的指针被改动了一位。";
    ST_MEMORY_CORRUPTION = "Something wrote over memory that was not its own." / "有代码改写了不属于自己的内存。";
    ST_ASSERTION = "A condition that its author declared impossible came true." / "作者断言不可能的条件成立了。";
    ST_ASSERTION_AT = "The condition asserted at {file}:{line} does not hold." / "{file}:{line} 处断言的条件不成立。";
    ST_INVALID_OPCODE = "The CPU met bytes that are no instruction of it." / "CPU 遇到了不是指令的字节。";
    ST_WARNING = "The kernel found something wrong and went on." / "内核发现异常后继续运行。";
    ST_WARNING_AT = "The condition warned of at {file}:{line} came true." / "{file}:{line} 处警告的条件成立了。";

    // Next checks.
    WHY_SLUB_DEBUG = "Repeat it with slab debugging: the report then names where the object was allocated and freed." / "打开 slab 调试后重现：报告会给出对象在哪里分配、在哪里释放。";
    WHY_KASAN = "Repeat it with slab poisoning or KASAN: the write or use is then caught at its source." / "打开 slab 毒化或使用 KASAN 内核重现：可在出错的源头抓住它。";
    WHY_TRACE_REFCOUNT = "Trace who takes and who puts references of the object." / "跟踪是谁获取、谁释放了该对象的引用。";
    WHY_DISASM = "Look at the function around the fault, source interleaved." / "查看出错处附近的函数（源码对照）。";
    WHY_CALL_SITE = "Look at the call site: which member the function pointer was loaded from." / "查看调用处：函数指针是从哪个成员取出的。";
    WHY_BOUND = "Look where the index comes from, and compare it with the array's length before it is used." / "查明下标的来源，并在使用之前与数组长度比较。";
    WHY_IS_ERR = "Look which call returned the pointer, and check its result with IS_ERR()." / "查明哪个调用返回了该指针，并用 IS_ERR() 检查其结果。";
    WHY_KPROBE = "Record the pointer and the call stack at the faulting instruction before the crash." / "在崩溃前于出错指令处记录该指针和调用栈。";
    WHY_USER_POINTER = "Look where the pointer came from: it should pass through copy_from_user(), copy_to_user(), get_user() or put_user()." / "查明指针的来源：应经由 copy_from_user()、copy_to_user()、get_user() 或 put_user()。";
    WHY_STACK_TRACER = "Measure which functions use the stack up." / "测量哪些函数用掉了栈。";
    WHY_STACK_ARRAYS = "Look at the arrays on that function's stack and at who fills them." / "查看该函数栈上的数组以及由谁填充。";
    WHY_ATOMIC = "Find out who disabled preemption or interrupts, or took the lock." / "查明是谁关了抢占、关了中断或拿了锁。";
    WHY_LOCKUP = "Sample what the CPUs run, and dump every CPU's stack." / "采样各 CPU 在运行什么，并转储所有 CPU 的栈。";
    WHY_HARD_LOCKUP = "Trace the longest stretch with interrupts off, and dump every CPU's stack." / "跟踪最长的关中断区间，并转储所有 CPU 的栈。";
    WHY_HUNG = "List every blocked task and every held lock: the holder of the lock is the one to look at." / "列出所有阻塞的任务和所有已持有的锁：应查看锁的持有者。";
    WHY_LOCKDEP = "Repeat it with lock debugging: it names both lock orders." / "打开锁调试后重现：它会指出两种加锁顺序。";
    WHY_MEMTEST = "Test the memory, and read the errors the hardware recorded." / "测试内存，并读取硬件记录的错误。";
    WHY_ASSERTION = "Look at the condition and at what its operands held." / "查看该条件及其操作数的值。";
    WHY_CODE_BYTES = "Compare the code bytes of the log with the image's: they differ if the code was overwritten." / "比较日志中的代码字节与映像：若代码被改写，两者会不同。";

    // What is missing.
    MISSING_VMLINUX = "vmlinux with debug information for {release}" / "{release} 的带调试信息的 vmlinux";
    MISSING_VMLINUX_WHY = "It turns symbol+offset into file and line, inlined calls and the C expression that faulted." / "有了它才能把 符号+偏移 变成文件与行号、内联调用和出错的 C 表达式。";
    MISSING_VMLINUX_BARE_WHY = "The kernel's image is used by its symbols and BTF. Debug information would add files and lines, inlined calls, and the names and types of local and global variables." / "目前按符号表和 BTF 使用内核映像；调试信息还能给出文件与行号、内联调用，以及局部变量和全局变量的名称与类型。";
    MISSING_VMLINUX_SYMBOLS_WHY = "The kernel's image is used by its symbols alone: it has no BTF. Debug information would add files and lines, inlined calls, all types and members, and the names of variables." / "内核映像没有 BTF，目前只用到符号表；调试信息还能给出文件与行号、内联调用、全部类型与成员，以及变量名。";
    MISSING_MODULE_SYMBOLS_WHY = "The module is used by its symbols alone: the types of its kernel's BTF are not at hand. Debug information would add files and lines, inlined calls, all types and members, and the names of variables." / "没有该内核的 BTF 类型，目前只用到模块的符号表；调试信息还能给出文件与行号、内联调用、全部类型与成员，以及变量名。";
    MISSING_HALF = "the code of {name}" / "{name} 的代码";
    MISSING_HALF_WHY = "Its debug information was split off, and the installed file has the code: with both, the code is compared with the log byte by byte and the faulting instruction is decoded." / "其调试信息是分离出来的，代码在已安装的文件里：两者齐备才能与日志逐字节比较，并译码出错的指令。";
    MISSING_MODULE_BARE_WHY = "The module is used by its symbols and the BTF there is. Debug information would add files and lines, inlined calls, and the names and types of its variables." / "目前按符号表和已有的 BTF 使用该模块；调试信息还能给出文件与行号、内联调用，以及变量的名称与类型。";
    MISSING_VMLINUX_SELF_BUILT = "The release names no distribution, so the kernel was probably built by its user: the vmlinux in its build directory gives file, line and the C expression." / "版本号看不出发行版，内核大概是自行编译的：编译目录里的 vmlinux 能给出文件、行号和 C 表达式。";
    MISSING_RELEASE = "the kernel's release" / "内核版本号";
    MISSING_RELEASE_WHY = "Without it nobody can tell which vmlinux belongs to this log; it stands on the CPU: line." / "没有它就不知道该用哪个 vmlinux；它在 CPU: 那一行。";
    MISSING_MODULE = "{module}.ko with debug information" / "带调试信息的 {module}.ko";
    MISSING_MODULE_OUT_OF_TREE = "It is an out-of-tree module: only its vendor or your build directory has it with debug information." / "它是树外模块：只有提供者或你的编译目录里才有带调试信息的版本。";
    MISSING_MODULE_IN_TREE = "The kernel's debug package carries it." / "内核的调试包里有它。";
    MISSING_TRACE = "the call trace" / "调用栈";
    MISSING_TRACE_WHY = "It shows who called the function that crashed." / "它说明是谁调用了出错的函数。";
    MISSING_REGISTERS = "registers {names}" / "寄存器 {names}";
    MISSING_REGISTERS_WHY = "The bad pointer and the arguments of the function stand in them; the log was cut or copied in part." / "坏指针和函数参数都在其中；日志被截断或只抄了一部分。";
    MISSING_CODE = "the Code: line" / "Code: 行";
    MISSING_CODE_WHY = "It shows the faulting instruction even without an image, and proves whether an image is the right one." / "即使没有映像，它也能给出出错的指令，并能证明映像是否正确。";
    MISSING_CODE_NOTED = "The kernel could not read it (line {line}: {note}); the module's or kernel's image has the same bytes." / "内核未能读出（第 {line} 行：{note}）；模块或内核映像里有同样的字节。";
    MISSING_MODULE_LIST = "the end of the module list" / "模块列表的结尾";
    MISSING_MODULE_LIST_WHY = "The list is cut: a module that matters may be in the lost part." / "列表被截断：要紧的模块可能在丢失的部分里。";
}
