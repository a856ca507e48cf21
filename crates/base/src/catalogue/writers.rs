//! Who writes a member, and how the kernel gets there.

messages! {
    TITLE = "{record}.{member}: offset {offset}, {size} bytes" / "{record}.{member}：偏移 {offset}，{size} 字节";
    READ = "{functions} functions of {units} units that define the struct were read." / "已读取定义该结构体的 {units} 个编译单元中的 {functions} 个函数。";
    UNREAD = "{functions} more that might write it were not read: they are too many." / "另有 {functions} 个可能写入它的函数数量过多，未读取。";
    NONE = "No function that could be read writes it." / "在可读取的函数中，没有任何一个写入该成员。";
    ASSIGNED = "assigned" / "赋值";
    MODIFIED = "changed in place" / "就地修改";
    FILLED = "whole object written by {call}()" / "整个对象由 {call}() 写入";
    ZEROED = "made all zero by {call}()" / "由 {call}() 分配并清零";
    ALLOCATED = "made by {call}(), not zeroed" / "由 {call}() 分配，未清零";
    FREED = "freed by {call}()" / "由 {call}() 释放";
    INLINED = "inlined into {symbol}" / "内联于 {symbol}";
    THROUGH = "through {table}" / "经由 {table}";
    NO_MEMBER_NAMED = "{text} names no member" / "{text} 没有指明成员";
    HINT_MEMBER = "write it as `struct module_use.target`" / "请写成 `struct module_use.target`";
    NO_WAY = "no chain of calls was found from {from} to {to}" / "未找到从 {from} 到 {to} 的调用链";
    HINT_NO_WAY = "is it the other way round: `kwhy path {to} {from}`? Calls through pointers are followed where a struct member known by its type holds the function; give the modules that take part with -i as well" / "是否方向相反：`kwhy path {to} {from}`？仅当函数存放在类型已知的结构体成员中时，才会跟踪经由指针的调用；请用 -i 一并给出相关模块";
}
