#!/bin/sh
# Makes the files of this folder anew from plain.log, with the programs that make such files.
# Needs gzip, xz, zstd, bzip2, lz4, tar, script (util-linux), python3, journalctl and
# systemd-journal-remote.
set -eu
cd "$(dirname "$0")"
head -n 20 plain.log | gzip -9n > plain.log.gz
tail -n +21 plain.log | gzip -9n >> plain.log.gz
xz -9k --stdout plain.log > plain.log.xz
xz --format=lzma -9 --stdout plain.log > plain.log.lzma
head -n 20 plain.log | zstd -q -19 > plain.log.zst
tail -n +21 plain.log | zstd -q -19 --no-check >> plain.log.zst
bzip2 -9 --stdout plain.log > plain.log.bz2
lz4 -q -9 < plain.log > plain.log.lz4
lz4 -q -l -9 < plain.log > plain.legacy.lz4
mkdir -p report/logs && cp plain.log report/logs/console.log && echo 'root=/dev/vda ro' > report/cmdline
tar --sort=name --owner=0 --group=0 --mtime=@0 -czf report.tar.gz report && rm -r report
script -q -c 'sed "s/^\[/\x1b[32m[/; s/\]/]\x1b[0m/" plain.log' typescript > /dev/null
base64 plain.log > plain.base64
python3 make.py
remote=/usr/lib/systemd/systemd-journal-remote
"$remote" --output=made.journal made.export > /dev/null 2>&1
for form in json json-pretty json-sse export verbose; do
    journalctl --file made.journal --output $form --no-pager > journal.$form
done
rm made.journal made.export
