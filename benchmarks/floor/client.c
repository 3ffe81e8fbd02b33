/*
 * The floor: what an epoll loop in C must spend at least to send messages on a schedule and read their
 * echoes.
 *
 *     client --port P [--host H] [--connections N] [--rate MESSAGES_PER_SECOND_IN_TOTAL] [--payload BYTES]
 *            [--seconds S] [--window-us W] [--connect-rate C] [--per-source N]
 *
 * It opens N connections (RFC 6455 upgrade, at most C a second, 64 at a time), holds them for S seconds with
 * an open-loop schedule, waits for the echoes still out, closes by handshake and prints one line of JSON.
 * Message m is due m / rate seconds after the start of the hold, on connection m mod N: each connection sends
 * at rate / N, the phases evenly spread. A timer wakes it once a window, and all that is due goes out, one
 * send per connection; echoes are read as they come.
 *
 * Figures: `seconds` and `cpu_s` (user + system, of this process) both run from the start of the hold to the
 * last echo, or to the end of the wait for it; `cpu_us_per_round_trip` is cpu_s / received, null where
 * nothing was received. `lag_*_us` is from when a message was due to when it was handed to the kernel
 * (histogram, within 1.6 %). `max_rss_kb` is the peak resident memory (VmHWM: ru_maxrss would show the memory
 * of the process that started us, where that is larger). `not_sent` were due on a connection that was gone or
 * had 1 MiB unsent; `dropped` counts connections that ended before we closed them; `closed` those that
 * answered our close frame.
 *
 * Rule: it does what any client must (frames, masking with a new key each, partial reads and writes, ping,
 * close) and nothing else. It counts complete messages and looks into none. Exit code: 0 when all connections
 * lived, every message was echoed and every close answered; 1 otherwise; 2 for wrong arguments.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "options.h"
#include "websocket.h"

enum { EVENTS = 256, INPUT_BYTES = 2 * 65536, OUTPUT_BYTES = 2 * FRAME_MAX, UNSENT_MAX = 1 << 20 };
enum { IN_FLIGHT_MAX = 64, FILES_SPARE = 16, CONNECT_WINDOW_US = 1000 };
static const double CONNECT_WAIT_S = 30, DRAIN_S = 5, CLOSE_S = 5;

enum state { CLOSED, CONNECTING, UPGRADING, OPEN, CLOSING };

struct connection {
    int fd;
    uint8_t state;
    bool ends_message; /* whether the payload being skipped is the last of a message */
    uint64_t skip;     /* payload bytes of the present frame still to come */
    struct bytes in, out;
};

static struct options options;
static struct connection *connections;
static int poller, timer;
static uint32_t started, opened, alive, dropped, closed;
static uint64_t intended, next_message, hold_start_ns, sent, not_sent, received, random_state;
static uint8_t input[INPUT_BYTES], output[OUTPUT_BYTES], payload[PAYLOAD_MAX];
static uint32_t lags[59 * 32 + 64]; /* up to 64 ns exact, then 32 buckets an octave */

__attribute__((format(printf, 1, 2), noreturn)) static void fail(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    fputs("floor client: ", stderr);
    vfprintf(stderr, format, values);
    fputc('\n', stderr);
    exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static double cpu_s(void)
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    time_t whole_s = use.ru_utime.tv_sec + use.ru_stime.tv_sec;
    return (double)whole_s + (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) * 1e-6;
}

/* splitmix64: masking keys need to differ, not to keep a secret. */
static uint64_t random_next(void)
{
    uint64_t z = random_state += 0x9E3779B97F4A7C15;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return z ^ z >> 31;
}

static uint32_t lag_bucket(uint64_t ns)
{
    if (ns < 64)
        return (uint32_t)ns;
    uint32_t shift = 58 - (uint32_t)__builtin_clzll(ns);
    return (shift << 5) + (uint32_t)(ns >> shift);
}

