#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check_session.h"
#include "check_tools.h"
#include "identity.h"
#include "text.h"

#define ATTEMPTS_REPORTED 8 /* findings, when nothing answered; the transcript has all of them */
#define CONTROL_MS 5000     /* a host that answers on another port does so soon */
#define CONTROL_HOSTS 2
#define PORT_SMTP 25

/* A refusal in a quarter of the time that the host itself takes did not come from the host. */
#define NEARER 4
#define NEARER_MIN_US (4 * US_PER_MS)

struct attempt {
    struct net_address address;
    const char *host; /* the target's, "" when an address was named */
    enum status status;
    int sys;
    int64_t elapsed_us;
    bool no_route; /* this machine has no address of that family */
    uint32_t line;
};

struct attempts {
    struct attempt list[ATTEMPTS_REPORTED];
    size_t kept, total;
};

/* A path begins: what is known of it before the first packet. */
static enum status begin_path(struct check_context *c, const struct target *t,
                              const struct net_address *a)
{
    enum plan_tls tls = plan_tls_effective(c->plan);
    struct facts *f = &c->facts;
    facts_free(f);
    facts_init(f, c->sink->new_path(c->sink->ctx));
    f->preference = t->preference;
    f->address = *a;
    str_copy(f->mode, sizeof(f->mode), tls == PLAN_TLS_IMPLICIT ? "implicit" : "plain");
    for (size_t i = TIMING_MX; i <= TIMING_PTR; i++) {
        f->timings[i] = c->domain_facts.timings[i];
    }
    if (t->host[0] != '\0') {
        str_copy(c->tls_name, sizeof(c->tls_name), t->host);
    } else {
        net_address_format(a, c->tls_name, sizeof(c->tls_name));
    }
    enum status st = t->host[0] != '\0' ? str_set(&f->mx, t->host) : ST_OK;
    for (size_t i = 0; st == ST_OK && i < c->server_ptr_count; i++) {
        if (net_address_same_host(&c->server_ptrs[i].address, a)) {
            st = str_set(&f->ptr, c->server_ptrs[i].name);
        }
    }
    return st;
}

static void set_address_args(struct finding *f, const struct attempt *a)
{
    char text[NET_ADDRESS_TEXT];
    net_address_format(&a->address, text, sizeof(text));
    finding_arg(f, "host", a->host[0] != '\0' ? a->host : text);
    finding_arg(f, "address", text);
    finding_argf(f, "port", "%u", a->address.port);
    finding_evidence(f, a->line);
}

static const char *failure_id(const struct attempt *a)
{
    if (a->no_route) {
        return "net.connect.no_family";
    }
    switch (a->status) {
    case ST_REFUSED:
        return "net.connect.refused";
    case ST_TIMEOUT:
        return "net.connect.timeout";
    case ST_UNREACHABLE:
        return "net.connect.unreachable";
    case ST_RESET:
    case ST_EOF:
        return "net.connect.reset";
    case ST_DENIED:
        return "net.connect.denied";
    default:
        return "net.connect.failed";
    }
}

static enum verdict report_failure(struct check_context *c, const struct attempt *a)
{
    struct finding f;
    finding_init(&f, failure_id(a));
    set_address_args(&f, a);
    finding_argf(&f, "family", "IPv%u", a->address.family);
    finding_argf(&f, "seconds", "%d", c->plan->limits.connect / 1000);
    if (a->sys != 0) {
        finding_arg(&f, "detail", strerror(a->sys));
    } else {
        finding_arg_word(&f, "detail", status_name(a->status));
    }
    return check_report(c, &f);
}

/* ENETUNREACH at once, and no address of ours to go there from: nothing left this machine. */
static bool has_no_route(struct check_context *c, const struct attempt *a)
{
    struct net_address source;
    return (a->status == ST_UNREACHABLE || a->sys == EADDRNOTAVAIL || a->sys == EAFNOSUPPORT) &&
           c->net->ops->source_for(c->net, &a->address, &source) != ST_OK;
}

static void note_failure(struct check_context *c, struct attempt *a)
{
    int ms = (int)(a->elapsed_us / US_PER_MS);
    if (a->no_route) {
        a->line = check_note(c, _("No route: this machine has no IPv%u connection to the world"),
                             a->address.family);
        return;
    }
    switch (a->status) {
    case ST_REFUSED:
        a->line = check_note(c, _("Connection refused after %d ms"), ms);
        break;
    case ST_TIMEOUT:
        a->line = check_note(c, _("No answer within %d ms"), ms);
        break;
    default:
        a->line = check_note(c, _("Connecting failed after %d ms: %s"), ms,
                             a->sys != 0 ? strerror(a->sys) : status_word(a->status));
        break;
    }
}

