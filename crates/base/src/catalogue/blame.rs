//! Blame: why this function and not that one.

messages! {
    // By the trail of the bad value.
    LOOPS = "{function} walks from one entry to the next and does not stop where they end." / "{function} 沿着表项逐个前进，到末尾却没有停下。";
    UNCHECKED_RESULT = "{callee} may return it, and {function} goes on with the result without checking it." / "{callee} 可能返回该值，而 {function} 没有检查返回值就继续使用。";
    UNCHECKED = "{function} took the value over and went on without checking it." / "{function} 接过该值，未经检查就继续使用。";
    HANDED_UNSET = "{helper} tripped, but {why}; {function} handed it over as {maker} had left it: never set." / "绊倒的是 {helper}，但{why}；{function} 把它原样传入，而 {maker} 创建对象时从未给它赋值。";
    HANDED_OVER = "{helper} tripped, but {why}; {function} handed over `{what}` as it was." / "绊倒的是 {helper}，但{why}；{function} 把 `{what}` 原样传了进去。";
    SET_ELSEWHERE_ONLY = "{function} is what prepares `{what}` for the CPUs, and on this one it is as it was at the start." / "`{what}` 由 {function} 为各 CPU 准备，而这个 CPU 上仍是初始值。";
    LEFT_UNSET = "{function} makes the object and leaves `{what}` unset." / "{function} 创建了该对象，却没有给 `{what}` 赋值。";
    STORED = "{function} stored this value into `{what}`." / "{function} 把该值写入了 `{what}`。";
    STORED_ACROSS = "{function} of module {module} stored this value into `{what}`, which is not its own; {victim} is the victim, not the author." / "模块 {module} 的 {function} 把该值写入了不属于自己的 `{what}`；{victim} 是受害者，不是肇事者。";
    READ_AS_IT_IS = "`{what}` has been so from the start; {function} reads it and does not look." / "`{what}` 从一开始就是这个值；{function} 读取之后没有检查。";
    READ_AS_OTHER = "{storer} stored `{stored}`, which is as it should be; {function} reads the same place as `{read}`." / "{storer} 写入的是 `{stored}`，这没有错；{function} 却把同一处当作 `{read}` 读取。";
    NULL_IS_LEGAL = "{storer} stores NULL there on purpose, so NULL is one of its values; {function} follows `{what}` without looking." / "{storer} 有意写入 NULL，可见 NULL 是允许的值；{function} 却不加检查就解引用 `{what}`。";
    TOOK_RESULT = "{function} took what {callee} returned." / "{function} 使用了 {callee} 的返回值。";
    PASSED_ON = "{function} was handed `{what}` from outside and passed it on as it was." / "{function} 从外部得到 `{what}`，原样传了下去。";
    RAN_OVER = "{function} writes into `{array}`, directly behind which the pointer stands." / "{function} 写入 `{array}`，而那个指针就紧跟在它后面。";
    RUNS_OVER = "{function} writes more than the place that it writes to holds, as far as its code tells, and `{what}` lies behind it." / "就代码所见，{function} 写入的内容超出了目标所能容纳的范围，而 `{what}` 就在其后。";
    TAKES_FOR_OTHER = "{function} hands over an object of another type than the one that `{what}` is a member of." / "{function} 传入的对象与 `{what}` 所属的类型不同。";
    CUTS_OFF = "{function} keeps an address in fewer bits than it has." / "{function} 保存地址所用的位数不够。";
    UNLOADED = "Control went to where code of module {module} was until it was unloaded (line {line}): {function} let it go while {callback} could still be called." / "控制转到了模块 {module} 卸载前代码所在之处（第 {line} 行）：{function} 使其卸载，而 {callback} 仍可能被调用。";
    UNLOADED_PERHAPS = "Control went to the modules' memory where no module is any more; {module} was the last to be unloaded (line {line}), and {function} is what should have taken back what it had registered." / "控制转到了模块区中已没有模块的位置；最后卸载的是 {module}（第 {line} 行），{function} 本应撤销其注册的内容。";
    FREED = "{function} freed the object while it was still in use." / "{function} 在对象仍被使用时释放了它。";

    // By the cause.
    ITSELF_DIVIDES = "{function} divides without looking at the divisor." / "{function} 没有检查除数就做除法。";
    ITSELF_WRITES = "{function} writes to what must not be written." / "{function} 写了不允许写的内存。";
    ITSELF_INDEXES = "{function} uses the index without comparing it with the array's length." / "{function} 使用下标之前没有与数组长度比较。";
    ITSELF_RUNS = "{function} is where the CPU was caught running; one sample does not tell its loop from its caller's." / "CPU 被发现正在运行 {function}；仅凭一次采样无法区分是它自身在循环，还是其调用者在循环。";
    ITSELF_RECURSES = "{function} calls itself again and again." / "{function} 反复调用自身。";
    KEEPS_COUNT = "{keeper} only checks the object it is handed; {function} calls it once too often, or in the wrong state." / "{keeper} 只检查传给它的对象；是 {function} 多调用了一次，或在错误的状态下调用了它。";
    HOLDS_LOCK = "{waiter} waits for `{lock}`, which {function} holds while it waits for another lock itself (task on line {line})." / "{waiter} 在等 `{lock}`，而 {function} 持有它，同时又在等另一把锁（该任务见第 {line} 行）。";
    WAITS_TOO = "{function} waits for a lock of the same module at the same time (line {line}): the two take their locks in opposite order, as far as the log shows." / "{function} 同时也在等同一模块的锁（第 {line} 行）：就日志所见，两者以相反的顺序加锁。";
    WAITS = "{function} is where it waits; who should end the wait the log does not show." / "等待发生在 {function}；本该由谁结束等待，日志没有显示。";
    SLEEPS_UNDER_LOCK = "{function} takes a lock under which nobody may sleep (`{call}`) and calls {sleeper} while it holds it." / "{function} 拿了不允许睡眠的锁（`{call}`），并在持锁期间调用 {sleeper}。";
}
