//! Containers, and what the compiler puts between functions.

use super::Group;

pub(super) const GROUPS: &[Group] = &[
    Group {
        reason: "containers: they break where their user left them broken",
        patterns: &[
            "list_add",
            "list_del",
            "list_replace",
            "list_move",
            "list_splice",
            "^klist_",
            "^rb_",
            "^__rb_",
            "xas_start",
            "xas_load",
            "xas_find",
            "rhashtable_lookup",
            "ida_free",
        ],
    },
    Group {
        reason: "thunks that the compiler calls through",
        patterns: &["_indirect_thunk_", "^__x86_return_thunk$", "^retbleed_", "^srso_"],
    },
];
