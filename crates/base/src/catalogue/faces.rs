//! Headings and labels of the rendered report, and the words for the contract's keys.

messages! {
    // What the whole page says
    NO_CRASH = "No crash was found in the input." / "输入中没有发现崩溃记录。";
    CRASH_OF = "Crash {number} of {count}: " / "第 {number} 个崩溃（共 {count} 个）：";
    NOTES = "Notes on this crash" / "关于此崩溃的附注";
    INPUT_NOTES = "Notes on the input" / "关于输入的附注";
    LINE_OF_LOG = "line {line}" / "第 {line} 行";
    COLON = ": " / "：";
    COMMA = ", " / "，";
    SEMICOLON = "; " / "；";
    IN_PARENTHESES = " ({text})" / "（{text}）";

    // Sections
    VERDICT = "Verdict" / "结论";
    STORY = "What happened" / "经过";
    FAULT = "The fault" / "异常";
    LOCATION = "Where" / "位置";
    EXPRESSION = "The expression that faulted" / "出错的表达式";
    BAD_VALUE = "The bad value" / "坏值";
    LISTING = "The code around it" / "出错处附近的代码";
    TRACE = "Call trace" / "调用栈";
    REGISTERS = "Registers" / "寄存器";
    HYPOTHESES = "Possible causes, best first" / "可能的原因（按可能性排序）";
    ORIGIN = "Where the bad value came from" / "坏值的来源";
    BLAME = "Who is to blame" / "责任方";
    SYSTEM = "Task, kernel and machine" / "任务、内核与机器";
    MODULES = "Modules" / "模块";
    DAMAGE = "Where the log contradicts itself" / "日志自相矛盾之处";
    IMAGES = "Images and their checks" / "映像文件及核对结果";
    MISSING = "What was missing" / "缺少什么";

    // Labels
    CAUSE = "cause" / "原因";
    GRADE = "grade" / "把握";
    ADDRESS = "address" / "地址";
    ADDRESS_LIKELY = "better reading" / "更可能的地址";
    ADDRESS_CLASS = "region" / "所在区域";
    ADDRESS_REASON = "known because" / "判断依据";
    ACCESS = "access" / "访问方式";
    BYTES = "bytes" / "字节";
    BITS = "bits" / "位";
    FIELD = "field" / "字段";
    VALUE = "value" / "值";
    MEANING = "meaning" / "含义";
    AT = "at" / "位于";
    SOURCE = "source" / "源码";
    INLINED = "inlined" / "内联";
    INLINE_CHAIN = "Inlined calls, innermost first" / "内联调用链（由内到外）";
    IMAGE_ITSELF = "the kernel image itself" / "内核映像本身";
    MODULE = "module" / "模块";
    POINTER = "pointer" / "指针";
    RECORD = "points to" / "指向";
    MEMBER = "member" / "成员";
    OFFSET = "offset" / "偏移";
    CHECKS = "Checks" / "核对";
    CHECK = "check" / "核对项";
    ALSO = "The same in other terms" / "换个角度表述";
    ALSO_PATH = "path" / "路径";
    FUNCTION = "function" / "函数";
    MAY_BE = "may be" / "也可能是";
    SPEAKS_FOR = "speaks for" / "说明";
    SPEAKS_AGAINST = "speaks against" / "不支持";
    LOOKS_LIKE = "looks like" / "看起来是";
    DETAIL = "detail" / "详情";
    INSTRUCTION = "instruction" / "指令";
    GAP = "… {count} instructions left out" / "……省略 {count} 条指令";
    PATH_HERE = "How control got here: {entry}" / "控制流如何到达此处：{entry}";
    NOT_PRINTED = "not in the log" / "日志中未打印";
    LINK_CALLED = "found on the stack; the code shows that it called on" / "仅在栈上发现；代码表明它确实在调用链上";
    LINK_STALE = "found on the stack; stale by the code" / "仅在栈上发现；代码表明是残留";
    UNRELIABLE = "found on the stack, may be stale" / "仅在栈上发现，可能是残留";
    REGISTER = "register" / "寄存器";
    HOLDS = "holds" / "保存";
    AS_PRINTED = "printed as {printed}" / "日志中为 {printed}";
    PLAIN_REGISTERS = "Zero or a small number: {registers}" / "零或小整数：{registers}";
    FOR = "For" / "支持";
    AGAINST = "Against" / "反对";
    NEXT_CHECK = "Next check" / "下一步检查";
    CALL_PATH = "call path" / "调用路径";
    REASON = "why" / "理由";
    TASK = "task" / "任务";
    TASK_IS = "{comm}, PID {pid}" / "{comm}，PID {pid}";
    CPU = "CPU" / "CPU";
    KERNEL = "kernel" / "内核";
    ARCH = "architecture" / "体系结构";
    HARDWARE = "hardware" / "硬件";
    KASLR = "KASLR offset" / "KASLR 偏移";
    TAINTS = "Taints" / "污染标记";
    TAINTED_BY = "taints" / "污染标记";
    NOT_TAINTED = "none: the kernel is not tainted" / "无：内核未被污染";
    UNKNOWN = "unknown: the log does not say" / "未知：日志未提供";
    UNDETERMINED = "unknown" / "未知";
    IN_LOG = "in the log" / "日志位置";
    LINES = "lines {first}–{last}" / "第 {first}–{last} 行";
    KIND = "kind" / "类别";
    ALT_TITLES = "other titles" / "其他标题";
    GUILTY_FILE = "guilty file" / "肇事文件";
    CORRUPTED = "report" / "报告";
    CORRUPTED_IS = "torn or interleaved; the title may be wrong" / "残缺或相互交织，标题可能不准";
    MODULE_COUNT = "Modules loaded: {count}; of these taint the kernel: {tainted}." / "共加载 {count} 个模块，其中 {tainted} 个污染内核。";
    AND_MORE = " and {count} more" / " 等，另有 {count} 个";
    FLAGS = "flags" / "标记";
    LINE = "line" / "行";
    PRINTED = "printed" / "打印值";
    BETTER = "better" / "更可能的值";
    NOTHING_PRINTED = "(nothing)" / "（无）";
    USED = "used" / "已采用";
    NOT_USED = "not used" / "未采用";
    BUILD_ID = "build-id" / "build-id";
    RELEASE = "release" / "版本";

    // Grades and outcomes
    GRADE_PROVED = "proved" / "已证实";
    GRADE_LIKELY = "likely" / "很可能";
    GRADE_POSSIBLE = "possible" / "有可能";
    AGREES = "agrees" / "一致";
    DISAGREES = "disagrees" / "不一致";
    UNAVAILABLE = "not available" / "无法核对";

    // Accesses
    ACCESS_READ = "read" / "读";
    ACCESS_WRITE = "write" / "写";
    ACCESS_EXECUTE = "execute" / "取指执行";

    // Checks
    CHECK_ADDRESS = "fault address" / "异常地址";
    CHECK_ACCESS = "access direction" / "访问方向";
    CHECK_CODE_BYTES = "code bytes" / "代码字节";
    CHECK_FUNCTION_SIZE = "function size" / "函数大小";
    CHECK_TYPE = "inferred type" / "推断的类型";
    CHECK_ARCHITECTURE = "architecture" / "体系结构";
    CHECK_RELEASE = "release" / "内核版本";
    CHECK_VERSION = "build version" / "构建版本";
    CHECK_BUILD_ID = "build-id" / "build-id";

    // Address classes and classes of values
    CLASS_NULL = "NULL" / "空指针（NULL）";
    CLASS_NEAR_NULL = "near NULL" / "空指针附近";
    CLASS_USER = "user space" / "用户空间";
    CLASS_NON_CANONICAL = "non-canonical" / "非规范地址";
    CLASS_LINEAR_MAP = "linear map" / "线性映射区";
    CLASS_VMALLOC = "vmalloc area" / "vmalloc 区";
    CLASS_KERNEL_TEXT = "kernel text" / "内核代码段";
    CLASS_KERNEL_DATA = "kernel data" / "内核数据段";
    CLASS_MODULE = "module area" / "模块区";
    CLASS_VMEMMAP = "vmemmap" / "vmemmap 区";
    CLASS_FIXMAP = "fixmap" / "fixmap 区";
    CLASS_ERROR_POINTER = "error pointer" / "错误指针（ERR_PTR）";
    CLASS_POISON = "poison" / "毒化值";
    CLASS_KERNEL_OTHER = "kernel, no known region" / "内核空间（未知区域）";
    CLASS_SMALL_INTEGER = "small integer" / "小整数";
    CLASS_LIST_POISON = "list poison" / "链表毒化值（LIST_POISON）";
    CLASS_SLAB_POISON = "slab poison" / "slab 毒化值";
    CLASS_MACHINE_CODE = "machine code" / "机器码";
    CLASS_ASCII_TEXT = "ASCII text" / "ASCII 文本";
    CLASS_USER_POINTER = "user pointer" / "用户空间指针";
    CLASS_KERNEL_POINTER = "kernel pointer" / "内核指针";
    CLASS_BIT_FLIP = "bit flip" / "位翻转";
    CLASS_TAGGED_POINTER = "tagged pointer" / "带标签的指针";
    CLASS_INTEGER = "integer" / "整数";
    CLASS_STACK = "stack" / "栈";

    // Origins
    ORIGIN_STEPS = "How it got to the fault, from the fault backwards" / "它如何到达出错处（从出错处往回）";
    STEP_CHECKED = "after a check" / "检查之后";
    HOW_FOLLOWED = "followed" / "被解引用";
    HOW_LOADED = "read from memory" / "从内存读出";
    HOW_HANDED_ON = "handed on" / "传给下层";
    HOW_RETURNED = "returned by the call" / "由调用返回";
    HOW_MADE = "made here" / "在此产生";
    ORIGIN_MEMBER_STORE = "stored into the member" / "写入该成员";
    ORIGIN_MISSING_STORE = "never stored: initialisation is missing" / "从未写入：缺少初始化";
    ORIGIN_CALL_RESULT = "returned by a call" / "函数返回值";
    ORIGIN_PARAMETER = "passed as a parameter" / "作为参数传入";
    ORIGIN_GLOBAL = "a global variable" / "全局变量";
    ORIGIN_CONSTANT = "a constant" / "常量";
    ORIGIN_CODE = "computed or done by the code here" / "由此处的代码计算或执行";
    ORIGIN_UNKNOWN = "unknown" / "未知";

    // Causes
    CAUSE_NULL_POINTER = "NULL pointer" / "空指针";
    CAUSE_ERROR_POINTER = "error pointer used as a pointer" / "错误指针（ERR_PTR）被当作指针使用";
    CAUSE_USE_AFTER_FREE = "use after free" / "释放后使用";
    CAUSE_LIST_POISON = "use of a deleted list entry" / "使用已删除的链表节点";
    CAUSE_WILD_POINTER = "wild pointer" / "野指针";
    CAUSE_MEMORY_CORRUPTION = "memory corruption" / "内存破坏";
    CAUSE_BUFFER_OVERRUN = "buffer overrun" / "缓冲区溢出";
    CAUSE_OUT_OF_BOUNDS = "out-of-bounds access" / "越界访问";
    CAUSE_USER_ACCESS = "user-space pointer used directly" / "直接使用用户空间指针";
    CAUSE_BAD_CALL_TARGET = "call through a bad function pointer" / "通过坏函数指针调用";
    CAUSE_WRITE_PROTECT = "write to read-only memory" / "写只读内存";
    CAUSE_EXECUTE_PROTECT = "execution of non-executable memory" / "执行不可执行的内存";
    CAUSE_STACK_CORRUPTION = "stack corruption" / "栈被破坏";
    CAUSE_STACK_OVERFLOW = "stack overflow" / "栈溢出";
    CAUSE_DIVIDE_BY_ZERO = "division by zero" / "除以零";
    CAUSE_ASSERTION = "failed assertion (BUG)" / "断言失败（BUG）";
    CAUSE_WARNING = "warning" / "警告";
    CAUSE_REFCOUNT = "reference count misuse" / "引用计数误用";
    CAUSE_LIST_CORRUPTION = "list corruption" / "链表被破坏";
    CAUSE_DOUBLE_FREE = "double free" / "重复释放";
    CAUSE_SLEEP_IN_ATOMIC = "sleeping in atomic context" / "原子上下文中睡眠";
    CAUSE_SOFT_LOCKUP = "soft lockup" / "软死锁（soft lockup）";
    CAUSE_HARD_LOCKUP = "hard lockup" / "硬死锁（hard lockup）";
    CAUSE_RCU_STALL = "RCU stall" / "RCU 停滞";
    CAUSE_HUNG_TASK = "hung task" / "任务长时间阻塞（hung task）";
    CAUSE_DEADLOCK = "deadlock" / "死锁";
    CAUSE_INVALID_OPCODE = "invalid instruction" / "非法指令";
    CAUSE_HARDWARE = "hardware error" / "硬件错误";
    CAUSE_UNDETERMINED = "undetermined" / "未能确定";
}
