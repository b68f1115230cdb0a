#include "practice_world.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "practice_tls.h"

/* More is not made good: the process was stopped, or the machine slept. */
#define LATE_MAX_US (50 * US_PER_MS)

static struct practice *world(struct network *n)
{
    return (struct practice *)n;
}

static int64_t practice_now_us(struct network *n)
{
    return world(n)->now_us;
}

static int64_t practice_wall_us(struct network *n)
{
    return world_wall_us(world(n));
}

static void practice_random(struct network *n, void *p, size_t len)
{
    practice_random_fill(&world(n)->client_random, p, len);
}

static enum status practice_connect(struct network *n, const struct net_address *to,
                                    const struct net_address *from, struct net_conn **out, int *sys)
{
    return conn_open_stream(world(n), to, from, out, sys);
}

static enum status practice_connect_result(struct network *n, struct net_conn *c)
{
    (void)n;
    return conn_result((struct practice_conn *)c);
}

static enum status practice_datagram(struct network *n, const struct net_address *to,
                                     const struct net_address *from, struct net_conn **out,
                                     int *sys)
{
    return conn_open_datagram(world(n), to, from, out, sys);
}

static bool collect(struct net_wait_item *items, size_t count)
{
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        const struct practice_conn *c = (const struct practice_conn *)items[i].conn;
        items[i].ready = c != NULL ? conn_ready(c, items[i].want) : 0;
        any = any || items[i].ready != 0;
    }
    return any;
}

static int64_t next_event_us(const struct practice *w)
{
    int64_t next = NO_DEADLINE;
    for (const struct practice_conn *c = w->conns; c != NULL; c = c->next) {
        next = deadline_earlier(next, conn_next_us(c));
    }
    return next;
}

/* What a look at the token says: ST_OK is nothing. */
static enum status look(struct cancel *cancel, bool readable, bool until_wake)
{
    if (cancel == NULL) {
        return ST_OK;
    }
    if (cancel_level(cancel) != CANCEL_NONE) {
        return ST_CANCELLED;
    }
    if (!readable) {
        return ST_OK;
    }
    wake_drain(&cancel->wake);
    if (cancel_level(cancel) != CANCEL_NONE) {
        return ST_CANCELLED;
    }
    return until_wake ? ST_AGAIN : ST_OK;
}

/* Really waits for the token, `us` long at most; us < 0: without end. */
static bool poll_token(struct cancel *cancel, int64_t us)
{
    struct pollfd fd = {.fd = cancel != NULL ? cancel->wake.rd : -1, .events = POLLIN};
    struct timespec limit = {.tv_sec = (time_t)(us / US_PER_S),
                             .tv_nsec = (long)(us % US_PER_S) * 1000};
    return ppoll(&fd, 1, us < 0 ? NULL : &limit, NULL) == 1;
}

static int64_t shorter(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Lets the time pass until `target`, or the token calls. Returns what the token said. */
static enum status pass_time(struct practice *w, int64_t target, struct cancel *cancel,
                             bool until_wake)
{
    bool for_ever = target == NO_DEADLINE;
    bool readable;
    if (w->pace == PRACTICE_INSTANT) {
        readable = poll_token(cancel, for_ever ? -1 : 0);
        enum status st = look(cancel, readable, until_wake);
        if (st == ST_OK && !for_ever) {
            w->now_us = target;
        }
        return st;
    }
    int64_t before = clock_monotonic_us();
    int64_t story = for_ever ? 0 : target - w->now_us;
    if (w->left_us != 0) {
        w->late_us = shorter(w->late_us + before - w->left_us, LATE_MAX_US);
    }
    int64_t real = story - shorter(w->late_us, story);
    readable = poll_token(cancel, for_ever ? -1 : real);
    w->left_us = clock_monotonic_us();
    int64_t passed = w->left_us - before;
    /* A wait that came to its end took as long as it should have: the scheduler's delay is not part
       of the story, and the times are the same each time. The next waits are shorter for it, so that
       a story that is made of many short ones keeps its pace. */
    if (!readable && !for_ever && passed >= real) {
        w->now_us = target;
        w->late_us += passed - story;
        w->late_us = w->late_us > 0 ? w->late_us : 0;
    } else {
        w->now_us += for_ever ? passed : shorter(passed, story);
    }
    return look(cancel, readable, until_wake);
}

static enum status practice_wait(struct network *n, struct net_wait_item *items, size_t count,
                                 int64_t deadline_us, struct cancel *cancel, bool until_wake)
{
    struct practice *w = world(n);
    /* A raised token returns at once; an earlier wake-up does when somebody waits for it. */
    enum status st =
        look(cancel, until_wake && cancel != NULL && poll_token(cancel, 0), until_wake);
    while (st == ST_OK) {
        world_act(w);
        if (collect(items, count)) {
            return ST_OK;
        }
        if (deadline_us <= w->now_us) {
            return ST_TIMEOUT;
        }
        int64_t target = deadline_earlier(deadline_us, next_event_us(w));
        if (target == NO_DEADLINE && cancel == NULL) {
            /* Nothing can ever happen: a real network would hang here. */
            return ST_TIMEOUT;
        }
        st = pass_time(w, target > w->now_us ? target : w->now_us, cancel, until_wake);
    }
    return st;
}

static size_t practice_resolvers(struct network *n, struct net_address *out, size_t max)
{
    const struct scenario *s = world(n)->s;
    size_t count = s->resolver_count < max ? s->resolver_count : max;
    for (size_t i = 0; i < count; i++) {
        out[i] = s->resolvers[i].address;
        out[i].port = 53;
    }
    return count;
}

static void practice_host_name(struct network *n, char *out, size_t size)
{
    str_copy(out, size, world(n)->s->me.name);
}

static size_t practice_hosts_file(struct network *n, const char *name, struct net_address *out,
                                  size_t max)
{
    static const char *const loopback[] = {"127.0.0.1", "::1"};
    size_t count = 0;
    (void)n;
    if (!str_equal_nocase(name, "localhost")) {
        return 0;
    }
    while (count < max && count < ARRAY_LEN(loopback)) {
        (void)net_address_parse(loopback[count], &out[count]);
        count++;
    }
    return count;
}

static enum status practice_source_for(struct network *n, const struct net_address *to,
                                       struct net_address *out)
{
    world_source(world(n), to, out);
    return out->family != 0 ? ST_OK : ST_UNREACHABLE;
}

static void practice_close(struct network *n)
{
    struct practice *w = world(n);
    while (w->conns != NULL) {
        net_close(&w->conns->base);
    }
    practice_tls_free(w->tls);
    for (size_t i = 0; w->counts != NULL && i < w->s->server_count; i++) {
        free(w->counts[i]);
    }
    free(w->counts);
    buf_free(&w->log);
    scenario_free(w->s);
    free(w);
}

const struct network_ops practice_ops = {
    .now_us = practice_now_us,
    .wall_us = practice_wall_us,
    .random = practice_random,
    .connect = practice_connect,
    .connect_result = practice_connect_result,
    .datagram = practice_datagram,
    .wait = practice_wait,
    .resolvers = practice_resolvers,
    .host_name = practice_host_name,
    .hosts_file = practice_hosts_file,
    .source_for = practice_source_for,
    .close = practice_close,
};
