/*
 * An echo server on epoll: what the floor client and squall are both measured against, so that it is the same
 * for both.
 *
 *     server [--port P] [--processes N]
 *
 * Listens on 127.0.0.1 (port 0: any free one), prints {"port": ..., "pids": [...]} as one line and serves
 * until SIGTERM or SIGINT, or until its stdin, where that is a pipe or a socket, is closed. Echoes text and
 * binary frames of up to 64 KiB as they come (a fragmented message comes back in the same fragments), answers
 * ping with pong and close with close.
 *
 * One process accepts and serves on its own listening socket (SO_REUSEPORT); a parent only waits for the end.
 * Per readable connection: one recv, one send. A peer that does not read is not read from either, so memory
 * stays bounded. It knows no TLS, no extensions and no sub-protocols.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "websocket.h"

enum { BACKLOG = 4096, EVENTS = 256, PROCESSES_MAX = 256 };
/* An echo is shorter than what it answers; only the answer to an upgrade may be longer. */
enum { INPUT_BYTES = 2 * FRAME_MAX, OUTPUT_BYTES = INPUT_BYTES + 512 };

struct connection {
    int fd;
    bool upgraded, closing;
    struct bytes in, out;
};

static uint8_t input[INPUT_BYTES], output[OUTPUT_BYTES];

static void fail(const char *what)
{
    fprintf(stderr, "echo server: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void drop(struct connection *conn)
{
    close(conn->fd);
    bytes_free(&conn->in);
    bytes_free(&conn->out);
    free(conn);
}

static void watch(int poller, struct connection *conn, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = conn};
    if (epoll_ctl(poller, EPOLL_CTL_MOD, conn->fd, &event))
        fail("epoll_ctl");
}

/* Sends what it can; what is left over waits for the peer to read, and until then nothing is read from it. */
static void deliver(int poller, struct connection *conn, const uint8_t *data, size_t len)
{
    size_t done = 0;
    while (done < len) {
        ssize_t sent = send(conn->fd, data + done, len - done, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN)
            break;
        if (sent < 0) {
            drop(conn);
            return;
        }
        done += (size_t)sent;
    }
    bool was_waiting = conn->out.len > 0;
    if (data == conn->out.data && done < len) {
        memmove(conn->out.data, conn->out.data + done, len - done);
        conn->out.len = (uint32_t)(len - done);
    } else {
        bytes_keep(&conn->out, data + done, len - done);
    }
    if (conn->closing && !conn->out.len)
        shutdown(conn->fd, SHUT_WR); /* not close: with bytes unread that resets, and a reset overtakes */
    if (was_waiting != (conn->out.len > 0))
        watch(poller, conn, conn->out.len ? EPOLLOUT : EPOLLIN);
}

/* Answers an upgrade request. Returns the bytes of it that were used, 0 while it is not whole. */
static size_t upgrade(struct connection *conn, size_t have, size_t *written)
{
    size_t len = head_length((char *)input, have), key_len = 0;
    if (!len && have <= HEAD_MAX)
        return 0;
    const char *key = len ? head_field((char *)input, len, "sec-websocket-key:", &key_len) : NULL;
    if (!key || key_len != KEY_CHARS || memcmp(input, "GET ", 4)) {
        *written = (size_t)sprintf((char *)output, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"
                                                   "Content-Length: 0\r\n\r\n");
        conn->closing = true;
        return have;
    }
    char accept[ACCEPT_CHARS + 1];
    accept_for(key, accept);
    *written = (size_t)sprintf((char *)output,
                               "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                               "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
                               accept);
    conn->upgraded = true;
    return len;
}

static size_t close_with(struct connection *conn, uint8_t *to, uint16_t code)
{
    size_t header = frame_write(to, FIN | OP_CLOSE, 2, NULL);
    to[header] = (uint8_t)(code >> 8);
    to[header + 1] = (uint8_t)code;
    conn->closing = true;
    return header + 2;
}

/* Answers the whole frames in the input from `used` on, in the output from `*written` on. Returns the input
 * used in all. */
static size_t answer(struct connection *conn, size_t used, size_t have, size_t *written)
{
    while (!conn->closing) {
        struct frame frame;
        int whole = frame_read(input + used, have - used, &frame);
        uint8_t *to = output + *written;
        if (whole < 0 || (whole && !frame.masked)) {
            *written += close_with(conn, to, 1002);
            return have;
        }
        if (whole && frame.payload > PAYLOAD_MAX) {
            *written += close_with(conn, to, 1009);
            return have;
        }
        if (!whole || have - used < frame.header + frame.payload)
            break;
        uint8_t first = input[used];
        if (frame.opcode == OP_PING)
            first = FIN | OP_PONG;
        if (frame.opcode != OP_PONG) {
            size_t header = frame_write(to, first, frame.payload, NULL);
            mask_copy(to + header, input + used + frame.header, frame.payload, frame.key);
            *written += header + frame.payload;
        }
        conn->closing = frame.opcode == OP_CLOSE;
        used += frame.header + frame.payload;
    }
    return used;
}

static void on_readable(int poller, struct connection *conn)
{
    size_t kept = conn->in.len, used = 0, written = 0;
    if (kept)
        memcpy(input, conn->in.data, kept);
    ssize_t got = recv(conn->fd, input + kept, INPUT_BYTES - kept, 0);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        drop(conn);
        return;
    }
    if (conn->closing)
        return;
    size_t have = kept + (size_t)got;
    if (!conn->upgraded)
        used = upgrade(conn, have, &written);
    if (conn->upgraded)
        used = answer(conn, used, have, &written);
    bytes_keep(&conn->in, input + used, have - used);
    if (written)
        deliver(poller, conn, output, written);
}

