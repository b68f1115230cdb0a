#include "fake_dns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEADER_SIZE 12
#define RULES_MAX 64
#define CLIENTS_MAX 64
#define HELD_MAX 256
#define QUERY_MAX 512
#define PORT_TRIES 64

struct client {
    int fd; /* -1: free */
    uint8_t in[QUERY_MAX + 2];
    size_t in_len;
    uint8_t *out;
    size_t out_len, out_done;
    bool answered, close_after, drip;
};

struct held {
    struct sockaddr_in to;
    uint8_t *p;
    size_t len;
};

struct fake_dns {
    struct fake_dns_config config;
    pthread_t thread;
    int udp, tcp, stop[2];
    uint16_t port;
    size_t turn[RULES_MAX]; /* where each rule's next turn begins */
    size_t last[RULES_MAX]; /* where its last turn began: what TCP is answered by */
    struct client clients[CLIENTS_MAX];
    struct held held[HELD_MAX];
    size_t held_count, datagrams;
    struct fake_message message;

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t more;
    struct fake_dns_seen log[FAKE_DNS_LOG];
    size_t seen;
};

static void must(bool ok, const char *what)
{
    if (!ok) {
        perror(what);
        abort();
    }
}

static const char *const empty_zone[] = {NULL};

static const char *const *zone_of(const struct fake_dns *f)
{
    return f->config.zone != NULL ? f->config.zone : empty_zone;
}

static void note(struct fake_dns *f, const struct fake_query *q, uint16_t port, bool tcp)
{
    pthread_mutex_lock(&f->lock);
    if (f->seen < FAKE_DNS_LOG) {
        f->log[f->seen] = (struct fake_dns_seen){*q, port, tcp};
    }
    f->seen++;
    pthread_cond_broadcast(&f->more);
    pthread_mutex_unlock(&f->lock);
}

static const struct fake_dns_step plain_step = {.act = FAKE_DNS_ANSWER};

/* The steps for this query, the first of them; a turn ends at a step without `more`. */
static const struct fake_dns_step *take_turn(struct fake_dns *f, const struct fake_query *q,
                                             bool tcp)
{
    const struct fake_dns_rule *rules = f->config.rules;
    for (size_t i = 0; rules != NULL && rules[i].name != NULL; i++) {
        must(i < RULES_MAX, "fake_dns: too many rules");
        if (strcasecmp(rules[i].name, q->name) != 0 || fake_type(rules[i].type) != q->type) {
            continue;
        }
        const struct fake_dns_step *steps = rules[i].steps;
        if (tcp) {
            return &steps[f->last[i]];
        }
        size_t end = f->turn[i];
        f->last[i] = end;
        while (steps[end].more) {
            end++;
        }
        end++;
        if (end < FAKE_DNS_STEPS && steps[end].act != FAKE_DNS_END) {
            f->turn[i] = end;
        }
        return &steps[f->last[i]];
    }
    return &plain_step;
}

static void set_flags(struct fake_message *m, unsigned on, unsigned off)
{
    fake_set16(m, 2, (fake_get16(m->p + 2) & ~off) | on);
}

static void build_answer(struct fake_dns *f, const struct fake_query *q, const uint8_t *query)
{
    struct fake_message *m = &f->message;
    fake_reply_begin(m, q, query, 0);
    if (f->config.authentic) {
        set_flags(m, 0x20, 0);
    }
    fake_reply_fill(m, q, zone_of(f));
    fake_reply_edns(m, q, -1, NULL);
}

static void build_truncated(struct fake_dns *f, const struct fake_query *q, const uint8_t *query)
{
    fake_reply_begin(&f->message, q, query, 0);
    set_flags(&f->message, 0x200, 0);
    fake_reply_edns(&f->message, q, -1, NULL);
}

/* Records that must never be believed, for any type that the tests ask. */
static void add_poison(struct fake_message *m, const struct fake_query *q)
{
    static const char *const rdata[] = {"A 203.0.113.66", "MX 0 poison.example", "TXT \"poison\"",
                                        "AAAA 2001:db8:bad::66"};
    for (size_t i = 0; i < sizeof(rdata) / sizeof(rdata[0]); i++) {
        char line[FAKE_NAME_MAX + 64];
        snprintf(line, sizeof(line), "%s 86400 %s", q->name, rdata[i]);
        fake_reply_add(m, 6, line);
    }
}

static void build_rcode(struct fake_dns *f, const struct fake_query *q, const uint8_t *query,
                        const struct fake_dns_step *step)
{
    fake_reply_begin(&f->message, q, query, (unsigned)step->arg & 15);
    fake_reply_edns(&f->message, q, step->ede_text != NULL ? step->ede : -1, step->ede_text);
}