/* The middle of the bucket in which the quantile stands, in µs; the number of values is in `count`. */
static double lag_quantile_us(double quantile, uint64_t count)
{
    uint64_t rank = (uint64_t)ceil(quantile * (double)count), seen = 0;
    uint32_t bucket = 0;
    while ((seen += lags[bucket]) < rank)
        bucket++;
    if (bucket < 64)
        return bucket / 1e3;
    uint32_t shift = bucket / 32 - 1;
    return ldexp(bucket % 32 + 32.5, (int)shift) / 1e3;
}

static void watch(struct connection *conn, int operation, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = conn};
    if (epoll_ctl(poller, operation, conn->fd, &event))
        fail("epoll_ctl: %s", strerror(errno));
}

static void end(struct connection *conn)
{
    close(conn->fd);
    bytes_free(&conn->in);
    bytes_free(&conn->out);
    conn->state = CLOSED;
    alive--;
}

static void drop(struct connection *conn)
{
    dropped += conn->state != CLOSING;
    end(conn);
}

/* Hands bytes to the kernel; what it does not take waits in `out` until the socket is writable again. */
static void deliver(struct connection *conn, const uint8_t *data, size_t len)
{
    ssize_t done = 0;
    if (!conn->out.len) {
        done = send(conn->fd, data, len, MSG_NOSIGNAL);
        if (done == (ssize_t)len)
            return;
        if (done < 0 && errno != EAGAIN) {
            drop(conn);
            return;
        }
        done = done < 0 ? 0 : done;
        watch(conn, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
    }
    bytes_add(&conn->out, data + done, len - (size_t)done);
}

static void flush(struct connection *conn)
{
    ssize_t done = send(conn->fd, conn->out.data, conn->out.len, MSG_NOSIGNAL);
    if (done < 0 && errno != EAGAIN) {
        drop(conn);
    } else if (done == (ssize_t)conn->out.len) {
        bytes_free(&conn->out);
        watch(conn, EPOLL_CTL_MOD, EPOLLIN);
    } else if (done > 0) {
        memmove(conn->out.data, conn->out.data + done, conn->out.len - (size_t)done);
        conn->out.len -= (uint32_t)done;
    }
}

static size_t put_frame(uint8_t *to, uint8_t first, const uint8_t *data, size_t len)
{
    uint8_t key[4];
    uint32_t drawn = (uint32_t)random_next();
    memcpy(key, &drawn, 4);
    size_t header = frame_write(to, first, len, key);
    mask_copy(to + header, data, len, key);
    return header + len;
}

/* The Sec-WebSocket-Key of a connection: 16 bytes that follow from its place, so that none need be kept. */
static void key_of(const struct connection *conn, char key[KEY_CHARS + 1])
{
    uint64_t kept = random_state, nonce[2];
    random_state = (uint64_t)(conn - connections);
    nonce[0] = random_next();
    nonce[1] = random_next();
    random_state = kept;
    base64((uint8_t *)nonce, sizeof nonce, key);
}

static void start_connect(struct connection *conn)
{
    uint32_t place = (uint32_t)(conn - connections);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)options.port)};
    struct sockaddr_in from = {.sin_family = AF_INET};
    inet_pton(AF_INET, options.host, &to.sin_addr);
    conn->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (conn->fd < 0)
        fail("connection %u: socket: %s", place, strerror(errno));
    setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (options.connections > options.per_source) {
        /* The port is chosen at the connect: only then may sources share it. */
        setsockopt(conn->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int));
        from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + place / options.per_source);
        if (bind(conn->fd, (struct sockaddr *)&from, sizeof from))
            fail("connection %u: bind: %s", place, strerror(errno));
    }
    if (connect(conn->fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS)
        fail("connection %u: connect: %s", place, strerror(errno));
    conn->state = CONNECTING;
    alive++;
    watch(conn, EPOLL_CTL_ADD, EPOLLOUT);
}

