// SPDX-License-Identifier: GPL-2.0
/* atcmd: parses modem commands like "AT+CFUN=1,0". */
#include <linux/ctype.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

struct at_stats {
	u32 known, unknown;
};

static struct at_stats stats;
static const char * const known[] = { "CFUN", "CSQ", "CREG", "COPS" };

static int at_exec(const char *cmd)
{
	char verb[16];
	int i, n = 0;

	if (strncmp(cmd, "AT+", 3))
		return -EINVAL;
	for (cmd += 3; *cmd && *cmd != '=' && *cmd != '\n'; cmd++)
		verb[n++] = toupper(*cmd); /* @origin */
	verb[n] = '\0';
	for (i = 0; i < ARRAY_SIZE(known); i++) {
		if (!strcmp(verb, known[i])) {
			stats.known++;
			return i;
		}
	}
	stats.unknown++;
	return -EOPNOTSUPP;
}

static ssize_t at_write(struct file *file, const char __user *buf, size_t len, loff_t *pos)
{
	char *line;
	int ret;

	if (len > 256)
		return -E2BIG;
	line = memdup_user_nul(buf, len);
	if (IS_ERR(line))
		return PTR_ERR(line);
	ret = at_exec(line);
	kfree(line);
	return ret < 0 ? ret : len;
}

static const struct proc_ops at_proc = { .proc_write = at_write };

static int __init atcmd_init(void)
{
	return proc_create("atcmd", 0200, NULL, &at_proc) ? 0 : -ENOMEM;
}

static void __exit atcmd_exit(void)
{
	remove_proc_entry("atcmd", NULL);
}

module_init(atcmd_init);
module_exit(atcmd_exit);
MODULE_LICENSE("GPL");