static enum status try_address(struct check_context *c, const struct target *t,
                               const struct net_address *address, struct attempt *a)
{
    char where[NET_ADDRESS_TEXT + 8];
    struct net_conn *conn = NULL;
    enum status st = begin_path(c, t, address);
    if (st != ST_OK) {
        return st;
    }
    *a = (struct attempt){.address = *address, .host = t->host};
    net_address_format_port(address, where, sizeof(where));
    if (t->host[0] != '\0') {
        a->line = check_note(c, _("Connecting to %s, %s"), t->host, where);
    } else {
        a->line = check_note(c, _("Connecting to %s"), where);
    }
    int64_t start = net_now_us(c->net);
    a->status = session_dial(c, address, c->plan->limits.connect, &conn, &a->sys);
    a->elapsed_us = net_now_us(c->net) - start;
    if (a->status == ST_CANCELLED || a->status == ST_NOMEM) {
        return a->status;
    }
    check_timed(c, TIMING_CONNECT, start);
    if (a->status == ST_OK) {
        c->facts.local = conn->local;
        c->facts.connected = true;
        smtp_attach(&c->smtp, conn);
        net_address_format(&c->facts.local, where, sizeof(where));
        a->line = check_note(c, _("Connected from %s after %d ms"), where,
                             (int)(a->elapsed_us / US_PER_MS));
        struct error error = {.text = ""};
        if (identity_begin(c, &error) != ST_OK) {
            check_note(c, "%s", error.text);
        }
    } else {
        a->no_route = has_no_route(c, a);
        note_failure(c, a);
    }
    check_facts_changed(c);
    return ST_OK;
}

/* What one family or host could not do and another could. */
static enum verdict report_fallback(struct check_context *c, const struct attempts *failed,
                                    const struct attempt *good)
{
    struct finding f;
    struct buf list;
    const struct attempt *no_route = NULL;
    enum verdict worst = VERDICT_OK;
    char text[NET_ADDRESS_TEXT];
    finding_init(&f, "net.connect.fallback");
    set_address_args(&f, good);
    buf_init(&list, FINDING_ARG_TEXT_MAX);
    for (size_t i = 0; i < failed->kept; i++) {
        const struct attempt *a = &failed->list[i];
        if (a->no_route) {
            no_route = a;
            continue;
        }
        net_address_format(&a->address, text, sizeof(text));
        check_list(&list, text);
        finding_evidence(&f, a->line);
        f.who = a->status == ST_DENIED ? WHO_CLIENT : f.who;
    }
    if (list.len > 0) {
        finding_arg(&f, "failed", buf_str(&list));
        worst = check_report(c, &f);
    } else {
        finding_free(&f);
    }
    buf_free(&list);
    if (no_route != NULL) {
        finding_init(&f, "net.connect.no_family");
        set_address_args(&f, no_route);
        finding_argf(&f, "family", "IPv%u", no_route->address.family);
        f.verdict = VERDICT_NOTE; /* the other family does it */
        f.side = SIDE_NONE;
        worst = verdict_worse(worst, check_report(c, &f));
    }
    return worst;
}

static enum verdict report_connected(struct check_context *c, const struct attempts *failed,
                                     const struct attempt *good)
{
    struct finding f;
    char text[NET_ADDRESS_TEXT];
    enum verdict worst = report_fallback(c, failed, good);
    if (worst <= VERDICT_NOTE) {
        finding_init(&f, "net.connect.ok");
        set_address_args(&f, good);
        net_address_format(&c->facts.local, text, sizeof(text));
        finding_arg(&f, "local", text);
        worst = verdict_worse(worst, check_report(c, &f));
    }
    return worst;
}

/*
 * Networks block port 25 on the way out, and then every server looks dead. Another mail port of the
 * same host tells whose fault it is. ST_OK: *other answered.
 */
