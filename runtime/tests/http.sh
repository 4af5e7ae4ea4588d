#!/bin/sh
# http.sh - HTTP requests (extra/http.c) to servers that are not ours: Python's, nginx, nginx with TLS,
# and one that misbehaves. Those that are not installed are skipped.
set -u
cd "$(dirname "$0")/../.." || exit 1
client=${BUILD:-build}/runtime/tests/http_client
python=${PYTHON:-python3}
PATH=$PATH:/usr/sbin
passed=0 failed=0 skipped=0 servers=
export ASYNC_CLOCK=real

lacking=$(sh tools/extra.sh lacking runtime/tests/http_client.c)
if [ -n "$lacking" ]; then
    echo "skipped: no library for $lacking (make deps)"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi
work=$(mktemp -d) || exit 1
clean_up()
{
    # shellcheck disable=SC2086  # a list of processes
    [ -z "$servers" ] || kill $servers 2>/dev/null
    wait
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP

skip() { skipped=$((skipped + 1)); echo "skipped: $1 is not installed (make deps-dev)"; }

# expect TITLE WORDS ARGUMENT...: the client, given these arguments, prints a line with these words,
# and leaves no descriptor open.
expect()
{
    title=$1 words=$2
    shift 2
    timeout 600 "$client" "$@" > "$work/said" 2>&1
    if grep -qF -- "$words" "$work/said" && grep -qx '0 left' "$work/said"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL  $title: expected '$words'"
        sed 's/^/      /' "$work/said"
    fi
}

# wait_for FILE: until a server has written something there.
wait_for()
{
    for _ in $(seq 3000); do
        [ ! -s "$1" ] || return 0
        sleep 0.1
    done
    echo "FAIL  no server came up"
    failed=$((failed + 1))
    return 1
}

chmod 755 "$work"                  # nginx that root starts becomes somebody else
mkdir "$work/www"
head -c 1000000 /dev/zero | tr '\0' x > "$work/www/big"
printf 'hello' > "$work/www/small"

# ------------------------------------------------------------------------- Python's http.server

plain_python()
{
    "$python" -u -m http.server -b 127.0.0.1 -d "$work/www" 0 > "$work/python.out" 2>/dev/null &
    servers="$servers $!"
    wait_for "$work/python.out" || return
    port=$(sed -n 's/.* port \([0-9]*\).*/\1/p' "$work/python.out")
    base=http://127.0.0.1:$port
    expect 'a file' '1 x 200, 5 bytes' "$base/small"
    expect 'many at once' '40 x 200, 1000000 bytes' together=40 limit=8 "$base/big"
    expect 'a missing file' '1 x 404, ' "$base/missing"
    expect 'by name' '1 x 200, 5 bytes' "http://localhost:$port/small"
    ASYNC_CLOCK=virtual expect 'on the virtual clock' '20 x 200, 5 bytes' together=20 limit=5 \
        timeout=1 "$base/small"
    expect 'cancelled in the middle' '20 x CancelledError' together=20 cancel=0.000001 "$base/big"
}

# One that misbehaves, in a way that its path names.
odd_python()
{
    cat > "$work/odd.py" <<'END'
import socket, struct, sys, threading, time

def serve(client):
    path = client.recv(65536).split()[1].decode()
    try:
        if path == "/truncated":
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 100)
        elif path == "/slow":
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            for i in range(1000):
                time.sleep(0.05)
                client.sendall(b"x")
        elif path == "/huge":
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000000\r\n\r\n")
            while True:
                client.sendall(b"x" * 65536)
        elif path == "/reset":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif path == "/long-header":
            client.sendall(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 5000000 + b"\r\n\r\n")
        elif path == "/garbage":
            client.sendall(bytes(range(256)) * 10)
        elif path == "/silent":
            time.sleep(20)
        elif path.startswith("/round"):
            client.sendall(b"HTTP/1.1 302 Found\r\nLocation: /round%d\r\nContent-Length: 0\r\n"
                           b"Connection: close\r\n\r\n" % (len(path) + 1))
    except OSError:
        pass
    client.close()

listening = socket.create_server(("127.0.0.1", 0))
print(listening.getsockname()[1], flush=True)
while True:
    threading.Thread(target=serve, args=(listening.accept()[0],), daemon=True).start()
END
    "$python" "$work/odd.py" > "$work/odd.out" &
    servers="$servers $!"
    wait_for "$work/odd.out" || return
    base=http://127.0.0.1:$(cat "$work/odd.out")
    expect 'a truncated body' 'IncompleteReadError: GET '"$base/truncated"': the answer ended after 100 of 1000 bytes' \
        "$base/truncated"
    expect 'a slow one' 'TimeoutError: GET '"$base/slow"': no complete answer within 0.3 s' timeout=0.3 "$base/slow"
    expect 'a huge one' 'the body is longer than 1000000 bytes' max_size=1000000 "$base/huge"
    expect 'a reset' "GET $base/reset: the server closed the connection without an answer" "$base/reset"
    expect 'a long header' 'x ' "$base/long-header"
    expect 'garbage' "GET $base/garbage: the answer is no HTTP" "$base/garbage"
    expect 'redirects without end' 'redirected more than 10 times' "$base/round"
    expect 'silence' '30 x TimeoutError' together=30 timeout=0.2 "$base/silent"
}