static void ask_for_upgrade(struct connection *conn)
{
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error)
        fail("connection %td: connect: %s", conn - connections, strerror(error));
    char key[KEY_CHARS + 1], request[512];
    key_of(conn, key);
    int len = snprintf(request, sizeof request,
                       "GET / HTTP/1.1\r\nHost: %s:%u\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n\r\n",
                       options.host, options.port, key);
    conn->state = UPGRADING;
    watch(conn, EPOLL_CTL_MOD, EPOLLIN);
    deliver(conn, (uint8_t *)request, (size_t)len);
}

/* Reads the answer to the upgrade; returns its length, or 0 while it is not whole. */
static size_t accept_upgrade(struct connection *conn, const char *text, size_t have)
{
    size_t len = head_length(text, have), accept_len = 0;
    if (!len && have <= HEAD_MAX)
        return 0;
    char key[KEY_CHARS + 1], expected[ACCEPT_CHARS + 1];
    key_of(conn, key);
    accept_for(key, expected);
    const char *accept = len ? head_field(text, len, "sec-websocket-accept:", &accept_len) : NULL;
    bool right = accept && accept_len == ACCEPT_CHARS && !memcmp(accept, expected, ACCEPT_CHARS);
    if (!right || memcmp(text, "HTTP/1.1 101 ", 13))
        fail("connection %td: the upgrade was refused: %.*s", conn - connections, (int)strcspn(text, "\r\n"),
             text);
    conn->state = OPEN;
    opened++;
    return len;
}

static void on_control(struct connection *conn, uint8_t opcode, const uint8_t *data, size_t len)
{
    uint8_t frame[HEADER_MAX + CONTROL_PAYLOAD_MAX];
    if (opcode == OP_PING)
        deliver(conn, frame, put_frame(frame, FIN | OP_PONG, data, len));
    if (opcode != OP_CLOSE)
        return;
    if (conn->state == CLOSING) {
        closed++;
        end(conn);
    } else {
        deliver(conn, frame, put_frame(frame, FIN | OP_CLOSE, data, len));
        if (conn->state != CLOSED)
            drop(conn);
    }
}

/* Goes through frames and counts the messages that became whole. Returns the bytes used. */
static size_t count_messages(struct connection *conn, const uint8_t *data, size_t have)
{
    size_t at = 0;
    while (at < have && conn->state != CLOSED) {
        if (!conn->skip) {
            struct frame frame;
            int whole = frame_read(data + at, have - at, &frame);
            if (whole < 0 || (whole && frame.masked)) {
                drop(conn);
                break;
            }
            if (!whole || ((frame.opcode & CONTROL) && have - at < frame.header + frame.payload))
                break;
            at += frame.header;
            if (frame.opcode & CONTROL) {
                on_control(conn, frame.opcode, data + at, frame.payload);
                at += frame.payload;
                continue;
            }
            conn->skip = frame.payload;
            conn->ends_message = frame.fin;
        }
        size_t here = have - at < conn->skip ? have - at : conn->skip;
        at += here;
        conn->skip -= here;
        received += !conn->skip && conn->ends_message;
    }
    return at;
}

static void on_readable(struct connection *conn)
{
    size_t kept = conn->in.len, used = 0;
    if (kept)
        memcpy(input, conn->in.data, kept);
    ssize_t got = recv(conn->fd, input + kept, INPUT_BYTES - 1 - kept, 0);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0 && conn->state == UPGRADING)
        fail("connection %td: the server closed it in the upgrade", conn - connections);
    if (got <= 0) {
        drop(conn);
        return;
    }
    size_t have = kept + (size_t)got;
    input[have] = 0;
    if (conn->state == UPGRADING)
        used = accept_upgrade(conn, (char *)input, have);
    if (conn->state >= OPEN)
        used += count_messages(conn, input + used, have - used);
    if (conn->state != CLOSED)
        bytes_keep(&conn->in, input + used, have - used);
}

