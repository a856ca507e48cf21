//! Who did it, as the report itself tells: recorded stacks, and what was found damaged.

messages! {
    FREED_BY = "{function}() had freed the object: the report names it on line {line}" / "对象此前由 {function}() 释放：报告第 {line} 行指明";
    ALLOCATED_BY = "the object belongs to {function}(), which allocated it: the report names it on line {line}" / "该对象由 {function}() 分配，归其所有：报告第 {line} 行指明";
    QUEUED_BY = "{function}() had the object freed or worked on later: the report names it on line {line}" / "{function}() 安排了对该对象的延迟释放或处理：报告第 {line} 行指明";
    UNINIT_CREATED = "the memory comes from {function}(), which gave it no value: the report names it on line {line}" / "这块内存来自 {function}()，它没有赋初值：报告第 {line} 行指明";
    UNINIT_STORED = "{function}() passed the value on without one having been given: the report names it on line {line}" / "{function}() 传递了从未被赋值的内容：报告第 {line} 行指明";
    OVERRAN = "{function}() made the access that left the object's bounds" / "越过对象边界的访问由 {function}() 作出";
    MADE_BUFFER = "{function}() has {callee}() make the buffer here and decides how long it is" / "{function}() 在此通过 {callee}() 分配缓冲区并决定其长度";
    FREED_ELSEWHERE = "{function}() frees the same object, {text}, here as well" / "{function}() 也在此释放同一对象 {text}";
    CANARY_CALLEE = "{caller}() hands a place in its stack frame to {function}(), which writes there by an index or a moving pointer" / "{caller}() 把自己栈帧中的一处交给 {function}()，后者按下标或移动指针在那里写入";
    CANARY_OWN = "{function}() writes into an array in its stack frame here, by an index or a moving pointer" / "{function}() 在此按下标或移动指针写入其栈帧中的数组";
    CANARY_COPY = "{function}() has {callee}() write into its stack frame here" / "{function}() 在此让 {callee}() 写入其栈帧";
    BLAME_FREED = "{function} had freed the object, says the report on line {line}; who used it afterwards is shown by the call trace." / "报告第 {line} 行指明 {function} 此前释放了该对象；之后由谁使用，见调用栈。";
    BLAME_OWNER = "{function} allocated the object that was written over its end, says the report on line {line}; by its own code or by whom it was handed to." / "被越界写入的对象由 {function} 分配（报告第 {line} 行）；越界者是它自身或接手该对象的代码。";
    BLAME_CANARY = "{function} writes into the stack frame whose canary was found overwritten." / "{function} 写入了金丝雀值被破坏的那个栈帧。";
    BLAME_FREED_ELSEWHERE = "{function} frees the object and leaves the pointer to it in place; the second free trips." / "{function} 释放了对象却没有清除指向它的指针；第二次释放时出错。";
    BLAME_CALLS_CORE = "{core} only checks what it is asked for; {function} of module {module} asked for it." / "{core} 只检查对它的请求；发出请求的是模块 {module} 的 {function}。";
}
