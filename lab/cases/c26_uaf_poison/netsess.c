// SPDX-License-Identifier: GPL-2.0
/* netsess: sessions and the peer they talk to; closing a peer forgets the sessions. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/slab.h>

struct ns_route {
	u32 hops;
	u32 metric;
	u64 gateway;
};

struct ns_peer {
	u64 address;
	u32 sessions;
	struct ns_route *route;
};

struct ns_session {
	u32 id;
	struct ns_peer *peer;
};

static struct ns_session *ns_sess;
static struct dentry *ns_dir;

static noinline void ns_peer_close(struct ns_peer *peer)
{
	kfree(peer->route);
	kfree(peer); /* @origin */
}

static noinline u64 ns_gateway(struct ns_session *sess)
{
	struct ns_peer *peer = sess->peer;

	return peer->route->gateway; /* @fault */
}

static int ns_set(void *data, u64 value)
{
	if (value)
		ns_peer_close(ns_sess->peer);
	pr_info("netsess: via %llx\n", ns_gateway(ns_sess));
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(ns_fops, NULL, ns_set, "%llu\n");

static int __init ns_init(void)
{
	struct ns_peer *peer = kzalloc(sizeof(*peer), GFP_KERNEL);

	ns_sess = kzalloc(sizeof(*ns_sess), GFP_KERNEL);
	if (!ns_sess || !peer)
		return -ENOMEM;
	peer->route = kzalloc(sizeof(*peer->route), GFP_KERNEL);
	ns_sess->peer = peer;
	ns_dir = debugfs_create_dir("netsess", NULL);
	debugfs_create_file_unsafe("gateway", 0200, ns_dir, NULL, &ns_fops);
	return 0;
}

static void __exit ns_exit(void)
{
	debugfs_remove_recursive(ns_dir);
}

module_init(ns_init);
module_exit(ns_exit);
MODULE_LICENSE("GPL");