static void build_bare(struct fake_dns *f, const struct fake_query *q, const uint8_t *query,
                       unsigned rcode)
{
    fake_reply_begin(&f->message, q, query, rcode);
    fake_set16(&f->message, 4, 0);
    f->message.len = HEADER_SIZE;
}

static void build_wrong(struct fake_dns *f, const struct fake_query *q, const uint8_t *query,
                        enum fake_dns_act act)
{
    struct fake_message *m = &f->message;
    fake_reply_begin(m, q, query, 0);
    add_poison(m, q);
    if (act == FAKE_DNS_WRONG_ID) {
        fake_set16(m, 0, q->id ^ 0x0101u);
    } else {
        /* The last letter of the first label. */
        m->p[HEADER_SIZE + m->p[HEADER_SIZE]] ^= 1;
    }
}

static void build_pointer_loop(struct fake_dns *f, const struct fake_query *q, const uint8_t *query)
{
    static const uint8_t record[] = {0xc0, 0, 0, 0, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1};
    struct fake_message *m = &f->message;
    fake_reply_begin(m, q, query, 0);
    size_t at = m->len;
    memcpy(m->p + at, record, sizeof(record));
    m->len += sizeof(record);
    fake_set16(m, at, 0xc000u | (unsigned)at);
    fake_set16(m, at + 2, q->type);
    fake_set16(m, 6, 1);
}

static void build_referral(struct fake_dns *f, const struct fake_query *q, const uint8_t *query)
{
    fake_reply_begin(&f->message, q, query, 0);
    set_flags(&f->message, 0, 0x80);
    fake_reply_add(&f->message, 8, "org 3600 NS a.nic.example");
    fake_reply_add(&f->message, 8, "org 3600 NS b.nic.example");
}

static void build_garbage(struct fake_dns *f, const struct fake_dns_step *step)
{
    size_t len = step->arg > 0 ? (size_t)step->arg : 64;
    for (size_t i = 0; i < len; i++) {
        f->message.p[i] = (uint8_t)(i * 73 + 41);
    }
    f->message.len = len;
}

/* Builds what is sent for a step; false when nothing is. */
static bool build(struct fake_dns *f, const struct fake_query *q, const uint8_t *query,
                  const struct fake_dns_step *step, bool tcp)
{
    switch (step->act) {
    case FAKE_DNS_SILENCE:
        return false;
    case FAKE_DNS_RCODE:
        build_rcode(f, q, query, step);
        return true;
    case FAKE_DNS_RCODE_BARE:
        build_bare(f, q, query, (unsigned)step->arg & 15);
        return true;
    case FAKE_DNS_OLD:
        if (q->edns) {
            build_bare(f, q, query, 1);
        } else {
            build_answer(f, q, query);
        }
        return true;
    case FAKE_DNS_WRONG_ID:
    case FAKE_DNS_WRONG_QUESTION:
        build_wrong(f, q, query, step->act);
        return true;
    case FAKE_DNS_GARBAGE:
        build_garbage(f, step);
        return true;
    case FAKE_DNS_POINTER_LOOP:
        build_pointer_loop(f, q, query);
        return true;
    case FAKE_DNS_REFERRAL:
        build_referral(f, q, query);
        return true;
    case FAKE_DNS_CUT:
        build_answer(f, q, query);
        f->message.len -= (size_t)step->arg < f->message.len ? (size_t)step->arg : f->message.len;
        return true;
    case FAKE_DNS_STILL_TC:
        build_answer(f, q, query);
        set_flags(&f->message, 0x200, 0);
        return true;
    case FAKE_DNS_TCP_SILENCE:
        if (tcp) {
            return false;
        }
        build_truncated(f, q, query);
        return true;
    case FAKE_DNS_END:
    case FAKE_DNS_ANSWER:
        build_answer(f, q, query);
        if (!tcp && (f->message.full || f->message.len > q->udp_size)) {
            build_truncated(f, q, query);
        }
        return true;
    case FAKE_DNS_TRUNCATE:
    case FAKE_DNS_TCP_CLOSE:
    case FAKE_DNS_TCP_RESET:
    case FAKE_DNS_TCP_SHORT_PREFIX:
    case FAKE_DNS_TCP_LONG_PREFIX:
    case FAKE_DNS_TCP_DRIP:
        if (tcp) {
            build_answer(f, q, query);
        } else {
            build_truncated(f, q, query);
        }
        return true;
    }
    return false;
}

