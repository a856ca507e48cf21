//! Where a log contradicts itself.

messages! {
    // Slips of the pen.
    SLIP_SWAPPED = "two neighbouring digits are exchanged" / "相邻的两位数字互换了位置";
    SLIP_ALTERNATING = "the digits of an alternating run ({run}) are exchanged" / "交替出现的一串数字（{run}）写反了";
    SLIP_CONFUSED = "`{written}` stands where `{meant}` belongs, and the two look alike" / "本应是 `{meant}` 的地方写成了形近的 `{written}`";
    SLIP_WRONG = "one digit is wrong (`{written}` instead of `{meant}`)" / "有一位数字写错（应为 `{meant}`，写成了 `{written}`）";
    SLIP_DROPPED = "the digit `{digit}` is missing" / "漏掉了一位数字 `{digit}`";
    SLIP_DOUBLED = "the digit `{digit}` is written twice" / "数字 `{digit}` 多写了一次";
    SLIP_INSERTED = "a digit `{digit}` too many" / "多出了一位数字 `{digit}`";
    SLIP_TWO = "two slips: {first}; and {second}" / "两处笔误：{first}；并且{second}";

    // Fault syndrome.
    ESR_FIELDS_AND_OOPS = "The fields printed from it ({fields}) cannot come from {printed}, but all of them come from {other}, which the `Internal error` line prints as a whole." / "由它解码打印出的字段（{fields}）不可能来自 {printed}，却与 `Internal error` 行完整打印的 {other} 全部吻合。";
    ESR_FIELDS_ONLY = "The fields printed from it ({fields}) cannot come from {printed}; together they make up {other}." / "由它解码打印出的字段（{fields}）不可能来自 {printed}；把这些字段拼起来得到 {other}。";
    ESR_FIELDS_DISAGREE = "The fields printed from it ({fields}) cannot come from {printed}." / "由它解码打印出的字段（{fields}）不可能来自 {printed}。";
    OOPS_CODE_DISAGREES = "The `ESR` line and the fields printed from it agree on {other}; the `Internal error` line repeats that register, so {printed} is wrong." / "`ESR` 行与由它解码的字段一致表明其值为 {other}；`Internal error` 行打印的是同一个寄存器，因此 {printed} 有误。";
    ESR_OOPS_DIFFER = "The `ESR` line prints {printed} and the `Internal error` line {other}, though both print the same register." / "`ESR` 行打印的是 {printed}，`Internal error` 行却是 {other}，而两者本是同一个寄存器。";
    ESR_RESERVED = "The register's bits above 36 are reserved and read as zero." / "该寄存器第 36 位以上为保留位，读出应为零。";
    PF_CODE_DIFFERS = "The `#PF` line prints error code {other}, the `Oops` line {printed}: the same number." / "`#PF` 行打印的错误码是 {other}，`Oops` 行却是 {printed}，而两者本是同一个数。";
    PF_WORDS_DIFFER = "The `#PF` line says \"{words}\", which error code {printed} does not mean." / "`#PF` 行写着 “{words}”，但错误码 {printed} 并不是这个意思。";

    // Digits.
    DIGITS_COUNT = "It has {count} digits; the kernel prints {expected}." / "它有 {count} 位数字，而内核总是打印 {expected} 位。";
    DIGITS_FOREIGN = "`{character}` is no hexadecimal digit." / "`{character}` 不是十六进制数字。";
    DIGITS_FOREIGN_LIKELY = "`{character}` is no hexadecimal digit; it looks like `{meant}`." / "`{character}` 不是十六进制数字，它形似 `{meant}`。";
    DIGITS_UPPER = "The kernel prints lower-case digits; `{character}` is rather a misread `{meant}`." / "内核打印的是小写数字；`{character}` 更可能是误认的 `{meant}`。";
    DIGITS_COUNT_LIKELY = "It has {count} digits; the kernel prints {expected}. Mended so, it begins as the other numbers of the report do, or as its own run of equal digits." / "它有 {count} 位数字，而内核总是打印 {expected} 位；这样修正后，其开头与报告中的其他数字一致，或与自身开头的一串相同数字一致。";
    ADDRESS_REPEATED = "The header line prints the same address as {other}: {slip}." / "首行把同一个地址打印为 {other}：{slip}。";
    ADDRESS_REPEATED_DIFFERS = "The header line prints the same address as {other}." / "首行把同一个地址打印为 {other}。";
    ADDRESS_LEADING_ZERO = "a leading zero is missing" / "漏掉了一个前导零";

    // Lines brought back into shape.
    SHAPE_LINE = "The line has the shape of one that every such report prints; with this in place it is that line." / "这一行与此类报告必有的某一行形状相同；这样修正后就正是那一行。";
    SHAPE_OPENER = "The line has the shape of one that opens a crash report, and lines of such a report follow." / "这一行与崩溃报告的首行形状相同，其后也确有这种报告的内容。";
    SHAPE_NAME = "The line has the shape of a call trace's; the name is mended by the other names of the log and by the words that kernel symbols consist of." / "这一行具有调用栈条目的形状；其中的名字依据日志里的其他名字以及内核符号的常用词修正。";
    PLACE_REPEATED = "Other lines of the log print the same function, or the same place in it, with these numbers." / "日志的其他行打印同一个函数（或其中同一个位置）时用的是这些数字。";
    SHAPE_STAMP = "The line begins as all others do, with the time since boot." / "这一行与其他各行一样，以启动以来的时间开头。";

    // Time.
    TIME_BACKWARDS = "Time runs backwards by {seconds} s from line {line}; messages of several CPUs overtake each other by far less." / "时间比第 {line} 行倒退了 {seconds} 秒；多个 CPU 的消息即使乱序也远不会相差这么多。";
    TIME_BACKWARDS_LIKELY = "Time runs backwards by {seconds} s from line {line}; with two neighbouring digits exchanged it would fit between its neighbours." / "时间比第 {line} 行倒退了 {seconds} 秒；若将其中相邻两位数字互换，就恰好落在前后两行之间。";

    // Places in the code.
    CODE_ALIGNMENT = "{place} is no multiple of {alignment}, and every {arch} instruction begins at one." / "{place} 不是 {alignment} 的倍数，而 {arch} 的每条指令都从这样的地址开始。";
    OFFSET_BEYOND = "The offset {offset} lies beyond the function's size {size}." / "偏移 {offset} 超出了函数大小 {size}。";
    OFFSET_UNREADABLE = "The offset is no hexadecimal number." / "偏移不是十六进制数。";
    SIZE_DIFFERS = "The same function is printed with size {other} in line {line}." / "同一个函数在第 {line} 行打印的大小是 {other}。";
    PC_AND_TRACE = "The trace begins with {other}, though its first line repeats the program counter." / "调用栈的第一行应当重复程序计数器，却是 {other}。";
    STACK_POINTER = "The stack pointer is no multiple of {alignment}; unless the stack was switched to garbage, a digit is wrong." / "栈指针不是 {alignment} 的倍数；若不是栈被换成了无效地址，就是有一位数字写错。";

    // Mended against the images.
    MEND_SYMBOL = "There is no function {printed}; {symbol} is the one that it may be a misreading of." / "没有名为 {printed} 的函数；它只可能是 {symbol} 的误读。";
    MEND_SIZE = "The image's {symbol} has size {size}." / "镜像中的 {symbol} 大小为 {size}。";
    MEND_OFFSET_CALL = "{offset} in {symbol} is where the call to {callee}, the frame above, returns to." / "{symbol} 中的 {offset} 正是调用 {callee}（即上一层栈帧）之后的返回处。";
    MEND_OFFSET_RETURN = "Of the places in {symbol} that it can be, only {offset} looks like what is printed." / "在 {symbol} 中可能的位置里，只有 {offset} 与打印的数字形近。";
    MEND_PC_BYTES = "The {count} readable `Code:` bytes of line {line} that agree stand at {place} in the image." / "第 {line} 行 `Code:` 中有 {count} 个可读字节与镜像吻合，它们位于镜像的 {place}。";
    MEND_PC_TOP = "The trace's first line ({line}) repeats the program counter: {place}." / "调用栈的第一行（第 {line} 行）重复了程序计数器：{place}。";
    MEND_TOP = "The trace's first line repeats the program counter, {place}." / "调用栈的第一行重复程序计数器 {place}。";
    MEND_CODE = "The image has these bytes at {place}; {count} others of the line agree with it." / "镜像在 {place} 处就是这些字节，该行另有 {count} 个字节与之吻合。";
    MEND_REGISTER_FAULT = "With this value `{instruction}` touches the fault address, which the log prints twice or beyond doubt." / "取此值时 `{instruction}` 访问的正是出错地址，而该地址在日志中没有疑问。";
    MEND_REGISTER_SAME = "The code derives it from the same value as {other}, which gives this number." / "按代码，它与 {other} 由同一个值得来，由 {other} 即可算出这个数。";
    MEND_REGISTER_CONSTANT = "The code has just put this constant there." / "代码刚把这个常数放进该寄存器。";
    MEND_RELEASE = "The kernel image is of release {release}, and the functions in the log are its functions." / "内核镜像的版本是 {release}，而日志中的函数正是该镜像的函数。";
    MEND_BUILD_ID = "All but a few of its digits are those of the image's build-id." / "除少数几位外，它与镜像的 build-id 完全相同。";
    MEND_MODULE = "No module is called {printed}; {symbol} is in {module}." / "没有名为 {printed} 的模块；{symbol} 在 {module} 中。";
    MEND_MODULE_LOST = "The kernel itself has no {symbol}; it is in the module {module}." / "内核本身没有 {symbol}，它在模块 {module} 中。";

    // What is missing or cut.
    REGISTERS_MISSING = "The kernel always prints them; they are not in the log." / "内核一定会打印它们，日志里却没有。";
    CODE_MISSING = "The kernel always prints a `Code:` line with this report; the log has none." / "内核打印这种报告时一定带有 `Code:` 行，日志里却没有。";
    MODULE_CUT = "The list of modules breaks off inside an entry." / "模块列表在某一项中间断开了。";
    MODULE_CUT_SHORT = "The list of modules ends in {name}, which looks like the beginning of a name." / "模块列表以 {name} 结尾，看起来像是某个名字的开头。";
    MODULE_BROKEN = "No module has a name of one letter: a name is broken here." / "没有哪个模块的名字只有一个字母：这里的名字被断开了。";
    CPU_DIFFERS = "Another line of this report says {other}." / "同一份报告的另一行写的是 {other}。";

    // Notes on the log as a whole.
    NOTE_EMPTY = "The input is empty." / "输入为空。";
    NOTE_BLANK = "The input holds nothing but blanks." / "输入中只有空白。";
    NOTE_ELF = "The input is an ELF file, not a console log; give it with -i if it is a vmlinux or a module." / "输入是 ELF 文件而不是控制台日志；如果它是 vmlinux 或模块，请用 -i 指定。";
    NOTE_BINARY = "The input is binary, not a console log." / "输入是二进制数据，不是控制台日志。";
    NOTE_COMPRESSED = "The input is compressed ({format}); unpack it first: {command}" / "输入经过压缩（{format}），请先解压：{command}";
    NOTE_NO_CRASH = "No kernel crash report was found: none of its {lines} lines has the words that open one." / "没有找到内核崩溃报告：全部 {lines} 行中没有任何一行带有崩溃报告开头的字样。";
    NOTE_TRUNCATED = "The log ends in the middle of this report." / "日志在这份报告的中间就结束了。";
    NOTE_MANY = "The log holds more than {limit} reports; the later ones were not read." / "日志中的报告超过 {limit} 份，之后的没有读取。";
}
