//! Where a bad value came from.

messages! {
    CONSTANT_ALONE = "the value is set to {value} in {function}" / "该值在 {function} 中被置为 {value}";
    DECLARED = "`{text}` starts as {value} in {function}" / "`{text}` 在 {function} 中初始为 {value}";
    RETURNS = "{function} returns {value}, which {receiver} takes over" / "{function} 返回 {value}，由 {receiver} 接收";
    RECEIVES = "{function} takes over what {callee} returned as `{text}`" / "{function} 以 `{text}` 接收 {callee} 的返回值";
    CALL_RESULT = "`{text}` is what {callee} returned to {function}" / "`{text}` 是 {callee} 返回给 {function} 的值";
    CALL_UNKNOWN = "`{text}` is what a call through a function pointer returned to {function}; which function that was is not known" / "`{text}` 是 {function} 通过函数指针调用得到的返回值；具体是哪个函数未知";
    PARAMETER = "`{text}` was handed to {function} as a parameter" / "`{text}` 是传给 {function} 的参数";
    ADVANCED = "`{text}` is read anew here in each round of a loop in {function}" / "在 {function} 的循环中，每轮都在此处重新读取 `{text}`";
    COMPUTED = "`{text}` is computed here in {function}" / "`{text}` 在 {function} 的此处计算得出";
    COMPUTED_ALONE = "the value is computed here in {function}" / "该值在 {function} 的此处计算得出";
    READ_GLOBAL = "`{text}` was read from a global variable in {function}; who put the value there was not found" / "`{text}` 由 {function} 从全局变量读出；未找到写入者";
    TAKES_GLOBAL = "{function} reads `{text}` from a global variable here" / "{function} 在此从全局变量读出 `{text}`";
    READ_MEMBER = "`{text}` was read from memory in {function}; who put the value there was not found" / "`{text}` 由 {function} 从内存读出；未找到写入者";
    NOT_WRITABLE = "{function} takes `{text}` for a pointer to what may be written" / "{function} 把 `{text}` 当作可写对象的指针";
    HANDS_ON = "{function} hands over the object as `{text}`" / "{function} 以 `{text}` 传入该对象";
    UNDER = "it does so where {condition}" / "条件为 {condition} 时如此";
}