/* Waits for events and serves the sockets among them. Returns whether the timer was among them too. */
static bool turn(int timeout_ms)
{
    struct epoll_event events[EVENTS];
    bool timed = false;
    int count = epoll_wait(poller, events, EVENTS, timeout_ms);
    if (count < 0 && errno != EINTR)
        fail("epoll_wait: %s", strerror(errno));
    for (int i = 0; i < count; i++) {
        struct connection *conn = events[i].data.ptr;
        if (!conn) {
            uint64_t expirations;
            timed = read(timer, &expirations, sizeof expirations) > 0;
        } else if (conn->state == CONNECTING) {
            ask_for_upgrade(conn);
        } else {
            if (events[i].events & EPOLLOUT)
                flush(conn);
            if (conn->state != CLOSED && events[i].events & ~(uint32_t)EPOLLOUT)
                on_readable(conn);
        }
    }
    return timed;
}

static void set_timer(uint64_t first_ns, uint32_t every_us)
{
    struct itimerspec spec = {
        .it_value = {.tv_sec = (time_t)(first_ns / 1000000000), .tv_nsec = (long)(first_ns % 1000000000)},
        .it_interval = {.tv_sec = every_us / 1000000, .tv_nsec = every_us % 1000000 * 1000},
    };
    if (timerfd_settime(timer, TFD_TIMER_ABSTIME, &spec, NULL))
        fail("timerfd_settime: %s", strerror(errno));
}

/* Opens all connections and returns how many seconds that took. */
static double connect_all(void)
{
    uint64_t begin = now_ns();
    double limit_s = options.connections / options.connect_rate + CONNECT_WAIT_S, elapsed_s = 0;
    set_timer(begin + CONNECT_WINDOW_US * 1000, CONNECT_WINDOW_US);
    while (opened < options.connections) {
        double due = elapsed_s * options.connect_rate + 1;
        while (started < options.connections && started - opened < IN_FLIGHT_MAX && started < due)
            start_connect(&connections[started++]);
        turn(-1);
        elapsed_s = (double)(now_ns() - begin) * 1e-9;
        if (elapsed_s > limit_s)
            fail("%u of %u connections were open after %.0f s", opened, options.connections, elapsed_s);
        if (dropped)
            fail("the server closed a connection while others were being opened");
    }
    return elapsed_s;
}

/* Sends `count` messages of one connection, the first of them number `message`, in as few sends as fit. */
static void send_messages(struct connection *conn, uint64_t message, uint64_t count)
{
    while (count) {
        if (conn->state != OPEN || conn->out.len > UNSENT_MAX) {
            not_sent += count;
            return;
        }
        size_t len = 0;
        uint64_t batch = 0, due[OUTPUT_BYTES / 64];
        while (count && batch < OUTPUT_BYTES / 64 && OUTPUT_BYTES - len >= HEADER_MAX + options.payload) {
            len += put_frame(output + len, FIN | OP_BINARY, payload, options.payload);
            due[batch++] = hold_start_ns + (uint64_t)((double)message * 1e9 / options.rate);
            message += options.connections;
            count--;
        }
        uint64_t now = now_ns();
        for (uint64_t i = 0; i < batch; i++)
            lags[lag_bucket(now > due[i] ? now - due[i] : 0)]++;
        sent += batch;
        deliver(conn, output, len);
    }
}

static void send_due(void)
{
    double elapsed_s = (double)(now_ns() - hold_start_ns) * 1e-9;
    uint64_t due = (uint64_t)(elapsed_s * options.rate) + 1, all = options.connections;
    if (due > intended)
        due = intended;
    uint64_t count = due - next_message, lanes = count < all ? count : all;
    for (uint64_t lane = 0; lane < lanes; lane++) {
        uint64_t message = next_message + lane;
        send_messages(&connections[message % all], message, (count - lane + all - 1) / all);
    }
    next_message = due;
}

