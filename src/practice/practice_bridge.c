#include "practice_bridge.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "secret.h"

/* A connection that the server has closed and the client has not: Linux forgets it after that long
   (tcp_fin_timeout), and so does the server of the scenario. */
#define FIN_TIMEOUT_US (60 * US_PER_S)
/* A client that went while its server is silent is noticed by the kernel's questions. */
#define KEEPALIVE_S 60

static bool prepare_socket(int fd)
{
    int on = 1;
    /* Octets that the scenario splits into segments have to go out one by one. */
    bool good = setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0 &&
                setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) == 0;
#ifdef TCP_KEEPIDLE
    int idle = KEEPALIVE_S;
    good = good && setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle)) == 0;
#endif
    return good;
}

struct bridge *bridge_new(struct practice *w, const struct net_address *to, int fd)
{
    struct net_conn *conn = NULL;
    int sys = 0;
    struct bridge *b = calloc(1, sizeof(*b));
    if (b == NULL || !prepare_socket(fd) || conn_open_stream(w, to, NULL, &conn, &sys) != ST_OK) {
        free(b);
        return NULL;
    }
    b->fd = fd;
    b->conn = (struct practice_conn *)conn;
    b->world_number = b->conn->actor != NULL ? w->conn_number : 0;
    b->writable = true;
    b->forget_us = NO_DEADLINE;
    return b;
}

void bridge_close(struct bridge *b, enum serve_end end)
{
    if (b->conn != NULL) {
        net_close(&b->conn->base);
    }
    if (end == SERVE_END_SERVER_RESET) {
        struct linger linger = {.l_onoff = 1, .l_linger = 0};
        (void)setsockopt(b->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    }
    close(b->fd);
    /* It may have held a password. */
    secret_wipe(b, sizeof(*b));
    free(b);
}

/* More bytes of the client would be taken. */
static bool wants_more(const struct bridge *b)
{
    return b->up.len == 0 && !b->client_ended && conn_ready(b->conn, NET_WRITE) != 0 &&
           b->conn->to_client.bytes < WORLD_WINDOW;
}

/* What was read from the socket goes into the world, as far as it takes it. */
static void flush_up(struct bridge *b)
{
    while (b->up.len > 0) {
        size_t put = 0;
        struct net_conn *conn = &b->conn->base;
        enum status st = conn->ops->write(conn, b->up.bytes + b->up.off, b->up.len, &put);
        if (st == ST_AGAIN) {
            return;
        }
        /* Where nobody takes it, the reset that this brings is on its way. */
        put = st == ST_OK ? put : b->up.len;
        secret_wipe(b->up.bytes + b->up.off, put);
        b->up.off += put;
        b->up.len -= put;
    }
}

/* False: the client has reset the connection. */
static bool pump_up(struct bridge *b)
{
    flush_up(b);
    while (b->readable && wants_more(b)) {
        ssize_t n = recv(b->fd, b->up.bytes, sizeof(b->up.bytes), 0);
        if (n > 0) {
            b->up.off = 0;
            b->up.len = (size_t)n;
            flush_up(b);
        } else if (n == 0) {
            b->client_ended = true;
            b->end = b->server_ended ? b->end : SERVE_END_CLIENT;
            b->conn->base.ops->shut_write(&b->conn->base);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            b->readable = false;
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

/* False: the client has reset the connection. */
static bool flush_down(struct bridge *b)
{
    while (b->down.len > 0 && b->writable) {
        ssize_t n = send(b->fd, b->down.bytes + b->down.off, b->down.len, MSG_NOSIGNAL);
        if (n >= 0) {
            b->down.off += (size_t)n;
            b->down.len -= (size_t)n;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            b->writable = false;
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

static void end_by_server(struct bridge *b)
{
    if (!b->server_ended) {
        b->server_ended = true;
        b->end = b->client_ended ? b->end : SERVE_END_SERVER;
        b->forget_us = clock_monotonic_us() + FIN_TIMEOUT_US;
        (void)shutdown(b->fd, SHUT_WR);
    }
}

/* A client that went away before it had heard all has closed, too. */
static bool lost(struct bridge *b)
{
    b->end = b->client_ended || b->server_ended ? b->end : SERVE_END_CLIENT_RESET;
    return false;
}

static bool pump_down(struct bridge *b)
{
    for (;;) {
        if (!flush_down(b)) {
            return lost(b);
        }
        if (b->down.len > 0) {
            return true;
        }
        size_t got = 0;
        struct net_conn *conn = &b->conn->base;
        enum status st = conn->ops->read(conn, b->down.bytes, sizeof(b->down.bytes), &got);
        if (st == ST_AGAIN) {
            return true;
        }
        if (st == ST_EOF) {
            const struct segment *head = b->conn->to_client.head;
            end_by_server(b);
            /* An end stays, unless it makes way for a reset that has come since. */
            if (head != NULL && head->kind == SEGMENT_FIN) {
                return true;
            }
        } else if (st != ST_OK) {
            b->end = SERVE_END_SERVER_RESET;
            return false;
        }
        b->down.off = 0;
        b->down.len = got;
    }
}

bool bridge_pump(struct bridge *b)
{
    /* Takes note that the world's connection is open, where it is. */
    (void)conn_result(b->conn);
    if (!pump_up(b)) {
        return lost(b);
    }
    return pump_down(b) && !(b->client_ended && b->server_ended) &&
           (b->forget_us == NO_DEADLINE || clock_monotonic_us() < b->forget_us);
}

short bridge_events(const struct bridge *b)
{
    int events = (wants_more(b) ? POLLIN : 0) | (b->down.len > 0 ? POLLOUT : 0);
    return (short)events;
}

bool bridge_found(struct bridge *b, short events)
{
    bool over = (events & (POLLERR | POLLHUP)) != 0;
    b->readable = b->readable || over || (events & POLLIN) != 0;
    b->writable = b->writable || over || (events & POLLOUT) != 0;
    /* Poll would tell it again at once, and nothing here would change. */
    return !over || wants_more(b) ? true : lost(b);
}

/* What comes to either end. Reading stops at an end, and a reset may follow it. */
static int64_t arrival_us(const struct bridge *b)
{
    const struct segment *head = b->conn->to_client.head;
    int64_t next = conn_arrival_us(b->conn);
    if (b->server_ended && head != NULL && head->next != NULL) {
        next = deadline_earlier(next, head->next->at_us);
    }
    return next;
}

int64_t bridge_next_us(const struct bridge *b)
{
    return deadline_earlier(conn_next_us(b->conn), arrival_us(b));
}

int64_t bridge_jump_us(const struct bridge *b)
{
    const struct actor *a = b->conn->actor;
    return a != NULL && a->patient ? arrival_us(b) : bridge_next_us(b);
}