static void accept_all(int poller, int listener)
{
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR))
            return;
        struct connection *conn = calloc(1, sizeof *conn);
        if (fd < 0 || !conn)
            fail("accept");
        conn->fd = fd;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = conn};
        if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event))
            fail("epoll_ctl");
    }
}

static void serve(int listener)
{
    int poller = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[EVENTS];
    if (poller < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event))
        fail("epoll");
    for (;;) {
        int count = epoll_wait(poller, events, EVENTS, -1);
        if (count < 0 && errno != EINTR)
            fail("epoll_wait");
        for (int i = 0; i < count; i++) {
            struct connection *conn = events[i].data.ptr;
            if (!conn)
                accept_all(poller, listener);
            else if (conn->out.len)
                deliver(poller, conn, conn->out.data, conn->out.len);
            else
                on_readable(poller, conn);
        }
    }
}

/* A listening socket of 127.0.0.1 on `*port`, which becomes the port that it got. */
static int listen_on(uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(*port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &(int){1}, sizeof(int)))
        fail("socket");
    if (bind(fd, (struct sockaddr *)&address, size) || listen(fd, BACKLOG))
        fail("listen");
    if (getsockname(fd, (struct sockaddr *)&address, &size))
        fail("getsockname");
    *port = ntohs(address.sin_port);
    return fd;
}

/* Forks the process that serves `listeners[own]`. It dies with its parent, however that one ends. */
static pid_t start_process(const int *listeners, int count, int own)
{
    pid_t parent = getpid(), pid = fork();
    if (pid < 0)
        fail("fork");
    if (pid)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    signal(SIGINT, SIG_IGN); /* Ctrl-C reaches the whole group; the parent ends us */
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (getppid() != parent)
        _exit(1);
    for (int i = 0; i < count; i++)
        if (i != own)
            close(listeners[i]);
    serve(listeners[own]);
    _exit(1);
}

/* Waits for a reason to end: 0 when asked to, 1 when a serving process ended by itself. */
static int wait_for_end(int signals)
{
    struct stat in;
    bool tied = !fstat(STDIN_FILENO, &in) && (S_ISFIFO(in.st_mode) || S_ISSOCK(in.st_mode));
    struct pollfd watched[2] = {{.fd = signals, .events = POLLIN}};
    watched[1] = (struct pollfd){.fd = tied ? STDIN_FILENO : -1, .events = POLLIN};
    for (;;) {
        if (poll(watched, 2, -1) < 0 && errno != EINTR)
            fail("poll");
        struct signalfd_siginfo got;
        if ((watched[0].revents & POLLIN) && read(signals, &got, sizeof got) == sizeof got)
            return got.ssi_signo == SIGCHLD;
        char ignored[256];
        if (watched[1].revents && read(STDIN_FILENO, ignored, sizeof ignored) <= 0)
            return 0;
    }
}

static long number(const char *text, long least, long most)
{
    char *end;
    long value = strtol(text, &end, 10);
    if (*text && !*end && value >= least && value <= most)
        return value;
    fprintf(stderr, "echo server: '%s' is not a number from %ld to %ld\n", text, least, most);
    exit(2);
}

static void allow_many_files(void)
{
    struct rlimit files;
    if (!getrlimit(RLIMIT_NOFILE, &files)) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

int main(int argc, char **argv)
{
    static const struct option names[] = {{"port", 1, 0, 'p'}, {"processes", 1, 0, 'n'}, {0}};
    uint16_t port = 0;
    int count = 1, listeners[PROCESSES_MAX];
    pid_t pids[PROCESSES_MAX];
    for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        if (option == 'p')
            port = (uint16_t)number(optarg, 0, 65535);
        else if (option == 'n')
            count = (int)number(optarg, 1, PROCESSES_MAX);
        else
            return 2;
    }
    allow_many_files();
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGINT);
    sigaddset(&mask, SIGCHLD);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    sigaction(SIGCHLD, &(struct sigaction){.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDSTOP}, NULL);
    int signals = signalfd(-1, &mask, SFD_CLOEXEC);
    if (signals < 0)
        fail("signalfd");
    for (int i = 0; i < count; i++)
        listeners[i] = listen_on(&port);
    for (int i = 0; i < count; i++)
        pids[i] = start_process(listeners, count, i);
    printf("{\"port\": %u, \"pids\": [", port);
    for (int i = 0; i < count; i++)
        printf("%s%d", i ? ", " : "", pids[i]);
    puts("]}");
    fflush(stdout);
    for (int i = 0; i < count; i++)
        close(listeners[i]);
    int code = wait_for_end(signals);
    for (int i = 0; i < count; i++)
        kill(pids[i], SIGTERM);
    while (wait(NULL) > 0)
        continue;
    if (code)
        fputs("echo server: a serving process ended by itself\n", stderr);
    return code;
}
