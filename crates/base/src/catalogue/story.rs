//! The story of a crash, in order.

messages! {
    // How control got there, and what faulted.
    ENTRY = "It happened in {entry}." / "发生在{entry}。";
    PATH = "The call path was {path}." / "调用路径：{path}。";
    SUBJECT_MARKED = "Module {module} was being loaded (the log marks it with +): the kernel was working on it, which does not make it guilty." / "正在加载模块 {module}（日志以 + 标出）：内核当时在处理它，但这不等于它有错。";
    SUBJECT_FIRST = "A module was being loaded; the first of the list, {module}, was added last and is probably the one: the kernel was working on it, which does not make it guilty." / "当时正在加载模块；列表首位的 {module} 最后加入，大概就是它：内核当时在处理它，但这不等于它有错。";
    INSTRUCTION = "The faulting instruction was {instruction} ({place})." / "出错的指令是 {instruction}（{place}）。";
    VALUE = "{evidence} That value is {what}." / "{evidence}该值是：{what}。";
    ADDRESS = "The address {address}: {region}. {reason}." / "地址 {address}：{region}。{reason}。";
    NEXT = "What to do now: {why}" / "下一步：{why}";
    NOT_FIRST = "This is oops number {count} of this boot: it may be a consequence of an earlier one, which counts more." / "这是本次启动的第 {count} 个 oops：可能是前面 oops 的后果，应以最早的为准。";
    LATER = "An earlier report stands above it in this log: this one may be its consequence." / "日志中它前面还有一个报告：这一个可能只是后果。";

    // Why this cause.
    CAUSE = "So the cause is: {cause} ({grade}). {statement}" / "因此原因是：{cause}（{grade}）。{statement}";
    NOT_SECOND = "Rather than {cause} ({grade}), against which speaks: {against}" / "而不是{cause}（{grade}），因为：{against}";
    SECOND_LESS_SURE = "Next in rank is {cause} ({grade}): the evidence for it is weaker." / "其次是{cause}（{grade}）：支持它的证据较弱。";
    SECOND = "Just as sure, and next in rank, is {cause} ({grade}): {statement}" / "同样可能、排在其后的是{cause}（{grade}）：{statement}";

    // The bad value's way to the fault.
    PRODUCED = "The bad value comes from {place}: {detail}." / "坏值来自 {place}：{detail}。";
    PRODUCED_PERHAPS = "The bad value may come from {place}: {detail}." / "坏值可能来自 {place}：{detail}。";
    PRODUCED_HARDLY = "Nothing found gives the bad value by itself; nearest is {place}: {detail}." / "没有找到能直接产生该坏值的代码；最接近的是 {place}：{detail}。";
    STEP_FOLLOWED = "{place} followed it: `{text}`." / "{place} 解引用了它：`{text}`。";
    STEP_LOADED = "{place} read it from memory: `{text}`." / "{place} 从内存读出它：`{text}`。";
    STEP_HANDED = "{place} handed it on: `{text}`." / "{place} 把它传了下去：`{text}`。";
    STEP_HANDED_CHECKED = "{place} looked at it and handed it on all the same: `{text}`." / "{place} 检查过它，仍然传了下去：`{text}`。";
    STEP_RETURNED = "It came back to {place} from the call: `{text}`." / "调用把它返回给 {place}：`{text}`。";
    STEP_RETURNED_CHECKED = "It came back to {place} from the call, which looked at it: `{text}`." / "调用把它返回给 {place}，那里检查过它：`{text}`。";
    STEP_MADE = "{place} made it: `{text}`." / "{place} 产生了它：`{text}`。";
    STEPS_LEFT_OUT = "{count} earlier steps are left out here." / "此处略去更早的 {count} 步。";
}
