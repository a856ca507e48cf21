Nov 22 15:36:25 [   35.984441] camsess: loading out-of-tree module taints kernel.
Nov 22 15:36:25 [   36.022970] camsess: module verification failed: signature and/or required key missing - tainting kernel
Nov 22 15:36:25 [   36.879196] 100	101	102	103	104	105	106	107	108	109	110	111	112	113	114	115	116	117	118	119	120	121	122	123	124	125	126	127	128	129	130	131	132	133	134	135	136	137	138	139	140	141	142	143	144	145	146	147	148	149	150	151	152	153	154	155	156	157	158	159	160	161	162	163	164	165	166	167	168	169	170	171	172	173	174	175	176	177	178	179	180	181	182	183	184	185	186	187	188	189	190	191	192	193	194	195	196	197	198	199	200	201	202	203	204	205	206	207	208	209	210	211	212	213	214	215	216	217	218	219	220	221	222	223	224	225	226	227	228	229	230	231	232	233	234	235	236	237	238	239	240	241	242	243	244	245	246	247	248	249	250	251	252	253	254	255	256	257	258	259	260	261	262	263	264	265	266	267	268	269	270	271	272	273	274	275	276	277	278	279	280	281	282	283	284	285	286	287	288	289	290	291	292	293	294	295	296	297	298	299	300	
Nov 22 15:36:25 [   37.000277] camsess: 0
Nov 22 15:36:25 [   37.001445] BUG: kernel NULL pointer dereference, address: 0000000000000008
Nov 22 15:36:25 [   37.001771] #PF: supervisor write access in kernel mode
Nov 22 15:36:25 [   37.001771] #PF: error_code(0x0002) - not-present page
Nov 22 15:36:25 [   37.001771] PGD 2c947067 P4D 2c92a067 PUD 2c92b067 PMD 0 
Nov 22 15:36:25 [   37.001771] Oops: 0002 [#1] PREEMPT SMP NOPTI
Nov 22 15:36:25 [   37.001771] CPU: 1 PID: 233 Comm: init Tainted: G           OE      6.1.0-56-cloud-amd64 #1  Debian 6.1.192-2
Nov 22 15:36:25 [   37.001771] Hardware name: QEMU Standard PC (Q35 + ICH9, 2009), BIOS 1.16.2-debian-1.16.2-1 04/01/2014
Nov 22 15:36:25 [   37.001771] RIP: 0010:mutex_lock+0x19/0x30
Nov 22 15:36:25 [   37.001771] Code: 90 0f 1f 44 00 00 be 02 00 00 00 e9 51 f8 ff ff 90 0f 1f 44 00 00 53 48 89 fb e8 42 de ff ff 31 c0 65 48 8b 14 25 80 fb 01 00 <f0> 48 0f b1 13 75 06 5b c3 cc cc cc cc 48 89 df 5b eb c4 0f 1f 40
Nov 22 15:36:25 [   37.001771] RSP: 0018:ff7c8de90066fda0 EFLAGS: 00000246
Nov 22 15:36:25 [   37.001771] RAX: 0000000000000000 RBX: 0000000000000008 RCX: 0000000000000001
Nov 22 15:36:25 [   37.001771] RDX: ff48b2aa81bc8000 RSI: 0000000000000001 RDI: 0000000000000008
Nov 22 15:36:25 [   37.001771] RBP: 0000000000000002 R08: 0000000000000001 R09: 000000000000000a
Nov 22 15:36:25 [   37.001771] R10: 000000000000000a R11: 0fffffffffffffff R12: 00000000333329d0
Nov 22 15:36:25 [   37.001771] R13: ff48b2aaadc4e880 R14: ff48b2aaadc4e8d0 R15: ff48b2aaadc4e8a8
Nov 22 15:36:25 [   37.001771] FS:  000000003332a3c0(0000) GS:ff48b2aabcf00000(0000) knlGS:0000000000000000
Nov 22 15:36:25 [   37.001771] CS:  0010 DS: 0000 ES: 0000 CR0: 0000000080050033
Nov 22 15:36:25 [   37.001771] CR2: 0000000000000008 CR3: 00000000301a8000 CR4: 0000000000751ea0
Nov 22 15:36:25 [   37.001771] PKRU: 55555554
Nov 22 15:36:25 [   37.001771] Call Trace:
Nov 22 15:36:25 [   37.001771]  <TASK>
Nov 22 15:36:25 [   37.001771]  cs_dequeue+0x17/0x40 [camsess]
Nov 22 15:36:25 [   37.001771]  cs_set+0x15/0x2a [camsess]
Nov 22 15:36:25 [   37.001771]  simple_attr_write_xsigned.constprop.0.isra.0+0xc8/0x120
Nov 22 15:36:25 [   37.001771]  debugfs_attr_write+0x40/0x60
Nov 22 15:36:25 [   37.001771]  vfs_write+0xc7/0x3f0
Nov 22 15:36:25 [   37.001771]  ? handle_mm_fault+0xdb/0x2d0
Nov 22 15:36:25 [   37.001771]  ksys_write+0x6b/0xf0
Nov 22 15:36:25 [   37.001771]  do_syscall_64+0x5d/0x90
Nov 22 15:36:25 [   37.001771]  ? exit_to_user_mode_prepare+0x44/0x240
Nov 22 15:36:25 [   37.001771]  entry_SYSCALL_64_after_hwframe+0x6e/0xd8
Nov 22 15:36:25 [   37.001771] RIP: 0033:0x47b7a0
Nov 22 15:36:25 [   37.001771] Code: 40 00 48 c7 c2 e0 ff ff ff f7 d8 64 89 02 48 c7 c0 ff ff ff ff eb b7 0f 1f 00 80 3d e8 85 16 00 00 74 17 b8 01 00 00 00 0f 05 <48> 3d 00 f0 ff ff 77 58 c3 0f 1f 80 00 00 00 00 48 83 ec 28 48 89
Nov 22 15:36:25 [   37.001771] RSP: 002b:00007ffcafce43a8 EFLAGS: 00000202 ORIG_RAX: 0000000000000001
Nov 22 15:36:25 [   37.001771] RAX: ffffffffffffffda RBX: 0000000000000001 RCX: 000000000047b7a0
Nov 22 15:36:25 [   37.001771] RDX: 0000000000000002 RSI: 00000000333329d0 RDI: 0000000000000001
Nov 22 15:36:25 [   37.001771] RBP: 00000000333329d0 R08: 0000000000000000 R09: 0000000000000000
Nov 22 15:36:25 [   37.001771] R10: 00000000000001b6 R11: 0000000000000202 R12: 0000000000000002
Nov 22 15:36:25 [   37.001771] R13: 000000003332a3a0 R14: 0000000000000001 R15: 00007ffcafce4410
Nov 22 15:36:25 [   37.001771]  </TASK>
Nov 22 15:36:25 [   37.001771] Modules linked in: camsess(OE) netconsole cfb rmd160 cast6_generic xcbc cast5_generic blowfish_generic keywrap twofish_generic cmac blowfish_common md4 twofish_common vmac camellia_generic cast_common pcbc serpent_generic ofb ccm fcrypt wp512 michael_mic ansi_cprng xt_string xt_mark xt_mac xt_length xt_dscp xt_comment x_tables virtio_net ts_kmp sch_plug qemu_fw_cfg nls_koi8_u nls_koi8_r nls_utf8 nls_iso8859_9 nls_iso8859_7 nls_iso8859_6 nls_iso8859_5 nls_iso8859_4 nls_iso8859_3 nls_iso8859_2 nls_iso8859_15 nls_iso8859_14 nls_iso8859_13 nls_iso8859_1 nls_euc_jp nls_cp950 nls_cp949 nls_cp936 nls_cp932 nls_cp874 nls_cp869 nls_cp866 nls_cp865 nls_cp864 nls_cp863 nls_cp862 nls_cp861 nls_cp860 nls_cp857 nls_cp855 nls_cp852 nls_cp850 nls_cp775 nls_cp737 nls_cp437 nls_cp1255 nls_cp1251 nls_cp1250 nls_ascii net_failover failover em_u32 em_text em_nbyte em_cmp configfs ramoops reed_solomon virtio_blk virtio_pci virtio virtio_ring virtio_pci_legacy_dev virtio_pci_modern_dev
Nov 22 15:36:25 [   37.001771] CR2: 0000000000000008
Nov 22 15:36:25 [   37.001771] ---[ end trace 0000000000000000 ]---
Nov 22 15:36:25 [   37.446135] RIP: 0010:mutex_lock+0x19/0x30
Nov 22 15:36:25 [   37.446135] Code: 90 0f 1f 44 00 00 be 02 00 00 00 e9 51 f8 ff ff 90 0f 1f 44 00 00 53 48 89 fb e8 42 de ff ff 31 c0 65 48 8b 14 25 80 fb 01 00 <f0> 48 0f b1 13 75 06 5b c3 cc cc cc cc 48 89 df 5b eb c4 0f 1f 40
Nov 22 15:36:25 [   37.446135] RSP: 0018:ff7c8de90066fda0 EFLAGS: 00000246
Nov 22 15:36:25 [   37.446135] RAX: 0000000000000000 RBX: 0000000000000008 RCX: 0000000000000001
Nov 22 15:36:25 [   37.446135] RDX: ff48b2aa81bc8000 RSI: 0000000000000001 RDI: 0000000000000008
Nov 22 15:36:25 [   37.446135] RBP: 0000000000000002 R08: 0000000000000001 R09: 000000000000000a
Nov 22 15:36:25 [   37.446135] R10: 000000000000000a R11: 0fffffffffffffff R12: 00000000333329d0
Nov 22 15:36:25 [   37.446135] R13: ff48b2aaadc4e880 R14: ff48b2aaadc4e8d0 R15: ff48b2aaadc4e8a8
Nov 22 15:36:25 [   37.446135] FS:  000000003332a3c0(0000) GS:ff48b2aabcf00000(0000) knlGS:0000000000000000
Nov 22 15:36:25 [   37.446135] CS:  0010 DS: 0000 ES: 0000 CR0: 0000000080050033
Nov 22 15:36:25 [   37.446135] CR2: 0000000000000008 CR3: 00000000301a8000 CR4: 0000000000751ea0
Nov 22 15:36:25 [   37.446135] PKRU: 55555554
Nov 22 15:36:25 [   37.446135] note: init[233] exited with irqs disabled
