//! The annotated listing: instructions in plain words.

messages! {
    THEN = "{first}; {rest}" / "{first}；{rest}";
    NAMED = "{what}: `{name}`" / "{what}：`{name}`";

    LOAD = "load {to} from {place}" / "从 {place} 读入 {to}";
    LOAD_NARROW = "load {to} from {place} ({bytes})" / "从 {place} 读入 {to}（{bytes}）";
    LOAD_SIGNED = "load {to} from {place} ({bytes}, sign-extended)" / "从 {place} 读入 {to}（{bytes}，符号扩展）";
    LOAD_ORDERED = "load {to} from {place} ({bytes}, acquire or exclusive)" / "从 {place} 读入 {to}（{bytes}，获取语义或独占）";
    READ = "read {bytes} at {place}" / "读取 {place} 处的 {bytes}";
    STORE = "store {value} ({bytes}) to {place}" / "把 {value}（{bytes}）写到 {place}";
    STORE_UNKNOWN = "write {bytes} to {place}" / "向 {place} 写入 {bytes}";
    SAVE = "save {value} on the stack ({place})" / "把 {value} 保存到栈上（{place}）";
    RESTORE = "restore {to} from the stack ({place})" / "从栈上（{place}）恢复 {to}";
    BYTE = "1 byte" / "1 字节";
    BYTES = "{n} bytes" / "{n} 字节";
    BYTES_UNKNOWN = "a number of bytes that the instruction does not fix" / "若干字节（长度不由指令决定）";

    MODIFY = "read, change and write back {bytes} at {place}: `{operation}`" / "读-改-写 {place} 处的 {bytes}：`{operation}`";
    MODIFY_UNKNOWN = "read, change and write back {bytes} at {place}" / "读-改-写 {place} 处的 {bytes}";
    EXCHANGE = "write {value} ({bytes}) to {place} and take what was there" / "把 {value}（{bytes}）写到 {place}，并取出原值";
    COMPARE_EXCHANGE = "write {value} ({bytes}) to {place} if it holds the expected value" / "若 {place} 为预期值则写入 {value}（{bytes}）";
    OLD_VALUE = "{what}; the old value goes to {old}" / "{what}；原值放入 {old}";

    COPY = "copy {from} to {to}" / "把 {from} 复制到 {to}";
    SET = "set {to} to {value}" / "令 {to} 为 {value}";
    ADD_TO = "add {amount} to {to}" / "{to} 加 {amount}";
    SUBTRACT_FROM = "subtract {amount} from {to}" / "{to} 减 {amount}";
    STACK_GROWS = "make {amount} bytes of room on the stack" / "在栈上开辟 {amount} 字节";
    STACK_SHRINKS = "give {amount} bytes of the stack back" / "释放栈上 {amount} 字节";
    CURRENT = "set {to} to `current`, the running task (from {system})" / "令 {to} 为 `current`，即当前任务（取自 {system}）";
    PER_CPU = "set {to} to this CPU's per-cpu offset (from {system})" / "令 {to} 为本 CPU 的 per-cpu 偏移（取自 {system}）";
    SET_SYSTEM = "set {to} to the system register {system}" / "令 {to} 为系统寄存器 {system} 的值";
    EITHER = "set {to} to {first} if {condition}, else to {second}" / "若{condition}则令 {to} 为 {first}，否则为 {second}";
    COMPUTED = "compute {to} ({mnemonic})" / "计算 {to}（{mnemonic}）";
    CLOBBERS = "change {registers} ({mnemonic})" / "改变 {registers}（{mnemonic}）";

    COMPARE = "compare {a} with {b}" / "比较 {a} 与 {b}";
    TEST = "test the bits {b} of {a}" / "测试 {a} 的位 {b}";
    TEST_SELF = "check {a} for zero and sign" / "检查 {a} 是否为零及其符号";
    FLAGS = "set the condition flags" / "设置条件标志";

    IF_ZERO = "if {a} is zero go to {target}" / "若 {a} 为零则跳到 {target}";
    IF_NOT_ZERO = "if {a} is not zero go to {target}" / "若 {a} 不为零则跳到 {target}";
    IF_BIT_CLEAR = "if bit {bit} of {a} is clear go to {target}" / "若 {a} 的第 {bit} 位为 0 则跳到 {target}";
    IF_BIT_SET = "if bit {bit} of {a} is set go to {target}" / "若 {a} 的第 {bit} 位为 1 则跳到 {target}";
    IF = "if {condition} go to {target}" / "若{condition}则跳到 {target}";
    GO = "go to {target}" / "跳到 {target}";
    GO_INDIRECT = "go to the address in {place}" / "跳到 {place} 中的地址";
    CALL = "call {target}" / "调用 {target}";
    CALL_INDIRECT = "call the function whose address is in {place}" / "调用地址在 {place} 中的函数";
    RETURN = "return to the caller" / "返回调用者";
    TRAP_BUG = "trap: `BUG()` or `WARN()`" / "陷入：`BUG()` 或 `WARN()`";
    TRAP_BREAKPOINT = "trap: a breakpoint, or padding that must not be reached" / "陷入：断点，或不应执行到的填充";
    TRAP_CODE = "trap: {instruction}" / "陷入：{instruction}";
    TRAP_UNDEFINED = "trap: not an instruction" / "陷入：不是有效指令";

    EQUAL = "equal, or zero" / "相等（或为零）";
    NOT_EQUAL = "not equal, or not zero" / "不相等（或不为零）";
    BELOW = "below (unsigned)" / "小于（无符号）";
    ABOVE_OR_EQUAL = "above or equal (unsigned)" / "大于等于（无符号）";
    BELOW_OR_EQUAL = "below or equal (unsigned)" / "小于等于（无符号）";
    ABOVE = "above (unsigned)" / "大于（无符号）";
    LESS = "less (signed)" / "小于（有符号）";
    GREATER_OR_EQUAL = "greater or equal (signed)" / "大于等于（有符号）";
    LESS_OR_EQUAL = "less or equal (signed)" / "小于等于（有符号）";
    GREATER = "greater (signed)" / "大于（有符号）";
    NEGATIVE = "negative" / "为负";
    NOT_NEGATIVE = "not negative" / "非负";
    OVERFLOW = "it overflowed" / "溢出";
    NO_OVERFLOW = "it did not overflow" / "未溢出";
    PARITY = "the parity is even" / "奇偶位为偶";
    NO_PARITY = "the parity is odd" / "奇偶位为奇";
    THE_CONDITION = "the condition holds" / "条件成立";

    NOTHING = "do nothing" / "空操作";
    LANDING_PAD = "mark a place that indirect calls or jumps may go to" / "标记间接调用或跳转可到达之处";
    SIGN_RETURN = "sign the return address" / "为返回地址签名";
    CHECK_RETURN = "check the return address's signature" / "验证返回地址的签名";
    AUTHENTICATE = "sign, check or strip the pointer in {to}" / "为 {to} 中的指针签名、验签或去签名";
    BARRIER = "order memory accesses or instructions" / "内存或指令屏障";
    PREFETCH = "prefetch into the cache (never faults)" / "预取到缓存（不会触发异常）";
    HINT = "hint to the CPU" / "给 CPU 的提示";
    SYSTEM_WRITE = "write a system register or control the CPU ({mnemonic})" / "写系统寄存器或控制 CPU（{mnemonic}）";
    MAINTENANCE = "maintain a cache, the TLB or address translation ({mnemonic})" / "维护缓存、TLB 或地址转换（{mnemonic}）";
    INTERRUPTS = "switch interrupts ({mnemonic})" / "开关中断（{mnemonic}）";
    PORT_WRITE = "write to an I/O port ({mnemonic})" / "写 I/O 端口（{mnemonic}）";
    HYPERVISOR = "call or control the hypervisor or its guest ({mnemonic})" / "调用或控制虚拟机监控器或客户机（{mnemonic}）";
    VECTOR = "vector or floating-point work ({mnemonic})" / "向量或浮点运算（{mnemonic}）";
    OTHER = "an instruction whose effect is not modelled ({mnemonic})" / "未建模其效果的指令（{mnemonic}）";
}
