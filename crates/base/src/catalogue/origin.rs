//! Where a bad value came from.

messages! {
    CONSTANT = "`{text}` is set to {value} in {function}" / "`{text}` 在 {function} 中被置为 {value}";
    CONSTANT_ALONE = "the value is set to {value} in {function}" / "该值在 {function} 中被置为 {value}";
    RETURNS = "{function} returns {value}, which {receiver} takes over" / "{function} 返回 {value}，由 {receiver} 接收";
    RECEIVES = "{function} takes over what {callee} returned as `{text}`" / "{function} 以 `{text}` 接收 {callee} 的返回值";
    CALL_RESULT = "`{text}` is what {callee} returned to {function}" / "`{text}` 是 {callee} 返回给 {function} 的值";
    CALL_UNKNOWN = "`{text}` is what a call through a function pointer returned to {function}; which function that was is not known" / "`{text}` 是 {function} 通过函数指针调用得到的返回值；具体是哪个函数未知";
    PARAMETER = "`{text}` was handed to {function} as a parameter" / "`{text}` 是传给 {function} 的参数";
    ADVANCED = "`{text}` is read anew here in each round of a loop in {function}" / "在 {function} 的循环中，每轮都在此处重新读取 `{text}`";
    COMPUTED = "`{text}` is computed here in {function}" / "`{text}` 在 {function} 的此处计算得出";
    COMPUTED_ALONE = "the value is computed here in {function}" / "该值在 {function} 的此处计算得出";
    STORED_HERE = "{function} itself stores the value there before it reads it back" / "{function} 在读回该值之前自己写入了它";
    ADDRESS_OF = "`{text}` is the address of `{object}`" / "`{text}` 是 `{object}` 的地址";
    READ_GLOBAL = "`{text}` was read from a global variable in {function}; who put the value there was not found" / "`{text}` 由 {function} 从全局变量读出；未找到写入者";
    READ_MEMBER = "`{text}` was read from memory in {function}; who put the value there was not found" / "`{text}` 由 {function} 从内存读出；未找到写入者";
    UNDER = "it does so where {condition}" / "条件为 {condition} 时如此";
    NOT_CHECKED = "{function} does not look whether it is NULL or an error before it uses it" / "{function} 在使用前没有检查它是否为 NULL 或错误指针";
}