static enum status try_other_ports(struct check_context *c, const struct attempt *a,
                                   uint16_t *other, int64_t *elapsed_us, uint32_t *line)
{
    static const uint16_t ports[] = {587, 465};
    char where[NET_ADDRESS_TEXT + 8];
    for (size_t i = 0; i < ARRAY_LEN(ports); i++) {
        struct net_conn *conn = NULL;
        struct net_address to = a->address;
        int sys;
        int64_t start = net_now_us(c->net);
        to.port = ports[i];
        enum status st = session_dial(c, &to, CONTROL_MS, &conn, &sys);
        *elapsed_us = net_now_us(c->net) - start;
        if (st == ST_CANCELLED || st == ST_NOMEM) {
            return st;
        }
        net_close(conn);
        net_address_format_port(&to, where, sizeof(where));
        if (st == ST_OK) {
            *line = check_note(c, _("For comparison: %s answers after %d ms"), where,
                               (int)(*elapsed_us / US_PER_MS));
            *other = ports[i];
            return ST_OK;
        }
        check_note(c, _("For comparison: %s does not answer either"), where);
    }
    return ST_TIMEOUT;
}

static bool worth_a_control(const struct attempt *a)
{
    return a->address.port == PORT_SMTP && !a->no_route &&
           (a->status == ST_TIMEOUT || a->status == ST_REFUSED);
}

static bool came_from_nearby(const struct attempt *a, int64_t other_us)
{
    return a->status == ST_REFUSED && other_us >= NEARER_MIN_US &&
           a->elapsed_us < other_us / NEARER;
}

/* VERDICT_OK: nothing was proved, the attempts speak for themselves. */
static enum verdict control(struct check_context *c, const struct attempts *failed)
{
    struct finding f;
    size_t hosts = 0;
    for (size_t i = 0; i < failed->kept && hosts < CONTROL_HOSTS; i++) {
        const struct attempt *a = &failed->list[i];
        uint16_t other = 0;
        uint32_t line = 0;
        int64_t other_us = 0;
        if (!worth_a_control(a)) {
            continue;
        }
        hosts++;
        enum status st = try_other_ports(c, a, &other, &other_us, &line);
        if (st == ST_CANCELLED || st == ST_NOMEM) {
            return check_gave_up(c, st, NULL);
        }
        if (st != ST_OK || (a->status == ST_REFUSED && !came_from_nearby(a, other_us))) {
            continue;
        }
        finding_init(&f, "net.connect.blocked_here");
        set_address_args(&f, a);
        finding_argf(&f, "other", "%u", other);
        finding_evidence(&f, line);
        return check_report(c, &f);
    }
    return VERDICT_OK;
}

static enum verdict report_nothing(struct check_context *c, const struct attempts *failed)
{
    enum verdict worst = control(c, failed);
    if (worst != VERDICT_OK) {
        return worst;
    }
    /* A family that does not exist here is worth a word only when nothing else was tried. */
    bool real = false;
    for (size_t i = 0; i < failed->kept; i++) {
        real = real || !failed->list[i].no_route;
    }
    bool told = false;
    for (size_t i = 0; i < failed->kept; i++) {
        enum verdict v;
        if (!failed->list[i].no_route) {
            v = report_failure(c, &failed->list[i]);
        } else if (!real && !told) {
            v = report_failure(c, &failed->list[i]);
            told = true;
        } else {
            continue;
        }
        worst = verdict_worse(worst, v);
    }
    if (failed->total > failed->kept) {
        check_note(c, _("%zu more addresses failed in the same way or another"),
                   failed->total - failed->kept);
    }
    return worst;
}

enum verdict check_run_connect(struct check_context *c)
{
    struct attempts failed = {.kept = 0};
    bool any = false;
    smtp_close(&c->smtp, ST_OK);
    for (size_t i = 0; i < c->target_count; i++) {
        for (size_t k = 0; k < c->targets[i].address_count; k++) {
            struct attempt a;
            any = true;
            enum status st = try_address(c, &c->targets[i], &c->targets[i].addresses[k], &a);
            if (st != ST_OK) {
                return check_gave_up(c, st, NULL);
            }
            if (a.status == ST_OK) {
                c->target_index = i;
                c->address_index = k;
                return report_connected(c, &failed, &a);
            }
            if (failed.kept < ATTEMPTS_REPORTED) {
                failed.list[failed.kept++] = a;
            }
            failed.total++;
            if (c->plan->first_path) {
                return report_nothing(c, &failed);
            }
        }
    }
    if (!any) {
        return check_skipped(c, checks[CHECK_DNS_ADDRESS].key);
    }
    return report_nothing(c, &failed);
}
