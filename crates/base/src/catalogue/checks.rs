//! The one cheapest check for each hypothesis: why it is worth making.

messages! {
    WHY_PROBE_STORE = "Record every value that {function} stores there, with its call stack: if the bad value passes here, this is who wrote it; if it turns up all the same, something else did." / "记录 {function} 在该处写入的每个值和调用栈：若坏值从这里经过，写入者就是它；若坏值照样出现，则另有来源。";
    WHY_PROBE_RESULT = "Record what {callee} returns to {function}: if the bad value is among it, it came from there." / "记录 {callee} 返回给 {function} 的值：若坏值在其中，它就来自那里。";
    WHY_PROBE_PLACE = "Record who reaches {function} at this instruction, and from where." / "记录谁、从何处执行到 {function} 的这条指令。";
    WHY_OBJECT_CACHE = "Repeat it with red zones and poison for the objects of {record} ({size} bytes): the culprit is then reported where it writes, and stale use shows the fill." / "为 {record}（{size} 字节）的对象打开红区和毒化后重现：肇事者会在写入处被报告，过期使用会读到填充字节。";
    DECIDES = "It decides between {cause} and {next}." / "它能区分 {cause} 与 {next}。";
    WHY_SUSPECT = "Repeat it without module {module}, the first of the suspects: if it does not come back, look there." / "不加载首要嫌疑模块 {module} 再重现：若不再出现，就从它查起。";
}