static void send_or_hold(struct fake_dns *f, const struct sockaddr_in *to)
{
    if (f->datagrams >= f->config.gather) {
        (void)sendto(f->udp, f->message.p, f->message.len, 0, (const struct sockaddr *)to,
                     sizeof(*to));
        return;
    }
    must(f->held_count < HELD_MAX, "fake_dns: too much held back");
    struct held *h = &f->held[f->held_count++];
    h->to = *to;
    h->len = f->message.len;
    h->p = malloc(h->len);
    must(h->p != NULL, "malloc");
    memcpy(h->p, f->message.p, h->len);
}

static void release_held(struct fake_dns *f)
{
    for (size_t i = 0; i < f->held_count; i++) {
        (void)sendto(f->udp, f->held[i].p, f->held[i].len, 0,
                     (const struct sockaddr *)&f->held[i].to, sizeof(f->held[i].to));
        free(f->held[i].p);
    }
    f->held_count = 0;
}

static void serve_datagram(struct fake_dns *f)
{
    uint8_t query[QUERY_MAX];
    struct sockaddr_in from;
    socklen_t from_len = sizeof(from);
    ssize_t n = recvfrom(f->udp, query, sizeof(query), 0, (struct sockaddr *)&from, &from_len);
    struct fake_query q;
    if (n < 0 || !fake_query_read(&q, query, (size_t)n)) {
        return;
    }
    note(f, &q, ntohs(from.sin_port), false); /* first: an answer may make the asker look */
    f->datagrams++;
    const struct fake_dns_step *step = take_turn(f, &q, false);
    for (;; step++) {
        if (build(f, &q, query, step, false)) {
            send_or_hold(f, &from);
        }
        if (!step->more) {
            break;
        }
    }
    if (f->datagrams >= f->config.gather) {
        release_held(f);
    }
}

