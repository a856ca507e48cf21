//! What became of the files that might have been the crashed kernel's images.

messages! {
    NAMED_ON_COMMAND_LINE = "named on the command line" / "由命令行指定";
    CHOSEN_BUILD_ID = "used: its build-id is the one in the log" / "已采用：构建 ID 与日志一致";
    CHOSEN_RELEASE = "used: its path names the kernel release {release}" / "已采用：路径中含内核版本 {release}";
    CHOSEN_BANNER = "used: its banner has the release {release} and the version {version} of the log" / "已采用：其版本信息与日志中的内核版本 {release}、构建版本 {version} 一致";
    CHOSEN_OTHER_VERSION = "of the same release, but its banner does not have the log's version {version}: possibly another build" / "内核版本相同，但其版本信息中没有日志里的 {version}，可能是另一次构建";
    CHOSEN_PROBED = "used: it was built for the kernel release {release}" / "已采用：该文件属于内核版本 {release}";
    CHOSEN_ONLY = "used: the only file of that name that fits" / "已采用：唯一匹配的同名文件";
    CHOSEN_FIRST = "used: the first of several that fit equally well" / "已采用：多个同样匹配的文件中的第一个";
    CHOSEN_CODE = "used: it has the code that was split off from {path}" / "已采用：含有从 {path} 中分离出去的代码";
    REJECTED_BETTER = "not used: {path} fits better" / "未采用：{path} 更匹配";
    REJECTED_RELEASE = "not used: it is of another kernel release, {release}" / "未采用：属于另一个内核版本 {release}";
    REJECTED_BUILD_ID = "not used: its build-id is {image}, that of the log is {log}" / "未采用：其构建 ID 为 {image}，而日志中为 {log}";
    PATH_ABSENT = "{path}, named by $KWHY_PATH, is no folder" / "$KWHY_PATH 中的 {path} 不是目录";
    REJECTED_NO_DWARF = "not used: it has no debug information, and neither has what was found before" / "未采用：没有调试信息，与先前找到的文件相同";
    REJECTED_UNREADABLE = "not used: it cannot be read ({error})" / "未采用：无法读取（{error}）";
    FOLDER_UNREADABLE = "the folder {path} cannot be read ({error})" / "无法读取目录 {path}（{error}）";
    TOO_MANY_FILES = "the search of {path} was ended after {count} names; give a folder further down" / "在 {path} 中已检查 {count} 个名称，搜索到此为止；请指定更具体的目录";
    NOTHING_FOUND = "{path}: no vmlinux and no module of this crash was found among {count} names" / "{path}：检查了 {count} 个名称，没有找到 vmlinux，也没有找到本次崩溃涉及的模块";

    // Downloads
    GAVE_UP = "too many attempts" / "尝试次数过多";
    CANNOT_KEEP = "it cannot be written to the cache ({error})" / "无法写入缓存（{error}）";
    NO_ANSWER = "no answer ({error})" / "没有应答（{error}）";
    CANNOT_RESUME = "the server cannot go on where the download broke off" / "服务器不支持从断点继续下载";
    REFUSED = "the server answered with status {status}" / "服务器返回状态码 {status}";
    TOO_LARGE = "more than {bytes} bytes" / "超过 {bytes} 字节";
    BROKE_OFF = "the download broke off after {bytes} bytes ({error})" / "下载 {bytes} 字节后中断（{error}）";
    CUT_SHORT = "the server sent only {bytes} of {total} bytes" / "服务器只发送了 {bytes} 字节（共 {total} 字节）";
    SERVER_HAS_NOT = "{server} does not have it" / "{server} 上没有该文件";
    SERVER_FAILED = "{server}: {why}" / "{server}：{why}";
    SERVED_WRONG = "it sent another file, with the build-id {id}" / "服务器发来了另一个文件，其构建 ID 为 {id}";
    SERVED_DAMAGED = "what it sent is no usable image ({error})" / "服务器发来的内容不是可用的映像（{error}）";

    // Packages
    NO_RELEASE = "the kernel release is not known, so no package can be named" / "内核版本未知，无法确定软件包名称";
    NO_APT = "no package can be fetched here: that needs apt-get and dpkg-deb" / "此处无法下载软件包：需要 apt-get 与 dpkg-deb";
    NOT_FETCHED_HERE = "packages of {name} are not fetched by kwhy; install it by the command" / "kwhy 不直接下载 {name} 的软件包，请用该命令安装";
    NO_ARCHIVE = "apt's configuration names no archive of {name}; set $KWHY_DEBIAN_MIRROR to one (…/debian)" / "apt 的配置中没有 {name} 的软件源；请将 $KWHY_DEBIAN_MIRROR 设为软件源地址（…/debian）";
    NO_SUITE = "it is not known which release of {name} the kernel is from" / "无法判断该内核来自 {name} 的哪个发行版本";
    APT_FAILED = "apt-get: {error}" / "apt-get：{error}";
    NOT_SERVED = "no archive serves {package}" / "软件源中没有 {package}";
    NOT_IN_PACKAGE = "{package} does not hold {name}" / "{package} 中没有 {name}";
    PACKAGE_DAMAGED = "{package} cannot be unpacked ({error})" / "无法解开 {package}（{error}）";
    NO_BUILD_ID = "it has no build-id" / "没有构建 ID";
}
