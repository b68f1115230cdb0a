#include "loopback_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define LOG_MAX ((size_t)64 << 20)
#define CLOSED_PORT 1 /* nobody listens on tcpmux; a question there is refused at once */

/* No name server is asked and no limit is met, unless the test wants it. */
static void fill_plan(struct plan *p, int family, uint16_t port)
{
    struct error error = {.text = ""};
    char target[64];
    snprintf(target, sizeof(target), family == 6 ? "[::1]:%u" : "127.0.0.1:%u", port);
    plan_init(p);
    if (plan_set_target(p, target, &error) != ST_OK) {
        fail_msg("%s", error.text);
    }
    assert_true(net_address_parse("127.0.0.1", &p->dns.servers[0]));
    p->dns.servers[0].port = CLOSED_PORT;
    p->dns.server_count = 1;
    p->dns.timeout_ms = SHORT_MS;
    p->dns.tries = 1;
    p->limits = (struct smtp_limits){LONG_MS, LONG_MS, LONG_MS, LONG_MS, LONG_MS, LONG_MS, LONG_MS,
                                     LONG_MS, LONG_MS, LONG_MS, LONG_MS, LONG_MS, LONG_MS};
}

/* The unchanged engine on the system's network. */
void bench_open_engine(struct runner *r, int family, uint16_t port)
{
    struct error error = {.text = ""};
    memset(r, 0, sizeof(*r));
    buf_init(&r->log, LOG_MAX);
    buf_init(&r->text, LOG_MAX);
    fill_plan(&r->plan, family, port);
    if (net_system_open(&r->net, &error) != ST_OK ||
        engine_new(&r->engine, r->net, &error) != ST_OK) {
        fail_msg("%s", error.text);
    }
}

const char *bench_heard(const struct fake_smtp *s, size_t connection)
{
    return buf_str(fake_smtp_heard(s, connection));
}

void bench_must_find(const struct runner *r, const char *name, const char *id)
{
    if (!runner_found(r, id)) {
        fail_msg("%s: %s is missing in:\n%s%s", name, id, buf_str(&r->log), buf_str(&r->text));
    }
}

void bench_must_end(const struct runner *r, const char *name, enum check_id check,
                    enum verdict verdict)
{
    if (runner_verdict(r, check) != verdict) {
        fail_msg("%s: %s is %s and not %s:\n%s%s", name, checks[check].key,
                 verdict_name(runner_verdict(r, check)), verdict_name(verdict), buf_str(&r->log),
                 buf_str(&r->text));
    }
}
