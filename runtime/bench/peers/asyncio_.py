"""asyncio's side of bench.c; with UVLOOP=1 in the environment, uvloop's."""
import asyncio, os, sys, time

if os.environ.get("UVLOOP"):
    import uvloop
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
cpu = time.process_time_ns
name, n, ops = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])


async def yielder(turns):
    for _ in range(turns):
        await asyncio.sleep(0)


async def nothing():
    pass


async def yields():
    await asyncio.gather(*(yielder(ops // n) for _ in range(n)))


async def create():
    for _ in range(ops):
        await asyncio.create_task(nothing())


async def call():
    for _ in range(ops):
        await nothing()


async def rounds(make):
    most = max(ops // n, 1)
    for round in range(-(most > 1), most):
        if round <= 0:
            began = cpu()
        await asyncio.gather(*(make() for _ in range(n)))
    return (cpu() - began) / (most * n)


async def produce(items):
    for i in range(ops):
        await items.put(i)


async def consume(items):
    for _ in range(ops):
        await items.get()


async def queue():
    items = asyncio.Queue(n)
    await asyncio.gather(produce(items), consume(items))


async def cancel():
    for _ in range(ops):
        task = asyncio.create_task(asyncio.sleep(1000))
        await asyncio.sleep(0)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            pass


def memory():
    with open("/proc/self/status") as status:
        return sum(int(line.split()[1]) for line in status if line.startswith(("VmRSS", "VmPTE"))) * 1024


async def park():
    before = memory()
    tasks = [asyncio.create_task(asyncio.sleep(1000)) for _ in range(n)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    print(f"{(memory() - before) / len(tasks):.0f}", flush=True)
    os._exit(0)


async def serve(reader, writer):
    while data := await reader.read(4096):
        writer.write(data)
        await writer.drain()


async def echo():
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


workloads = dict(yields=yields, create=create, call=call, queue=queue, cancel=cancel, park=park, echo=echo,
                 gather=lambda: rounds(lambda: yielder(1)), sleepers=lambda: rounds(lambda: asyncio.sleep(0.001)))
began = cpu()
took = asyncio.run(workloads["yields" if name == "yield" else name]())
print(f"{took if took is not None else (cpu() - began) / ops:.2f}")
