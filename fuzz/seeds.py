#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets: captured frames, test vectors, and each named kind of damage.

Run by hand after a change here; the files are committed. A file that the fuzzer found is put beside these by hand and
named `crash-…`; this script leaves it alone. The entries are written by `cargo run --example entry_seeds`.
"""

from pathlib import Path

HERE = Path(__file__).parent / "seeds"

IMSI = "010809710000000000f1"
SESSION = "30046e0a6235"
INVOKE = "a11202010102013b300a04010f0405aa5c2e3702"
RESULT = "a210020101300b02013c300604010f040131"
BEGIN = f"20{IMSI}{SESSION}3101013514{INVOKE}"
ANSWER = f"20{IMSI}{SESSION}3101023512{RESULT}"
ID_GET = "0401080107010201030104010501010100"
ID_RESP = "05000708302f302f3000000e00455553452d616972 74696d6500"
GIFT = "aa5c2ea7aac160aa582e269bd16ab61b4e1593cd6835db08"
OTHER = "aa9c2ca792c160aa58ae1693cd6835db4d65abd166b2d808"
KOREAN = "c804d654b3c80020003500300030c6d0c7440020bcf4b0c8c2b5b2c8b2e4002e"
NAME = "subscriber.by-imsi-901700000000001.msisdn"


def frame(protocol, payload):
    octets = bytes.fromhex(payload)
    return f"{len(octets):04x}{protocol}" + octets.hex()


HEX = {
    "ipa_frame": {
        "begin": frame("ee", "05" + BEGIN),
        "answer": frame("ee", "05" + ANSWER),
        "two": frame("ee", "05" + BEGIN) + frame("fe", "00"),
        "ping": "0001fe00",
        "cut": "002bee0520",
        "too-long": "1001ee",
        "empty": "0000ee",
        "ctrl": frame("ee", "00" + b"ERROR 6 No such subscriber.".hex()),
    },
    "ipa_ccm": {
        "id-get": ID_GET,
        "id-resp": ID_RESP,
        "ping": "00",
        "id-ack": "06",
        "cut": "04010802",
        "zero-length": "0400",
        "many": "04" + "0108" * 17,
        "name": b"EUSE-airtime".hex(),
    },
    "gsup": {
        "begin": BEGIN,
        "answer": ANSWER,
        "end-empty": f"22{IMSI}{SESSION}310103",
        "error": f"21{IMSI}0201020a0103{SESSION}310103",
        "any-order": f"20600341420031010161 00{SESSION}{IMSI}",
        "doubled": BEGIN + "310101",
        "cut": BEGIN[:-2],
        "len-0": f"20{IMSI}{SESSION}3101013500",
        "len-255": f"20{IMSI}{SESSION}31010135ff" + "00" * 255,
        "strangers": f"20{IMSI}{SESSION}310101" + "60ff" + "41" * 255,
        "unknown-kind": "04" + IMSI,
    },
    "ss_component": {
        "invoke": INVOKE,
        "result": RESULT,
        "ack": "a203020101",
        "error": "a306020101020148",
        "error-parameter": "a30b0201010201153003800101",
        "reject": "a406020105810101",
        "reject-null": "a4050500800102",
        "linked": "a11102010180010202013c300604010f040131",
        "long-form": "a1811102010102013c3081080481010f04810131",
        "long-form-2": "a182000e02010102013c300604010f040131",
        "indefinite": "a18002010102013b0000",
        "nested": "a17e" + "".join(f"30{n:02x}" for n in range(124, -1, -2)),
        "korean": "a22d0201013028" + "02013b3023040148041e" + KOREAN[:60],
        "unknown-operation": "a10602010702010a",
        "trailing": "a20302010100",
    },
    "ber": {
        "short": "0401aa",
        "long-1": "048101aa",
        "long-2": "04820001aa",
        "long-max": "0481ff" + "41" * 255,
        "too-long": "04820100" + "41" * 256,
        "long-3": "0483000001aa",
        "indefinite": "0480aa0000",
        "nested": "3080" * 50,
        "long-tag": "bf2000",
        "cut": "0405aa",
        "invoke": INVOKE,
        "sequence": "0500" + "020101" + "80017f",
    },
    "gsm7": {
        "digits-8": "b0986c46abd96e",
        "digits-7": "b0986c46abd91a",
        "gift": GIFT,
        "gift-other": OTHER,
        "menu": "aa5c2e3702",
        "one": "31",
        "escape-last": "1b",
        "escapes": "1b1b4165",
        "euro": "9b32",
        "return-8": "31d98c56b3dd1a0d",
        "high": "80ff",
        "all-ones": "ff" * 7,
        "text": "given 500 €^{}[~]|\\".encode().hex(),
    },
    "ucs2": {
        "korean": KOREAN,
        "pair": "d83cdf81",
        "half": "d83c",
        "turned": "df81d83c",
        "odd": "c8",
        "mark": "feff0031",
        "utf-8": "전화돈 500원".encode().hex(),
    },
    "text_decode": {
        "gsm7": "0f" + GIFT,
        "ucs2": "48" + KOREAN,
        "ucs2-class": "59" + KOREAN,
        "language": "10" + GIFT,
        "language-ucs2": "11" + KOREAN,
        "eight-bit": "44313233",
        "compressed": "68313233",
        "reserved": "b0" + GIFT,
        "wap": "e031",
        "screen-160": "0f" + "e1" * 160,
        "screen-ucs2": "48" + "c804" * 80,
        "dcs-only": "0f",
    },
    "ctrl": {
        "reply": f"GET_REPLY 6 {NAME} 46700000001".encode().hex(),
        "none": f"GET_REPLY 6 {NAME} none".encode().hex(),
        "no-value": f"GET_REPLY 6 {NAME}".encode().hex(),
        "error": b"ERROR 6 No such subscriber.".hex(),
        "error-err": b"ERROR err Command parser error.".hex(),
        "trap": b"TRAP 0 a.b c d".hex(),
        "big-id": b"GET_REPLY 4294967296 a b".hex(),
        "not-text": b"ERROR 6 ".hex() + "ff",
        "word-missing": b"GET_REPLY 6 ".hex(),
    },
    "imsi": {
        "fifteen": "09710000000000f1",
        "fourteen": "64070000000021",
        "six": "000101",
        "five": "0001f1",
        "sixteen": "0971000000000011",
        "seventeen": "097100000000000001",
        "filler-low": "09710000000000ff",
        "filler-inside": "0971f0000000",
        "filler-middle": "09f10000000000f1",
        "hex": "aaaaaa",
        "digits": b"901700000000001".hex(),
        "digits-16": b"9017000000000012".hex(),
    },
    "smpp_ussd": {
        "pssr": "01",
        "pssd-response": "10",
        "reserved-4": "04",
        "reserved-20": "14",
        "vendor": "80",
        "session": "0705",
        "session-end": "ffff",
        "empty": "",
        "three": "010203",
    },
}

DIALLED = {
    "gift": "*999*500*1912345678*482913#",
    "gift-other": "*929*200*1951234567*654321*1#",
    "menu": "*999#",
    "interrogation": "*#999*482913#",
    "registration": "**999*482913*193847*193847#",
    "erasure": "##999*482913#",
    "deactivation": "#999*1#",
    "empty-fields": "*999**5*#",
    "nine-fields": "*999*1*2*3*4*5*6*7*8*9#",
    "unterminated": "*999*500",
    "hash-inside": "*999#500#",
    "zero": "*0999#",
    "control": "*999*5\r#",
    "wide": "*９９９#",
    "korean": "*999*전*x y*-1.5#",
    "long": "*999*" + "1" * 176 + "#",
    "too-long": "*999*" + "1" * 177 + "#",
}

PROFILE = {
    "empty": "",
    "no-operator": "[operator]\n",
    "not-toml": "operator = [\n",
    "float": "x = 1.5\n",
    "not-utf-8": "\u00ff",
}


def deliver_sm(text, esm_class=4, data_coding=0, tlvs=b""):
    """The body of a `deliver_sm` (SMPP 3.4 section 4.6.1)."""
    head = b"\0" + b"\x01\x01" + b"8501921112222\0" + b"\0\0" + b"999\0"
    return head + bytes([esm_class, 0, 0, 0, 0, 0, 0, data_coding, 0, len(text)]) + text + tlvs


def tlv(tag, value):
    return tag.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value


RECEIPT = b"id:0123456789 sub:001 dlvrd:001 submit date:2611221405 done date:2611221406 stat:DELIVRD err:000 text:You got 500"
RECEIPTS = {
    "text": deliver_sm(RECEIPT),
    "osmo-msc": deliver_sm(RECEIPT.replace(b"2611221405", b"YYMMDDhhmm"), tlvs=tlv(0x0204, b"\0\x07")),
    "parameters": deliver_sm(b"", tlvs=tlv(0x0427, b"\x05") + tlv(0x001E, b"1a2b\0") + tlv(0x0423, b"\x03\0\x22")),
    "payload": deliver_sm(b"", tlvs=tlv(0x0424, RECEIPT)),
    "ucs-2": deliver_sm(RECEIPT.decode().encode("utf-16-be")[:240], data_coding=8),
    "no-id": deliver_sm(b"id:msg_id_not_implemented stat:UNDELIV err:034"),
    "nothing": deliver_sm(b""),
    "a-message": deliver_sm(b"hello", esm_class=0),
    "cut": deliver_sm(RECEIPT)[:60],
    "long-parameter": deliver_sm(b"", tlvs=b"\x04\x27\xff\xff\x02"),
}


def write(target, name, octets):
    folder = HERE / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(octets)


for target, seeds in HEX.items():
    for name, text in seeds.items():
        write(target, name, bytes.fromhex(text.replace(" ", "")))
for name, text in DIALLED.items():
    write("dial", name, text.encode())
for name, text in PROFILE.items():
    write("profile", name, text.encode("latin-1"))
for path in sorted((HERE / "../../profiles").glob("*.toml")):
    text = path.read_text()
    write("profile", path.stem, text.encode())
    write("profile", path.stem + "-cut", text[: len(text) // 2].encode())
for name, octets in RECEIPTS.items():
    write("smpp_receipt", name, octets)
