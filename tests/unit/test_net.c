#include "net.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* A network of one connection whose every move is written down beforehand. */
struct step {
    enum status status;
    const char *bytes; /* for reads; for writes, only their number counts */
};

struct scripted_conn {
    struct net_conn base;
    const struct step *reads, *writes;
    struct buf written;
    int *closed;
};

struct scripted_network {
    struct network base;
    struct scripted_conn conn;
    const enum status *waits;
    enum status connect_status, connect_results[3];
    int result_calls, wait_calls, closed;
    size_t last_count;
    unsigned last_want;
    struct net_conn *last_conn;
    int64_t last_deadline;
    bool last_until_wake;
};

static enum status conn_read(struct net_conn *c, void *p, size_t len, size_t *got)
{
    struct scripted_conn *s = (struct scripted_conn *)c;
    const struct step *step = s->reads++;
    if (step->status == ST_OK) {
        *got = strlen(step->bytes);
        assert_true(*got <= len);
        memcpy(p, step->bytes, *got);
    }
    return step->status;
}

static enum status conn_write(struct net_conn *c, const void *p, size_t len, size_t *put)
{
    struct scripted_conn *s = (struct scripted_conn *)c;
    const struct step *step = s->writes++;
    if (step->status == ST_OK) {
        *put = strlen(step->bytes) < len ? strlen(step->bytes) : len;
        assert_int_equal(buf_add(&s->written, p, *put), ST_OK);
    }
    return step->status;
}

static void conn_close(struct net_conn *c)
{
    struct scripted_conn *s = (struct scripted_conn *)c;
    buf_free(&s->written);
    (*s->closed)++;
}

static const struct net_conn_ops conn_ops = {
    .read = conn_read, .write = conn_write, .close = conn_close};

static enum status network_connect(struct network *base, const struct net_address *to,
                                   const struct net_address *from, struct net_conn **out, int *sys)
{
    struct scripted_network *n = (struct scripted_network *)base;
    (void)to;
    (void)from;
    if (n->connect_status != ST_OK) {
        *sys = ENETUNREACH;
        return n->connect_status;
    }
    *out = &n->conn.base;
    return ST_OK;
}

static enum status network_connect_result(struct network *base, struct net_conn *c)
{
    struct scripted_network *n = (struct scripted_network *)base;
    enum status st = n->connect_results[n->result_calls++];
    c->sys = st == ST_REFUSED ? ECONNREFUSED : 0;
    return st;
}

static enum status network_wait(struct network *base, struct net_wait_item *items, size_t count,
                                int64_t deadline_us, struct cancel *cancel, bool until_wake)
{
    struct scripted_network *n = (struct scripted_network *)base;
    (void)cancel;
    n->last_count = count;
    n->last_deadline = deadline_us;
    n->last_until_wake = until_wake;
    for (size_t i = 0; i < count; i++) {
        n->last_conn = items[i].conn;
        n->last_want = items[i].want;
        items[i].ready = items[i].want;
    }
    return n->waits != NULL ? n->waits[n->wait_calls++] : ST_OK;
}

static const struct network_ops network_ops = {
    .connect = network_connect, .connect_result = network_connect_result, .wait = network_wait};

static void script(struct scripted_network *n, const struct step *reads, const struct step *writes,
                   const enum status *waits)
{
    memset(n, 0, sizeof(*n));
    n->base.ops = &network_ops;
    n->conn.base.ops = &conn_ops;
    n->conn.reads = reads;
    n->conn.writes = writes;
    n->conn.closed = &n->closed;
    buf_init(&n->conn.written, 1000);
    n->waits = waits;
}

