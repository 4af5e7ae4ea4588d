// Boost.Asio's side of bench.c: C++20 coroutines, which have frames on the heap and no stacks.
#include <utility>                      // which asio.hpp forgets
#include <boost/asio.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>

namespace asio = boost::asio;
using asio::awaitable;
using asio::use_awaitable;

static asio::io_context context(1);
static long n, ops;
static double began, took = -1;

static double cpu()
{
    timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

static awaitable<void> yielder(long turns)
{
    for (long i = 0; i < turns; i++)
        co_await asio::post(use_awaitable);
}

static awaitable<void> sleeper()
{
    asio::steady_timer timer(context, std::chrono::milliseconds(1));
    co_await timer.async_wait(use_awaitable);
}

static awaitable<void> nothing() { co_return; }

static awaitable<void> create()
{
    for (long i = 0; i < ops; i++)
        co_await asio::co_spawn(context, nothing(), use_awaitable);
}

static awaitable<void> call()
{
    for (long i = 0; i < ops; i++)
        co_await nothing();
}

template <class Make> static void rounds(Make make)
{
    long most = ops > n ? ops / n : 1;
    for (long round = -(most > 1); round < most; round++) {
        if (round <= 0)
            began = cpu();
        for (long i = 0; i < n; i++)
            asio::co_spawn(context, make(), asio::detached);
        context.run();
        context.restart();
    }
    took = (cpu() - began) / (most * n);
}

static awaitable<void> serve(asio::ip::tcp::socket socket)
{
    char bytes[4096];
    try {
        for (;;) {
            std::size_t got = co_await socket.async_read_some(asio::buffer(bytes), use_awaitable);
            co_await asio::async_write(socket, asio::buffer(bytes, got), use_awaitable);
        }
    } catch (std::exception &) {
    }
}

static awaitable<void> echo()
{
    asio::ip::tcp::acceptor acceptor(context, { asio::ip::address_v4::loopback(), 0 });
    std::printf("%d\n", acceptor.local_endpoint().port());
    std::fflush(stdout);
    for (;;)
        asio::co_spawn(context, serve(co_await acceptor.async_accept(use_awaitable)), asio::detached);
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    std::string name = argv[1];
    n = std::atol(argv[2]);
    ops = std::atol(argv[3]);
    began = cpu();
    if (name == "yield")
        for (long i = 0; i < n; i++)
            asio::co_spawn(context, yielder(ops / n), asio::detached);
    else if (name == "create")
        asio::co_spawn(context, create(), asio::detached);
    else if (name == "call")
        asio::co_spawn(context, call(), asio::detached);
    else if (name == "gather")
        rounds([] { return yielder(1); });
    else if (name == "sleepers")
        rounds(sleeper);
    else if (name == "echo")
        asio::co_spawn(context, echo(), asio::detached);
    else
        return 3;
    context.run();
    std::printf("%.2f\n", took >= 0 ? took : (cpu() - began) / ops);
}
