//! Modules under suspicion: how they were built, and what ties them to the crash.

messages! {
    // Built against another kernel.
    MAGIC_DIFFERS = "The image given of it was built for \"{module}\", the kernel demands \"{kernel}\": {words}." / "所给映像的 vermagic 为“{module}”，而内核要求“{kernel}”：{words}。";
    MAGIC_RELEASE = "The image given of it was built for {module}, the crash is of {kernel}: module versions may allow that, but its structs may differ." / "所给映像为 {module} 构建，而崩溃的内核是 {kernel}：模块版本检查可能放行，但结构布局可能不同。";
    MAGIC_LACKS = "it lacks {word}" / "它缺少 {word}";
    MAGIC_ADDS = "it has {word} besides" / "它多出 {word}";
    CHECKSUMS_DIFFER = "It was built against other declarations of {count} of the kernel's symbols: {symbols} have other checksums (CRCs) there. Only a forced load gets past that." / "它构建时所见的 {count} 个内核符号声明不同：{symbols} 的校验和（CRC）与内核不一致。只有强制加载才能绕过。";
    STRUCT_MODULE_SIZE = "It brings a struct module of {module} bytes, the kernel's has {kernel}: it was built with another configuration or other headers." / "它自带的 struct module 为 {module} 字节，而内核的是 {kernel} 字节：构建时的配置或头文件不同。";
    STRUCT_DIFFERS = "It was built against another {name}: {how}." / "它构建时所见的 {name} 不同：{how}。";
    STRUCTS_MORE = "{count} more of the kernel's structs are laid out otherwise in it: {names}." / "另有 {count} 个内核结构在其中布局不同：{names}。";
    MEMBER_MOVED = "{member} moved from {module} to {kernel}" / "{member} 从 {module} 移到 {kernel}";
    MEMBER_GONE = "{member} (at {module} there) is not in the kernel's" / "{member}（在该模块中位于 {module}）在内核中不存在";
    MEMBER_NEW = "{member} (at {kernel}) is only in the kernel's" / "{member}（位于 {kernel}）只在内核中有";
    SIZE_IS = "its size is {module} there and {kernel} in the kernel" / "在模块中大小为 {module}，在内核中为 {kernel}";
    MORE_MEMBERS = "{count} more members differ" / "另有 {count} 个成员不同";
    LAYOUT_EVIDENCE = "The image given of module {module}: {what}" / "所给的模块 {module} 的映像：{what}";

    // What an image of it shows.
    UNSIGNED = "It is not signed by whoever built the kernel." / "它没有内核构建者的签名。";
    HOOK_PATCHES = "It can change code or protections: it imports {symbols}." / "它能修改代码或页保护：导入了 {symbols}。";
    HOOK_LOOKUP = "It looks for symbols that are not exported: it imports {symbols}." / "它查找未导出的符号：导入了 {symbols}。";
    HOOK_PROBES = "It hooks into other code: it imports {symbols}." / "它挂钩到其他代码：导入了 {symbols}。";
    HOOK_NOTIFIERS = "It is called on events of other modules or of the system: it imports {symbols}." / "其他模块或系统的事件会调用它：导入了 {symbols}。";
    HOOK_MAPS = "It maps physical or foreign memory: it imports {symbols}." / "它映射物理内存或他人的内存：导入了 {symbols}。";
    BOUND_TO_VICTIM = "It uses symbols of the victim {victim}: {symbols}." / "它使用了受害者 {victim} 的符号：{symbols}。";
    BOUND_BY_VICTIM = "The victim {victim} uses its symbols: {symbols}." / "受害者 {victim} 使用了它的符号：{symbols}。";
    WRITES_MEMBER = "It writes {record}.{member}, where the bad value was: {places}." / "它会写 {record}.{member}，坏值就在那里：{places}。";
    SIZE_NEIGHBOUR = "It allocates objects of {size} bytes ({function}), which share {cache} with {record} ({record_size} bytes): an overrun of one reaches the other." / "它会分配 {size} 字节的对象（{function}），与 {record}（{record_size} 字节）同在 {cache}：一方越界就会写到另一方。";

    // The ranking.
    SUSPECTS = "The victim is {victim}. Modules that could have done it, the most suspected first: {suspects}. The log alone does not prove it." / "受害者是 {victim}。可能的肇事模块，嫌疑大者在前：{suspects}。仅凭日志不能证明。";
    SUSPECT = "{module} ({grade}: {reasons} reasons)" / "{module}（{grade}：{reasons} 条理由）";
    THE_KERNEL = "the kernel itself" / "内核本身";
}