static void reading_tries_before_it_waits(void **state)
{
    (void)state;
    struct scripted_network n;
    char p[10];
    size_t got;
    static const struct step reads[] = {{ST_OK, "220"}, {ST_AGAIN, ""}, {ST_AGAIN, ""},
                                        {ST_OK, " hi"}, {ST_EOF, ""}};
    static const enum status waits[] = {ST_OK, ST_OK};
    script(&n, reads, NULL, waits);
    assert_int_equal(net_read_some(&n.base, &n.conn.base, p, sizeof(p), &got, 7, NULL), ST_OK);
    assert_int_equal(got, 3);
    assert_int_equal(n.wait_calls, 0);
    assert_int_equal(net_read_some(&n.base, &n.conn.base, p, sizeof(p), &got, 7, NULL), ST_OK);
    assert_memory_equal(p, " hi", 3);
    assert_int_equal(n.wait_calls, 2);
    assert_int_equal(n.last_want, NET_READ);
    assert_true(n.last_deadline == 7);
    assert_false(n.last_until_wake);
    assert_int_equal(net_read_some(&n.base, &n.conn.base, p, sizeof(p), &got, 7, NULL), ST_EOF);
    assert_int_equal(got, 0);
}

static void what_a_wait_says_is_passed_on(void **state)
{
    (void)state;
    static const enum status outcomes[] = {ST_TIMEOUT, ST_CANCELLED, ST_IO};
    static const struct step again[] = {{ST_AGAIN, ""}};
    for (size_t i = 0; i < ARRAY_LEN(outcomes); i++) {
        struct scripted_network n;
        char p[10];
        size_t got;
        script(&n, again, again, &outcomes[i]);
        assert_int_equal(net_read_some(&n.base, &n.conn.base, p, sizeof(p), &got, 7, NULL),
                         outcomes[i]);
        script(&n, again, again, &outcomes[i]);
        assert_int_equal(net_write_all(&n.base, &n.conn.base, "x", 1, 7, NULL), outcomes[i]);
    }
}

static void writing_goes_on_until_all_is_out(void **state)
{
    (void)state;
    struct scripted_network n;
    static const struct step writes[] = {{ST_OK, "12"}, {ST_AGAIN, ""}, {ST_OK, "1"},
                                         {ST_OK, "1234567"}, {ST_RESET, ""}};
    static const enum status waits[] = {ST_OK};
    script(&n, NULL, writes, waits);
    assert_int_equal(net_write_all(&n.base, &n.conn.base, "EHLO x\r\n", 8, 7, NULL), ST_OK);
    assert_string_equal(buf_str(&n.conn.written), "EHLO x\r\n");
    assert_int_equal(n.last_want, NET_WRITE);
    assert_int_equal(net_write_all(&n.base, &n.conn.base, "", 0, 7, NULL), ST_OK);
    assert_int_equal(net_write_all(&n.base, &n.conn.base, "Q", 1, 7, NULL), ST_RESET);
    buf_free(&n.conn.written);
}

static void a_raised_token_stops_even_what_need_not_wait(void **state)
{
    (void)state;
    struct scripted_network n;
    struct cancel cancel;
    struct net_address to = {.family = 4};
    struct net_conn *c;
    char p[10];
    size_t got;
    int sys;
    static const struct step ready[] = {{ST_OK, "x"}};
    assert_int_equal(cancel_init(&cancel), ST_OK);
    cancel_request(&cancel, CANCEL_POLITE);
    script(&n, ready, ready, NULL);
    assert_int_equal(net_read_some(&n.base, &n.conn.base, p, sizeof(p), &got, 7, &cancel),
                     ST_CANCELLED);
    assert_int_equal(net_write_all(&n.base, &n.conn.base, "x", 1, 7, &cancel), ST_CANCELLED);
    struct net_wait_item item = {.conn = &n.conn.base, .want = NET_READ};
    assert_int_equal(net_wait(&n.base, &item, 1, 7, &cancel, false), ST_CANCELLED);
    assert_int_equal(net_dial(&n.base, &to, NULL, 7, &cancel, &c, &sys), ST_CANCELLED);
    assert_null(c);
    assert_int_equal(n.closed, 1);
    assert_int_equal(n.wait_calls, 0);
    cancel_fini(&cancel);
}

