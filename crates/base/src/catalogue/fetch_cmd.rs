//! What `kwhy fetch` and `kwhy cache` say.

messages! {
    TITLE = "Debug information of {release}" / "{release} 的调试信息";
    THERE = "At hand" / "已有";
    MISSING = "Missing" / "缺少";
    TRIED = "What was tried" / "尝试情况";
    FROM = "fetched from {source}" / "取自 {source}";
    WITHOUT = "no debug information for {what}" / "没有 {what} 的调试信息";
    ABOUT = "{what}: {why}" / "{what}：{why}";
    OFFLINE = "the network was not used, because of --offline" / "因指定了 --offline，未访问网络";
    NO_BUILD_ID_KNOWN = "{what}: its build-id is not known, so debuginfod servers cannot be asked for it" / "{what}：构建 ID 未知，无法向 debuginfod 服务器查询";
    NO_SERVERS = "{what} has the build-id {id}, but $DEBUGINFOD_URLS names no server to ask" / "{what} 的构建 ID 为 {id}，但 $DEBUGINFOD_URLS 未指定任何服务器";
    NO_DISTRIBUTION = "nothing says which distribution built this kernel: its vmlinux is where it was built" / "无法判断该内核来自哪个发行版：其 vmlinux 应在编译目录中";
    LOG_NAMES_NONE = "{path} has no crash that names its kernel" / "{path} 中没有标明内核版本的崩溃";
    NOT_A_RELEASE = "{text} is neither a file nor a kernel release" / "{text} 既不是文件，也不是内核版本";
    HINT_FETCH = "give a crash log, or a release as `uname -r` prints it: `kwhy fetch 6.1.0-9-amd64`" / "请给出崩溃日志，或 `uname -r` 输出的内核版本：`kwhy fetch 6.1.0-9-amd64`";
    NO_RUNNING = "the release of the running kernel cannot be read" / "无法读取当前内核的版本";
    NO_CACHE = "there is no folder for the cache" / "没有可用的缓存目录";
    CANNOT_USE_CACHE = "the cache cannot be written" / "无法写入缓存";
    HINT_CACHE = "set `KWHY_CACHE_DIR` to a folder that can be written" / "请将 `KWHY_CACHE_DIR` 设为可写的目录";
    CANNOT_CLEAN = "not everything could be removed from the cache" / "缓存中有内容无法删除";
    CACHE_HOLDS = "{path}: {count} entries, {size} of at most {limit}" / "{path}：{count} 项，共 {size}，上限 {limit}";
    REMOVED = "{count} entries, {size}, removed from {path}" / "已从 {path} 删除 {count} 项，共 {size}";
    KIND = "kind" / "类别";
    KEY = "key" / "键";
    SIZE = "size" / "大小";
    HOLDS = "holds" / "内容";
    FETCHING = "kwhy: {what}: {done} of {total}, {percent} %" / "kwhy：{what}：{done} / {total}，{percent} %";
    FETCHING_UNKNOWN = "kwhy: {what}: {done}" / "kwhy：{what}：{done}";
}
