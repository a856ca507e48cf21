//! The device model: the driver that registers, removes or submits is meant.

use super::Group;

pub(super) const GROUPS: &[Group] = &[
    Group {
        reason: "objects and devices being added or removed",
        patterns: &[
            "kobject_",
            "add_uevent_var",
            "get_device_parent",
            "device_add",
            "device_del",
            "device_unregister",
            "device_destroy",
            "device_release",
            "devres_release_all",
            "device_for_each_child",
            "device_remove_file",
            "sysfs_remove",
            "^put_device$",
        ],
    },
    Group {
        reason: "the same of whole subsystems",
        patterns: &[
            "hwrng_unregister",
            "i2c_del_adapter",
            "__unregister_client",
            "tty_unregister_device",
            "rollback_registered",
            "unregister_netdev",
        ],
    },
    Group {
        reason: "USB transfers being submitted, killed or waited for",
        patterns: &[
            "usb_submit_urb",
            "usb_hcd_submit_urb",
            "dummy_urb_enqueue",
            "usb_kill_urb",
            "usb_kill_anchored_urbs",
            "usb_control_msg",
        ],
    },
    Group {
        reason: "access to device memory and ports: the address is the driver's",
        patterns: &[
            "readb$",
            "readw$",
            "readl$",
            "readq$",
            "writeb$",
            "writew$",
            "writel$",
            "writeq$",
            "logic_in",
            "logic_out",
            "^ioread8",
            "^ioread16",
            "^ioread32",
            "^ioread64",
            "^iowrite8",
            "^iowrite16",
            "^iowrite32",
            "^iowrite64",
        ],
    },
];
