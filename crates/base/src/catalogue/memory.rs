//! Who put a bad value into memory.

messages! {
    STORES_EXACTLY = "{function}() sets {text} to {value} here, which is the value that was found" / "{function}() 在此把 {text} 设为 {value}，正是所见的值";
    STORES_PERHAPS = "{function}() sets {text} to {value} here; whether that is the value found is known only at run time" / "{function}() 在此把 {text} 设为 {value}；是否就是所见的值，只有运行时才知道";
    STORES_UNKNOWN = "{function}() stores into {text} here" / "{function}() 在此写入 {text}";
    STORES_HARDLY = "{function}() sets {text} to {value} here, which would be the value found only if something else went wrong as well" / "{function}() 在此把 {text} 设为 {value}；除非另有差错，否则不会是所见的值";
    MODIFIES = "{function}() changes {text} here, in place" / "{function}() 在此就地修改 {text}";
    THROUGH_RESULT = "the address comes from {callee}(), which returns the address of {member} as a pointer of another type" / "地址来自 {callee}()，它以另一种指针类型返回 {member} 的地址";
    CONSTANT = "here {function}() settles on {value}, which is then stored into {text}" / "{function}() 在此选定 {value}，随后存入 {text}";
    RETURNS = "{callee}() returns {value} here; {function}() stores it into {text} unchecked" / "{callee}() 在此返回 {value}；{function}() 未经检查便存入 {text}";
    HANDS = "{value} is handed to {callee}() here, which stores it into {text}" / "在此把 {value} 传给 {callee}()，后者将其存入 {text}";
    HELD_BY_DATA = "{variable} holds this very value where the code reads it from" / "代码读取的来源 {variable} 中正是这个值";
    NEVER_STORED = "{function}() makes the object here, all zero, and no function of the modules that were read stores {text}" / "{function}() 在此分配对象并清零，而已读取的模块中没有任何函数写入 {text}";
    PASSED_OVER = "{function}() makes the object here, all zero, and can go on without storing {text}" / "{function}() 在此分配对象并清零，之后可能不写入 {text} 就继续执行";
    LEFT_ZERO = "{function}() makes the object here, all zero; {text} is stored elsewhere only" / "{function}() 在此分配对象并清零；{text} 只在别处写入";
    STORED_AFTER = "{function}() makes the object here, all zero, but stores {text} afterwards" / "{function}() 在此分配对象并清零，但随后写入了 {text}";
    NOT_ZEROED = "{function}() makes the object here without zeroing it, so that {text} is whatever the memory held" / "{function}() 在此分配对象但不清零，{text} 中是内存里原有的内容";
    GUARD = "this condition decides whether {text} is stored" / "此处的条件决定是否写入 {text}";
    GUARD_OF_VARIABLE = "{variable} starts as {value}; the condition here decides whether {function}() stores it at all" / "{variable} 初始为 {value}；此处的条件决定 {function}() 是否写入它";
    LAST_SIBLING = "the last member of the object that {function}() sets up is {sibling}; {text} is not among them" / "{function}() 最后设置的成员是 {sibling}；其中没有 {text}";
    FREED = "{function}() frees the object here; what {text} holds afterwards is the allocator's" / "{function}() 在此释放对象；之后 {text} 的内容属于分配器";
    UNLINKED = "{function}() takes the entry off its list here, which leaves the poison in {text}" / "{function}() 在此把条目从链表摘下，{text} 中因而留下毒值";
    RUNS_OVER = "{function}() writes into {place} here, byte after byte; nothing there ends before {text}" / "{function}() 在此逐字节写入 {place}；没有任何条件使其在 {text} 之前停止";
    COPIES_OVER = "{callee}() writes to {place} here, which shares its memory with {text} or lies right before it" / "{callee}() 在此写入 {place}，它与 {text} 共用内存或紧邻其前";
    FILLS = "{callee}() writes the whole object here, {text} included" / "{callee}() 在此写入整个对象，包括 {text}";
    INITIALISER = "{variable} is defined here with {value} in this place" / "{variable} 在此定义，该处的值为 {value}";
    INITIALISER_KEPT = "{variable} is defined here with {value} in this place, and no function that was read stores into it" / "{variable} 在此定义，该处的值为 {value}，且已读取的函数都不写入它";
    INSTANCE = "{variable}, a {record}, is defined here without {member}" / "{variable}（{record}）在此定义，未设置 {member}";
    SAME_MODULE = "it is in the module that the call trace goes through" / "它位于调用栈经过的模块中";
    ON_STACK = "{function}() is in the call trace" / "{function}() 就在调用栈中";
    HOLDS_LOCK = "{function}() takes {lock} here as well" / "{function}() 也在此获取 {lock}";
    WAITS_BACK = "{function}() takes {lock} while it holds the lock that is waited for" / "{function}() 持有所等待的锁，同时又在此获取 {lock}";
    MADE_ATOMIC = "{function}() enters atomic context here with {lock}" / "{function}() 在此以 {lock} 进入原子上下文";
    WRITES_THROUGH = "{function}() reads {text} here and writes through it, which the object that it points to does not allow" / "{function}() 在此读取 {text} 并经由它写入，而它所指的对象不允许写";
    UNTYPED = "the store goes through a pointer of another type, but it writes this very value" / "该写入经由另一类型的指针，但写入的正是这个值";
    CALLS_ITSELF = "{function}() calls itself here; nothing stopped it" / "{function}() 在此调用自身，没有任何条件使其停止";
    SPILLS = "{function}() writes {width} bytes at {place} here, which has {size}: the others go over {text}" / "{function}() 在此向只有 {size} 字节的 {place} 写入 {width} 字节，多出的部分覆盖了 {text}";
    CALL_SPILLS = "{function}() lets {callee}() write {width} bytes at {place} here, which has {size}: the others go over {text}" / "{function}() 在此让 {callee}() 向只有 {size} 字节的 {place} 写入 {width} 字节，多出的部分覆盖了 {text}";
    NEIGHBOUR = "{function}() writes to {place} here with nothing that was found to end it before the object does; the object is from the same slab cache as that of {text}, so that the two may lie side by side" / "{function}() 在此写入 {place}，没有找到任何使其在对象末尾之前停止的条件；该对象与 {text} 所在的对象来自同一个 slab 缓存，两者可能相邻";
    SAME_CACHE = "both objects are allocated from {cache}" / "两个对象都从 {cache} 分配";
    SAME_CLASS = "objects of both sizes come from {cache}" / "两种大小的对象都来自 {cache}";
    OTHER_STORED = "{function}() stores this very value here, but into {place}, which lies where {member} does in a {record}" / "{function}() 在此存入的正是这个值，但目标是 {place}，其偏移与 {record} 的 {member} 相同";
    OTHER_HANDED = "{function}() hands {callee}() a pointer to a {other} here, which holds this very value where a {record} has {member}" / "{function}() 在此把指向 {other} 的指针交给 {callee}()，而该对象在 {record} 的 {member} 所在的偏移处正是这个值";
    SAME_PLACE = "in the same place {callee}() is handed a {record} elsewhere" / "在别处传给 {callee}() 同一参数的是 {record}";
    CUT = "{function}() keeps the address that {callee}() returned in {width} bytes here: its upper half is lost" / "{function}() 在此只用 {width} 字节保存 {callee}() 返回的地址，其高半部分因而丢失";
    PUTS_AGAIN = "{function}() gives up a reference here" / "{function}() 在此释放一个引用";
}