# --------------------------------------------------------------------------------------- nginx

# A certificate: key and certificate for this name, valid for so many days.
certificate()
{
    openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj "/CN=$2" -addext "subjectAltName=$3" \
        -keyout "$work/$1.key" -out "$work/$1.pem" 2>/dev/null
}

nginx_conf()
{
    cat <<END
daemon off;
pid $work/nginx.pid;
error_log $work/nginx.log;
events { worker_connections 500; }
http {
    access_log off;
    client_body_temp_path $work/body;
    proxy_temp_path $work/proxy;
    fastcgi_temp_path $work/fastcgi;
    uwsgi_temp_path $work/uwsgi;
    scgi_temp_path $work/scgi;
    gzip on;
    gzip_types *;
    gzip_min_length 100;
    keepalive_requests 5;
    server { listen 127.0.0.1:$1; root $work/www; location /moved { return 301 /small; } }
END
    [ ! -f "$work/right.pem" ] || cat <<END
    ssl_session_cache off;
    server {
        listen 127.0.0.1:$2 ssl; root $work/www;
        ssl_certificate $work/right.pem; ssl_certificate_key $work/right.key;
    }
    server {
        listen 127.0.0.1:$3 ssl; root $work/www;
        ssl_certificate $work/wrong.pem; ssl_certificate_key $work/wrong.key;
    }
END
    echo '}'
}

# Starts nginx on three ports that are free.
start_nginx()
{
    for attempt in 1 2 3 4 5; do
        first=$((20000 + ($$ + attempt * 1111) % 10000))
        nginx_conf "$first" $((first + 1)) $((first + 2)) > "$work/nginx.conf"
        nginx -p "$work" -c "$work/nginx.conf" >/dev/null 2>&1 &
        server=$!
        for _ in $(seq 3000); do
            kill -0 "$server" 2>/dev/null || break
            if [ -s "$work/nginx.pid" ]; then
                servers="$servers $server"
                return 0
            fi
            sleep 0.1
        done
        wait "$server"
    done
    echo 'FAIL  nginx does not start'
    cat "$work/nginx.log"
    failed=$((failed + 1))
    return 1
}

with_nginx()
{
    base=http://127.0.0.1:$first
    expect 'nginx' '300 x 200, 1000000 bytes' together=300 limit=50 "$base/big"
    expect 'nginx, one connection' '50 x 200, 5 bytes' together=50 limit=1 "$base/small"
    expect 'nginx, redirected' '1 x 200, 5 bytes' "$base/moved"
    expect 'nginx, not redirected' '1 x 301, ' max_redirects=-1 "$base/moved"
}

with_tls()
{
    base=https://127.0.0.1:$((first + 1))
    expect 'TLS' '1 x 200, 5 bytes' ca_file="$work/right.pem" "$base/small"
    expect 'TLS, many' '40 x 200, 1000000 bytes' together=40 limit=10 ca_file="$work/right.pem" "$base/big"
    expect 'TLS, unknown certificate' 'GET '"$base/small"': the server cannot prove who it is' \
        "$base/small"
    expect 'TLS, another certificate' 'the server cannot prove who it is' \
        ca_file="$work/wrong.pem" "$base/small"
    expect "TLS, somebody else's name" 'the server cannot prove who it is' \
        ca_file="$work/wrong.pem" "https://127.0.0.1:$((first + 2))/small"
    expect 'TLS, no such file' 'cannot be read' ca_file="$work/none.pem" "$base/small"
    expect 'TLS where there is none' 'no agreement on TLS' ca_file="$work/right.pem" \
        "https://127.0.0.1:$first/small"
    expect 'no TLS where there is' '1 x 400, ' "http://127.0.0.1:$((first + 1))/small"
}

# It is killed while it is asked. Whoever has no answer by then gets an error; nobody waits for ever.
killed_nginx()
{
    timeout 600 "$client" together=20 limit=20 "http://127.0.0.1:$first/big" > "$work/said" 2>&1 &
    asking=$!
    sleep 0.02
    kill "$server"
    wait "$asking"
    if grep -q '^0 left' "$work/said"; then passed=$((passed + 1)); else
        failed=$((failed + 1)); echo 'FAIL  a server that is killed'; cat "$work/said"
    fi
    wait "$server"
    expect 'after its end' 'is a server running there?' "http://127.0.0.1:$first/small"
}

# ------------------------------------------------------------------------------------ all of it

expect 'no such host' 'No such file or directory: GET http://no-such-host.invalid/' \
    http://no-such-host.invalid/
if "$python" -c 'import http.server' 2>/dev/null; then
    plain_python
    odd_python
else
    skip python3
fi
if nginx -v 2>/dev/null; then
    if openssl version >/dev/null 2>&1; then
        certificate right 127.0.0.1 IP:127.0.0.1
        certificate wrong elsewhere.example DNS:elsewhere.example
    else
        skip openssl
    fi
    if start_nginx; then
        with_nginx
        [ ! -f "$work/right.pem" ] || with_tls
        killed_nginx
    fi
else
    skip nginx
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
