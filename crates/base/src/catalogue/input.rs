//! What was done to an input to make log text of it.

messages! {
    UNPACKED = "The log was unpacked from {format} data; line numbers are those of the unpacked text." / "日志由 {format} 数据解压得到；行号为解压后文本的行号。";
    UNPACK_CUT = "The {format} data ends early or is damaged ({cause}): only the {bytes} bytes before that were read." / "{format} 数据提前结束或已损坏（{cause}）：只读取了此前的 {bytes} 字节。";
    UNPACK_LIMIT = "Unpacking stopped after {bytes} bytes: what comes later was not read." / "解压在 {bytes} 字节后停止：其后的内容未读取。";
    WAS_UTF16 = "The input was UTF-16 text and was converted." / "输入为 UTF-16 文本，已转换。";
    JOURNAL = "The log was read from journal records: {kept} of the kernel, {left} of others left out." / "日志取自 journal 记录：内核记录 {kept} 条，略去其他来源的记录 {left} 条。";
    RECORDS = "The log was read from {count} JSON records; line numbers are those of the records." / "日志取自 {count} 条 JSON 记录；行号为各记录所在的行号。";
    SECTION = "The log was read from the section {name}." / "日志取自 {name} 一节。";
    MAIL = "The input is mail: headers and encodings were taken off." / "输入为邮件：已去除邮件头和传输编码。";
    WEB_PAGE = "The input is a web page: its markup was taken off." / "输入为网页：已去除标记。";
    FENCED = "Only what stands in code blocks was read as log." / "只把代码块中的内容当作日志读取。";
    QUOTED = "What stood in front of every line (“{lead}”) was taken off." / "已去除每行行首的“{lead}”。";
    WRAPPED = "Lines that had been wrapped at column {width} were joined ({count} of them)." / "在第 {width} 列处折断的行已重新拼接（共 {count} 处）。";
    TYPOGRAPHY = "Characters that a word processor or a web page had changed (full-width forms, typographic quotes, special blanks) were changed back." / "已还原被字处理软件或网页替换的字符（全角字符、弯引号、特殊空白等）。";
    BASE64 = "The text was decoded from base64." / "文本由 base64 解码得到。";
    MEMBERS_SKIPPED = "{count} of the archive's files are no logs or beyond the limit and were left out." / "归档中有 {count} 个文件不是日志或超出上限，未读取。";
    FOLDER_SKIPPED = "{count} files of {path} are no logs by name or content and were left out." / "{path} 中有 {count} 个文件按名称或内容判断不是日志，未读取。";
    FOLDER_LIMIT = "{path} holds more than {count} logs: only the first ones were read." / "{path} 中的日志超过 {count} 个：只读取了前面的部分。";
    FOLDER_PICKED = "{path} tells of one crash in several files: {name} was read." / "{path} 中有多个文件记录同一次崩溃：读取的是 {name}。";
    PSTORE = "The log was put together from {count} pstore parts; line numbers are those of the joined text." / "日志由 {count} 个 pstore 分片拼成；行号为拼接后文本的行号。";
    FOLDER_EMPTY = "{path} holds no log" / "{path} 中没有日志";
    HINT_FOLDER = "give the log itself; a folder of images goes with -i: `kwhy LOG -i {path}`" / "请直接给出日志文件；存放映像的目录用 -i 指定：`kwhy LOG -i {path}`";
}