static void client_close(struct client *c, bool reset)
{
    if (reset) {
        struct linger now = {.l_onoff = 1, .l_linger = 0};
        (void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    }
    close(c->fd);
    free(c->out);
    memset(c, 0, sizeof(*c));
    c->fd = -1;
}

static void client_answer(struct fake_dns *f, struct client *c)
{
    struct fake_query q;
    const uint8_t *query = c->in + 2;
    if (!fake_query_read(&q, query, c->in_len - 2)) {
        client_close(c, false);
        return;
    }
    c->answered = true;
    struct sockaddr_in from;
    socklen_t from_len = sizeof(from);
    bool known = getpeername(c->fd, (struct sockaddr *)&from, &from_len) == 0;
    note(f, &q, known ? ntohs(from.sin_port) : 0, true);
    const struct fake_dns_step *step = take_turn(f, &q, true);
    if (step->act == FAKE_DNS_TCP_CLOSE || step->act == FAKE_DNS_TCP_RESET) {
        client_close(c, step->act == FAKE_DNS_TCP_RESET);
    } else if (build(f, &q, query, step, true)) {
        size_t len = f->message.len, said = len;
        if (step->act == FAKE_DNS_TCP_SHORT_PREFIX) {
            said = (size_t)step->arg;
        } else if (step->act == FAKE_DNS_TCP_LONG_PREFIX) {
            said = len + (size_t)step->arg;
            c->close_after = true;
        }
        c->drip = step->act == FAKE_DNS_TCP_DRIP;
        c->out = malloc(len + 2);
        must(c->out != NULL, "malloc");
        c->out[0] = (uint8_t)(said >> 8);
        c->out[1] = (uint8_t)said;
        memcpy(c->out + 2, f->message.p, len);
        c->out_len = len + 2;
    }
}

static void client_read(struct fake_dns *f, struct client *c)
{
    ssize_t n = recv(c->fd, c->in + c->in_len, sizeof(c->in) - c->in_len, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (n <= 0) {
        client_close(c, false);
        return;
    }
    if (c->answered) {
        return; /* one question a connection */
    }
    c->in_len += (size_t)n;
    if (c->in_len >= 2 && c->in_len - 2 >= fake_get16(c->in)) {
        client_answer(f, c);
    }
}

static void client_write(struct client *c)
{
    size_t left = c->out_len - c->out_done;
    ssize_t n = send(c->fd, c->out + c->out_done, c->drip ? 1 : left, MSG_NOSIGNAL);
    if (n < 0) {
        if (errno != EAGAIN && errno != EINTR) {
            client_close(c, false);
        }
        return;
    }
    c->out_done += (size_t)n;
    if (c->out_done == c->out_len && c->close_after) {
        client_close(c, false);
    }
}

static void accept_client(struct fake_dns *f)
{
    int fd = accept(f->tcp, NULL, NULL);
    if (fd < 0) {
        return;
    }
    int on = 1;
    (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        if (f->clients[i].fd < 0) {
            f->clients[i].fd = fd;
            return;
        }
    }
    close(fd);
}

static void *serve(void *arg)
{
    struct fake_dns *f = arg;
    for (;;) {
        struct pollfd fds[3 + CLIENTS_MAX] = {
            {.fd = f->stop[0], .events = POLLIN},
            {.fd = f->udp, .events = POLLIN},
            {.fd = f->config.no_tcp ? -1 : f->tcp, .events = POLLIN},
        };
        for (size_t i = 0; i < CLIENTS_MAX; i++) {
            const struct client *c = &f->clients[i];
            fds[3 + i].fd = c->fd;
            fds[3 + i].events = c->out_done < c->out_len ? POLLIN | POLLOUT : POLLIN;
        }
        if (poll(fds, 3 + CLIENTS_MAX, -1) < 0) {
            must(errno == EINTR, "poll");
            continue;
        }
        if (fds[0].revents != 0) {
            return NULL;
        }
        if (fds[1].revents != 0) {
            serve_datagram(f);
        }
        for (size_t i = 0; i < CLIENTS_MAX; i++) {
            struct client *c = &f->clients[i];
            if (c->fd >= 0 && fds[3 + i].fd == c->fd && (fds[3 + i].revents & POLLOUT)) {
                client_write(c);
            }
            if (c->fd >= 0 && fds[3 + i].fd == c->fd && (fds[3 + i].revents & ~POLLOUT)) {
                client_read(f, c);
            }
        }
        if (fds[2].revents != 0) {
            accept_client(f);
        }
    }
}

static int bound_socket(int type, uint16_t *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(*port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    must(fd >= 0, "socket");
    if (bind(fd, (struct sockaddr *)&a, len) != 0) {
        close(fd);
        return -1;
    }
    must(getsockname(fd, (struct sockaddr *)&a, &len) == 0, "getsockname");
    *port = ntohs(a.sin_port);
    return fd;
}

/* One number that is free for both protocols. */
static void bind_both(struct fake_dns *f)
{
    for (int i = 0; i < PORT_TRIES; i++) {
        f->port = 0;
        f->tcp = bound_socket(SOCK_STREAM, &f->port);
        must(f->tcp >= 0, "bind");
        f->udp = bound_socket(SOCK_DGRAM, &f->port);
        if (f->udp >= 0) {
            return;
        }
        close(f->tcp);
    }
    must(false, "fake_dns: no port is free for both protocols");
}

struct fake_dns *fake_dns_start(const struct fake_dns_config *config)
{
    struct fake_dns *f = calloc(1, sizeof(*f));
    must(f != NULL, "calloc");
    f->config = *config;
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        f->clients[i].fd = -1;
    }
    bind_both(f);
    if (!config->no_tcp) {
        /* Bound without listening, the port refuses, and nobody else can take it. */
        must(listen(f->tcp, 16) == 0, "listen");
        (void)fcntl(f->tcp, F_SETFL, O_NONBLOCK);
    }
    must(pipe(f->stop) == 0, "pipe");
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->more, NULL);
    must(pthread_create(&f->thread, NULL, serve, f) == 0, "pthread_create");
    return f;
}

uint16_t fake_dns_port(const struct fake_dns *f)
{
    return f->port;
}

size_t fake_dns_seen(struct fake_dns *f, struct fake_dns_seen *out, size_t max)
{
    pthread_mutex_lock(&f->lock);
    size_t seen = f->seen;
    size_t kept = seen < FAKE_DNS_LOG ? seen : FAKE_DNS_LOG;
    if (kept > max) {
        kept = max;
    }
    if (kept > 0) {
        memcpy(out, f->log, kept * sizeof(*out));
    }
    pthread_mutex_unlock(&f->lock);
    return seen;
}

void fake_dns_await(struct fake_dns *f, size_t queries)
{
    pthread_mutex_lock(&f->lock);
    while (f->seen < queries) {
        pthread_cond_wait(&f->more, &f->lock);
    }
    pthread_mutex_unlock(&f->lock);
}

void fake_dns_stop(struct fake_dns *f)
{
    if (f == NULL) {
        return;
    }
    must(write(f->stop[1], "", 1) == 1, "write");
    pthread_join(f->thread, NULL);
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        if (f->clients[i].fd >= 0) {
            client_close(&f->clients[i], false);
        }
    }
    for (size_t i = 0; i < f->held_count; i++) {
        free(f->held[i].p);
    }
    close(f->udp);
    close(f->tcp);
    close(f->stop[0]);
    close(f->stop[1]);
    pthread_mutex_destroy(&f->lock);
    pthread_cond_destroy(&f->more);
    free(f);
}
