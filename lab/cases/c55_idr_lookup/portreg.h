/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PORTREG_H
#define PORTREG_H
#include <linux/types.h>

struct port {
	u32 speed;
	u32 users;
	u64 rx_bytes;
	u64 tx_bytes;
};

struct port *port_get(int id);
#endif
