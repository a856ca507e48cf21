//! The recovered expression: its checks and where it came from.

messages! {
    FAULTED = "The C expression that faulted is `{text}` ({grade})." / "出错的 C 表达式是 `{text}`（{grade}）。";
    FAULTED_POINTER = "The C expression that faulted is `{text}` ({grade}): `{pointer}` was {value}." / "出错的 C 表达式是 `{text}`（{grade}）：`{pointer}` 的值是 {value}。";
    CALLED = "The call was `{text}` ({grade}): `{pointer}` was {value}." / "出错的调用是 `{text}`（{grade}）：`{pointer}` 的值是 {value}。";
    CHECKED = "What was checked is `{text}` ({grade})." / "触发的检查是 `{text}`（{grade}）。";
    WAITED = "The task waits in `{text}` ({grade})." / "任务等待在 `{text}`（{grade}）。";
    HANDED_OVER = "{function} ({place}) handed it over as `{text}`." / "该值由 {function}（{place}）以 `{text}` 传入。";
    LINE_IS = "The source line is {place}: `{text}`." / "源代码行是 {place}：`{text}`。";
    EXPLAINED = "The instruction: {words}." / "该指令：{words}。";
    ADDRESS_AGREES = "{register} = {value}, and {operand} is {computed}: the fault address {fault}" / "{register} = {value}，{operand} 为 {computed}，即出错地址 {fault}";
    ADDRESS_AGREES_NO_CR2 = "{register} = {value}, and {operand} is {computed}, an address that cannot be mapped" / "{register} = {value}，{operand} 为 {computed}，这是不可能被映射的地址";
    ADDRESS_DISAGREES = "{operand} is {computed} by the registers of the log, but the fault address is {fault}" / "按日志中的寄存器，{operand} 为 {computed}，而出错地址是 {fault}";
    ADDRESS_NO_REGISTERS = "the log does not show every register of {operand}" / "日志没有给出 {operand} 用到的全部寄存器";
    ADDRESS_NO_FAULT = "the log does not show the fault address" / "日志没有给出出错地址";
    ADDRESS_SEGMENT = "{operand} has a segment base that the log does not show for this moment" / "{operand} 含段基址，日志没有给出当时的值";
    TARGET_AGREES = "{register} = {value} is where control went" / "{register} = {value}，正是跳转到的地址";
    TARGET_DISAGREES = "{register} = {value}, but control went to {fault}" / "{register} = {value}，但实际跳转到了 {fault}";
    TARGET_UNKNOWN = "the called address was read from memory or its register has been reused" / "调用目标取自内存，或所在寄存器已被覆盖";
    ACCESS_AGREES = "the instruction {instruction} and the fault is a {access}" / "指令{instruction}，故障类型为 {access}";
    ACCESS_DISAGREES = "the instruction {instruction}, but the fault is a {access}" / "指令{instruction}，而故障类型为 {access}";
    ACCESS_UNKNOWN = "the log does not say what sort of access faulted" / "日志没有说明出错访问的类型";
    DOES_READ = "reads {width} bytes" / "读 {width} 字节";
    DOES_WRITE = "writes {width} bytes" / "写 {width} 字节";
    DOES_MODIFY = "reads and writes {width} bytes" / "读改写 {width} 字节";
    SIZE_AGREES = "{symbol} is {size} bytes long in the log and in the image" / "{symbol} 在日志和镜像中的长度都是 {size} 字节";
    SIZE_DISAGREES = "{symbol} is {log} bytes long in the log and {image} in the image" / "{symbol} 在日志中长 {log} 字节，在镜像中长 {image} 字节";
    SIZE_UNKNOWN = "the log does not print the size of {symbol}" / "日志没有打印 {symbol} 的长度";
    TRAP_AGREES = "the instruction at the program counter is a trap, {instruction}" / "程序计数器处的指令是陷入指令 {instruction}";
    ST_NULL_CONTAINER = "A NULL pointer to a member was taken for a structure around it: NULL less {offset}, then followed." / "把指向成员的空指针当作其所在结构使用：NULL 减去 {offset} 后被解引用。";
    NULL_LESS = "`{pointer}` is computed as a pointer that was read less {offset}; its value {value} is NULL less {offset}" / "`{pointer}` 由读出的指针减去 {offset} 得到；其值 {value} 就是 NULL 减去 {offset}";
    MAY_BE_CONTAINER = "{value} is also NULL less {offset}: container_of() of a NULL pointer gives it as well" / "{value} 也等于 NULL 减去 {offset}：对空指针做 container_of() 同样得到此值";
    TYPE_DECLARED = "no debug information types the pointer; {record} is inferred: {function} is declared to take it" / "没有调试信息说明该指针的类型；推断为 {record}：{function} 的声明以它为参数";
    TYPE_PASSED = "no debug information types the pointer; {record} is inferred: it is handed over to {function}, which is declared to take it" / "没有调试信息说明该指针的类型；推断为 {record}：它被传给 {function}，后者的声明要求此类型";
    TYPE_RETURNED = "no debug information types the pointer; {record} is inferred: {function} is declared to return it" / "没有调试信息说明该指针的类型；推断为 {record}：{function} 的声明返回此类型";
    TYPE_MEMBER = "no debug information types the pointer; {record} is inferred: {member} is declared to point to it" / "没有调试信息说明该指针的类型；推断为 {record}：{member} 的声明指向此类型";
    TYPE_ALLOCATED = "no debug information types the pointer; {record} is inferred: {function} allocates {size} bytes for it by {callee}, the size of no other struct that fits" / "没有调试信息说明该指针的类型；推断为 {record}：{function} 用 {callee} 为其分配 {size} 字节，相符的结构中只有它是这个大小";
    TYPE_STORED = "no debug information types the pointer; {record} is inferred: such a pointer is stored where it is read, or handed over as it" / "没有调试信息说明该指针的类型；推断为 {record}：读取处存入过、或以参数传入过此类指针";
    TYPE_SIZED = "no debug information types the variable; {record} is inferred: it alone has {size} bytes and members where the code reads and writes" / "没有调试信息说明该变量的类型；推断为 {record}：只有它是 {size} 字节且在代码读写处有成员";
    TYPE_ONLY = "no debug information types the pointer; {record} is inferred: of the structs known it fits best what is done with the pointer, at {count} places in it" / "没有调试信息说明该指针的类型；推断为 {record}：已知结构中它与对该指针的用法最相符（其中 {count} 处被访问）";
}
