//! What the command itself says: errors, hints, progress.

messages! {
    IS_CODE = "as data in memory these are instructions: {instructions}" / "作为内存中的数据，这是机器指令：{instructions}";
    // The forms
    ERROR = "kwhy: error: {message}" / "kwhy：错误：{message}";
    WARNING = "kwhy: warning: {message}" / "kwhy：警告：{message}";
    BECAUSE = "  because: {cause}" / "  原因：{cause}";
    HINT = "  hint: {hint}" / "  提示：{hint}";
    BUG = "kwhy: internal error: {what} (kwhy {version}); this is a bug in kwhy: please report it with the input that led to it" / "kwhy：内部错误：{what}（kwhy {version}）；这是 kwhy 自身的缺陷，请附上触发它的输入并报告";

    // Inputs
    CANNOT_READ = "cannot read {path}" / "无法读取 {path}";
    HINT_NOT_FOUND = "check the path; `kwhy --help` shows how inputs are given" / "请检查路径；`kwhy --help` 说明了如何给出输入";
    HINT_PERMISSION = "the file exists but may not be read by this user: copy it, or run `sudo cat {path} | kwhy`" / "文件存在但当前用户无权读取：请复制一份，或运行 `sudo cat {path} | kwhy`";
    IS_DIRECTORY = "{path} is a directory, not a console log" / "{path} 是目录，不是控制台日志";
    HINT_DIRECTORY = "give the log itself; a folder of images goes with -i: `kwhy LOG -i {path}`" / "请直接给出日志文件；存放映像的目录用 -i 指定：`kwhy LOG -i {path}`";
    NOT_A_LOG = "{path} is no console log but {format} data" / "{path} 不是控制台日志，而是 {format} 数据";
    HINT_ELF = "an image goes with -i: `kwhy LOG -i {path}`" / "映像文件用 -i 指定：`kwhy LOG -i {path}`";
    HINT_VMCORE = "memory dumps are not read yet: extract the log with `crash` (command `log`) or `makedumpfile --dump-dmesg` and give that" / "暂不支持读取内存转储：请用 `crash`（`log` 命令）或 `makedumpfile --dump-dmesg` 提取日志后再给出";
    HINT_UNPACK = "unpack it: `{tool} {path} | kwhy`" / "请先解压：`{tool} {path} | kwhy`";
    HINT_JOURNAL = "let journalctl read it: `journalctl --file {path} -k -o export | kwhy`" / "请用 journalctl 读取：`journalctl --file {path} -k -o export | kwhy`";
    CANNOT_UNPACK = "{path} cannot be unpacked: {error}" / "无法解包 {path}：{error}";
    NOTHING_UNPACKED = "nothing can be unpacked from {path}" / "无法从 {path} 解压出任何内容";
    HINT_PICTURE = "type or scan the text into a file and give that; kwhy mends what gets lost on the way where it can" / "请将文字录入或识别到文本文件后再给出；录入造成的缺损 kwhy 会尽量修复";
    TOO_LONG = "Only the first {bytes} bytes of the input were read." / "只读取了输入的前 {bytes} 字节。";
    FOLLOWED = "Read while it was being written: what came later is not in this report." / "本报告在日志写入过程中生成，不含之后的内容。";
    FOLLOWED_OF = "From {path}, read while it was being written: what came later is not in this report." / "来自 {path}，在日志写入过程中生成，不含之后的内容。";
    FILE_HAS_NONE = "{path}: no crash" / "{path}：没有崩溃";
    FILE_HAS_ONE = "{path}: crash {number}" / "{path}：第 {number} 个崩溃";
    FILE_HAS = "{path}: crashes {first}–{last}" / "{path}：第 {first}–{last} 个崩溃";
    NOTE_OF = "{path}: {note}" / "{path}：{note}";
    NO_SOURCE = "{path} is no directory: no source lines from there" / "{path} 不是目录，无法从中读取源码行";
    ANALYSING = "kwhy: analysing…" / "kwhy：正在分析……";

    // Output
    CANNOT_WRITE = "cannot write {path}" / "无法写入 {path}";
    OUTPUT_IS_INPUT = "the output {path} is one of the inputs and would be overwritten" / "输出 {path} 与某个输入是同一文件，会将其覆盖";

    // Decoding
    NOT_A_NUMBER = "{value} is no number that can be decoded" / "{value} 不是可以解码的数值";
    HINT_NUMBER = "give hexadecimal digits, with or without 0x; for taints a decimal mask or letters do too" / "请给出十六进制数（可带 0x）；污染标记也可用十进制掩码或字母";
    TOO_LARGE = "{value} has more than 64 bits" / "{value} 超过 64 位";
    OTHER_ARCH = "{kind} belongs to {arch}" / "{kind} 属于 {arch}";
    UNKNOWN_ARCH = "no architecture is called {arch}" / "没有名为 {arch} 的体系结构";
    HINT_ARCH = "known names: {names}" / "已知名称：{names}";

    // Looking into images
    NOT_AN_IMAGE = "{path} cannot be used as an image" / "{path} 不能作为映像使用";
    NO_FUNCTION = "no image given has a function called {name}" / "给出的映像中没有名为 {name} 的函数";
    HINT_FUNCTION = "look for its real name, suffixes (.isra.0, .constprop.0) included: `nm IMAGE | grep {name}`" / "请查找其实际符号名（包括 .isra.0、.constprop.0 等后缀）：`nm IMAGE | grep {name}`";
    BAD_OFFSET = "{text} is no offset" / "{text} 不是偏移量";
    HINT_OFFSET = "write 0x40 or 64" / "请写成 0x40 或 64";
    OUTSIDE = "offset {offset} is outside {name}, which has {size} bytes" / "偏移 {offset} 超出了 {name}（共 {size} 字节）";
    NO_CODE = "{path} has no code for {name}: its sections were stripped to debug information" / "{path} 中没有 {name} 的代码：该文件只保留了调试信息";
    NO_TYPE = "no image given describes a type called {name}" / "给出的映像中没有名为 {name} 的类型";
    HINT_TYPE = "write it as in C (`struct module`, `union …`, `enum …`, a typedef's name), and give an image with debug information or BTF" / "请按 C 语言写法给出（`struct module`、`union …`、`enum …` 或 typedef 名），并提供带调试信息或 BTF 的映像";
    NOT_A_RECORD = "{name} has no members" / "{name} 没有成员";
    NO_MEMBER = "{name} has no member {member}" / "{name} 没有成员 {member}";
    HINT_MEMBERS = "`kwhy type '{name}' -i {path}` lists them" / "`kwhy type '{name}' -i {path}` 可列出所有成员";
    SIZE_IS = ", {size} ({hex}) bytes" / "，{size}（{hex}）字节";
    SIZE = "size" / "大小";
    HOLE = "hole of {size} bytes" / "{size} 字节空洞";
}
