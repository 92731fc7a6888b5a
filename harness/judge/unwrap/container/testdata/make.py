"""Writes the property lists beside this file: python3 make.py"""

import datetime
import pathlib
import plistlib

UUID = "38400000-8cf0-11bd-b23e-10b96e40000d"
value = {
    "at": datetime.datetime(2023, 11, 14, 22, 13, 20),
    "big": 2**64 - 1,
    "f": 52.520008,
    "ids": [UUID, "Zwölf Boxkämpfer 🦊"],
    "neg": -5,
    "ok": True,
    "raw": bytes.fromhex(UUID.replace("-", "")),
    "user": {UUID: "canary.mail@example.org"},
}
here = pathlib.Path(__file__).parent
(here / "binary.plist").write_bytes(plistlib.dumps(value, fmt=plistlib.FMT_BINARY))
(here / "xml.plist").write_bytes(plistlib.dumps(value, fmt=plistlib.FMT_XML))
uid = {"uid": plistlib.UID(300), "x": "canary.mail@example.org"}
(here / "uid.plist").write_bytes(plistlib.dumps(uid, fmt=plistlib.FMT_BINARY))
