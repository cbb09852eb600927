"""A second SMSC, on PyPI `smpp34` (a Rust codec and session of its own), told what to do by the tests.

    python smsc34.py '{"receipt": true, "id": "abc-%d"}'

The same JSON lines as smsc.js, of which it knows: rules `to`, `status`, `id` (with %d for a number), `receipt`
("text" or "tlv"); orders `deliver` and `unbind`. The stack answers binds and enquire_link by itself: it can't refuse a
bind, and does not show the password.
"""

import asyncio
import json
import socket
import sys

import smpp34

ESM_CLASS_RECEIPT = 0x04
STATE_DELIVERED = 2
PORTS_TRIED_MAX = 20


def say(**event):
    print(json.dumps(event, ensure_ascii=False), flush=True)


def text(data_coding, octets):
    """What the octets say; the stack leaves them alone, so Python's own codecs read them."""
    if data_coding == 8:
        return octets.decode("utf-16-be")
    if any(octet in b"\x00\x1b\x5f\x60\x24\x40" or octet > 0x7A for octet in octets):
        return "gsm7:" + octets.hex()
    return octets.decode("ascii")


def names():
    return {getattr(smpp34, name): name[4:].lower() for name in dir(smpp34) if name.startswith("TLV_")}


def parameters(tlvs):
    known = names()
    return [[known.get(tlv.tag, hex(tlv.tag)), tlv.value.hex()] for tlv in tlvs]


def made(tlvs):
    tags = {name: tag for tag, name in names().items()}
    return [smpp34.Tlv(tags[name], bytes.fromhex(value)) for name, value in tlvs]


async def started():
    """The stack can't tell which port it got for port 0: ask the kernel for a free one, and try."""
    for _ in range(PORTS_TRIED_MAX):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        server = smpp34.Server("127.0.0.1", port, system_id="smpp34")
        try:
            await server.start()
        except Exception as error:  # the port was taken meanwhile
            say(event="error", message=str(error))
            continue
        return server, port
    sys.exit("no free port")


def rule(rules, to):
    return next((one for one in rules if one.get("to", "*") in ("*", to)), {})


async def receipt(esme, submit, how, message_id):
    line = f"id:{message_id} sub:001 dlvrd:001 submit date:2611221405 done date:2611221405 stat:DELIVRD err:000 text:"
    tlvs = []
    if how == "tlv":
        tlvs = [
            smpp34.Tlv(smpp34.TLV_RECEIPTED_MESSAGE_ID, message_id.encode() + b"\0"),
            smpp34.Tlv(smpp34.TLV_MESSAGE_STATE, bytes([STATE_DELIVERED])),
        ]
    answer = await esme.deliver_sm(
        submit.source_addr,
        b"" if tlvs else line.encode(),
        source_addr=submit.destination_addr,
        esm_class=ESM_CLASS_RECEIPT,
        tlvs=tlvs,
    )
    say(event="answer", tag="receipt", status=answer.command_status)


async def deliver(esme, order):
    fields = order["fields"]
    message = fields.pop("short_message", "").encode("ascii")
    answer = await esme.deliver_sm(fields.pop("destination_addr"), message, tlvs=made(order.get("tlvs", [])), **fields)
    say(event="answer", tag=order.get("tag"), status=answer.command_status)


async def orders(current):
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        order = json.loads(line)
        if order["do"] == "deliver":
            await deliver(current["esme"], order)
        elif order["do"] == "unbind":
            await current["esme"].unbind()
        else:
            sys.exit(f"no such order: {order['do']}")


async def main():
    options = json.loads(sys.argv[1])
    server, port = await started()
    say(event="listening", port=port)
    current, number, tasks = {}, 1000000, set()

    def spawn(work):
        task = asyncio.ensure_future(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    async def serve():
        nonlocal number
        while True:
            event = await server.next()
            if isinstance(event, smpp34.Esme):
                current["esme"] = event
                say(event="bind", system_id=event.system_id, can_receive=event.can_receive, refused=None)
            elif isinstance(event, smpp34.SubmitSmEvent):
                number += 1
                say(
                    event="submit", to=event.destination_addr, to_ton=event.dest_addr_ton, to_npi=event.dest_addr_npi,
                    **{"from": event.source_addr}, from_ton=event.source_addr_ton, from_npi=event.source_addr_npi,
                    esm_class=event.esm_class, data_coding=event.data_coding,
                    registered_delivery=event.registered_delivery, service_type=event.service_type,
                    text=text(event.data_coding, event.short_message), tlvs=parameters(event.tlvs),
                )
                how = rule(options.get("rules", []), event.destination_addr)
                if "status" in how:
                    event.reject(getattr(smpp34, how["status"]))
                    continue
                message_id = how.get("id", "%d").replace("%d", str(number))
                event.accept(message_id)
                if "receipt" in how and event.registered_delivery & 3:
                    spawn(receipt(current["esme"], event, how["receipt"], message_id))
            else:
                say(event="closed")

    running = asyncio.ensure_future(serve())
    await orders(current)
    running.cancel()


asyncio.run(main())
