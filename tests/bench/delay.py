"""A TCP relay that makes a loopback server look RTT milliseconds away, and counts turns of the conversation.

usage: delay.py RTT_MS LISTEN_IP PORT TO_IP TO_PORT
The kernel answers the handshake itself, so connecting costs one round trip less than on a real path; each byte after
it pays half of RTT each way, in order.
"""
import asyncio
import sys


async def carry(reader, writer, delay):
    loop = asyncio.get_running_loop()
    queue = asyncio.Queue()

    async def deliver():
        while True:
            due, data = await queue.get()
            await asyncio.sleep(max(0, due - loop.time()))
            if not data:
                writer.close()
                return
            writer.write(data)

    task = asyncio.create_task(deliver())
    try:
        while True:
            data = await reader.read(65536)
            queue.put_nowait((loop.time() + delay, data))
            if not data:
                break
    except OSError:
        queue.put_nowait((loop.time() + delay, b""))
    await task


async def main():
    delay = float(sys.argv[1]) / 2000
    _, _, ip, port, to_ip, to_port = sys.argv

    async def serve(reader, writer):
        there_reader, there_writer = await asyncio.open_connection(to_ip, int(to_port))
        await asyncio.gather(carry(reader, there_writer, delay), carry(there_reader, writer, delay),
                             return_exceptions=True)

    await asyncio.start_server(serve, ip, int(port))
    print("ready", flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