/* Sends on schedule and reads the echoes, until the last one or until DRAIN_S after the last send. */
static void hold(void)
{
    intended = (uint64_t)(options.rate * options.seconds);
    set_timer(hold_start_ns + (uint64_t)options.window_us * 1000, options.window_us);
    uint64_t until = hold_start_ns + (uint64_t)(options.seconds * 1e9);
    while (next_message < intended || now_ns() < until)
        if (turn(-1))
            send_due();
    set_timer(0, 0);
    until += (uint64_t)(DRAIN_S * 1e9);
    while (received < sent && alive && now_ns() < until)
        turn(10);
}

static void close_all(void)
{
    static const uint8_t normal[2] = {1000 >> 8, 1000 & 0xFF};
    for (uint32_t i = 0; i < options.connections; i++) {
        struct connection *conn = &connections[i];
        uint8_t frame[HEADER_MAX + sizeof normal];
        if (conn->state != OPEN)
            continue;
        conn->state = CLOSING;
        deliver(conn, frame, put_frame(frame, FIN | OP_CLOSE, normal, sizeof normal));
    }
    uint64_t until = now_ns() + (uint64_t)(CLOSE_S * 1e9);
    while (alive && now_ns() < until)
        turn(10);
}

static long max_rss_kb(void)
{
    char line[128];
    long kb = -1;
    FILE *status = fopen("/proc/self/status", "r");
    while (status && kb < 0 && fgets(line, sizeof line, status))
        sscanf(line, "VmHWM: %ld kB", &kb);
    if (status)
        fclose(status);
    return kb;
}

static void print_or_null(const char *name, bool known, double value, int decimals)
{
    if (known)
        printf(", \"%s\": %.*f", name, decimals, value);
    else
        printf(", \"%s\": null", name);
}

static void prepare(void)
{
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_cur < options.connections + FILES_SPARE)
        fail("%u connections need %u open files, and this process may have %llu (ulimit -Hn)",
             options.connections, options.connections + FILES_SPARE, (unsigned long long)files.rlim_cur);
    connections = calloc(options.connections, sizeof *connections);
    poller = epoll_create1(EPOLL_CLOEXEC);
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (!connections || poller < 0 || timer < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, timer, &event))
        fail("no memory, epoll or timer: %s", strerror(errno));
    random_state = now_ns();
    for (size_t i = 0; i < options.payload; i++)
        payload[i] = (uint8_t)i;
}

int main(int argc, char **argv)
{
    options = read_options(argc, argv);
    prepare();
    double connect_s = connect_all();
    double cpu_before_s = cpu_s();
    hold_start_ns = now_ns();
    hold();
    double spent_s = cpu_s() - cpu_before_s, seconds = (double)(now_ns() - hold_start_ns) * 1e-9;
    long rss_kb = max_rss_kb();
    close_all();
    printf("{\"connections\": %u, \"dropped\": %u, \"closed\": %u", options.connections, dropped, closed);
    printf(", \"sent\": %" PRIu64 ", \"received\": %" PRIu64, sent, received);
    printf(", \"not_sent\": %" PRIu64, not_sent);
    print_or_null("seconds", true, seconds, 3);
    print_or_null("cpu_s", true, spent_s, 3);
    print_or_null("cpu_us_per_round_trip", received > 0, spent_s * 1e6 / (double)received, 3);
    print_or_null("connect_s", true, connect_s, 3);
    print_or_null("max_rss_kb", rss_kb >= 0, (double)rss_kb, 0);
    print_or_null("lag_p50_us", sent > 0, lag_quantile_us(0.5, sent), 3);
    print_or_null("lag_p99_us", sent > 0, lag_quantile_us(0.99, sent), 3);
    puts("}");
    return sent == intended && received == sent && closed == options.connections ? 0 : 1;
}