static void dialling(void **state)
{
    (void)state;
    static const struct {
        enum status connect, wait[3], result[3], expected;
        int sys, closed;
    } cases[] = {
        {ST_OK, {ST_OK}, {ST_OK}, ST_OK, 0, 0},
        {ST_OK, {ST_OK, ST_OK}, {ST_AGAIN, ST_OK}, ST_OK, 0, 0},
        {ST_OK, {ST_OK}, {ST_REFUSED}, ST_REFUSED, ECONNREFUSED, 1},
        {ST_OK, {ST_TIMEOUT}, {ST_OK}, ST_TIMEOUT, 0, 1},
        {ST_UNREACHABLE, {ST_OK}, {ST_OK}, ST_UNREACHABLE, ENETUNREACH, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct scripted_network n;
        struct net_address to = {.family = 4};
        struct net_conn *c;
        int sys = -1;
        script(&n, NULL, NULL, cases[i].wait);
        n.connect_status = cases[i].connect;
        memcpy(n.connect_results, cases[i].result, sizeof(n.connect_results));
        assert_int_equal(net_dial(&n.base, &to, NULL, 7, NULL, &c, &sys), cases[i].expected);
        assert_int_equal(sys, cases[i].sys);
        assert_int_equal(n.closed, cases[i].closed);
        assert_ptr_equal(c, cases[i].expected == ST_OK ? &n.conn.base : NULL);
    }
}

/* A layer that wants to read in order to write, as TLS sometimes does. */
struct layer {
    struct net_conn base;
    struct net_conn *below;
    unsigned below_want;
    bool ready;
};

static struct net_conn *layer_wait_for(struct net_conn *c, unsigned want, unsigned *below,
                                       bool *ready)
{
    struct layer *l = (struct layer *)c;
    *below = l->below_want != 0 ? l->below_want : want;
    *ready = l->ready;
    return l->below;
}

static const struct net_conn_ops layer_ops = {.wait_for = layer_wait_for};

static void waiting_walks_down_the_layers(void **state)
{
    (void)state;
    struct scripted_network n;
    script(&n, NULL, NULL, NULL);
    struct layer lower = {.base.ops = &layer_ops, .below = &n.conn.base, .below_want = NET_READ};
    struct layer upper = {.base.ops = &layer_ops, .below = &lower.base};
    struct net_wait_item item = {.conn = &upper.base, .want = NET_WRITE};
    assert_int_equal(net_wait(&n.base, &item, 1, 7, NULL, true), ST_OK);
    assert_ptr_equal(n.last_conn, &n.conn.base);
    assert_int_equal(n.last_want, NET_READ);
    assert_true(n.last_until_wake);
    /* told in the words of the one who asked */
    assert_ptr_equal(item.conn, &upper.base);
    assert_int_equal(item.ready, NET_WRITE);
}

static void a_ready_layer_needs_no_wait(void **state)
{
    (void)state;
    struct scripted_network n;
    script(&n, NULL, NULL, NULL);
    struct layer l = {.base.ops = &layer_ops, .below = &n.conn.base, .ready = true};
    struct net_wait_item items[2] = {{.conn = &n.conn.base, .want = NET_READ, .ready = NET_READ},
                                     {.conn = &l.base, .want = NET_READ}};
    assert_int_equal(net_wait(&n.base, items, 2, 7, NULL, false), ST_OK);
    assert_int_equal(n.last_count, 0);
    assert_int_equal(items[0].ready, 0);
    assert_int_equal(items[1].ready, NET_READ);
}

static void there_is_a_limit_to_what_one_wait_can_watch(void **state)
{
    (void)state;
    struct scripted_network n;
    static struct net_wait_item items[1000];
    script(&n, NULL, NULL, NULL);
    assert_int_equal(net_wait(&n.base, items, ARRAY_LEN(items), 7, NULL, false), ST_LIMIT);
    assert_int_equal(net_wait(&n.base, NULL, 0, 7, NULL, false), ST_OK);
    net_close(NULL);
    net_network_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading_tries_before_it_waits),
        cmocka_unit_test(what_a_wait_says_is_passed_on),
        cmocka_unit_test(writing_goes_on_until_all_is_out),
        cmocka_unit_test(a_raised_token_stops_even_what_need_not_wait),
        cmocka_unit_test(dialling),
        cmocka_unit_test(waiting_walks_down_the_layers),
        cmocka_unit_test(a_ready_layer_needs_no_wait),
        cmocka_unit_test(there_is_a_limit_to_what_one_wait_can_watch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
