// node's side of bench.c. A promise cannot be cancelled, and has no queue: those are left out.
const net = require('net');
const [name, n, ops] = [process.argv[2], +process.argv[3], +process.argv[4]];
const cpu = () => { const t = process.cpuUsage(); return (t.user + t.system) * 1000; };

async function yielder(turns) { for (let i = 0; i < turns; i++) await null; }
async function nothing() { }
const many = make => Promise.all(Array.from({ length: n }, make));

async function rounds(make) {
    const most = Math.max(Math.floor(ops / n), 1);
    let began;
    for (let round = most > 1 ? -1 : 0; round < most; round++) {
        if (round <= 0) began = cpu();
        await many(make);
    }
    return (cpu() - began) / (most * n);
}

const workloads = {
    yield: () => many(() => yielder(Math.floor(ops / n))),
    call: async () => { for (let i = 0; i < ops; i++) await nothing(); },
    create: async () => { for (let i = 0; i < ops; i++) { const task = nothing(); await task; } },
    gather: () => rounds(() => yielder(1)),
    sleepers: () => rounds(() => new Promise(done => setTimeout(done, 1))),
    park: async () => {
        globalThis.gc?.();
        const before = process.memoryUsage.rss(), kept = [];
        for (let i = 0; i < n; i++) kept.push((async () => { await new Promise(() => { }); })());
        await null;
        return (process.memoryUsage.rss() - before) / kept.length;
    },
    echo: () => new Promise(() => {
        const server = net.createServer({ noDelay: true }, socket => {
            socket.on('data', data => socket.write(data));
            socket.on('error', () => { });
        });
        server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, () => console.log(server.address().port));
    }),
};

if (!workloads[name]) process.exit(3);
const began = cpu();
workloads[name]().then(took => console.log((typeof took === 'number' ? took : (cpu() - began) / ops).toFixed(2)));
