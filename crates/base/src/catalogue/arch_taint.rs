//! Taint letters of the kernel and of modules.

messages! {
    PROPRIETARY = "a proprietary module (no GPL-compatible licence) was loaded" / "加载过专有模块（许可证与 GPL 不兼容）";
    NO_PROPRIETARY = "every module loaded has a GPL-compatible licence (P is not set)" / "所有已加载模块的许可证都与 GPL 兼容（未设置 P）";
    FORCED_LOAD = "a module was force-loaded (modprobe -f): versions were not checked" / "模块被强制加载（modprobe -f），未检查版本";
    CPU_OUT_OF_SPEC = "the kernel runs on a CPU or in a mode outside its specification" / "内核运行在超出规格的 CPU 或模式下";
    FORCED_UNLOAD = "a module was force-unloaded (rmmod -f)" / "模块被强制卸载（rmmod -f）";
    MACHINE_CHECK = "the processor reported a machine check or the hardware another error" / "处理器报告过机器检查异常（MCE）或其他硬件错误";
    BAD_PAGE = "a page with bad state or flags was found: memory was corrupted before" / "发现过状态或标志异常的页：此前内存已被破坏";
    USER = "user space asked for this taint" / "用户态程序主动设置了该污染标志";
    DIE = "the kernel had an oops before this one" / "在此之前内核已经发生过 oops";
    ACPI_OVERRIDE = "an ACPI table was overridden by the user" / "用户覆盖了 ACPI 表";
    WARNED = "the kernel issued a warning before" / "内核此前发出过警告（WARN）";
    STAGING = "a staging driver was loaded (quality unknown)" / "加载过 staging 驱动（质量未经保证）";
    FIRMWARE_WORKAROUND = "a workaround for a bug in the platform firmware is in use" / "启用了针对平台固件缺陷的规避措施";
    OUT_OF_TREE = "a module from outside the kernel tree was loaded (says nothing of its licence)" / "加载过内核源码树之外的模块（与许可证无关）";
    UNSIGNED = "a module without a valid signature was loaded (says nothing of its licence)" / "加载过没有有效签名的模块（与许可证无关）";
    SOFT_LOCKUP = "a soft lockup happened before" / "此前发生过软锁死（soft lockup）";
    LIVE_PATCH = "the kernel has been live-patched" / "内核打过热补丁（livepatch）";
    AUX = "the distribution's own taint (an unsupported or otherwise special configuration)" / "发行版自定义的污染标志（不受支持或特殊的配置）";
    RANDSTRUCT = "built with randomised structure layout (offsets differ from build to build)" / "内核启用了结构体布局随机化（偏移随构建而变）";
    TEST = "an in-kernel test (KUnit or the like) ran" / "运行过内核内部测试（如 KUnit）";
    FWCTL = "user space wrote to a device's firmware debugging interface (fwctl)" / "用户态通过 fwctl 写入过设备固件的调试接口";
    UNKNOWN = "not a letter kwhy knows: a newer kernel's, a distribution's, or damage" / "kwhy 不认识的字母：可能来自更新的内核、发行版补丁，或日志损坏";
    UNKNOWN_LETTER = "{letter}: not a letter kwhy knows" / "{letter}：kwhy 不认识的字母";
    UNKNOWN_BIT = "taint bit {bit}: not one kwhy knows" / "污染位 {bit}：kwhy 不认识";

    MODULE_PROPRIETARY = "proprietary: its licence is not GPL-compatible" / "专有模块：许可证与 GPL 不兼容";
    MODULE_FORCED = "force-loaded: its version was not checked" / "被强制加载：未检查版本";
    MODULE_STAGING = "a staging driver" / "staging 驱动";
    MODULE_OUT_OF_TREE = "out-of-tree: not built with this kernel's source tree (says nothing of its licence)" / "树外模块：不随本内核源码树构建（与许可证无关）";
    MODULE_UNSIGNED = "unsigned: no valid signature (says nothing of its licence)" / "未签名：没有有效签名（与许可证无关）";
    MODULE_LIVE_PATCH = "a live patch" / "热补丁模块";
    MODULE_EXTERNAL = "marked by the distribution or by the kernel's auxiliary taint (X)" / "带发行版标志或内核的辅助污染标志（X）";
    MODULE_UNSUPPORTED = "marked as unsupported by the distribution (N); in newer kernels, an in-kernel test" / "被发行版标记为不受支持（N）；在较新内核中表示内核内部测试";
    MODULE_RANDSTRUCT = "built with randomised structure layout" / "启用了结构体布局随机化";
    MODULE_COMING = "being loaded: its init had not finished" / "正在加载：其初始化函数尚未完成";
    MODULE_GOING = "being unloaded" / "正在卸载";
}
