"""Makes a journal's records and a mail of plain.log; make.sh runs it."""
import email.message
import email.policy
import html
import re
import struct

lines = open("plain.log").read().splitlines()
records = []
for number, line in enumerate(lines):
    seconds, micros, text = re.match(r"\[ *(\d+)\.(\d+)\] ?(.*)$", line).groups()
    time = int(seconds) * 1_000_000 + int(micros)
    fields = [
        b"__REALTIME_TIMESTAMP=%d" % (1_763_820_000_000_000 + time),
        b"__MONOTONIC_TIMESTAMP=%d" % (time + 500),
        b"_BOOT_ID=0123456789abcdef0123456789abcdef",
        b"_MACHINE_ID=00112233445566778899aabbccddeeff",
        b"_HOSTNAME=lab",
    ]
    message = text.encode()
    if number == 2:
        # No UTF-8: a binary field.
        message += b" caf\xe9"
        fields.append(b"MESSAGE\n" + struct.pack("<Q", len(message)) + message)
    else:
        fields.append(b"MESSAGE=" + message)
    fields += [b"_TRANSPORT=kernel", b"SYSLOG_IDENTIFIER=kernel", b"PRIORITY=4"]
    fields.append(b"_SOURCE_MONOTONIC_TIMESTAMP=%d" % time)
    records.append(b"\n".join(fields) + b"\n")
    if number % 10 == 7:
        other = fields[:5] + [b"_TRANSPORT=stdout", b"MESSAGE=BUG: not the kernel's", b"PRIORITY=6"]
        records.append(b"\n".join(other) + b"\n")
open("made.export", "wb").write(b"\n".join(records) + b"\n")

mail = email.message.EmailMessage(policy=email.policy.SMTP.clone(cte_type="7bit"))
mail["From"], mail["To"], mail["Subject"] = "a@example.org", "b@example.org", "BUG: it crashed"
mail.set_content("See what it said:\n\n" + "\n".join(lines) + "\n", cte="quoted-printable")
open("quoted-printable.eml", "wb").write(mail.as_bytes())
mail = email.message.EmailMessage(policy=email.policy.SMTP)
mail["From"], mail["To"], mail["Subject"] = "a@example.org", "b@example.org", "BUG: it crashed"
mail.set_content("The log is attached.\n")
mail.add_attachment(open("plain.log.gz", "rb").read(), "application", "gzip", filename="console.log.gz")
open("attached.eml", "wb").write(mail.as_bytes())
page = "<!DOCTYPE html>\n<title>log</title>\n<pre>" + html.escape("\n".join(lines)) + "\n</pre>\n"
open("page.html", "w").write(page)
