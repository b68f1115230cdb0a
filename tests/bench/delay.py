"""A TCP relay that makes a loopback server look RTT milliseconds away.

usage: delay.py RTT_MS LISTEN_IP PORT TO_IP TO_PORT
Each byte pays half of RTT each way, in order. The kernel answers the client's handshake at once, so connecting is free
here; that the server hears of it half of RTT later is kept.
"""
import asyncio
import os
import selectors
import socket
import sys

SPIN_S = 0.001  # who slept for long wakes up slowly


async def carry(reader, writer, delay, acknowledged):
    loop = asyncio.get_running_loop()
    queue = asyncio.Queue()

    async def deliver():
        while True:
            due, data = await queue.get()
            await asyncio.sleep(max(0, due - loop.time() - SPIN_S))
            while loop.time() < due:
                pass
            if not data:
                writer.close()
                return
            writer.write(data)

    task = asyncio.create_task(deliver())
    try:
        while True:
            data = await reader.read(65536)
            queue.put_nowait((loop.time() + delay, data))
            # What the server holds back until our kernel acknowledges would be time of the relay's own.
            if acknowledged is not None:
                acknowledged.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            if not data:
                break
    except OSError:
        queue.put_nowait((loop.time() + delay, b""))
    await task


async def main():
    delay = float(sys.argv[1]) / 2000
    _, _, ip, port, to_ip, to_port = sys.argv

    async def serve(reader, writer):
        await asyncio.sleep(delay)
        there_reader, there_writer = await asyncio.open_connection(to_ip, int(to_port))
        await asyncio.gather(carry(reader, there_writer, delay, None),
                             carry(there_reader, writer, delay, there_writer.get_extra_info("socket")),
                             return_exceptions=True)

    await asyncio.start_server(serve, ip, int(port))
    print("ready", flush=True)
    await asyncio.Event().wait()


# A session has a dozen waits, and none of them may end late. epoll waits for whole milliseconds; select does not.
try:
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
except OSError:
    pass
loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
asyncio.set_event_loop(loop)
try:
    loop.run_until_complete(main())
except KeyboardInterrupt:
    pass
