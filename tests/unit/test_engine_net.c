#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine_net.h"

/* A network whose only content is a clock: each wait ends at its deadline, or later. */
struct clockwork {
    struct network base;
    int64_t now_us;
    int64_t oversleep_us; /* the next wait ends so much too late */
    int64_t stood_us;     /* the face reports that while the next wait goes on */
    struct engine_net *layer;
    unsigned waits;
    bool closed;
};

static struct clockwork *clockwork_of(struct network *n)
{
    return (struct clockwork *)(void *)n;
}

static int64_t now(struct network *n)
{
    return clockwork_of(n)->now_us;
}

static enum status wait_until(struct network *n, struct net_wait_item *items, size_t count,
                              int64_t deadline_us, struct cancel *cancel, bool until_wake)
{
    struct clockwork *c = clockwork_of(n);
    (void)items;
    (void)count;
    (void)until_wake;
    c->waits++;
    if (cancel != NULL && cancel_level(cancel) != CANCEL_NONE) {
        return ST_CANCELLED;
    }
    if (deadline_us == NO_DEADLINE) {
        return ST_AGAIN;
    }
    if (deadline_us > c->now_us) {
        c->now_us = deadline_us;
    }
    c->now_us += c->oversleep_us;
    c->oversleep_us = 0;
    if (c->stood_us > 0) {
        engine_net_suspended(c->layer, c->stood_us);
        c->stood_us = 0;
    }
    return ST_TIMEOUT;
}

static void close_clockwork(struct network *n)
{
    clockwork_of(n)->closed = true;
}

static const struct network_ops ops = {.now_us = now, .wait = wait_until, .close = close_clockwork};

struct fixture {
    struct clockwork clockwork;
    struct cancel cancel;
    struct engine_net layer;
    struct network *n;
};

static void setup(struct fixture *f)
{
    memset(f, 0, sizeof(*f));
    f->clockwork.base.ops = &ops;
    f->clockwork.base.demo = true;
    f->clockwork.base.ca_file = "ca.pem";
    f->clockwork.now_us = 1000 * US_PER_S;
    f->clockwork.layer = &f->layer;
    assert_int_equal(cancel_init(&f->cancel), ST_OK);
    engine_net_init(&f->layer, &f->clockwork.base, &f->cancel);
    f->n = &f->layer.base;
}

static void teardown(struct fixture *f)
{
    engine_net_fini(&f->layer);
    assert_true(f->clockwork.closed);
    cancel_fini(&f->cancel);
}

static enum status wait_for(struct fixture *f, int64_t us)
{
    return net_wait(f->n, NULL, 0, net_now_us(f->n) + us, &f->cancel, false);
}

static void test_it_looks_like_the_one_below(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    assert_true(f.n->demo);
    assert_string_equal(f.n->ca_file, "ca.pem");
    assert_int_equal(net_now_us(f.n), 1000 * US_PER_S);
    assert_int_equal(wait_for(&f, 5 * US_PER_S), ST_TIMEOUT);
    assert_int_equal(net_now_us(f.n), 1005 * US_PER_S);
    assert_int_equal(net_wait(f.n, NULL, 0, NO_DEADLINE, &f.cancel, true), ST_AGAIN);
    teardown(&f);
}

static void test_standing_still_does_not_count(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    f.clockwork.now_us += 30 * US_PER_S;
    engine_net_suspended(&f.layer, 30 * US_PER_S);
    assert_int_equal(net_now_us(f.n), 1000 * US_PER_S);
    /* Seven of the ten seconds had passed in the background. */
    f.clockwork.stood_us = 7 * US_PER_S;
    assert_int_equal(wait_for(&f, 10 * US_PER_S), ST_TIMEOUT);
    assert_int_equal(f.clockwork.waits, 2);
    assert_int_equal(f.clockwork.now_us, 1047 * US_PER_S);
    assert_int_equal(net_now_us(f.n), 1010 * US_PER_S);
    teardown(&f);
}

static void test_the_clock_never_goes_back(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    f.clockwork.now_us += 10 * US_PER_S;
    int64_t before = net_now_us(f.n);
    engine_net_suspended(&f.layer, 4 * US_PER_S);
    assert_int_equal(net_now_us(f.n), before);
    f.clockwork.now_us += 5 * US_PER_S;
    assert_int_equal(net_now_us(f.n), before + US_PER_S);
    engine_net_suspended(&f.layer, -1);
    engine_net_suspended(&f.layer, 0);
    assert_int_equal(net_now_us(f.n), before + US_PER_S);
    teardown(&f);
}

/* The wait is over before the face had a chance to tell that the process was stopped. */
static void test_a_late_report_is_waited_for(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    f.clockwork.oversleep_us = 60 * US_PER_S;
    assert_int_equal(wait_for(&f, 10 * US_PER_S), ST_TIMEOUT);
    assert_int_equal(f.clockwork.waits, 2); /* nobody reported: it was a slow machine */
    f.clockwork.waits = 0;
    f.clockwork.oversleep_us = US_PER_S / 2;
    assert_int_equal(wait_for(&f, 10 * US_PER_S), ST_TIMEOUT);
    assert_int_equal(f.clockwork.waits, 1);
    teardown(&f);
}

static void test_the_deadline_of_the_run(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    engine_net_deadline(&f.layer, net_now_us(f.n) + 3 * US_PER_S);
    assert_int_equal(wait_for(&f, 2 * US_PER_S), ST_TIMEOUT);
    assert_false(f.layer.expired);
    assert_int_equal(cancel_level(&f.cancel), CANCEL_NONE);
    assert_int_equal(wait_for(&f, 2 * US_PER_S), ST_CANCELLED);
    assert_true(f.layer.expired);
    assert_int_equal(cancel_level(&f.cancel), CANCEL_POLITE);
    cancel_ack(&f.cancel, CANCEL_POLITE);
    engine_net_deadline(&f.layer, NO_DEADLINE);
    assert_int_equal(wait_for(&f, 2 * US_PER_S), ST_TIMEOUT);
    teardown(&f);
}

static void test_the_deadline_without_a_wait(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    engine_net_deadline(&f.layer, net_now_us(f.n) + 3 * US_PER_S);
    engine_net_check(&f.layer);
    assert_int_equal(cancel_level(&f.cancel), CANCEL_NONE);
    f.clockwork.now_us += 3 * US_PER_S;
    engine_net_check(&f.layer);
    assert_int_equal(cancel_level(&f.cancel), CANCEL_POLITE);
    teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_looks_like_the_one_below),
        cmocka_unit_test(test_standing_still_does_not_count),
        cmocka_unit_test(test_the_clock_never_goes_back),
        cmocka_unit_test(test_a_late_report_is_waited_for),
        cmocka_unit_test(test_the_deadline_of_the_run),
        cmocka_unit_test(test_the_deadline_without_a_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
